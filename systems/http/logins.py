"""Who asks: the header `Authorization`, as it is given, proven or fetched, and what a refusal of it means.

Several threads ask for one at a time. A token that was fetched lives in memory only.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any, Final, Protocol
from urllib.parse import quote_plus, urlencode

from msgspec import DecodeError
from msgspec.json import decode

from pipeline.secret import Secret
from systems.http.digest import Challenge, answer, challenge_of
from systems.http.exchange import HttpError, OAuth2, Request, Settings, revealed, shown

# Tokens are some hundred bytes; what is longer is none.
_LONGEST_TOKEN: Final = 65_536
# The words for a refusal (RFC 6749 section 5.2): only these are repeated of what a server says.
_REFUSALS: Final = frozenset(
    {
        *("invalid_request", "invalid_client", "invalid_grant"),
        *("unauthorized_client", "unsupported_grant_type", "invalid_scope"),
    }
)

Fetch = Callable[[Request], tuple[int, bytes]]


class Login(Protocol):
    """Knows what to write for a request."""

    def header(self, method: str, uri: str) -> str | None:
        """The value of `Authorization`; None for none."""
        ...

    def refused(self, used: str | None, challenges: Iterable[str]) -> bool:
        """Learn from an answer 401 to a request with this value: whether another try could go better."""
        ...


class Given:
    """The same in each request."""

    def __init__(self, value: Callable[[], str | None]) -> None:
        """The value is made when it is needed, so that nothing holds it."""
        self._value = value

    def header(self, method: str, uri: str) -> str | None:
        """As it was given."""
        return self._value()

    def refused(self, used: str | None, challenges: Iterable[str]) -> bool:
        """There is no other."""
        return False


class Proven:
    """A proof for each request, once the server has said what it wants to see."""

    def __init__(self, login: tuple[str | Secret, str | Secret], nonce: Callable[[], str]) -> None:
        """`nonce` makes up a text that nobody can guess."""
        self._login = login
        self._made_up = nonce
        self._lock = Lock()
        self._challenge: Challenge | None = None
        self._count = 0

    def header(self, method: str, uri: str) -> str | None:
        """A proof with the last challenge; None before the first."""
        with self._lock:
            if self._challenge is None:
                return None
            self._count += 1
            name, password = map(revealed, self._login)
            return answer(self._challenge, (name, password), method, uri, self._made_up(), self._count)

    def refused(self, used: str | None, challenges: Iterable[str]) -> bool:
        """A first challenge, or one for a proof that has only become too old, is answered; a refused proof is not."""
        found = challenge_of(challenges)
        if found is None:
            return False
        with self._lock:
            again = used is None or found.stale or f'nonce="{found.nonce}"' not in used
            self._challenge, self._count = found, 0
        return again


class Fetched:
    """A token that a server gives out for a while."""

    def __init__(self, wanted: OAuth2, fetch: Fetch, clock: Callable[[], float]) -> None:
        """`fetch` gives status and content of an answer; `clock` counts seconds."""
        self._wanted = wanted
        self._fetch = fetch
        self._clock = clock
        self._lock = Lock()
        self._token: Secret | None = None
        self._until = 0.0
        self._refresh = wanted.refresh

    def header(self, method: str, uri: str) -> str | None:
        """The token, fetched anew when its time is over; HttpError if there is none."""
        with self._lock:
            if self._token is None or self._clock() >= self._until:
                self._renew()
            return None if self._token is None else f"Bearer {self._token.reveal()}"

    def refused(self, used: str | None, challenges: Iterable[str]) -> bool:
        """A token may be taken back before its time: another one is fetched."""
        with self._lock:
            if self._token is not None and used == f"Bearer {self._token.reveal()}":
                self._token = None
        return True

    def _renew(self) -> None:
        wanted, place = self._wanted, shown(self._wanted.token_url)
        form = {"grant_type": "client_credentials"}
        if self._refresh is not None:
            form = {"grant_type": "refresh_token", "refresh_token": revealed(self._refresh)}
        if wanted.scopes:
            form["scope"] = " ".join(wanted.scopes)
        form |= {name: revealed(value) for name, value in wanted.extra.items()}
        headers: dict[str, str | Secret] = {"Accept": "application/json"}
        name, password = revealed(wanted.client_id), revealed(wanted.client_secret)
        if wanted.in_body:
            form |= {"client_id": name, "client_secret": password}
        else:
            # RFC 6749 section 2.3.1: both are encoded as in a form before they are joined.
            headers["Authorization"] = basic(quote_plus(name), quote_plus(password))
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = self._clock()
        request = Request(
            method="POST", headers=headers, body=urlencode(form).encode(), link=wanted.token_url, again=True
        )
        status, content = self._fetch(request)
        found = _object(content)
        if not 200 <= status < 300:
            error = found.get("error")
            why = f" ({error})" if isinstance(error, str) and error in _REFUSALS else ""
            # What it answers to us says nothing of the request that the token is for.
            raise HttpError(f"{place} gives no token: it answers {status}{why}")
        token, seconds = found.get("access_token"), found.get("expires_in")
        if not isinstance(token, str) or not token or not token.isprintable() or not token.isascii():
            raise HttpError(f"{place} gives no token: its answer has no `access_token`")
        lasting = isinstance(seconds, int | float | str) and not isinstance(seconds, bool)
        try:
            life = float(seconds) if lasting else 0.0  # type: ignore[arg-type]  # it is one of the three
        except ValueError:
            life = 0.0
        self._token = Secret(token)
        if self._refresh is not None and isinstance(newer := found.get("refresh_token"), str) and newer:
            # RFC 6749 section 6: from now on only the new one may be taken.
            self._refresh = Secret(newer)
        # One that says nothing is used until it is refused; of a short life at least the half is used.
        self._until = began + (max(life - wanted.ahead, life / 2) if life > 0 else float("inf"))


def basic(name: str, password: str) -> str:
    """A user name and a password (RFC 7617)."""
    return f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"


def login_of(settings: Settings, fetch: Fetch, clock: Callable[[], float], nonce: Callable[[], str]) -> Login:
    """The login that settings ask for."""
    if settings.oauth2 is not None:
        return Fetched(settings.oauth2, fetch, clock)
    login, token = settings.basic, settings.token
    if login is not None and settings.digest:
        return Proven(login, nonce)
    if login is not None:
        name, password = login
        return Given(lambda: basic(revealed(name), revealed(password)))
    return Given(lambda: None if token is None else f"{settings.scheme} {revealed(token)}".strip())


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = decode(content[:_LONGEST_TOKEN])
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
