"""What `mailweir check` does with files of 10 MB that mean it ill: whole processes, time and memory of each.

Promised are located errors within 2 s and 200 MB, on a machine that nothing else uses.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
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


def run() -> None:
    """One run of each; the figures are the system's own."""
    mailweir = str(Path(sys.executable).with_name("mailweir"))
    sys.stdout.write("Hostile files of 10 MB\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.conf.json")
        for name, data in files():
            path.write_bytes(data)
            start = time.perf_counter()
            process = subprocess.Popen([mailweir, "check"], cwd=folder, stderr=subprocess.PIPE)
            said = process.stderr.read() if process.stderr else b""
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            taken = time.perf_counter() - start
            located = "located" if b"a.conf.json:" in said and b"Traceback" not in said else "NOT LOCATED"
            cpu = usage.ru_utime + usage.ru_stime
            sys.stdout.write(
                f"  {name:32} {taken:6.2f} s wall {cpu:6.2f} s cpu {usage.ru_maxrss / 1000:6.0f} MB"
                f"  exit {process.returncode} {located}\n"
            )
