"""Messages on their way: the bytes that go out for them, in which order, and what each server makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from systems.mail import Answer, DeliveryReports, Message, Phase, Status
from systems.smtp.events import Closed, Event, Ready
from systems.smtp.protocol import Protocol
from systems.smtp.transfer import BLOCK

Connect = Callable[..., Protocol]
Make = Callable[..., Message]

ENVELOPE = b"MAIL FROM:<a@example.com> SIZE=22\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
CONTENT = b"Subject: Hi\r\n\r\nHello\r\n"
TAKEN = b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n"
QUEUED = b"250 2.0.0 queued\r\n"


def statuses(events: list[Event]) -> list[Status]:
    """Of every recipient of every message."""
    return [answer.status for event in events if isinstance(event, tuple) for answer in event.answers]


def everything(protocol: Protocol) -> bytes:
    """All that there is to write."""
    return b"".join(iter(protocol.data_to_send, b""))


def test_a_message_goes_in_two_writes(connect: Connect, message: Make) -> None:
    """The envelope in one group, then the content with its dot; the answer says who, what and how far."""
    protocol = connect()
    one = message()
    assert protocol.send(one) == []
    assert everything(protocol) == ENVELOPE
    assert (protocol.phase, protocol.deadline_kind, protocol.in_flight) == (Phase.MAIL, Phase.MAIL, 1)
    assert protocol.take_dots() == []
    assert protocol.receive_data(b"250 2.1.0 Ok\r\n") == []
    assert protocol.phase == Phase.RECIPIENT
    assert protocol.receive_data(b"250 2.1.5 Ok\r\n") == []
    assert str(protocol.phase) == str(Phase.DATA)
    assert protocol.receive_data(b"354 go\r\n") == []
    assert everything(protocol) == CONTENT + b".\r\n"
    assert protocol.take_dots() == [one]
    assert protocol.take_dots() == []
    assert str(protocol.phase) == str(Phase.DOT)
    (answered,) = protocol.receive_data(b"250 2.0.0 queued as 4F8A\r\n")
    assert answered == (
        one,
        (Answer("b@example.com", Status.ACCEPTED, Phase.DOT, "mx.example.com:25", 250, "2.0.0", "queued as 4F8A"),),
    )
    assert (protocol.phase, protocol.in_flight) == (Phase.IDLE, 0)


def test_the_next_envelope_rides_behind_the_dot(connect: Connect, message: Make) -> None:
    """RFC 2920 section 3.1: content, dot and the next group are one write, never before 354."""
    protocol = connect()
    first, second, third = (message(key=key) for key in "abc")
    protocol.send(first)
    assert protocol.can_send
    protocol.send(second)
    assert not protocol.can_send
    assert everything(protocol) == ENVELOPE
    protocol.receive_data(TAKEN)
    assert everything(protocol) == CONTENT + b".\r\n" + ENVELOPE
    assert protocol.take_dots() == [first]
    events = protocol.receive_data(QUEUED + TAKEN)
    assert [event[0] for event in events if isinstance(event, tuple)] == [first]
    assert protocol.can_send
    protocol.send(third)
    assert everything(protocol) == CONTENT + b".\r\n" + ENVELOPE
    assert protocol.take_dots() == [second]


def test_an_envelope_may_follow_while_the_dot_is_awaited(connect: Connect, message: Make) -> None:
    """A message that comes late need not wait for the answer to the one before."""
    protocol = connect()
    protocol.send(message())
    everything(protocol)
    protocol.receive_data(TAKEN)
    assert everything(protocol) == CONTENT + b".\r\n"
    protocol.send(message())
    assert everything(protocol) == ENVELOPE


@pytest.mark.parametrize("pipelining", [True, False])
def test_row_80_without_pipelining_one_command_at_a_time(connect: Connect, message: Make, pipelining: bool) -> None:
    """When the server does not offer it, and when it is not wanted."""
    protocol = connect("SIZE") if pipelining else connect(pipelining="NO")
    protocol.send(message("b@example.com", "c@example.com"))
    assert not protocol.can_send
    protocol.send(message())
    assert everything(protocol) == b"MAIL FROM:<a@example.com> SIZE=22\r\n"
    talk = [
        (b"250 ok\r\n", b"RCPT TO:<b@example.com>\r\n"),
        (b"250 ok\r\n", b"RCPT TO:<c@example.com>\r\n"),
        (b"550 no\r\n", b"DATA\r\n"),
        (b"354 go\r\n", CONTENT + b".\r\n"),
    ]
    for reply, said in talk:
        assert protocol.receive_data(reply) == []
        assert everything(protocol) == said
    assert statuses(protocol.receive_data(QUEUED)) == [Status.ACCEPTED, Status.PERMANENT]
    assert everything(protocol) == b"MAIL FROM:<a@example.com> SIZE=22\r\n"


def test_a_refused_message_leaves_nothing_behind(connect: Connect, message: Make) -> None:
    """RSET goes before the next MAIL when a transaction may be open: in its group, or alone without pipelining."""
    protocol = connect()
    protocol.send(message())
    protocol.send(message())
    everything(protocol)
    events = protocol.receive_data(b"250 ok\r\n550 5.1.1 who\r\n554 5.5.1 no valid recipients\r\n")
    assert statuses(events) == [Status.PERMANENT]
    assert everything(protocol) == b"RSET\r\n" + ENVELOPE
    protocol.receive_data(b"250 flushed\r\n" + TAKEN)
    assert everything(protocol) == CONTENT + b".\r\n"
    protocol = connect(pipelining="NO")
    for _ in range(2):
        protocol.send(message())
    for reply, said in ((b"250 ok\r\n", b"RCPT"), (b"550 no\r\n", b"RSET"), (b"250 ok\r\n", b"MAIL")):
        everything(protocol)
        protocol.receive_data(reply)
        assert everything(protocol).startswith(said)


def test_no_reset_where_mail_itself_was_refused(connect: Connect, message: Make) -> None:
    """No transaction was opened."""
    protocol = connect(pipelining="NO")
    for _ in range(2):
        protocol.send(message())
    everything(protocol)
    assert statuses(protocol.receive_data(b"550 no\r\n")) == [Status.PERMANENT]
    assert everything(protocol).startswith(b"MAIL")


def test_messages_before_the_connection_is_ready_wait(message: Make, connect: Connect) -> None:
    """They are checked against what the server turns out to offer."""
    protocol = type(connect())(connect()._settings)
    protocol.start()
    large, small = message(content=b"x" * 50), message()
    assert protocol.send(large) + protocol.send(small) == []
    assert protocol.in_flight == 2
    protocol.receive_data(b"220 mx\r\n")
    everything(protocol)
    ready, answered = protocol.receive_data(b"250-mx\r\n250-PIPELINING\r\n250 SIZE 40\r\n")
    assert isinstance(ready, Ready)
    assert statuses([answered]) == [Status.PERMANENT]
    assert everything(protocol) == ENVELOPE


class TestWhatAServerCanHave:
    """Refusals on this side: nothing of the message goes out, and no code of a server is made up."""

    cases: ClassVar[dict[str, tuple[Any, ...]]] = {
        "row-82-size": (("SIZE 21",), {}, {}, "5.3.4", "22 bytes, and the server takes 21"),
        "row-82-own-limit": ((), {"largest": 21}, {}, "5.3.4", "22 bytes, and `max_message_bytes` is 21"),
        "row-84-8bitmime": (("PIPELINING",), {}, {"content": b"\xe6\r\n"}, "5.6.3", "the content is 8-bit"),
        "row-86-sender": (("8BITMIME",), {}, {"sender": "bjørn@e.no"}, "5.6.7", "the sender is not ASCII"),
        "row-86-not-wanted": ((), {"smtputf8": False}, {"sender": "bjørn@e.no"}, "5.6.7", "the sender is not ASCII"),
        "header-utf8": (("8BITMIME",), {}, {"smtputf8": True}, "5.6.9", "the header is UTF-8"),
        "row-89-nul": ((), {}, {"content": b"a\0b"}, "5.6.0", "the content holds a NUL byte"),
        "injection-sender": ((), {}, {"sender": "a@e.no>\r\nRCPT TO:<x@e.no"}, "5.1.7", "the sender is no address"),
        "injection-reports": (
            (),
            {},
            {"reports": DeliveryReports(envelope_id="a\r\nDATA")},
            "5.5.4",
            "the envelope identifier is not printable",
        ),
    }

    @pytest.mark.parametrize(("offers", "settings", "parts", "enhanced", "words"), cases.values(), ids=cases)
    def test_a_message_that_cannot_go_is_answered_at_once(
        self,
        connect: Connect,
        message: Make,
        offers: tuple[str, ...],
        settings: dict[str, object],
        parts: dict[str, object],
        enhanced: str,
        words: str,
    ) -> None:
        """Permanently, for every recipient; the connection is as it was."""
        protocol = connect(*offers, **settings)
        (answered,) = protocol.send(message("b@example.com", "c@example.com", **parts))
        assert isinstance(answered, tuple)
        for answer in answered.answers:
            assert (answer.status, answer.phase, answer.code) == (Status.PERMANENT, Phase.BEFORE, None)
            assert answer.enhanced == enhanced
            assert answer.text.startswith(words)
        assert everything(protocol) == b""
        assert protocol.in_flight == 0

    def test_a_recipient_that_cannot_go_does_not_stop_the_others(self, connect: Connect, message: Make) -> None:
        """Each has its own answer, in its own place."""
        protocol = connect("PIPELINING", "8BITMIME")
        recipients = ("x@e.no\r\nDATA", "b@e.no", "bjørn@e.no", "c@blåbær.no")
        protocol.send(message(*recipients))
        assert everything(protocol) == (
            b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@e.no>\r\nRCPT TO:<c@xn--blbr-roah.no>\r\nDATA\r\n"
        )
        protocol.receive_data(b"250 ok\r\n250 ok\r\n550 5.1.1 who\r\n354 go\r\n")
        everything(protocol)
        (answered,) = protocol.receive_data(QUEUED)
        assert isinstance(answered, tuple)
        assert [(one.recipient, one.status, one.enhanced) for one in answered.answers] == [
            (recipients[0], Status.PERMANENT, "5.1.3"),
            (recipients[1], Status.ACCEPTED, "2.0.0"),
            (recipients[2], Status.PERMANENT, "5.6.7"),
            (recipients[3], Status.PERMANENT, "5.1.1"),
        ]

    def test_a_refusal_of_the_sender_is_for_those_who_were_asked(self, connect: Connect, message: Make) -> None:
        """Who could not go anyway keeps the answer from this side."""
        protocol = connect()
        protocol.send(message("no address", "b@e.no"))
        everything(protocol)
        (answered,) = protocol.receive_data(b"450 later\r\n503 no\r\n503 no\r\n")
        assert statuses([answered]) == [Status.PERMANENT, Status.TEMPORARY]

    def test_a_message_for_nobody_is_answered_by_nothing(self, connect: Connect, message: Make) -> None:
        """No recipients, no answers, no bytes."""
        protocol = connect()
        nobody = Message("k", message().envelope.__class__("a@example.com", ()), b"")
        assert protocol.send(nobody) == [(nobody, ())]
        assert everything(protocol) == b""


parameters = {
    "8bit": ({"content": b"\xe6\r\n"}, {}, b" SIZE=3 BODY=8BITMIME"),
    "null-sender": ({"sender": ""}, {}, b" SIZE=22"),
    "row-85-sender": ({"sender": "a@blåbær.no"}, {}, b" SIZE=22"),
    "smtputf8-sender": ({"sender": "bjørn@e.no"}, {}, b" SIZE=22 SMTPUTF8"),
    "smtputf8-header": ({"smtputf8": True}, {}, b" SIZE=22 SMTPUTF8"),
    "dsn": ({"reports": DeliveryReports(("FAILURE",), "FULL", "id")}, {}, b" SIZE=22 RET=FULL ENVID=id"),
    "xverp": ({}, {"xverp": True}, b" SIZE=22 XVERP"),
    "xverp-if-offered": ({}, {"xverp": "if_offered"}, b" SIZE=22 XVERP"),
    "xverp-of-the-message": ({"xverp": True}, {}, b" SIZE=22 XVERP"),
    "xverp-null-sender": ({"sender": ""}, {"xverp": True}, b" SIZE=22"),
    "everything": (
        {"sender": "bjørn@e.no", "content": b"\xe6\r\n", "reports": DeliveryReports(returns="HDRS")},
        {"xverp": True},
        b" SIZE=3 BODY=8BITMIME SMTPUTF8 RET=HDRS XVERP",
    ),
}


@pytest.mark.parametrize(("parts", "settings", "said"), parameters.values(), ids=parameters)
def test_mail_says_what_the_message_needs(
    connect: Connect, message: Make, parts: dict[str, object], settings: dict[str, object], said: bytes
) -> None:
    """A parameter each, and none that is not needed or not offered."""
    one = message(**parts)
    protocol = connect("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "DSN", "XVERP", **settings)
    protocol.send(one)
    mail, recipient, *_ = everything(protocol).split(b"\r\n")
    assert mail.partition(b">")[2] == said
    assert recipient == b"RCPT TO:<b@example.com>" + (b" NOTIFY=FAILURE" if b"ENVID" in said else b"")


def test_a_recipient_beyond_ascii_needs_smtputf8(connect: Connect, message: Make) -> None:
    """The address goes as UTF-8."""
    protocol = connect()
    protocol.send(message("bjørn@blåbær.no"))
    mail, recipient, *_ = everything(protocol).decode().split("\r\n")
    assert mail.endswith(" SMTPUTF8")
    assert recipient == "RCPT TO:<bjørn@blåbær.no>"


def test_what_is_not_offered_is_not_asked(connect: Connect, message: Make) -> None:
    """Reports are a wish; a server that knows none gets the message without."""
    protocol = connect("PIPELINING", xverp="if_offered")
    protocol.send(message(reports=DeliveryReports(("NEVER",), "FULL", "id", ("b@example.com",))))
    assert everything(protocol) == b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"


class TestLimits:
    """RFC 9422, and limits that show."""

    def test_recipients_beyond_the_limit_are_not_tried(self, connect: Connect, message: Make) -> None:
        """They are not at fault, and those within go."""
        protocol = connect("PIPELINING", "LIMITS RCPTMAX=2 RCPTDOMAINMAX=1")
        protocol.send(message("a@e.no", "b@f.no", "c@E.no", "d@e.no"))
        assert everything(protocol).count(b"RCPT") == 2
        protocol.receive_data(b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n")
        everything(protocol)
        (answered,) = protocol.receive_data(QUEUED)
        assert isinstance(answered, tuple)
        assert [(one.status, one.text) for one in answered.answers] == [
            (Status.ACCEPTED, "queued"),
            (Status.NOT_TRIED, "the server takes 1 domains at a time"),
            (Status.ACCEPTED, "queued"),
            (Status.NOT_TRIED, "the server takes 2 recipients at a time"),
        ]

    @pytest.mark.parametrize("pipelining", ["TRY", "NO"])
    def test_mails_beyond_the_limit_are_not_tried(self, connect: Connect, message: Make, pipelining: str) -> None:
        """The connection leaves when it has had its number."""
        protocol = connect("PIPELINING", "LIMITS MAILMAX=1", pipelining=pipelining)
        events = protocol.send(message(key="a"))
        assert not protocol.can_send
        events += protocol.send(message(key="b"))
        assert statuses(events) == [Status.NOT_TRIED]
        for reply in TAKEN.splitlines(keepends=True):
            everything(protocol)
            protocol.receive_data(reply)
        everything(protocol)
        assert statuses(protocol.receive_data(QUEUED)) == [Status.ACCEPTED]
        assert everything(protocol) == b"QUIT\r\n"
        assert protocol.receive_data(b"221 bye\r\n") == [Closed(None)]

    def test_early_mails_beyond_the_limit_are_not_tried(self, connect: Connect, message: Make) -> None:
        """Those that waited for the connection are counted too."""
        protocol = type(connect())(connect()._settings)
        protocol.start()
        for _ in range(2):
            protocol.send(message())
        protocol.receive_data(b"220 mx\r\n")
        everything(protocol)
        assert statuses(protocol.receive_data(b"250-mx\r\n250 LIMITS MAILMAX=1\r\n")) == [Status.NOT_TRIED]

    def test_a_second_try_counts_as_a_mail(self, connect: Connect, message: Make) -> None:
        """Row 46 within a limit: without one left, the refusal stands for now."""
        for most, left in ((1, [Status.TEMPORARY]), (2, [])):
            protocol = connect("SIZE", f"LIMITS MAILMAX={most}")
            protocol.send(message())
            everything(protocol)
            assert statuses(protocol.receive_data(b"555 5.5.4 SIZE?\r\n")) == left


class TestLargeContent:
    """Content that goes out block by block, so that a server is heard while it listens."""

    content = b"x" * 70 + b"\r\n"

    def start(self, connect: Connect, message: Make, **settings: object) -> tuple[Protocol, bytes]:
        """A connection that has 354 for three blocks."""
        content = self.content * (3 * BLOCK // len(self.content))
        protocol = connect(**settings)
        protocol.send(message(content=content))
        everything(protocol)
        protocol.receive_data(TAKEN)
        return protocol, content

    def test_it_goes_block_by_block_with_the_next_envelope_behind(self, connect: Connect, message: Make) -> None:
        """Each block is progress; the dot and what follows are in the last."""
        protocol, content = self.start(connect, message)
        assert protocol.send(message()) == []
        progress = protocol.progress
        first, second = protocol.data_to_send(), protocol.data_to_send()
        assert (len(first), len(second)) == (BLOCK, BLOCK)
        assert (protocol.phase, protocol.deadline_kind) == (Phase.BLOCK, Phase.BLOCK)
        assert protocol.take_dots() == []
        last = protocol.data_to_send()
        assert len(protocol.take_dots()) == 1
        assert protocol.progress == progress + 3
        assert b"".join([first, second, last]) == content + b".\r\n" + ENVELOPE
        assert protocol.phase == Phase.DOT
        assert statuses(protocol.receive_data(QUEUED)) == [Status.ACCEPTED]

    def test_it_is_not_copied(self, connect: Connect, message: Make) -> None:
        """Blocks are views of the message's own bytes."""
        protocol, _ = self.start(connect, message)
        assert isinstance(protocol.data_to_send(), memoryview)

    @pytest.mark.parametrize(
        ("reply", "status"), [(b"552 5.3.4 too big\r\n", Status.PERMANENT), (b"452 4.3.1 full\r\n", Status.TEMPORARY)]
    )
    def test_row_60_a_refusal_before_the_end_is_heard(
        self, connect: Connect, message: Make, reply: bytes, status: Status
    ) -> None:
        """Writing stops, no dot goes out, the refusal holds, and the connection is of no more use."""
        protocol, _ = self.start(connect, message)
        protocol.send(message())
        protocol.data_to_send()
        refused, other, closed = protocol.receive_data(reply)
        assert isinstance(refused, tuple)
        assert [(one.status, one.phase, one.code) for one in refused.answers] == [(status, Phase.BLOCK, int(reply[:3]))]
        assert statuses([other]) == [Status.NOT_TRIED]
        assert closed == Closed(None)
        assert protocol.data_to_send() == b""

    def test_row_60_half_a_refusal_stops_the_writing(self, connect: Connect, message: Make) -> None:
        """No dot goes out behind the first byte of an answer that came too early."""
        protocol, _ = self.start(connect, message)
        protocol.data_to_send()
        assert protocol.receive_data(b"55") == []
        assert protocol.data_to_send() == b""
        assert protocol.phase == Phase.BLOCK
        assert statuses(protocol.receive_data(b"2 big\r\n")) == [Status.PERMANENT]

    @pytest.mark.parametrize(
        ("reply", "status"),
        [
            (b"250 ok\r\n", Status.TEMPORARY),
            (b"503 what\r\n", Status.TEMPORARY),
            (b"nonsense\r\n", Status.TEMPORARY),
            (b"421 bye\r\n", Status.NOT_TRIED),
        ],
    )
    def test_any_other_answer_before_the_end_is_none(
        self, connect: Connect, message: Make, reply: bytes, status: Status
    ) -> None:
        """It is certain that the message did not go: its dot never went out."""
        protocol, _ = self.start(connect, message)
        protocol.data_to_send()
        events = protocol.receive_data(reply)
        assert statuses(events) == [status]
        assert isinstance(events[-1], Closed)
        assert events[-1].fault is not None
        assert events[-1].fault.phase is Phase.BLOCK

    def test_row_67_the_end_before_the_dot_is_no_doubt(self, connect: Connect, message: Make) -> None:
        """The dot was not even asked for."""
        protocol, _ = self.start(connect, message)
        protocol.data_to_send()
        answered, _ = protocol.receive_eof()
        assert statuses([answered]) == [Status.TEMPORARY]
        assert isinstance(answered, tuple)
        assert answered.answers[0].phase is Phase.BLOCK


class TestDoubt:
    """Which bytes went out decides."""

    @pytest.mark.parametrize(
        ("unsent", "status", "phase"),
        [
            (0, Status.IN_DOUBT, Phase.DOT),
            (2, Status.IN_DOUBT, Phase.DOT),
            (3, Status.TEMPORARY, Phase.BLOCK),
            (25, Status.TEMPORARY, Phase.BLOCK),
        ],
    )
    def test_rows_67_and_68_the_dot_itself_is_the_border(
        self, connect: Connect, message: Make, unsent: int, status: Status, phase: Phase
    ) -> None:
        """Bytes that the shell could not get rid of did not go."""
        protocol = connect()
        protocol.send(message())
        everything(protocol)
        protocol.receive_data(TAKEN)
        assert everything(protocol).endswith(b"\r\n.\r\n")
        answered, _ = protocol.receive_eof(unsent=unsent)
        assert isinstance(answered, tuple)
        assert [(one.status, one.phase) for one in answered.answers] == [(status, phase)]

    def test_a_dot_that_nobody_took_did_not_go(self, connect: Connect, message: Make) -> None:
        """And it is not put on record."""
        protocol = connect()
        protocol.send(message())
        everything(protocol)
        protocol.receive_data(TAKEN)
        assert statuses(protocol.receive_eof()) == [Status.TEMPORARY]
        assert protocol.take_dots() == []

    def test_one_message_at_most_is_in_doubt(self, connect: Connect, message: Make) -> None:
        """The one whose envelope rode behind the dot was not begun."""
        protocol = connect()
        for _ in range(3):
            protocol.send(message())
        everything(protocol)
        protocol.receive_data(TAKEN)
        everything(protocol)
        assert statuses(protocol.receive_eof()) == [Status.IN_DOUBT, Status.NOT_TRIED, Status.NOT_TRIED]


class TestChunks:
    """BDAT, where it is wanted and offered (RFC 3030)."""

    offers = ("PIPELINING", "CHUNKING")
    group = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nBDAT 22 LAST\r\n" + CONTENT
    fine = b"250 ok\r\n250 ok\r\n" + QUEUED

    def test_several_messages_are_on_their_way_at_once(self, connect: Connect, message: Make) -> None:
        """As many as `window`, with RSET between, for the case that one fails."""
        protocol = connect(*self.offers, chunking=True, window=3)
        for key in "abcd":
            protocol.send(message(key=key))
        assert everything(protocol) == self.group + b"RSET\r\n" + self.group + b"RSET\r\n" + self.group
        assert len(protocol.take_dots()) == 3
        assert not protocol.can_send
        assert statuses(protocol.receive_data(self.fine)) == [Status.ACCEPTED]
        assert everything(protocol) == b"RSET\r\n" + self.group
        events = protocol.receive_data((b"250 flushed\r\n" + self.fine) * 3)
        assert statuses(events) == [Status.ACCEPTED] * 3

    def test_one_command_at_a_time_without_pipelining(self, connect: Connect, message: Make) -> None:
        """BDAT takes the place of DATA and dot."""
        protocol = connect("CHUNKING", chunking=True)
        protocol.send(message(content=b".a\nb"))
        for reply in (b"250 ok\r\n", b"250 ok\r\n"):
            everything(protocol)
            protocol.receive_data(reply)
        assert everything(protocol) == b"BDAT 7 LAST\r\n.a\r\nb\r\n"
        assert statuses(protocol.receive_data(QUEUED)) == [Status.ACCEPTED]

    def test_an_empty_message_is_a_chunk_of_nothing(self, connect: Connect, message: Make) -> None:
        """Its last byte is that of the command."""
        protocol = connect(*self.offers, chunking=True)
        protocol.send(message(content=b""))
        assert everything(protocol).endswith(b"BDAT 0 LAST\r\n")
        assert statuses(protocol.receive_eof()) == [Status.IN_DOUBT]

    def test_large_content_goes_block_by_block(self, connect: Connect, message: Make) -> None:
        """The envelope first, and its replies may come meanwhile."""
        protocol = connect(*self.offers, chunking=True)
        content = b"x" * (2 * BLOCK) + b"\r\n"
        protocol.send(message(content=content))
        assert bytes(protocol.data_to_send()).endswith(b"BDAT %d LAST\r\n" % len(content))
        assert len(protocol.data_to_send()) == BLOCK
        assert protocol.receive_data(b"250 ok\r\n25") == []
        assert len(protocol.data_to_send()) == BLOCK
        assert protocol.data_to_send() == b"\r\n"
        assert statuses(protocol.receive_data(b"0 ok\r\n" + QUEUED)) == [Status.ACCEPTED]

    def test_nobody_there_is_no_doubt(self, connect: Connect, message: Make) -> None:
        """Refused recipients are refused; 503 to BDAT adds nothing; RSET goes before the next."""
        protocol = connect(*self.offers, chunking=True)
        protocol.send(message())
        everything(protocol)
        events = protocol.receive_data(b"250 ok\r\n550 who\r\n503 no valid recipients\r\n")
        assert statuses(events) == [Status.PERMANENT]
        protocol.send(message())
        assert everything(protocol) == b"RSET\r\n" + self.group

    @pytest.mark.parametrize(
        ("replies", "expected"),
        [
            (b"250 ok\r\n250 ok\r\n550 spam\r\n", [Status.PERMANENT]),
            (b"250 ok\r\n250 ok\r\n451 later\r\n", [Status.TEMPORARY]),
            (b"550 no\r\n503 what\r\n503 what\r\n", [Status.PERMANENT]),
            (b"250 ok\r\n550 who\r\n421 bye\r\n", [Status.PERMANENT, Status.IN_DOUBT]),
            (b"550 no\r\n550 who\r\n421 bye\r\n", [Status.PERMANENT, Status.IN_DOUBT]),
            (b"250 ok\r\n421 bye\r\n", [Status.IN_DOUBT, Status.IN_DOUBT]),
            (b"250 ok\r\n550 who\r\n250 ok\r\n", [Status.IN_DOUBT, Status.IN_DOUBT]),
            (b"550 no\r\n250 ok\r\n250 ok\r\n", [Status.IN_DOUBT, Status.IN_DOUBT]),
            (b"250 ok\r\nnonsense\r\n", [Status.IN_DOUBT, Status.IN_DOUBT]),
        ],
    )
    def test_what_was_said_holds_and_the_rest_is_in_doubt(
        self, connect: Connect, message: Make, replies: bytes, expected: list[Status]
    ) -> None:
        """With BDAT the content is out before the first reply, so a talk that breaks leaves all of it in doubt."""
        protocol = connect(*self.offers, chunking=True)
        for _ in range(2):
            protocol.send(message())
        everything(protocol)
        assert statuses(protocol.receive_data(replies)) == expected

    def test_not_without_being_asked(self, connect: Connect, message: Make) -> None:
        """BDAT is off unless the settings say otherwise."""
        protocol = connect(*self.offers)
        protocol.send(message())
        assert b"BDAT" not in everything(protocol)


class TestLeaving:
    """QUIT, RSET and what comes too late."""

    def test_goodbye_waits_for_the_last_answer(self, connect: Connect, message: Make) -> None:
        """What was handed in is still delivered; nothing more is taken."""
        protocol = connect()
        protocol.send(message(key="a"))
        assert protocol.quit() == []
        assert not protocol.can_send
        assert statuses(protocol.send(message(key="b"))) == [Status.NOT_TRIED]
        everything(protocol)
        protocol.receive_data(TAKEN)
        everything(protocol)
        assert statuses(protocol.receive_data(QUEUED)) == [Status.ACCEPTED]
        assert everything(protocol) == b"QUIT\r\n"
        assert (protocol.phase, protocol.deadline_kind) == (Phase.QUIT, Phase.QUIT)
        assert protocol.quit() == []
        assert everything(protocol) == b""
        assert protocol.receive_data(b"221 bye\r\n") == [Closed(None)]
        assert (protocol.phase, protocol.deadline_kind) == (Phase.QUIT, None)
        assert statuses(protocol.send(message())) == [Status.NOT_TRIED]

    def test_an_idle_connection_can_be_tried(self, connect: Connect, message: Make) -> None:
        """RSET, and `Ready` when it is alive; messages may be handed in meanwhile."""
        protocol = connect(pipelining="NO")
        assert protocol.reset()
        assert not protocol.reset()
        assert everything(protocol) == b"RSET\r\n"
        assert (protocol.phase, protocol.deadline_kind) == (Phase.IDLE, Phase.MAIL)
        protocol.send(message())
        assert everything(protocol) == b""
        assert protocol.receive_data(b"250 ok\r\n") == [Ready(protocol.capabilities)]
        assert everything(protocol).startswith(b"MAIL")
        assert not protocol.reset()

    def test_a_learnt_limit_holds_for_the_next(self, connect: Connect, message: Make) -> None:
        """Row 52: the limit of recipients that showed is known from then on."""
        protocol = connect()
        protocol.send(message("a@e.no", "b@e.no", "c@e.no"))
        everything(protocol)
        protocol.receive_data(b"250 ok\r\n250 ok\r\n250 ok\r\n452 4.5.3 too many\r\n354 go\r\n")
        everything(protocol)
        assert statuses(protocol.receive_data(QUEUED)) == [Status.ACCEPTED, Status.ACCEPTED, Status.NOT_TRIED]
        assert protocol.capabilities.limits.recipients == 2
