"""Lines of the log as a page shows them, and which of them are wanted. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

LEVELS: Final = ("debug", "info", "warning", "error")
USUAL: Final = "info"


class Choice(NamedTuple):
    """Which lines: of a level or worse, of a pipe, with a text in them in small or capital letters."""

    level: str = USUAL
    pipe: str = ""
    text: str = ""

    def wants(self, record: Mapping[str, Any]) -> bool:
        """Whether a line is one of them."""
        level = str(record.get("level", ""))
        return (
            # One that is worse than all of these has a name of its own.
            (level not in LEVELS or LEVELS.index(level) >= LEVELS.index(self.level))
            and (not self.pipe or record.get("pipe") == self.pipe)
            and (not self.text or self.text.casefold() in json.dumps(record, ensure_ascii=False).casefold())
        )


class Line(NamedTuple):
    """One line. `at` is None where nothing says when it was."""

    at: float | None
    level: str
    event: str
    message: str
    pipe: str
    system: str
    run: str
    entity: str


def records_of(text: bytes) -> Iterator[dict[str, Any]]:
    """What is written, the last line first; what is no record, such as the half of one, is passed over."""
    for line in reversed(text.split(b"\n")):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found


def newest(records: Iterable[Mapping[str, Any]], choice: Choice, most: int) -> list[Line]:
    """The newest lines that are wanted, in the order in which they were written; `records` come last first."""
    wanted = [one for one in records if choice.wants(one)][::-1]
    # Of those of one millisecond the file has the order.
    found = sorted(wanted, key=lambda one: str(one.get("time", "")))
    return [line_of(one) for one in found[-most:]]


def line_of(record: Mapping[str, Any]) -> Line:
    """A record as a line."""
    given = (_text(record, name) for name in ("level", "event", "message", "pipe", "system", "run", "entity"))
    return Line(_at(record), *given)


def _text(record: Mapping[str, Any], name: str) -> str:
    found = record.get(name)
    return found if isinstance(found, str) else ""


def _at(record: Mapping[str, Any]) -> float | None:
    try:
        return datetime.fromisoformat(str(record.get("time"))).timestamp()
    except ValueError:
        return None
