"""Proving a password without sending it: digest authentication (RFC 7616). No I/O.

Of several challenges the strongest that is known here is answered. `auth-int` is not, as no server asks for it alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

# The strongest first. MD5 is what most servers still speak; it is their choice, and a password in clear is no better.
_ALGORITHMS: Final = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}
_scheme: Final = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9_-]*)[ \t]+(?=[A-Za-z*_-]+[ \t]*=)")
_parameter: Final = re.compile(r"""([A-Za-z*_-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))""")
_escaped: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server wants to have proven. `qop` is false for servers of before RFC 2617."""

    realm: str
    nonce: str
    opaque: str | None
    algorithm: str
    qop: bool
    stale: bool = False


def challenge_of(headers: Iterable[str]) -> Challenge | None:
    """The best challenge of these headers `WWW-Authenticate`, None if none of them can be answered."""
    found = [one for header in headers for one in _challenges(header)]
    order = list(_ALGORITHMS)
    return min(found, key=lambda one: order.index(one.algorithm.removesuffix("-SESS")), default=None)


def _challenges(header: str) -> Iterable[Challenge]:
    marks = list(_scheme.finditer(header))
    for mark, following in zip_longest(marks, marks[1:]):
        if mark[1].lower() != "digest":
            continue
        text = header[mark.end() : following.start() if following else None]
        given = {
            name.lower(): _escaped.sub(r"\1", quoted) if quoted else bare
            for name, quoted, bare in _parameter.findall(text)
        }
        algorithm = given.get("algorithm", "MD5").upper()
        ways = [way.strip().lower() for way in given.get("qop", "").split(",") if way.strip()]
        if algorithm.removesuffix("-SESS") in _ALGORITHMS and "nonce" in given and (not ways or "auth" in ways):
            yield Challenge(
                given.get("realm", ""),
                given["nonce"],
                given.get("opaque"),
                algorithm,
                bool(ways),
                given.get("stale", "").lower() == "true",
            )


def answer(challenge: Challenge, login: tuple[str, str], method: str, uri: str, cnonce: str, count: int) -> str:
    """The header `Authorization` for one request; `count` is the number of requests with this nonce, from 1."""
    name, password = login
    kind = _ALGORITHMS[challenge.algorithm.removesuffix("-SESS")]

    def hashed(*parts: str) -> str:
        return hashlib.new(kind, ":".join(parts).encode(), usedforsecurity=False).hexdigest()

    first = hashed(name, challenge.realm, password)
    if challenge.algorithm.endswith("-SESS"):
        first = hashed(first, challenge.nonce, cnonce)
    second = hashed(method, uri)
    counted = f"{count:08x}"
    proof = (counted, cnonce, "auth") if challenge.qop else ()
    response = hashed(first, challenge.nonce, *proof, second)
    parts = [
        f"username={_quoted(name)}",
        f"realm={_quoted(challenge.realm)}",
        f"nonce={_quoted(challenge.nonce)}",
        f"uri={_quoted(uri)}",
        f'response="{response}"',
        f"algorithm={challenge.algorithm.replace('-SESS', '-sess')}",
    ]
    if challenge.opaque is not None:
        parts.append(f"opaque={_quoted(challenge.opaque)}")
    if challenge.qop:
        parts += ["qop=auth", f"nc={counted}", f'cnonce="{cnonce}"']
    return "Digest " + ", ".join(parts)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
