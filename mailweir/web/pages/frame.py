"""What stands around every page: where mail goes, the way to other pages, what is served, who looks. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from mailweir.destination import Destination
    from mailweir.serving.overview import Overview
    from mailweir.web.access import Caller
    from mailweir.web.route import Route

Delivery = Literal["real", "local", "folder", "none"]


class Banner(NamedTuple):
    """Where mail goes, in words. `short` stands in the titles of windows."""

    kind: Delivery
    words: str
    places: Sequence[str]
    short: str


class Goal(NamedTuple):
    """A page that every page leads to; `key` goes there behind `g`. `waiting` is how much waits for a person there."""

    label: str
    path: str
    key: str
    waiting: int = 0


class Frame(NamedTuple):
    """All of it. `here` is the path of the goal that the page belongs to."""

    banner: Banner
    goals: Sequence[Goal]
    here: str
    profile: str
    hash: str
    loaded: float
    problem: str
    who: str
    csrf: str
    now: float


# As far as they are served and may be seen.
GOALS: Final = (
    Goal("Overview", "/", "o"),
    Goal("Pipes", "/pipes", "p"),
    Goal("Mail", "/mail", "m"),
    Goal("Systems", "/systems", "s"),
    Goal("Playground", "/playground", "y"),
    Goal("Config", "/config", "c"),
    Goal("Logs", "/logs", "l"),
)
# The words of the outbox that wait for a person.
URGENT: Final = ("dead", "in_doubt", "held")


def banner_of(destinations: Mapping[str, Destination]) -> Banner:
    """Where mail of this configuration goes. One system that reaches others makes it real."""
    modes = {one.mode for one in destinations.values()}
    kind: Delivery = next((mode for mode in ("real", "local", "folder") if mode in modes), "none")
    places = tuple(dict.fromkeys(one.place for one in destinations.values() if one.mode == kind))
    match kind:
        case "real":
            return Banner(kind, "REAL DELIVERY", places, "REAL")
        case "local":
            return Banner(kind, "CATCH: nothing leaves this machine", places, "CATCH")
        case "folder":
            return Banner(kind, "DRY RUN: nothing is sent", places, "DRY RUN")
        case "none":
            return Banner(kind, "NO MAIL: no pipe sends any", (), "NO MAIL")


def goals_of(routes: Iterable[Route], caller: Caller, counts: Mapping[str, int]) -> list[Goal]:
    """Those that are served and that the caller may see, with the counts by path."""
    seen = {
        one.path for one in routes if one.page and one.method == "GET" and one.needs and caller.may(one.needs, None)
    }
    return [goal._replace(waiting=counts.get(goal.path, 0)) for goal in GOALS if goal.path in seen]


def counts_of(overview: Overview) -> dict[str, int]:
    """What waits for a person, by the path of the page that shows it."""
    words = overview.words()
    return {"/mail": sum(words.get(word, 0) for word in URGENT)}


def nearest(path: str) -> str:
    """The goal that a page belongs to: runs to pipes, all else to what its path begins with."""
    first = f"/{path.strip('/').partition('/')[0]}"
    return "/pipes" if first == "/runs" else first
