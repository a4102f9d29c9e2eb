"""How long `mailweir check` takes for a project of 200 files of 50 lines, and for 1,000 pipes in 10 files."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from bench.rounds import measure, process

FILES = 200
LINES = 50


def pipe(number: int) -> str:
    """A pipe of 50 lines that reads what the one before it writes."""
    rules = [["add", f"property_{index}", ["concat", "_S.a", str(index)]] for index in range(18)]
    source = {"type": "dataset", "dataset": f"pipe-{number - 1}"} if number else {"type": "embedded", "entities": []}
    lines = [
        "{",
        f'  "_id": "pipe-{number}",',
        '  "type": "pipe",',
        '  "description": "One of many.",',
        f'  "source": {json.dumps(source)},',
        '  "transform": {',
        '    "type": "dtl",',
        '    "rules": {',
        '      "default": [',
        *(f"        {json.dumps(rule)}," for rule in rules),
        '        ["copy", "*"]',
        "      ]",
        "    }",
        "  },",
        '  "pump": {',
        '    "schedule_interval": 900,',
        '    "mode": "scheduled"',
        "  },",
        '  "metadata": {',
    ]
    lines += [f'    "note-{index}": "free words",' for index in range(LINES - len(lines) - 3)]
    lines += ['    "last": true', "  }", "}"]
    return "\n".join(lines) + "\n"


def run() -> None:
    """Whole processes, over real files."""
    mailweir = str(Path(sys.executable).with_name("mailweir"))
    with tempfile.TemporaryDirectory() as name:
        many, few = Path(name, "many"), Path(name, "few")
        for folder in (many / "pipes", few / "pipes"):
            folder.mkdir(parents=True)
        for number in range(FILES):
            (many / "pipes" / f"pipe-{number}.conf.json").write_text(pipe(number), encoding="utf-8")
        for part in range(10):
            pipes = ",\n".join(pipe(number) for number in range(part * 100, part * 100 + 100))
            (few / "pipes" / f"part-{part}.conf.json").write_text(f"[{pipes}]", encoding="utf-8")
        lines = len(pipe(1).splitlines())
        measure(
            "Check",
            {
                "bare Python": process([sys.executable, "-I", "-c", "pass"], many),
                f"{FILES} files of {lines} lines": process([mailweir, "check"], many),
                "1,000 pipes in 10 files": process([mailweir, "check"], few),
            },
            rounds=5,
        )
