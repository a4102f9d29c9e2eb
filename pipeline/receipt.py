"""What became of an entity: one word, the same in the summary, the log, the metrics and the tests. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of one entity at one sink, with a few words of detail."""

    entity_id: str
    target: str
    outcome: Outcome
    detail: str = ""
