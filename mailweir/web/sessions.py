"""Sessions of browsers, and codes that open one: texts that are sealed with the token of the project. No I/O.

Nothing has to be kept for them, so they outlast a restart and hold for every service of a state. A session names the
token that it stands for by its digest: with the token it ends.
"""

from __future__ import annotations

import hmac
import re
from hashlib import sha256
from typing import Final, Literal, NamedTuple

# A working day; who is still there in the evening signs in again the next morning.
SESSION_SECONDS: Final = 12 * 3600
# From reading an address in a terminal to opening it.
CODE_SECONDS: Final = 600

Purpose = Literal["code", "session"]
_sealed: Final = re.compile(
    r"(?P<until>[0-9]{1,12})\.(?P<nonce>[0-9a-f]{16,64})\.(?P<digest>[0-9a-f]{64})\.[0-9a-f]{64}"
)


class Opened(NamedTuple):
    """What a sealed text says: which token it stands for, until when, and the nonce that tells it from others."""

    digest: str
    until: int
    nonce: str


class Seal:
    """Seals, and knows its own work again."""

    __slots__ = ("_key", "name")

    def __init__(self, token: str) -> None:
        """Of the token of the project."""
        self._key = sha256(b"mailweir sessions\0" + token.encode("utf-8", "surrogateescape")).digest()
        # Cookies know no ports: projects side by side on one machine have cookies of their own.
        self.name: Final = f"mailweir-{self._mac('name')[:8]}"

    def seal(self, purpose: Purpose, digest: str, nonce: str, until: float) -> str:
        """A text that stands for the token with this digest until a wall time."""
        text = f"{int(until)}.{nonce}.{digest}"
        return f"{text}.{self._mac(f'{purpose}.{text}')}"

    def open(self, purpose: Purpose, text: str, now: float) -> Opened | None:
        """What it says; None if it was not made here for this purpose, or was valid until before."""
        found = _sealed.fullmatch(text)
        if found is None:
            return None
        body, _, mac = text.rpartition(".")
        if not hmac.compare_digest(mac, self._mac(f"{purpose}.{body}")) or int(found["until"]) <= now:
            return None
        return Opened(found["digest"], int(found["until"]), found["nonce"])

    def csrf(self, session: str) -> str:
        """What a form brings along: only pages that this session has read have it."""
        return self._mac(f"csrf.{session}")

    def is_csrf(self, session: str, given: str) -> bool:
        """Whether that is it."""
        return hmac.compare_digest(self.csrf(session).encode(), given.encode("utf-8", "surrogateescape"))

    def _mac(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), sha256).hexdigest()
