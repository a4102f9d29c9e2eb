"""`mailweir run --dry-run`: what a run would do, and nothing of it done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailweir.catcher import Catcher

Command = Callable[..., Any]
MAIL = {
    "type": "mail",
    "mail_from": "hello@example.com",
    "recipients_property": "email",
    "subject_template": "Hi {{ name }}",
    "body_template": "Hi",
}


def project(folder: Path, systems: list[dict[str, Any]], pipes: list[dict[str, Any]]) -> None:
    """A project of these parts."""
    servers = [{"type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": 9, **each} for each in systems]
    flows = [{"type": "pipe", **each, "sink": {**MAIL, **each["sink"]}} for each in pipes]
    (folder / "all.conf.json").write_text(json.dumps([*servers, *flows]))


def embedded(count: int, **more: object) -> dict[str, Any]:
    """A source of so many people."""
    people = [{"_id": f"c{at}", "email": f"c{at}@example.com", "name": f"N{at}", **more} for at in range(count)]
    return {"type": "embedded", "entities": people}


def test_it_says_what_the_next_run_does(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """What was sent before is not read again, or skipped; what was discarded would go; `--resend` sends all."""
    office = {"_id": "office", "smtp_port": catcher.port, "max_per_hour": 2}
    project(tmp_path, [office], [{"_id": "news", "source": embedded(3), "sink": {"system": "office"}}])
    assert "3 read   3 would be sent" in command(tmp_path, "run", "--dry-run").stdout
    assert "2 sent   1 discarded" in command(tmp_path, "run").stdout
    dry = command(tmp_path, "run", "--dry-run").stdout
    assert "nothing new since the last run" in dry
    assert "With max_per_hour 2 (2 used now) there is nothing to send." in dry
    dry = command(tmp_path, "run", "--dry-run", "--since", "0").stdout
    assert "3 read   2 would be skipped   1 would be sent" in dry
    assert "0 fit now, 1 would be discarded" in dry
    assert "3 would be sent" in command(tmp_path, "run", "--dry-run", "--since", "0", "--resend").stdout


def test_each_window_is_asked_about_its_own_mail(command: Command, tmp_path: Path) -> None:
    """Mail of another system takes no place; a queue lets wait; by recipient a mail may take several places."""
    systems = [
        {"_id": "office", "max_per_hour": 4},
        {"_id": "slow", "max_per_hour": 2, "on_limit": "queue"},
        {"_id": "heads", "max_per_hour": 3, "count_by": "recipient"},
    ]
    pipes = [
        {"_id": "a", "source": embedded(4), "sink": {"system": "office"}},
        {"_id": "b", "source": embedded(5), "sink": {"system": "slow"}},
        {"_id": "c", "source": embedded(2), "sink": {"system": "heads", "cc": "boss@example.com"}},
    ]
    project(tmp_path, systems, pipes)
    done = command(tmp_path, "run", "--dry-run")
    assert "office: with max_per_hour 4 (0 used now) all 4 fit." in done.stdout
    assert "slow: with max_per_hour 2 (0 used now) 2 fit now, 3 would wait." in done.stdout
    assert "heads: with max_per_hour 3 (0 used now) 1 fit now, 1 would be discarded." in done.stdout


def test_the_words_add_up_to_what_was_read(command: Command, tmp_path: Path) -> None:
    """Also where several entities become one mail, where one is deleted, and where one comes twice."""
    people = [
        {"_id": "1", "email": "a@example.com", "name": "A"},
        {"_id": "2", "email": "a@example.com", "name": "B"},
        {"_id": "3", "email": "a@example.com", "name": "C", "_deleted": True},
        {"_id": "4", "name": "D"},
    ]
    source = {"type": "embedded", "entities": people}
    gathering = {"system": "office", "digest": {"by": "email"}}
    pipes = [
        {"_id": "digest", "source": source, "sink": gathering},
        {"_id": "plain", "source": {**source, "entities": [*people, people[0]]}, "sink": {"system": "office"}},
    ]
    project(tmp_path, [{"_id": "office"}], pipes)
    document = json.loads(command(tmp_path, "run", "--dry-run", "--json").stdout)
    digest, plain = document["pipes"]
    assert (digest["read"], digest["would"]) == (4, {"skipped": 1, "sent": 2, "rejected": 1})
    assert (plain["read"], plain["would"]) == (5, {"sent": 2, "skipped": 2, "rejected": 1})
    assert document["window"][0]["fit"] == 3


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        (None, 4, "error[E115]: cannot read this file"),
        ('{"_id": 1}\n', 4, "error[E218]: the `_id` of this entity is a number"),
    ],
)
def test_a_source_that_cannot_go_on_is_told(
    command: Command, tmp_path: Path, lines: str | None, code: int, words: str
) -> None:
    """The place is shown as in a run, and the other pipes are looked at all the same."""
    if lines is not None:
        (tmp_path / "in.jsonl").write_text(lines)
    pipes = [
        {"_id": "a", "source": {"type": "json", "path": "in.jsonl"}, "sink": {"system": "office"}},
        {"_id": "b", "source": embedded(1), "sink": {"system": "office"}},
    ]
    project(tmp_path, [{"_id": "office"}], pipes)
    done = command(tmp_path, "run", "--dry-run")
    assert (done.returncode, words in done.stderr, "1 would be sent" in done.stdout) == (code, True, True)


def test_left_out_lines_are_warnings(command: Command, tmp_path: Path) -> None:
    """They are told as in a run."""
    (tmp_path / "in.jsonl").write_text('{"_id": 1}\n')
    source = {"type": "json", "path": "in.jsonl", "on_error": "skip"}
    project(tmp_path, [{"_id": "office"}], [{"_id": "a", "source": source, "sink": {"system": "office"}}])
    assert command(tmp_path, "run", "--dry-run").stderr.startswith("warning: in.jsonl:1:")


def test_what_cannot_be_read_or_written_is_told(command: Command, tmp_path: Path) -> None:
    """A state that is none ends with 3, a place that takes no file with 2, and programs get a document."""
    project(tmp_path, [{"_id": "office"}], [{"_id": "a", "source": embedded(1), "sink": {"system": "office"}}])
    (tmp_path / ".mailweir").mkdir(mode=0o700)
    (tmp_path / ".mailweir/dry-run").write_text("in the way")
    done = command(tmp_path, "run", "--dry-run")
    assert (done.returncode, "error: cannot write mails to" in done.stderr) == (2, True)
    (tmp_path / ".mailweir/state.db").write_text("no database")
    done = command(tmp_path, "run", "--dry-run", "--json")
    assert (done.returncode, "file is not a database" in done.stderr) == (3, True)
    assert json.loads(done.stdout)["exit_code"] == 3


def test_rendered_mail_is_for_its_owner_alone(command: Command, tmp_path: Path) -> None:
    """Every folder on the way to it is closed to others."""
    project(tmp_path, [{"_id": "office"}], [{"_id": "a", "source": embedded(1), "sink": {"system": "office"}}])
    command(tmp_path, "run", "--dry-run")
    for name in (".mailweir", ".mailweir/dry-run"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
