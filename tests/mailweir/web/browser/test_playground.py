"""The playground in a real browser: what is typed is tried by itself, and nothing leaves the page."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from mailweir.web.keys import address
from tests.browser import PATIENCE, faults
from tests.web import answer, serving

OFFICE = {"_id": "office", "type": "system:smtp", "smtp_server": "mail.example.com"}
WELCOME: dict[str, Any] = {
    "_id": "welcome",
    "type": "pipe",
    "pump": {"mode": "manual"},
    "source": {
        "type": "embedded",
        "entities": [{"_id": "c1", "name": "Kari", "email": "kari@moe.no"}, {"_id": "c2", "name": "Ola", "email": ""}],
    },
    "sink": {
        "type": "mail",
        "system": "office",
        "mail_from": "shop@example.com",
        "recipients_property": "email",
        "subject_template": "Welcome, {{ name }}",
        "body_template": "<p>Hello {{ name }}</p>{{ extra|default('')|safe }}",
    },
}
HOSTILE = (
    "<script>top.hurt = 1</script><img src=x onerror='top.hurt = 1'><img src='http://127.0.0.1:9/a.png'>"
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'><form action='http://127.0.0.1:9/'><input></form>"
    "<link rel=stylesheet href='http://127.0.0.1:9/a.css'><base href='http://127.0.0.1:9/'>"
    "<style>p { background: url(http://127.0.0.1:9/b.png) }</style><svg onload='top.hurt = 1'></svg>"
)


@pytest.fixture
def page(browser: Browser, serve: Callable[..., Any]) -> Any:
    """The playground of a service, and all that the browser asks for."""
    service = serve(OFFICE, WELCOME)
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    asked: list[str] = []
    page.on("requestfinished", lambda request: asked.append(request.url))
    origin = service.opening.url.rstrip("/")
    page.goto(address(origin + "/", service.token, time.time()))
    page.goto(f"{origin}/playground")
    yield page
    assert [one for one in asked if not one.startswith((origin, "data:", "blob:"))] == []
    context.close()


def typed(page: Page, entity: str) -> None:
    """Somebody types an entity."""
    page.locator("#entity").fill(entity)


def seen(page: Page, text: str) -> None:
    """The mail says so, by and by."""
    expect(page.frame_locator("#mails iframe").locator("body")).to_contain_text(text, timeout=PATIENCE)


def test_what_is_typed_is_tried(page: Page) -> None:
    """A fault is told at its character, and the last mail stays until it is mended."""
    seen(page, "Hello Kari")
    typed(page, '{"_id": "c1", "name": "Åse", "email": "ase@example.com"}')
    expect(page.locator("#mails h2")).to_have_text("Welcome, Åse", timeout=PATIENCE)
    seen(page, "Hello Åse")
    typed(page, '{"_id": "c1", "name": Eve}')
    expect(page.locator("#faults")).to_contain_text("entity:1:23", timeout=PATIENCE)
    expect(page.locator("#mails")).to_have_class("stale")
    seen(page, "Hello Åse")
    typed(page, '{"_id": "c1", "name": "Eve", "email": "eve@example.com"}')
    expect(page.locator("#mails h2")).to_have_text("Welcome, Eve", timeout=PATIENCE)
    expect(page.locator("#faults")).to_have_text("")
    page.locator("summary", has_text="Rules and templates").click()
    page.locator("#config").fill(page.locator("#config").input_value().replace("Welcome, ", "Goodbye, "))
    expect(page.locator("#mails h2")).to_have_text("Goodbye, Eve", timeout=PATIENCE)


def test_a_case_is_saved_by_keyboard(page: Page, tmp_path: Path) -> None:
    """With nothing but the keyboard, and the page says where it is."""
    page.get_by_label("What it shows").focus()
    page.keyboard.type("a customer gets one mail")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".notice.good")).to_contain_text("expected/welcome.test.json", timeout=PATIENCE)
    assert "user1@example.com" in (tmp_path / "expected" / "welcome.test.json").read_text()


def test_a_hostile_mail_does_nothing(page: Page) -> None:
    """No script of it runs, the page stays where it is, and a server that listens for it is asked nothing."""
    met: list[str] = []

    def listen(handler: Any) -> None:
        met.append(handler.path)
        answer(handler)

    with serving(listen) as elsewhere:
        extra = HOSTILE.replace("http://127.0.0.1:9", elsewhere)
        typed(page, json.dumps({"_id": "x", "name": "Eve", "email": "eve@example.com", "extra": extra}))
        seen(page, "Hello Eve")
        page.wait_for_load_state("networkidle")
    assert met == []
    assert page.evaluate("window.hurt") is None
    assert page.url.endswith("/playground")


def test_lines_are_lines(page: Page) -> None:
    """What is typed over several lines is shown, and sent again, as it was typed."""
    text = '{\n  "_id": "c1",\n  "name": "Eve",\n  "email": "eve@example.com"\n}'
    assert page.locator("#entity").input_value().count("\n") > 1
    typed(page, text)
    expect(page.locator("#mails h2")).to_have_text("Welcome, Eve", timeout=PATIENCE)
    assert page.locator("#shaped pre").inner_text().strip() == text
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#mails h2")).to_have_text("Welcome, Eve", timeout=PATIENCE)
    assert page.locator("#entity").input_value() == text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(page: Page, scheme: Any) -> None:
    """No serious fault in either theme, and no need to scroll sideways on a small screen."""
    page.emulate_media(color_scheme=scheme)
    typed(page, '{"_id": "c1", "name": "Eve", "email": "eve@example.com"}')
    seen(page, "Hello Eve")
    assert faults(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    if folder := os.environ.get("MAILWEIR_SCREENSHOTS"):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.screenshot(path=Path(folder) / f"playground-{scheme}.png", full_page=True)
