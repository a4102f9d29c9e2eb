"""What became of what: one word, the same in the summary, the log, the metrics and the tests. No I/O."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple


class Outcome(StrEnum):
    """The outcome words."""

    SENT = "sent"
    QUEUED = "queued"
    RETRYING = "retrying"
    IN_DOUBT = "in_doubt"
    DEAD = "dead"
    REJECTED = "rejected"
    DISCARDED = "discarded"
    HELD = "held"
    SKIPPED = "skipped"
    WRITTEN = "written"

    # That of `Enum` is a function of Python, and receipts are counted by their outcome.
    __hash__ = str.__hash__


_sent: Final = Outcome.SENT

# How many receipts of each outcome a report keeps whole: who wants them all asks the outbox.
MOST_SHOWN: Final = 20


class Receipt(NamedTuple):
    """The outcome of one entity at one sink, with a few words of detail.

    `target` names what it became, such as the key of a mail. `before` is what an earlier receipt of this run said of
    it; `earlier` says that it is left from another run. `due` is the wall time of the next try. `missed` are recipients
    that will not get what was sent to others.
    """

    entity_id: str
    target: str
    outcome: Outcome
    detail: str = ""
    before: Outcome | None = None
    earlier: bool = False
    due: float | None = None
    missed: int = 0


class Tally(NamedTuple):
    """The outcomes of many entities, of none of which there is more to tell.

    `deleted` were not read: they were kept from earlier runs, and the source has them no more.
    """

    counts: Mapping[Outcome, int]
    deleted: int = 0


@dataclass
class Report:
    """A run of one pipe. `outcomes` adds up to what reached the sink; what earlier runs left is counted apart."""

    pipe: str
    read: int = 0
    filtered: int = 0
    seconds: float = 0.0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    earlier: Counter[Outcome] = field(default_factory=Counter)
    shown: dict[Outcome, list[Receipt]] = field(default_factory=dict)
    partly: int = 0
    """How many of those that were sent will not reach everybody they were for."""
    deleted: int = 0
    """How many entities that earlier runs kept were deleted because the source has them no more."""
    left_out: int = 0
    """How many parts of the source are no entities and were passed over, as `on_error` says: they are not read."""
    stopped: str = ""
    """Why the run ended before its source did."""

    def take_all(self, receipts: Iterable[Receipt] | Tally) -> None:
        """Count some more."""
        if isinstance(receipts, Tally):
            self.outcomes.update(receipts.counts)
            self.deleted += receipts.deleted
            return
        sent = 0
        for receipt in receipts:
            _, _, outcome, _, before, earlier, _, missed = receipt
            if outcome is _sent and before is None and not earlier and not missed:  # most of them
                sent += 1
            else:
                self.take(receipt)
        if sent:
            self.outcomes[_sent] += sent

    def take(self, receipt: Receipt) -> None:
        """Count one more."""
        counts = self.earlier if receipt.earlier else self.outcomes
        if receipt.before is not None and not receipt.earlier:
            counts[receipt.before] -= 1
            shown = self.shown.get(receipt.before, [])
            shown[:] = [one for one in shown if one.target != receipt.target]
        counts[receipt.outcome] += 1
        self.partly += receipt.missed > 0
        if receipt.outcome is not Outcome.SENT or receipt.missed:
            kept = self.shown.setdefault(receipt.outcome, [])
            if len(kept) < MOST_SHOWN:
                kept.append(receipt)

    @property
    def total(self) -> int:
        """How many the outcomes are of."""
        return self.outcomes.total()

    @property
    def left(self) -> int:
        """How many were read and have no word because the run ended in the middle: the next one finds them."""
        return max(0, self.read - self.filtered - self.total) if self.stopped else 0

    def summary(self) -> str:
        """The counts as JSON, for the record of runs."""
        counts: dict[str, int] = {
            "read": self.read,
            "filtered": self.filtered,
            **({"left_out": self.left_out} if self.left_out else {}),
            **({"deleted": self.deleted} if self.deleted else {}),
            **{each.value: many for each, many in self.outcomes.items()},
        }
        return json.dumps({**counts, "earlier": self.earlier, "stopped": self.stopped})
