"""DKIM signatures (RFC 6376), with RSA and with Ed25519 (RFC 8463). No I/O.

Header and body are canonicalised `relaxed`, which outlives servers that fold and trim. Fields that change what a
reader sees are signed once more than they are there, so that nobody adds another one.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Container
from hashlib import sha256
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from systems.address import a_labels, fault_of

LEAST_BITS: Final = 1024  # RFC 8301 section 3.2: verifiers take no smaller key
SEED: Final = 32  # the bytes of a private key of Ed25519, RFC 8032 section 5.1.5

# Signed once more than they are there, whether there or not.
_closed: Final = (b"from", b"reply-to", b"subject", b"to", b"cc")
# The same if they are there.
_closed_if_there: Final = (
    b"date",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"in-reply-to",
    b"references",
    b"list-unsubscribe",  # with the next one, RFC 8058 section 4
    b"list-unsubscribe-post",
)
# Signed if they are there.
_signed: Final = (
    b"auto-submitted",
    b"feedback-id",
    b"list-archive",
    b"list-help",
    b"list-id",
    b"list-owner",
    b"list-post",
    b"list-subscribe",
)

_selector = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
).fullmatch
_fields = re.compile(rb"\r\n(?![ \t])").split
_blanks = re.compile(rb"[ \t]+").sub
_spaces = re.compile(rb"  +").sub
_width: Final = 72


class SignerError(Exception):
    """A domain, selector or key that nothing can be signed with. Its text never holds the key."""


class Signer:
    """Signs for one domain with one key."""

    def __init__(self, domain: str, selector: str, key: str) -> None:
        """Take a private key as PEM, or as base64: of DER, or of the 32 bytes of an Ed25519 key."""
        ascii_domain = domain if domain.isascii() else a_labels(domain)
        if ascii_domain is None or fault_of(f"a@{domain}") or domain.startswith("["):
            raise SignerError("not a domain")
        if not _selector(selector):
            raise SignerError("a selector has letters, digits, `-` and dots only")
        self._key = _read(key)
        self._algorithm = "rsa" if isinstance(self._key, RSAPrivateKey) else "ed25519"
        self._tags = f"v=1; a={self._algorithm}-sha256; c=relaxed/relaxed; d={ascii_domain.lower()};\r\n s={selector};"
        self.record_name: Final = f"{selector}._domainkey.{ascii_domain.lower()}"
        """Where in the DNS receivers look for the public key."""

    @property
    def record(self) -> str:
        """The TXT record to publish there."""
        public = self._key.public_key()
        if isinstance(self._key, RSAPrivateKey):
            data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            data = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k={self._algorithm}; p={b64encode(data).decode()}"

    def field(self, content: bytes, at: int) -> bytes:
        """The field DKIM-Signature for this mail, to be put before it. No field of its header is there twice."""
        head, _, body = content.partition(b"\r\n\r\n")
        lines = dict(relaxed_field(field) for field in _fields(head))
        names = _names(lines)
        body_hash = b64encode(sha256(relaxed_body(body)).digest()).decode()
        field = f"DKIM-Signature: {self._tags} t={at};\r\n h={_folded(names)};\r\n bh={body_hash};\r\n b=".encode()
        signed = [lines.pop(name) for name in names if name in lines]  # of two the second is the one that is not there
        signed.append(relaxed_field(field)[1])
        signature = b64encode(self._sign(b"\r\n".join(signed)))
        pieces = [signature[at : at + _width] for at in range(0, len(signature), _width)]
        return field + b"\r\n ".join(pieces) + b"\r\n"

    def _sign(self, data: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(data, PKCS1v15(), SHA256())
        return self._key.sign(sha256(data).digest())  # RFC 8463 section 3


def relaxed_field(field: bytes) -> tuple[bytes, bytes]:
    """The name of a field, and the field in the form that is signed (RFC 6376 section 3.4.2), without its end."""
    name, _, value = field.partition(b":")
    name = name.strip().lower()
    return name, name + b":" + _blanks(b" ", value.replace(b"\r\n", b"")).strip()


def relaxed_body(body: bytes) -> bytes:
    """The body in the form that is signed (RFC 6376 section 3.4.4)."""
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    if b"  " in body:
        body = _spaces(b" ", body)
    body = body.replace(b" \r\n", b"\r\n").rstrip(b"\r\n").removesuffix(b" ")
    return body + b"\r\n" if body else b""


def _names(there: Container[bytes]) -> list[bytes]:
    names: list[bytes] = []
    for name in _closed:
        names += [name, name] if name in there else [name]
    for name in _closed_if_there:
        names += [name, name] if name in there else []
    return [*names, *[name for name in _signed if name in there]]


def _folded(names: list[bytes]) -> str:
    """The names with colons between them, on lines of their own width."""
    lines = [""]
    for name in names:
        word = f"{name.decode()}:"
        if len(lines[-1]) + len(word) > _width:
            lines.append("")
        lines[-1] += word
    return "\r\n ".join(lines).removesuffix(":")


def _read(text: str) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        key = _load(text.strip().replace("\\n", "\n"))  # a line break as environments often hold it
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Without the cause: it may quote the key.
        raise SignerError("not a private key: it is PEM without a password, or base64") from None
    if isinstance(key, RSAPrivateKey):
        if key.key_size < LEAST_BITS:
            raise SignerError(f"an RSA key of {key.key_size} bits; receivers take {LEAST_BITS} or more")
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise SignerError("neither an RSA nor an Ed25519 key")


def _load(text: str) -> object:
    if text.startswith("-----"):
        return load_pem_private_key(text.encode(), password=None)
    data = b64decode("".join(text.split()), validate=True)
    if len(data) == SEED:
        return Ed25519PrivateKey.from_private_bytes(data)
    return load_der_private_key(data, password=None)
