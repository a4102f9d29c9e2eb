"""`mailweir demo`, as a process of its own."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from mailweir.cli.demo_run import PIPE, SYSTEM, crowded
from mailweir.cli.init import projects

COMMAND: Final = str(Path(sys.executable).with_name("mailweir"))
PATIENCE: Final = 120
Command = Callable[..., Any]


def test_a_first_mail(command: Command, tmp_path: Path) -> None:
    """Without a terminal it runs once and ends: where mail goes, the steps, the text of the mail, where to look."""
    done = command(tmp_path, "demo", "--smtp-port", "0", TMPDIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    (folder,) = tmp_path.glob("mailweir-demo-*")
    shown = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", done.stdout.replace(str(folder), "/DEMO"))
    assert shown.startswith(
        "Mail goes to  the local catcher; nothing leaves this machine\n"
        "\n"
        "  1  made a project with 3 customers         /DEMO\n"
        "  2  started a mail catcher                  smtp 127.0.0.1:PORT\n"
        "  3  ran   customers ─▶ welcome-mail ─▶ ✉    3 read, 2 sent, 1 rejected (no address)\n"
        "  4  look at file:///DEMO/caught/0001.html   Welcome, Kari Moe\n"
        "\n"
        "     ✉  to kari@example.com: Welcome, Kari Moe\n"
        "\n"
        "     Hello Kari Moe,\n"
    )
    assert shown.endswith("All mail:  /DEMO/caught/index.html\nKeep it:   mailweir init my-mail --from-demo\n")
    assert sorted(path.name for path in (folder / "caught").iterdir()) == [
        "0001.eml",
        "0001.html",
        "0002.eml",
        "0002.html",
        "index.html",
    ]
    assert "€250.00" in (folder / "caught" / "0001.html").read_text()


def test_a_window_that_fills(command: Command, tmp_path: Path) -> None:
    """With `--limit` ten are sent, and the two that came too late are named beside the window."""
    done = command(tmp_path, "demo", "--limit", "--smtp-port", "0", "--keep", "mine")
    assert (done.returncode, done.stderr) == (0, "")
    assert "13 read, 10 sent, 1 rejected (no address), 2 discarded\n" in done.stdout
    assert f"our-smtp-server  10 of 10 in the last hour  {'█' * 20}  next free " in done.stdout
    assert re.findall(r"▨ discarded   (\S+)", done.stdout) == ["c12", "c13"]
    assert len(list((tmp_path / "mine" / "caught").glob("*.eml"))) == 10
    assert done.stdout.endswith("Go on:     cd mine && mailweir dev\n")


def test_the_project_that_is_kept_is_right(command: Command, tmp_path: Path) -> None:
    """It passes its check, and a second demo leaves it as it is."""
    command(tmp_path, "demo", "--limit", "--smtp-port", "0", "--keep", "mine")
    checked = command(tmp_path / "mine", "check", "--strict")
    assert (checked.returncode, checked.stderr) == (0, "All checks passed: 1 system, 1 pipe in 2 files.\n")
    again = command(tmp_path, "demo", "--smtp-port", "0", "--keep", "mine")
    assert again.returncode == 2
    assert again.stderr.startswith("error: mine/ is not empty (")
    assert again.stderr.endswith("Nothing was written.\n  help: choose another folder\n")


def test_the_project_in_this_folder(command: Command, tmp_path: Path) -> None:
    """An empty folder is as good as one that is made, and nobody is sent to where they are."""
    done = command(tmp_path, "demo", "--smtp-port", "0", "--keep", ".")
    assert done.returncode == 0
    assert done.stdout.endswith("Go on:     mailweir dev\n")
    assert (tmp_path / PIPE).is_file()


def test_more_customers_than_places() -> None:
    """Twelve have an address, each another one, and ten are let through in an hour."""
    example = projects() / "demo"
    files = crowded({name: (example / name).read_bytes() for name in (PIPE, SYSTEM)})
    people = json.loads(files[PIPE])["source"]["entities"]
    assert len({one["_id"] for one in people}) == len(people) == 13
    assert len({one["email"] for one in people if one["email"]}) == 12
    assert json.loads(files[SYSTEM])["max_per_hour"] == 10


def test_a_port_that_is_taken(command: Command, tmp_path: Path) -> None:
    """The next free one is used, and said."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command(tmp_path, "demo", "--smtp-port", str(port), TMPDIR=str(tmp_path))
    assert done.returncode == 0
    (used,) = re.findall(rf"smtp 127\.0\.0\.1:(\d+) \({port} is taken\)\n", done.stdout)
    assert int(used) != port


def test_no_temporary_folder(tmp_path: Path) -> None:
    """Where none can be written the way out is named, and it works."""
    shell = ["/bin/sh", "-c", 'ulimit -f 0; exec "$0" demo --smtp-port 0', COMMAND]
    done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot write a temporary folder: no usable temporary directory found")
    assert done.stderr.endswith("\n  help: name a folder: mailweir demo --keep my-demo\n")
    assert done.stdout == ""


def test_a_terminal_without_utf_8(command: Command, tmp_path: Path) -> None:
    """It gets signs that it has."""
    done = command(tmp_path, "demo", "--limit", "--smtp-port", "0", PYTHONIOENCODING="ascii", TMPDIR=str(tmp_path))
    assert done.returncode == 0
    assert "  3  ran   customers -> welcome-mail -> mail   " in done.stdout
    assert f"10 of 10 in the last hour  {'#' * 20}  next" in done.stdout
    assert "     x discarded   c12" in done.stdout


def test_for_programs(command: Command, tmp_path: Path) -> None:
    """One document with all counts and the first mail; the words for people are beside it."""
    done = command(tmp_path, "demo", "--json", "--limit", "--smtp-port", "0", "--keep", "mine")
    document = json.loads(done.stdout)
    assert (document["command"], document["exit_code"], document["delivery"]["mode"]) == ("demo", 0, "catch")
    assert document["ok"] is True
    assert document["pipes"][0]["mail"]["sent"] == document["caught"] == 10
    assert document["pipes"][0]["mail"]["discarded"] == 2
    assert document["first"]["subject"] == "Welcome, Kari Moe"
    assert Path(document["index"]).is_file()
    assert "Mail goes to  the local catcher" in done.stderr


def test_nothing_of_the_machine_leads_elsewhere(command: Command, tmp_path: Path) -> None:
    """Variables and options that choose the real server in other verbs change nothing: nobody connects to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        real = {"node-env": "prod", "SMTP_SERVER": "127.0.0.1", "SMTP_PORT": port, "smtp-username": "u"}
        secret = {"MAILWEIR_SECRET_SMTP_PASSWORD": "correct horse", "NODE_ENV": "prod", "TMPDIR": str(tmp_path)}
        done = command(tmp_path, "demo", "--profile", "prod", "--smtp-port", "0", **real, **secret)
        assert done.returncode == 0
        assert "3 read, 2 sent, 1 rejected" in done.stdout
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


class Terminal:
    """A process on a terminal of its own."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        """Nothing is read yet."""
        self.process = process
        self.seen = ""
        self._master = master

    def wait_for(self, words: str) -> None:
        """Read until the words are there."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, self.seen
            if select.select([self._master], [], [], left)[0]:
                self.seen += os.read(self._master, 65_536).decode(errors="replace")

    def end(self, number: int) -> int:
        """Send a signal and read until its end; the exit code."""
        self.process.send_signal(number)
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            if select.select([self._master], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self._master, 65_536).decode(errors="replace")
                except OSError:
                    break
        return self.process.wait(PATIENCE)


@contextmanager
def on_a_terminal(folder: Path, *arguments: str, **environ: str) -> Iterator[Terminal]:
    """The demo as a person has it."""
    master, slave = pty.openpty()
    whole: Mapping[str, str] = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TMPDIR": str(folder), **environ}
    call = [COMMAND, "demo", "--smtp-port", "0", *arguments]
    try:
        with subprocess.Popen(call, cwd=folder, stdin=slave, stdout=slave, stderr=slave, env=whole) as process:
            os.close(slave)
            try:
                yield Terminal(master, process)
            finally:
                process.kill()
    finally:
        os.close(master)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_on_a_terminal_it_stays_until_a_signal(tmp_path: Path, number: int) -> None:
    """A signal ends it with 0, and the folder in which nobody worked is gone."""
    with on_a_terminal(tmp_path) as demo:
        demo.wait_for("Stop: Ctrl-C")
        (folder,) = tmp_path.glob("mailweir-demo-*")
        assert (folder / "caught" / "0001.html").is_file()
        assert demo.end(number) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_change_runs_it_again(tmp_path: Path) -> None:
    """The page shows the new text; a fault is told as `check` does; what was changed is not removed."""
    with on_a_terminal(tmp_path) as demo:
        demo.wait_for("Stop: Ctrl-C")
        (folder,) = tmp_path.glob("mailweir-demo-*")
        pipe = folder / PIPE
        text = pipe.read_text()
        _save(pipe, text.replace("Welcome, {{ name }}", "Good day, {{ name }}"))
        demo.wait_for("the first: Good day, Kari Moe")
        assert f"changed {PIPE}" in demo.seen
        assert "Good day, Kari Moe" in (folder / "caught" / "0001.html").read_text()
        _save(pipe, text.replace('"subject_template"', '"subject_templat"'))
        demo.wait_for("did you mean `subject_template`?")
        _save(pipe, text)
        demo.wait_for("the first: Welcome, Kari Moe")
        assert demo.end(signal.SIGINT) == 0
        assert f"Your changes are in {folder}" in demo.seen
    assert pipe.read_text() == text


def _save(path: Path, text: str) -> None:
    """As editors do: whole."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(text)
    fresh.rename(path)


def test_the_exit_option_ends_it_on_a_terminal(tmp_path: Path) -> None:
    """It ends by itself and leaves the folder that it names."""
    with on_a_terminal(tmp_path, "--exit", "--no-open") as demo:
        demo.wait_for("Keep it:")
        assert demo.process.wait(PATIENCE) == 0
    (folder,) = tmp_path.glob("mailweir-demo-*")
    shutil.rmtree(folder)
