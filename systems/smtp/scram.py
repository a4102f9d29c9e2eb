"""SCRAM-SHA-256 (RFC 5802, RFC 7677): both sides prove that they know the password, and neither sends it. No I/O.

    client  n,,n=user,r=nonce
    server  r=nonce and more,s=salt,i=rounds
    client  c=biws,r=nonce and more,p=proof
    server  v=signature

Channel binding is not offered: what `-PLUS` adds, the verified certificate gives already.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from binascii import Error, a2b_base64
from typing import Final

from pipeline.secret import Secret
from systems.mail import Reason
from systems.smtp.mechanisms import Credentials, Refusal, Sasl, escaped, revealed, violation
from systems.smtp.saslprep import UnpreparedError, saslprep

# RFC 7677 section 4. A server that asks for less could guess the password from the proof.
FEWEST_ROUNDS: Final = 4096
# A second of work or less; a server that asks for more keeps this side from working.
MOST_ROUNDS: Final = 1_000_000
SHORTEST_NONCE: Final = 16

_nonce = re.compile(rb"[\x21-\x2b\x2d-\x7e]+").fullmatch
_rounds = re.compile(rb"[1-9][0-9]{0,9}").fullmatch
_attribute = re.compile(rb"[A-Za-z]=[^\0=,][^\0,]*").fullmatch
_no_binding = b"n,,"


class ScramSha256(Sasl):
    """A login by SCRAM-SHA-256. `step` takes as long as the server's rounds: 2 ms for 4096 of them."""

    __slots__ = ("_bare", "_nonce", "_password", "_signature", "_verified")
    name = "SCRAM-SHA-256"

    def __init__(self, credentials: Credentials, nonce: bytes) -> None:
        """`nonce` is printable, without commas, and was never used before. `UnpreparedError` if SASLprep refuses."""
        super().__init__(credentials)
        if len(nonce) < SHORTEST_NONCE or not _nonce(nonce):
            raise ValueError(f"a nonce has {SHORTEST_NONCE} printable characters or more, and no comma")
        user = _prepared(credentials.user, "user name")
        self._password = _prepared(credentials.password, "password")
        self._nonce = nonce
        self._bare = Secret(f"n={escaped(revealed(user)).decode()},r={nonce.decode('ascii')}")
        self._signature: bytes | None = None
        self._verified = False

    def start(self) -> bytes:
        """The user name and the nonce."""
        return _no_binding + revealed(self._bare)

    def satisfied(self) -> bool:
        """Whether the server proved that it knows the password."""
        if not self._verified and self.refusal is None:
            self.refusal = _impostor()
        return super().satisfied()

    def _answer(self, challenge: bytes) -> bytes | Refusal:
        if self._verified or self.said:
            return violation("SCRAM-SHA-256 has two challenges, and the server sends more")
        if self._signature is None:
            return self._prove(challenge)
        return self._verify(challenge, self._signature)

    def _prove(self, challenge: bytes) -> bytes | Refusal:
        """The proof that this side knows the password."""
        if challenge.startswith(b"m="):
            return violation("the server demands an extension of SCRAM that is not known here")
        nonce, salt, rounds = _first(challenge)
        if not nonce or not salt or not rounds:
            return violation("a challenge of SCRAM-SHA-256 that is not in the form of one")
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            return Refusal(Reason.VIOLATION, "the server answers the login of another client", security=True)
        if not FEWEST_ROUNDS <= rounds <= MOST_ROUNDS:
            return violation(f"the server asks for {rounds} rounds, and {FEWEST_ROUNDS} to {MOST_ROUNDS} are allowed")
        final = b"c=" + b64encode(_no_binding) + b",r=" + nonce
        talk = b",".join((revealed(self._bare), challenge, final))
        salted = hashlib.pbkdf2_hmac("sha256", revealed(self._password), salt, rounds)
        key = _hmac(salted, b"Client Key")
        mask = _hmac(hashlib.sha256(key).digest(), talk)
        self._signature = _hmac(_hmac(salted, b"Server Key"), talk)
        return final + b",p=" + b64encode(bytes(one ^ other for one, other in zip(key, mask, strict=True)))

    def _verify(self, challenge: bytes, signature: bytes) -> bytes | Refusal:
        """Nothing more to say, if the server knows the password, or if it says why it refuses."""
        word, *rest = challenge.split(b",")
        if not all(map(_attribute, (word, *rest))):
            return violation("an end of SCRAM-SHA-256 that is not in the form of one")
        if word.startswith(b"e="):
            self._listen(word[2:])
            return b""
        if not hmac.compare_digest(_base64(word[2:]) if word.startswith(b"v=") else b"", signature):
            return _impostor()
        self._verified = True
        return b""


def _impostor() -> Refusal:
    return Refusal(Reason.VIOLATION, "the server did not prove that it knows the password", security=True)


def _prepared(secret: Secret | None, what: str) -> Secret:
    if secret is None:
        raise ValueError(f"SCRAM-SHA-256 needs a {what}")
    try:
        prepared = saslprep(secret.reveal())
    except UnpreparedError as refused:
        raise UnpreparedError(f"the {what} has {refused}, which SCRAM-SHA-256 cannot send") from None
    if not prepared:
        raise UnpreparedError(f"the {what} has only characters that SCRAM-SHA-256 passes over")
    return Secret(prepared)


def _first(challenge: bytes) -> tuple[bytes, bytes, int]:
    """The nonce, the salt and the rounds; nothing for what is not in the form of RFC 5802 section 7."""
    parts = challenge.split(b",")
    if len(parts) < 3 or not all(map(_attribute, parts)):
        return b"", b"", 0
    names, (nonce, salt, rounds) = [part[:2] for part in parts[:3]], (part[2:] for part in parts[:3])
    if names != [b"r=", b"s=", b"i="] or not _nonce(nonce) or not _rounds(rounds):
        return b"", b"", 0
    return nonce, _base64(salt), int(rounds)


def _base64(text: bytes) -> bytes:
    """The decoded bytes; none if it is no base64."""
    try:
        return a2b_base64(text, strict_mode=True)
    except Error:
        return b""


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")
