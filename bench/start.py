"""How long a person waits for the help page, with bare Python beside it."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.rounds import measure, process


def run() -> None:
    """Whole processes."""
    here = Path.cwd()
    mailweir = str(Path(sys.executable).with_name("mailweir"))
    measure(
        "Start",
        {
            "bare Python": process([sys.executable, "-I", "-c", "pass"], here),
            "mailweir --help": process([mailweir, "--help"], here),
            "mailweir check --help": process([mailweir, "check", "--help"], here),
            "mailweir --version": process([mailweir, "--version"], here),
        },
    )
