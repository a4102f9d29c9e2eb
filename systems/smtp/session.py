"""One connection with its socket: it carries bytes between the server and `Protocol`, and keeps the deadlines.

What the protocol says goes to the owner at once, in the callback of the socket: there is no task and no future for a
message. Tasks do what takes turns with the server: to connect, the TLS handshake, the login.
"""

from __future__ import annotations

import asyncio
import logging
import socket as sockets
import ssl
from collections.abc import Coroutine, Iterable, Sequence
from typing import Final, Protocol, cast

from pipeline.secret import Secret
from systems.mail import Answered, Message, Phase, Reason, SystemFault
from systems.smtp.auth import Kind, choose, mechanism
from systems.smtp.dialing import dial
from systems.smtp.events import Event, Login, Ready, StartTls
from systems.smtp.mechanisms import Credentials, Refusal, Sasl
from systems.smtp.parcel import Parcel
from systems.smtp.protocol import Protocol as Machine
from systems.smtp.route import Route, unreachable, words
from systems.smtp.tls import explain
from systems.smtp.transcript import Transcript

_log = logging.getLogger("mailweir.smtp")

# How long a server's speed is watched before it is judged.
RATE_SPAN: Final = 30.0


class Owner(Protocol):
    """Who uses a session."""

    def connected(self, session: Session) -> None:
        """The server is reached."""
        ...

    def ready(self, session: Session) -> None:
        """It can carry mail."""
        ...

    def answered(self, session: Session, answered: Answered) -> None:
        """A message has its answers."""
        ...

    def turn(self, session: Session) -> None:
        """It has read something: `flush` it, at the latest when the others have read too."""
        ...

    def handing_over(self, session: Session, messages: Sequence[Message]) -> bool:
        """The last bytes of these messages go out next; False if they must not."""
        ...

    def closed(self, session: Session, fault: SystemFault | None) -> None:
        """It takes no more; all that it had was answered before."""
        ...

    def gone(self, session: Session) -> None:
        """Nothing of it is left."""
        ...


class Session(asyncio.BufferedProtocol):
    """A connection from the moment it is wanted until it is closed."""

    def __init__(self, route: Route, owner: Owner) -> None:
        """Nothing happens before `open`."""
        self.route = route
        self.machine = Machine(route.settings)
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._transcript = Transcript() if route.log else None
        self._task: asyncio.Task[None] | None = None
        self._full = False  # the transport still holds what was written last
        self._loaded: bytes | memoryview = b""  # taken from the machine, to be written next
        self._encrypting = False
        self._early: list[bytes | BaseException | None] = []  # what the transport told while it was made
        self._deadline_of: tuple[Phase | None, int] = (None, 0)
        self._since = self._loop.time()
        self._rate_mark: tuple[float, int] | None = None  # when it began to hold, and how much it had been given
        self._written = 0
        self._left = False
        self.unrecorded = False  # it ends because what it was to send could not be put on record
        self.accepted = False  # it has carried a message to its end
        self.carried: dict[int, Parcel] = {}
        """What was handed in, by the identity of the message, in that order. The owner keeps it."""
        self.tls: ssl.SSLObject | None = None

    def open(self) -> None:
        """Begin."""
        self._since = self._loop.time()
        self._run(self._open())

    def send(self, message: Message) -> bool:
        """Hand in a message; whether it is on its way. `flush` follows."""
        events = self.machine.send(message)
        if events:
            self.handle(events)
        return not events

    def rehearse(self, message: Message) -> None:
        """Ask whether the server would take a message."""
        self.handle(self.machine.rehearse(message))
        self.flush()

    def quit(self) -> None:
        """Say goodbye when all is answered."""
        self.handle(self.machine.quit())
        self.flush()
        if self._transport is None and self.machine.ended:
            self._leave()

    def abort(self, reason: Reason, text: str) -> None:
        """Close at once, from this side."""
        transport = self._transport
        unsent = 0
        # What a TLS transport holds are other bytes than those it was given.
        if transport is not None and transport.get_extra_info("sslcontext") is None:
            unsent = transport.get_write_buffer_size()
        self.handle(self.machine.abort(reason, text, unsent=unsent))
        self._drop()

    def check(self, now: float) -> None:
        """Close if a deadline has passed."""
        machine = self.machine
        if machine.ended:
            if now - self._since > self.route.timeouts.phases[Phase.QUIT]:
                self._drop()
            return
        kind = machine.deadline_kind
        state = (kind, machine.progress)
        if state != self._deadline_of:
            self._deadline_of = state
            self._since = now
            self._rate_mark = None
        if self.carried and now - next(iter(self.carried.values())).since > self.route.timeouts.message:
            self.abort(Reason.TIMEOUT, f"the message took longer than {self.route.timeouts.message:g} s")
            return
        if self._transport is None or self._encrypting or kind is None:
            return  # to connect and to encrypt have deadlines of their own
        if now - self._since > self.route.timeouts.phases[kind]:
            self.abort(Reason.TIMEOUT, f"no answer within {self.route.timeouts.phases[kind]:g} s")
        elif self._full and self.route.timeouts.minimum_rate:
            self._check_rate(now)

    def _check_rate(self, now: float) -> None:
        """A server that takes its bytes in drops holds a connection for ever (faults of slow peers)."""
        transport = self._transport
        if transport is None:
            return
        gone = self._written - transport.get_write_buffer_size()
        if self._rate_mark is None:
            self._rate_mark = (now, gone)
            return
        since, before = self._rate_mark
        if now - since >= RATE_SPAN:
            if gone - before < self.route.timeouts.minimum_rate * (now - since):
                self.abort(Reason.TIMEOUT, f"the server takes less than {self.route.timeouts.minimum_rate} bytes/s")
            self._rate_mark = (now, gone)

    def flush(self) -> None:
        """Write what the machine has, so far as the transport takes it."""
        dots = self.load()
        while self._loaded:
            self.fire(recorded=not dots or self._owner.handing_over(self, dots))
            dots = self.load()

    def load(self) -> list[Message]:
        """Take what goes out next from the machine. `fire` follows when the messages that end in it are on record."""
        if self._full or self._transport is None or self._loaded:
            return []
        machine = self.machine
        self._loaded = machine.data_to_send()
        if not self._loaded and machine.ended:
            self._transport.close()
        return machine.take_dots()

    def fire(self, *, recorded: bool = True) -> None:
        """Write what was loaded, or end the connection without it."""
        data, self._loaded = self._loaded, b""
        transport = self._transport
        if transport is None or not data:
            return
        if not recorded:
            self.unrecorded = True
            text = "it could not be put on record, so it was not sent"
            self.handle(self.machine.abort(Reason.CANCELLED, text, unsent=len(data)))
            self._drop()
            return
        if self._transcript is not None:
            self._say(self._transcript.sent(data))
        self._written += len(data)
        transport.write(data)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._adopt(cast("asyncio.Transport", transport))
        self._owner.connected(self)
        if not self.route.settings.encrypted:
            self._start()  # the greeting may be read before whoever dials hears that the connection stands

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read to."""
        return self.route.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes came."""
        data = bytes(self.route.buffer[:nbytes])
        if self._encrypting:
            self._early.append(data)
        else:
            self._received(data)

    def _received(self, data: bytes) -> None:
        if self._transcript is not None:
            self._say(self._transcript.received(data))
        events = self.machine.receive_data(data)
        if events:
            self.handle(events)
        self._owner.turn(self)

    def pause_writing(self) -> None:
        """The transport holds something: nothing more is given to it, so that little is between here and the wire."""
        self._full = True

    def resume_writing(self) -> None:
        """The transport holds nothing."""
        self._full = False
        self._rate_mark = None
        self.flush()

    def eof_received(self) -> bool:
        """The server says no more; the transport closes."""
        if self._encrypting:
            self._early.append(b"")
            return False
        self.handle(self.machine.receive_eof())
        return False

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone."""
        if self._encrypting:
            self._early.append(exc)  # if the handshake fails, it says why
            return
        if exc is None:
            self.handle(self.machine.receive_eof())
        elif isinstance(exc, ssl.SSLError):
            text, retryable = explain(exc, starttls=False)
            # With TLS 1.3 a server can say what it misses after the handshake, in place of its greeting.
            early = self.machine.phase is Phase.GREETING
            reason = Reason.TLS_FAILED if early else Reason.DISCONNECTED
            text = text if early else f"the connection broke: {text}"
            self.handle(self.machine.abort(reason, text, retryable=retryable))
        else:
            self.handle(self.machine.abort(Reason.DISCONNECTED, f"the connection broke: {words(exc)}"))
        self._leave()

    def _heed(self) -> None:
        """What came with the last bytes of the handshake, before its end was told."""
        early, self._early = self._early, []
        for what in early:
            if not isinstance(what, bytes):
                self.connection_lost(what)
            elif what:
                self._received(what)
            else:
                self.eof_received()

    def _leave(self) -> None:
        if not self._left:
            self._left = True
            self._transport = None
            self._owner.gone(self)

    # What the machine asks for.

    def handle(self, events: Sequence[Event]) -> None:
        """Do what the machine asks for."""
        owner = self._owner
        for event in events:
            if isinstance(event, Answered):
                owner.answered(self, event)
            elif isinstance(event, Ready):
                owner.ready(self)
            elif isinstance(event, StartTls):
                self._run(self._upgrade())
            elif isinstance(event, Login):
                self._run(self._login(event.mechanisms))
            else:
                self._since = self._loop.time()
                if self._task is not None and self._task is not asyncio.current_task(self._loop):
                    self._task.cancel()
                owner.closed(self, event.fault)

    def _run(self, work: Coroutine[None, None, None]) -> None:
        self._task = self._loop.create_task(work)
        self._task.add_done_callback(self._worked)

    def _worked(self, task: asyncio.Task[None]) -> None:
        """A fault of our own ends the session too: no message may wait for ever because of it."""
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        _log.error("%s: a fault of this program", self.route.endpoint.name, exc_info=error)
        text = f"a fault of this program: {type(error).__name__}; the log says more"
        self._encrypting = False
        self.handle(self.machine.abort(Reason.OWN_FAULT, text, retryable=False))
        self._drop()
        self._leave()

    async def _open(self) -> None:
        route, machine = self.route, self.machine
        try:
            async with asyncio.timeout(route.timeouts.connect):
                await dial(route.endpoint, route.source_address, lambda: self)
        except OSError as error:  # TimeoutError is of it
            self.handle(machine.abort(Reason.UNREACHABLE, unreachable(error, route)))
            self._drop()
            self._leave()
            return
        if route.settings.encrypted and await self._encrypt(starttls=False):
            self._start()
            self._heed()

    def _start(self) -> None:
        self.machine.start(self._own_address())
        self._since = self._loop.time()

    def _own_address(self) -> str:
        name = self._transport.get_extra_info("sockname") if self._transport else None
        return str(name[0]).partition("%")[0] if isinstance(name, tuple) else ""

    async def _encrypt(self, *, starttls: bool) -> bool:
        """The TLS handshake; whether it was made."""
        route, transport = self.route, self._transport
        context = route.context
        if transport is None or context is None:
            return False
        self._encrypting = True
        seconds = route.timeouts.phases[Phase.TLS]
        try:
            made = await self._loop.start_tls(
                transport,
                self,
                context,
                server_hostname=route.endpoint.host,
                ssl_handshake_timeout=seconds,
                ssl_shutdown_timeout=route.timeouts.phases[Phase.QUIT],
            )
        except OSError as error:  # ssl.SSLError and TimeoutError are of it
            fault = explain(error, starttls=starttls)
            made = None
        else:
            fault = explain(EOFError(), starttls=starttls)
        self._encrypting = False
        if made is None:
            self.handle(self.machine.abort(Reason.TLS_FAILED, fault.text, retryable=fault.retryable))
            self._drop()
            self._leave()
            return False
        self._adopt(made)
        self.tls = made.get_extra_info("ssl_object")
        return not self.machine.ended

    def _adopt(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._full = False
        # From one byte on, `pause_writing`; not 0, with which TLS transports would pause while they hold nothing.
        transport.set_write_buffer_limits(high=1, low=0)
        socket = transport.get_extra_info("socket")
        if socket is not None and socket.family in {sockets.AF_INET, sockets.AF_INET6}:
            # Each write is a whole turn of the talk: waiting for more only delays it.
            socket.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)

    async def _upgrade(self) -> None:
        if await self._encrypt(starttls=True):
            self.machine.starttls_done()
            self._heed()
            self.flush()

    async def _login(self, offered: Sequence[str]) -> None:
        machine = self.machine
        chosen = await self._mechanism(offered)
        if machine.ended:
            return
        if isinstance(chosen, Refusal):
            self.handle(machine.abort(chosen.reason, chosen.text, retryable=False))
            self._drop()
            return
        self.handle(machine.authenticate(chosen))
        self.flush()

    async def _mechanism(self, offered: Sequence[str]) -> Sasl | Refusal:
        route, endpoint = self.route, self.route.endpoint
        have: set[Kind] = set()
        if endpoint.password is not None:
            have.add("password")
        if route.token is not None:
            have.add("token")
        name = choose(
            offered,
            route.mechanisms,
            have,
            encrypted=self.machine.encrypted,
            plaintext_allowed=route.plaintext_login,
        )
        if isinstance(name, Refusal):
            return name
        token = None
        if route.token is not None and name in {"XOAUTH2", "OAUTHBEARER"}:
            try:
                token = await route.token.get()
            except OSError as error:
                return Refusal(Reason.LOGIN_LATER, f"no access token: {error}")
        credentials = Credentials(endpoint.user or Secret(""), endpoint.password, token, endpoint.host, endpoint.port)
        return mechanism(name, credentials, route.nonce())

    def _drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _say(self, lines: Iterable[str]) -> None:
        if self.route.log is not None:
            for line in lines:
                self.route.log(line)
