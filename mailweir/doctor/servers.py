"""What a look at a mail server means, as lines with a next step for each failure. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from mailweir.doctor.finding import Finding, Verdict
from systems.mail import Phase, Reason, Status, SystemFault

if TYPE_CHECKING:
    from systems.mail import Answered
    from systems.smtp.capabilities import Capabilities
    from systems.smtp.endpoints import Endpoint

# Providers renew certificates about a month before they end; half of that later something is wrong.
CERTIFICATE_DAYS: Final = 14
MOST_ADDRESSES: Final = 3

_steps: Final = ("name", "connect", "greeting", "TLS", "login", "sender")
# With TLS from the first byte the server greets under it.
_implicit_steps: Final = ("name", "connect", "TLS", "greeting", "login", "sender")
_step_of: Final = {
    Phase.GREETING: "greeting",
    Phase.TLS: "TLS",
    Phase.LOGIN: "login",
    Phase.MAIL: "sender",
    Phase.RECIPIENT: "sender",
}

# What to do, for each reason that has an answer of its own.
_advice: Final[Mapping[Reason, tuple[str, ...]]] = {
    Reason.UNREACHABLE: (
        "Is the port right, and does a firewall let this machine out? 587 and 465 are for mail programs;",
        "many networks block 25.",
    ),
    Reason.TIMEOUT: ("The port is open and nothing came. 465 wants TLS from the start: set `use_tls`.",),
    Reason.UNAVAILABLE: ("The server turns this machine away. Ask its owner, or try later.",),
    Reason.VIOLATION: ("This is no mail server, or one that wants TLS from the start: try port 465 with `use_tls`.",),
    Reason.TLS_MISSING: (
        "The server does not offer STARTTLS here, or somebody on the way took the offer out.",
        'Try port 465 with `use_tls`; only for a network that you trust: `"tls": "opportunistic"`.',
    ),
    Reason.TLS_FAILED: (
        "Nothing was sent. If this side cannot mend it, ask the owner of the server.",
        "What the modes do: mailweir explain system:smtp.tls",
    ),
    Reason.TLS_REFUSED: ("The server offers STARTTLS and does not do it. Ask its owner.",),
    Reason.TLS_INJECTION: ("Somebody on the way may be tampering. Do not send a login over this network.",),
    Reason.LOGIN_MISSING: ("Without TLS many servers offer no login: set `use_tls`. Or remove the login.",),
    Reason.LOGIN_REFUSED: ("The server refused the user name or the password. Tried once; nothing was sent.",),
    Reason.LOGIN_LATER: ("The login cannot be checked now: by the server, or because no access token was given.",),
    Reason.LOGIN_IN_CLEAR: ("Set `use_tls`, so that nobody reads the password.",),
    Reason.LOGIN_NEEDED: ("The server takes mail after a login or under TLS only: set `smtp_username`, `use_tls`.",),
    Reason.CLOSING: ("The server turns this machine away. Ask its owner, or try later.",),
    Reason.DISCONNECTED: (
        "The server hung up without a word. It may not want this machine, or want TLS from the start: port 465.",
    ),
    Reason.TOO_OLD: ("Leave out what it cannot do, or use another server.",),
    Reason.NOT_OFFERED: ("Leave out what the server does not offer, or use another server.",),
}


@dataclass(frozen=True, slots=True)
class Look:
    """A server as it was seen. `origins` say where user name and password come from."""

    endpoint: Endpoint
    login: bool
    addresses: Sequence[str] = ()
    name_fault: str | None = None
    connected_in: float | None = None
    capabilities: Capabilities | None = None
    tls_version: str | None = None
    certificate: Mapping[str, Any] | None = None
    fault: SystemFault | None = None
    rehearsed: Sequence[Answered] = ()
    origins: Sequence[str] = ()


def findings(system: str, look: Look, now: datetime) -> Iterator[Finding]:
    """A line for each step, in their order; after a failure the others are skipped, and say why."""
    failed = _failed(look)
    steps = _implicit_steps if look.endpoint.tls.mode == "implicit" else _steps
    for step in steps:
        if step == "name" and look.endpoint.socket is not None:
            continue
        if failed is not None and steps.index(step) > steps.index(failed):
            if _wanted(step, look):
                yield Finding(system, Verdict.SKIP, f"needs {_needs[failed]}", step)
        elif step == failed:
            yield _failure(system, step, look)
        else:
            yield from _success(system, step, look, now)


_needs: Final = {
    "name": "an address",
    "connect": "a connection",
    "greeting": "a greeting",
    "TLS": "TLS",
    "login": "a login",
}


def advice(reason: Reason) -> tuple[str, ...]:
    """What to do when a system cannot be used for this reason."""
    return _advice.get(reason, ())


def _failed(look: Look) -> str | None:
    if look.name_fault is not None:
        return "name"
    if look.fault is None:
        return None
    if look.connected_in is None:
        return "connect"
    if look.fault.reason in {Reason.TLS_FAILED, Reason.TLS_MISSING, Reason.TLS_REFUSED, Reason.TLS_INJECTION}:
        return "TLS"
    return _step_of.get(look.fault.phase, "greeting")


def _wanted(step: str, look: Look) -> bool:
    """Whether a step is part of the way at all."""
    if step == "TLS":
        return look.endpoint.tls.mode != "none"
    return look.login if step == "login" else True


def _failure(system: str, step: str, look: Look) -> Finding:
    if step == "name":
        text = f"{look.endpoint.host}: {look.name_fault}"
        return Finding(system, Verdict.FAIL, text, step, ("Is `smtp_server` spelt right? Does this machine have DNS?",))
    fault = look.fault
    if fault is None:
        raise ValueError("no failure")
    help_ = advice(fault.reason)
    if step == "login":
        help_ = (*help_, *look.origins)
    return Finding(system, Verdict.FAIL, fault.text, step, help_)


def _success(system: str, step: str, look: Look, now: datetime) -> Iterator[Finding]:
    endpoint = look.endpoint
    if step == "name":
        more = f" and {len(look.addresses) - MOST_ADDRESSES} more" if len(look.addresses) > MOST_ADDRESSES else ""
        shown = ", ".join(look.addresses[:MOST_ADDRESSES]) + more
        same = list(look.addresses) == [endpoint.host]
        yield Finding(system, Verdict.OK, shown if same else f"{endpoint.host} → {shown}", step)
    elif step == "connect" and look.connected_in is not None:
        place = f"socket {endpoint.socket}" if endpoint.socket else f"port {endpoint.port}"
        yield Finding(system, Verdict.OK, f"{place} in {look.connected_in * 1000:.0f} ms", step)
    elif step == "greeting" and look.capabilities is not None:
        # What was said in the clear is forgotten when TLS begins, but that it was begun.
        began = look.fault is not None and look.fault.reason is Reason.TLS_FAILED
        yield Finding(system, Verdict.OK, "STARTTLS" if began else offers(look.capabilities), step)
    elif step == "TLS":
        yield from _tls(system, look, now)
    elif step == "login" and look.login:
        yield Finding(system, Verdict.OK, "the server knows the user", step)
    elif step == "sender":
        yield from _senders(system, look)


def offers(capabilities: Capabilities) -> str:
    """What a server offers, so far as it matters here."""
    size = capabilities.largest
    words = [
        "PIPELINING" if capabilities.pipelining else "",
        "STARTTLS" if capabilities.starttls else "",
        f"AUTH {' '.join(capabilities.mechanisms)}" if capabilities.mechanisms else "",
        f"SIZE {size / 1_000_000:.0f} MB" if size else "",
        "8BITMIME" if capabilities.eight_bit else "",
        "SMTPUTF8" if capabilities.utf8 else "",
        "DSN" if capabilities.reports else "",
        "XVERP" if capabilities.verp else "",
    ]
    return ", ".join(word for word in words if word) or "no extensions"


def _tls(system: str, look: Look, now: datetime) -> Iterator[Finding]:
    mode = look.endpoint.tls.mode
    if look.tls_version is None:
        if mode == "opportunistic":
            text = "not offered, so mail goes in the clear"
            yield Finding(system, Verdict.WARN, text, "TLS", ('Required TLS is `"tls": "starttls"`.',))
        elif mode == "none" and look.capabilities is not None and look.capabilities.starttls:
            text = "offered and not used: mail goes in the clear"
            yield Finding(system, Verdict.WARN, text, "TLS", ('Set `"use_tls": true`.',))
        return
    version = look.tls_version.removeprefix("TLSv")
    if not look.endpoint.tls.verify_peer:
        text = f"{version}, the certificate was not looked at"
        yield Finding(system, Verdict.WARN, text, "TLS", ("Anybody could be this server: trust it with `ca_file`.",))
        return
    end = _end(look.certificate or {})
    name = "name matches" if look.endpoint.tls.verify_host else "its name was not looked at"
    if end is None:
        yield Finding(system, Verdict.OK, f"{version}, {name}", "TLS")
        return
    days = (end - now).days
    text = f"{version}, certificate to {end:%Y-%m-%d} ({days} days), {name}"
    if days < CERTIFICATE_DAYS:
        yield Finding(system, Verdict.WARN, text, "TLS", ("It ends soon: tell the owner of the server.",))
    else:
        yield Finding(system, Verdict.OK, text, "TLS")


def _end(certificate: Mapping[str, Any]) -> datetime | None:
    """When a certificate ends, as `ssl` tells it."""
    try:
        return datetime.strptime(str(certificate.get("notAfter")), "%b %d %H:%M:%S %Y %Z").replace(tzinfo=UTC)
    except ValueError:
        return None


def _senders(system: str, look: Look) -> Iterator[Finding]:
    if not look.rehearsed:
        yield Finding(system, Verdict.SKIP, "no sink names a fixed `mail_from` for this system", "sender")
    for answered in look.rehearsed:
        sender = answered.message.envelope.sender
        for answer in answered.answers:
            said = " ".join(word for word in (str(answer.code or ""), answer.enhanced, answer.text) if word)
            to = "" if answer.recipient == sender else f" to {answer.recipient}"
            if answer.status is Status.ACCEPTED:
                yield Finding(system, Verdict.OK, f"{sender} may send{to}", "sender")
            elif answer.phase is Phase.MAIL:
                help_ = "The server does not take this sender. Ask its owner, or change the sink's `mail_from`."
                yield Finding(system, Verdict.FAIL, f"{sender}: {said}", "sender", (help_,))
            elif answer.recipient == sender:
                help_ = "Asked with the sender as the recipient; perhaps the server only does not know that mailbox."
                yield Finding(system, Verdict.WARN, f"{sender}: {said}", "sender", (help_,))
            else:
                help_ = "The server does not take mail for this recipient from here. Does it want a login?"
                yield Finding(system, Verdict.FAIL, f"{sender}{to}: {said}", "sender", (help_,))
