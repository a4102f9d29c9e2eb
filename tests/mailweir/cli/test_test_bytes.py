from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

TOP: Final = Path(__file__).parents[3]
PEOPLE: Final = [
    {"_id": f"p{number}", "name": name, "email": f"p{number}@example.com", "tags": ["ı", "i", "ß", "Z", "a"]}
    for number, name in enumerate(["Åse Ødegård", "İbrahim Iğdır", "ingrid <ß> & Co", "Zoë\u2028", "日本 太郎", ""])
]
# What a machine could have its say in: names of days, capitals, the order of words, chance, identifiers, the hour.
RULES: Final = [
    ["copy", "*"],
    ["add", "loud", ["upper", "_S.name"]],
    ["add", "quiet", ["lower", "_S.name"]],
    ["add", "sorted", ["sorted", "_.", "_S.tags"]],
    ["add", "some", ["distinct", "_S.tags"]],
    ["add", "number", ["uuid"]],
    ["add", "at", ["now"]],
    ["add", "day", ["datetime-format", "%d.%m.%Y %H:%M", ["now"]]],
    ["add", "hash", ["hash128", "murmur3", "_S.name"]],
]
PIPE: Final[dict[str, Any]] = {
    "_id": "people",
    "type": "pipe",
    "source": {"type": "embedded", "entities": PEOPLE},
    "transform": {"type": "dtl", "rules": {"default": RULES}},
    "sink": {
        "type": "mail",
        "system": "office",
        "mail_from": "Butikk på Åsen <shop@example.com>",
        "recipients_property": "email",
        "subject_template": "Hei {{ loud }} <{{ day }}>",
        "text_body_template": "{{ quiet }}\n{% for one in some %}{{ one|upper }} {% endfor %}\n{{ number }} {{ at }}\n",
        "body_template": "<p>{{ name }} &amp; {{ hash }}</p>",
    },
}
OFFICE: Final = {"_id": "office", "type": "system:smtp", "smtp_server": "mail.example.com"}
NOW: Final = "2026-03-29T01:30:00Z"
TESTS: Final[Mapping[str, Any]] = {
    "entities": {"pipe": "people", "now": NOW},
    "mails": {"pipe": "people", "now": NOW, "stage": "mail"},
    "messages": {"pipe": "people", "now": NOW, "endpoint": "eml", "file": "messages.eml"},
    "cases": {
        "pipe": "people",
        "cases": [
            {"name": f"a mail {number}", "stage": "mail", "expect": [{"_id": "p1", "subject": "Så"}]}
            for number in range(3)
        ],
    },
}
# How long something took is no result.
_time: Final = re.compile(rb'("seconds": |\btime=")[0-9.e-]+')


class Machine(NamedTuple):
    """How a process is run."""

    zone: str
    seed: str
    environ: Mapping[str, str]


# Zones by rule, so that no machine needs a file of them; the second has its summer begin in the hour of the tests.
HERE: Final = Machine("UTC0", "0", {"LC_ALL": "C.UTF-8"})
# Python takes C for UTF-8 unless it is kept from doing so: here it is ASCII.
THERE: Final = Machine(
    "CET-1CEST,M3.5.0,M10.5.0/3", "4711", {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
)


def project(folder: Path) -> Path:
    """One whose tests have expected files yet to be written."""
    (folder / "pipes").mkdir(parents=True)
    (folder / "expected").mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "pipes" / "a.conf.json").write_text(json.dumps([PIPE, OFFICE]))
    for name, content in TESTS.items():
        (folder / "expected" / f"{name}.test.json").write_text(json.dumps(content))
    return folder


def run(folder: Path, machine: Machine, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run a module of Python in a folder as on that machine."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(TOP), "TZ": machine.zone, "PYTHONHASHSEED": machine.seed}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**environ, **machine.environ},
        capture_output=True,
        check=False,
        timeout=300,
    )


def files(folder: Path) -> dict[str, bytes]:
    """All that is expected, by the names of the files."""
    return {path.name: path.read_bytes() for path in (folder / "expected").iterdir()}


def told(folder: Path, machine: Machine) -> tuple[dict[str, bytes], bytes]:
    """The files that are written on a machine, and the document of the run after that, without its times."""
    done = run(folder, machine, "mailweir", "test", "--update")
    assert (done.returncode, done.stderr) == (1, b"")
    report = run(folder, machine, "mailweir", "test", "--full", "--json")
    counts = json.loads(report.stdout)
    assert (counts["passed"], counts["failed"], counts["errors"]) == (3, 3, 0)
    assert "Åse Ødegård".upper() in counts["tests"][0]["message"]
    return files(folder), _time.sub(rb"\1", report.stdout)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], bytes]:
    """What comes on a plain machine."""
    found = told(project(tmp_path_factory.mktemp("here")), HERE)
    assert len(found[0]) == len(TESTS) + 3
    assert "İBRAHIM IĞDIR" in found[0]["mails.json"].decode()
    return found


def turkish(folder: Path) -> Machine:
    """A machine with a locale in which `i` and `I` are other letters, and text is no UTF-8."""
    compiler = shutil.which("localedef")
    if compiler is None:
        pytest.skip("localedef is not installed")
    name = "tr_TR.ISO-8859-9"
    command = [compiler, "-i", "tr_TR", "-f", "ISO-8859-9", str(folder / name)]
    made = subprocess.run(command, capture_output=True, check=False, timeout=300)
    if not (folder / name).is_dir():
        pytest.skip(f"no Turkish locale can be made: {made.stderr.decode(errors='replace')}")
    return Machine("<-11>11", "99", {"LC_ALL": name, "LOCPATH": str(folder), "PYTHONUTF8": "0"})


def test_another_machine_has_the_same_bytes(here: tuple[dict[str, bytes], bytes], tmp_path: Path) -> None:
    """In another time zone, in ASCII and with another order of hashes, files and the document are the same."""
    asked = run(tmp_path, THERE, "timeit", "-n1", "-r1", "import locale; assert 'UTF' in locale.getencoding()")
    assert asked.returncode == 1, "the locale is the same as here"
    assert told(project(tmp_path), THERE) == here


def test_a_machine_of_another_language_has_the_same_bytes(here: tuple[dict[str, bytes], bytes], tmp_path: Path) -> None:
    """With capitals and bytes of its own, files and the document are the same."""
    (tmp_path / "locales").mkdir()
    machine = turkish(tmp_path / "locales")
    asked = run(tmp_path, machine, "timeit", "-n1", "-r1", "import locale; assert locale.setlocale(locale.LC_ALL, '')")
    assert asked.returncode == 0, asked.stderr
    assert told(project(tmp_path / "project"), machine) == here


def test_several_processes_have_the_same_bytes(here: tuple[dict[str, bytes], bytes], tmp_path: Path) -> None:
    """Tests that four workers of pytest share write the same files, and tell the same of each."""
    folder = project(tmp_path)
    plain = ("pytest", "-q", "-p", "no:cacheprovider", "--mailweir-full")
    done = run(folder, THERE, *plain, "-n", "4", "--mailweir-update")
    assert b"3 failed, 3 passed" in done.stdout, done.stdout
    assert files(folder) == here[0]
    reports = []
    for machine, workers in ((HERE, ("-n", "4")), (THERE, ("-p", "no:xdist"))):
        done = run(folder, machine, *plain, *workers, "--junitxml=report.xml", "-o", "junit_suite_name=tests")
        assert b"3 failed, 3 passed" in done.stdout, done.stdout
        # Which worker comes first is no result either: each test is told by itself.
        text = (folder / "report.xml").read_bytes()
        reports.append(
            sorted(_time.sub(rb"\1", one) for one in text.partition(b"</testsuite>")[0].split(b"<testcase ")[1:])
        )
    assert reports[0] == reports[1]
