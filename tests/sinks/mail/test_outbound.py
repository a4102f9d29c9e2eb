"""Between the outbox and the port for mail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.state.facts import Claimed, MessageState, Moment, Retry, Settlement, Stranded
from sinks.mail import delivery, outbound
from sinks.mail.delivery import Policy, Standing, Times
from systems.mail import Answer, DeliveryReports, Envelope, Message, Phase, Status

TO = ("ann@example.com", "bo@example.com", "cy@example.com")
SENDS = Envelope("me@example.com", TO)


def claimed(envelope: Envelope = SENDS, result: str = "", due: float = 100.0, places: int = 1) -> Claimed:
    """A claim of a message."""
    return Claimed(
        7, 2, "key", "welcome", "office", "c-1", "r1", "gate", places, due, 50.0, None, 0, False, result,
        outbound.stored(envelope), b"Subject: Hi\r\n\r\n",
    )  # fmt: skip


def answers(*statuses: Status) -> list[Answer]:
    """What a server says, one after the other."""
    return [Answer("x@example.com", status, Phase.DOT, "mx", 250, "", "ok") for status in statuses]


@pytest.mark.parametrize(
    "envelope",
    [
        SENDS,
        Envelope("", ("ann@example.com",), smtputf8=True, xverp=True),
        Envelope("me@example.com", TO, reports=DeliveryReports(("SUCCESS", "FAILURE"), "HDRS", "id", TO)),
        Envelope("mé@example.com", ("bø@example.com",), reports=DeliveryReports()),
    ],
)
def test_an_envelope_comes_back_as_it_was(envelope: Envelope) -> None:
    """With all that it says."""
    assert outbound.restored(outbound.stored(envelope)) == envelope


@given(st.text(), st.lists(st.text(), min_size=1, max_size=3))
def test_properties_of_envelopes(sender: str, recipients: list[str]) -> None:
    """Any text."""
    envelope = Envelope(sender, tuple(recipients))
    assert outbound.restored(outbound.stored(envelope)) == envelope


def test_a_first_try_is_for_everybody() -> None:
    """With the frozen bytes, under the name that logs show."""
    out = outbound.outbound(claimed())
    assert out.message == Message("key", SENDS, b"Subject: Hi\r\n\r\n")
    assert out.tried == (0, 1, 2)
    assert outbound.outbound(claimed(), out.message) == out


def test_a_further_try_is_for_those_who_are_due() -> None:
    """The others have it, or wait for a later time."""
    standings = (Standing(MessageState.SENT, None), Standing(due=90.0), Standing(due=300.0))
    out = outbound.outbound(claimed(result=delivery.result_of(standings)))
    assert out.message.envelope == Envelope("me@example.com", ("bo@example.com",))
    assert out.tried == (1,)


def test_answers_become_a_settlement() -> None:
    """The claim's own number and permit, the next state, and how many places it used."""
    out = outbound.outbound(claimed(places=3))
    done = outbound.settlement(
        out, answers(Status.ACCEPTED, Status.TEMPORARY, Status.PERMANENT), Policy(), now=120.0, jitter=1.0
    )
    assert (done.id, done.number, done.gate, done.places, done.used, done.at) == (7, 2, "gate", 3, 1, 120.0)
    assert (done.state, done.due, done.pending, done.tries) == (MessageState.RETRYING, 420.0, 1, 1)
    standings = delivery.standings_of(done.result, 3, 0.0)
    assert [standing.state.value for standing in standings] == ["sent", "retrying", "dead"]


@given(
    st.sampled_from(MessageState), st.integers(0, 9), st.integers(0, 4), st.floats(0, 1e6), st.floats(0, 1e6),
    st.none() | st.integers(200, 599), st.text(max_size=9), st.sampled_from(Phase), st.integers(0, 2), st.booleans(),
    st.none() | st.floats(0, 1e6), st.booleans(),
)  # fmt: skip
def test_properties_of_a_message_that_was_taken(
    state: MessageState,
    tries: int,
    doubts: int,
    began: float,
    now: float,
    code: int | None,
    text: str,
    phase: Phase,
    places: int,
    at_most_once: bool,
    expires: float | None,
    fresh: bool,
) -> None:
    """The short way that most messages go ends where the table says."""
    result = (
        ""
        if fresh
        else delivery.result_of((Standing(state, 90.0, tries, doubts, 450, "4.0.0", "later", "mx", "data", began),))
    )
    claim = claimed(Envelope("me@example.com", TO[:1]), result, places=places)
    claim = claim._replace(at_most_once=at_most_once, expires=expires)
    out = outbound.outbound(claim)
    answer = Answer(TO[0], Status.ACCEPTED, phase, "mx1", code, "2.0.0", text)
    done = outbound.settlement(out, [answer], Policy(), now, 0.5)
    standings = delivery.standings_of(result, 1, claim.due)
    step = delivery.step(standings, (0,), [answer], Policy(), Times(expires, now), 0.5)
    assert out == outbound.Outbound(claim, out.message, (0,), standings)
    assert done == Settlement(
        7, 2, "gate", places, min(places, step.used), now, step.state, step.due, step.pending, step.tries,
        delivery.result_of(step.standings),
    )  # fmt: skip
    assert (type(done), type(out)) == (Settlement, outbound.Outbound)


def test_a_message_takes_one_place_whatever_its_recipients() -> None:
    """Unless recipients are counted."""
    out = outbound.outbound(claimed(places=1))
    assert outbound.settlement(out, answers(*[Status.ACCEPTED] * 3), Policy(), 120.0, 0.5).used == 1


@pytest.mark.parametrize(("admitted", "now", "due"), [(False, False, 180.0), (True, False, None), (False, True, None)])
def test_once_at_most_holds_from_whenever_it_is_said(*, admitted: bool, now: bool, due: float | None) -> None:
    """At its admission or at its try: a word that is taken back later makes no second copy."""
    out = outbound.outbound(claimed(envelope=Envelope("me@example.com", TO[:1]))._replace(at_most_once=admitted))
    policy = Policy("at_most_once" if now else "at_least_once")
    done = outbound.settlement(out, answers(Status.IN_DOUBT), policy, now=120.0, jitter=0.5)
    assert (done.state, done.due) == (MessageState.IN_DOUBT, due)


def test_an_expired_message_is_settled_unsent() -> None:
    """Nobody got it in this try."""
    done = outbound.overdue(claimed(places=0), 120.0)
    assert (done.state, done.due, done.used, done.places) == (MessageState.EXPIRED, None, 0, 0)


@pytest.mark.parametrize(("once", "due"), [(False, 180.0), (True, None)])
def test_who_may_have_got_it_is_in_doubt(*, once: bool, due: float | None) -> None:
    """Only those of the try that was under way, as if the answer had been lost."""
    standings = (Standing(MessageState.SENT, None), Standing(due=100.0), Standing(due=300.0))
    left = Stranded(7, 2, "gate", 1, 100.0, 50.0, None, 1, once, TO, delivery.result_of(standings))
    done = outbound.stranded(left, Moment(120.0, 0.0))
    after = delivery.standings_of(done.result, 3, 0.0)
    assert after[0] == standings[0]
    assert after[2] == standings[2]
    assert (after[1].state, after[1].due, after[1].doubts) == (MessageState.IN_DOUBT, due, 1)
    assert (done.used, done.due) == (1, due or 300.0)


def test_sent_once_more_on_a_persons_word() -> None:
    """To those who do not have it."""
    standings = (
        Standing(MessageState.SENT, None),
        Standing(MessageState.DEAD, None),
        Standing(MessageState.HELD, None),
    )
    message = Retry(7, MessageState.HELD, TO, delivery.result_of(standings))
    retried = outbound.once_more(message, Moment(500.0, 0.0))
    assert retried is not None
    assert retried.pending == 2
    assert delivery.due_by(delivery.standings_of(retried.result, 3, 0.0), 500.0) == (1, 2)
    assert outbound.once_more(message._replace(result=delivery.result_of(standings[:1])), Moment(500.0, 0.0)) is None
