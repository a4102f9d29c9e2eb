"""Files of what is expected, written."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final

from mailweir.testing.suite import written
from pipeline.config.files import replace_file

REFUSED: Final = "expected files are written by a person: `CI` is set"


def write_expected(path: Path, content: Any, *, escaped: bool = False) -> tuple[int, int]:
    """Write what came as what is expected: how many lines are new, and how many are gone."""
    text = written(content, escaped=escaped)
    if path.is_file():
        before = path.read_text("utf-8", "replace")
        replace_file(path, text.encode())
    else:
        before = ""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return _changed(before.splitlines(), text.splitlines())


def _changed(before: list[str], after: list[str]) -> tuple[int, int]:
    more = less = 0
    for kind, first, last, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            less += last - first
            more += end - start
    return more, less
