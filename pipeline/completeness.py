"""Up to which time datasets are complete: what a run that came to its end knows of what it has read. No I/O.

A dataset that a pipe fills from outside is complete up to the end of the run. One that is made of others is as complete
as the least complete of them was when the run began. Each dataset knows that of all datasets upstream.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

# What the notes of the state begin with that tell what a dataset knows.
COMPLETENESS: Final = "completeness/"

Known = Mapping[str, int]
"""Nanoseconds since 1970, by dataset."""


def passed_on(written: Iterable[str], inputs: Iterable[str], known: Mapping[str, Known], now: int) -> dict[str, Known]:
    """What datasets know after a run that began when their inputs knew `known`, and ends `now`."""
    mine = set(written)
    others = [name for name in dict.fromkeys(inputs) if name not in mine]
    found: dict[str, int] = {}
    for name in others:
        for upstream, time in known.get(name, {}).items():
            found[upstream] = min(time, found.get(upstream, time))
    times = [known.get(name, {}).get(name) for name in others]
    least = [time for time in times if time is not None]
    if len(least) < len(times):
        # Of one of them nobody knows it.
        return dict.fromkeys(mine, found)
    return {name: {**found, name: min(least, default=now)} for name in mine}


def counting(inputs: Iterable[str], include: Iterable[str] | None, exclude: Iterable[str]) -> list[str]:
    """The inputs that count, as a pipe declares it."""
    wanted = inputs if include is None else include
    without = set(exclude)
    return [name for name in wanted if name not in without]


def known_text(known: Known) -> str:
    """For the note."""
    return json.dumps(dict(sorted(known.items())))


def known_of(text: str | None) -> Known:
    """Of the note; what another version wrote otherwise is as good as nothing."""
    try:
        found = {} if text is None else json.loads(text)
    except ValueError:
        return {}
    right = type(found) is dict and all(type(time) is int for time in found.values())
    return found if right else {}
