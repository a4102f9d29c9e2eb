"""What is typed to find messages: words such as `to:kari since:2d`; the rest of it is looked for in subjects.

No I/O.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from mailweir.testing.moments import seconds_of
from pipeline.config.near import near
from pipeline.entity import SECOND, datetime_of
from pipeline.state.views import Filter

# What a person types; an address has 254 characters at most.
MOST: Final = 500
WORDS: Final = ("to", "pipe", "system", "run", "entity", "id", "since", "until")
CONTENT: Final = ("to", "text")
"""What is looked for in addresses and subjects: who may not see these learns nothing of them by searching either."""

_piece: Final = re.compile(r'\s*(?:(?P<word>[A-Za-z]+):)?(?P<value>"[^"]*+"?|[^\s"]++)?')
_id: Final = re.compile(r"[0-9a-f]{1,32}(?:\.[0-9]{1,9})?")
_day: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class SearchError(ValueError):
    """What is typed cannot be looked for; `at` is the column, from 0."""

    def __init__(self, text: str, at: int) -> None:
        """Keep both."""
        super().__init__(text)
        self.at = at


class Search(NamedTuple):
    """What is looked for, and which of its words need the role `content`."""

    wanted: Filter
    content: tuple[str, ...]


def search_of(text: str, now: float) -> Search:
    """What a text looks for, at this wall time; `SearchError` says what of it cannot be."""
    if len(text) > MOST:
        raise SearchError(f"a search has {MOST} characters at most", MOST)
    found: dict[str, str | float] = {}
    texts: list[str] = []
    for word, value, at in _pieces(text):
        if not word:
            texts.append(value)
            continue
        if word not in WORDS:
            close = near(word, list(WORDS), most=1)
            meant = f"Did you mean `{close[0]}:`?" if close else f"There are {', '.join(f'`{one}:`' for one in WORDS)}."
            raise SearchError(f'no word `{word}:`. {meant} In quotes it is a text: `"{word}:…"`', at)
        if not value:
            raise SearchError(f"nothing stands behind `{word}:`", at)
        if word in found:
            raise SearchError(f"`{word}:` is there twice", at)
        found[word] = _value(word, value, now, at)
    wanted = Filter(
        pipe=str(found.get("pipe", "")),
        system=str(found.get("system", "")),
        run=str(found.get("run", "")),
        entity_id=str(found.get("entity", "")),
        address=str(found.get("to", "")),
        subject=" ".join(texts),
        name=str(found.get("id", "")),
        changed_from=_time(found, "since"),
        changed_until=_time(found, "until"),
    )
    return Search(wanted, tuple(name for name in CONTENT if name in found or (name == "text" and texts)))


def _pieces(text: str) -> list[tuple[str, str, int]]:
    """The words with their values and columns."""
    pieces = []
    at = 0
    while at < len(text):
        found = _piece.match(text, at)
        if found is None or found.end() == at:
            break
        word, value = (found["word"] or "").lower(), found["value"] or ""
        start = found.start("word") if word else found.start("value")
        if value.startswith('"'):
            if len(value) == 1 or not value.endswith('"'):
                raise SearchError("this quote does not end", found.start("value"))
            value = value[1:-1]
        if word or value:
            pieces.append((word, value, start))
        at = found.end()
    return pieces


def _value(word: str, value: str, now: float, at: int) -> str | float:
    match word:
        case "since" | "until":
            return _moment(word, value, now, at)
        case "id":
            name = value.lower().removesuffix("…")
            if not _id.fullmatch(name):
                raise SearchError(
                    f"`{value[:40]}` is no beginning of an id: these are digits and letters from a to f", at
                )
            return name
    return value


def _moment(word: str, value: str, now: float, at: int) -> float:
    span = seconds_of(value)
    if span is not None:
        return now - span
    point = datetime_of(f"{value}T00:00:00Z" if _day.fullmatch(value) else value)
    if point is None:
        raise SearchError(
            f"`{word}:` takes 2d, 3h, 30min, a day such as 2026-01-31 or a time such as 2026-01-31T14:00:00Z", at
        )
    return point.ns / SECOND


def _time(found: dict[str, str | float], word: str) -> float | None:
    value = found.get(word)
    return None if value is None else float(value)
