"""Messages in a list for people: what each is, why, and what can be done about it. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlencode

from mailweir.ledger.rows import answer, people, short, why, word
from mailweir.shown import address, ago
from pipeline.state.facts import MessageState, outcome_of
from pipeline.state.views import Row

# As the ledger has them, with the word of the tab.
TABS: Final = (
    ("", "All"),
    ("queued", "Queued"),
    ("retrying", "Retrying"),
    ("in_doubt", "In doubt"),
    ("dead", "Dead"),
    ("rejected", "Rejected"),
    ("discarded", "Discarded"),
    ("held", "Held"),
    ("sent", "Sent"),
)
# Of more recipients the list has the number of the rest.
_MOST_NAMED: Final = 2


class Tab(NamedTuple):
    """A state to look at. Of what was sent there is too much to be counted."""

    label: str
    address: str
    here: bool
    many: int | None


class Line(NamedTuple):
    """A message. `state` is the word that has a shape, `told` what is written beside it."""

    id: str
    short: str
    state: str
    told: str
    to: str
    subject: str
    pipe: str
    system: str
    entity: str
    tries: str
    at: float
    next_try: str
    why: str


def tabs(counts: Mapping[MessageState, int], here: str, query: str) -> list[Tab]:
    """All of them; the search stays."""
    by_word: dict[str, int] = {}
    for state, many in counts.items():
        if state is not MessageState.SENT:
            found = outcome_of[state].value
            by_word[found] = by_word.get(found, 0) + many
    return [
        Tab(label, list_address(name, query), name == here, by_word.get(name, 0) if name not in {"", "sent"} else None)
        for name, label in TABS
    ]


def list_address(state: str = "", query: str = "", before: int | None = None, **more: str) -> str:
    """Where a list is."""
    given = {"state": state, "q": query, "before": "" if before is None else str(before), **more}
    asked = urlencode({name: value for name, value in given.items() if value})
    return f"/mail?{asked}" if asked else "/mail"


def line(one: Row, now: float, *, full: bool) -> Line:
    """A message. Unless it is `full`, without subject, addresses and what was said of it."""
    found = outcome_of[one.state].value
    return Line(
        one.name,
        short(one.name),
        found,
        word(one).removeprefix(found).strip(),
        _to(one.recipients, full=full),
        one.subject if full else "",
        one.pipe,
        one.system,
        one.entity_id,
        str(one.tries or ""),
        one.changed,
        _next_try(one, now),
        _why(one) if full or one.full is not None else "",
    )


def _to(recipients: Sequence[str], *, full: bool) -> str:
    named = ", ".join(address(each, full=full) for each in recipients[:_MOST_NAMED])
    more = len(recipients) - _MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named


def _next_try(one: Row, now: float) -> str:
    if one.state is MessageState.CLAIMED:
        return "being sent"
    if one.next_try is None:
        return ""
    return "due" if one.next_try <= now else f"next in {ago(one.next_try - now)}"


def _why(one: Row) -> str:
    """In the words of the server; of the limit that was reached."""
    if one.full is not None:
        return f"max_per_hour {one.full.limit:,} of {one.system}"
    return why(one)


class Standing(NamedTuple):
    """Where one recipient stands, and what which server said last."""

    address: str
    state: str
    tries: int
    said: str
    server: str
    phase: str
    secret: bool
    """Not named in the header of the message."""


def standings(one: Row, named: Sequence[str]) -> list[Standing]:
    """All recipients of a message. `named` are the addresses in its header, in small letters."""
    return [
        Standing(to, each.state.value, each.tries, answer(each), each.server, each.phase, to.lower() not in named)
        for to, each in zip(one.recipients, people(one), strict=False)
    ]
