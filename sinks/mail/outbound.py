"""Between the outbox and the port for mail: a claim becomes a message, answers become a settlement. No I/O."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import msgspec

from pipeline.state.facts import Claimed, Moment, Retried, Retry, Settlement, Stranded
from sinks.mail import delivery
from sinks.mail.delivery import Policy, Standing, Step, Times
from systems.mail import Answer, DeliveryReports, Envelope, Message, Phase, Status, part

_encode: Final = msgspec.json.encode
# Every mail passes here: members of enumerations by names of their own, and tuples without a function of Python
# around them.
_accepted: Final = Status.ACCEPTED
_sent: Final = delivery.SENT
_new: Final = tuple.__new__
_everybody: Final = (0,)


class Outbound(NamedTuple):
    """A claim as a mail system takes it: the message is for the recipients at `tried`."""

    claim: Claimed
    message: Message
    tried: tuple[int, ...]
    standings: tuple[Standing, ...]


def stored(envelope: Envelope) -> str:
    """An envelope as the state keeps it."""
    values: dict[str, Any] = {"sender": envelope.sender, "recipients": envelope.recipients}
    if envelope.smtputf8:
        values["smtputf8"] = True
    if envelope.xverp:
        values["xverp"] = True
    if (reports := envelope.reports) is not None:
        values["reports"] = [reports.notify, reports.returns, reports.envelope_id, reports.original]
    return _encode(values).decode()


def restored(text: str) -> Envelope:
    """The envelope that was kept."""
    values = json.loads(text)
    reports = None
    if kept := values.get("reports"):
        notify, returns, envelope_id, original = kept
        reports = DeliveryReports(tuple(notify), returns, envelope_id, tuple(original))
    return Envelope(
        values["sender"],
        tuple(values["recipients"]),
        values.get("smtputf8", False),
        reports,
        values.get("xverp", False),
    )


def outbound(claim: Claimed, composed: Message | None = None) -> Outbound:
    """What to hand to the mail system: the frozen bytes, for the recipients whose time has come.

    `composed` is the message as it was admitted a moment ago, under the name of the claim: it spares making it again.
    """
    whole = composed or Message(claim.name, restored(claim.envelope), claim.content)
    if not claim.result and len(whole.envelope.recipients) == 1:  # most mails
        return _new(Outbound, (claim, whole, _everybody, delivery.fresh(claim.due)))
    standings = delivery.standings_of(claim.result, len(whole.envelope.recipients), claim.due)
    tried = delivery.due_by(standings, claim.due)
    return Outbound(claim, whole if len(tried) == len(standings) else part(whole, tried), tried, standings)


def settlement(out: Outbound, answers: Sequence[Answer], policy: Policy, now: float, jitter: float) -> Settlement:
    """What the answers make of the claim. Once at most it goes if the policy says so, or said so at its admission."""
    claim, _, tried, standings = out
    if len(standings) == 1 == len(tried) == len(answers) and answers[0].status is _accepted:  # most mails
        # What the table makes of it, without the detour over steps.
        after = delivery.taken(standings[0], answers[0], now)
        places = claim.places
        result = delivery.result_of((after,))
        facts = (claim[0], claim[1], claim.gate, places, 1 if places else 0, now, _sent, None, 0, after[2], result, "")
        return _new(Settlement, facts)
    if claim.at_most_once and policy.delivery != "at_most_once":
        policy = replace(policy, delivery="at_most_once")
    step = delivery.step(standings, tried, answers, policy, Times(claim.expires, now), jitter)
    return _settlement(claim, step, now)


def overdue(claim: Claimed, now: float) -> Settlement:
    """The end of a message that expired while it waited."""
    standings = delivery.standings_of(claim.result, len(restored(claim.envelope).recipients), claim.due)
    return _settlement(claim, delivery.overdue(standings), now)


def stranded(left: Stranded, now: Moment) -> Settlement:
    """What becomes of a message whose sender died when it may have gone: as if the answer had been lost."""
    standings = delivery.standings_of(left.result, len(left.recipients), left.due)
    tried = delivery.due_by(standings, left.due)
    lost = [
        Answer(left.recipients[at], Status.IN_DOUBT, Phase.DOT, "", text="the sender ended before an answer came")
        for at in tried
    ]
    policy = Policy("at_most_once" if left.at_most_once else "at_least_once")
    step = delivery.step(standings, tried, lost, policy, Times(left.expires, now.steady), 0.0)
    return _settlement(left, step, now.steady)


def once_more(message: Retry, now: Moment) -> Retried | None:
    """What stands of a message that a person wants sent again; None if everybody has it."""
    standings = delivery.standings_of(message.result, len(message.recipients), now.steady)
    step = delivery.once_more(standings, now.steady)
    return None if step is None else Retried(delivery.result_of(step.standings), step.pending)


def _settlement(claim: Claimed | Stranded, step: Step, now: float) -> Settlement:
    return Settlement(
        claim.id,
        claim.number,
        claim.gate,
        claim.places,
        min(claim.places, step.used),
        now,
        step.state,
        step.due,
        step.pending,
        step.tries,
        delivery.result_of(step.standings),
    )
