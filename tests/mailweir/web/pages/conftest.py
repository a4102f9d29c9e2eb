"""A browser without scripts: it keeps its session and posts forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from mailweir.web.access import digest_of
from mailweir.web.keys import address

HTML = "text/html,application/xhtml+xml"
# What browsers tell of a page that is opened from its address, and of a form that a page of ours posts.
TYPED = {"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
OWN = {**TYPED, "Sec_Fetch_Site": "same-origin", "Origin": "null"}


class Browser:
    """One that is let in, unless it is said otherwise."""

    def __init__(self, service: Any, token: str | None = "") -> None:
        """With the token of the project, or another one; with None nobody is let in."""
        self.service = service
        self.cookie = ""
        if token is not None:
            self.enter(token or service.token)

    def enter(self, token: str) -> Any:
        """Post the token."""
        answer = self.service.ask(
            "POST", "/open", urlencode({"token": token}).encode(), token=None, Accept=HTML,
            Content_Type="application/x-www-form-urlencoded", **OWN,
        )  # fmt: skip
        self.cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        return answer

    def get(self, path: str, **headers: str) -> Any:
        """A page."""
        given = {"Accept": HTML, **TYPED, **headers}
        if self.cookie:
            given["Cookie"] = self.cookie
        return self.service.ask("GET", path, token=None, **given)

    def text(self, path: str) -> str:
        """What a page says, which is there."""
        answer = self.get(path)
        assert answer.status == 200, answer.body
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return str(answer.body.decode())

    def csrf(self, path: str = "/") -> str:
        """What forms of a page bring along."""
        found = re.search(r'name="csrf" content="([0-9a-f]{64})"', self.text(path))
        assert found is not None
        return found[1]

    def post(self, path: str, fields: Any = (), *, csrf: str | None = "", **headers: str) -> Any:
        """A form, with what its page gave it."""
        pairs = list(dict(fields).items() if isinstance(fields, dict) else fields)
        if csrf is not None:
            pairs.append(("csrf", csrf or self.csrf()))
        given = {
            "Accept": HTML,
            "Content_Type": "application/x-www-form-urlencoded",
            "Cookie": self.cookie,
            **OWN,
            **headers,
        }
        return self.service.ask("POST", path, urlencode(pairs).encode(), token=None, **given)


@pytest.fixture
def browse(serve: Callable[..., Any]) -> Callable[..., Browser]:
    """Serve these components, and let a browser in."""
    return lambda *parts, **more: Browser(serve(*parts, **more))


@pytest.fixture
def code() -> Callable[..., str]:
    """The path of an address that `status` prints, as of a wall time."""
    return lambda token, wall: "/" + address("", token, wall)


@pytest.fixture
def digest() -> Callable[[str], str]:
    """What a file of tokens has of a token."""
    return digest_of
