"""The port for text messages: what is special about those that go to telephones. No I/O.

They go the way of mail: a message is frozen when it is admitted, as a small mail, so that whatever shows mail can
show it, and a system that carries it answers as a mail system does (`systems.mail.MailSystem`).
"""

from __future__ import annotations

import re
from binascii import a2b_qp, b2a_qp
from typing import Final

from systems.mail import CarrierConfig

MOST_CHARACTERS: Final = 1600
"""So many characters a message has at most: providers cut it into parts of 153 or 67 (3GPP TS 23.040, 9.2.3.24)."""

# RFC 5322 section 2.1.1: what is longer is cut by some servers.
_LONGEST_LINE: Final = 998

# ITU-T E.164: the code of a country and a number, 15 digits at most; no country has numbers of less than seven.
_number: Final = re.compile(r"\+[1-9][0-9]{6,14}")
# What people put between digits.
_between: Final = re.compile("[\\s\u00a0().\u2010\u2011\u2013/-]+")
_code: Final = re.compile("[0-9]{3,8}")
_name: Final = re.compile("(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_service: Final = re.compile("MG[0-9a-f]{32}")


class SmsSystemConfig(CarrierConfig):
    """A system that carries text messages, behind a limit."""


def number_of(text: str) -> str | None:
    """A telephone number as it goes out, `+4799887766`; None for what is none."""
    found = _between.sub("", text.strip())
    return found if _number.fullmatch(found) else None


def number_fault(text: str) -> str:
    """Why a text is no telephone number, in a few words."""
    digits = _between.sub("", text.strip())
    if digits.startswith("00") and digits.isdecimal():
        return "write `+` in place of the first `00`"
    if digits.isdecimal():
        return "the code of the country is missing, `+47`"
    if digits[:1] == "+" and digits[1:].isdecimal():
        return "a number has 7 to 15 digits, and begins with the code of a country"
    return "not a telephone number"


def sender_of(text: str) -> str | None:
    """Who messages can be from: a number, a short code, a name of up to 11 letters and digits, or a service's id."""
    text = text.strip()
    if _code.fullmatch(text) or _name.fullmatch(text) or _service.fullmatch(text):
        return text
    return number_of(text)


def is_service(sender: str) -> bool:
    """Whether a sender is the id of a service of Twilio that has numbers of its own."""
    return _service.fullmatch(sender) is not None


def frozen(sender: str, number: str, text: str) -> bytes:
    """A message as it is kept."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").encode()
    plain = max(map(len, lines.split(b"\n"))) <= _LONGEST_LINE
    head = (
        f"From: {sender}\r\nTo: {number}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: {'8bit' if plain else 'quoted-printable'}\r\n\r\n"
    )
    body = lines if plain else b2a_qp(lines, istext=True)
    return head.encode() + body.replace(b"\n", b"\r\n") + b"\r\n"


def text_of(content: bytes) -> str:
    """The text of a message that was kept."""
    head, _, body = content.partition(b"\r\n\r\n")
    lines = body.removesuffix(b"\r\n").replace(b"\r\n", b"\n")
    return (lines if head.endswith(b" 8bit") else a2b_qp(lines)).decode()
