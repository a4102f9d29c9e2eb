"""What is told of mails: receipts, and the words in them for people. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.receipt import Outcome, Receipt
from pipeline.state.facts import Known, MessageState, Part, outcome_of
from sinks.mail.delivery import Standing, standings_of
from systems.mail import Answer


class Told:
    """The receipts of a run that nobody has taken yet."""

    def __init__(self, run: str, *, may_be_discarded: bool) -> None:
        """`may_be_discarded`: the limit discards what waits for it, also what was told as queued."""
        self.receipts: list[Receipt] = []
        self.parts: dict[int, Sequence[Part]] = {}
        """Of mails that are made of several entities, by their ids."""
        self.queued: set[str] = set()
        """The names of mails that were told as queued and may still be discarded."""
        self._run = run
        self._may_be_discarded = may_be_discarded

    def take(self) -> Sequence[Receipt]:
        """All of them."""
        taken, self.receipts = self.receipts, []
        return taken

    def say(self, number: int, receipt: Receipt) -> None:
        """Tell of a mail; of one that is made of several entities, for each of them."""
        parts = self.parts.get(number) if self.parts else None
        if parts is None:
            self.receipts.append(receipt)
            return
        for part in parts:
            earlier = part.run != self._run
            before = None if earlier else receipt.before or Outcome.QUEUED
            self.receipts.append(receipt._replace(entity_id=part.entity_id, before=before, earlier=earlier))

    def queue(self, number: int, entity_id: str, name: str) -> None:
        """Tell that a mail waits."""
        if self._may_be_discarded:
            self.queued.add(name)
        self.say(number, Receipt(entity_id, name, Outcome.QUEUED))


def was(standings: Sequence[Standing]) -> Outcome:
    """What was told of a mail that waited."""
    states = {standing.state for standing in standings if standing.due is not None}
    for state in (MessageState.IN_DOUBT, MessageState.RETRYING):
        if state in states:
            return outcome_of[state]
    return Outcome.QUEUED


def why_known(fate: Known) -> str:
    """Why a mail is skipped."""
    if fate.state is None or fate.state is MessageState.SENT:
        return "it was sent before"
    return f"it is {outcome_of[fate.state].value.replace('_', ' ')} from before"


def missing(result: str) -> tuple[int, str]:
    """How many recipients of a mail that was sent do not get it, and what was said of the first of them."""
    standings = standings_of(result, 0, 0.0)
    left = [one for one in standings if one.state is not MessageState.SENT]
    if not left:
        return 0, ""
    code = "" if left[0].code is None else f"{left[0].code} "
    return len(left), f"{len(standings) - len(left)} of {len(standings)}; {code}{left[0].text}"


def said(answers: Sequence[Answer]) -> str:
    """The worst that was answered, for people."""
    worst = answers[0] if len(answers) == 1 else max(answers, key=lambda answer: _rank[answer.status], default=None)
    if worst is None:
        return ""
    code = "" if worst.code is None else f"{worst.code} "
    enhanced = f"{worst.enhanced} " if worst.enhanced else ""
    return f"{code}{enhanced}{worst.text}".strip()


_rank: Final = {"accepted": 0, "not_tried": 1, "temporary": 2, "permanent": 3, "in_doubt": 4}
