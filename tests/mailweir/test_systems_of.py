"""Systems at work: built when they are asked for, and opened behind what they need."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from mailweir.systems_of import NoSystemError, Systems
from pipeline.component import SystemConfig
from pipeline.config.load import Options, load
from systems.eml import Eml, EmlConfig
from systems.mail import Envelope, MailSystem, Message
from systems.spool.config import SpoolConfig
from systems.spool.system import Spool


def systems(folder: Path, *components: dict[str, Any]) -> Systems:
    """The systems of a project."""
    (folder / "systems").mkdir()
    (folder / "systems" / "a.conf.json").write_text(json.dumps(components))
    return Systems(load(folder, Options(here=folder, environ={}, run_secrets=folder / "none")))


QUEUE: dict[str, Any] = {"_id": "outbox", "type": "system:spool", "system": "mails"}
MAILS: dict[str, Any] = {"_id": "mails", "type": "system:eml", "folder": "mails"}


def test_a_system_is_opened_behind_what_it_needs(tmp_path: Path) -> None:
    """A queue after the system behind it; what nobody needs is not built at all."""
    found = systems(tmp_path, QUEUE, MAILS, {"_id": "other", "type": "system:smtp"})
    assert isinstance(found.system("outbox", MailSystem), Spool)
    assert [*found._built] == ["mails", "outbox"]
    assert isinstance(found.system("mails", MailSystem), Eml)

    async def run() -> None:
        async with found:
            assert (tmp_path / "mails").is_dir()
            assert (tmp_path / ".mailweir" / "spool" / "outbox" / "record").is_dir()

    asyncio.run(run())


def test_mail_goes_through_all_of_them(tmp_path: Path) -> None:
    """From a queue to a queue to a folder, in one run."""
    found = systems(tmp_path, QUEUE | {"system": "second"}, QUEUE | {"_id": "second"}, MAILS)

    async def run() -> None:
        spool = found.system("outbox", MailSystem)
        message = Message("k", Envelope("a@example.com", ("b@example.org",)), b"Subject: Hi\r\n\r\n")
        async with found:
            async for _ in spool.send([message], lambda _: None):
                pass

    asyncio.run(run())
    assert [path.read_bytes() for path in (tmp_path / "mails").glob("*.eml")] == [b"Subject: Hi\r\n\r\n"]


def test_what_cannot_be_used_says_why(tmp_path: Path) -> None:
    """Errors in its configuration, a system that is not there, one of another kind, and one in front of itself."""
    found = systems(tmp_path, {"_id": "wrong", "type": "system:eml", "foldr": "x"}, QUEUE | {"system": "outbox"}, MAILS)
    for name, kind in (("wrong", SystemConfig), ("mails", SpoolConfig)):
        with pytest.raises(NoSystemError, match=f"the system `{name}` has errors"):
            found.config(name, kind)
    with pytest.raises(NoSystemError, match="no system 'nobody'"):
        found.system("nobody", MailSystem)
    with pytest.raises(NoSystemError, match="the system `outbox` stands in front of itself"):
        found.system("outbox", MailSystem)
    assert isinstance(found.config("mails", EmlConfig), EmlConfig)
