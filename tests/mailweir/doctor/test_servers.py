"""What a look at a server means."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mailweir.doctor.finding import Verdict
from mailweir.doctor.servers import Look, findings, offers
from systems.mail import Answer, Answered, Envelope, Message, Phase, Reason, Status, SystemFault
from systems.smtp.capabilities import Capabilities
from systems.smtp.endpoints import Endpoint, TlsSpec

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECURE = Endpoint("mx.example.com", 587, TlsSpec("starttls"))
GOOD: dict[str, Any] = {
    "addresses": ["192.0.2.1"],
    "connected_in": 0.018,
    "capabilities": Capabilities(starttls=True, mechanisms=("PLAIN",)),
    "tls_version": "TLSv1.3",
    "certificate": {"notAfter": "May  1 12:00:00 2026 GMT"},
}


def seen(endpoint: Endpoint = SECURE, *, login: bool = True, **more: Any) -> list[tuple[str, Verdict, str]]:
    """The findings for a server."""
    return [(one.check, one.verdict, one.text) for one in findings("mail", Look(endpoint, login, **more), NOW)]


def test_a_good_server_is_ok_in_each_step() -> None:
    """Name, connection, greeting, TLS and login each have their line, in this order."""
    assert seen(**GOOD) == [
        ("name", Verdict.OK, "mx.example.com → 192.0.2.1"),
        ("connect", Verdict.OK, "port 587 in 18 ms"),
        ("greeting", Verdict.OK, "STARTTLS, AUTH PLAIN"),
        ("TLS", Verdict.OK, "1.3, certificate to 2026-05-01 (120 days), name matches"),
        ("login", Verdict.OK, "the server knows the user"),
        ("sender", Verdict.SKIP, "no sink names a fixed `mail_from` for this system"),
    ]


@pytest.mark.parametrize(
    ("fault", "more", "failed", "skipped"),
    [
        (None, {"name_fault": "not known"}, "name", ["connect", "greeting", "TLS", "login", "sender"]),
        (
            SystemFault(Phase.GREETING, Reason.UNREACHABLE, "refused"),
            {"connected_in": None},
            "connect",
            ["greeting", "TLS", "login", "sender"],
        ),
        (SystemFault(Phase.GREETING, Reason.UNAVAILABLE, "554 no"), {}, "greeting", ["TLS", "login", "sender"]),
        (SystemFault(Phase.GREETING, Reason.TLS_MISSING, "no STARTTLS"), {}, "TLS", ["login", "sender"]),
        (SystemFault(Phase.GREETING, Reason.TLS_FAILED, "expired"), {}, "TLS", ["login", "sender"]),
        (SystemFault(Phase.LOGIN, Reason.LOGIN_REFUSED, "535 no"), {}, "login", ["sender"]),
    ],
)
def test_after_a_failure_the_rest_is_skipped(
    fault: SystemFault | None, more: dict[str, Any], failed: str, skipped: list[str]
) -> None:
    """The step that failed says why and what to do; the steps after it say what they need."""
    look = Look(SECURE, login=True, **{**GOOD, "fault": fault, **more})
    found = list(findings("mail", look, NOW))
    (failure,) = [one for one in found if one.verdict is Verdict.FAIL]
    assert failure.check == failed
    assert failure.help
    assert [one.check for one in found if one.verdict is Verdict.SKIP] == skipped


def test_with_tls_from_the_first_byte_the_greeting_comes_after_it() -> None:
    """Nothing is said of a greeting that nobody has heard."""
    endpoint = Endpoint("mx.example.com", 465, TlsSpec("implicit"))
    assert [one[0] for one in seen(endpoint, **GOOD)] == ["name", "connect", "TLS", "greeting", "login", "sender"]
    broken = seen(endpoint, **{**GOOD, "fault": SystemFault(Phase.GREETING, Reason.TLS_FAILED, "expired")})
    assert ("greeting", Verdict.SKIP, "needs TLS") in broken


def test_what_the_server_offered_in_the_clear_is_not_shown_as_nothing() -> None:
    """When TLS fails the offers are forgotten, but STARTTLS was one of them."""
    fault = SystemFault(Phase.GREETING, Reason.TLS_FAILED, "expired")
    found = seen(**{**GOOD, "capabilities": Capabilities(), "fault": fault})
    assert ("greeting", Verdict.OK, "STARTTLS") in found


def test_a_refused_login_says_where_it_came_from() -> None:
    """Most often the password comes from another place than people think."""
    fault = SystemFault(Phase.LOGIN, Reason.LOGIN_REFUSED, "535 no")
    look = Look(SECURE, login=True, **{**GOOD, "fault": fault}, origins=["Password from .env: pw"])
    (failure,) = [one for one in findings("mail", look, NOW) if one.verdict is Verdict.FAIL]
    assert failure.help[-1] == "Password from .env: pw"


@pytest.mark.parametrize(
    ("mode", "more", "words"),
    [
        ("opportunistic", {"tls_version": None}, "not offered"),
        ("none", {"tls_version": None}, "offered and not used"),
        ("starttls", {"certificate": {"notAfter": "Jan  9 12:00:00 2026 GMT"}}, "(8 days)"),
    ],
)
def test_weak_tls_is_a_warning(mode: Any, more: dict[str, Any], words: str) -> None:
    """Mail in the clear and a certificate that ends soon are told."""
    endpoint = Endpoint("mx.example.com", 587, TlsSpec(mode))
    (tls,) = [one for one in seen(endpoint, **{**GOOD, **more}) if one[0] == "TLS"]
    assert tls[1] is Verdict.WARN
    assert words in tls[2]


def test_a_certificate_that_nobody_looked_at_is_a_warning() -> None:
    """With `verify_peer` off anybody could be the server."""
    endpoint = Endpoint("mx.example.com", 587, TlsSpec("starttls", verify_peer=False))
    (tls,) = [one for one in seen(endpoint, **GOOD) if one[0] == "TLS"]
    assert tls[1:] == (Verdict.WARN, "1.3, the certificate was not looked at")


def rehearsed(recipient: str, status: Status, phase: Phase) -> Answered:
    """What a server said of a sender."""
    answer = Answer(recipient, status, phase, "mx", 550, "5.7.1", "not you")
    return Answered(Message("k", Envelope("a@example.com", (recipient,)), b""), (answer,))


@pytest.mark.parametrize(
    ("recipient", "status", "phase", "verdict"),
    [
        ("a@example.com", Status.ACCEPTED, Phase.RECIPIENT, Verdict.OK),
        ("a@example.com", Status.PERMANENT, Phase.MAIL, Verdict.FAIL),
        ("a@example.com", Status.PERMANENT, Phase.RECIPIENT, Verdict.WARN),
        ("b@example.com", Status.PERMANENT, Phase.RECIPIENT, Verdict.FAIL),
    ],
)
def test_senders_are_asked_about(recipient: str, status: Status, phase: Phase, verdict: Verdict) -> None:
    """A refused sender is a failure; a refusal of the sender as its own recipient may mean something else."""
    (sender,) = [one for one in seen(**GOOD, rehearsed=[rehearsed(recipient, status, phase)]) if one[0] == "sender"]
    assert sender[1] is verdict
    assert verdict is Verdict.OK or "550 5.7.1 not you" in sender[2]


def test_a_unix_socket_has_no_name_to_look_up() -> None:
    """The first step to a socket is to connect."""
    endpoint = Endpoint("localhost", 25, TlsSpec(), socket="/run/smtp")
    assert seen(endpoint, login=False, connected_in=0.001, capabilities=Capabilities())[0] == (
        "connect",
        Verdict.OK,
        "socket /run/smtp in 1 ms",
    )


def test_what_a_server_offers_is_told_in_words() -> None:
    """What matters is listed, and a server that offers nothing says so."""
    lines = (
        b"mx",
        b"PIPELINING",
        b"SIZE 35000000",
        b"8BITMIME",
        b"SMTPUTF8",
        b"DSN",
        b"STARTTLS",
        b"AUTH PLAIN",
        b"XVERP",
    )
    full = Capabilities.read(lines)
    assert offers(full) == "PIPELINING, STARTTLS, AUTH PLAIN, SIZE 35 MB, 8BITMIME, SMTPUTF8, DSN, XVERP"
    assert offers(Capabilities()) == "no extensions"
