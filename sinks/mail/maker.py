"""An entity becomes the mail that is admitted: addressed, rendered, composed, and named by its key. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from pipeline.entity import Entity
from pipeline.errors import Problem
from pipeline.state.facts import MessageState, NewMessage
from pipeline.state.keys import message_key, name_of
from pipeline.template.templates import Templates, variables
from sinks.mail.compose import Composer
from sinks.mail.enclosures import NOTHING, Enclosed, Reads, no_files
from sinks.mail.entities import Known, is_left_alone, known_of, unknown, whole
from sinks.mail.letter import Attachment, Heading, Letter, Mailbox, Refusal
from sinks.mail.lines import Line, Lines
from sinks.mail.mime import Signs
from sinks.mail.outbound import stored
from sinks.mail.people import Fields, Gate, Guards, Named
from sinks.mail.recipients import distinct
from sinks.mail.refusals import problem_of
from sinks.mail.texts import Texts, Way, Writing
from systems.mail import Envelope, Message

# Without the function of Python that `NamedTuple` puts before it, which is slow with so many values.
_new: Final = tuple.__new__
NO_GENERATIONS: Final[Mapping[str, int]] = MappingProxyType({})
_NO_ENVELOPE: Final = stored(Envelope("", ()))


@dataclass(frozen=True, slots=True)
class Settings:
    """What all mails of a sink have in common, as plain values."""

    system: str
    heading: Heading
    people: Fields
    templates: Templates
    subject: Way
    body: Way
    text: Way
    headers: tuple[Line, ...] = ()
    unsubscribe: tuple[Line, ...] = ()
    attachments: Enclosed = NOTHING
    images: Enclosed = NOTHING
    reads: Reads = no_files
    styles: Callable[[str], str] | None = None
    guards: Guards = field(default_factory=Guards)
    signers: tuple[Signs, ...] = ()
    return_path: str | None = None
    largest: int | None = None
    per_recipient: bool = False
    skip_deleted: bool = True
    at_most_once: bool = False


class Made(NamedTuple):
    """One mail to admit. `message` is what goes on the wire; there is none of a mail that is rejected or held.

    `problem` says why it is rejected, `notes` what a person may want to know of it all the same.
    """

    new: NewMessage
    message: Message | None
    problem: Problem | None = None
    notes: tuple[str, ...] = ()


class Makes(Protocol):
    """What makes mails of entities: `Maker`."""

    def keys(self, entity: Entity) -> Sequence[tuple[str, str]]:
        """The `_id` and the key of each mail that this entity would become."""
        ...

    def make(
        self,
        entity: Entity,
        at: float,
        generations: Mapping[str, int] = NO_GENERATIONS,
        expires: float | None = None,
    ) -> Sequence[Made]:
        """The mails of an entity."""
        ...


class Said(NamedTuple):
    """What a mail says, before anybody is named in it: the fields of a letter by these names."""

    texts: Texts
    headers: tuple[tuple[str, str], ...] = ()
    unsubscribe: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    images: tuple[Attachment, ...] = ()


class Maker:
    """Makes the mails of one sink."""

    def __init__(self, settings: Settings, pipe: str, run: str) -> None:
        """Refuse, with `RefusedError`, what no mail can have. `run` names the run that admits them."""
        self._settings = settings
        self._pipe = pipe
        self._run = run
        self._composer = Composer(
            settings.heading,
            return_path=settings.return_path,
            signers=settings.signers,
            styles=settings.styles,
            largest=settings.largest,
        )
        self._writing = Writing(settings.templates, settings.subject, settings.body, settings.text)
        self._headers = Lines(settings.templates, settings.headers)
        self._unsubscribe = Lines(settings.templates, settings.unsubscribe)
        brought = settings.attachments.anything() or settings.images.anything()
        self._plain = not (settings.headers or settings.unsubscribe or brought)
        self._gate = Gate(settings.guards.only_to)
        redirect = settings.guards.redirect_to
        self._redirect = None if redirect is None else (Mailbox("", redirect),)

    def keys(self, entity: Entity) -> Sequence[tuple[str, str]]:
        """The `_id` and the key of each mail that this entity would become."""
        if is_left_alone(entity, skip_deleted=self._settings.skip_deleted):
            return ()
        known = known_of(entity)
        if isinstance(known, Problem):
            return ()
        named = self._settings.people.named(variables(entity))
        if isinstance(named, Problem):
            return ((known.id, self._key(known, ())),)
        return tuple((known.id, self._key(known, _addresses(each))) for each in self._each(named))

    def make(
        self,
        entity: Entity,
        at: float,
        generations: Mapping[str, int] = NO_GENERATIONS,
        expires: float | None = None,
    ) -> Sequence[Made]:
        """The mails of an entity, usually one; none of one that is to be left alone.

        `at` is when they are written, in seconds since 1970. `generations` says of keys how often they were sent before
        on purpose. `expires` is put on record with the mails. Whatever is wrong with the entity, its mail is
        `rejected`.
        """
        if is_left_alone(entity, skip_deleted=self._settings.skip_deleted):
            return ()
        known = known_of(entity)
        if isinstance(known, Problem):
            return (self._rejected(unknown(entity), (), known, 0),)
        values = variables(entity)
        named = self._settings.people.named(values)
        if isinstance(named, Problem):
            return (self._rejected(known, (), named, generations.get(self._key(known, ()), 0)),)
        said = self._said(values)
        if len(named.to) == 1 or not self._settings.per_recipient:
            return (self._made(known, named, said, at, generations, expires),)
        return tuple([self._made(known, each, said, at, generations, expires) for each in self._each(named)])

    def letter(self, known: Known, named: Named, said: Said, at: float, expires: float | None = None) -> Made:
        """One mail that somebody else has written: from, to and with what the sink has for all of its mails.

        `known` is what it is known by; the same is the same mail.
        """
        return self._made(known, named, said, at, NO_GENERATIONS, expires)

    def _each(self, named: Named) -> Sequence[Named]:
        """The recipients of each mail."""
        if not self._settings.per_recipient or len(named.to) == 1:
            return (named,)
        return [named._replace(to=(box,)) for box in named.to]

    def _said(self, values: Mapping[str, Any]) -> Said | Problem:
        """What the mail for these variables says."""
        texts = self._writing.write(values)
        if isinstance(texts, Problem):
            return texts
        return Said(texts) if self._plain else self._furnished(texts, values)

    def _furnished(self, texts: Texts, values: Mapping[str, Any]) -> Said | Problem:
        """The same with what few sinks have."""
        settings = self._settings
        headers, unsubscribe = self._headers.write(values), self._unsubscribe.write(values)
        if isinstance(headers, Problem):
            return headers
        if isinstance(unsubscribe, Problem):
            return unsubscribe
        attachments, images = (
            settings.attachments.of(values, settings.reads),
            settings.images.of(values, settings.reads),
        )
        if isinstance(attachments, Problem):
            return attachments
        if isinstance(images, Problem):
            return images
        addresses = tuple([address for _, address in unsubscribe])
        return Said(texts, headers, addresses, attachments, images)

    def _key(self, known: Known, to: Sequence[str]) -> str:
        """The key of the mail to these; one that is sent elsewhere is another one than that to them."""
        redirect = self._settings.guards.redirect_to
        return message_key(self._pipe, known.id, known.version, to if redirect is None else (*to, f">{redirect}"))

    def _made(
        self,
        known: Known,
        named: Named,
        said: Said | Problem,
        at: float,
        generations: Mapping[str, int],
        expires: float | None,
    ) -> Made:
        first = _addresses(named)
        key = self._key(known, first)
        generation = generations.get(key, 0) if generations else 0
        if isinstance(said, Problem):
            return self._rejected(known, first, said, generation)
        to, cc, bcc, reply_to, sender, skipped = named
        (subject, text, html), headers, unsubscribe, attachments, images = said
        name = name_of(key, generation) if generation else key
        letter = _new(
            Letter,
            (
                name,
                int(at),
                to,
                subject,
                text,
                html,
                cc,
                bcc,
                sender,
                reply_to,
                headers,
                unsubscribe,
                attachments,
                images,
            ),
        )
        if self._redirect is not None:
            letter = _redirected(letter, self._redirect, first)
        message = self._composer.compose(letter)
        if isinstance(message, Refusal):
            return self._rejected(known, first, problem_of(message), generation, letter.subject)
        _, envelope, content, _ = message
        recipients = envelope.recipients
        settings = self._settings
        title = letter.subject
        facts = (
            key, self._pipe, settings.system, known.id, recipients, stored(envelope), content, known.text,
            title if title.isascii() else whole(title), self._run, generation, settings.at_most_once, expires,
            MessageState.QUEUED, "",
        )  # fmt: skip
        new = _new(NewMessage, facts)
        outside = self._gate.outside(recipients)
        if outside:
            why = f"not among those who may get mail: {', '.join(outside)}"
            return Made(new._replace(state=MessageState.HELD, detail=whole(why)), None, None, skipped)
        return Made(new, message, None, skipped)

    def _rejected(
        self, known: Known, to: tuple[str, ...], problem: Problem, generation: int, subject: str = ""
    ) -> Made:
        new = NewMessage(
            self._key(known, to),
            self._pipe,
            self._settings.system,
            known.id,
            to,
            _NO_ENVELOPE,
            b"",
            known.text,
            whole(subject),
            self._run,
            generation,
            state=MessageState.REJECTED,
            detail=whole(f"{problem.code} {problem.told}"),
        )
        return Made(new, None, problem)


def _addresses(named: Named) -> tuple[str, ...]:
    """Those that get the mail, each once."""
    if len(named.to) == 1 and not named.cc and not named.bcc:  # most mail
        return (named.to[0].address,)
    return distinct(named.to, named.cc, named.bcc)


def _redirected(letter: Letter, to: tuple[Mailbox, ...], first: Sequence[str]) -> Letter:
    """The same to somebody else, with those it was for in a header and in the subject."""
    more = f" and {len(first) - 1} more" if len(first) > 1 else ""
    return letter._replace(
        to=to,
        cc=(),
        bcc=(),
        subject=f"[to {first[0]}{more}] {letter.subject}",
        headers=(*letter.headers, ("X-Original-To", ", ".join(first))),
    )
