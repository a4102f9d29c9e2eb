"""The talk from the greeting until messages can go: EHLO, TLS, the login. No I/O."""

from __future__ import annotations

from dataclasses import replace

from systems.mail import Phase, Reason
from systems.smtp.capabilities import Capabilities
from systems.smtp.commands import host_name
from systems.smtp.events import Event, Login, StartTls
from systems.smtp.login import Exchange, Mechanism
from systems.smtp.replies import Kind, Reply, ReplyParser
from systems.smtp.steps import Step
from systems.smtp.talk import Talk


class Opening(Talk):
    """The first part of `Protocol`."""

    def start(self, address: str = "") -> None:
        """The connection stands, with TLS if the settings say `encrypted`: now the server greets.

        `address` is this side's, for EHLO if this machine has no name (RFC 5321 section 4.1.4).
        """
        self._take_turn(Phase.GREETING)
        if address and not self._settings.helo:
            literal = f"[IPv6:{address}]" if ":" in address else f"[{address}]"
            self._settings = replace(self._settings, helo=literal)
        self._expected.append(Step.GREETING)

    def starttls_done(self) -> None:
        """The handshake is made and the certificate is found good."""
        self._take_turn(Phase.TLS)
        self._encrypted = True
        self._parser = ReplyParser()
        self._hello(Step.EHLO)

    def authenticate(self, mechanism: Mechanism) -> list[Event]:
        """Log in, in answer to `Login`."""
        self._take_turn(Phase.LOGIN)
        self._exchange = Exchange(mechanism)
        self._step = Step.AUTH
        command = self._exchange.command()
        if command is None:
            self._refuse(Reason.LOGIN_MISSING, "the name of the login mechanism cannot stand in a command")
        else:
            self._ask(Step.AUTH, command)
        return self._take_events()

    def _take_turn(self, phase: Phase) -> None:
        if self._turn is not phase or self._ended:
            raise RuntimeError(f"it is not the time for {phase.value}")
        self._turn = None

    def _hello(self, step: Step) -> None:
        self._ask(step, f"{step.name} {host_name(self._settings.helo)}\r\n".encode("ascii"))

    def _unavailable(self, reply: Reply) -> None:
        self._fail(Reason.UNAVAILABLE, "the server does not serve", reply, polite=True)

    def _greeted(self, reply: Reply) -> None:
        if reply.code == 220:
            self._hello(Step.EHLO)
        else:
            self._unexpected(reply)

    def _not_understood(self, reply: Reply) -> None:
        settings = self._settings
        starttls = settings.starttls == "required" and not self._encrypted
        if starttls or settings.login or settings.pipelining == "DEPEND" or settings.xverp is True:
            text = "the server knows no extensions, and the configuration needs one"
            self._fail(Reason.TOO_OLD, text, reply, retryable=False, polite=True)
        else:
            self._hello(Step.HELO)

    def _offered(self, reply: Reply) -> None:
        self._offers = Capabilities.read(reply.lines)
        self._negotiate()

    def _offered_nothing(self, reply: Reply) -> None:
        self._offers = Capabilities.read(reply.lines[:1])
        self._negotiate()

    def _negotiate(self) -> None:
        """Go on as the settings and the server's offers have it: with TLS, the login, or messages."""
        settings, offers = self._settings, self._offers
        clear = not self._encrypted
        if clear and settings.starttls != "never" and offers.starttls:
            self._ask(Step.STARTTLS, b"STARTTLS\r\n")
        elif clear and settings.starttls == "required":
            self._refuse(Reason.TLS_MISSING, "the server does not offer STARTTLS, and the configuration requires TLS")
        elif settings.pipelining == "DEPEND" and not offers.pipelining:
            self._refuse(Reason.NOT_OFFERED, 'the server does not offer PIPELINING, and `pipelining` is "DEPEND"')
        elif settings.xverp is True and not offers.verp:
            self._refuse(Reason.NOT_OFFERED, "the server does not offer XVERP, and `xverp` is true")
        elif not settings.login:
            self._ready_now()
        elif clear and not settings.clear_login:
            self._refuse(Reason.LOGIN_IN_CLEAR, "the login would cross the network in clear")
        elif not offers.mechanisms:
            self._refuse(Reason.LOGIN_MISSING, "the server offers no login")
        else:
            self._turn = Phase.LOGIN
            self._events.append(Login(offers.mechanisms))

    def _refuse(self, reason: Reason, text: str) -> None:
        self._fail(reason, text, retryable=False, polite=True)

    def _upgrade(self, reply: Reply) -> None:
        if reply.code == 220:
            self._offers = Capabilities()  # what was offered in clear is nobody's word (RFC 3207 section 4.2)
            self._turn = Phase.TLS
            self._events.append(StartTls())
        else:
            self._unexpected(reply)

    def _tls_refused(self, reply: Reply) -> None:
        text = "the server offers STARTTLS and refuses it"
        self._fail(Reason.TLS_REFUSED, text, reply, retryable=reply.kind is Kind.LATER, polite=True)

    def _challenged(self, reply: Reply) -> None:
        line = self._exchange.respond(reply) if self._exchange and reply.code == 334 else None
        if line is None:
            self._complain("a login challenge that cannot be answered")
        else:
            self._ask(Step.AUTH, line)

    def _logged_in(self, reply: Reply) -> None:
        if reply.code != 235:
            self._unexpected(reply)
        elif self._exchange is None or not self._exchange.mechanism.satisfied():
            self._complain("the server did not prove that it knows the password")
        else:
            self._exchange = None
            self._ready_now()

    def _complain(self, text: str) -> None:
        """End the login from this side: for the mechanism's reason, or because the talk is broken."""
        refusal = self._exchange.mechanism.refusal if self._exchange else None
        if refusal is None:
            self._fail(Reason.VIOLATION, text, retryable=False)
        else:
            self._fail(refusal.reason, refusal.text, retryable=False)

    def _login_deferred(self, reply: Reply) -> None:
        self._fail(Reason.LOGIN_LATER, "the server cannot check the login now", reply, polite=True)

    def _login_refused(self, reply: Reply) -> None:
        self._fail(Reason.LOGIN_REFUSED, "the server refuses the login", reply, retryable=False, polite=True)
