"""Logins in URLs (`smtp://user:password@host`): where they stand in a text. No I/O.

Passwords in URLs hold characters that do not belong there (`/`, `#`, `@`), and then it is not clear where the login
ends. More is taken for a login rather than less: up to the last `@`. Time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

# What stands for a value that is not written: a reference, or a variable of a template.
_stands_in: Final = r"\$(?:ENV|SECRET)\([^()]{0,200}+\)|\{\{[^{}]{0,200}+\}\}"
_stand_in = re.compile(_stands_in)
# A URL in a text ends where white space, a quote or a tag begins; slashes may be escaped, as some JSON writers do.
_url = re.compile(rf"""(?<=:)(?://|\\/\\/)((?:{_stands_in}|[^\s"'<>`])++)""")
_whole_url = re.compile(r"\s*+[A-Za-z][A-Za-z0-9+.\-]*+://(.*)", re.DOTALL)
_after_authority = re.compile(r"[/?#]")


@dataclass(frozen=True, slots=True)
class Login:
    """User name and password in a text, from `start` up to the `@` at `end`; the password begins after a colon."""

    start: int
    end: int
    user: str
    password: str | None

    @property
    def literal(self) -> bool:
        """Whether a password stands there as it is, at least in part."""
        return self.password is not None and _is_written(self.password)


def logins(text: str) -> Iterator[Login]:
    """Every login in a text of any kind; of those that references stand for, none."""
    if "@" in text:
        for url in _url.finditer(text):
            yield from _in_url(url[1], url.start(1))


def logins_of(value: str) -> Iterator[Login]:
    """The same for a value by itself: one that is a URL as a whole may have quotes and blanks in its password."""
    whole = _whole_url.match(value) if "@" in value else None
    if whole is None:
        yield from logins(value)
    else:
        yield from _in_url(whole[1], whole.start(1))


def passwords(value: str) -> Iterator[str]:
    """The passwords of the logins in a value, as they are written and as they are meant."""
    for login in logins_of(value):
        if login.password is not None and login.literal:
            yield from dict.fromkeys((login.password, unquote(login.password)))


def _in_url(rest: str, start: int) -> Iterator[Login]:
    """The login at the begin of what follows `://`."""
    slash = _after_authority.search(rest)
    authority = rest[: slash.start()] if slash else rest
    end = authority.rfind("@")
    if ":" in authority[: max(end, 0)]:
        end = rest.rfind("@")
    elif end < 0:
        host, colon, port = authority.partition(":")
        # `user:pass/word@host`: what stands before the slash is no host with a port.
        end = rest.rfind("@") if host and colon and not port.isdigit() and not _stand_in.fullmatch(port) else -1
    user, colon, password = rest[: max(end, 0)].partition(":")
    if end > 0 and (_is_written(password) if colon else _is_written(user)):
        yield Login(start, start + end, user, password if colon else None)


def _is_written(part: str) -> bool:
    """Whether there is more than what stands for a value; asterisks have been put there to hide one."""
    return bool(_stand_in.sub("", part).strip("*"))
