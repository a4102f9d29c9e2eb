"""Access tokens for XOAUTH2 and OAUTHBEARER: as configured, from a command, or from a token endpoint."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final, Protocol
from urllib.parse import urlencode, urlsplit

from pipeline.secret import Secret
from systems.smtp.form_rules import is_local

# Seconds before a token ends at which it is not used any more: a login takes a while.
EARLY: Final = 60.0
# How long a token without a known end is used, so that ten connections do not ask ten times.
UNKNOWN_LIFE: Final = 60.0
ANSWER_WITHIN: Final = 30.0
LONGEST_ANSWER: Final = 65_536
LONGEST_WORD: Final = 60


class TokenError(OSError):
    """No token could be had; the text repeats nothing secret."""


class Source(Protocol):
    """Where a token comes from."""

    @property
    def made_of(self) -> Sequence[str | Secret | None]:
        """What is declared of it."""
        ...

    async def fetch(self) -> tuple[Secret, float]:
        """A token, and for how many seconds it is good. `TokenError` if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """A token as configured."""

    value: Secret

    @property
    def made_of(self) -> Sequence[str | Secret | None]:
        """The token."""
        return (self.value,)

    async def fetch(self) -> tuple[Secret, float]:
        """The same each time."""
        return self.value, UNKNOWN_LIFE


@dataclass(frozen=True, slots=True)
class Command:
    """A command that prints a token; no shell reads it."""

    arguments: Sequence[str]

    @property
    def made_of(self) -> Sequence[str | Secret | None]:
        """The command. That it prints another token now is not known before it has run."""
        return self.arguments

    async def fetch(self) -> tuple[Secret, float]:
        """What it prints. What it says on the error stream is not repeated: nobody knows what is in it."""
        name = self.arguments[0]
        pipe, none = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(*self.arguments, stdin=none, stdout=pipe, stderr=none)
        except OSError as error:
            raise TokenError(f"the command `{name}` cannot be run: {error.strerror}") from error
        try:
            output, _ = await asyncio.wait_for(process.communicate(), ANSWER_WITHIN)
        except TimeoutError as error:
            raise TokenError(f"the command `{name}` does not end within {ANSWER_WITHIN:g} s") from error
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            raise TokenError(f"the command `{name}` ended with exit code {process.returncode}")
        try:
            text = output.decode().strip()
        except UnicodeDecodeError:
            text = ""
        if not text:
            raise TokenError(f"the command `{name}` printed no token")
        return Secret(text), UNKNOWN_LIFE


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A token endpoint that exchanges a refresh token (RFC 6749 section 6)."""

    url: str
    refresh_token: Secret
    client_id: str | None = None
    client_secret: Secret | None = None
    scope: str | None = None

    @property
    def made_of(self) -> Sequence[str | Secret | None]:
        """All that the endpoint is told, and where it is."""
        return (self.url, self.refresh_token, self.client_id, self.client_secret, self.scope)

    async def fetch(self) -> tuple[Secret, float]:
        """A fresh token."""
        return await asyncio.to_thread(self._ask)

    def _ask(self) -> tuple[Secret, float]:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        secure = parts.scheme == "https"
        if not secure and not (parts.scheme == "http" and is_local(host)):
            raise TokenError("the token endpoint must be https: the refresh token goes there")
        fields = {"grant_type": "refresh_token", "refresh_token": self.refresh_token.reveal()}
        if self.client_id is not None:
            fields["client_id"] = self.client_id
        if self.client_secret is not None:
            fields["client_secret"] = self.client_secret.reveal()
        if self.scope is not None:
            fields["scope"] = self.scope
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        opened = HTTPSConnection if secure else HTTPConnection
        # No redirect is followed: it would carry the refresh token to somewhere else.
        with closing(opened(host, parts.port, timeout=ANSWER_WITHIN)) as connection:
            try:
                connection.request("POST", path, urlencode(fields), headers)
                response = connection.getresponse()
                body = response.read(LONGEST_ANSWER)
            except OSError as error:
                raise TokenError(f"the token endpoint {host} does not answer: {error.strerror or error}") from None
            except HTTPException:
                raise TokenError(f"the token endpoint {host} does not speak HTTP") from None
        if response.status != HTTPStatus.OK:
            raise TokenError(f"the token endpoint {host} gives no token: HTTP {response.status}{_word(body)}")
        return _read(body, host)


def _word(body: bytes) -> str:
    """The word that says why, if it is one (RFC 6749 section 5.2)."""
    with suppress(ValueError, AttributeError):
        word = str(json.loads(body).get("error", ""))
        if word and len(word) <= LONGEST_WORD and word.isascii() and word.isprintable():
            return f", {word}"
    return ""


def _read(body: bytes, host: str) -> tuple[Secret, float]:
    try:
        answer = json.loads(body)
        token, life = answer["access_token"], answer.get("expires_in", UNKNOWN_LIFE + EARLY)
        seconds = float(life)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise TokenError(f"the token endpoint {host} answers without an access token") from None
    if not isinstance(token, str) or not token:
        raise TokenError(f"the token endpoint {host} answers without an access token")
    return Secret(token), max(0.0, seconds - EARLY)


class Tokens:
    """The token in use, fetched anew when it ends. `clock` is one that nobody sets."""

    def __init__(self, source: Source, clock: Callable[[], float]) -> None:
        """Nothing is fetched yet."""
        self._source = source
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token: Secret | None = None
        self._until = 0.0

    @property
    def made_of(self) -> Sequence[str | Secret | None]:
        """What is declared of their source."""
        return self._source.made_of

    async def get(self) -> Secret:
        """A token that is good now."""
        async with self._lock:
            if self._token is None or self._clock() >= self._until:
                self._token, life = await self._source.fetch()
                self._until = self._clock() + life
            return self._token

    def forget(self) -> None:
        """A server refused the token: fetch another for the next login."""
        self._until = 0.0
