"""The mail sink of a test: the real one, and what is told of each mail in the order of the entities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mailweir.testing import mails
from pipeline.receipt import Outcome, Receipt, Tally
from pipeline.state.keys import name_of
from sinks.mail.build import sink_of

if TYPE_CHECKING:
    from mailweir.testing.came import Came
    from mailweir.testing.world import CountingContext
    from pipeline.entity import Entity
    from pipeline.run import Portion
    from sinks.mail.maker import Made, Makes
    from sinks.outgoing import OutgoingConfig


@dataclass(slots=True)
class Recording:
    """A maker of mails that remembers what it made."""

    maker: Makes
    made: list[Made] = field(default_factory=list)

    def keys(self, entity: Entity) -> Sequence[tuple[str, str]]:
        """As the maker says."""
        return self.maker.keys(entity)

    def make(self, entity: Entity, *arguments: Any, **more: Any) -> Sequence[Made]:
        """As the maker does."""
        found = self.maker.make(entity, *arguments, **more)
        self.made += found
        return found


@dataclass(slots=True)
class _Mail:
    """A mail, or an entity of which there is none, and the last that was said of it."""

    entity_id: str
    target: str
    made: Made | None
    outcome: str = ""


class Sending:
    """The mail sink of a test, from moment to moment."""

    def __init__(self, config: OutgoingConfig, context: CountingContext, recording: Recording, came: Came) -> None:
        """The context is that of the pipe, and `came` is told in the end."""
        self._config = config
        self._context = context
        self._recording = recording
        self._came = came
        self._mails: list[_Mail] = []
        self._latest: dict[tuple[str, str], _Mail] = {}
        self._digests = config.gathers() is not None

    async def send(self, every: Sequence[Portion]) -> None:
        """What becomes of the entities of a moment, and of what waited for it."""
        sink = sink_of(self._config, self._context, self._recording)
        before = len(self._mails)
        self._recording.made.clear()
        receipts: list[Receipt] = []
        async for group in sink.write(every):
            assert not isinstance(group, Tally)  # noqa: S101 - a mail sink tells of each mail
            receipts += group
        order = {str(one.get("_id", "")): place for place, one in enumerate(self._entities(every))}
        fresh: dict[tuple[str, str], list[_Mail]] = {}
        for one in self._recording.made:
            new = one.new
            mail = _Mail(new.entity_id, name_of(new.key, new.generation), one)
            for name in {mail.target, new.key}:
                fresh.setdefault((new.entity_id, name), []).append(mail)
            self._mails.append(mail)
        for receipt in receipts:
            self._take(receipt, fresh)
        self._mails[before:] = sorted(self._mails[before:], key=lambda mail: order.get(mail.entity_id, len(order)))

    def _entities(self, every: Sequence[Portion]) -> Iterator[Entity]:
        return (one for portion in every for one in portion.entities)

    def _take(self, receipt: Receipt, fresh: Mapping[tuple[str, str], Sequence[_Mail]]) -> None:
        name = receipt.entity_id, receipt.target
        mail = None
        if receipt.before is None and not receipt.earlier:
            # Of an entity that comes twice the second mail is the one that is skipped.
            skipped = receipt.outcome is Outcome.SKIPPED
            same = fresh.get(name, ())
            mail = next((one for one in (reversed(same) if skipped else same) if not one.outcome), None)
        mail = mail or self._latest.get(name)
        if mail is None:
            mail = _Mail(*name, None)
            if not self._digests or receipt.outcome is not Outcome.QUEUED:
                self._mails.append(mail)
        mail.outcome = receipt.outcome.value
        self._latest[name] = mail

    def tell(self) -> None:
        """All of it."""
        came = self._came
        for mail in self._mails:
            if mail.outcome:
                came.outcomes.append(mail.outcome)
            if mail.made is not None:
                came.made.append(mail.made)
                came.mails.append(mails.document(mail.made, mail.outcome))
                if mail.made.problem is None:
                    came.raw.append(mails.raw(mail.made))
