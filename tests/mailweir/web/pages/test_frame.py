"""What stands around every page."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from mailweir.destination import Destination
from mailweir.web.access import ROLES, Caller
from mailweir.web.pages.answering import POLICY
from mailweir.web.pages.frame import banner_of, goals_of, nearest
from mailweir.web.pages.rendering import Renderer
from mailweir.web.route import Route

Browse = Callable[..., Any]
EVIL = "<script>alert(1)</script>\u202e"
PIPE = {"_id": "p", "type": "pipe", "source": {"type": "embedded", "entities": [{"_id": "a"}]}}
MAILS = {
    "_id": "mails", "type": "pipe", "source": {"type": "embedded", "entities": []},
    "sink": {"type": "mail", "system": "relay", "mail_from": "a@example.com", "recipients": "b@example.com",
             "subject_template": "x", "body_template": "y"},
}  # fmt: skip


def relay(server: str) -> dict[str, Any]:
    """A mail system."""
    return {"_id": "relay", "type": "system:smtp", "smtp_server": server, "smtp_port": 587}


class Inline(HTMLParser):
    """Finds what a strict policy would not let run."""

    found: bool = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Scripts without a file, styles, handlers."""
        given = dict(attrs)
        inline = tag == "style" or (tag == "script" and not given.get("src")) or "style" in given
        self.found = self.found or inline or any(name.startswith("on") for name in given)


@pytest.mark.parametrize(
    ("server", "words", "short"),
    [
        ("mail.example.com", "REAL DELIVERY", "REAL"),
        ("127.0.0.1", "CATCH: nothing leaves this machine", "CATCH"),
    ],
)
def test_every_page_says_where_mail_goes(browse: Browse, server: str, words: str, short: str) -> None:
    """In words above everything, and in the title of the window; a page that refuses does so too."""
    browser = browse(relay(server), MAILS)
    for answer in (browser.get("/"), browser.get("/nothing")):
        text = answer.body.decode()
        assert words in text
        assert f" · {short} · mailweir</title>" in text
        assert text.index(words) < text.index("<nav")
        assert f"{server}:587" in text


def test_pages_obey_a_strict_policy(browse: Browse) -> None:
    """Nothing inline, nothing from elsewhere, nothing kept by browsers."""
    browser = browse(PIPE)
    for path in ("/", "/nothing", "/open"):
        answer = browser.get(path)
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        parser = Inline()
        parser.feed(answer.body.decode())
        assert not parser.found
        assert not re.search(rb'(src|href|action)="(https?:)?//', answer.body)


def test_who_may_little_is_led_nowhere_else() -> None:
    """Only pages that are served and may be seen are led to; their counts are those of a person's work."""
    nothing: Any = None
    routes = [
        Route("GET", "/", "a", "view", "A.", nothing, page=True),
        Route("GET", "/logs", "b", "content", "B.", nothing, page=True),
        Route("GET", "/mail", "c", "view", "C.", nothing),
    ]
    assert [one.path for one in goals_of(routes, Caller("x", frozenset({"view"})), {})] == ["/"]
    found = goals_of(routes, Caller("x", ROLES), {"/logs": 3})
    assert [(one.path, one.waiting) for one in found] == [("/", 0), ("/logs", 3)]
    assert goals_of(routes, Caller("x", ROLES, frozenset({"p"})), {}) == []


def test_pages_belong_to_a_goal() -> None:
    """A page below another one belongs to it, a run to the pipes."""
    assert [nearest(path) for path in ("/", "/pipes/a/b", "/runs/7f", "/mail")] == ["/", "/pipes", "/pipes", "/mail"]


def test_where_mail_goes() -> None:
    """One system that reaches others makes it real; without any there is no mail."""
    here, there = Destination("127.0.0.1:25", "local"), Destination("mx:25", "real")
    assert banner_of({"a": here, "b": there})[:3] == ("real", "REAL DELIVERY", ("mx:25",))
    assert banner_of({"a": Destination("the folder x", "folder")}).short == "DRY RUN"
    assert banner_of({}).short == "NO MAIL"


def test_texts_are_cleaned() -> None:
    """Markup of others, secrets and characters that mislead are never written as they are."""
    renderer = Renderer(lambda text: text.replace("canary", "********"))
    text = renderer.text("sign_in.html", title=EVIL, status=404, detail="canary", request="", again="")
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert "canary" not in text
    assert "********" in text


def test_secrets_of_the_configuration(browse: Browse) -> None:
    """A secret that somebody writes into a reason is masked on every page that shows it."""
    system = {**relay("mail.example.com"), "use_tls": True, "smtp_username": "u", "smtp_password": "canary-7d20&two"}
    browser = browse(system, MAILS)
    browser.service.post("/api/pipes/mails/pause", {"reason": "it is canary-7d20&two"})
    text = browser.text("/")
    assert "it is ********" in text
    assert "canary" not in text
