"""What servers do wrong while a message is on its way: each fault by its number, with what becomes of whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from systems.mail import Message, Phase, Reason, Status
from systems.smtp.events import Closed, Event
from systems.smtp.protocol import Protocol

Connect = Callable[..., Protocol]
Make = Callable[..., Message]

OK, GO, QUEUED = b"250 ok\r\n", b"354 go\r\n", b"250 2.0.0 queued\r\n"
TAKEN = OK + OK + GO
END = None  # the end of the stream

A, T, P, D, N = Status.ACCEPTED, Status.TEMPORARY, Status.PERMANENT, Status.IN_DOUBT, Status.NOT_TRIED
MAIL, RCPT, DATA, BLOCK, DOT = Phase.MAIL, Phase.RECIPIENT, Phase.DATA, Phase.BLOCK, Phase.DOT

CLOSING, VIOLATION, GONE = Reason.CLOSING, Reason.VIOLATION, Reason.DISCONNECTED
OPEN = "open"
ORDERLY = "orderly"

One = tuple[Status, Phase, int | None]


def run(protocol: Protocol, *portions: bytes | None) -> list[Event]:
    """Feed the portions, with everything written between; all events."""
    events: list[Event] = []
    for portion in portions:
        for _ in iter(protocol.data_to_send, b""):
            pass
        events += protocol.receive_eof() if portion is None else protocol.receive_data(portion)
    return events


def answers(events: list[Event]) -> list[One]:
    """Status, phase and code of every recipient."""
    return [(one.status, one.phase, one.code) for event in events if isinstance(event, tuple) for one in event.answers]


def end(events: list[Event]) -> Reason | str:
    """How the connection ended, if it did."""
    if not events or not isinstance(events[-1], Closed):
        return OPEN
    return ORDERLY if events[-1].fault is None else events[-1].fault.reason


# What the server says to one message with a pipelined envelope → what its recipient hears, and the connection's end.
single: dict[str, tuple[tuple[bytes | None, ...], One, Reason | str]] = {
    "row-24-two-replies-for-one": ((OK + OK + OK + GO,), (T, DATA, 250), VIOLATION),
    "row-24-extra-after-answer": ((TAKEN, QUEUED + OK), (A, DOT, 250), VIOLATION),
    "row-25-354-and-250-glued": ((TAKEN + OK,), (T, BLOCK, None), VIOLATION),
    "row-25-354-and-550-glued": ((TAKEN + b"550 no\r\n",), (T, BLOCK, None), VIOLATION),
    "row-25-354-and-a-digit-glued": ((TAKEN + b"2",), (T, BLOCK, None), VIOLATION),
    "row-25-354-and-421-glued": ((TAKEN + b"421 bye\r\n",), (T, BLOCK, None), VIOLATION),
    "row-26-two-codes-before-dot": ((OK + b"550-no\r\n250 ok\r\n",), (T, RCPT, None), VIOLATION),
    "row-26-two-codes-at-mail": ((b"550-no\r\n250 ok\r\n",), (N, MAIL, None), VIOLATION),
    "row-26-two-codes-at-dot": ((TAKEN, b"550-no\r\n250 ok\r\n"), (D, DOT, None), VIOLATION),
    "row-27-bare-lf-at-dot": ((TAKEN, b"250 ok\n"), (D, DOT, None), VIOLATION),
    "row-28-2500-at-dot": ((TAKEN, b"2500 ok\r\n"), (D, DOT, None), VIOLATION),
    "row-28-250xyz-at-dot": ((TAKEN, b"250xyz\r\n"), (D, DOT, None), VIOLATION),
    "row-29-no-text-at-dot": ((TAKEN, b"250\r\n"), (A, DOT, 250), OPEN),
    "row-30-150-at-dot": ((TAKEN, b"150 wait\r\n"), (D, DOT, None), VIOLATION),
    "row-31-nul-at-dot": ((TAKEN, b"250 o\0k\r\n"), (D, DOT, None), VIOLATION),
    "row-32-line-at-dot": ((TAKEN, b"250 " + b"x" * 5000), (D, DOT, None), VIOLATION),
    "row-32-lines-at-dot": ((TAKEN, b"250-x\r\n" * 200), (D, DOT, None), VIOLATION),
    "row-32-line-at-mail": ((b"250 " + b"x" * 5000,), (N, MAIL, None), VIOLATION),
    "row-35-class-differs-at-dot": ((TAKEN, b"250 5.7.1 spam\r\n"), (A, DOT, 250), OPEN),
    "row-37-half-a-reply-at-dot": ((TAKEN, b"250-ok\r\n", END), (D, DOT, None), GONE),
    "row-37-half-a-reply-at-mail": ((b"250-ok\r\n", END), (N, MAIL, None), GONE),
    "row-38-221-at-data": ((OK + OK + b"221 bye\r\n",), (T, DATA, 221), VIOLATION),
    "row-38-421-at-data": ((OK + OK + b"421 bye\r\n",), (N, DATA, 421), CLOSING),
    "row-41-421-at-mail": ((b"421 4.3.2 bye\r\n",), (N, MAIL, 421), CLOSING),
    "row-42-450-at-mail": ((b"450 later\r\n503 no\r\n503 no\r\n",), (T, MAIL, 450), OPEN),
    "row-43-452-at-mail": ((b"452 4.3.1 full\r\n503 no\r\n503 no\r\n",), (T, MAIL, 452), OPEN),
    "row-43-552-storage-at-mail": ((b"552 5.3.1 full\r\n503 no\r\n503 no\r\n",), (T, MAIL, 552), OPEN),
    "row-43-552-size-at-mail": ((b"552 5.3.4 too big\r\n503 no\r\n503 no\r\n",), (P, MAIL, 552), OPEN),
    "row-43-552-plain-with-size": ((b"552 too big\r\n503 no\r\n503 no\r\n",), (P, MAIL, 552), OPEN),
    "row-44-530-at-mail": ((b"530 5.7.0 Must issue STARTTLS\r\n",), (N, MAIL, 530), Reason.LOGIN_NEEDED),
    "row-44-530-at-rcpt": ((OK + b"530 5.7.1 login\r\n",), (N, RCPT, 530), Reason.LOGIN_NEEDED),
    "row-44-530-at-data": ((OK + OK + b"530 5.7.1 login\r\n",), (N, DATA, 530), Reason.LOGIN_NEEDED),
    "row-44-530-at-dot": ((TAKEN, b"530 5.7.1 login\r\n"), (N, DOT, 530), Reason.LOGIN_NEEDED),
    "row-45-550-at-mail": ((b"550 no\r\n503 no\r\n503 no\r\n",), (P, MAIL, 550), OPEN),
    "row-45-553-at-mail-then-end": ((b"553 no\r\n", END), (P, MAIL, 553), GONE),
    "row-47-251-at-rcpt": ((OK + b"251 forwarded\r\n" + GO, QUEUED), (A, DOT, 250), OPEN),
    "row-47-252-at-rcpt": ((OK + b"252 perhaps\r\n" + GO, QUEUED), (A, DOT, 250), OPEN),
    "row-48-450-sole-recipient": ((OK + b"450 4.2.0 greylisted\r\n554 no\r\n",), (T, RCPT, 450), OPEN),
    "row-51-550-sole-recipient": ((OK + b"550 5.1.1 who\r\n554 no\r\n",), (P, RCPT, 550), OPEN),
    "row-52-452-first-recipient": ((OK + b"452 4.5.3 too many\r\n554 no\r\n",), (T, RCPT, 452), OPEN),
    "row-53-552-first-recipient": ((OK + b"552 5.5.3 too many\r\n554 no\r\n",), (T, RCPT, 552), OPEN),
    "row-53-552-mailbox-full": ((OK + b"552 5.2.2 full\r\n554 no\r\n",), (P, RCPT, 552), OPEN),
    "row-54-421-at-rcpt": ((OK + b"421 bye\r\n",), (N, RCPT, 421), CLOSING),
    "row-55-354-for-nobody": ((OK + b"550 who\r\n" + GO, b"554 nobody\r\n", b"221 bye\r\n"), (P, RCPT, 550), ORDERLY),
    "row-55-354-for-nobody-accepted": (
        (OK + b"550 who\r\n" + GO, QUEUED, b"221 bye\r\n"),
        (P, RCPT, 550),
        ORDERLY,
    ),
    "row-55-354-for-nobody-503": ((OK + b"450 no\r\n" + GO, b"503 no\r\n", b"221 bye\r\n"), (T, RCPT, 450), ORDERLY),
    "row-55-354-for-nobody-354": ((OK + b"450 no\r\n" + GO, GO), (T, RCPT, 450), VIOLATION),
    "row-55-354-after-mail-refused": (
        (b"550 no\r\n503 no\r\n" + GO, b"503 no\r\n", b"221 bye\r\n"),
        (P, MAIL, 550),
        ORDERLY,
    ),
    "row-55-354-after-mail-refused-and-rcpt-taken": ((b"550 no\r\n" + OK + GO,), (T, DATA, 354), VIOLATION),
    "row-56-end-after-mail": ((OK, END), (T, RCPT, None), GONE),
    "row-56-end-after-rcpt": ((OK + OK, END), (T, DATA, None), GONE),
    "row-57-451-at-data": ((OK + OK + b"451 later\r\n",), (T, DATA, 451), OPEN),
    "row-58-554-at-data": ((OK + OK + b"554 no\r\n",), (P, DATA, 554), OPEN),
    "row-59-250-at-data": ((OK + OK + OK,), (T, DATA, 250), VIOLATION),
    "row-59-334-at-data": ((OK + OK + b"334 go\r\n",), (T, DATA, 334), VIOLATION),
    "row-61-250-at-dot": ((TAKEN, QUEUED), (A, DOT, 250), OPEN),
    "row-61-251-at-dot": ((TAKEN, b"251 ok\r\n"), (A, DOT, 251), OPEN),
    "row-62-451-at-dot": ((TAKEN, b"451 4.3.0 later\r\n"), (T, DOT, 451), OPEN),
    "row-62-421-at-dot": ((TAKEN, b"421 4.3.2 bye\r\n"), (T, DOT, 421), CLOSING),
    "row-63-550-at-dot": ((TAKEN, b"550 5.7.1 spam\r\n"), (P, DOT, 550), OPEN),
    "row-63-552-at-dot": ((TAKEN, b"552 5.3.4 big\r\n"), (P, DOT, 552), OPEN),
    "row-64-354-at-dot": ((TAKEN, GO), (D, DOT, None), VIOLATION),
    "row-64-garbage-at-dot": ((TAKEN, b"\x16\x03\x01"), (D, DOT, None), VIOLATION),
    "row-66-end-at-dot": ((TAKEN, END), (D, DOT, None), GONE),
    "row-69-end-after-envelope": ((TAKEN[:-1], END), (T, DATA, None), GONE),
    "row-70-end-after-answer": ((TAKEN, QUEUED, END), (A, DOT, 250), GONE),
    "row-74-503-at-mail": ((b"503 bad sequence\r\n",), (N, MAIL, 503), VIOLATION),
    "row-74-503-at-rcpt": ((OK + b"503 bad sequence\r\n",), (T, RCPT, 503), VIOLATION),
    "row-74-503-at-data": ((OK + OK + b"503 bad sequence\r\n",), (T, DATA, 503), VIOLATION),
    "row-74-503-at-dot": ((TAKEN, b"503 bad sequence\r\n"), (T, DOT, 503), VIOLATION),
    "row-76-end-during-mail": ((END,), (N, MAIL, None), GONE),
    "row-81-mixed-up-answers": ((OK + GO,), (T, RCPT, 354), VIOLATION),
}


@pytest.mark.parametrize(("portions", "expected", "ended"), single.values(), ids=single)
def test_a_fault_has_its_answer_and_its_end(
    connect: Connect, message: Make, portions: tuple[bytes | None, ...], expected: One, ended: Reason | str
) -> None:
    """The recipient is answered once, and the connection goes on only where both sides know where they are."""
    protocol = connect()
    protocol.send(message())
    events = run(protocol, *portions)
    assert answers(events) == [expected]
    assert end(events) == ended
    assert protocol.ended is (ended != OPEN)
    if ended not in {OPEN, Reason.LOGIN_NEEDED}:
        assert protocol.data_to_send() == b""


def test_row_43_552_without_size_speaks_of_storage(connect: Connect, message: Make) -> None:
    """A plain 552 means the message only where MAIL said how large it is."""
    protocol = connect("PIPELINING")
    protocol.send(message())
    assert answers(run(protocol, b"552 full\r\n503 no\r\n503 no\r\n")) == [(T, MAIL, 552)]


several: dict[str, tuple[tuple[bytes | None, ...], list[One], Reason | str]] = {
    "row-49-some-of-each": (
        (OK + OK + b"450 later\r\n550 who\r\n" + GO, QUEUED),
        [(A, DOT, 250), (T, RCPT, 450), (P, RCPT, 550)],
        OPEN,
    ),
    "row-49-and-dot-refused": (
        (OK + OK + b"450 later\r\n550 who\r\n" + GO, b"554 spam\r\n"),
        [(P, DOT, 554), (T, RCPT, 450), (P, RCPT, 550)],
        OPEN,
    ),
    "row-49-and-dot-lost": (
        (OK + OK + b"450 later\r\n550 who\r\n" + GO, END),
        [(D, DOT, None), (T, RCPT, 450), (P, RCPT, 550)],
        GONE,
    ),
    "row-49-and-dot-garbled": (
        (OK + OK + b"450 later\r\n550 who\r\n" + GO, b"?\r\n"),
        [(D, DOT, None), (T, RCPT, 450), (P, RCPT, 550)],
        VIOLATION,
    ),
    "row-49-and-data-refused": (
        (OK + OK + b"450 later\r\n550 who\r\n451 no\r\n",),
        [(T, DATA, 451), (T, RCPT, 450), (P, RCPT, 550)],
        OPEN,
    ),
    "row-50-all-4xx": (
        (OK + b"450 a\r\n451 b\r\n452 4.3.1 c\r\n503 no\r\n",),
        [(T, RCPT, 450), (T, RCPT, 451), (T, RCPT, 452)],
        OPEN,
    ),
    "row-51-all-5xx": (
        (OK + b"550 a\r\n551 b\r\n553 c\r\n554 no\r\n",),
        [(P, RCPT, 550), (P, RCPT, 551), (P, RCPT, 553)],
        OPEN,
    ),
    "row-52-452-third": (
        (OK + OK + OK + b"452 4.5.3 too many\r\n" + GO, QUEUED),
        [(A, DOT, 250), (A, DOT, 250), (N, RCPT, 452)],
        OPEN,
    ),
    "row-52-452-plain-third": (
        (OK + OK + OK + b"452 too many\r\n" + GO, QUEUED),
        [(A, DOT, 250), (A, DOT, 250), (N, RCPT, 452)],
        OPEN,
    ),
    "row-52-452-mailbox-full": (
        (OK + OK + OK + b"452 4.2.2 full\r\n" + GO, QUEUED),
        [(A, DOT, 250), (A, DOT, 250), (T, RCPT, 452)],
        OPEN,
    ),
    "row-53-552-third": (
        (OK + OK + OK + b"552 5.5.3 too many\r\n" + GO, QUEUED),
        [(A, DOT, 250), (A, DOT, 250), (N, RCPT, 552)],
        OPEN,
    ),
    "row-54-421-after-a-refusal": (
        (OK + OK + b"550 who\r\n421 bye\r\n",),
        [(N, RCPT, 421), (P, RCPT, 550), (N, RCPT, 421)],
        CLOSING,
    ),
    "row-56-end-after-some": (
        (OK + OK + b"550 who\r\n", END),
        [(T, RCPT, None), (P, RCPT, 550), (T, RCPT, None)],
        GONE,
    ),
    "row-24-refusals-of-a-broken-talk-are-not-believed": (
        (OK + OK + b"550 who\r\n" + OK + OK,),
        [(T, DATA, 250)] * 3,
        VIOLATION,
    ),
    "row-74-503-after-mail-refused": ((b"550 no\r\n503 a\r\n503 b\r\n503 c\r\n503 d\r\n",), [(P, MAIL, 550)] * 3, OPEN),
    "row-81-one-short-then-354": ((OK + OK + OK + GO,), [(T, RCPT, 354)] * 3, VIOLATION),
}


@pytest.mark.parametrize(("portions", "expected", "ended"), several.values(), ids=several)
def test_every_recipient_has_its_own_answer(
    connect: Connect, message: Make, portions: tuple[bytes | None, ...], expected: list[One], ended: Reason | str
) -> None:
    """None vanishes, and none answers for another."""
    protocol = connect()
    protocol.send(message("b@example.com", "c@example.com", "d@example.com"))
    events = run(protocol, *portions)
    assert answers(events) == expected
    assert end(events) == ended


lock_step: dict[str, tuple[list[bytes | None], list[One], bytes]] = {
    "row-45-mail-refused": ([b"550 no\r\n"], [(P, MAIL, 550)], b"MAIL"),
    "row-50-all-refused": ([OK, b"450 later\r\n"], [(T, RCPT, 450)], b"RSET"),
    "row-58-data-refused": ([OK, OK, b"554 no\r\n"], [(P, DATA, 554)], b"RSET"),
    "row-63-dot-refused": ([OK, OK, GO, b"554 no\r\n"], [(P, DOT, 554)], b"MAIL"),
    "row-61-accepted": ([OK, OK, GO, QUEUED], [(A, DOT, 250)], b"MAIL"),
}


@pytest.mark.parametrize(("portions", "expected", "next_word"), lock_step.values(), ids=lock_step)
def test_one_command_at_a_time_ends_the_same(
    connect: Connect, message: Make, portions: list[bytes | None], expected: list[One], next_word: bytes
) -> None:
    """Without pipelining a refusal ends the message at once, and the next one begins."""
    protocol = connect("SIZE")
    protocol.send(message())
    protocol.send(message())
    assert answers(run(protocol, *portions)) == expected
    assert bytes(protocol.data_to_send())[:4] == next_word


@pytest.mark.parametrize("settings", [{}, {"pipelining": "NO"}], ids=["pipelined", "lock-step"])
def test_row_74_a_server_that_refuses_rset_is_left(connect: Connect, message: Make, settings: dict[str, Any]) -> None:
    """Nobody knows what transaction it is in; the message behind was not begun."""
    protocol = connect(**settings)
    for _ in range(2):
        protocol.send(message())
    refused = [OK, b"550 who\r\n"] if settings else [OK + b"550 who\r\n554 no\r\n"]
    events = run(protocol, *refused, b"502 RSET?\r\n")
    assert [status for status, _, _ in answers(events)] == [P, N]
    assert end(events) == VIOLATION


@pytest.mark.parametrize("settings", [{}, {"pipelining": "NO"}], ids=["pipelined", "lock-step"])
@pytest.mark.parametrize("code", [b"555", b"504"])
def test_row_46_a_parameter_that_is_not_taken_is_left_out(
    connect: Connect, message: Make, settings: dict[str, Any], code: bytes
) -> None:
    """Once, on the same connection, for this message and those after it; the second refusal holds."""
    protocol = connect("PIPELINING", "SIZE 1000000", **settings)
    for _ in range(2):
        protocol.send(message())
    rest = [] if settings else [b"503 no\r\n503 no\r\n"]
    assert answers(run(protocol, code + b" 5.5.4 SIZE?\r\n" + b"".join(rest))) == []
    assert bytes(protocol.data_to_send()).startswith(b"MAIL FROM:<a@example.com>\r\n")
    refused = run(protocol, code + b" 5.5.4 what?\r\n" + b"".join(rest))
    assert answers(refused) == [(P, MAIL, int(code))]
    assert bytes(protocol.data_to_send()).startswith(b"MAIL FROM:<a@example.com>\r\n")
    assert protocol.in_flight == 1


def test_row_46_what_a_message_needs_is_not_left_out(connect: Connect, message: Make) -> None:
    """Without BODY the message cannot go, so the refusal holds at once."""
    protocol = connect("PIPELINING", "8BITMIME")
    protocol.send(message(content=b"\xe6\r\n"))
    assert answers(run(protocol, b"555 5.5.4 BODY?\r\n503 no\r\n503 no\r\n")) == [(P, MAIL, 555)]


def test_row_46_and_55_together_end_as_a_try(connect: Connect, message: Make) -> None:
    """A server that wants the content of a message whose MAIL it did not understand is left for now."""
    protocol = connect()
    protocol.send(message())
    events = run(protocol, b"555 SIZE?\r\n503 no\r\n" + GO, b"503 no\r\n", b"221 bye\r\n")
    assert answers(events) == [(T, MAIL, 555)]
    assert end(events) == ORDERLY


def test_row_55_a_lone_dot_goes_out_and_nothing_behind_it(connect: Connect, message: Make) -> None:
    """What waits goes to another connection."""
    protocol = connect()
    protocol.send(message())
    protocol.send(message())
    assert [one[0] for one in answers(run(protocol, OK + b"550 who\r\n" + GO))] == [N, P]
    assert protocol.data_to_send() == b".\r\n"
    assert not protocol.can_send
    assert answers(protocol.send(message())) == [(N, Phase.BEFORE, None)]
    assert run(protocol, b"421 bye\r\n")[-1] != Closed(None)


def test_r7_a_421_is_charged_to_nobody_behind(connect: Connect, message: Make) -> None:
    """Neither to the message whose envelope went along, nor to the one that waits."""
    protocol = connect()
    for _ in range(3):
        protocol.send(message())
    events = run(protocol, TAKEN, b"421 4.3.2 bye\r\n")
    assert answers(events) == [(T, DOT, 421), (N, MAIL, None), (N, Phase.BEFORE, None)]
    assert end(events) == CLOSING


def test_row_24_an_answer_too_many_is_found_before_the_next_dot(connect: Connect, message: Make) -> None:
    """A stray 250 behind the answer to a dot shifts the next envelope by one: it ends before its content."""
    protocol = connect()
    for _ in range(2):
        protocol.send(message())
    events = run(protocol, TAKEN, QUEUED + OK + TAKEN)
    assert answers(events) == [(A, DOT, 250), (T, DATA, 250)]
    assert end(events) == VIOLATION


@pytest.mark.parametrize("last", [b"221 bye\r\n", b"550 no\r\n", b"421 bye\r\n", b"354 more\r\n", b"?\r\n", b"22", END])
def test_row_71_how_a_server_takes_leave_does_not_matter(connect: Connect, last: bytes | None) -> None:
    """After QUIT any answer, none, or the end is an end in order."""
    protocol = connect()
    protocol.quit()
    assert protocol.data_to_send() == b"QUIT\r\n"
    events = run(protocol, last)
    if last == b"22":
        events += protocol.abort(Reason.TIMEOUT, "no answer to QUIT")
    assert events == [Closed(None)]


@pytest.mark.parametrize(
    ("portions", "expected"),
    [
        pytest.param((), (N, MAIL, None), id="at-mail"),
        pytest.param((OK,), (T, RCPT, None), id="at-rcpt"),
        pytest.param((OK + OK,), (T, DATA, None), id="at-data"),
        pytest.param((TAKEN, b""), (D, DOT, None), id="row-65-at-dot"),
    ],
)
def test_rows_34_and_65_a_deadline_that_passes(
    connect: Connect, message: Make, portions: tuple[bytes, ...], expected: One
) -> None:
    """Doubt begins with the dot; a message that the server has not begun with is not charged."""
    protocol = connect()
    protocol.send(message())
    run(protocol, b"", *portions)
    events = protocol.abort(Reason.TIMEOUT, "no answer in time")
    assert answers(events) == [expected]
    assert end(events) == Reason.TIMEOUT
    assert protocol.abort(Reason.TIMEOUT, "again") == []


def test_row_79_work_that_is_cancelled_is_not_charged(connect: Connect, message: Make) -> None:
    """It was this side that gave up; but what is in doubt stays in doubt."""
    protocol = connect()
    protocol.send(message())
    run(protocol, OK)
    assert answers(protocol.abort(Reason.CANCELLED, "shutting down")) == [(N, RCPT, None)]
    protocol = connect()
    protocol.send(message())
    run(protocol, TAKEN, b"")
    assert answers(protocol.abort(Reason.CANCELLED, "shutting down")) == [(D, DOT, None)]


def test_row_36_what_comes_after_the_end_is_nobodys_answer(connect: Connect, message: Make) -> None:
    """A late reply cannot be taken for the next one: nothing is read any more."""
    protocol = connect()
    protocol.send(message())
    run(protocol, TAKEN, b"")
    protocol.abort(Reason.TIMEOUT, "no answer in 600 s")
    assert protocol.receive_data(QUEUED) == []
    assert answers(protocol.send(message())) == [(N, Phase.BEFORE, None)]


def test_row_39_text_for_people_has_no_control_characters(connect: Connect, message: Make) -> None:
    """Escapes that a server sends reach no terminal."""
    protocol = connect()
    protocol.send(message())
    (answered, closed) = run(protocol, b"421 \x1b[2J\xff\r\n")
    assert isinstance(answered, tuple)
    assert isinstance(closed, Closed)
    assert closed.fault is not None
    assert answered.answers[0].text == closed.fault.text == r"the server closes the connection: 421 \x1b[2J\xff"
