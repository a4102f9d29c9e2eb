"""`mailweir outbox` as people call it: trying again, removing, taking out, unlocking."""

from __future__ import annotations

import json
import mailbox
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline.state.facts import MessageState

HELD_BACK = "it was held back, and only its entity was kept. Run its pipe again, without what held it"
# A sender that claims a message, hands it over if it is told to, and then waits to be killed.
SENDER = """
import asyncio, sys, time
from pathlib import Path
from pipeline.clock import MachineClock
from pipeline.state.facts import Ask
from pipeline.state.sqlite.store import SqliteState
from sinks.mail import outbound

async def main():
    async with SqliteState.open(Path(".mailweir"), MachineClock(), outbound.stranded) as state:
        claims = (await state.claim(Ask("office", "office", 1000))).messages
        if "hand" in sys.argv:
            state.handing_over(claims)
        print(len(claims), flush=True)
        time.sleep(600)

asyncio.run(main())
"""


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A sender that has claims, in the middle of its work."""
    process = subprocess.Popen([sys.executable, "-c", SENDER, *words], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    return process


def killed(process: subprocess.Popen[str]) -> None:
    """As the machine does it when memory runs out."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.fixture
def dead(office: Any) -> Any:
    """A project with a message that was refused two days ago."""
    office.admit(office.message(1, "gone@example.com"), limit=1000)
    office.until(200)
    return office


def test_what_was_refused_is_tried_again_if_somebody_says_so(dead: Any) -> None:
    """A question first; without anyone to ask, `--yes`."""
    (id_,) = dead.ids("--state", "dead")
    done = dead("outbox", "retry", id_[:8])
    assert (done.code, done.err) == (2, "error: 1 recipient refused for good, or tried often enough; add --yes\n")
    assert dead.ids("--state", "dead") == [id_]
    assert dead("outbox", "retry", id_[:8], "--yes") == (0, "", "1 message will be tried again at the next run\n")
    (one,) = dead.document("outbox", "list")["messages"]
    assert (one["id"], one["outcome"], one["tries"]) == (id_, "queued", 0)


def test_what_may_have_arrived_is_asked_for_too(office: Any) -> None:
    """Somebody could get it twice."""
    office.admit(office.message(1, "silent@example.com"), limit=10)
    done = office("outbox", "retry", "--state", "in_doubt")
    assert done.err == "error: 1 recipient who may have the mail already, and could get it twice; add --yes\n"
    found = office.document("outbox", "retry", "--state", "in_doubt", "--yes")
    assert (found["done"], found["left"]) == (1, 0)


def test_what_waits_is_tried_at_once_without_a_question(office: Any) -> None:
    """Nothing was refused, and nobody may have it."""
    office.admit(office.message(1, "later@example.com"), limit=10)
    assert office("outbox", "retry", "--state", "retrying", "--pipe", "welcome").code == 0
    (one,) = office.document("outbox", "list")["messages"]
    assert one["outcome"] == "queued"


def test_whose_time_is_over_is_asked_for(office: Any) -> None:
    """It would come late."""
    office.admit(office.message(1, "later@example.com", expires=office.clock.boot() + 100))
    office.send(10)
    assert office("outbox", "list", "--state", "dead").out.endswith("expired: 450 4.2.0 come back\n")
    assert "1 message whose time is over; add --yes" in office("outbox", "retry", "--state", "dead").err


def test_what_cannot_be_tried_again_says_why(office: Any) -> None:
    """And the others are."""
    office.admit(office.message(1), office.message(2), limit=1)
    office.admit(office.message(3, state=MessageState.REJECTED, detail="no"))
    office.admit(office.message(4, state=MessageState.HELD, detail="no"))
    office.admit(office.message(5), office.message(6))
    with closing(sqlite3.connect(office.folder / ".mailweir" / "state.db")) as connection, connection:
        connection.execute("UPDATE body SET content = x'00' WHERE message = 6")
    states = ("sent", "discarded", "rejected", "held", "queued")
    ids = {
        one["entity"]: one["id"]
        for one in office.document("outbox", "list", *(word for state in states for word in ("--state", state)))[
            "messages"
        ]
    }
    done = office("outbox", "retry", *ids.values())
    assert done.code == 2
    assert sorted(done.err.splitlines()) == sorted(
        [
            f"error: {ids['c-1'][:8]}: everybody has it",
            f"error: {ids['c-2'][:8]}: only its entity was kept: mailweir discarded send",
            f"error: {ids['c-3'][:8]}: it was never composed. Mend what is wrong and run its pipe again",
            f"error: {ids['c-4'][:8]}: {HELD_BACK}",
            f"error: {ids['c-6'][:8]}: its content is not as it was stored",
            "1 message will be tried again at the next run",
        ]
    )


@pytest.mark.parametrize("verb", ["retry", "delete", "export"])
def test_messages_have_to_be_named(dead: Any, verb: str) -> None:
    """By id or by state, and not by both."""
    asked = "error: name messages by their ids, or choose them with `--state`\n"
    assert dead("outbox", verb).err == asked
    assert dead("outbox", verb, "1a", "--state", "dead").err == asked
    assert dead("outbox", verb, "1a", "--pipe", "x").err.startswith("error: `--older`, `--pipe`, `--system`")


def test_nothing_is_deleted_without_a_yes(dead: Any) -> None:
    """It says how much that would be, and how to keep a copy."""
    done = dead("outbox", "delete", "--state", "dead", "--older", "1d")
    assert (done.code, done.err.splitlines()) == (
        2,
        [
            "error: 1 message would be deleted; add --yes",
            "  help: export first: mailweir outbox export --state dead > deleted.mbox",
        ],
    )
    assert len(dead.ids()) == 1
    assert dead("outbox", "delete", "--state", "dead", "--older", "3d", "--yes").err == "0 messages deleted\n"
    assert dead("outbox", "delete", "--state", "dead", "--older", "1d", "--yes") == (0, "", "1 message deleted\n")
    assert dead.ids() == []
    assert dead("outbox", "delete", "--state", "dead", "--older", "old").code == 2


def test_who_deletes_what_waits_is_told(office: Any) -> None:
    """It would not be sent any more."""
    office.admit(office.message(1), office.message(2))
    done = office("outbox", "delete", *office.ids())
    assert done.err.startswith("error: 2 messages would be deleted, 2 of them still to be sent; add --yes\n")


@pytest.mark.parametrize(("typed", "code", "left"), [(b"y\n", 0, 0), (b"\n", 2, 1), (b"n\n", 2, 1)])
def test_a_person_is_asked(dead: Any, typed: bytes, code: int, left: int) -> None:
    """On a terminal, and no is what an empty line means; `CI=0` says that somebody is there."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "CI": "0"}
    with subprocess.Popen(
        [sys.executable, "-m", "mailweir", "outbox", "delete", "--state", "dead"],
        cwd=dead.folder,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environ,
    ) as asking:
        os.close(theirs)
        os.write(ours, typed)
        _, err = asking.communicate()
    os.close(ours)
    assert "1 message would be deleted. Delete? [y/N]: " in err
    assert (asking.returncode, len(dead.ids())) == (code, left)


def test_nobody_is_asked_who_does_not_want_to_be(dead: Any) -> None:
    """`--no-input`, on a terminal too."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "mailweir", "outbox", "delete", "--state", "dead", "--no-input"],
        cwd=dead.folder,
        stdin=theirs,
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(ours)
    os.close(theirs)
    assert (done.returncode, "add --yes" in done.stderr) == (2, True)


def test_mail_is_written_as_one_file(office: Any) -> None:
    """The oldest first; another reader finds each message with its lines."""
    office.admit(office.message(1), office.message(2))
    done = office("outbox", "export", "--state", "queued")
    assert (done.code, done.err) == (0, "2 messages written\n")
    path = office.folder / "a.mbox"
    path.write_text(done.out)
    read = mailbox.mbox(path)
    assert [each["Subject"] for each in read] == ["Hello 1", "Hello 2"]
    assert [each.get_payload() for each in read] == [">From us to you\n", ">From us to you\n"]
    read.close()


def test_one_message_is_written_byte_for_byte(office: Any) -> None:
    """As it goes out, whatever its bytes are; several need a folder."""
    content = b"Subject: a\r\n\r\n\xff\x00From \r\n.\r\n"
    office.admit(office.message(1, content=content), office.message(2))
    done = subprocess.run(
        [sys.executable, "-m", "mailweir", "outbox", "export", office.ids("--entity", "c-1")[0], "--format", "eml"],
        cwd=office.folder,
        capture_output=True,
        check=True,
    )
    assert done.stdout == content
    done = office("outbox", "export", "--state", "queued", "--format", "eml")
    assert done.err == "error: 2 messages in one eml file\n  help: --out DIR writes one for each\n"
    assert office("outbox", "export", "--state", "queued", "--json").code == 2


def test_mail_is_written_to_a_folder(office: Any) -> None:
    """A file each with its envelope, for its owner alone; nothing is written over."""
    office.admit(office.message(1), office.message(2))
    ids = office.ids()
    found = office.document("outbox", "export", "--state", "queued", "--out", "held")
    folder = office.folder / "held"
    assert (found["folder"], sorted(found["messages"])) == (str(folder), sorted(ids))
    assert {path.name for path in folder.iterdir()} == {f"{id_}{end}" for id_ in ids for end in (".eml", ".json")}
    assert {path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())} == {0o700, 0o600}
    (id_,) = office.ids("--entity", "c-1")
    assert (folder / f"{id_}.eml").read_bytes() == b"Subject: Hello 1\r\n\r\nFrom us to you\r\n"
    envelope = json.loads((folder / f"{id_}.json").read_text())
    assert (envelope["sender"], envelope["recipients"]) == ("hello@example.com", ["customer-1@example.com"])
    again = office("outbox", "export", "--state", "queued", "--out", "held")
    assert (again.code, again.err.endswith(".eml: file exists\n")) == (2, True)
    assert office("outbox", "export", "--state", "queued", "--out", "held/a.eml/b").code == 0
    (office.folder / "file").touch()
    assert office("outbox", "export", id_, "--out", "file").err.startswith("error: cannot make ")


def test_what_is_not_kept_cannot_be_written(office: Any) -> None:
    """It says so, and writes the others."""
    office.admit(office.message(1), office.message(2, state=MessageState.REJECTED))
    done = office("outbox", "export", "--state", "queued", "--state", "rejected")
    assert done.code == 2
    assert done.out.startswith("From hello@example.com ")
    assert "its content is not kept\n1 message written\n" in done.err


def test_who_sends_is_not_disturbed(office: Any) -> None:
    """Its message is neither retried, deleted nor unlocked while it lives; who it is, is told."""
    office.admit(office.message(1))
    (id_,) = office.ids()
    sender = started(office.folder)
    try:
        busy = f"error: {id_[:8]}: it is being sent just now"
        assert office("outbox", "retry", id_).err.splitlines()[0] == busy
        assert office("outbox", "delete", id_, "--yes").err.splitlines()[0] == busy
        done = office("outbox", "unlock", id_[:4])
        assert done.code == 2
        assert f"(pid {sender.pid}), at work for " in done.err
        assert "it is free as soon as that process has an answer, or ends" in done.err
        assert office.document("outbox", "unlock", id_)["held"][0]["id"] == id_
        assert office("outbox", "unlock") == (0, "", "no sender that died left anything\n")
        assert office.document("outbox", "show", id_)["message"]["holder"]["alive"] is True
    finally:
        killed(sender)


@pytest.mark.parametrize(
    ("words", "state", "said"),
    [
        ([], "queued", "1 queued again, nothing of them was handed over\n"),
        (["hand"], "in_doubt", "1 in doubt: handed over, and no answer on record\n"),
    ],
)
def test_what_a_dead_sender_left_is_unlocked(office: Any, words: list[str], state: str, said: str) -> None:
    """A list says that it died and changes nothing; `unlock` takes over."""
    office.admit(office.message(1))
    (id_,) = office.ids()
    killed(started(office.folder, *words))
    assert office("outbox").err.endswith(
        "1 message taken by a sender that died: the next run takes over, or mailweir outbox unlock\n"
    )
    assert ", which died: the next run takes over" in office("outbox", "show", id_).out
    assert office("outbox", "unlock", id_) == (0, "", said)
    (one,) = office.document("outbox", "list")["messages"]
    assert (one["id"], one["state"]) == (id_, state)
    assert office("outbox", "unlock") == (0, "", "no sender that died left anything\n")


def test_unlocking_nothing(office: Any) -> None:
    """Makes no state."""
    assert office("outbox", "unlock") == (0, "", "no sender that died left anything\n")
    assert not (office.folder / ".mailweir").exists()


def test_many_messages_are_acted_on(office: Any) -> None:
    """More than one transaction takes."""
    office.admit(*(office.message(number) for number in range(1100)))
    assert office("outbox", "retry", "--state", "queued").err == "1100 messages will be tried again at the next run\n"
    assert office("outbox", "delete", "--state", "queued", "--yes").err == "1100 messages deleted\n"
    assert office("outbox").err == "nothing waits, and nothing needs a person\n"
