"""Logins at real servers."""

from __future__ import annotations

import json
from base64 import b64encode
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

import pytest

from pipeline.secret import Secret
from systems.http.client import Http, HttpError, Request, Settings
from systems.http.digest import Challenge
from systems.http.digest import answer as proof
from systems.http.exchange import OAuth2
from tests.web import answer, body_of, serving


def asked(system: Http, request: Request | None = None) -> bytes:
    """All of an answer."""
    with system.ask(request or Request("x")) as found:
        return found.content()


class Proving:
    """A server that wants to see that `me` knows `pw`; each nonce is good for some requests."""

    def __init__(self, uses: int) -> None:
        """It has made up none yet."""
        self.uses = uses
        self.nonce = 0
        self.used = 0
        self.seen: list[str | None] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Check the proof as the standard says."""
        given = handler.headers["Authorization"]
        self.seen.append(given)
        challenge = Challenge("things", f"n{self.nonce}", "o", "SHA-256", True)
        cnonce = (given or "").partition('cnonce="')[2].rstrip('"')
        wanted = proof(challenge, ("me", "pw"), handler.command, handler.path, cnonce, self.used + 1)
        if given == wanted and self.used < self.uses:
            self.used += 1
            answer(handler, body_of(handler) or b"in")
            return
        stale = "true" if given == wanted else "false"
        self.nonce, self.used = self.nonce + 1, 0
        text = f'Digest realm="things", nonce="n{self.nonce}", opaque="o", algorithm=SHA-256, qop="auth", stale={stale}'
        answer(handler, b"who?", 401, WWW_Authenticate=text)


def test_a_password_is_proven_and_never_sent() -> None:
    """After one challenge the next requests go with proofs; one that is too old is made anew."""
    service = Proving(uses=2)
    with serving(service) as url:
        login = ("me", Secret("pw"))
        made_up = iter("abcdefgh")
        settings = Settings(f"{url}/%s", basic=login, digest=True, allow_private=True)
        system = Http("api", settings, nonce=lambda: next(made_up))
        assert [asked(system), asked(system, Request("y", "POST", body=b"sent"))] == [b"in", b"sent"]
        assert [given is None for given in service.seen] == [True, False, False]
        assert asked(system) == b"in"
        assert len(service.seen) == 5
        assert "pw" not in str(service.seen)
        wrong = Settings(f"{url}/%s", basic=("me", Secret("wr0ng")), digest=True, allow_private=True)
        with pytest.raises(HttpError, match="answers 401 Unauthorized") as raised:
            asked(Http("api", wrong))
        assert not raised.value.refuses


class Giving:
    """A provider of tokens, and the service that they are for."""

    def __init__(self, **said: Any) -> None:
        """`said` is what it says of a token, beside the token."""
        self.said = {"access_token": "t0ken", "token_type": "Bearer", **said}
        self.status = 200
        self.forms: list[dict[str, list[str]]] = []
        self.logins: list[str | None] = []
        self.tokens: list[str | None] = []
        self.valid = ""
        self.lock = Lock()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Give one, or look at one."""
        with self.lock:
            if handler.path == "/token":
                self.forms.append(parse_qs(body_of(handler).decode()))
                self.logins.append(handler.headers["Authorization"])
                said = self.said
                if said.get("access_token"):
                    self.valid = said["access_token"] = f"t0ken{len(self.forms)}"
                answer(handler, json.dumps(said).encode(), self.status)
            else:
                self.tokens.append(handler.headers["Authorization"])
                answer(handler, b"in", 200 if self.tokens[-1] == f"Bearer {self.valid}" else 401)

    def settings(self, url: str, **given: Any) -> Settings:
        """Those of a system that asks it."""
        wanted = OAuth2("me", Secret("p w"), f"{url}/token", **given)
        return Settings(f"{url}/%s", oauth2=wanted, allow_private=True)


def test_a_token_is_fetched_once_and_again_before_its_end() -> None:
    """With the login in a header, the scopes and what else the provider wants."""
    now = 0.0
    service = Giving(expires_in=100)
    with serving(service) as url:
        settings = service.settings(url, scopes=("read", "write"), extra={"audience": "things"})
        system = Http("api", settings, clock=lambda: now)
        assert [asked(system), asked(system)] == [b"in", b"in"]
        now = 69.0
        asked(system)
        assert len(service.forms) == 1
        now = 70.0
        asked(system)
        assert service.tokens == ["Bearer t0ken1"] * 3 + ["Bearer t0ken2"]
    assert service.forms[0] == {"grant_type": ["client_credentials"], "scope": ["read write"], "audience": ["things"]}
    assert service.logins[0] == f"Basic {b64encode(b'me:p+w').decode()}"


def test_a_token_is_fetched_with_what_a_person_has_allowed() -> None:
    """Where the provider gives a new refresh token with each, that one is used the next time."""
    service = Giving()
    with serving(service) as url:
        system = Http("api", service.settings(url, refresh=Secret("r0"), scopes=("read",)))
        assert asked(system) == b"in"
        service.valid = "other"
        service.said["refresh_token"] = "r1"
        assert asked(system) == b"in"
        service.valid = "other"
        assert asked(system) == b"in"
    assert service.forms[0] == {"grant_type": ["refresh_token"], "refresh_token": ["r0"], "scope": ["read"]}
    assert [form["refresh_token"] for form in service.forms] == [["r0"], ["r0"], ["r1"]]


def test_a_token_that_is_refused_is_replaced_once() -> None:
    """A provider may take tokens back; who is refused with a new one is not let in."""
    service = Giving()
    with serving(service) as url:
        system = Http("api", service.settings(url, in_body=True))
        assert asked(system) == b"in"
        service.valid = "other"
        assert asked(system) == b"in"
        assert service.tokens == ["Bearer t0ken1", "Bearer t0ken1", "Bearer t0ken2"]
        assert service.forms[1]["client_secret"] == ["p w"]
        assert service.logins == [None, None]


@pytest.mark.parametrize(
    ("status", "said", "words"),
    [
        (
            400,
            {"error": "invalid_client", "error_description": "s3cr3t"},
            r"gives no token: it answers 400 \(invalid_client\)$",
        ),
        (401, {"error": "s3cr3t"}, "gives no token: it answers 401$"),
        (200, {"access_token": None}, "its answer has no `access_token`$"),
        (302, {}, "it answers 302$"),
    ],
)
def test_a_provider_that_gives_no_token_is_trouble(status: int, said: dict[str, Any], words: str) -> None:
    """Told without what it writes, and never as a fault of the request that the token was for."""
    service = Giving()
    service.said, service.status = said, status
    with serving(service) as url, pytest.raises(HttpError, match=words) as raised:
        asked(Http("api", service.settings(url)))
    assert not raised.value.refuses
    assert "s3cr3t" not in str(raised.value)
    assert "p w" not in str(raised.value)


def test_a_token_goes_nowhere_else() -> None:
    """Not along with a redirect to another server."""
    seen: list[str | None] = []

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["Authorization"])
        answer(handler, b"there")

    with serving(elsewhere) as other, serving(lambda handler: answer(handler, status=302, Location=other)) as url:
        settings = Settings(f"{url}/%s", token=Secret("t"), scheme="Token", allow_private=True)
        assert asked(Http("api", settings)) == b"there"
    assert seen == [None]
