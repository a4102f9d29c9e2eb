"""What `mailweir check` does with files that mean it ill: whole processes, time and memory of each.

Promised are located errors for files of 10 MB within 2 s and 200 MB, on a machine that nothing else uses. Of what could
take time in the square of its number, twice as many shall take about twice as long.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SIZE = 10_000_000 - 16


def files() -> Iterator[tuple[str, bytes]]:
    """A name and the bytes of each file."""
    chance = random.Random(1)
    for sign in ("[", '"', "\\", ",", "'", "\n", "/*", '{"a":', "$ENV(", "\xa0"):
        yield f"all {sign!r}", (sign * (SIZE // len(sign.encode()))).encode()[:SIZE]
    yield "one string", b'"' + b"a" * (SIZE - 2) + b'"'
    yield "random bytes", chance.randbytes(SIZE)
    yield "random signs of JSON", bytes(chance.choices(b"{}[]\":,\\ \n'abc1$(", k=SIZE))
    system = b'{"_id": "a", "type": "system:smtp", '
    yield "800,000 names", b"{" + b",".join(b'"k%d":1' % number for number in range(800_000)) + b"}"
    yield "99,000 unknown properties", system + b",".join(b'"k%d":1' % number for number in range(99_000)) + b"}"
    yield "99,000 values of a wrong type", system + b'"comment": [' + b",".join([b"1"] * 99_000) + b"]}"
    yield "references in a string", system + b'"helo": "' + b"$ENV(" * 1_900_000 + b'"}'
    pipe = b'{"_id":"a%d","type":"pipe","source":{"type":"dataset","dataset":"b%d"}}'
    yield "16,000 pipes that read nothing", b"[" + b",".join(pipe % (n, n) for n in range(16_000)) + b"]"
    sink = b'"type":"mail","system":"x","mail_from":"' + b"a," * 1_000_000 + b'","recipients":"' + b"a," * 2_000_000
    sink += b'","body_template":"' + b"{% if a %}" * 200_000 + b'"'
    yield "addresses and blocks", b'{"_id":"a","type":"pipe","source":{"type":"empty"},"sink":{' + sink + b"}}"


def growing() -> Iterator[tuple[str, int, Callable[[int], str]]]:
    """What could be quadratic: a name, a number of them, and the file with so many."""
    system = '{"_id":"a","type":"system:smtp",'
    reads = '{"_id":"a%d","type":"pipe","source":{"type":"dataset","dataset":"a%d"}}'

    def references(count: int) -> str:
        return system + '"name":"' + "$ENV(a)" * count + '"}'

    def names(count: int) -> str:
        return system + '"name":"' + "".join(f"$ENV(a{number})" for number in range(count)) + '"}'

    def alternatives(count: int) -> str:
        chosen = ",".join(f'"a{number}":{{"verbose":true}}' for number in range(count))
        return system + '"$conditional_properties":{"condition":"$ENV(x)","alternatives":{' + chosen + "}}}"

    def circle(count: int) -> str:
        return "[" + ",".join(reads % (number, (number + 1) % count) for number in range(count)) + "]"

    def tags(count: int) -> str:
        sink = '"type":"mail","system":"x","mail_from":"a@example.com","recipients":"b@example.com"'
        body = f'"body_template":"{"{{ x }}" * count}"'
        return '{"_id":"a","type":"pipe","source":{"type":"empty"},"sink":{' + f"{sink},{body}" + "}}"

    def passwords(count: int) -> str:
        login = '{"_id":"a%d","type":"system:smtp","smtp_server":"a","smtp_username":"u","smtp_password":"hunter%d"}'
        return "[" + ",".join(login % (number, number) for number in range(count)) + "]"

    yield "the same reference in a string", 40_000, references
    yield "other references in a string", 40_000, names
    yield "alternatives of one component", 5_000, alternatives
    yield "pipes in a circle", 8_000, circle
    yield "tags in a template", 700_000, tags
    yield "passwords in the clear", 8_000, passwords


def run() -> None:
    """One run of each; the figures are the system's own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.conf.json")
        sys.stdout.write("Hostile files of 10 MB\n")
        for name, data in files():
            path.write_bytes(data)
            sys.stdout.write(f"  {name:32} {_checked(path)}\n")
        sys.stdout.write("Twice as many: processor time and how it grows\n")
        for name, count, text in growing():
            taken = []
            for number in (count, 2 * count):
                path.write_text(text(number), encoding="utf-8")
                taken.append(_checked(path))
            ratio = taken[1].cpu / taken[0].cpu
            sys.stdout.write(f"  {2 * count:9,} {name:32} {taken[1]}  {ratio:5.2f} x\n")


@dataclass(frozen=True, slots=True)
class Checked:
    """What one check of a file took and said."""

    wall: float
    cpu: float
    megabytes: float
    code: int
    located: bool

    def __str__(self) -> str:
        """One part of a line."""
        said = "located" if self.located else "NOT LOCATED"
        return f"{self.wall:6.2f} s wall {self.cpu:6.2f} s cpu {self.megabytes:6.0f} MB  exit {self.code} {said}"


def _checked(path: Path) -> Checked:
    mailweir = str(Path(sys.executable).with_name("mailweir"))
    start = time.perf_counter()
    process = subprocess.Popen([mailweir, "check"], cwd=path.parent, stderr=subprocess.PIPE)
    said = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    taken = time.perf_counter() - start
    located = b"a.conf.json:" in said and b"Traceback" not in said
    return Checked(taken, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, process.returncode, located)
