"""What Twilio's answers mean: for a message, and for all that come after it. No I/O.

201            taken; what becomes of it then is not known here
400 and alike  this message is refused; where its sender or the account is, no message is to blame, and none goes
401 403 404    the account is not to be used so
429 503        later; certainly not taken
other 5xx      nobody knows whether it was taken, and so with whatever is no answer of Twilio's
"""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

from systems.mail import Phase, Reason, Status, SystemFault

# Errors of Twilio that say that no message of this sender or account can go, whoever gets it.
_OF_SENDER: Final = frozenset({21212, 21603, 21606, 21659, 21660, 21661, 21701, 21703, 21705})
_OF_ACCOUNT: Final = frozenset({10001, 20003, 20005, 20006, 20008, 20404, 30002})
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _LATER, _UNAVAILABLE = 401, 403, 404, 429, 503
_LONGEST: Final = 300
_control: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Verdict(NamedTuple):
    """What an answer makes of a message; `fault` keeps the ones after it back, for `seconds` if the answer says so."""

    status: Status
    text: str
    code: int | None = None
    fault: SystemFault | None = None
    seconds: float | None = None


def verdict(status: int, content: bytes, retry_after: str | None = None) -> Verdict:
    """That of an answer."""
    found = _object(content)
    number, words = found.get("code"), found.get("message")
    said = _said(number, words) or f"Twilio answers {status}"
    if 200 <= status < 300:
        return _taken(status, found)
    if status in {_LATER, _UNAVAILABLE}:
        fault = SystemFault(Phase.BEFORE, Reason.UNAVAILABLE, said, status)
        return Verdict(Status.NOT_TRIED, said, status, fault, _seconds(retry_after))
    if number in _OF_SENDER:
        return Verdict(Status.NOT_TRIED, said, status, _stays(Phase.MAIL, Reason.UNAVAILABLE, said, status))
    if status in {_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND} or number in _OF_ACCOUNT:
        return Verdict(Status.NOT_TRIED, said, status, _stays(Phase.LOGIN, Reason.LOGIN_REFUSED, said, status))
    if 400 <= status < 500 and isinstance(number, int):
        return Verdict(Status.PERMANENT, said, status)
    if status >= 500:
        return Verdict(Status.IN_DOUBT, said, status, SystemFault(Phase.DOT, Reason.UNAVAILABLE, said, status))
    # Who leads elsewhere, or refuses without a word of Twilio's, is a server in between.
    text = f"what answers {status} is not Twilio"
    return Verdict(Status.NOT_TRIED, text, status, _stays(Phase.GREETING, Reason.VIOLATION, text, status))


def _taken(status: int, found: dict[str, object]) -> Verdict:
    sid, state = found.get("sid"), found.get("status")
    if not isinstance(sid, str):
        text = f"what answers {status} is not Twilio"
        return Verdict(Status.IN_DOUBT, text, status, _stays(Phase.DOT, Reason.VIOLATION, text, status))
    if state in {"failed", "undelivered"}:
        said = _said(found.get("error_code"), found.get("error_message"))
        return Verdict(Status.PERMANENT, said or f"{state} at once: {plain(sid)}", status)
    return Verdict(Status.ACCEPTED, plain(f"{state or 'taken'} as {sid}"), status)


def _stays(phase: Phase, reason: Reason, text: str, status: int) -> SystemFault:
    return SystemFault(phase, reason, text, status, retryable=False)


def _object(content: bytes) -> dict[str, object]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _said(number: object, words: object) -> str:
    parts = [str(number)] if isinstance(number, int) else []
    if isinstance(words, str) and words:
        parts.append(plain(words))
    return " ".join(parts)


def plain(text: str) -> str:
    """A text of a stranger, fit to be shown."""
    text = _control.sub(" ", text.encode("utf-8", "replace").decode())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _seconds(said: str | None) -> float | None:
    text = (said or "").strip()
    return min(float(text), 3600.0) if text.isascii() and text.isdecimal() and len(text) < 10 else None
