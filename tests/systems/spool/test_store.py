"""The folder of a queue: what comes in stays, what goes is gone, and what others put there is not touched."""

from __future__ import annotations

import json
import mailbox
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from systems.disk import HALF_WRITTEN, FolderError
from systems.file_names import own_name
from systems.mail import Answer, Message, Status
from systems.spool import record
from systems.spool.entry import FAR, BusyError
from systems.spool.lines import RecordError
from systems.spool.locks import HeldError
from systems.spool.policy import Policy, Send, decide
from systems.spool.store import Store

Make = Callable[..., Message]
Said = Callable[..., Answer]
WAIT = 4000.0


def files(folder: Path) -> list[str]:
    """Every file below a folder, but the locks and marks that a queue always has."""
    own = {"owner", "publish.lock", "drain.lock", "hour"}
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name not in own
    )


def test_a_message_is_a_content_and_a_record(yard: Any, mail: Make) -> None:
    """Both under the message's own name, for this user alone; the content is not touched."""
    message = mail("b@example.org", "ö@example.org", content=b"From x\r\n\r\n.\r\nend")
    yard.put(message)
    name = own_name(message)
    assert files(yard.folder) == [f"new/{name}", f"record/{name}"]
    assert (yard.folder / "new" / name).read_bytes() == message.content
    for path in (yard.folder, *yard.folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    entry = yard.store().entry(name)
    assert (entry.queued.key, entry.queued.envelope) == (message.key, message.envelope)
    assert yard.store().content(entry.queued, name) == message.content
    entry.close()


def test_a_mail_program_can_open_the_queue(yard: Any, mail: Make) -> None:
    """It is a Maildir."""
    yard.put(mail(key="1"), mail(key="2"))
    assert [one["Subject"] for one in mailbox.Maildir(yard.folder, create=False)] == ["Hi", "Hi"]


def test_a_message_that_is_queued_already_stays_as_it_is(yard: Any, mail: Make) -> None:
    """Twice in one group or in two: one message, whose record keeps what it says."""
    message, name = mail(), own_name(mail())
    yard.put(message, message)
    entry = yard.store().entry(name)
    entry.append(record.handed([0], 1))
    entry.close()
    yard.put(message)
    assert files(yard.folder) == [f"new/{name}", f"record/{name}"]
    entry = yard.store().entry(name)
    assert len(entry.events) == 2
    entry.close()


def test_other_messages_with_the_same_key_are_other_messages(yard: Any, mail: Make) -> None:
    """Another content or other recipients."""
    yard.put(mail(), mail(content=b"other"), mail("c@example.org"))
    assert len([*yard.store().names()]) == 3


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_a_folder_that_others_can_use_is_refused(yard: Any, mode: int) -> None:
    """Before anything is written there."""
    yard.folder.mkdir()
    yard.folder.chmod(mode)
    with pytest.raises(FolderError, match=f"others can use it .mode 0{mode:o}") as raised:
        yard.store()
    assert raised.value.advice == f"chmod 700 {yard.folder}"
    assert [*yard.folder.iterdir()] == []


def test_a_queue_is_of_one_system(yard: Any) -> None:
    """Another one that names the same folder is refused."""
    yard.store()
    yard.store()
    with pytest.raises(FolderError, match="it is the queue of `out`"):
        Store(yard.folder, "other").open()


def test_one_process_hands_on(yard: Any) -> None:
    """The other is told who does, and may as soon as that one has gone."""
    right = yard.store().draining()
    with pytest.raises(HeldError, match=f"process {os.getpid()}"):
        yard.store().draining()
    os.close(right)
    os.close(yard.store().draining())


def test_a_message_is_worked_on_by_one(yard: Any, mail: Make) -> None:
    """A second look that wants to change it is told so; to read it is always possible."""
    yard.put(mail())
    name = own_name(mail())
    entry = yard.store().entry(name)
    with pytest.raises(BusyError):
        yard.store().entry(name)
    yard.store().entry(name, lock=False).close()
    yard.store().finish(entry)
    entry.close()
    with pytest.raises(FileNotFoundError):
        yard.store().entry(name)


def test_what_is_due_comes_by_its_time(yard: Any, mail: Make) -> None:
    """The earliest first; nothing that waits, nothing that is kept for a person; and what a wrong clock wrote."""
    names = []
    hints = {"late": -10, "early": -20, "waits": 100, "kept": None, "wrong": 10**7}
    for key, seconds in hints.items():
        yard.put(mail(key=key))
        names.append(own_name(mail(key=key)))
        entry = yard.store().entry(names[-1])
        entry.hint(None if seconds is None else yard.now // 10**6 + seconds * 1000)
        entry.close()
    assert yard.store().due(yard.now // 10**6, WAIT) == [names[1], names[0], names[4]]
    assert int((yard.folder / "record" / names[3]).stat().st_mtime) * 1000 == FAR


def test_what_is_not_of_the_queue_is_not_read(yard: Any, mail: Make, tmp_path: Path) -> None:
    """Names that are none, links, folders, files with two names or for others: told, and left as they are."""
    yard.put(mail())
    name = own_name(mail())
    there = yard.folder / "record"
    for stranger in ("a:2,S", ".hidden", "A" * 32, "name with\nline"):
        (there / stranger).write_text("")
    assert {path.name for path in yard.store().strangers()} == {"a:2,S", ".hidden", "A" * 32, "name with\nline"}
    assert [*yard.store().names()] == [name]

    def cannot(path: Path, why: str) -> None:
        with pytest.raises(FolderError, match=why):
            yard.store().entry(path.name)

    (there / ("1" * 32)).symlink_to(there / name)
    cannot(there / ("1" * 32), "symbolic links")
    (there / ("2" * 32)).mkdir()
    cannot(there / ("2" * 32), "directory|regular")
    os.mkfifo(there / ("3" * 32))
    cannot(there / ("3" * 32), "not a regular file")
    (there / name).chmod(0o644)
    cannot(there / name, "others can use it")
    (there / name).chmod(0o600)
    os.link(there / name, tmp_path / "second")
    cannot(there / name, "another name")


def test_a_content_that_is_not_as_it_was_written_is_not_sent(yard: Any, mail: Make) -> None:
    """Another byte, another length, no file, a link to another."""
    yard.put(mail())
    name = own_name(mail())
    store = yard.store()
    entry = store.entry(name)
    path = yard.folder / "new" / name
    content = path.read_bytes()
    for data in (content[:-1], content + b"x", bytes([content[0] ^ 1]) + content[1:], b""):
        path.write_bytes(data)
        with pytest.raises(RecordError, match="its content"):
            store.content(entry.queued, name)
    path.unlink()
    with pytest.raises(RecordError, match="its content is missing"):
        store.content(entry.queued, name)
    path.symlink_to("elsewhere")
    with pytest.raises(RecordError, match="its content cannot be used"):
        store.content(entry.queued, name)
    entry.close()


def test_a_rejected_message_is_kept_with_its_reason(yard: Any, mail: Make, said: Said) -> None:
    """The content, who does not get it and why, and all that had happened; the queue is empty then."""
    message = mail("b@example.org", "c@example.org")
    name = own_name(message)
    yard.put(message)
    store = yard.store()
    entry = store.entry(name)
    entry.append(record.answered({0: said(Status.PERMANENT), 1: said(Status.ACCEPTED)}, {}, 5))
    store.bury(entry, {"b@example.org": "550 5.1.1 no such user"}, 7)
    entry.close()
    assert files(yard.folder) == [f"rejected/{name}.eml", f"rejected/{name}.json"]
    assert (yard.folder / "rejected" / f"{name}.eml").read_bytes() == message.content
    facts = json.loads((yard.folder / "rejected" / f"{name}.json").read_text())
    assert facts["rejected"] == [{"recipient": "b@example.org", "reason": "550 5.1.1 no such user"}]
    assert [*store.buried()] == [name]
    found = store.rejected(name)
    assert (found.at, found.reasons, found.queued.key) == (7, {"b@example.org": "550 5.1.1 no such user"}, "k")


def test_a_rejected_message_can_be_queued_again(yard: Any, mail: Make, said: Said) -> None:
    """For the recipients that are wanted; what was said before stays in its record."""
    test_a_rejected_message_is_kept_with_its_reason(yard, mail, said)
    store = yard.store()
    (name,) = store.buried()
    store.revive(store.rejected(name), [0], 1000)
    assert files(yard.folder) == [f"new/{name}", f"record/{name}"]
    entry = store.entry(name)
    assert decide(entry.queued, Policy(), 1000) == Send((0,))
    assert [event["what"] for event in entry.events] == ["queued", "answered", "again"]
    assert store.content(entry.queued, name) == mail().content
    store.finish(entry)
    entry.close()
    assert files(yard.folder) == []


def test_a_rejected_message_can_be_forgotten(yard: Any, mail: Make, said: Said) -> None:
    """With both of its files."""
    test_a_rejected_message_is_kept_with_its_reason(yard, mail, said)
    (name,) = yard.store().buried()
    yard.store().discard(name)
    assert files(yard.folder) == []
    with pytest.raises(FileNotFoundError):
        yard.store().rejected(name)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"events": 1}', '{"events": [], "rejected": [], "at": 1}', "[" * 99_999]
)
def test_a_reason_that_cannot_be_read(yard: Any, text: str) -> None:
    """What somebody wrote there is an error of the file."""
    store = yard.store()
    path = yard.folder / "rejected" / f"{'a' * 32}.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(RecordError):
        store.rejected("a" * 32)


def test_a_message_that_is_queued_again_is_not_shown_as_rejected(yard: Any, mail: Make, said: Said) -> None:
    """A process that was killed between the two leaves both; when it is sent, both are gone."""
    test_a_rejected_message_is_kept_with_its_reason(yard, mail, said)
    yard.put(mail("b@example.org", "c@example.org"))
    store = yard.store()
    assert [*store.buried()] == []
    (name,) = store.names()
    entry = store.entry(name)
    store.finish(entry)
    entry.close()
    assert files(yard.folder) == []


def test_what_killed_processes_left_is_taken_away_when_it_is_old(yard: Any, mail: Make) -> None:
    """Half written files and contents without a record; never a content that has one, nor a file of somebody else."""
    yard.put(mail())
    name = own_name(mail())
    left = [f"tmp/{name}.1.2", f"new/{'a' * 32}", "rejected/.x.tmp"]
    kept = ["new/mine", f"new/{name}", f"record/{name}", "rejected/mine.txt"]
    for path in (*left, "new/mine", "rejected/mine.txt"):
        (yard.folder / path).write_text("")
    yard.store().sweep(yard.now)
    assert files(yard.folder) == sorted([*left, *kept])
    for path in yard.folder.rglob("*"):
        if path.is_file():
            os.utime(path, (yard.now // 10**9 - HALF_WRITTEN - 1,) * 2)
    yard.store().sweep(yard.now)
    assert files(yard.folder) == sorted(kept)
