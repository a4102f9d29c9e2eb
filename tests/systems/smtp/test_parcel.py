"""Messages that go in parts, and the calls they came from."""

from __future__ import annotations

from collections.abc import Iterator

from systems.mail import Answer, DeliveryReports, Envelope, Message, Phase, Status
from systems.smtp.parcel import MOST_ROUNDS, Job, Parcel


def answer(recipient: str, status: Status) -> Answer:
    """An answer for a recipient."""
    return Answer(recipient, status, Phase.RECIPIENT, "mx")


def parcel(*recipients: str, reports: DeliveryReports | None = None) -> Parcel:
    """A message that was taken from a caller."""
    whole = Message("k", Envelope("a@b.no", recipients, reports=reports), b"x")
    job = Job(iter(()), lambda _: None, lambda: None)
    return Parcel(job, whole)


def test_what_was_not_tried_goes_again_alone() -> None:
    """The rest is a message to the rest, with the reports that belong to it, and all answers come together."""
    reports = DeliveryReports(original=("x@b.no", "y@b.no", "z@b.no"))
    one = parcel("x", "y", "z", reports=reports)
    assert one.again([answer("x", Status.ACCEPTED), answer("y", Status.NOT_TRIED), answer("z", Status.NOT_TRIED)])
    assert list(one.message.envelope.recipients) == ["y", "z"]
    assert one.message.envelope.reports == DeliveryReports(original=("y@b.no", "z@b.no"))
    assert one.again([answer("y", Status.NOT_TRIED), answer("z", Status.PERMANENT)])
    assert one.message.envelope.recipients[0] == "y"
    last = (answer("y", Status.TEMPORARY),)
    assert not one.again(last)
    told = one.answered(last)
    assert told.message is one.whole
    assert [each.status for each in told.answers] == [Status.ACCEPTED, Status.TEMPORARY, Status.PERMANENT]


def test_what_is_never_tried_ends() -> None:
    """A message that no connection tries is told after some rounds."""
    one = parcel("x")
    untried = (answer("x", Status.NOT_TRIED),)
    assert [one.again(untried) for _ in range(MOST_ROUNDS)] == [True] * (MOST_ROUNDS - 1) + [False]
    assert one.answered(untried).answers == untried


def test_a_job_ends_when_all_is_told() -> None:
    """It is finished when there are no more messages and each one taken is answered."""
    woken: list[int] = []
    one = parcel("x")
    job = Job(iter([one.whole]), lambda _: None, lambda: woken.append(1))
    assert job.take() is one.whole
    assert job.take() is None
    assert not job.finished
    job.tell(one.answered((answer("x", Status.ACCEPTED),)))
    assert job.finished
    assert woken
    assert len(job.results) == 1


def test_a_job_keeps_the_first_error() -> None:
    """What the caller's own code raises is kept for the caller, and nothing more is taken."""

    def broken() -> Iterator[Message]:
        raise LookupError("first")
        yield parcel("x").whole

    job = Job(broken(), lambda _: None, lambda: None)
    assert job.take() is None
    job.fail(ValueError("second"))
    assert isinstance(job.error, LookupError)
    assert job.finished
