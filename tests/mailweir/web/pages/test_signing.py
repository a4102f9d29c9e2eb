"""How browsers get in and out, and what a session is not good for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailweir.web.open import Wanted

Browse = Callable[..., Any]
PIPE = {"_id": "p", "type": "pipe", "source": {"type": "embedded", "entities": [{"_id": "a"}]}}


def test_who_is_nobody_gets_the_way_in(browse: Browse) -> None:
    """Without a session a page is refused with a form for the token, and nothing of the project."""
    browser = browse(PIPE)
    browser.cookie = ""
    for path in ("/", "/nothing", "/close"):
        answer = browser.get(path)
        assert answer.status == 401
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert b'action="/open"' in answer.body
        assert b"REAL" not in answer.body


def test_a_code_opens_one_session(browse: Browse, code: Callable[..., str]) -> None:
    """The address of the terminal lets a browser in once, with a cookie that scripts do not see."""
    browser = browse(PIPE)
    path = code(browser.service.token, time.time())
    browser.cookie = ""
    answer = browser.get(path)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert browser.service.token not in cookie
    again = browser.get(path)
    assert again.status == 401
    assert "set-cookie" not in again.headers
    browser.cookie = cookie.partition(";")[0]
    assert browser.get("/").status == 200


def test_a_code_of_the_day_before(browse: Browse, code: Callable[..., str]) -> None:
    """After ten minutes an address opens nothing."""
    browser = browse(PIPE)
    browser.cookie = ""
    assert browser.get(code(browser.service.token, time.time() - 700)).status == 401
    assert browser.get(code("x" * 43, time.time())).status == 401


def test_signing_out(browse: Browse) -> None:
    """The browser forgets its session."""
    browser = browse(PIPE)
    answer = browser.post("/close")
    assert (answer.status, answer.headers["location"]) == (303, "/open")
    assert "Max-Age=0" in answer.headers["set-cookie"]


def test_a_session_ends_with_its_token(browse: Browse, digest: Callable[[str], str], tmp_path: Path) -> None:
    """A session may what its token may, and is nobody's when the token is gone from the file."""
    tokens = tmp_path / "tokens.json"
    given = {"name": "kari", "sha256": digest("k" * 32), "roles": ["view"]}
    tokens.write_text(json.dumps({"tokens": [given]}))
    browser = browse(PIPE, wanted=Wanted(port=0, tokens=tokens))
    browser.enter("k" * 32)
    assert browser.get("/").status == 200
    assert b"kari" in browser.get("/").body
    browser.service.end()
    tokens.write_text(json.dumps({"tokens": [{**given, "sha256": digest("o" * 32)}]}))
    other = browse(PIPE, wanted=Wanted(port=0, tokens=tokens))
    other.cookie = browser.cookie
    assert other.get("/").status == 401


def test_a_session_outlasts_a_restart(browse: Browse) -> None:
    """Whoever is in stays in when the service starts anew."""
    browser = browse(PIPE)
    browser.service.end()
    other = browse(PIPE)
    other.cookie = browser.cookie
    assert other.get("/").status == 200


def test_who_guesses_waits(browse: Browse) -> None:
    """Tokens that are tried in the form are counted as all others."""
    browser = browse(PIPE)
    statuses = {browser.enter("x" * 40).status for _ in range(200)}
    assert statuses <= {401, 429}
    assert browser.service.until(lambda: browser.enter(browser.service.token).status == 303)


@pytest.mark.parametrize("to", ["//evil.test", "/\\evil.test", "https://evil.test", "evil", "", "/a\nb"])
def test_nobody_is_sent_elsewhere(browse: Browse, to: str) -> None:
    """Who signed in goes to a page of ours."""
    browser = browse(PIPE)
    answer = browser.post("/open", {"token": browser.service.token, "to": to}, csrf=None)
    assert (answer.status, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/json"},
    ],
)
def test_forms_of_others(browse: Browse, headers: dict[str, str]) -> None:
    """A page of another site changes nothing, whatever it sends along."""
    browser = browse(PIPE)
    assert browser.post("/close", **headers).status in {403, 415}


@pytest.mark.parametrize("csrf", [None, "0" * 64, "é"])
def test_forms_of_no_page_of_ours(browse: Browse, csrf: str | None) -> None:
    """What was not posted from a page of this session changes nothing."""
    browser = browse(PIPE)
    answer = browser.post("/close", csrf=csrf)
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


def test_a_session_is_for_pages(browse: Browse) -> None:
    """A cookie is no token: what programs ask is not answered for it."""
    browser = browse(PIPE)
    for path in ("/api/status", "/metrics"):
        assert browser.get(path).status == 401
    assert browser.post("/api/pipes/p/run").status == 401


def test_other_sites_read_nothing(browse: Browse) -> None:
    """A script of another page gets nothing with the session; a link of one gets the page."""
    browser = browse(PIPE)
    for site in ("cross-site", "same-site"):
        assert browser.get("/", Sec_Fetch_Site=site, Sec_Fetch_Mode="cors").status == 403
        assert browser.get("/", Sec_Fetch_Site=site).status == 200
    browser.cookie = ""
    answer = browser.get("/nothing?x=1", Sec_Fetch_Site="cross-site")
    assert answer.status == 401
    assert b'content="0; url=/nothing"' in answer.body
    assert b"http-equiv" not in browser.get("/nothing").body


@pytest.mark.parametrize("behind", [True, False])
def test_cookies_of_encrypted_talks(browse: Browse, behind: bool) -> None:
    """Where a proxy speaks TLS, browsers send the session over TLS only."""
    browser = browse(PIPE, wanted=Wanted(port=0, behind_proxy=behind))
    assert ("Secure" in browser.enter(browser.service.token).headers["set-cookie"]) is behind


def test_without_pages(browse: Browse) -> None:
    """With `--no-ui` there are none, and tokens work as ever."""
    browser = browse(PIPE, wanted=Wanted(port=0, pages=False))
    assert browser.service.get("/").status == 404
    assert browser.get("/open").status == 401
    assert browser.service.get("/api/status").status == 200


def test_files_of_pages(browse: Browse) -> None:
    """What pages are made with is kept by browsers, under an address that changes with it."""
    browser = browse(PIPE)
    text = browser.text("/")
    address = text.partition('href="/static/mailweir.css')[2].partition('"')[0]
    answer = browser.get(f"/static/mailweir.css{address}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert browser.get("/static/mailweir.css").headers["cache-control"] == "no-cache"
    assert browser.get("/static/__init__.py").status == 404
    assert browser.get("/static/..%2ftemplates%2fbase.html").status == 404
