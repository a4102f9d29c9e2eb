"""Discarded mail once more: its entities as the state kept them, through the sink of their pipe."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mailweir.flows import CannotRunError, PipeContext, mail_sink, pipes_of
from mailweir.ledger.opened import look
from mailweir.systems_of import Systems
from pipeline.component import Wishes
from pipeline.entity import typed
from pipeline.run import BATCH
from sinks.outgoing import OutgoingConfig
from systems.mail import CarrierConfig, gate_of

if TYPE_CHECKING:
    from pipeline.config.load import Loaded
    from pipeline.entity import Entity
    from pipeline.pipe import PipeConfig
    from pipeline.state.port import Look
    from pipeline.state.views import Row
    from sinks.mail.maker import Makes


class Plan(NamedTuple):
    """Which messages go, the oldest first; how many would be other mail now, and for how many there is no place."""

    ids: tuple[int, ...] = ()
    mails: int = 0
    changed: int = 0
    waiting: int = 0


class Kept:
    """A source: the entities of these messages, as they came to the sink."""

    def __init__(self, folder: Path, ids: Sequence[int]) -> None:
        """`folder` is that of the state."""
        self._folder = folder
        self._ids = ids

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """All of them; a position in a source is nothing to them."""
        del since
        # Whoever reads may be in the middle of a loop of events, and the state is asked in one.
        with ThreadPoolExecutor(1, "mailweir-kept") as pool:
            for start in range(0, len(self._ids), BATCH):
                yield pool.submit(self._entities, self._ids[start : start + BATCH]).result(), None

    def _entities(self, ids: Sequence[int]) -> list[Entity]:
        async def looking(state: Look) -> list[Entity]:
            details = [await state.message(one) for one in ids]
            return [typed(json.loads(each.entity)) for each in details if each is not None and each.entity]

        return look(self._folder, looking) or []


def plan(loaded: Loaded, folder: Path, pipe: str, rows: Sequence[Row]) -> Plan:
    """What of these discarded messages, the oldest first, can go now. `CannotRunError` if its pipe cannot be run.

    What would be discarded again stays as it is, and so does what would not be the same mail: one that was sent
    elsewhere (`--to`), or whose recipients the pipe takes from somewhere else today.
    """
    systems = Systems(loaded)
    (config,) = pipes_of(loaded, (pipe,))
    sink = _mail(config)
    system = systems.config(sink.system, CarrierConfig)
    gate, limit = gate_of(system, systems.configs(CarrierConfig))
    maker = sink.maker(PipeContext(systems, pipe, None), "", Wishes())

    async def looking(state: Look) -> Plan:
        (usage,) = await state.usage({gate: limit})
        room = float("inf") if system.on_limit == "queue" else float(usage.free)
        ids: dict[str, int] = {}
        mails = changed = waiting = 0
        for row in rows:
            detail = await state.message(row.id)
            text = None if detail is None else detail.entity
            places = len(row.recipients) if system.count_by == "recipient" else 1
            if text is None or not _is_one_of(row, maker, json.loads(text)):
                changed += 1
            elif places > room:
                waiting += 1
            else:
                room -= places
                mails += 1
                # An entity that became several mails is read once.
                ids.setdefault(text, row.id)
        return Plan(tuple(ids.values()), mails, changed, waiting)

    return look(folder, looking) or Plan()


def _is_one_of(row: Row, maker: Makes, entity: Entity) -> bool:
    return row.name.partition(".")[0] in {key for _, key in maker.keys(entity)}


def _mail(pipe: PipeConfig) -> OutgoingConfig:
    sink = mail_sink(pipe)
    if sink is None:
        raise CannotRunError(f"the pipe `{pipe.id}` sends no mail any more")
    return sink
