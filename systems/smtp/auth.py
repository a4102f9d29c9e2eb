"""Which login is used, and the machine for it. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final, Literal

from systems.mail import Reason
from systems.smtp.commands import is_mechanism
from systems.smtp.mechanisms import CramMd5, Credentials, LoginByTurns, OAuthBearer, Plain, Refusal, Sasl, XOAuth2
from systems.smtp.saslprep import UnpreparedError
from systems.smtp.scram import ScramSha256

Kind = Literal["token", "password"]

# What each needs, strongest first.
_needs: Final[dict[str, Kind]] = {
    "OAUTHBEARER": "token",
    "XOAUTH2": "token",
    "SCRAM-SHA-256": "password",
    "CRAM-MD5": "password",
    "PLAIN": "password",
    "LOGIN": "password",
}
# These keep the password off the wire; with any other it can be read where TLS does not protect it.
_hiding: Final = frozenset({"SCRAM-SHA-256", "CRAM-MD5"})
_simple: Final[dict[str, Callable[[Credentials], Sasl]]] = {
    each.name: each for each in (OAuthBearer, XOAuth2, CramMd5, Plain, LoginByTurns)
}
# Names that are shown of a server that offers more.
MOST_NAMES: Final = 12


def choose(
    offered: Collection[str],
    wanted: Sequence[str] | None,
    have: Collection[Kind],
    *,
    encrypted: bool,
    plaintext_allowed: bool,
) -> str | Refusal:
    """The mechanism to log in with: the first of `wanted` that can be used, or the strongest.

    `plaintext_allowed`: the connection ends on this machine, or somebody said by name that it may be read.
    """
    names = {name.upper() for name in offered}
    order = [name.upper() for name in wanted or _needs]
    there = [name for name in order if name in names and name in _needs]
    fitting = [name for name in there if _needs[name] in have]
    for name in fitting:
        if encrypted or plaintext_allowed or name in _hiding:
            return name
    if fitting:
        text = f"{fitting[0]} would send the {_needs[fitting[0]]} in clear; set `tls`, or `allow_plaintext_auth`"
        return Refusal(Reason.LOGIN_IN_CLEAR, text)
    if there:
        text = f"the server offers {_list(there)}; that needs a {_needs[there[0]]}, and none is configured"
    elif not offered:
        text = "the server offers no login"
    elif names.isdisjoint(_needs):
        text = f"the server offers {_shown(names)}; known here are {_list(_needs)}"
    else:
        text = f"the server offers {_shown(names)}; `auth` has {_list(order)}"
    return Refusal(Reason.LOGIN_MISSING, text)


def mechanism(name: str, credentials: Credentials, nonce: bytes) -> Sasl | Refusal:
    """The machine for one login by a mechanism that `choose` gave; `nonce` is for SCRAM, and never used again."""
    fault = credentials.fault()
    if fault is None:
        if name in _simple:
            return _simple[name](credentials)
        if name != ScramSha256.name:
            raise ValueError(f"no such mechanism: {name}")
        try:
            return ScramSha256(credentials, nonce)
        except UnpreparedError as refused:
            fault = str(refused)
    return Refusal(Reason.LOGIN_REFUSED, fault)


def _shown(names: Collection[str]) -> str:
    """Names that came from a server, so far as they are names."""
    proper = sorted(name for name in names if is_mechanism(name))
    return f"{_list(proper[:MOST_NAMES])}{', …' if proper[MOST_NAMES:] else ''}" if proper else "no login by name"


def _list(names: Collection[str]) -> str:
    return ", ".join(names)
