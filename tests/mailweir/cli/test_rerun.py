"""Runs that a person looks at."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from mailweir.catcher import Catcher
from mailweir.catching import Place
from mailweir.cli.rerun import Session, line, troubles
from mailweir.flows import CannotRunError
from mailweir.gallery import Gallery
from pipeline.config.load import Options, load
from pipeline.receipt import Outcome, Receipt, Report

TIME = 120
NOWHERE = Place("127.0.0.1", 9)


def test_changes_while_a_run_goes_on_are_not_missed(tmp_path: Path) -> None:
    """From the first moment on every batch comes, and None after the end."""

    async def go() -> None:
        session = Session(NOWHERE, tmp_path / ".state", None)
        async with session.changes(tmp_path) as changes:
            (tmp_path / "a.conf.json").write_text("{}")
            (tmp_path / "caught.eml").write_text("")
            assert await changes.get() == ["a.conf.json"]
            session.stopped.set()
            # A file that is made and written may be told twice.
            while (more := await changes.get()) is not None:
                assert more == ["a.conf.json"]
        assert session.blind == ""

    asyncio.run(asyncio.wait_for(go(), TIME))


def test_files_that_cannot_be_watched_are_told(tmp_path: Path) -> None:
    """There is an end and a reason, and nobody waits for changes that are never seen."""

    async def go() -> None:
        session = Session(NOWHERE, tmp_path, None)
        async with session.changes(tmp_path / "gone") as changes:
            assert await changes.get() is None
        assert session.blind

    asyncio.run(asyncio.wait_for(go(), TIME))


def test_each_run_begins_anew(tmp_path: Path) -> None:
    """The window is empty, nothing counts as sent, the mail of the run before is gone, and no state is left."""
    system = {"_id": "office", "type": "system:smtp", "max_per_hour": 1}
    sink = {
        "type": "mail",
        "system": "office",
        "mail_from": "a@example.com",
        "recipients": "b@example.org",
        "subject_template": "Hi",
        "text_body_template": "Hi",
    }
    people = {"type": "embedded", "entities": [{"_id": "c1"}, {"_id": "c2"}]}
    pipe = {"_id": "welcome", "type": "pipe", "source": people, "sink": sink}
    (tmp_path / "all.conf.json").write_text(json.dumps([system, pipe]))
    loaded = load(tmp_path, Options(here=tmp_path, environ={}))

    async def go() -> None:
        gallery = Gallery(tmp_path / "caught")
        async with Catcher(keep=gallery.keep) as catcher:
            session = Session(Place("127.0.0.1", catcher.port), tmp_path / "state", gallery)
            for _ in range(2):
                run = await session.once(loaded)
                assert run.done.reports[0].outcomes == {Outcome.SENT: 1, Outcome.DISCARDED: 1}
                assert gallery.count == 1
                assert "0001.html" in gallery.index.read_text()
            with pytest.raises(CannotRunError):
                await session.once(load(tmp_path / "caught", Options(here=tmp_path, environ={})))
        assert list((tmp_path / "state").iterdir()) == []

    asyncio.run(asyncio.wait_for(go(), TIME))


def test_what_a_person_should_look_at() -> None:
    """A few of each outcome with their reasons, how many more there are, and why the run stopped."""
    report = Report("welcome")
    assert line(report) == "nothing to read"
    report.read = 8
    for at in range(7):
        report.take(Receipt(f"c{at}", f"k{at}", Outcome.REJECTED, "E502 no\x1b recipient"))
    report.take(Receipt("c7", "k7", Outcome.SENT))
    report.stopped = "entity `c8`: gone"
    assert line(report, ", ") == "8 read, 1 sent, 7 rejected"
    told = troubles(report)
    assert told[0].startswith("rejected  c0  E502 no")
    assert "\x1b" not in told[0]
    assert told[5:] == ["rejected  and 2 more", "stopped  entity `c8`: gone"]
