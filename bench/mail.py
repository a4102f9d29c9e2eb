"""Entities become mail: the whole of `mailweir run`, with what others would write beside it, in the same rounds.

    python -m bench mail
    ENTITIES=1000000 python -m bench.mail        # and how much memory so many take

JSON Lines, two functions that each work out a property (a name, a total), subject, text and HTML with a table of 5
rows, MIME, ten connections to a server that takes all it gets. `mailweir run` keeps each mail on the disk before it is
sent (SQLite, FULL); none of the others keeps anything. The server takes BDAT (`chunking` of the system) too, which the
others do not know: a line of its own says what it gives. Each has one core, and the server the other one. Rates are by
the server's clock, from the first connection to the last message; processor time is that of the whole process, with its
start.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Final

from bench.smtp import CONNECTIONS, MADE, Helper, helper
from bench.template import SOURCES

HERE: Final = Path(__file__).parent
ENTITIES: Final = 50_000
ROUNDS: Final = 5
SHOP: Final = "Grünerløkka kaffe"
# Each of the others does the same two things, in two functions.
SHAPES: Final = """
def named(entity):
    entity["name"] = f"{entity['first_name']} {entity['last_name']}"
    return entity


def totalled(entity):
    cents = entity["cents"]
    entity["total"] = f"{cents // 100}.{cents % 100:02}"
    return entity
"""
TRANSFORMS: Final = ("shapes:named", "shapes:totalled")
# More than a bench sends in an hour.
NO_LIMIT: Final = 10_000_000


@dataclass(frozen=True)
class Maker:
    """Who makes and sends the mail: how many of it take some seconds, and how much faster we want to be."""

    name: str
    command: Sequence[str]
    count: int
    target: float = 0
    environment: dict[str, str] = field(default_factory=dict)
    system: dict[str, object] | None = None  # Ours: what its system says besides.


@dataclass
class Figures:
    """What the rounds gave."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)


def orders(path: Path, count: int) -> None:
    """Entities as another program writes them."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            rows = [
                {"quantity": row + 1, "title": f"Coffee & cake {number % 97}-{row}", "price": f"{row * 7}.50"}
                for row in range(5)
            ]
            order: dict[str, object] = {
                "_id": f"c-{number}",
                "first_name": "Ann",
                "last_name": f"Lee {number}",
                "email": f"ann-{number}@example.com",
                "number": f"A-{number}",
            }
            order |= {"rows": rows, "cents": 7_250 + number % 97, "shop": SHOP}
            file.write(json.dumps(order, ensure_ascii=False) + "\n")


def project(folder: Path, port: int, further: dict[str, object] | None = None) -> Path:
    """A project that mails what is in `orders.jsonl` beside it. Its system says `further`."""
    for part in ("systems", "pipes"):
        (folder / part).mkdir(parents=True)
    server = {"smtp_server": "127.0.0.1", "smtp_port": port, "connections": CONNECTIONS}
    office = {"_id": "office", "type": "system:smtp", "max_per_hour": NO_LIMIT, "messages_per_connection": NO_LIMIT}
    orders = {
        "_id": "orders",
        "type": "pipe",
        "source": {"type": "json", "path": "orders.jsonl"},
        "transform": [{"type": "python", "function": name} for name in TRANSFORMS],
        "sink": {
            "type": "mail",
            "system": "office",
            "mail_from": "Example <post@example.com>",
            "recipients_property": "email",
            "subject_template": SOURCES["subject"],
            "text_body_template": SOURCES["text"],
            "body_template": SOURCES["html"],
        },
    }
    (folder / "shapes.py").write_text(SHAPES, "utf-8")
    (folder / "systems/office.conf.json").write_text(json.dumps(office | server | (further or {})), "utf-8")
    (folder / "pipes/orders.conf.json").write_text(json.dumps(orders), "utf-8")
    return folder


def makers() -> Iterator[Maker]:
    """Those who can run here; what is missing is said."""
    run = (sys.executable, "-m", "mailweir", "run", "--yes", "--progress", "none")
    yield Maker("mailweir run", run, ENTITIES, system={})
    yield Maker("mailweir run, BDAT", run, ENTITIES, system={"chunking": True})
    python = MADE / "venv/bin/python"
    if not python.exists():
        venv.create(MADE / "venv", with_pip=True)
    if not _runs(python, "-c", "import aiosmtplib, pydantic, jinja2"):
        _runs(python, "-m", "pip", "install", "aiosmtplib", "pydantic", "jinja2")
    if _runs(python, "-c", "import aiosmtplib, pydantic, jinja2"):
        yield Maker("a script with aiosmtplib", (str(python), "-P", str(HERE / "mail_python.py")), 2_000, 20)
    else:
        sys.stdout.write("without the script: aiosmtplib could not be installed\n")
    node, modules = shutil.which("node"), MADE / "node/node_modules"
    if node and not modules.exists() and shutil.which("npm"):
        (MADE / "node").mkdir(parents=True, exist_ok=True)
        _runs("npm", "install", "--prefix", MADE / "node", "nodemailer", "handlebars")
    if node and modules.exists():
        found = {"NODE_PATH": str(modules)}
        yield Maker("Nodemailer's pool", (node, str(HERE / "mail_node.cjs")), 8_000, 6, found)
    else:
        sys.stdout.write("without Nodemailer: it needs node and npm\n")
    programs = _go()
    if not programs:
        sys.stdout.write("without Go: it needs Debian's packages\n")
    elif "pooled" not in programs:
        sys.stdout.write("without smtppool: GOPATH has no github.com/knadh/smtppool\n")
    # What we want to be faster than is the pool that a newsletter manager uses; without it the library beneath.
    for name, words in (("pooled", "Go, smtppool"), ("plain", "Go, net/smtp")):
        if name in programs:
            target = 1.25 if name == next(iter(programs)) else 0
            yield Maker(words, (str(programs[name]),), 40_000, target)


def _runs(*command: str | Path) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _go() -> dict[str, Path]:
    """The programs in Go by name, compiled by Debian's Go, which is unpacked and not installed."""
    tool = _go_tool()
    if tool is None:
        return {}
    paths = os.pathsep.join(filter(None, (os.environ.get("GOPATH"), str(MADE / "gopath"))))
    here = {"GOROOT": str(tool.parents[1]), "GOCACHE": str(MADE / "go-cache"), "GOPATH": paths, "GO111MODULE": "off"}
    environment = os.environ | here | {"CGO_ENABLED": "0", "GOFLAGS": ""}
    found = {}
    for name in ("pooled", "plain"):
        program, sources = MADE / f"mail_go_{name}", [HERE / "go" / f"{part}.go" for part in ("order", name)]
        if not program.exists() or program.stat().st_mtime < max(source.stat().st_mtime for source in sources):
            program.unlink(missing_ok=True)
            build = [str(tool), "build", "-o", str(program), *map(str, sources)]
            done = subprocess.run(build, env=environment, check=False, capture_output=True, text=True)
            if done.returncode and "cannot find package" not in done.stderr:
                sys.stdout.write(done.stderr)
        if program.exists():
            found[name] = program
    return found


def _go_tool() -> Path | None:
    root = MADE / "go"
    if not root.exists():
        asked = subprocess.run(["apt-cache", "depends", "golang-go"], capture_output=True, text=True, check=False)
        names = [line.split()[-1] for line in asked.stdout.splitlines() if "Depends: golang-1" in line]
        if not names:
            return None
        new = MADE / "go.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        options = ["-qq", "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root"]
        packages = [names[0], names[0].replace("-go", "-src")]
        subprocess.run(["apt-get", *options, "download", *packages], cwd=new, capture_output=True, check=False)
        for package in new.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, new], check=True)
            package.unlink()
        new.rename(root)
    return max(root.glob("usr/lib/go-*/bin/go"), default=None)


@contextmanager
def first_core() -> Iterator[None]:
    """What is started meanwhile has the first of our cores from its beginning: Go counts them then."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(ours)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)


def once(maker: Maker, server: Helper, folder: Path) -> tuple[float, float, float]:
    """Send all: messages a second, processor seconds a message, and the most memory in MB."""
    data = folder / f"{maker.count}.jsonl"
    if not data.exists():
        orders(data, maker.count)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        command, where = list(maker.command), folder
        if maker.system is not None:
            where = project(Path(name, "project"), server.port, maker.system)
            (where / "orders.jsonl").hardlink_to(data)
        else:
            command += [str(server.port), str(CONNECTIONS), str(data)]
        server.counted()
        with first_core():
            process = subprocess.Popen(
                command,
                cwd=where,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=os.environ | maker.environment,
            )
        said = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    messages, _, _, nanoseconds = server.counted()
    if process.returncode or messages != maker.count:
        raise RuntimeError(f"{maker.name}: {process.returncode}, {messages} of {maker.count}: {said.decode()[-1000:]}")
    return messages / (nanoseconds / 1e9), (usage.ru_utime + usage.ru_stime) / maker.count, usage.ru_maxrss / 1000


def run() -> None:
    """The rounds, what each stage costs, and memory."""
    if shutil.which("cc") is None:
        sys.stdout.write("Mail: the server to send to is compiled with `cc`, which is not here\n")
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for part, source in SOURCES.items():
            (folder / part).write_text(source, encoding="utf-8")
        server = stack.enter_context(helper("null_server"))
        found = list(makers())
        figures = {maker.name: Figures() for maker in found}
        for _ in range(int(os.environ.get("ROUNDS", ROUNDS))):
            for maker in found:
                rate, cpu, peak = once(maker, server, folder)
                figures[maker.name].rates.append(rate)
                figures[maker.name].cpu.append(cpu)
                figures[maker.name].peak_mb.append(peak)
        table(found, figures)
        from bench.mail_stages import stages

        whole = 1e6 / median(figures[found[0].name].rates)
        stages(folder / f"{ENTITIES}.jsonl", project(folder / "project", server.port), whole)
        memory(found[0], server, folder)


def table(found: Sequence[Maker], figures: dict[str, Figures]) -> None:
    """Medians, and ratios of the first to each: of each round, so that a machine that drifts drifts for both."""
    ours = figures[found[0].name]
    sys.stdout.write(f"Entities to mail, {CONNECTIONS} connections (median of {len(ours.rates)} rounds in turn)\n")
    sys.stdout.write(
        f"  {'':26}{'messages/s':>12}{'spread':>18}{'we are':>9}{'wanted':>10}{'µs CPU':>9}{'we need':>9}{'MB':>6}\n"
    )
    for maker in found:
        its = figures[maker.name]
        spread = f"{min(its.rates):,.0f} to {max(its.rates):,.0f}"
        faster = median(mine / other for mine, other in zip(ours.rates, its.rates, strict=True))
        cheaper = median(mine / other for mine, other in zip(ours.cpu, its.cpu, strict=True))
        wanted = f"≥ {maker.target}x" if maker.target else ""
        sys.stdout.write(
            f"  {maker.name:26}{median(its.rates):12,.0f}{spread:>18}{faster:8.2f}x{wanted:>10}"
            f"{median(its.cpu) * 1e6:9.1f}{cheaper:8.2f}x{median(its.peak_mb):6.0f}\n"
        )


def memory(ours: Maker, server: Helper, folder: Path) -> None:
    """The most memory over few entities and over many."""
    counts = (10_000, int(os.environ.get("ENTITIES", "100000")))
    peaks = [once(replace(ours, count=count), server, folder)[2] for count in counts]
    said = ", ".join(f"{peak:.0f} MB at most over {count:,}" for peak, count in zip(peaks, counts, strict=True))
    sys.stdout.write(f"\nMemory: {said} entities (wanted: ≤ 150 MB for 1,000,000)\n")


if __name__ == "__main__":
    run()
