"""Mail clients against one server that takes everything: messages a second, CPU for each, and memory.

Every client sends the same messages of 2 kB over 10 connections on loopback, whole processes in turn, each on one
core and the server on another where there are two. A rival that is not here is left out with its reason: Postfix's
smtp-source is looked for where `.ci/mail-servers` puts Postfix, aiosmtplib is installed into a folder of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
CONNECTIONS = 10
ROUNDS = 5
NEAR = 40_000  # messages a run, fewer for clients that are slow
FAR = 4_000
ROUND_TRIP = 5_000  # microseconds
SLOW = {"aiosmtplib": 8, "smtplib, threads": 4}
OURS = "mailweir"


@dataclass(frozen=True, slots=True)
class Run:
    """What one client did in one run."""

    seconds: float
    cpu: float
    messages: int
    memory: int

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


Client = Callable[[int, int], Run]


def run() -> None:
    """Build the server, look for the rivals, and print the tables."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        sys.stdout.write("SMTP: left out, there is no C compiler for the server\n")
        return
    with TemporaryDirectory() as folder:
        tools = {name: _built(compiler, name, Path(folder)) for name in ("null_server", "far_away")}
        clients, missing = _clients(Path(folder))
        with _server([str(tools["null_server"])]) as port:
            _table("SMTP, 10 connections, 2 kB, loopback", clients, port, NEAR)
            with _server([str(tools["far_away"]), str(port), str(ROUND_TRIP)]) as far:
                _table(f"SMTP, 10 connections, 2 kB, {ROUND_TRIP / 1000:g} ms round trip", clients, far, FAR)
            few, many = (clients[OURS](port, count) for count in (20_000, 200_000))
        sys.stdout.write(
            f"Memory of {OURS}: {few.memory / 1024:.0f} MB after {few.messages} messages,"
            f" {many.memory / 1024:.0f} MB after {many.messages}\n"
        )
    for name, why in missing.items():
        sys.stdout.write(f"left out: {name}: {why}\n")


def _built(compiler: str, name: str, folder: Path) -> Path:
    program = folder / name
    subprocess.run([compiler, "-O2", "-o", str(program), str(HERE / f"{name}.c")], check=True)
    return program


@contextmanager
def _server(command: Sequence[str]) -> Iterator[int]:
    """A server on the last core; its port."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def _clients(folder: Path) -> tuple[dict[str, Client], dict[str, str]]:
    """The clients that are here, and why others are not."""
    clients: dict[str, Client] = {OURS: _python(OURS)}
    missing = {}
    root = Path(os.environ.get("MAILWEIR_MAIL_SERVERS", ".mail-servers")) / "postfix"
    source = root / "usr" / "sbin" / "smtp-source"
    if source.is_file():
        clients["Postfix smtp-source"] = _smtp_source(source, root)
    else:
        missing["Postfix smtp-source"] = "run .ci/mail-servers first"
    clients["smtplib, threads"] = _python("smtplib")
    packages = folder / "packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(packages), "aiosmtplib"]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        clients["aiosmtplib"] = _python("aiosmtplib", packages)
    else:
        missing["aiosmtplib"] = "it cannot be installed here"
    return clients, missing


def _python(name: str, packages: Path | None = None) -> Client:
    """A client in Python, which measures itself from its first connection on."""
    environ = os.environ | ({"PYTHONPATH": str(packages)} if packages else {})

    def once(port: int, messages: int) -> Run:
        command = [sys.executable, "-m", "bench.smtp.clients", name, str(port), str(messages), str(CONNECTIONS)]
        process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
        _first_core(process)
        output, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{name} ended with {process.returncode}")
        return Run(**json.loads(output))

    return once


def _smtp_source(program: Path, root: Path) -> Client:
    """Postfix's own, in C; its start takes no time that could be seen."""
    environ = {"LD_LIBRARY_PATH": f"{root}/usr/lib/postfix:{root}/usr/lib/{os.uname().machine}-linux-gnu"}

    def once(port: int, messages: int) -> Run:
        command = [str(program), "-s", str(CONNECTIONS), "-m", str(messages), "-l", "2048", "-d"]
        command += ["-f", "a@example.com", "-t", "b@example.com", f"127.0.0.1:{port}"]
        start = time.perf_counter()
        process = subprocess.Popen(command, env=environ)
        _first_core(process)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"smtp-source ended with {process.returncode}")
        return Run(time.perf_counter() - start, used.ru_utime + used.ru_stime, messages, used.ru_maxrss)

    return once


def _first_core(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})


def _table(title: str, clients: Mapping[str, Client], port: int, messages: int) -> None:
    """Rounds in turn, then medians and their ratios to ours."""
    runs: dict[str, list[Run]] = {name: [] for name in clients}
    for _ in range(ROUNDS):
        for name, client in clients.items():
            runs[name].append(client(port, messages // SLOW.get(name, 1)))
    ours = _medians(runs[OURS])
    sys.stdout.write(f"{title} (median of {ROUNDS} rounds in turn)\n")
    sys.stdout.write(f"  {'':24}{'msg/s':>10}{'CPU us/msg':>12}{'MB':>6}   {OURS} is\n")
    for name, each in runs.items():
        rate, cpu = _medians(each)
        memory = max(one.memory for one in each) / 1024
        ratio = "" if name == OURS else f"   {ours[0] / rate:5.1f} x as fast, {ours[1] / cpu:4.2f} x the CPU"
        sys.stdout.write(f"  {name:24}{rate:10,.0f}{cpu * 1e6:12.1f}{memory:6.0f}{ratio}\n")


def _medians(runs: Sequence[Run]) -> tuple[float, float]:
    return median(one.rate for one in runs), median(one.cpu / one.messages for one in runs)
