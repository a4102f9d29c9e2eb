"""`mailweir limits` as people call it."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import Any

import pytest


def test_a_system_that_never_sent_shows_nothing_used(office: Any) -> None:
    """All of them, those of one group together; and looking makes no state."""
    done = office("limits")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"office      0 of 1000 in the last hour  {'░' * 20}  1000 free now",
        f"backup      0 of 2 in the last hour     {'░' * 20}  2 free now",
        f"group bulk  0 of 40 in the last hour    {'░' * 20}  40 free now",
        "            shared by news, ads",
    ]
    assert not (office.folder / ".mailweir").exists()


def test_a_full_window_says_when_a_place_frees(office: Any) -> None:
    """And how many were discarded, the first when."""
    office.until(1800)
    office.admit(*(office.message(number, system="backup") for number in range(5)), limit=2)
    done = office("limits", "backup")
    assert done.code == 0
    use, discarded = done.out.splitlines()
    assert re.fullmatch(
        r"backup  2 of 2 in the last hour  █{20}  next free (\d{4}-\d\d-\d\d )?[\d:]{8} \(in (29|30) min.*\)", use
    )
    assert re.fullmatch(
        r" {8}3 discarded in the last hour, the first at (\d{4}-\d\d-\d\d )?[\d:]{8}: mailweir discarded", discarded
    )


def test_what_is_older_than_an_hour_does_not_count(office: Any) -> None:
    """Neither mail nor what was discarded."""
    office.until(3700)
    office.admit(*(office.message(number, system="backup") for number in range(5)), limit=2)
    (entry,) = office.document("limits", "backup")["window"]
    assert (entry["used"], entry["free"], entry["discarded"], entry["first_discarded_at"]) == (0, 2, 0, None)


def test_a_group_shares_one_window(office: Any) -> None:
    """The smallest limit of its systems; programs get an entry for each of them."""
    office.until(60)
    office.admit(*(office.message(number, system="news") for number in range(30)), limit=40, gate="bulk")
    assert office("limits", "ads").out.splitlines()[0].split()[:5] == ["group", "bulk", "30", "of", "40"]
    entries = office.document("limits")["window"]
    told = [(one["system"], one["rate_group"], one["used"], one["limit"], one["free"]) for one in entries]
    assert told == [
        ("office", None, 0, 1000, 1000),
        ("backup", None, 0, 2, 2),
        ("news", "bulk", 30, 40, 10),
        ("ads", "bulk", 30, 40, 10),
    ]


def test_a_queue_counts_what_it_lets_out_by_itself(office: Any) -> None:
    """Nobody takes the zero of the system behind for what the provider saw."""
    (office.folder / "systems" / "b.conf.json").write_text('{"_id": "q", "type": "system:spool", "system": "office"}')
    note = "note: what leaves the queue 'q' through 'office' is counted by that queue, not here\n"
    assert office("limits", "office").err == note
    assert office("limits", "backup").err == ""
    assert [one["behind"] for one in office.document("limits", "office", "backup")["window"]] == ["q", None]


def test_a_window_cannot_be_reset(office: Any) -> None:
    """It says why, with and without the name of a system."""
    for words in (["reset"], ["reset", "office"]):
        done = office("limits", *words)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("error: a window cannot be reset: it is what the provider saw")
        assert "\n  help: wait for the time" in done.err


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ("bakup", "error: no system 'bakup'. Did you mean 'backup'?\n"),
        ("zzz", "error: no system 'zzz'\n"),
    ],
)
def test_a_system_that_is_not_there(office: Any, system: str, said: str) -> None:
    """With the one that was meant."""
    assert office("limits", system) == (2, "", said)


def test_a_system_with_errors_is_told(office: Any) -> None:
    """Its limit is not known, and that of its group neither."""
    (office.folder / "systems" / "b.conf.json").write_text(
        '{"_id": "bad", "type": "system:smtp", "smtp_server": "a", "max_per_hour": -1, "rate_group": "bulk"}'
    )
    assert office("limits") == (3, "", "error: the configuration of 'bad' has errors. See: mailweir check\n")


def test_a_project_without_mail_systems(office: Any) -> None:
    """Says so."""
    (office.folder / "systems" / "a.conf.json").write_text(
        '{"_id": "a", "type": "pipe", "source": {"type": "empty"}, "sink": {"type": "null"}}'
    )
    assert office("limits") == (0, "", "no system of this project sends mail\n")
    assert office.document("limits")["window"] == []


@pytest.mark.parametrize("verb", [["limits"], ["outbox"], ["discarded"], ["outbox", "unlock"]])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("PRAGMA user_version = 99", "was written by a later version of Mailweir"),
        ("PRAGMA application_id = 7", "is a database of another program"),
        ("", "file is not a database"),
    ],
)
def test_a_state_that_cannot_be_used_is_told(office: Any, verb: list[str], spoil: str, said: str) -> None:
    """What is wrong, what to do, and nothing of it is changed."""
    office.admit(office.message(1))
    path = office.folder / ".mailweir" / "state.db"
    if spoil:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(spoil)
    else:
        path.write_bytes(b"no database" * 1000)
    before = path.read_bytes()
    done = office(*verb)
    assert (done.code, done.out) == (3, "")
    assert said in done.err
    assert "\n  help: " in done.err
    assert path.read_bytes() == before


def test_without_unicode_the_bar_has_other_signs(office: Any) -> None:
    """A terminal of another encoding is shown no question marks."""
    office.until(60)
    office.admit(office.message(1, system="backup"), limit=2)
    done = subprocess.run(
        [sys.executable, "-m", "mailweir", "limits", "backup"],
        cwd=office.folder,
        env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"backup  1 of 2 in the last hour  ##########----------  1 free now\n"
