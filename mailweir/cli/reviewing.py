"""`mailweir test --review`: each difference is shown to a person, who accepts it or does not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailweir.testing.difference import view
from mailweir.testing.review import Change, accepted, changes
from mailweir.testing.update import write_expected
from pipeline.config.files import reason, shown
from pipeline.config.glyphs import visible

if TYPE_CHECKING:
    from mailweir.cli.options import Common
    from mailweir.testing.came import Verdict
    from mailweir.testing.suite import Found, Suite

_KEYS: Final = "[a]ccept  [r]eject  [s]kip  [e]dit  [d] in full  [q]uit"
_CASE: Final = "[s]kip  [e]dit  [d] in full  [q]uit"


class _Quit(Exception):  # noqa: N818 - no fault: a person has seen enough
    """Ask no more."""


@dataclass(slots=True)
class Reviewed:
    """What a person has said."""

    accepted: int = 0
    rejected: int = 0
    left: int = 0
    files: list[tuple[str, int, int]] = field(default_factory=list)

    def summary(self) -> str:
        """In words."""
        return f"{self.accepted} accepted, {self.rejected} rejected, {self.left} left"


async def review(
    values: Common, suite: Suite, verdicts: list[tuple[Found, Verdict]], *, escaped: bool = False
) -> Reviewed:
    """Go through all that differs. What was accepted is written, and its test run again."""
    done = Reviewed()
    for place, (found, verdict) in enumerate(verdicts):
        if verdict.state != "failed" or not verdict.found:
            continue
        asked = _Review(values, found, verdict, done, escaped)
        try:
            changed = asked.go()
        except _Quit:
            changed = asked.write()
            _count_rest(done, asked, verdicts[place + 1 :])
            if changed:
                verdicts[place] = found, await suite.run(found, verdict.test)
            return done
        if changed:
            verdicts[place] = found, await suite.run(found, verdict.test)
    return done


def _count_rest(done: Reviewed, asked: _Review, later: Sequence[tuple[Found, Verdict]]) -> None:
    done.left += asked.open
    done.left += sum(len(changes(verdict.found)) for _, verdict in later if verdict.state == "failed")


class _Review:
    """The differences of one test."""

    def __init__(self, values: Common, found: Found, verdict: Verdict, done: Reviewed, escaped: bool) -> None:
        self._values = values
        self._found = found
        self._verdict = verdict
        self._done = done
        self._escaped = escaped
        self._test = verdict.test
        self._path = None if self._test.file is None else found.file.path.parent / self._test.file
        self._taken: list[str] = []
        self._edited = False
        self._changes = changes(verdict.found)
        self.open = len(self._changes)

    def go(self) -> bool:
        """Ask about each; whether the file changes."""
        for number, change in enumerate(self._changes, 1):
            self._ask(number, change)
            self.open -= 1
            if self._edited:
                # What a person wrote stands, and the test is looked at again.
                self._done.left += self.open
                return True
        return self.write()

    def write(self) -> bool:
        """Write what was accepted."""
        if not self._taken or self._path is None:
            return False
        written = self._verdict.written
        expected: Any = _text(self._path)
        if not isinstance(written, str):
            expected = json.loads(expected.removeprefix("\ufeff") or "[]")
        content = accepted(expected, written, self._taken, self._test.sort_by)
        try:
            more, less = write_expected(self._path, content, escaped=self._escaped)
        except OSError as error:
            raise click.UsageError(f"cannot write {self._path}: {reason(error)}") from None
        self._done.files.append((shown(self._path, self._values.here), more, less))
        return True

    def _ask(self, number: int, change: Change) -> None:
        full = False
        while True:
            self._show(number, change, full=full)
            match _key(_CASE if self._path is None else _KEYS):
                case "a" if self._path is not None:
                    self._taken.append(change.id)
                    self._done.accepted += 1
                    return
                case "r" if self._path is not None:
                    self._done.rejected += 1
                    return
                case "s":
                    self._done.left += 1
                    return
                case "e":
                    click.edit(filename=str(self._path or self._found.file.path))
                    self._edited = True
                    return
                case "d":
                    full = True
                case "q":
                    raise _Quit

    def _show(self, number: int, change: Change, *, full: bool) -> None:
        out, found, test = self._values.out, self._found, self._test
        out.line("")
        out.line(visible(f"{found.name}:{found.line(test)} {test.pipe}: {test.name}  {number} of {len(self._changes)}"))
        short = self._path is None or isinstance(self._verdict.written, str)
        for line in view(change.found, full=full, short=short):
            out.line(visible(line))
        if self._path is None:
            out.line("  a case holds what it expects itself: edit the file (`--update` prints what to write)")


def _key(keys: str) -> str:
    """What a person says, by its first letter; an empty line skips, the end of the input is that of the review."""
    try:
        said: str = click.prompt(keys, default="s", show_default=False)
    except click.Abort:
        return "q"
    return said.strip().lower()[:1]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return ""
