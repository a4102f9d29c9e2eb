"""How long `mailweir test` takes for 1,000 cases: of rules, and down to the rendered mail and the limit."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.rounds import measure, process

CASES = 1000
SYSTEM = {"_id": "office", "type": "system:smtp", "smtp_server": "mail.example.com", "max_per_hour": 1000}
PIPE: dict[str, Any] = {
    "_id": "welcome",
    "type": "pipe",
    "source": {"type": "embedded", "entities": []},
    "transform": {
        "type": "dtl",
        "rules": {
            "default": [
                ["copy", ["list", "_id", "email"]],
                ["add", "name", ["concat", "_S.first", " ", "_S.last"]],
                ["filter", ["neq", "_S.left", True]],
            ]
        },
    },
    "sink": {
        "type": "mail",
        "system": "office",
        "mail_from": "Example <hello@example.com>",
        "recipients_property": "email",
        "subject_template": "Welcome, {{ name }}",
        "text_body_template": "Hello {{ name }},\n\nnice to have you here.\n",
        "body_template": "<p>Hello {{ name }},</p>\n<p>nice to have you here.</p>\n",
    },
}


def project(folder: Path, stage: str) -> Path:
    """A project with so many cases that look at a stage."""
    for name in ("pipes", "expected"):
        (folder / name).mkdir(parents=True)
    (folder / "pipes" / "all.conf.json").write_text(json.dumps([SYSTEM, PIPE]), encoding="utf-8")
    cases = [
        {
            "name": f"case {number}",
            "given": [{"_id": f"c{number}", "first": "Kari", "last": "Moe", "email": "kari@example.com"}],
            "expect": [{"_id": f"c{number}"}],
        }
        for number in range(CASES)
    ]
    spec = {"pipe": "welcome", "stage": stage, "cases": cases}
    (folder / "expected" / "welcome.test.json").write_text(json.dumps(spec), encoding="utf-8")
    return folder


def run() -> None:
    """Whole processes, over real files."""
    mailweir = str(Path(sys.executable).with_name("mailweir"))
    with tempfile.TemporaryDirectory() as name:
        rules, mails = project(Path(name, "rules"), "sink"), project(Path(name, "mails"), "mail")
        measure(
            "Tests as data",
            {
                "bare Python": process([sys.executable, "-I", "-c", "pass"], rules),
                f"{CASES:,} cases of rules": process([mailweir, "test"], rules),
                f"{CASES:,} cases of mails": process([mailweir, "test"], mails),
            },
            rounds=3,
        )
