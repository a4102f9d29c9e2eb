"""`mailweir outbox` as people call it: looking."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from pipeline.state.facts import Ask, Batch, MessageState

LIST = "mailweir outbox list"


@pytest.fixture
def used(office: Any) -> Any:
    """A project with a message of each state."""
    office.admit(office.message(1, "gone@example.com"), office.message(2), limit=1000)
    office.until(1800)
    office.admit(*(office.message(number, system="backup", pipe="digest") for number in (3, 4)), limit=1)
    office.until(200)
    office.admit(
        office.message(5, "later@example.com"),
        office.message(6, "silent@example.com"),
        office.message(7, "ann@example.com", "gone@example.com"),
        limit=1000,
    )
    office.admit(office.message(8, "a@example.com", "b@example.com", run="9999"))
    office.admit(office.message(9, state=MessageState.REJECTED, detail="`email` is empty"))
    office.admit(office.message(10, state=MessageState.HELD, detail="not among those that may get mail"))
    return office


@pytest.mark.parametrize("words", [[], ["list"]])
def test_nothing_is_in_the_outbox_where_nothing_was_sent(office: Any, words: list[str]) -> None:
    """And looking makes no state."""
    assert office("outbox", *words) == (0, "", "no mail was ever sent from here\n")
    found = office.document("outbox", "list")
    assert (found["messages"], found["total"], {*found["counts"].values()}) == ([], 0, {0})
    assert not (office.folder / ".mailweir").exists()


@pytest.mark.parametrize("words", [[], ["list"]])
def test_what_waits_and_what_needs_a_person_is_listed(used: Any, words: list[str]) -> None:
    """The newest first, with what was said last and what comes next; and how many there are of each."""
    done = used("outbox", *words)
    assert done.code == 0
    assert done.err == "1 queued, 1 retrying, 1 in_doubt, 1 held, 1 dead, 1 rejected, 1 discarded\n"
    head, *rows = done.out.splitlines()
    assert head.split("  ")[0] == "ID"
    for row, parts in zip(
        rows,
        (
            ("held", "c-10", "not among those that may get mail"),
            ("rejected", "c-9", "`email` is empty"),
            ("queued", "c-8", "2 recipients", "due"),
            ("in_doubt", "c-6", "s…@example.com", "due", "timed out"),
            ("retrying", "c-5", "l…@example.com", "in ", "450 4.2.0 come back"),
            ("dead", "c-1", "g…@example.com", "2 d", "550 5.1.1 no such user"),
        ),
        strict=True,
    ):
        assert all(part in row for part in parts), (row, parts)
    assert "later@example.com" in used("outbox", "list", "--full").out


@pytest.mark.parametrize(
    ("words", "entities"),
    [
        (["--state", "dead"], ["c-1"]),
        (["--state", "dead", "--state", "queued"], ["c-8", "c-1"]),
        (["--state", "sent"], ["c-7", "c-3", "c-2"]),
        (["--state", "discarded"], ["c-4"]),
        (["--run", "9999"], ["c-8"]),
        (["--system", "backup"], []),
        (["--state", "sent", "--pipe", "digest"], ["c-3"]),
        (["--entity", "c-5"], ["c-5"]),
        (["--to", "LATER@example.com"], ["c-5"]),
        (["--limit", "2"], ["c-10", "c-9"]),
        (["--limit", "0"], ["c-10", "c-9", "c-8", "c-6", "c-5", "c-1"]),
    ],
)
def test_a_list_can_be_narrowed(used: Any, words: list[str], entities: list[str]) -> None:
    """By state, pipe, system, run, entity and recipient."""
    assert [one["entity"] for one in used.document("outbox", "list", *words)["messages"]] == entities


def test_a_list_that_is_cut_says_so(used: Any) -> None:
    """And how much more there is."""
    assert used("outbox", "list", "--limit", "1").err.startswith("… 5 more: --limit 0 shows all\n")
    assert used.document("outbox", "list", "--limit", "1")["total"] == 6


def test_a_message_that_some_have_shows_how_many(used: Any) -> None:
    """`sent (1 of 2)`, and who does not have it."""
    row = used("outbox", "list", "--state", "sent", "--entity", "c-7").out.splitlines()[1]
    assert "sent (1 of 2)" in row
    assert "g…@example.com of 2" in row
    assert "550 5.1.1 no such user" in row


def test_when_nothing_waits(office: Any) -> None:
    """Then all is well."""
    office.admit(office.message(1), limit=10)
    assert office("outbox") == (0, "", "nothing waits, and nothing needs a person\n")


def test_a_message_is_shown(used: Any) -> None:
    """Who got it and what was said of each, what happened when, its header."""
    (id_,) = used.ids("--state", "retrying")
    done = used("outbox", "show", id_[:10])
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith(f"{id_}  retrying, next try in ")
    assert lines[1] == "pipe welcome, entity c-5, system office, run 7f3a"
    assert lines[2] == "from h…@example.com, 36 bytes, admitted 3 min ago"
    assert lines[5] == "l…@example.com  retrying  1      450 4.2.0 come back"
    assert [line.partition("Z  ")[2] for line in lines[7:9]] == [
        "admitted",
        "retrying after 1 try: 450 4.2.0 come back",
    ]
    assert lines[9:] == ["", "Subject: Hello 5"]
    whole = used("outbox", "show", id_, "--body", "--full").out
    assert whole.endswith("\nSubject: Hello 5\n\nFrom us to you\n")
    assert "later@example.com" in whole


def test_a_message_is_shown_for_programs(used: Any) -> None:
    """Each recipient with its answer, addresses short unless they are wanted."""
    (id_,) = used.ids("--state", "sent", "--entity", "c-7")
    found = used.document("outbox", "show", id_, "--full")["message"]
    assert [(one["address"], one["state"], one["answer"]["code"]) for one in found["recipients"]] == [
        ("ann@example.com", "sent", 250),
        ("gone@example.com", "dead", 550),
    ]
    assert (found["whole"], found["holder"], found["text"]) == (True, None, "Subject: Hello 7")
    assert [one["what"] for one in found["history"]] == [
        "admitted",
        "sent (1 of 2) after 1 try: 550 5.1.1 no such user",
    ]
    assert "gone@" not in used("outbox", "show", id_, "--json").out


def test_nothing_in_a_message_moves_the_cursor(office: Any) -> None:
    """Whatever strangers wrote into it."""
    office.admit(
        office.message(1, content=b"Subject: a\x1b[2Jb\r\n\r\n\xff\x9b\r\n", subject="a\x1b[2J", entity_id="\x1b")
    )
    (id_,) = office.ids()
    for words in (["list"], ["show", id_, "--body"], ["show", id_, "--json"]):
        assert "\x1b" not in office("outbox", *words).out


def test_a_secret_that_a_server_repeats_is_masked(office: Any) -> None:
    """In a list and on a page, for people and for programs."""
    (office.folder / "systems" / "b.conf.json").write_text(
        '{"_id": "s", "type": "system:smtp", "smtp_server": "a", "smtp_username": "u", "smtp_password": "$SECRET(pw)"}'
    )
    (office.folder / ".secrets.env").write_text("pw=Quercus-robur-71\n")
    (office.folder / ".secrets.env").chmod(0o600)
    office.admit(office.message(1, state=MessageState.REJECTED, detail="no: Quercus-robur-71"))
    for words in (["list"], ["list", "--json"], ["show", office.ids()[0]], ["show", office.ids()[0], "--json"]):
        done = office("outbox", *words)
        assert "no: ********" in done.out
        assert "Quercus" not in done.out + done.err


def test_what_was_never_composed_has_no_content(used: Any) -> None:
    """It says so, and shows the subject that there is."""
    (id_,) = used.ids("--state", "rejected")
    assert used("outbox", "show", id_).out.endswith("\n\nSubject: Hello 9\n(its content is not kept)\n")


def test_what_was_sent_before_is_part_of_the_history(office: Any) -> None:
    """A message that was sent once more shows the one before; its id has a number."""
    first = office.message(1)
    office.admit(first, limit=10)
    office.until(60)
    office.admit(office.message(1, generation=1))
    (id_,) = office.ids()
    assert id_ == f"{first.key}.1"
    assert f"{first.key[:8]}.1" in office("outbox").out
    shown = office("outbox", "show", f"{first.key[:6]}.1").out
    assert f"Z  {first.key[:8]} before: sent after 1 try: 250 2.0.0 ok\n" in shown
    # The beginning of both: whoever writes all digits means the first.
    assert office.document("outbox", "show", first.key)["message"]["state"] == "sent"
    both = office("outbox", "show", first.key[:6])
    assert (both.code, both.err) == (
        2,
        f"error: 2 messages begin with '{first.key[:6]}': {first.key[:12]}, {first.key[:12]}.1. Write more of the id\n",
    )


def test_an_id_that_is_none(used: Any) -> None:
    """Nothing begins so: the newest dead one is often what is meant."""
    (dead,) = used.ids("--state", "dead")
    for begin in ("0" * 20, "xyz", "01JX", "-"):
        done = used("outbox", "show", "--", begin)
        assert (done.code, done.err) == (
            2,
            f"error: no message begins with '{begin}'. The newest dead one is {dead[:8]}  ({LIST} --state dead)\n",
        )


def test_ids_of_an_empty_outbox(office: Any) -> None:
    """There is no such message, and why."""
    for words in (["show"], ["retry"], ["delete", "--yes"], ["export"], ["unlock"]):
        done = office("outbox", *words, "1a2b")
        assert (done.code, done.err) == (
            2,
            "error: no message begins with '1a2b': no mail was ever sent from here\n",
        )
    office.admit(office.message(1), limit=10)
    assert office("outbox", "show", "x").err == "error: no message begins with 'x'  (mailweir outbox list)\n"


def test_what_a_sender_has_is_shown_with_the_sender(office: Any) -> None:
    """And looking waits for nobody, though the sender is in the middle of its work."""
    looked: list[Any] = []

    async def sending(state: Any) -> None:
        await state.admit(Batch((office.message(1),)), Ask("office", "office", 10))
        # Another thread: the command has an event loop of its own.
        looking = threading.Thread(
            target=lambda: looked.extend([office("outbox"), office("outbox", "show", office.ids()[0])])
        )
        looking.start()
        looking.join()

    office.inside(sending)
    listed, shown = looked
    assert "queued" in listed.out
    assert "being sent" in listed.out
    assert ", being sent by " in shown.out.splitlines()[0]
    assert "taken by a sender" in shown.out


def test_as_a_command(used: Any) -> None:
    """From the shell, in another folder, into a pipe that is closed early."""
    done = subprocess.run(
        f"{sys.executable} -m mailweir -C '{used.folder}' outbox list --state dead | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("ID ")
