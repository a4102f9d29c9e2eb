"""Who a mail is from and for, of what the configuration fixes and what each entity brings. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Any, Final, NamedTuple

from pipeline.config.given import advice
from pipeline.errors import Problem, Span
from sinks.mail.letter import Mailbox
from sinks.mail.mailboxes import is_usual
from sinks.mail.recipients import Wrong, recipients

NOWHERE: Final = Span("", 0, 0)
"""The place of what is wrong with an entity: it stands in no file."""


@dataclass(frozen=True, slots=True)
class People:
    """Those of one field: `fixed` for all mails, or named by the `property` of each entity."""

    fixed: tuple[Mailbox, ...] = ()
    property: str = ""


NOBODY: Final = People()


@dataclass(frozen=True, slots=True)
class Guards:
    """What keeps mail from strangers: all of it goes to `redirect_to`, or none to others than `only_to` (globs)."""

    redirect_to: str | None = None
    only_to: tuple[str, ...] = ()


class Named(NamedTuple):
    """Those of all fields, as one entity has them. `skipped` are words about those that were left out."""

    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    reply_to: tuple[Mailbox, ...] = ()
    sender: Mailbox | None = None
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a sink that name people. `skip_invalid` leaves out what is no address; otherwise there is no mail.

    `sender` is the property of an entity that holds its sender; an entity without it has that of the sink.
    """

    to: People
    cc: People = NOBODY
    bcc: People = NOBODY
    reply_to: People = NOBODY
    sender: str = ""
    skip_invalid: bool = False
    alone: bool = field(init=False)
    """Whether no field but the first names anybody."""

    def __post_init__(self) -> None:
        """Find out once what is asked for each mail."""
        alone = not self.sender and self.cc == self.bcc == self.reply_to == NOBODY
        object.__setattr__(self, "alone", alone)

    def named(self, values: Mapping[str, Any]) -> Named | Problem:
        """Those of an entity with these variables, or why it gets no mail."""
        if self.to.property:
            written = values.get(self.to.property)
            if isinstance(written, str) and is_usual(written):  # most are one plain address
                to: tuple[Mailbox, ...] = (Mailbox("", written),)
                if self.alone:
                    return Named(to)
        elif self.alone:
            return Named(self.to.fixed)
        return self._all(values)

    def _all(self, values: Mapping[str, Any]) -> Named | Problem:
        skipped: list[str] = []
        found: list[tuple[Mailbox, ...]] = []
        for people in (self.to, self.cc, self.bcc, self.reply_to):
            boxes = self._boxes(people, values, skipped)
            if isinstance(boxes, Problem):
                return boxes
            found.append(boxes)
        to, cc, bcc, reply_to = found
        if not to:
            return _nobody(self.to.property, values, skipped)
        sender = self._sender(values)
        if isinstance(sender, Problem):
            return sender
        return Named(to, cc, bcc, reply_to, sender, tuple(skipped))

    def _boxes(self, people: People, values: Mapping[str, Any], skipped: list[str]) -> tuple[Mailbox, ...] | Problem:
        if not people.property:
            return people.fixed
        found = recipients(values.get(people.property))
        if not found.wrong:
            return found.boxes
        words = _words(people.property, found.wrong)
        if self.skip_invalid:
            skipped += words
            return found.boxes
        return wrong("E502", "; ".join(words), people.property)

    def _sender(self, values: Mapping[str, Any]) -> Mailbox | Problem | None:
        if not self.sender or values.get(self.sender) in (None, "", [], {}):
            return None
        found = recipients(values[self.sender])
        if found.wrong:
            return wrong("E503", "; ".join(_words(self.sender, found.wrong)), self.sender)
        if len(found.boxes) > 1:
            return wrong("E503", f"`{self.sender}` holds {len(found.boxes)} senders; a mail has one", self.sender)
        return found.boxes[0] if found.boxes else None


class Gate:
    """Lets mail to some addresses pass."""

    def __init__(self, only_to: Iterable[str]) -> None:
        """Take globs of addresses, `*@example.com`; without any everybody passes."""
        patterns = [translate(glob.lower()) for glob in only_to]
        self._passes = re.compile("|".join(patterns)).match if patterns else None

    def outside(self, addresses: Sequence[str]) -> Sequence[str]:
        """Those who are not to get mail."""
        if self._passes is None:
            return ()
        return [address for address in addresses if not self._passes(address.lower())]


def wrong(code: str, message: str, property: str = "", help: str = "") -> Problem:
    """What is wrong with an entity, at one of its properties."""
    return Problem(code, message, NOWHERE, path=(property,) if property else (), notes=(advice(help),) if help else ())


def _nobody(property: str, values: Mapping[str, Any], skipped: Sequence[str]) -> Problem:
    if skipped:
        return wrong("E502", f"no recipient is left: {'; '.join(skipped)}", property)
    if property not in values:
        why = f"the entity has no `{property}`"
    elif values[property] is None:
        why = f"`{property}` is null"
    else:
        why = f"`{property}` is empty"
    return wrong("E502", f"no recipient: {why}", property)


def _words(property: str, found: Sequence[Wrong]) -> list[str]:
    return [f'`{property}` is "{each.written}": {each.fault}' if each.written else each.fault for each in found]
