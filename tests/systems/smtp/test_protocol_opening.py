"""The talk before the first message: greeting, EHLO, TLS, login, and every way in which they fail."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from systems.mail import Message, Phase, Reason, Status
from systems.smtp.capabilities import Capabilities
from systems.smtp.events import Closed, Event, Login, Ready, StartTls
from systems.smtp.login import MOST_CHALLENGES
from systems.smtp.protocol import Protocol
from systems.smtp.settings import Settings

EHLO = b"EHLO [127.0.0.1]\r\n"
QUIT = b"QUIT\r\n"


@dataclass(frozen=True)
class Forged:
    """Why a mechanism ends a login."""

    reason: Reason = Reason.LOGIN_REFUSED
    text: str = "the signature is wrong"


class Scripted:
    """A login mechanism that says what it is told to say."""

    def __init__(
        self, *says: bytes | None, name: str = "TEST", satisfied: bool = True, refusal: Forged | None = None
    ) -> None:
        """The first of `says` stands in AUTH."""
        self.name = name
        self.refusal = refusal
        self._says = list(says)
        self._satisfied = satisfied
        self.heard: list[bytes] = []

    def start(self) -> bytes | None:
        """The first word."""
        return self._says.pop(0)

    def step(self, challenge: bytes) -> bytes | None:
        """The next one."""
        self.heard.append(challenge)
        return self._says.pop(0)

    def satisfied(self) -> bool:
        """As told."""
        return self._satisfied


def begun(**settings: Any) -> Protocol:
    """A connection that awaits the greeting."""
    protocol = Protocol(Settings("mx.example.com:25", **settings))
    protocol.start()
    return protocol


def talk(protocol: Protocol, *lines: bytes) -> list[Event]:
    """Feed the lines one after the other, with everything taken between; the events of the last."""
    events: list[Event] = []
    for line in lines:
        protocol.data_to_send()
        events = protocol.receive_data(line)
    return events


def fault(events: list[Event]) -> tuple[Phase, Reason, int | None, bool]:
    """The one event is the end, with this fault."""
    (event,) = events
    assert isinstance(event, Closed)
    assert event.fault is not None
    assert event.fault.text.isprintable()
    return event.fault.phase, event.fault.reason, event.fault.code, event.fault.retryable


def test_a_connection_opens() -> None:
    """Greeting, EHLO, ready; and each has its deadline."""
    protocol = begun(helo="me.example.com")
    assert (protocol.phase, protocol.deadline_kind, protocol.can_send) == (Phase.GREETING, Phase.GREETING, False)
    assert talk(protocol, b"220-mx\r\n220 welcome\r\n") == []  # row 12
    assert protocol.data_to_send() == b"EHLO me.example.com\r\n"
    assert protocol.data_to_send() == b""
    offers = Capabilities(name="mx", keywords=frozenset({"PIPELINING"}), pipelining=True)
    assert talk(protocol, b"250-mx hello\r\n", b"250 PIPELINING\r\n") == [Ready(offers)]
    assert (protocol.phase, protocol.deadline_kind, protocol.can_send) == (Phase.IDLE, None, True)
    assert protocol.capabilities == offers
    assert not protocol.encrypted


GREETING, TLS, LOGIN = Phase.GREETING, Phase.TLS, Phase.LOGIN
refusals: dict[str, tuple[dict[str, Any], list[bytes], tuple[Phase, Reason, int | None, bool], bytes]] = {
    "row-7-421": ({}, [b"421 4.3.2 busy\r\n"], (GREETING, Reason.CLOSING, 421, True), b""),
    "row-8-450": ({}, [b"450 later\r\n"], (GREETING, Reason.UNAVAILABLE, 450, True), QUIT),
    "row-9-554": ({}, [b"554 no\r\n"], (GREETING, Reason.UNAVAILABLE, 554, True), QUIT),
    "row-10-http": ({}, [b"HTTP/1.0 200 OK\r\n"], (GREETING, Reason.VIOLATION, None, True), b""),
    "row-10-tls": ({}, [b"\x15\x03\x01\x00\x02"], (GREETING, Reason.VIOLATION, None, True), b""),
    "row-11-other-code": ({}, [b"250 hello\r\n"], (GREETING, Reason.VIOLATION, 250, True), b""),
    "row-13-speaks-twice": ({}, [b"220 a\r\n220 b\r\n"], (GREETING, Reason.VIOLATION, None, True), b""),
    "row-13-begins-twice": ({}, [b"220 a\r\n2"], (GREETING, Reason.VIOLATION, None, True), b""),
    "row-15-starttls": (
        {"starttls": "required"},
        [b"220 a\r\n", b"502 what\r\n"],
        (GREETING, Reason.TOO_OLD, 502, False),
        QUIT,
    ),
    "row-15-login": ({"login": True}, [b"220 a\r\n", b"500 what\r\n"], (GREETING, Reason.TOO_OLD, 500, False), QUIT),
    "row-15-pipelining": (
        {"pipelining": "DEPEND"},
        [b"220 a\r\n", b"500 what\r\n"],
        (GREETING, Reason.TOO_OLD, 500, False),
        QUIT,
    ),
    "row-15-xverp": ({"xverp": True}, [b"220 a\r\n", b"500 what\r\n"], (GREETING, Reason.TOO_OLD, 500, False), QUIT),
    "row-15-helo-refused": (
        {},
        [b"220 a\r\n", b"500 what\r\n", b"550 go\r\n"],
        (GREETING, Reason.UNAVAILABLE, 550, True),
        QUIT,
    ),
    "row-16-ehlo-4xx": ({}, [b"220 a\r\n", b"451 later\r\n"], (GREETING, Reason.UNAVAILABLE, 451, True), QUIT),
    "row-18-ehlo-without-end": (
        {},
        [b"220 a\r\n", b"250-X\r\n" * 10_000],
        (GREETING, Reason.VIOLATION, None, True),
        b"",
    ),
    "row-80-pipelining-missing": (
        {"pipelining": "DEPEND"},
        [b"220 a\r\n", b"250 mx\r\n"],
        (GREETING, Reason.NOT_OFFERED, None, False),
        QUIT,
    ),
    "xverp-missing": (
        {"xverp": True},
        [b"220 a\r\n", b"250 mx\r\n"],
        (GREETING, Reason.NOT_OFFERED, None, False),
        QUIT,
    ),
    "row-90-starttls-stripped": (
        {"starttls": "required", "login": True},
        [b"220 a\r\n", b"250-mx\r\n250 AUTH PLAIN\r\n"],
        (GREETING, Reason.TLS_MISSING, None, False),
        QUIT,
    ),
    "row-91-starttls-454": (
        {"starttls": "required"},
        [b"220 a\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"454 4.7.0 later\r\n"],
        (TLS, Reason.TLS_REFUSED, 454, True),
        QUIT,
    ),
    "row-91-no-fallback-to-clear": (
        {"starttls": "if_offered"},
        [b"220 a\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"454 4.7.0 later\r\n"],
        (TLS, Reason.TLS_REFUSED, 454, True),
        QUIT,
    ),
    "row-92-starttls-502": (
        {"starttls": "required"},
        [b"220 a\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"502 what\r\n"],
        (TLS, Reason.TLS_REFUSED, 502, False),
        QUIT,
    ),
    "starttls-other-yes": (
        {"starttls": "required"},
        [b"220 a\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"250 what\r\n"],
        (TLS, Reason.VIOLATION, 250, True),
        b"",
    ),
    "row-93-reply-in-clear": (
        {"starttls": "required"},
        [b"220 a\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n250 AUTH PLAIN\r\n"],
        (TLS, Reason.TLS_INJECTION, None, False),
        b"",
    ),
    "row-93-421-in-clear": (
        {"starttls": "required"},
        [b"220 a\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n421 bye\r\n"],
        (TLS, Reason.TLS_INJECTION, None, False),
        b"",
    ),
    "row-93-one-byte-in-clear": (
        {"starttls": "required"},
        [b"220 a\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n2"],
        (TLS, Reason.TLS_INJECTION, None, False),
        b"",
    ),
    "row-93-nonsense-in-clear": (
        {"starttls": "required"},
        [b"220 a\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n\r\n"],
        (TLS, Reason.TLS_INJECTION, None, False),
        b"",
    ),
    "row-106-login-in-clear": (
        {"login": True},
        [b"220 a\r\n", b"250-mx\r\n250 AUTH PLAIN\r\n"],
        (GREETING, Reason.LOGIN_IN_CLEAR, None, False),
        QUIT,
    ),
    "row-107-login-missing": (
        {"login": True, "encrypted": True},
        [b"220 a\r\n", b"250 mx\r\n"],
        (GREETING, Reason.LOGIN_MISSING, None, False),
        QUIT,
    ),
}


@pytest.mark.parametrize(("settings", "lines", "expected", "last"), refusals.values(), ids=refusals)
def test_what_keeps_a_connection_from_opening_is_a_fault_of_the_system(
    message: Callable[..., Message],
    settings: dict[str, Any],
    lines: list[bytes],
    expected: tuple[Phase, Reason, int | None, bool],
    last: bytes,
) -> None:
    """The fault names phase, reason and code; no message is tried or charged; QUIT is said where it can be heard."""
    protocol = begun(**settings)
    waiting = message("b@example.com", "c@example.com")
    assert protocol.send(waiting) == []
    answered, *rest = talk(protocol, *lines)
    assert fault(rest) == expected
    assert isinstance(answered, tuple)
    assert answered.message is waiting
    assert [(one.status, one.phase, one.code) for one in answered.answers] == [
        (Status.NOT_TRIED, Phase.BEFORE, None)
    ] * 2
    assert protocol.data_to_send() == last
    assert (protocol.ended, protocol.can_send, protocol.deadline_kind) == (True, False, None)
    assert protocol.receive_data(b"250 ok\r\n") == []
    assert protocol.receive_eof() == []


def test_row_14_the_server_leaves_after_its_greeting() -> None:
    """A fault of the system in the phase where it happened."""
    protocol = begun()
    talk(protocol, b"220 a\r\n")
    assert fault(protocol.receive_eof()) == (GREETING, Reason.DISCONNECTED, None, True)


def test_row_37_half_a_reply_and_the_end_is_the_end() -> None:
    """A continuation without its last line says nothing."""
    protocol = begun()
    assert talk(protocol, b"220 a\r\n", b"250-mx\r\n") == []
    assert fault(protocol.receive_eof()) == (GREETING, Reason.DISCONNECTED, None, True)


def test_row_6_and_33_a_deadline_ends_the_talk() -> None:
    """The shell knows which deadline runs, and that no progress is made while lines come without an end."""
    protocol = begun()
    talk(protocol, b"220 a\r\n")
    before = protocol.progress
    talk(protocol, b"250-a\r\n", b"250-b\r\n")
    assert protocol.progress == before
    assert protocol.deadline_kind is Phase.GREETING
    assert fault(protocol.abort(Reason.TIMEOUT, "no answer in 60 s")) == (GREETING, Reason.TIMEOUT, None, True)


def test_row_15_a_server_without_ehlo_gets_helo() -> None:
    """It has no extensions; the connection works."""
    protocol = begun(starttls="if_offered")
    assert talk(protocol, b"220 a\r\n", b"502 what\r\n") == []
    assert protocol.data_to_send() == b"HELO [127.0.0.1]\r\n"
    assert talk(protocol, b"250-mx\r\n250 STARTTLS\r\n") == [Ready(Capabilities(name="mx"))]


def test_row_40_an_idle_connection_that_speaks_is_closed() -> None:
    """What nobody asked for is a violation; 421 is at least a proper goodbye (row 38)."""
    for line, reason in (
        (b"250 ok\r\n", Reason.VIOLATION),
        (b"221 bye\r\n", Reason.VIOLATION),
        (b"2", Reason.VIOLATION),
    ):
        protocol = begun()
        talk(protocol, b"220 a\r\n", b"250 mx\r\n")
        assert fault(talk(protocol, line)) == (Phase.IDLE, reason, None, True)
    protocol = begun()
    talk(protocol, b"220 a\r\n", b"250 mx\r\n")
    assert fault(talk(protocol, b"421 idle\r\n")) == (Phase.IDLE, Reason.CLOSING, 421, True)


def test_tls_is_a_new_beginning() -> None:
    """Row 94: what was offered in clear is forgotten, and EHLO is said again under TLS."""
    protocol = begun(starttls="required")
    events = talk(protocol, b"220 a\r\n", b"250-mx\r\n250-STARTTLS\r\n250 SIZE 5\r\n")
    assert (events, protocol.phase) == ([], Phase.TLS)
    assert protocol.data_to_send() == b"STARTTLS\r\n"
    assert talk(protocol, b"220 go\r\n") == [StartTls()]
    assert (protocol.phase, protocol.deadline_kind, protocol.capabilities) == (Phase.TLS, Phase.TLS, Capabilities())
    assert protocol.data_to_send() == b""
    protocol.starttls_done()
    assert protocol.encrypted
    assert protocol.data_to_send() == EHLO
    (ready,) = talk(protocol, b"250-mx\r\n250 STARTTLS\r\n")
    assert ready == Ready(protocol.capabilities)
    assert protocol.capabilities.largest is None
    assert protocol.data_to_send() == b""


def test_row_99_a_handshake_that_fails_is_told_by_the_shell() -> None:
    """Phase and reason are those of TLS."""
    protocol = begun(starttls="required")
    talk(protocol, b"220 a\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n")
    events = protocol.abort(Reason.TLS_FAILED, "the certificate is not for this host", retryable=False)
    assert fault(events) == (TLS, Reason.TLS_FAILED, None, False)


def test_row_104_a_server_that_speaks_first_under_tls_is_closed() -> None:
    """A reply before the first command under TLS is a violation."""
    protocol = begun(starttls="required")
    talk(protocol, b"220 a\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n")
    protocol.starttls_done()
    assert fault(protocol.receive_data(b"250 mx\r\n")) == (GREETING, Reason.VIOLATION, None, True)


def test_opportunistic_tls_goes_on_in_clear_where_none_is_offered() -> None:
    """That is what the word means."""
    assert talk(begun(starttls="if_offered"), b"220 a\r\n", b"250 mx\r\n") == [Ready(Capabilities(name="mx"))]


def at_login(**settings: Any) -> Protocol:
    """A connection whose server offers TEST."""
    protocol = begun(login=True, **(settings or {"encrypted": True}))
    assert talk(protocol, b"220 a\r\n", b"250-mx\r\n250 AUTH TEST OTHER\r\n") == [Login(("TEST", "OTHER"))]
    assert (protocol.phase, protocol.deadline_kind, protocol.can_send) == (LOGIN, LOGIN, False)
    return protocol


@pytest.mark.parametrize("settings", [{"encrypted": True}, {"clear_login": True}])
def test_a_login_in_one_word(settings: dict[str, Any]) -> None:
    """The mechanism's first word stands in AUTH."""
    protocol = at_login(**settings)
    assert protocol.authenticate(Scripted(b"\0user\0secret")) == []
    assert protocol.data_to_send() == b"AUTH TEST " + b64encode(b"\0user\0secret") + b"\r\n"
    assert protocol.phase is LOGIN
    assert talk(protocol, b"235 2.7.0 welcome\r\n") == [Ready(protocol.capabilities)]


def test_a_login_as_a_talk() -> None:
    """Challenges are decoded, responses encoded; nothing said is `=` in AUTH and an empty line later."""
    protocol = at_login()
    mechanism = Scripted(b"", b"user", b"")
    protocol.authenticate(mechanism)
    assert protocol.data_to_send() == b"AUTH TEST =\r\n"
    assert talk(protocol, b"334 VXNlcg==\r\n") == []
    assert protocol.data_to_send() == b"dXNlcg==\r\n"
    assert talk(protocol, b"334\r\n") == []
    assert protocol.data_to_send() == b"\r\n"
    assert talk(protocol, b"235 ok\r\n") == [Ready(protocol.capabilities)]
    assert mechanism.heard == [b"User", b""]


def test_a_long_first_word_waits_for_its_challenge() -> None:
    """AUTH stays below 512 bytes (RFC 4954 section 4); a server that challenges with more than nothing is wrong."""
    token = b"t" * 500
    for challenge, events in ((b"334 \r\n", 0), (b"334 VXNlcg==\r\n", 1)):
        protocol = at_login()
        protocol.authenticate(Scripted(token))
        assert protocol.data_to_send() == b"AUTH TEST\r\n"
        assert len(talk(protocol, challenge)) == events
        assert protocol.data_to_send() == (b"" if events else b64encode(token) + b"\r\n")


def test_a_mechanism_may_let_the_server_begin() -> None:
    """Then AUTH stands alone."""
    protocol = at_login()
    protocol.authenticate(Scripted(None, b"user"))
    assert protocol.data_to_send() == b"AUTH TEST\r\n"
    talk(protocol, b"334 VXNlcm5hbWU6\r\n")
    assert protocol.data_to_send() == b"dXNlcg==\r\n"


login_faults: dict[str, tuple[Scripted, list[bytes], tuple[Phase, Reason, int | None, bool], bytes]] = {
    "row-110-535": (Scripted(b"x"), [b"535 5.7.8 no\r\n"], (LOGIN, Reason.LOGIN_REFUSED, 535, False), QUIT),
    "row-111-454": (Scripted(b"x"), [b"454 4.7.0 later\r\n"], (LOGIN, Reason.LOGIN_LATER, 454, True), QUIT),
    "421": (Scripted(b"x"), [b"421 bye\r\n"], (LOGIN, Reason.CLOSING, 421, True), b""),
    "row-44-530": (Scripted(b"x"), [b"530 TLS first\r\n"], (LOGIN, Reason.LOGIN_REFUSED, 530, False), QUIT),
    "row-112-no-base64": (Scripted(b"x", b"y"), [b"334 ?\r\n"], (LOGIN, Reason.VIOLATION, None, False), b""),
    "row-112-padding": (Scripted(b"x", b"y"), [b"334 VXNlcg=\r\n"], (LOGIN, Reason.VIOLATION, None, False), b""),
    "row-112-two-lines": (Scripted(b"x", b"y"), [b"334-\r\n334 \r\n"], (LOGIN, Reason.VIOLATION, None, False), b""),
    "row-112-large": (Scripted(b"x", b"y"), [b"334 " + b"A" * 10_000], (LOGIN, Reason.VIOLATION, None, True), b""),
    "row-112-not-of-this-mechanism": (Scripted(b"x", None), [b"334 \r\n"], (LOGIN, Reason.VIOLATION, None, False), b""),
    "row-112-for-a-reason": (
        Scripted(b"x", None, refusal=Forged()),
        [b"334 \r\n"],
        (LOGIN, Reason.LOGIN_REFUSED, None, False),
        b"",
    ),
    "row-112-without-end": (
        Scripted(b"x", *[b"y"] * 50),
        [b"334 \r\n"] * (MOST_CHALLENGES + 1),
        (LOGIN, Reason.VIOLATION, None, False),
        b"",
    ),
    "row-113-server-proves-nothing": (
        Scripted(b"x", satisfied=False),
        [b"235 ok\r\n"],
        (LOGIN, Reason.VIOLATION, None, False),
        b"",
    ),
    "other-yes": (Scripted(b"x"), [b"250 ok\r\n"], (LOGIN, Reason.VIOLATION, 250, True), b""),
    "other-go-on": (Scripted(b"x", b"y"), [b"354 go\r\n"], (LOGIN, Reason.VIOLATION, None, False), b""),
}


@pytest.mark.parametrize(("mechanism", "lines", "expected", "last"), login_faults.values(), ids=login_faults)
def test_a_login_that_fails_is_a_fault_of_the_system(
    mechanism: Scripted, lines: list[bytes], expected: tuple[Phase, Reason, int | None, bool], last: bytes
) -> None:
    """Waiting helps against 454 only; what breaks the talk closes it without another word."""
    protocol = at_login()
    protocol.authenticate(mechanism)
    assert fault(talk(protocol, *lines)) == expected
    assert protocol.data_to_send() == last


def test_a_mechanism_without_a_proper_name_says_nothing() -> None:
    """Nothing that a caller passes breaks a line."""
    protocol = at_login()
    events = protocol.authenticate(Scripted(b"x", name="PLAIN\r\nMAIL FROM:<>"))
    assert fault(events) == (LOGIN, Reason.LOGIN_MISSING, None, False)
    assert protocol.data_to_send() == QUIT


def test_calls_out_of_turn_are_errors_of_the_caller() -> None:
    """Each is allowed at its one moment."""
    protocol = begun()
    for call in (protocol.start, protocol.starttls_done, lambda: protocol.authenticate(Scripted(b""))):
        with pytest.raises(RuntimeError, match="not the time"):
            call()
    ended = begun(starttls="required")
    talk(ended, b"220 a\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n")
    ended.receive_eof()
    with pytest.raises(RuntimeError, match="not the time"):
        ended.starttls_done()


def test_leaving_before_anything_is_ready() -> None:
    """The greeting is not waited for; once the server listens it is told."""
    protocol = begun()
    assert protocol.quit() == [Closed(None)]
    assert protocol.data_to_send() == b""
    protocol = at_login()
    assert protocol.quit() == [Closed(None)]
    assert protocol.data_to_send() == QUIT
    assert protocol.quit() == []
