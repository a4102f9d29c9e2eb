"""The mail port: values that do not change, words that do not overlap, and a system that carries mail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Self

import pytest

from systems.mail import (
    Answer,
    Answered,
    DeliveryReports,
    Envelope,
    MailSystem,
    Message,
    Phase,
    Reason,
    Status,
    SystemFault,
    Trouble,
    part,
)
from systems.smtp.config import TimeoutsConfig

MESSAGE = Message("k", Envelope("a@example.com", ("b@example.com", "c@example.com")), b"Subject: Hi\r\n\r\n")


class Taker:
    """A system that takes everything."""

    async def __aenter__(self) -> Self:
        """Nothing is opened."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing is closed."""

    async def send(
        self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
    ) -> AsyncIterator[Sequence[Answered]]:
        """Accept."""
        for message in messages:
            handing_over([message])
            recipients = message.envelope.recipients
            answers = tuple(Answer(each, Status.ACCEPTED, Phase.DOT, "here") for each in recipients)
            yield [Answered(message, answers)]

    @property
    def trouble(self) -> Trouble | None:
        """None ever."""
        return None


async def carry(system: MailSystem, messages: Iterable[Message]) -> tuple[list[Message], list[Answered]]:
    """What a sink does with the port."""
    handed: list[Message] = []
    answered: list[Answered] = []
    async with system:
        async for group in system.send(messages, handed.extend):
            answered += group
    return handed, answered


def test_a_system_behind_the_port_answers_each_recipient() -> None:
    """A class with these methods is a mail system; a sink hears of the end of a message before its answer."""
    coroutine = carry(Taker(), [MESSAGE])
    with pytest.raises(StopIteration) as stopped:
        coroutine.send(None)
    handed, answered = stopped.value.value
    assert handed == [MESSAGE]
    assert [(one.recipient, one.status) for one in answered[0].answers] == [
        ("b@example.com", Status.ACCEPTED),
        ("c@example.com", Status.ACCEPTED),
    ]


@pytest.mark.parametrize(
    "value",
    [
        MESSAGE,
        MESSAGE.envelope,
        DeliveryReports(),
        Answer("b@example.com", Status.IN_DOUBT, Phase.DOT, "mx"),
        SystemFault(Phase.TLS, Reason.TLS_MISSING, "no TLS"),
    ],
)
def test_what_crosses_the_port_does_not_change(value: Message) -> None:
    """Every value is frozen and has no room for more."""
    assert not hasattr(value, "__dict__")
    name = next(iter(type(value).__annotations__))
    with pytest.raises(AttributeError):
        setattr(value, name, "other")


def test_a_part_of_a_message_has_what_belongs_to_its_recipients() -> None:
    """Their original addresses go with them, and all else stays as it is."""
    reports = DeliveryReports(("NEVER",), original=("b@old.example", "c@old.example"))
    whole = Message("k", Envelope("a@example.com", ("b@example.com", "c@example.com"), reports=reports), b"x")
    some = part(whole, (1,))
    assert some.envelope.recipients == ("c@example.com",)
    assert some.envelope.reports == DeliveryReports(("NEVER",), original=("c@old.example",))
    assert (some.key, some.content, some.envelope.sender) == (whole.key, whole.content, whole.envelope.sender)
    assert part(MESSAGE, (0, 1)) == MESSAGE


def test_every_deadline_has_its_phase() -> None:
    """The names in `timeouts` are names of phases, so that the phase says which deadline runs."""
    names = set(TimeoutsConfig.model_fields) - {"comment", "schema_url"}
    assert names <= {phase.value for phase in Phase}


def test_a_fault_heals_by_waiting_unless_it_says_otherwise() -> None:
    """Most faults of systems pass."""
    assert SystemFault(Phase.GREETING, Reason.TIMEOUT, "silence").retryable


def test_trouble_names_its_server_once() -> None:
    """Also where the fault begins with the name."""
    gone = SystemFault(Phase.BEFORE, Reason.UNAVAILABLE, "localhost:1025 cannot be reached: connection refused")
    assert Trouble("localhost:1025", gone, 1.0).told == "localhost:1025 cannot be reached: connection refused"
    refused = SystemFault(Phase.LOGIN, Reason.LOGIN_REFUSED, "535 no")
    assert Trouble("mail:25", refused, 1.0).told == "mail:25: 535 no"
    assert Trouble("mail:25", refused, 1.0).told_of("office") == "mail:25: 535 no"
    assert Trouble("office", refused, 1.0).told_of("office") == "535 no"
