"""What a run of a pipe goes by, told from everything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailweir.serving.needs import needs_of
from pipeline.config.load import Options, load

SINK = {"type": "mail", "mail_from": "a@example.com", "recipients_property": "email", "subject_template": "s"}


def needs(folder: Path, changes: dict[str, dict[str, Any]]) -> dict[str, tuple[object, ...]]:
    """Of two pipes that mail, one through a queue, with these changes."""
    parts: list[dict[str, Any]] = [
        {"_id": "one", "type": "pipe", "sink": {**SINK, "system": "queue", "text_body_template": "t"}},
        {"_id": "two", "type": "pipe", "sink": {**SINK, "system": "shared", "text_body_template": "t"}},
        {"_id": "queue", "type": "system:spool", "system": "behind"},
        {"_id": "behind", "type": "system:smtp", "smtp_password": "p", "smtp_username": "u"},
        {"_id": "shared", "type": "system:smtp", "rate_group": "bulk"},
        {"_id": "beside", "type": "system:smtp", "rate_group": "bulk"},
    ]
    for part in parts[:2]:
        part["source"] = {"type": "embedded", "entities": [{"_id": "c", "email": "c@example.com"}]}
    parts = [part | changes.get(part["_id"], {}) for part in parts]
    (folder / "all.conf.json").write_text(json.dumps(parts))
    loaded = load(folder, Options(environ={}, here=folder, run_secrets=folder / "none"))
    assert loaded.project.errors == []
    return needs_of(loaded.project.components)


@pytest.mark.parametrize(
    ("changed", "change", "found"),
    [
        ("one", {"pump": {"schedule_interval": 7}}, {"one"}),
        ("behind", {"max_per_hour": 7}, {"one"}),
        ("behind", {"smtp_password": "other"}, {"one"}),
        ("shared", {"max_per_hour": 7}, {"two"}),
        ("beside", {"max_per_hour": 7}, {"two"}),
        ("beside", {"smtp_server": "mail.example.com"}, set()),
        ("beside", {}, set()),
    ],
)
def test_a_change_concerns_the_pipes_that_go_by_it(
    tmp_path: Path, changed: str, change: dict[str, Any], found: set[str]
) -> None:
    """Its own, those of its systems and of what stands behind them, and the limit that systems share."""
    before, after = needs(tmp_path, {}), needs(tmp_path, {changed: change})
    assert {name for name in before if before[name] != after[name]} == found
