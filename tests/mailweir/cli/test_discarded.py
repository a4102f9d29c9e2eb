"""`mailweir discarded` as people call it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from typing import Any

import pytest


@pytest.fixture
def full(office: Any) -> Any:
    """A project whose limit discarded three mails, half an hour ago, and one a day ago."""
    office.until(86_400)
    office.admit(*(office.message(number, pipe="old", run="1111") for number in range(2)), limit=1)
    office.until(1800)
    office.admit(*(office.message(number, system="backup", pipe="digest") for number in range(5)), limit=2)
    return office


def test_nothing_was_discarded_where_nothing_was_sent(office: Any) -> None:
    """And looking makes no state."""
    for words in ([], ["list"], ["export"]):
        done = office("discarded", *words)
        assert (done.code, done.out) == (0, "")
    assert office("discarded").err == "no mail was ever sent from here\n"
    assert office.document("discarded") == {
        "schema_version": 1,
        "command": "discarded",
        "ok": True,
        "exit_code": 0,
        "verb": "list",
        "messages": [],
        "total": 0,
    }
    assert not (office.folder / ".mailweir").exists()


@pytest.mark.parametrize("words", [[], ["list"]])
def test_what_was_discarded_is_listed(full: Any, words: list[str]) -> None:
    """The newest first, alone and as `list`; addresses short unless they are wanted."""
    done = full("discarded", *words)
    assert (done.code, done.err) == (0, "4 messages discarded\n")
    head, *rows = done.out.splitlines()
    assert head.split() == ["TIME", "PIPE", "ENTITY", "TO", "SYSTEM", "WINDOW"]
    assert [row.split()[-5:] for row in rows] == [
        *(["digest", f"c-{number}", "c…@example.com", "backup", "2/2"] for number in (4, 3, 2)),
        ["old", "c-1", "c…@example.com", "office", "1/1"],
    ]
    assert "customer-4@example.com" in full("discarded", *words, "--full").out


@pytest.mark.parametrize(
    ("words", "entities"),
    [
        (["--last", "1h"], ["c-4", "c-3", "c-2"]),
        (["--last", "1min"], []),
        (["--run", "1111"], ["c-1"]),
        (["--pipe", "old"], ["c-1"]),
        (["--system", "backup", "--limit", "2"], ["c-4", "c-3"]),
        (["--entity", "c-3"], ["c-3"]),
        (["--limit", "0"], ["c-4", "c-3", "c-2", "c-1"]),
    ],
)
def test_a_list_can_be_narrowed(full: Any, words: list[str], entities: list[str]) -> None:
    """By time, run, pipe, system and entity."""
    assert [one["entity"] for one in full.document("discarded", *words)["messages"]] == entities
    assert len(full("discarded", "list", *words).out.splitlines()) == (len(entities) + 1 if entities else 0)


def test_a_list_that_is_cut_says_so(full: Any) -> None:
    """And how much more there is."""
    assert full("discarded", "--limit", "1").err == "… 3 more: --limit 0 shows all\n4 messages discarded\n"
    assert full.document("discarded", "--limit", "1")["total"] == 4


def test_a_spreadsheet(full: Any) -> None:
    """A line each, with a head."""
    done = full("discarded", "--last", "1h", "--csv", "--full")
    assert (done.code, done.err) == (0, "")
    rows = list(csv.DictReader(done.out.splitlines()))
    assert [(row["entity"], row["to"], row["used"], row["limit"], row["run"]) for row in rows] == [
        (f"c-{number}", f"customer-{number}@example.com", "2", "2", "7f3a") for number in (4, 3, 2)
    ]
    assert full("discarded", "--csv", "--json").code == 2


def test_a_spreadsheet_has_all_rows(office: Any) -> None:
    """Who keeps it in a file sees no end of it; a list for people ends after 100, and says so."""
    office.admit(*(office.message(number) for number in range(121)), limit=1, most=200)
    assert len(office("discarded", "--csv").out.splitlines()) == 1 + 120
    assert len(office("discarded", "list", "--csv", "--limit", "7").out.splitlines()) == 1 + 7
    shown = office("discarded")
    assert len(shown.out.splitlines()) == 1 + 100
    assert "20 more" in shown.err


def test_facts_for_programs(full: Any) -> None:
    """The outcome word, and how full the window was."""
    (one,) = full.document("discarded", "--entity", "c-4")["messages"]
    assert (one["outcome"], one["system"], one["window"]) == (
        "discarded",
        "backup",
        {"used": 2, "limit": 2, "next_free_at": None},
    )
    assert one["recipients"][0]["address"] == "c…@example.com"


def test_the_entities_are_written(full: Any) -> None:
    """A line of JSON each, the oldest first, ready for a source."""
    done = full("discarded", "export")
    assert (done.code, done.err) == (0, "4 entities written\n")
    assert [json.loads(line)["_id"] for line in done.out.splitlines()] == ["c-1", "c-2", "c-3", "c-4"]
    assert full("discarded", "export", "--pipe", "old").err == "1 entity written\n"
    assert full("discarded", "export", "--last", "1min") == (0, "", "0 entities written\n")


def test_options_go_behind_the_word(full: Any) -> None:
    """What would be ignored is refused."""
    done = full("discarded", "--pipe", "old", "export")
    assert (done.code, done.out, done.err) == (2, "", "error: write the options after `export`\n")


def test_a_span_that_is_none(full: Any) -> None:
    """Says how one is written."""
    assert full("discarded", "--last", "soon").err == "error: --last 'soon': write 30d, 12h, 5min or 90s\n"


def test_as_a_command(full: Any) -> None:
    """From the shell, in another folder."""
    done = subprocess.run(
        [sys.executable, "-m", "mailweir", "-C", str(full.folder), "discarded", "export", "--pipe", "old"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["_id"] == "c-1"
