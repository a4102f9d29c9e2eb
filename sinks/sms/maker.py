"""An entity becomes the text messages that are admitted: a message for each number, named by its key. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from pipeline.entity import Entity
from pipeline.errors import Problem
from pipeline.state.facts import MessageState, NewMessage
from pipeline.state.keys import message_key, name_of
from pipeline.template.templates import Templates, variables
from sinks.mail.entities import Known, is_left_alone, known_of, unknown, whole
from sinks.mail.maker import NO_GENERATIONS, Made
from sinks.mail.outbound import stored
from sinks.mail.people import Gate, Guards, wrong
from sinks.mail.texts import Way, Writes
from systems.mail import Envelope, Message
from systems.sms import MOST_CHARACTERS, frozen, number_fault, number_of

# As for mail: more of them are data, an entity each.
MOST: Final = 1000
# So much of a text stands for it in lists.
_LONGEST_TITLE: Final = 60
_LONGEST_SHOWN: Final = 40
_item: Final = re.compile("[^,;]+")
# What no text message has: all of C0 and C1 but line breaks and tabs.
_control: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class SmsSettings:
    """What all messages of a sink have in common. Without `numbers` the `property` of an entity holds them."""

    system: str
    sender: str
    templates: Templates
    body: Way
    numbers: tuple[str, ...] = ()
    property: str = "recipients"
    guards: Guards = field(default_factory=Guards)
    skip_deleted: bool = True
    at_most_once: bool = False


class Numbers(NamedTuple):
    """Telephone numbers, each once, and what is wrong with what should be some."""

    found: tuple[str, ...]
    wrong: tuple[str, ...] = ()


def numbers_of(value: object) -> Numbers:
    """The numbers that a value names: a text with commas, or a list of texts. Nothing, null and blanks name nobody."""
    found: dict[str, None] = {}
    faults: list[str] = []
    for item in value if isinstance(value, list | tuple) else [value]:
        if item is None:
            continue
        if not isinstance(item, str):
            faults.append("a number is a text, so that its `+` is not lost")
            continue
        for each in _item.findall(item):
            if not each.strip():
                continue
            number = number_of(each)
            if number is None:
                faults.append(f'"{_shown(each.strip())}": {number_fault(each)}')
            else:
                found[number] = None
    if len(found) > MOST:
        return Numbers((), (f"more than {MOST} recipients",))
    return Numbers(tuple(found), tuple(faults))


class SmsMaker:
    """Makes the text messages of one sink."""

    def __init__(self, settings: SmsSettings, pipe: str, run: str) -> None:
        """`run` names the run that admits them."""
        self._settings = settings
        self._pipe = pipe
        self._run = run
        self._writes = Writes(settings.templates, settings.body)
        self._gate = Gate(settings.guards.only_to)
        redirect = settings.guards.redirect_to
        self._redirect = None if redirect is None else number_of(redirect)

    def keys(self, entity: Entity) -> Sequence[tuple[str, str]]:
        """The `_id` and the key of each message that this entity would become."""
        if is_left_alone(entity, skip_deleted=self._settings.skip_deleted):
            return ()
        known = known_of(entity)
        if isinstance(known, Problem):
            return ()
        numbers = self._numbers(variables(entity))
        if isinstance(numbers, Problem):
            return ((known.id, self._key(known, "")),)
        return tuple((known.id, self._key(known, number)) for number in numbers)

    def make(
        self,
        entity: Entity,
        at: float,
        generations: Mapping[str, int] = NO_GENERATIONS,
        expires: float | None = None,
    ) -> Sequence[Made]:
        """The messages of an entity; none of one that is to be left alone. Whatever is wrong with it is `rejected`."""
        if is_left_alone(entity, skip_deleted=self._settings.skip_deleted):
            return ()
        known = known_of(entity)
        if isinstance(known, Problem):
            return (self._rejected(unknown(entity), known, NO_GENERATIONS),)
        values = variables(entity)
        numbers = self._numbers(values)
        if isinstance(numbers, Problem):
            return (self._rejected(known, numbers, generations),)
        text = self._text(values)
        if isinstance(text, Problem):
            return (self._rejected(known, text, generations),)
        return [self._made(known, number, text, generations, expires) for number in numbers]

    def _numbers(self, values: Mapping[str, Any]) -> tuple[str, ...] | Problem:
        if self._settings.numbers:
            return self._settings.numbers
        name = self._settings.property
        found = numbers_of(values.get(name))
        if found.wrong:
            return wrong("E502", f"`{name}` is {'; '.join(found.wrong)}", name)
        if not found.found:
            why = f"the entity has no `{name}`" if name not in values else f"`{name}` is empty"
            return wrong("E502", f"no recipient: {why}", name)
        return found.found

    def _text(self, values: Mapping[str, Any]) -> str | Problem:
        text = self._writes.write(values)
        if isinstance(text, Problem):
            return text
        text = whole(text.strip())
        if not text:
            return wrong("E510", "the text of the message is empty")
        if len(text) > MOST_CHARACTERS:
            return wrong("E510", f"the text has {len(text):,} characters, and a message at most {MOST_CHARACTERS:,}")
        if found := _control.search(text):
            return wrong("E510", f"the text has a control character, U+{ord(found[0]):04X}")
        return text

    def _key(self, known: Known, number: str) -> str:
        """The key of the message to a number; one that is sent elsewhere is another one."""
        redirect = self._settings.guards.redirect_to
        to = (number,) if number else ()
        return message_key(self._pipe, known.id, known.version, to if redirect is None else (*to, f">{redirect}"))

    def _made(
        self, known: Known, number: str, text: str, generations: Mapping[str, int], expires: float | None
    ) -> Made:
        settings = self._settings
        key = self._key(known, number)
        generation = generations.get(key, 0)
        to, body = number, text
        if settings.guards.redirect_to is not None:
            to, body = self._redirect or number, f"[to {number}] {text}"[:MOST_CHARACTERS]
        content = frozen(settings.sender, to, body)
        envelope = Envelope(settings.sender, (to,))
        new = NewMessage(
            key,
            self._pipe,
            settings.system,
            known.id,
            (to,),
            stored(envelope),
            content,
            known.text,
            _title(body),
            self._run,
            generation,
            settings.at_most_once,
            expires,
        )
        why = self._held(to)
        if why:
            return Made(new._replace(state=MessageState.HELD, detail=why), None)
        return Made(new, Message(name_of(key, generation), envelope, content))

    def _held(self, to: str) -> str:
        redirect = self._settings.guards.redirect_to
        if redirect is not None and self._redirect is None:
            return whole(f"all messages are to go to {redirect}, which is not a telephone number")
        outside = self._gate.outside((to,))
        return f"not among those who may get messages: {', '.join(outside)}" if outside else ""

    def _rejected(self, known: Known, problem: Problem, generations: Mapping[str, int]) -> Made:
        key = self._key(known, "")
        new = NewMessage(
            key,
            self._pipe,
            self._settings.system,
            known.id,
            (),
            stored(Envelope("", ())),
            b"",
            known.text,
            run=self._run,
            generation=generations.get(key, 0),
            state=MessageState.REJECTED,
            detail=whole(f"{problem.code} {problem.told}"),
        )
        return Made(new, None, problem)


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1]}…"


def _shown(text: str) -> str:
    text = whole("".join(each if each.isprintable() else "\ufffd" for each in text))
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
