"""What holds whatever a server does: each message is answered once, and doubt begins and ends with the dot."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from systems.mail import Answered, Envelope, Message, Phase, Reason, Status
from systems.smtp.events import Closed, Event
from systems.smtp.protocol import Protocol
from systems.smtp.settings import Settings

Connect = Callable[..., Protocol]


class Server:
    """A proper server in a few lines: bytes in, bytes out. It refuses as `verdicts` says, or else accepts."""

    def __init__(self, offers: tuple[str, ...], verdicts: Iterable[bytes] = ()) -> None:
        """What EHLO names, and the replies to MAIL, RCPT, DATA, dot and BDAT, one after the other."""
        self._offers = ("mx", *offers)
        self._verdicts = iter(verdicts)
        self._rest = b""
        self._content: bytes | None = None
        self._sender: str | None = None
        self._recipients: list[str] = []
        self.taken: list[tuple[str, tuple[str, ...], bytes]] = []
        self.output = b"220 mx\r\n"

    def feed(self, data: bytes) -> bytes:
        """Work off what is whole; the replies."""
        self._rest += data
        while self._step():
            pass
        output, self.output = self.output, b""
        return output

    def _step(self) -> bool:
        if self._content is not None:
            return self._take_content()
        line, end, rest = self._rest.partition(b"\r\n")
        if not end:
            return False
        word, _, parameter = line.decode().partition(" ")
        if word == "BDAT":
            size = int(parameter.split()[0])
            if len(rest) < size:
                return False
            self._rest = rest[size:]
            self._finish(rest[:size], b"250 taken")
            return True
        self._rest = rest
        self._command(word, parameter)
        return True

    def _command(self, word: str, parameter: str) -> None:
        path = parameter.partition("<")[2].partition(">")[0]
        if word == "EHLO":
            self._say(
                "".join(f"250-{each}\r\n" for each in self._offers[:-1]).encode() + b"250 " + self._offers[-1].encode()
            )
        elif word == "RSET":
            self._sender = None
            self._say(b"250 flushed")
        elif word == "QUIT":
            self._say(b"221 bye")
        elif word == "MAIL":
            if self._sender is not None:
                self._say(b"503 nested")
            elif self._verdict(b"250 sender"):
                self._sender, self._recipients = path, []
        elif self._sender is None or (word == "DATA" and not self._recipients):
            self._say(b"503 not now")
        elif word == "RCPT":
            if self._verdict(b"250 recipient"):
                self._recipients.append(path)
        elif self._verdict(b"354 go"):
            self._content = b""

    def _take_content(self) -> bool:
        text, end, rest = (b"\r\n" + self._rest).partition(b"\r\n.\r\n")
        if not end:
            return False
        self._content, self._rest = None, rest
        self._finish(re.sub(rb"(?m)^\.", b"", text[2:] + b"\r\n" if text else b""), b"250 taken")
        return True

    def _finish(self, content: bytes, yes: bytes) -> None:
        if self._sender is None or not self._recipients:
            self._say(b"503 nobody")
        elif self._verdict(yes):
            self.taken.append((self._sender, tuple(self._recipients), content))
            self._sender = None
        else:
            self._sender = None

    def _verdict(self, yes: bytes) -> bool:
        word = next(self._verdicts, b"")
        self._say(word or yes)
        return not word

    def _say(self, line: bytes) -> None:
        self.output += line + b"\r\n"


def messages(spec: list[tuple[int, bytes]]) -> list[Message]:
    """A message for each number of recipients and content."""
    return [
        Message(f"k{index}", Envelope("a@e.no", tuple(f"r{number}-{index}@e.no" for number in range(count))), content)
        for index, (count, content) in enumerate(spec)
    ]


def check(sent: list[Message], events: list[Event]) -> None:
    """Each message is answered once, each of its recipients in its place, and the end is told once and last."""
    answered = [event for event in events if isinstance(event, Answered)]
    assert Counter(id(one.message) for one in answered) == Counter(id(one) for one in sent)
    for one in answered:
        assert tuple(answer.recipient for answer in one.answers) == one.message.envelope.recipients
    ends = [event for event in events if isinstance(event, Closed)]
    assert ends == events[-1:]


def everything(protocol: Protocol) -> bytes:
    """All that there is to write."""
    return b"".join(iter(protocol.data_to_send, b""))


bodies = st.one_of(
    st.just(b"Subject: Hi\r\n\r\nHello\r\n"),
    st.lists(st.sampled_from([b"a", b".", b"\r\n", b"\n", b"\r", b"\xe6"]), max_size=8).map(b"".join),
    st.just(b"x" * 70_000),
)
specs = st.lists(st.tuples(st.integers(0, 3), bodies), max_size=5)
offers = st.sets(st.sampled_from(["PIPELINING", "CHUNKING", "SIZE 100000", "LIMITS RCPTMAX=2"])).map(
    lambda some: ("8BITMIME", *sorted(some))
)
settings = st.fixed_dictionaries(
    {
        "pipelining": st.sampled_from(["TRY", "NO"]),
        "chunking": st.booleans(),
        "window": st.integers(1, 4),
        "largest": st.sampled_from([None, 50]),
    }
)
verdicts = st.lists(
    st.sampled_from([b"", b"", b"", b"", b"450 4.2.0 later", b"550 5.1.1 no", b"452 4.5.3 too many", b"555 5.5.4 what"])
)


@given(specs, offers, settings, verdicts, st.data())
def test_client_and_server_agree(
    spec: list[tuple[int, bytes]], offers: tuple[str, ...], settings: dict[str, Any], verdicts: list[bytes], data: Any
) -> None:
    """With a proper server, however the bytes are cut: what it took is what is answered `accepted`, byte for byte."""
    server = Server(offers, verdicts)
    protocol = Protocol(Settings("mx", **settings))
    protocol.start()
    sent, events = messages(spec), []
    for message in sent:
        events += protocol.send(message)
    replies = server.feed(b"")
    size = data.draw(st.integers(1, 200))
    while replies:
        events += protocol.receive_data(replies[:size])
        replies = replies[size:] + server.feed(everything(protocol))
    assert protocol.in_flight == 0
    events += protocol.quit()
    events += protocol.receive_data(server.feed(everything(protocol)))
    check(sent, events)
    assert events[-1] == Closed(None)
    accepted = [
        (
            one.message.envelope.sender,
            tuple(answer.recipient for answer in one.answers if answer.status is Status.ACCEPTED),
            wire_text(one.message.content),
        )
        for one in events
        if isinstance(one, Answered) and any(answer.status is Status.ACCEPTED for answer in one.answers)
    ]
    assert accepted == server.taken
    assert not any(
        answer.status is Status.IN_DOUBT for one in events if isinstance(one, Answered) for answer in one.answers
    )


def wire_text(content: bytes) -> bytes:
    """Content with CR LF at every line's end."""
    text = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    return text if text.endswith(b"\r\n") or not text else text + b"\r\n"


said = st.sampled_from(
    [
        b"250 ok\r\n",
        b"250 ok\r\n",
        b"250 ok\r\n",
        b"354 go\r\n",
        b"354 go\r\n",
        b"220 mx\r\n",
        b"450 later\r\n",
        b"550 no\r\n",
        b"555 what\r\n",
        b"452 4.5.3 many\r\n",
        b"421 bye\r\n",
        b"503 what\r\n",
        b"530 login\r\n",
        b"250-more\r\n",
        b"25",
        b"\n",
        b"\0",
    ]
)
TAKEN = b"250 ok\r\n250 ok\r\n354 go\r\n"
streams = st.one_of(
    st.lists(said, max_size=12).map(b"".join),
    st.lists(st.sampled_from([TAKEN, b"250 ok\r\n", TAKEN + b"250 ok\r\n"]), max_size=4).map(b"".join),
    st.binary(max_size=30),
)


@given(specs, settings, st.lists(streams, max_size=5), st.integers(0, 80), st.data())
def test_every_message_is_answered_whatever_the_server_does(
    connect: Connect,
    spec: list[tuple[int, bytes]],
    settings: dict[str, Any],
    portions: list[bytes],
    unsent: int,
    data: Any,
) -> None:
    """Any bytes in any order, ending anywhere: one answer each; doubt only after the dot; `accepted` only by 2xx."""
    protocol = connect(**settings)
    sent = messages(spec)
    events: list[Event] = []
    dotted: list[Message] = []
    written = b""
    waiting = list(sent)
    for portion in portions:
        while waiting and data.draw(st.booleans()):
            events += protocol.send(waiting.pop(0))
        if data.draw(st.integers(0, 3)):
            written += everything(protocol)
            dotted += protocol.take_dots()
        events += protocol.receive_data(portion)
    for message in waiting:
        events += protocol.send(message)
    ending = data.draw(st.sampled_from(["eof", "timeout"]))
    if ending == "eof":
        events += protocol.receive_eof(unsent=unsent)
    else:
        events += protocol.abort(Reason.TIMEOUT, "no answer", unsent=unsent)
    check(
        sent,
        [*[one for one in events if isinstance(one, Answered)], *[one for one in events if isinstance(one, Closed)]],
    )
    assert protocol.in_flight == 0
    gone = {id(message) for message in dotted}
    said_yes = len(re.findall(rb"250[ \r]", b"".join(portions)))
    accepted = 0
    for one in events:
        if not isinstance(one, Answered):
            continue
        statuses = {answer.status for answer in one.answers}
        if statuses & {Status.ACCEPTED, Status.IN_DOUBT}:
            assert id(one.message) in gone
        accepted += Status.ACCEPTED in statuses
        for answer in one.answers:
            if answer.status is Status.ACCEPTED:
                assert answer.code == 250
    assert accepted <= said_yes
    assert len({id(one) for one in dotted}) == len(dotted)


@given(specs, settings, st.lists(said, max_size=14).map(b"".join), st.data())
def test_how_replies_are_cut_changes_nothing(
    connect: Connect, spec: list[tuple[int, bytes]], settings: dict[str, Any], stream: bytes, data: Any
) -> None:
    """Row 23 for the whole machine: the same answers and the same bytes, as long as the shell writes between replies.

    What counts is whether a reply came before or after the shell wrote; so both machines write at the same places.
    """

    def run(portions: list[bytes]) -> tuple[list[Event], bytes]:
        protocol = connect(**settings)
        events: list[Event] = []
        for message in messages(spec):
            events += protocol.send(message)
        written = everything(protocol)
        for portion in portions:
            events += protocol.receive_data(portion)
        return [*events, *protocol.receive_eof()], written

    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    portions = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole, cut = run([stream]), run(portions)
    assert plain(whole[0]) == plain(cut[0])
    assert whole[1] == cut[1]


@given(
    st.lists(st.tuples(st.integers(1, 2) | st.just(1), bodies), min_size=3, max_size=6),
    st.lists(st.sampled_from([b""] * 20 + [b"450 later", b"550 no", b"421 bye", b"503 what", b"250 strange"])),
)
def test_replies_at_once_do_what_they_do_one_by_one(spec: list[tuple[int, bytes]], verdicts: list[bytes]) -> None:
    """A turn of the usual talk, which is done at once, has the same answers and bytes as its replies singly."""

    def run(*, singly: bool) -> tuple[list[Event], list[bytes]]:
        server, protocol = Server(("PIPELINING", "SIZE"), verdicts), Protocol(Settings("mx"))
        protocol.start()
        replies, waiting = server.feed(b""), messages(spec)
        events: list[Event] = []
        written: list[bytes] = []
        while replies and not protocol.ended:
            for portion in replies.splitlines(keepends=True) if singly else [replies]:
                events += protocol.receive_data(portion)
            while waiting and protocol.can_send:
                events += protocol.send(waiting.pop(0))
            written.append(everything(protocol))
            replies = server.feed(written[-1])
        return events, written

    assert run(singly=True) == run(singly=False)


def plain(events: list[Event]) -> list[object]:
    """Events without the words for a violation, which show as much of it as had come.

    While nothing is asked, a 421 that has only begun to come is a violation and a whole one is a farewell: nothing is
    kept of an answer to no question. Either ends the connection, and no message is touched.
    """
    return [_plain(event) for event in events]


def _plain(event: Event) -> object:
    if isinstance(event, Answered):
        return [(answer.recipient, answer.status, answer.phase, answer.code) for answer in event.answers]
    if isinstance(event, Closed):
        fault = event.fault
        if fault is None or fault.phase is Phase.IDLE:
            return fault and fault.phase
        return fault.reason, fault.phase, fault.code
    return event


hostile = st.text(st.characters(codec=None), max_size=20)


@given(hostile, st.lists(hostile, max_size=3), st.binary(max_size=30), st.booleans())
def test_nothing_that_is_handed_in_breaks_the_talk(
    connect: Connect, sender: str, recipients: list[str], content: bytes, pipelined: bool
) -> None:
    """Rows 88 and 89 and injection: every command is one of ours, and the server finds one end of data."""
    protocol = connect(pipelining="TRY" if pipelined else "NO")
    one = Message("k", Envelope(sender, (*recipients, "good@e.no")), content)
    events = protocol.send(one)
    written = everything(protocol)
    while not any(isinstance(event, Answered) for event in events):
        commands = written.split(b"\r\n")[:-1]
        assert all(re.fullmatch(rb"(MAIL FROM:<|RCPT TO:<)[^\x00-\x1f\x7f]*|DATA", line) for line in commands)
        assert not any(b"> " in line and b"RCPT" in line for line in commands if b'"' not in line)
        replies = b"".join(b"354 go\r\n" if line == b"DATA" else b"250 ok\r\n" for line in commands)
        events += protocol.receive_data(replies)
        written = everything(protocol)
        if b"DATA" in commands:
            lines = written.split(b"\r\n")
            assert lines.index(b".") == len(lines) - 2
            assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", written)
            events += protocol.receive_data(b"250 ok\r\n")
    check([one], [*events, *protocol.receive_eof()])
