"""Logins as small machines over the bytes of SASL (RFC 4422); base64 and lines are those of `login`. No I/O.

Each mechanism is used for one login. `start` gives what the client says first, `step` answers a challenge, and
`satisfied` says whether the server kept to the mechanism, once it lets the client in. Where `step` gives None or
`satisfied` gives False, `refusal` says why. `said` is what the server told within the talk, for people.

Credentials stay in `Secret` until the bytes are made; no attribute, error or `repr` holds them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final

from pipeline.scrub import Scrubber
from pipeline.secret import Secret
from systems.mail import Reason
from systems.smtp.replies import visible

LONGEST_CHALLENGE: Final = 12_288 // 4 * 3  # bytes behind the 12288 of base64 in RFC 4954 section 4
LONGEST_CREDENTIAL: Final = 1024  # bytes of UTF-8
LONGEST_TOKEN: Final = 8192  # with the rest of an initial response it still fits into the 12288
LONGEST_SAID: Final = 300  # characters of the server's words that are kept for people

_message_id = re.compile(rb"<[\x21-\x3b\x3d\x3f-\x7e]+>").fullmatch  # RFC 2195 section 2
_control = re.compile("[\x00-\x1f\x7f]").search
_token = re.compile(r"[\x21-\x7e]+").fullmatch  # wider than RFC 6750 section 2.1, and no separator of OAuth's form
_host = re.compile(r"[\x21-\x7e]{0,255}").fullmatch


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why this side does not log in. `security` marks what looks like an attack rather than like a mistake."""

    reason: Reason
    text: str
    security: bool = False


def violation(text: str) -> Refusal:
    """A refusal because the server does not keep to the mechanism."""
    return Refusal(Reason.VIOLATION, text)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who logs in, and with what. `host` and `port` name the server to OAUTHBEARER."""

    user: Secret
    password: Secret | None = None
    token: Secret | None = None
    host: str = ""
    port: int | None = None

    def fault(self) -> str | None:
        """Why these cannot be sent, in words that repeat nothing of them; None if they can."""
        found = _fault_of(self.user, "user name")
        if not found and _control(self.user.reveal()):
            found = "the user name has a control character"
        if not found and self.password is not None:
            found = _fault_of(self.password, "password")
        if not found and self.token is not None:
            value = self.token.reveal()
            if len(value) > LONGEST_TOKEN:
                found = f"the token is longer than {LONGEST_TOKEN} characters"
            elif not _token(value):
                found = "the token is empty" if not value else "the token has a space or is not printable ASCII"
        if not found and not _host(self.host):
            found = "the server's name is not printable ASCII of at most 255 characters"
        return found


def _fault_of(secret: Secret, what: str) -> str | None:
    value = secret.reveal()
    if not value:
        return f"the {what} is empty"
    if "\0" in value:
        return f"the {what} has a NUL character"
    if "\r" in value or "\n" in value:
        return f"the {what} has a line break"
    try:
        length = len(value.encode())
    except UnicodeEncodeError:
        return f"the {what} has half of a surrogate pair, which is no character"
    return f"the {what} is longer than {LONGEST_CREDENTIAL} bytes" if length > LONGEST_CREDENTIAL else None


def revealed(secret: Secret | None) -> bytes:
    """The bytes of a credential for the wire; a caller that has none asked for the wrong mechanism."""
    if secret is None:
        raise ValueError("the mechanism needs a credential that is not there")
    return secret.reveal().encode()


class Sasl(ABC):
    """One login by one mechanism."""

    __slots__ = ("credentials", "refusal", "said")
    name: ClassVar[str]

    def __init__(self, credentials: Credentials) -> None:
        """Nothing is said yet."""
        self.credentials = credentials
        self.refusal: Refusal | None = None
        self.said = ""

    @abstractmethod
    def start(self) -> bytes | None:
        """What the client says first; None if the server begins."""

    def step(self, challenge: bytes) -> bytes | None:
        """The response to a challenge; None if it is refused, and then for good."""
        if self.refusal is None:
            if len(challenge) > LONGEST_CHALLENGE:
                answer: bytes | Refusal = violation("a login challenge that is too long")
            else:
                answer = self._answer(challenge)
            if not isinstance(answer, Refusal):
                return answer
            self.refusal = answer
        return None

    def satisfied(self) -> bool:
        """Whether the server proved what it must prove, once it says that the login is done."""
        return self.refusal is None

    @abstractmethod
    def _answer(self, challenge: bytes) -> bytes | Refusal:
        """The response to one challenge."""

    def _listen(self, words: bytes) -> None:
        """Keep what the server said, for people; a server that repeats a credential is not repeated."""
        scrubber = Scrubber()
        for secret in (self.credentials.user, self.credentials.password, self.credentials.token):
            if secret is not None:
                scrubber.add(secret)
        self.said = visible(scrubber.scrub_bytes(words))[:LONGEST_SAID]


class Plain(Sasl):
    """PLAIN (RFC 4616): user name and password in one go."""

    __slots__ = ()
    name = "PLAIN"

    def start(self) -> bytes:
        """No other identity, the user name, the password."""
        return b"\0" + revealed(self.credentials.user) + b"\0" + revealed(self.credentials.password)

    def _answer(self, challenge: bytes) -> bytes | Refusal:
        return violation("PLAIN has no challenges, and the server sends one")


class LoginByTurns(Sasl):
    """LOGIN, which no standard has: the server asks for the user name, then for the password.

    Servers ask in many words and languages, so the order counts, not the words. Only a server that asks for the user
    name again is not given the password: user names are logged.
    """

    __slots__ = ("_asked",)
    name = "LOGIN"

    def __init__(self, credentials: Credentials) -> None:
        """Nothing is asked yet."""
        super().__init__(credentials)
        self._asked = 0

    def start(self) -> None:
        """The server begins."""

    def _answer(self, challenge: bytes) -> bytes | Refusal:
        self._asked += 1
        if self._asked == 1:
            return revealed(self.credentials.user)
        if self._asked > 2:
            return violation("LOGIN has two challenges, and the server sends more")
        if challenge[:4].lower() == b"user":
            return violation("the server asks for the user name twice")
        return revealed(self.credentials.password)


class CramMd5(Sasl):
    """CRAM-MD5 (RFC 2195): the password answers a challenge without crossing the network."""

    __slots__ = ("_asked",)
    name = "CRAM-MD5"

    def __init__(self, credentials: Credentials) -> None:
        """Nothing is asked yet."""
        super().__init__(credentials)
        self._asked = False

    def start(self) -> None:
        """The server begins."""

    def _answer(self, challenge: bytes) -> bytes | Refusal:
        if self._asked:
            return violation("CRAM-MD5 has one challenge, and the server sends more")
        if not _message_id(challenge):
            return violation("a challenge of CRAM-MD5 that is not in the form of a message identifier")
        self._asked = True
        digest = hmac.new(revealed(self.credentials.password), challenge, _md5).hexdigest()
        return revealed(self.credentials.user) + b" " + digest.encode("ascii")


def _md5(data: bytes = b"") -> hashlib._Hash:
    """MD5 also where policy keeps it from signatures: HMAC does not rest on what is broken in it."""
    return hashlib.md5(data, usedforsecurity=False)


class Bearer(Sasl):
    """What both forms of OAuth share: a token in one go, and a refusal that is told in a challenge."""

    __slots__ = ("_failed",)
    _dummy: ClassVar[bytes]  # asks for the final answer after a refusal

    def __init__(self, credentials: Credentials) -> None:
        """Nothing is said yet."""
        super().__init__(credentials)
        self._failed = False

    def satisfied(self) -> bool:
        """Whether the server does not contradict itself."""
        if self._failed and self.refusal is None:
            self.refusal = violation("the server refuses the token and then lets the client in")
        return super().satisfied()

    def _answer(self, challenge: bytes) -> bytes | Refusal:
        if self._failed:
            return violation(f"{self.name} has one challenge, and the server sends more")
        self._failed = True
        self._listen(_reason(challenge))
        return self._dummy


class XOAuth2(Bearer):
    """XOAUTH2, as large providers have it."""

    __slots__ = ()
    name = "XOAUTH2"
    _dummy = b""

    def start(self) -> bytes | None:
        """The user name and the token."""
        user, token = revealed(self.credentials.user), revealed(self.credentials.token)
        return b"user=" + user + b"\1auth=Bearer " + token + b"\1\1"


class OAuthBearer(Bearer):
    """OAUTHBEARER (RFC 7628)."""

    __slots__ = ()
    name = "OAUTHBEARER"
    _dummy = b"\1"  # section 3.2.3

    def start(self) -> bytes | None:
        """The user name, the server and the token."""
        given, user = self.credentials, escaped(revealed(self.credentials.user))
        host = b"host=" + given.host.encode("ascii") + b"\1" if given.host else b""
        port = b"port=%d\1" % given.port if given.port else b""
        return b"n,a=" + user + b",\1" + host + port + b"auth=Bearer " + revealed(given.token) + b"\1\1"


def escaped(user: bytes) -> bytes:
    """A user name between commas, RFC 5801 section 4."""
    return user.replace(b"=", b"=3D").replace(b",", b"=2C")


def _reason(challenge: bytes) -> bytes:
    """The server's words of refusal: the fields of RFC 7628 section 3.2.2 if it has them, else all it said."""
    try:
        fields = json.loads(challenge)
    except (ValueError, RecursionError):
        return challenge
    if not isinstance(fields, dict):
        return challenge
    told = [f"{name} {fields[name]}" for name in ("status", "scope") if isinstance(fields.get(name), str)]
    return ", ".join(told).encode("utf-8", "backslashreplace") or challenge
