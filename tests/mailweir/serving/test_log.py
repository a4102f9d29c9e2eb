"""What a service logs: lines for people and programs, without secrets, whatever happens to those who read them."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest

from mailweir.serving.log import MOST_BYTES, MOST_FILES, MOST_LEFT, _Files, event, files_of, line_of, logging_to
from pipeline.scrub import Scrubber


def scrubber() -> Scrubber:
    """It knows one secret."""
    found = Scrubber()
    found.add("hunter-2-hunter")
    return found


def test_json_lines(tmp_path: Path) -> None:
    """One line of JSON for each event, on the screen and in the file, with its facts and without secrets."""
    shown: list[str] = []
    with logging_to(tmp_path, "one", shown.append, scrubber, style="json"):
        event("run.ended", "hunter-2-hunter\nsent\x1b[2J", pipe="p", outcomes={"sent": 3}, why=["hunter-2-hunter"])
        logging.getLogger("mailweir.mail").warning("over %s", "the limit", extra={"entity": "c1"})
        event("quiet", "not told", logging.DEBUG)
    (path,) = files_of(tmp_path)
    assert path.read_text("utf-8").splitlines() == shown
    first, second = map(json.loads, shown)
    assert (first["event"], first["level"], first["pipe"], first["outcomes"]) == ("run.ended", "info", "p", {"sent": 3})
    assert (first["message"], first["why"]) == ("********\nsent\x1b[2J", ["********"])
    assert shown[0].isprintable()
    assert (second["event"], second["message"], second["entity"]) == ("mail", "over the limit", "c1")
    assert path.stat().st_mode & 0o077 == 0


def test_text_lines() -> None:
    """The time, how bad it is, what it is about, and what happened, on one line."""
    facts = {"level": "warning", "pipe": "p", "message": "one\ntwo"}
    assert line_of(facts, "14:02:11") == "14:02:11 warning: p: one␊two"
    assert line_of({"level": "info", "message": "hi"}, "14:02:11") == "14:02:11 hi"


def test_nobody_reads(tmp_path: Path) -> None:
    """A screen that is gone stops nothing, and the file has the line."""

    def gone(_: str) -> None:
        raise BrokenPipeError

    with logging_to(tmp_path, "one", gone, scrubber):
        event("a", "still here")
    assert "still here" in files_of(tmp_path)[0].read_text("utf-8")


def test_full_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that takes nothing costs lines and nothing else; what comes after it is whole again."""
    shown: list[str] = []
    with logging_to(tmp_path, "one", shown.append, scrubber):
        (handler,) = (one for one in logging.getLogger("mailweir").handlers if isinstance(one, _Files))
        good = handler._file
        handler._file = os.open("/dev/full", os.O_WRONLY)
        event("a", "told all the same")
        os.close(handler._file)
        handler._file = good
        event("b", "room again")
    assert len(shown) == 2
    assert capsys.readouterr().err == ""
    lines = files_of(tmp_path)[0].read_text("utf-8").split("\n")
    assert [json.loads(line)["event"] for line in lines if line] == ["b"]


def test_full_files_make_room(tmp_path: Path) -> None:
    """A file that is full becomes an older one, and so many are kept."""
    with logging_to(tmp_path, "one", lambda _: None, scrubber):
        for number in range(MOST_FILES + 2):
            event("a", "x" * (MOST_BYTES - 1000), number=number)
    files = files_of(tmp_path)
    assert len(files) == MOST_FILES
    found = [json.loads(path.read_text("utf-8"))["number"] for path in files]
    assert sorted(found) == list(range(2, MOST_FILES + 2))


def test_old_files_go(tmp_path: Path) -> None:
    """So many are left of services that have ended."""
    for number in range(MOST_LEFT + 3):
        with logging_to(tmp_path, f"s{number}", lambda _: None, scrubber):
            event("a", "here")
    assert len(files_of(tmp_path)) <= MOST_LEFT + 1
