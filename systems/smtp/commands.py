"""Commands as they go on the wire, and the wall in front of it: nothing that a caller passes breaks a line. No I/O.

Here stands what cannot be on the wire at all; what is a sensible address is said by `systems.address`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from systems.address import LONGEST_ADDRESS, a_labels
from systems.mail import DeliveryReports

LONGEST_COMMAND: Final = 512  # with its CRLF, RFC 5321 section 4.5.3.1.4
LONGEST_ENVELOPE_ID: Final = 100  # RFC 3461 section 4.4
LONGEST_ORIGINAL: Final = 500  # RFC 3461 section 4.2

# What a client without a name calls itself: an address literal, RFC 5321 section 4.1.3.
NAMELESS: Final = "[127.0.0.1]"

_atext = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-"
# No controls, no surrogates, no separators of lines.
_beyond = "\u00a0-\u2027\u202a-\ud7ff\ue000-\U0010ffff"
is_usual = re.compile(rf"[{_atext}]+@[A-Za-z0-9._\-]+").fullmatch
_any = re.compile(
    rf'(?:[{_atext}{_beyond}]+|"(?:[\x20\x21\x23-\x5b\x5d-\x7e{_beyond}]|\\[\x20-\x7e])*")'
    rf"@(?:(?P<domain>[A-Za-z0-9._\-{_beyond}]+)|\[[A-Za-z0-9.:\-]+\])"
).fullmatch
_host = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.\-]*[A-Za-z0-9])?|\[[A-Za-z0-9.:]+\]").fullmatch
_printable = re.compile(r"[\x20-\x7e]*").fullmatch
_not_xchar = re.compile(r"[^!-*,-<>-~]")
_mechanism = re.compile(r"[A-Z0-9_-]{1,20}").fullmatch  # RFC 4422 section 3.1

_notify = {"NEVER", "SUCCESS", "FAILURE", "DELAY"}


def wire_address(address: str) -> str | None:
    """The address for a command; None if it cannot stand in one.

    A domain that is not ASCII becomes A-labels if the rest is ASCII, so that the address asks no more of servers
    than it must. A result that is not ASCII needs SMTPUTF8.
    """
    if is_usual(address):
        return address if len(address) <= LONGEST_ADDRESS else None
    found = _any(address)
    if found is None:
        return None
    domain = found["domain"]
    if domain and not domain.isascii() and found.string[: -len(domain)].isascii():
        address = address.removesuffix(domain) + (a_labels(domain) or domain)
    return address if len(address.encode()) <= LONGEST_ADDRESS else None


@lru_cache(maxsize=256)
def wire_sender(address: str) -> str | None:
    """As `wire_address`; `""` is the null return path. Senders are few, so they are looked at once."""
    return wire_address(address) if address else ""


def host_name(name: str) -> str:
    """What this machine calls itself in EHLO: the name if it can stand there."""
    return name if _host(name) and len(name) < LONGEST_ADDRESS else NAMELESS


def is_mechanism(name: str) -> bool:
    """Whether this can be the name of a login mechanism."""
    return _mechanism(name) is not None


def fault_of_reports(reports: DeliveryReports, recipients: int) -> str | None:
    """Why these cannot be asked for; None if they can."""
    if not _notify.issuperset(reports.notify) or ("NEVER" in reports.notify and len(set(reports.notify)) > 1):
        return "no such delivery report"
    if reports.returns not in {None, "FULL", "HDRS"}:
        return "a delivery report returns FULL or HDRS"
    envelope_id = reports.envelope_id or ""
    if not _printable(envelope_id) or len(xtext(envelope_id)) > LONGEST_ENVELOPE_ID:
        return f"the envelope identifier is not printable ASCII of at most {LONGEST_ENVELOPE_ID} characters"
    if reports.original and len(reports.original) != recipients:
        return "not as many original recipients as recipients"
    if any(len(_original(one)) > LONGEST_ORIGINAL for one in reports.original):
        return f"an original recipient of more than {LONGEST_ORIGINAL} characters"
    return None


def mail_reports(reports: DeliveryReports) -> str:
    """The parameters of MAIL that ask for reports."""
    text = f" RET={reports.returns}" if reports.returns else ""
    return f"{text} ENVID={xtext(reports.envelope_id)}" if reports.envelope_id else text


def recipient_reports(reports: DeliveryReports, index: int) -> str:
    """The parameters of RCPT that ask for reports on one recipient."""
    text = f" NOTIFY={','.join(dict.fromkeys(reports.notify))}" if reports.notify else ""
    return f"{text} ORCPT={_original(reports.original[index])}" if reports.original else text


def _original(address: str) -> str:
    if address.isascii():
        return f"rfc822;{xtext(address)}"
    escaped = "".join(one if "!" <= one <= "~" and one not in "\\+=" else f"\\x{{{ord(one):X}}}" for one in address)
    return f"utf-8;{escaped}"  # RFC 6533 section 3, the form that any server takes


def xtext(text: str) -> str:
    """Text as a parameter, RFC 3461 section 4."""
    return _not_xchar.sub(lambda one: f"+{ord(one[0]):02X}", text)
