"""A message of the outbox on a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailweir.cli.lines import table
from mailweir.ledger.rows import answer, people, unreadable, word
from mailweir.shown import address, ago
from pipeline.config.glyphs import visible
from pipeline.state.views import Detail
from sinks.mail.outbound import restored


def content(one: Detail, *, body: bool) -> str | None:
    """The header, or the whole; None if there is none, or not as it was stored."""
    if one.content is None or unreadable(one):
        return None
    text = one.content if body else one.content.partition(b"\r\n\r\n")[0]
    return text.decode(errors="replace").replace("\r\n", "\n")


def page(one: Detail, history: Sequence[tuple[str, str]], text: str | None, now: float, *, full: bool) -> Iterator[str]:
    """The lines of it; nothing in them moves a cursor."""
    found = one.row
    yield f"{found.name}  {word(found)}{_held(one, now)}"
    about = (
        f"pipe {found.pipe}",
        f"entity {found.entity_id}",
        f"system {found.system}",
        found.run and f"run {found.run}",
    )
    yield visible(", ".join(part for part in about if part))
    yield visible(", ".join((*_size(one, full=full), f"admitted {ago(now - found.admitted)} ago")))
    if found.detail:
        yield visible(found.detail)
    yield ""
    rows = [("RECIPIENT", "", "TRIES", "WHAT WAS SAID")]
    for to, each in zip(found.recipients, people(found), strict=False):
        rows.append((address(to, full=full), each.state.value, str(each.tries or ""), answer(each)))
    yield from table(rows)
    yield ""
    for at, what in history:
        yield visible(f"{at}  {what}")
    yield ""
    if text is None:
        yield visible(f"Subject: {found.subject}")
        yield f"({unreadable(one)})"
    else:
        yield from (visible(line) for line in text.removesuffix("\n").split("\n"))


def _held(one: Detail, now: float) -> str:
    if one.holder is None:
        if one.row.next_try is None:
            return ""
        return ", due" if one.row.next_try <= now else f", next try in {ago(one.row.next_try - now)}"
    if one.holder.alive:
        return f", being sent by {one.holder.process}, at work for {ago(now - one.holder.began)}"
    return f", taken by {one.holder.process}, which died: the next run takes over, or mailweir outbox unlock"


def _size(one: Detail, *, full: bool) -> Iterator[str]:
    if one.envelope is not None and one.whole:
        yield f"from {address(restored(one.envelope).sender, full=full) or '<> (a report)'}"
    if one.content:
        yield f"{len(one.content)} bytes"
