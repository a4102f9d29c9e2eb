"""`system:eml`: each mail is a file, whole and beside its envelope, or is not there."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from email import message_from_bytes
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from pipeline.config.installed import installed
from pipeline.config.project import compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read
from systems.disk import HALF_WRITTEN, Disk, FolderError
from systems.eml import Eml
from systems.mail import Answered, DeliveryReports, Message, Phase, Status

Make = Callable[..., Message]
AT = 1_767_323_045_678_901_234


def eml(folder: Path, disk: Disk | None = None) -> Eml:
    """The system, whose clock stands still."""
    return Eml("out", folder, lambda: AT, disk)


async def _carry(system: Eml, messages: Iterable[Message], handing_over: Callable[[Any], None]) -> list[Answered]:
    async with system:
        return [one async for group in system.send(messages, handing_over) for one in group]


def carry(
    system: Eml, messages: Iterable[Message], handing_over: Callable[[Any], None] = lambda _: None
) -> list[Answered]:
    """Send through it."""
    return asyncio.run(_carry(system, messages, handing_over))


def test_a_mail_is_a_file_with_its_envelope_beside_it(tmp_path: Path, mail: Make) -> None:
    """The content is not touched; the answer says where it is."""
    message = mail("b@example.org", "ö@example.org", key="welcome/1", reports=DeliveryReports(("NEVER",)))
    (answered,) = carry(eml(tmp_path / "mails"), [message])
    (name,) = {path.stem for path in (tmp_path / "mails").iterdir()}
    assert name.startswith("20260102T030405.678901Z-welcome_1-")
    assert (tmp_path / "mails" / f"{name}.eml").read_bytes() == message.content
    assert [(one.recipient, one.status, one.phase, one.server, one.text) for one in answered.answers] == [
        ("b@example.org", Status.ACCEPTED, Phase.DOT, "out", f"written to {name}.eml"),
        ("ö@example.org", Status.ACCEPTED, Phase.DOT, "out", f"written to {name}.eml"),
    ]
    envelope = json.loads((tmp_path / "mails" / f"{name}.json").read_text())
    assert envelope.pop("blake2b")
    assert envelope == {
        "schema_version": 1,
        "key": "welcome/1",
        "sender": "a@example.com",
        "recipients": ["b@example.org", "ö@example.org"],
        "smtputf8": False,
        "reports": {"notify": ["NEVER"], "returns": None, "envelope_id": None, "original": []},
        "xverp": False,
        "size": len(message.content),
    }


def test_files_are_for_their_owner_alone(tmp_path: Path, mail: Make) -> None:
    """The folder too, if it is made here."""
    carry(eml(tmp_path / "mails"), [mail()])
    assert (tmp_path / "mails").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "mails").iterdir()} == {0o600}


def test_no_mail_takes_the_place_of_another(tmp_path: Path, mail: Make) -> None:
    """Also with one key in one microsecond, over several runs and more than one group."""
    messages = [mail(content=b"%d" % number) for number in range(100)]
    carry(eml(tmp_path), messages[:30])
    carry(eml(tmp_path), messages[30:])
    contents = {path.read_bytes() for path in tmp_path.glob("*.eml")}
    assert contents == {message.content for message in messages}
    assert len([*tmp_path.iterdir()]) == 200


def test_nothing_is_seen_before_it_is_on_record(tmp_path: Path, mail: Make) -> None:
    """A mail that cannot be put on record is not written, and nothing of it is left."""
    seen: list[int] = []
    carry(eml(tmp_path), [mail()], lambda _: seen.append(len([*tmp_path.glob("*.eml")])))
    assert seen == [0]

    def refuse(_: object) -> None:
        raise OSError(5, "no record")

    with pytest.raises(OSError, match="no record"):
        carry(eml(tmp_path / "other"), [mail()], refuse)
    assert [*(tmp_path / "other").iterdir()] == []


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path, mail: Make, faulty: Any) -> None:
    """Wherever it refuses, a mail is not tried or in doubt, what is accepted is whole, and no more are taken."""
    clean = faulty()
    carry(eml(tmp_path / "clean", clean), [mail(key="1"), mail(key="2")])
    for at in range(3, clean.count + 1):
        folder = tmp_path / str(at)
        system = eml(folder, faulty(at))
        rest = iter([mail(key="1"), mail(key="2"), *[mail(key="x")] * 1000])
        answered = carry(system, rest)
        assert next(rest).key == "x"
        assert system.trouble is not None
        statuses = {one.message.key: one.answers[0].status for one in answered}
        assert statuses["2"] in {Status.NOT_TRIED, Status.IN_DOUBT}
        whole = {path.name for path in folder.glob("*.eml")}
        for one in answered:
            if one.answers[0].status is Status.ACCEPTED:
                assert one.answers[0].text.removeprefix("written to ") in whole
            elif one.answers[0].status is Status.NOT_TRIED:
                assert one.answers[0].text == "no space left on device"
        assert [path for path in folder.iterdir() if path.suffix == ".tmp"] == []
        assert len([*folder.glob("*.json")]) == len(whole)


def test_a_killed_process_leaves_whole_mails_or_none(tmp_path: Path, mail: Make, faulty: Any, killed: Any) -> None:
    """At any operation: an `.eml` that is there has all of its bytes and its whole envelope."""
    clean = faulty()
    message = mail(content=b"x" * 10_000)
    carry(eml(tmp_path / "clean", clean), [message])
    for at in range(1, clean.count + 1):
        folder = tmp_path / str(at)
        with suppress(killed):
            carry(eml(folder, faulty(at, kill=True)), [message])
        for path in folder.glob("*.eml") if folder.exists() else ():
            assert path.read_bytes() == message.content
            assert json.loads(path.with_suffix(".json").read_bytes())["size"] == 10_000


def test_what_a_killed_process_left_is_taken_away_later(tmp_path: Path) -> None:
    """When it is old, with its envelope; other files stay."""
    for name in (".old.tmp", "old.json", ".young.tmp", "young.json", "mine.txt", "mine.eml"):
        (tmp_path / name).write_text("")
        if "young" not in name:
            age = AT // 10**9 - HALF_WRITTEN - 10
            os.utime(tmp_path / name, (age, age))
    carry(eml(tmp_path), [])
    assert {path.name for path in tmp_path.iterdir()} == {".young.tmp", "young.json", "mine.txt", "mine.eml"}


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """When the system is opened, not when the first mail comes."""
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="it is not a folder"):
        carry(eml(tmp_path / "file"), [])


def test_a_process_that_is_killed_for_good(tmp_path: Path) -> None:
    """A real one, in the middle of many mails: every mail that it reported is there, and every file is whole."""
    script = dedent(
        """
        import asyncio, sys
        from pathlib import Path
        from systems.eml import Eml
        from systems.mail import Envelope, Message

        async def main():
            def mails():
                for number in range(10**9):
                    content = b"%d\\r\\n" % number * 999
                    yield Message(str(number), Envelope("a@example.com", ("b@example.org",)), content)
            async with Eml("out", Path(sys.argv[1]), lambda: 0) as system:
                async for group in system.send(mails(), lambda _: None):
                    print(*(one.message.key for one in group), flush=True)

        asyncio.run(main())
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    reported = [process.stdout.readline() for _ in range(3)]
    process.kill()
    reported += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    there = {path.name.partition("-")[2].removesuffix(".eml"): path for path in tmp_path.glob("*.eml")}
    told = {key for line in reported if line.endswith("\n") for key in line.split()}
    assert len(told) >= 192
    assert told <= there.keys()
    for key, path in there.items():
        assert path.read_bytes() == b"%d\r\n" % int(key) * 999
        assert json.loads(path.with_suffix(".json").read_bytes())["key"] == key


def test_a_mail_program_can_read_it(tmp_path: Path, mail: Make) -> None:
    """It is a message as any other."""
    carry(eml(tmp_path), [mail()])
    (path,) = tmp_path.glob("*.eml")
    assert message_from_bytes(path.read_bytes())["Subject"] == "Hi"


@pytest.mark.parametrize(("folder", "words"), [("", "is empty"), ("~/out", "begins with `~`"), ("out\n", "has a line")])
def test_a_folder_that_cannot_be_meant_is_told_by_the_check(folder: str, words: str) -> None:
    """It is a located fault before anything is made."""
    text = json.dumps({"_id": "out", "type": "system:eml", "folder": folder})
    (problem,) = compile_project([read(text, "a.conf.json")], installed(), Lookup()).problems
    assert (problem.code, problem.path) == ("E203", ("out", "folder"))
    assert words in problem.message
