"""Reading what became of messages: a log that is kept until it has been passed on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple

import msgspec

from pipeline.entity import Datetime, Entity, from_json
from pipeline.run import StoppedError
from pipeline.state.facts import MessageState, outcome_of
from pipeline.state.faults import StateError
from pipeline.state.outcomes import Outcomes, Settled
from sources.parts import BATCH

Given = tuple[Sequence[Entity], str | None]
OnRecord = Callable[[], AbstractContextManager[Callable[[], str | None]]]

# Of what sinks put on record of a recipient: where it stands, and the last that a server said.
_STATE: Final = 0
_SAID: Final = slice(4, 8)


class Reader(NamedTuple):
    """Whose messages are meant, who reads of them, and which properties of their entities are wanted."""

    pipe: str
    name: str
    properties: tuple[str, ...] = ()
    from_first: bool = True


class OutcomesSource:
    """What became of the messages of a pipe."""

    waits: Final = True
    # What the log has no more was not deleted.
    cut: Final = True

    def __init__(self, outcomes: Outcomes, reader: Reader, on_record: OnRecord | None, *, sends: bool) -> None:
        """Without `on_record` it is only looked at. `sends`: the pipe is there, and sends messages."""
        self._outcomes = outcomes
        self._reader = reader
        self._on_record = on_record
        self._sends = sends

    def knows(self, since: str) -> bool:
        """Whether this is a position in it."""
        return since.isascii() and since.isdigit()

    def read(self, since: str | None) -> Iterator[Given]:
        """All that is there behind a position. What is on record as passed on is kept no longer."""
        if not self._sends:
            raise StoppedError(f"no pipe `{self._reader.pipe}` sends mails or text messages")
        outcomes, reader = self._outcomes, self._reader
        try:
            if self._on_record is not None:
                outcomes.begin(reader.pipe, reader.name, from_first=reader.from_first)
                with self._on_record() as on_record:
                    known = on_record()
                if known is not None and self.knows(known):
                    outcomes.passed_on(reader.name, int(known))
            after = int(since) if since is not None and self.knows(since) else 0
            while found := outcomes.settled(reader.name, after, BATCH):
                after = found[-1].number
                yield [entity for one in found for entity in entities_of(one, reader)], str(after)
        except StateError as error:
            raise StoppedError(str(error)) from None
        finally:
            outcomes.close()


def entities_of(one: Settled, reader: Reader) -> Iterator[Entity]:
    """An entity for each recipient; one without any for a message that was to go to nobody."""
    made: Entity = from_json(one.entity.encode()) if one.entity and reader.properties else {}
    shared = {name: made[name] for name in reader.properties if name in made}
    told: list[Any] = msgspec.json.decode(one.result) if one.result else []
    for place, recipient in enumerate(one.recipients or (None,)):
        values = told[place] if place < len(told) else None
        state = one.state if values is None else MessageState(values[_STATE])
        code, enhanced, text, server = (None, "", "", "") if values is None else values[_SAID]
        yield {
            **shared,
            "_id": ":".join(part for part in (reader.pipe, str(one.message), recipient) if part is not None),
            "pipe": reader.pipe,
            "entity": one.entity_id,
            "recipient": recipient,
            "outcome": outcome_of[state].value,
            "code": code,
            "answer": " ".join(part for part in (enhanced, text) if part) or one.detail,
            "server": server,
            "at": Datetime(round(one.at * 1e9)),
        }
