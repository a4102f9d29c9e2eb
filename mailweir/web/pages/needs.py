"""What a person has to look at or do, with where to look and what to press. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, urlencode

from mailweir.serving.overview import LATE, SILENT
from mailweir.shown import ago
from mailweir.web.pages.flow import pipe_page
from pipeline.schedule import Record

if TYPE_CHECKING:
    from mailweir.serving.overview import Overview
    from pipeline.state.views import Discards

_mail: Final = {
    "dead": "dead: nobody will get them unless they are tried again",
    "in_doubt": "in doubt: they may have arrived, or not",
    "held": "held: they wait until somebody decides",
}


class Need(NamedTuple):
    """One thing. `state` is its shape and colour, `links` lead to more, `act` is a form with its label."""

    state: str
    text: str
    links: Sequence[tuple[str, str]] = ()
    act: tuple[str, str] | None = None


def needs_of(overview: Overview, discards: Mapping[str, Discards]) -> list[Need]:
    """All of them, what is worst first."""
    return [
        *_services(overview),
        *_discarded(overview, discards),
        *_mails(overview),
        *_pipes(overview),
        *_paused(overview),
    ]


def _services(overview: Overview) -> Iterator[Need]:
    for one in overview.alive:
        silent = overview.now - float(one.facts.get("beat", 0))
        if silent > SILENT:
            yield Need("failing", f"the service {one.facts.get('pid')} has not been heard of for {ago(silent)}")
        if one.facts.get("state"):
            yield Need("failing", f"the state cannot be used: {one.facts['state']}")


def _discarded(overview: Overview, discards: Mapping[str, Discards]) -> Iterator[Need]:
    free = {one.gate: one.free_at for one in overview.usage}
    for system, one in discards.items():
        if not one.many or one.first is None:
            continue
        at = free.get(system)
        place = "" if at is None or at <= overview.now else f"; the next place is free in {ago(at - overview.now)}"
        many = "1 mail was" if one.many == 1 else f"{one.many:,} mails were"
        text = (
            f"{many} discarded in the last hour at the limit of {system}, the first {ago(overview.now - one.first)} ago"
        )
        which = "/mail?" + urlencode({"state": "discarded", "q": f"system:{system} since:1h"})
        window = f"/systems/{quote(system, safe='')}"
        yield Need("discarded", text + place, (("Which ones", which), ("See the window", window)))


def _mails(overview: Overview) -> Iterator[Need]:
    words = overview.words()
    for word, told in _mail.items():
        if many := words.get(word, 0):
            yield Need(
                word, f"{many:,} {'mail is' if many == 1 else 'mails are'} {told}", (("Look", f"/mail?state={word}"),)
            )


def _pipes(overview: Overview) -> Iterator[Need]:
    for pipe in overview.pipes:
        standing, record = overview.standing(pipe), overview.records.get(pipe, Record())
        look = (("Look", pipe_page(pipe)),)
        if overview.pause(pipe) is None:
            due = standing.get("next")
            if due is not None and due < overview.now - LATE and not standing.get("running"):
                yield Need("late", f"{pipe} is late: it was due {ago(overview.now - due)} ago", look)
            if standing.get("fault"):
                yield Need("failing", f"{pipe} could not run: {standing['fault']}", look)
            elif record.failures:
                times = "once" if record.failures == 1 else f"{record.failures:,} times in a row"
                yield Need("failing", f"{pipe} failed {times}", look)
        dead = overview.failures.get(pipe, (0, 0))[1]
        if dead:
            letters = "1 dead letter" if dead == 1 else f"{dead:,} dead letters"
            yield Need("dead", f"{pipe} has {letters}: entities that did not get through", look)


def _paused(overview: Overview) -> Iterator[Need]:
    for (what, name), pause in sorted(overview.pauses.items(), key=lambda one: -one[1].at):
        text = f"{name} is paused by {pause.by} for {ago(overview.now - pause.at)}: {pause.reason}"
        yield Need("paused", text, (), (f"/{what}s/{quote(name, safe='')}/resume", "Resume"))
