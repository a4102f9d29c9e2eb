from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailweir.testing.came import Verdict
from mailweir.testing.suite import Suite
from pipeline.config.load import Options

MAIL: dict[str, Any] = {
    "type": "mail",
    "system": "office",
    "mail_from": "Shop <shop@example.com>",
    "recipients_property": "email",
    "subject_template": "Welcome, {{ name }}",
    "text_body_template": "Hello {{ name }},\n\nyou are {{ kind }}.\n",
}
WELCOME: dict[str, Any] = {
    "_id": "welcome",
    "type": "pipe",
    "source": {"type": "dataset", "dataset": "people"},
    "transform": {
        "type": "dtl",
        "rules": {
            "default": [
                ["filter", ["neq", "_S.left", True]],
                ["copy", ["list", "_id", "email", "name"]],
                [
                    "add",
                    "kind",
                    [
                        "coalesce",
                        [
                            "list",
                            [
                                "first",
                                [
                                    "hops",
                                    {
                                        "datasets": ["kinds k"],
                                        "where": ["eq", "_S.kind", "k._id"],
                                        "return": "k.name",
                                    },
                                ],
                            ],
                            "new",
                        ],
                    ],
                ],
                ["add", "at", ["string", ["now"]]],
            ]
        },
    },
    "sink": MAIL,
}
OFFICE = {"_id": "office", "type": "system:smtp", "smtp_server": "mail.example.com", "max_per_hour": 100}


class Project:
    """A project whose tests are run here."""

    def __init__(self, root: Path) -> None:
        """With a pipe that mails, and another one before it."""
        self.root = root
        self.pipe = dict(WELCOME)
        people = [{"_id": "p1", "email": "ann@example.com", "name": "Ann", "kind": "k1"}]
        source = {"type": "embedded", "entities": people}
        self.people = {"_id": "people", "type": "pipe", "source": source}
        self.write("pipes/a.conf.json", [WELCOME, self.people])
        self.write("systems/a.conf.json", OFFICE)

    def write(self, name: str, content: Any) -> Path:
        """A file of it."""
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def verdicts(self, *, full: bool = False, **options: Any) -> dict[str, Verdict]:
        """Those on all tests, by their names."""
        suite = Suite(Options(here=self.root, **options), full)

        async def every() -> dict[str, Verdict]:
            found = list(suite.collect([self.root]))
            assert [one.code for each in found for one in each.faults] == []
            return {test.name: await suite.run(each, test) for each in found for test in each.file.planned.tests}

        try:
            return asyncio.run(every())
        finally:
            suite.close()

    def case(self, expect: Any, /, pipe: str = "welcome", **case: Any) -> Verdict:
        """That on one case."""
        self.write("expected/one.test.json", {"pipe": pipe, "cases": [{"name": "one", "expect": expect, **case}]})
        return self.verdicts()["one"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without tests."""
    return Project(tmp_path)


Case = Callable[..., Verdict]
