"""The log as a page."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailweir.serving.log import logging_to
from mailweir.web.open import Wanted
from mailweir.web.pages.log_lines import Choice, newest, records_of
from mailweir.web.pages.logs import latest
from pipeline.scrub import Scrubber

Browse = Callable[..., Any]
EVIL = "<script>alert(1)</script>"
PIPE = {"_id": "p", "type": "pipe", "source": {"type": "empty"}, "pump": {"mode": "manual"}}


def record(number: int, **more: Any) -> dict[str, Any]:
    """A line."""
    return {
        "time": f"2026-01-02T03:04:{number:02}.000Z",
        "level": "info",
        "event": "x",
        "message": f"m{number}",
        **more,
    }


def test_lines_are_read_from_the_end() -> None:
    """Whatever is no whole record is passed over: half a line, another thing, nothing."""
    text = b'lf": 1}\n{"a": 1}\n[]\n\xff\n\n{"a": 2}\n{"a"'
    assert list(records_of(text)) == [{"a": 2}, {"a": 1}]


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (Choice(), [0, 1, 2]),
        (Choice("debug"), [0, 1, 2, 3]),
        (Choice("warning"), [1]),
        (Choice(pipe="p"), [2]),
        (Choice(text="GREY"), [1]),
        (Choice("error", "p", "grey"), []),
    ],
)
def test_lines_are_chosen(choice: Choice, wanted: list[int]) -> None:
    """By level, pipe and text, in the order of their times."""
    given = [record(3, level="debug"), record(2, pipe="p"), record(1, level="warning", message="greylisted"), record(0)]
    assert [int(one.at or 0) % 60 for one in newest(given, choice, 10)] == wanted


def test_the_newest_are_kept() -> None:
    """Of too many, the last ones; one without a time is shown all the same."""
    assert [one.message for one in newest([record(n) for n in range(9)], Choice(), 2)] == ["m7", "m8"]
    same = [record(5, message="later"), record(5, message="sooner")]
    assert [one.message for one in newest(same, Choice(), 2)] == ["sooner", "later"]
    (line,) = newest([{"level": "info", "message": 5, "time": "soon"}], Choice(), 2)
    assert (line.at, line.message) == (None, "")


def test_files_of_several_services(tmp_path: Path) -> None:
    """All that was logged here is there, also by services that have ended."""
    for name in ("one", "two"):
        with logging_to(tmp_path, name, lambda _: None, Scrubber):
            logging.getLogger("mailweir.serve").info("from %s", name, extra={"event": "x", "facts": {}})
    assert {one.message for one in latest(tmp_path, Choice())} == {"from one", "from two"}


@pytest.fixture
def logged(browse: Browse, tmp_path: Path) -> Any:
    """A browser at a service that has logged a few lines."""
    browser = browse(PIPE)
    folder = tmp_path / ".mailweir" / "logs"
    folder.mkdir(mode=0o700)
    lines = [record(1, message=EVIL), record(2, level="error", pipe="p", run="7f3a", entity="c 1")]
    (folder / "a.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    return browser


def test_the_page(logged: Any) -> None:
    """Lines with their level in words, leading to their pipe, run and entity; what is in them is text."""
    text = logged.text("/logs")
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text
    assert 'href="/pipes/p"' in text
    assert 'href="/runs/7f3a"' in text
    assert 'href="/mail?q=entity%3A%22c%201%22"' in text
    assert 'role="log"' in text
    assert text.count("<li class") == 2
    assert logged.text("/logs?level=error&pipe=p&q=M2").count("<li class") == 1
    assert 'value="&#34;&gt;x"' in logged.text("/logs?q=%22%3Ex")
    assert "No such line" in logged.text("/logs?q=nothing")
    for wrong in ("/logs?level=loud", f"/logs?q={'x' * 201}", "/logs?nothing=1"):
        assert logged.get(wrong).status == 400


def test_the_log_is_content(browse: Browse, digest: Callable[[str], str], tmp_path: Path) -> None:
    """Who may see numbers only does not see it, nor the way to it."""
    tokens = tmp_path / "tokens.json"
    tokens.write_text(json.dumps({"tokens": [{"name": "k", "sha256": digest("k" * 32), "roles": ["view"]}]}))
    browser = browse(PIPE, wanted=Wanted(port=0, tokens=tokens))
    assert 'href="/logs"' in browser.text("/")
    browser.enter("k" * 32)
    assert browser.get("/logs").status == 403
    assert 'href="/logs"' not in browser.text("/")
