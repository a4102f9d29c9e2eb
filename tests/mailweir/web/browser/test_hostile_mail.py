"""Hostile mail in a real browser: nothing of it runs, and nobody is asked for anything."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page

from mailweir.web.pages.mail_frame import policy
from tests.web import serving

FOLDER = {"_id": "folder", "type": "system:eml"}
# Each of these would ask the recorder, or leave the page, if it were let.
RUNS = """
<script>fetch('%s/script'); parent.postMessage('ran', '*'); top.location = '%s/top'; document.title = 'ran'</script>
<script src="%s/src.js"></script><img src="x" onerror="fetch('%s/onerror')"><body onload="fetch('%s/onload')">
<svg onload="fetch('%s/svg')">
<script>fetch('%s/svgscript')</script><image href="%s/image.png" /><use href="%s/u.svg#a" /></svg>
<iframe src="%s/frame"></iframe><iframe srcdoc="<script>fetch('%s/srcdoc')</script>"></iframe>
<object data="%s/object"></object><embed src="%s/embed"><video src="%s/video" poster="%s/poster" autoplay></video>
<audio src="%s/audio" autoplay></audio><meta http-equiv="refresh" content="0;url=%s/refresh"><base href="%s/base/">
<form action="%s/form" id="f"><input name="a" autofocus onfocus="fetch('%s/focus')"><button>Go</button></form>
<img src="%s/image.png" srcset="%s/two.png 2x">
<picture><source srcset="%s/source.png"><img src="a.png"></picture>
<style>@import url(%s/import.css); body { background: url(%s/background.png) }
@font-face { font-family: e; src: url(%s/f) }
p { font-family: e; list-style: url(%s/list.png); cursor: url(%s/cursor.png), auto }</style>
<table background="%s/table.png"><tr><td>cell</td></tr></table>
<p style="background: url('%s/inline.png')">Hello there</p>
<link rel="stylesheet" href="%s/sheet.css"><link rel="icon" href="%s/icon.png">
<a href="%s/link" target="_top" id="link">A link</a>
<a href="%s/ping" ping="%s/pinged">another</a>
<details open ontoggle="fetch('%s/toggle')">more</details>
<input type="image" src="%s/input.png"><math><mi xlink:href="%s/m">x</mi></math>
"""
# No policy speaks of these: only what is not written keeps them from happening.
CONNECTS = """
<link rel="preconnect" href="%s"><link rel="dns-prefetch" href="%s"><link rel="prefetch" href="%s/prefetch">
<style><a title="</style><link rel=preconnect href=%s>"></style>
<svg><style><img><link rel=preconnect href=%s></style></svg>
<select><style><input><link rel=preconnect href=%s></style></select>
"""


class Recorder:
    """Counts those who connect, whatever they speak."""

    def __init__(self) -> None:
        """It listens."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.heard: list[bytes] = []
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.heard.append(b"")
            with connection:
                connection.settimeout(5)
                try:
                    self.heard[-1] = connection.recv(2000)
                    connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
                except OSError:
                    continue

    def end(self) -> None:
        """No more."""
        # Closing alone does not wake who waits in `accept`.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(120)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """A server that nobody may ask."""
    one = Recorder()
    yield one
    one.end()


def mailing(html: str) -> dict[str, Any]:
    """A pipe that sends this."""
    sink = {
        "type": "mail",
        "system": "folder",
        "mail_from": "hello@example.com",
        "recipients": "ann@example.com",
        "subject_template": "<script>document.title = 'ran'</script><img src=x onerror=alert(1)>",
        "body_template": html,
        "text_body_template": "text",
    }
    source = {"type": "embedded", "entities": [{"_id": '"><img src=x onerror=alert(1)>'}]}
    return {"_id": "welcome", "type": "pipe", "source": source, "sink": sink}


def asked_for(page: Page, recorder: Recorder) -> list[bytes]:
    """What the recorder heard before it was asked on purpose: by then whatever a page wanted has been."""
    other = page.context.browser.new_page() if page.context.browser is not None else page
    other.goto(f"http://127.0.0.1:{recorder.port}/on-purpose")
    other.context.close()
    heard = recorder.heard
    assert any(one.startswith(b"GET /on-purpose ") for one in heard)
    return [one for one in heard if not one.startswith((b"GET /on-purpose ", b"GET /favicon.ico "))]


def hostile(text: str, recorder: Recorder, scheme: str = "http") -> str:
    """With the address of the recorder."""
    return text.replace("%s", f"{scheme}://127.0.0.1:{recorder.port}")


def test_nothing_runs_and_nothing_is_asked(
    serve: Callable[..., Any], enter: Callable[..., Page], recorder: Recorder, pictured: Callable[[Page, str], None]
) -> None:
    """On the page of the message, its list and its other views, also when the link is clicked."""
    service = serve(FOLDER, mailing(hostile(RUNS + CONNECTS, recorder)))
    service.until(lambda: service.get("/api/mail?state=sent").json["messages"])
    asked: list[str] = []
    page = enter(service, asked)
    ran: list[str] = []

    def said(dialog: Dialog) -> None:
        ran.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", said)
    page.goto(f"{service.opening.url}mail?state=sent")
    page.get_by_role("link", name="<script>").click()
    frame = page.frame_locator("iframe")
    frame.get_by_text("Hello there").wait_for()
    frame.get_by_text("cell").wait_for()
    frame.get_by_text("A link").click()
    pictured(page, "hostile")
    for view in ("Text", "Source", "Headers", "Parts", "Entity", "SMTP"):
        page.get_by_role("navigation", name="Views").get_by_role("link", name=view).click()
        page.locator("[aria-current=page]", has_text=view).wait_for()
        assert "ran" not in page.title().partition(" · ")[2]
    assert {url for url in asked if not url.startswith(service.opening.url)} == set()
    assert (asked_for(page, recorder), ran) == ([], [])


def test_images_come_when_they_are_asked_for(
    serve: Callable[..., Any], enter: Callable[..., Page], recorder: Recorder
) -> None:
    """Over https and nothing else: so the recorder does hear who connects."""
    service = serve(FOLDER, mailing(hostile(RUNS + CONNECTS, recorder, "https")))
    service.until(lambda: service.get("/api/mail?state=sent").json["messages"])
    asked: list[str] = []
    page = enter(service, asked)
    page.goto(f"{service.opening.url}mail?state=sent")
    page.get_by_role("link", name="<script>").click()
    page.frame_locator("iframe").get_by_text("Hello there").wait_for()
    assert asked_for(page, recorder) == []
    before = len(recorder.heard)
    page.get_by_role("link", name="this time").click()
    service.until(lambda: len(recorder.heard) > before)
    page.frame_locator("iframe").get_by_text("Hello there").wait_for()
    elsewhere = {url.rpartition("/")[2] for url in asked if not url.startswith(service.opening.url)}
    pictures = {"image.png", "background.png", "inline.png", "table.png", "list.png", "cursor.png"}
    assert "image.png" in elsewhere
    assert elsewhere <= pictures


def test_the_policy_holds_by_itself(browser: Any, recorder: Recorder) -> None:
    """Should what is written ever have a script in it, still nothing of it runs, and nothing is asked for."""
    answers = {
        "/": ('<!doctype html><title>page</title><iframe sandbox="" src="/html"></iframe>', "frame-src 'self'"),
        "/html": (hostile(RUNS, recorder), policy(images=False).replace("frame-ancestors 'self'; ", "")),
    }

    def serve_page(request: BaseHTTPRequestHandler) -> None:
        text, rule = answers.get(request.path, ("", "default-src 'none'"))
        request.send_response(200 if text else 404)
        request.send_header("Content-Type", "text/html; charset=utf-8")
        request.send_header("Content-Security-Policy", rule)
        request.end_headers()
        request.wfile.write(text.encode())

    with serving(serve_page) as url:
        page = browser.new_page()
        page.goto(url)
        page.frame_locator("iframe").get_by_text("Hello there").wait_for()
        assert page.title() == "page"
        # Connections that nothing is said on, to be quick later, are what policies do not speak of.
        assert [one for one in asked_for(page, recorder) if one] == []
        page.context.close()
