"""Files to which one line an event is added, and which a crash cannot spoil. No I/O.

A line is a JSON object with at least one member, and ends with a digest of what stands before it. Lines are only ever
added, so a crash can spoil no line but the last. A last line that is not whole has not happened: whoever wrote it never
heard that it is safe, and so never went on. Any other line that is not as it was written makes the file unusable:
nothing is done on a guess. Blanks after the last line are room for the next one, reserved so that it can be written on
a full disk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from systems.file_names import digest

# A power cut can leave zeros where bytes were to be.
_BLANK: Final = b" \n\x00"
_whole = re.compile(rb'"sum":"[0-9a-f]{16}"\}\Z')

Event = Mapping[str, Any]


class RecordError(ValueError):
    """A file that is not as it was written."""


@dataclass(frozen=True, slots=True)
class Read:
    """The events of a file; `length` is where the next one is written, `torn` says that something is in its way."""

    events: tuple[Event, ...]
    length: int
    torn: bool


def line(event: Event) -> bytes:
    """An event as it is written."""
    text = json.dumps(event, separators=(",", ":"))[:-1]
    return f'{text},"sum":"{_sum(text)}"}}\n'.encode()


def lines(events: Iterable[Event]) -> bytes:
    """A whole file."""
    return b"".join(map(line, events))


def blank(size: int) -> bytes:
    """Room for so many bytes."""
    return b" " * (size - 1) + b"\n" if size else b""


def read(data: bytes) -> Read:
    """The events of a file; RecordError where it is not as it was written."""
    events: list[Event] = []
    length = 0
    end = len(data.rstrip(_BLANK))
    while length < end:
        stop = data.find(b"\n", length)
        piece = data[length : stop if stop >= 0 else end]
        event = _event(piece)
        if event is None and (length + len(piece) < end or _whole.search(piece.rstrip(_BLANK))):
            raise RecordError(f"line {len(events) + 1} is not as it was written")
        if event is None or stop < 0:
            return Read(tuple(events), length, torn=True)
        events.append(event)
        length = stop + 1
    return Read(tuple(events), length, torn=False)


def _sum(text: str) -> str:
    return digest(text.encode(), 8)


def _event(piece: bytes) -> Event | None:
    try:
        text = piece.decode("ascii")
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    body, _, _ = text.rpartition(',"sum":"')
    if not isinstance(found, dict) or found.pop("sum", None) != _sum(body):
        return None
    return found
