"""The system at work, against servers on loopback that speak as told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from systems.mail import Message, Phase, Reason, Status
from systems.smtp.session import Session
from systems.smtp.system import SmtpSystem

Make = Callable[..., Any]


def many(message: Make, count: int, **more: Any) -> list[Message]:
    """Messages with keys `0`, `1` and so on."""
    return [message(f"r{index}@example.com", key=str(index), **more) for index in range(count)]


def statuses(answered: dict[str, Any]) -> list[list[Status]]:
    """The status of each recipient, in the order of the keys."""
    return [[answer.status for answer in answered[key].answers] for key in sorted(answered, key=int)]


def test_messages_arrive_as_they_are(peer: Make, system: Make, send: Make, message: Make) -> None:
    """Each message is accepted once, with its envelope and its bytes."""

    async def run() -> None:
        messages = many(message, 30, content=b"Subject: x\r\n\r\n.dot\r\n..two\r\n")
        async with peer() as server, system(server.port, connections=3) as mail:
            answered = await send(mail, messages)
            assert statuses(answered) == [[Status.ACCEPTED]] * 30
        assert sorted(server.taken) == sorted(
            ("a@example.com", one.envelope.recipients, one.content) for one in messages
        )
        assert server.connections <= 3

    asyncio.run(run())


def test_an_empty_call_opens_nothing(peer: Make, system: Make, send: Make) -> None:
    """Without messages no connection is made."""

    async def run() -> None:
        async with peer() as server, system(server.port) as mail:
            assert await send(mail, []) == {}
        assert server.connections == 0

    asyncio.run(run())


def test_connections_are_used_again(peer: Make, system: Make, send: Make, message: Make) -> None:
    """A second call goes over the connection of the first."""

    async def run() -> None:
        async with peer() as server, system(server.port, connections=1) as mail:
            for _ in range(3):
                assert statuses(await send(mail, many(message, 1))) == [[Status.ACCEPTED]]
        assert server.connections == 1
        assert server.lines[-1] == "QUIT"

    asyncio.run(run())


def test_a_connection_carries_no_more_than_it_may(peer: Make, system: Make, send: Make, message: Make) -> None:
    """After `messages_per_connection` another one is opened."""

    async def run() -> None:
        async with peer() as server, system(server.port, connections=1, messages_per_connection=4) as mail:
            assert statuses(await send(mail, many(message, 10))) == [[Status.ACCEPTED]] * 10
        assert server.connections == 3

    asyncio.run(run())


def test_an_idle_connection_is_closed(peer: Make, system: Make, send: Make, message: Make) -> None:
    """After `idle_timeout` the server hears QUIT."""

    async def run() -> None:
        left = asyncio.Event()
        async with (
            peer(reply=lambda _, line: left.set() if line == "QUIT" else None) as server,
            system(server.port, idle_timeout=0.05) as mail,
        ):
            await send(mail, many(message, 1))
            async with asyncio.timeout(20):
                await left.wait()

    asyncio.run(run())


def test_what_goes_out_is_on_record_first(peer: Make, system: Make, send: Make, message: Make) -> None:
    """No content arrives before `handing_over` was told of its message."""

    async def run() -> None:
        recorded: list[str] = []
        early: list[str] = []

        def reply(_: int, line: str) -> None:
            if line == "." and len(recorded) <= len(server.taken):
                early.append(line)

        server = peer(reply=reply)
        async with server, system(server.port, connections=2) as mail:
            await send(mail, many(message, 20), lambda group: recorded.extend(one.key for one in group))
        assert sorted(recorded, key=int) == [str(index) for index in range(20)]
        assert not early

    asyncio.run(run())


def test_calls_of_one_caller_share_a_record(peer: Make, system: Make, send: Make, message: Make) -> None:
    """Messages of several calls that end in one turn are told at once, and who cannot take its own hurts no other."""

    async def run() -> None:
        groups: list[list[str]] = []

        def told(group: Sequence[Message]) -> None:
            keys = [one.key for one in group]
            if "bad" in keys:
                raise LookupError("nobody waits for it")
            groups.append(keys)

        async with peer() as server, system(server.port, connections=4) as mail:
            calls = [[message(key=f"{call}-{number}") for number in range(30)] for call in "ab"]
            answers = await asyncio.gather(
                *(send(mail, call, told) for call in (*calls, [message(key="bad")])), return_exceptions=True
            )
        assert isinstance(answers[2], LookupError)
        assert [len(each) for each in answers[:2] if not isinstance(each, BaseException)] == [30, 30]
        assert sorted(key for group in groups for key in group) == sorted(one.key for call in calls for one in call)
        assert any({key[0] for key in group} == {"a", "b"} for group in groups)

    asyncio.run(run())


def test_what_cannot_be_put_on_record_is_not_sent(peer: Make, system: Make, send: Make, message: Make) -> None:
    """When `handing_over` raises, the message does not go, and the caller gets the exception."""

    async def run() -> None:
        def refuse(_: object) -> None:
            raise OSError(28, "No space left on device")

        async with peer() as server, system(server.port) as mail:
            with pytest.raises(OSError, match="No space"):
                await send(mail, many(message, 5), refuse)
        assert server.taken == []

    asyncio.run(run())


def test_one_record_serves_all_connections(peer: Make, system: Make, send: Make, message: Make) -> None:
    """Messages that end in the same turn are told of in one call, so that one write puts them on record."""

    async def run() -> None:
        calls: list[int] = []
        async with peer() as server, system(server.port, connections=5) as mail:
            await send(mail, many(message, 50), lambda group: calls.append(len(group)))
        assert sum(calls) == len(server.taken) == 50
        assert max(calls) > 1

    asyncio.run(run())


class ReadsInPieces(SmtpSystem):
    """A system whose sessions read several times before it is their turn to write, as under TLS."""

    def turn(self, session: Session) -> None:
        """Twice."""
        super().turn(session)
        super().turn(session)


def test_what_is_read_in_pieces_is_answered_whole(peer: Make, system: Make, send: Make, message: Make) -> None:
    """Nothing that was to be written is lost when a session has read more than once before."""

    async def run() -> None:
        async with peer() as server:
            built = system(server.port, connections=3)
            built.__class__ = ReadsInPieces
            async with built as mail, asyncio.timeout(60):
                assert statuses(await send(mail, many(message, 20))) == [[Status.ACCEPTED]] * 20
        assert len(server.taken) == 20

    asyncio.run(run())


def test_who_cannot_record_does_not_stop_others(peer: Make, system: Make, send: Make, message: Make) -> None:
    """Of two callers one cannot put its messages on record: the other's all go, and once."""

    async def run() -> None:
        def refuse(_: object) -> None:
            raise OSError(28, "No space left on device")

        async with peer() as server, system(server.port, connections=4) as mail:
            other = asyncio.create_task(send(mail, many(message, 30)))
            with pytest.raises(OSError, match="No space"):
                await send(mail, many(message, 5), refuse)
            answered = await other
        assert statuses(answered) == [[Status.ACCEPTED]] * 30
        assert len(server.taken) == 30

    asyncio.run(run())


def test_an_error_of_the_callers_comes_back(peer: Make, system: Make, send: Make, message: Make) -> None:
    """When the messages themselves raise, what went before is answered and the exception comes back."""

    async def run() -> None:
        def broken() -> Iterator[Message]:
            yield from many(message, 2)
            raise LookupError("no more")

        async with peer() as server, system(server.port) as mail:
            with pytest.raises(LookupError, match="no more"):
                await send(mail, broken())
        assert len(server.taken) == 2

    asyncio.run(run())


def test_recipients_are_answered_one_by_one(peer: Make, system: Make, send: Make, message: Make) -> None:
    """Of several recipients one is refused for good and one for now, and the message goes to the others."""
    verdicts = {"RCPT TO:<no@example.com>": b"550 5.1.1 nobody", "RCPT TO:<later@example.com>": b"450 4.2.0 later"}

    async def run() -> None:
        async with peer(reply=lambda _, line: verdicts.get(line)) as server, system(server.port) as mail:
            recipients = ("yes@example.com", "no@example.com", "later@example.com", "too@example.com")
            answered = await send(mail, [message(*recipients, key="0")])
        accepted, refused, later = Status.ACCEPTED, Status.PERMANENT, Status.TEMPORARY
        assert statuses(answered) == [[accepted, refused, later, accepted]]
        assert answered["0"].answers[1].enhanced == "5.1.1"
        assert [taken[1] for taken in server.taken] == [("yes@example.com", "too@example.com")]

    asyncio.run(run())


def test_recipients_beyond_the_limit_of_the_server_go_in_another_transaction(
    peer: Make, system: Make, send: Make, message: Make
) -> None:
    """A server that takes two recipients at a time gets five in three transactions; the caller gets one answer."""

    async def run() -> None:
        async with peer("PIPELINING", "LIMITS RCPTMAX=2") as server, system(server.port) as mail:
            recipients = tuple(f"r{index}@example.com" for index in range(5))
            answered = await send(mail, [message(*recipients, key="0")])
        assert statuses(answered) == [[Status.ACCEPTED] * 5]
        assert tuple(answer.recipient for answer in answered["0"].answers) == recipients
        assert [len(taken[1]) for taken in server.taken] == [2, 2, 1]

    asyncio.run(run())


def test_a_server_that_is_not_there_stops_the_flow(system: Make, send: Make, message: Make) -> None:
    """No message is charged, no more are taken than there are connections for, and the trouble is told."""

    async def run() -> None:
        taken = 0

        def endless() -> Iterator[Message]:
            nonlocal taken
            while True:
                taken += 1
                yield message(key=str(taken))

        async with peerless() as port, system(port, connections=4) as mail:
            answered = await send(mail, endless())
            assert {status for each in statuses(answered) for status in each} == {Status.NOT_TRIED}
            assert taken <= 5
            assert mail.trouble.fault.reason is Reason.UNREACHABLE
            assert mail.trouble.fault.text.endswith("cannot be reached: Connection refused".lower())
            assert 0 < mail.trouble.seconds <= 2
            assert mail.trouble.server == f"127.0.0.1:{port}"

    asyncio.run(run())


class peerless:  # noqa: N801 - reads as a word
    """A port on which nobody listens, for as long as this lasts."""

    async def __aenter__(self) -> int:
        """Take a port without listening on it."""
        import socket  # noqa: PLC0415

        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        return int(self.socket.getsockname()[1])

    async def __aexit__(self, *exc: object) -> None:
        """Let it go."""
        self.socket.close()


def test_the_next_server_takes_over(peer: Make, system: Make, send: Make, message: Make) -> None:
    """Of several servers the first that works is used, and a dead one costs no message an answer."""

    async def run() -> None:
        async with peerless() as dead, peer() as server:
            servers = [{"smtp_server": "127.0.0.1", "smtp_port": port} for port in (dead, server.port)]
            async with system(servers=servers) as mail:
                answered = await send(mail, many(message, 5))
                assert statuses(answered) == [[Status.ACCEPTED]] * 5
                assert {each.answers[0].server for each in answered.values()} == {f"127.0.0.1:{server.port}"}
                assert mail.trouble is None

    asyncio.run(run())


@pytest.mark.parametrize("greeting", [b"554 no", b"421 not now", b"450 later", b"HTTP/1.1 400 Bad Request"])
def test_a_bad_greeting_is_no_message_s_fault(
    greeting: bytes, peer: Make, system: Make, send: Make, message: Make
) -> None:
    """Whatever a server greets with, messages are not charged for it."""

    async def run() -> None:
        async with peer(reply=lambda _, line: None if line else greeting) as server, system(server.port) as mail:
            answered = await send(mail, many(message, 3))
            assert statuses(answered) == [[Status.NOT_TRIED]] * 3
            assert mail.trouble.fault.phase is Phase.GREETING

    asyncio.run(run())


def test_a_server_that_closes_after_some_messages_is_fine(peer: Make, system: Make, send: Make, message: Make) -> None:
    """421 after each third message costs new connections and nothing else."""

    async def run() -> None:
        counts: dict[int, int] = {}

        def reply(number: int, line: str) -> bytes | None:
            if line.startswith("MAIL"):
                counts[number] = counts.get(number, 0) + 1
                if counts[number] > 3:
                    return b"421 4.7.0 enough"
            return None

        async with peer(reply=reply) as server, system(server.port, connections=2) as mail:
            answered = await send(mail, many(message, 20))
            assert statuses(answered) == [[Status.ACCEPTED]] * 20
            assert mail.trouble is None
        assert len(server.taken) == 20

    asyncio.run(run())


def test_silence_after_the_dot_is_doubt(peer: Make, system: Make, send: Make, message: Make) -> None:
    """When no answer comes to the dot within its time, the message is in doubt and the connection is not used again."""

    async def run() -> None:
        hanging = asyncio.Event()

        class Silent(peer):  # type: ignore[misc,valid-type]
            async def _say(self, number: int, line: str, usual: bytes, writer: asyncio.StreamWriter) -> bytes:
                if line == "." and number == 1:
                    await hanging.wait()
                return await super()._say(number, line, usual, writer)  # type: ignore[no-any-return]

        async with Silent() as server, system(server.port, timeouts={"dot": 0.2}, connections=1) as mail:
            answered = await send(mail, many(message, 1))
            assert statuses(answered) == [[Status.IN_DOUBT]]
            assert answered["0"].answers[0].phase is Phase.DOT

    asyncio.run(run())


def test_a_connection_that_breaks_before_the_dot_leaves_no_doubt(
    peer: Make, system: Make, send: Make, message: Make
) -> None:
    """A server that goes away at DATA has certainly not taken the message."""

    async def run() -> None:
        async with peer(reply=lambda _, line: b"" if line == "DATA" else None) as server, system(server.port) as mail:
            answered = await send(mail, many(message, 1))
            assert statuses(answered) == [[Status.TEMPORARY]]

    asyncio.run(run())


def test_a_server_without_room_is_left_in_peace(peer: Make, system: Make, send: Make, message: Make) -> None:
    """After three refusals in a row for want of storage no more messages are tried for a while."""

    async def run() -> None:
        full = b"452 4.3.1 no storage"
        async with (
            peer(reply=lambda _, line: full if line.startswith("MAIL") else None) as server,
            system(server.port, connections=1) as mail,
        ):
            answered = await send(mail, many(message, 50))
            kinds = [status for each in statuses(answered) for status in each]
            assert 3 <= kinds.count(Status.TEMPORARY) <= 5
            assert len(answered) < 50
            assert mail.trouble.fault.phase is Phase.MAIL

    asyncio.run(run())


def test_too_many_connections_means_fewer(peer: Make, system: Make, send: Make, message: Make) -> None:
    """A server that turns the third connection away gets no third one, and every message goes."""

    async def run() -> None:
        def reply(_: int, line: str) -> bytes | None:
            return b"421 4.7.0 too many connections" if not line and len(server._open) > 2 else None

        server = peer(reply=reply)
        async with server, system(server.port, connections=8) as mail:
            answered = await send(mail, many(message, 40))
            assert statuses(answered) == [[Status.ACCEPTED]] * 40
            assert mail.trouble is None

    asyncio.run(run())


def test_two_callers_share_the_connections(peer: Make, system: Make, send: Make, message: Make) -> None:
    """Each caller gets the answers to its own messages, also for the same object."""

    async def run() -> None:
        shared = message("shared@example.com", key="7")
        async with peer() as server, system(server.port, connections=2) as mail:
            one, two = await asyncio.gather(
                send(mail, [*many(message, 5), shared]), send(mail, [shared, *many(message, 3)])
            )
            assert len(one) == 6
            assert len(two) == 4
        assert len(server.taken) == 10

    asyncio.run(run())


def test_a_caller_that_leaves_takes_its_messages_along(peer: Make, system: Make, send: Make, message: Make) -> None:
    """After a caller stops listening nothing more is taken from it, and others go on."""

    async def run() -> None:
        taken = 0

        def endless() -> Iterator[Message]:
            nonlocal taken
            while True:
                taken += 1
                yield message(key=str(taken))

        async with peer() as server, system(server.port, connections=1) as mail:
            leaving = mail.send(endless(), lambda _: None)
            await anext(leaving)
            await leaving.aclose()
            before = taken
            assert statuses(await send(mail, many(message, 3))) == [[Status.ACCEPTED]] * 3
            assert taken == before
            assert server.connections == 1

    asyncio.run(run())


def test_a_unix_socket_works(
    peer: Make, system: Make, send: Make, message: Make, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A server on this machine can be reached by the path of its socket."""

    async def run() -> None:
        path = str(tmp_path_factory.mktemp("s") / "smtp")
        async with peer(path=path), system(socket=path) as mail:
            answered = await send(mail, many(message, 1))
            assert statuses(answered) == [[Status.ACCEPTED]]
            assert answered["0"].answers[0].server == path

    asyncio.run(run())


def test_large_messages_pass_in_blocks(peer: Make, system: Make, send: Make, message: Make) -> None:
    """Content far larger than what a socket holds arrives whole."""

    async def run() -> None:
        content = b"Subject: x\r\n\r\n" + b".0123456789\r\n" * 80_000

        async with peer("PIPELINING") as server:
            async with system(server.port, connections=2) as mail:
                answered = await send(mail, many(message, 2, content=content))
                assert statuses(answered) == [[Status.ACCEPTED]] * 2
            assert [len(taken[2]) for taken in server.taken] == [len(content)] * 2

    asyncio.run(run())
