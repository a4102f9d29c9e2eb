"""What happens, for those who listen: events with growing numbers, kept for a while; what is new in facts. No I/O."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

MOST_EVENTS: Final = 10_000
MOST_SECONDS: Final = 600.0

# What a page may listen to, with the events that it then gets.
TOPICS: Final[Mapping[str, frozenset[str]]] = {
    "overview": frozenset({"overview", "pipe", "run", "mail", "window", "config"}),
    "pipes": frozenset({"pipe", "run", "config"}),
    "runs": frozenset({"run"}),
    "mail": frozenset({"mail"}),
    "systems": frozenset({"overview", "window", "mail", "config"}),
    "config": frozenset({"config"}),
    "log": frozenset({"log"}),
}
# These tell what was said of entities and mails.
CONTENT: Final = frozenset({"log"})
# Each of them is something else; of all others the last one of a key says everything.
_each: Final = frozenset({"log"})


class Happening(NamedTuple):
    """An event: what happened, to what, and when by a clock that nobody sets. `data` is JSON."""

    id: int
    name: str
    key: str
    data: str
    at: float


class Ring:
    """The latest events."""

    def __init__(self, first: int, most: int = MOST_EVENTS, seconds: float = MOST_SECONDS) -> None:
        """Their numbers go on from `first`."""
        self.last = first
        self._begin = first
        self._most = most
        self._seconds = seconds
        self._events: deque[Happening] = deque()

    def add(self, name: str, key: str, data: str, now: float) -> None:
        """One more; the oldest go."""
        self.last += 1
        self._events.append(Happening(self.last, name, key, data, now))
        while len(self._events) > self._most or self._events[0].at < now - self._seconds:
            self._events.popleft()

    def after(self, id: int, names: Collection[str]) -> list[Happening] | None:
        """Those behind a number that have one of the names; None if some of all behind it are gone."""
        oldest = self._events[0].id if self._events else self.last + 1
        if not max(self._begin, oldest - 1) <= id <= self.last:
            return None
        found: list[Happening] = []
        for one in reversed(self._events):
            if one.id <= id:
                break
            if one.name in names:
                found.append(one)
        return found[::-1]


def coalesced(events: Sequence[Happening]) -> list[Happening]:
    """The same news in fewer events: of what is told anew each time, only what was told last."""
    last = {(one.name, one.key): one.id for one in events}
    return [one for one in events if one.name in _each or last[one.name, one.key] == one.id]


def written(id: int, name: str, data: str) -> bytes:
    """An event as `text/event-stream` has it; `data` is one line."""
    return f"id: {id}\nevent: {name}\ndata: {data}\n\n".encode("utf-8", "replace")


def names_of(topics: Iterable[str]) -> frozenset[str]:
    """The events of some topics."""
    return frozenset(name for topic in topics for name in TOPICS.get(topic, ()))


Facts = Mapping[tuple[str, str], Any]


def facts_of(overview: Mapping[str, Any], config: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    """What a service tells of everything (`mailweir.serving.overview.facts`), by the event and the key that tell it."""
    found: dict[tuple[str, str], Any] = {("config", ""): config, ("mail", ""): overview["outbox"]}
    found["overview", ""] = {"worries": len(overview["worries"]), "paused_systems": overview["paused_systems"]}
    for pipe in overview["pipes"]:
        running, result = pipe["running"], pipe["last_result"]
        found["pipe", pipe["id"]] = {name: value for name, value in pipe.items() if name != "running"}
        found["run", pipe["id"]] = {"pipe": pipe["id"], "running": running, "last": result and result["run"]}
    for window in overview["window"]:
        found["window", window["system"]] = window
    return found


def news(before: Facts, now: Facts) -> Iterator[tuple[str, str, str]]:
    """What is not as it was: event, key and JSON. What is no more is told as `null`."""
    for (name, key), value in now.items():
        if (name, key) not in before or before[name, key] != value:
            yield name, key, json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for name, key in before.keys() - now.keys():
        yield name, key, "null"
