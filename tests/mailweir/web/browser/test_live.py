"""Pages in a real browser: what changes by itself, keys, themes, and what remains without scripts."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from mailweir.web.keys import address
from tests.browser import PATIENCE, faults

Serve = Callable[..., Any]
CANARY = "canary-7d20&two"
OFFICE = {"_id": "office", "type": "system:eml", "folder": "out", "max_per_hour": 2}
RELAY = {
    "_id": "relay", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_username": "u", "smtp_password": CANARY,
}  # fmt: skip
PEOPLE: dict[str, Any] = {
    "_id": "people",
    "type": "pipe",
    "source": {"type": "embedded", "entities": [{"_id": str(n), "to": "a@example.com"} for n in range(5)]},
    "sink": {
        "type": "mail", "system": "office", "mail_from": "b@example.com", "recipients_property": "to",
        "subject_template": "x", "body_template": "y",
    },
    "pump": {"mode": "manual"},
}  # fmt: skip
PAGES = ("/", "/?view=table", "/pipes", "/pipes/people", "/runs", "/logs")


@pytest.fixture
def service(serve: Serve) -> Any:
    """One with a pipe that mails, and a secret."""
    return serve(OFFICE, RELAY, PEOPLE)


def base(service: Any) -> str:
    """Where it is."""
    return f"http://127.0.0.1:{service.port}"


@pytest.fixture
def context(service: Any, browser: Browser) -> Iterator[Any]:
    """A window that is let in by an address of the terminal, and nothing that its pages could not do."""
    made = browser.new_context(base_url=base(service))
    made.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    made.on("weberror", lambda error: wrong.append(str(error.error)))
    made.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page = made.new_page()
    page.goto(address("/", service.token, time.time()))
    page.close()
    yield made
    made.close()
    assert wrong == []


def opened(context: Any, path: str) -> Page:
    """A page that is live."""
    page: Page = context.new_page()
    page.goto(path)
    expect(page.locator("#live.on")).to_be_visible(timeout=PATIENCE)
    return page


def test_a_page_changes_by_itself(service: Any, context: Any) -> None:
    """What a program does is seen without loading anything, while what somebody types stays."""
    page = opened(context, "/pipes/people")
    page.locator("summary", has_text="Pause").click()
    page.get_by_label("Why?").fill("half a rea")
    service.post("/api/pipes/people/run")
    expect(page.locator("#runs table")).to_contain_text("2 sent", timeout=PATIENCE)
    assert page.get_by_label("Why?").input_value() == "half a rea"
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.locator("#standing")).to_contain_text("half a rea", timeout=PATIENCE)
    overview = opened(context, "/")
    expect(overview.locator("#needs")).to_contain_text("half a rea")
    service.post("/api/pipes/people/resume")
    expect(overview.locator("#needs")).not_to_contain_text("half a rea", timeout=PATIENCE)


def test_rows_stay_under_the_pointer(service: Any, context: Any) -> None:
    """Rows that somebody points at stay where they are, it is said that more waits, and it comes when they are left."""
    page = opened(context, "/pipes")
    page.locator("#pipes tbody tr").hover()
    service.post("/api/pipes/people/pause", {"reason": "the moon"})
    expect(page.locator("#live")).to_contain_text("more waits until you are done", timeout=PATIENCE)
    expect(page.locator("#pipes")).not_to_contain_text("the moon")
    page.mouse.move(2, 2)
    expect(page.locator("#pipes")).to_contain_text("the moon", timeout=PATIENCE)
    expect(page.locator("#live")).not_to_contain_text("more waits")


def test_one_stream_for_all_tabs(service: Any, context: Any) -> None:
    """Ten pages of a browser are told what happens by one stream, and each of them shows it."""
    pages = [opened(context, "/pipes") for _ in range(10)]
    assert service.get("/api/v1/snapshot").json["listeners"] == 1
    service.post("/api/pipes/people/pause", {"reason": "the moon"})
    for page in pages:
        page.bring_to_front()
        expect(page.locator("#pipes")).to_contain_text("the moon", timeout=PATIENCE)


def test_the_log_goes_on(context: Any) -> None:
    """Lines come as they are written, as far as they are wanted; held back, they are counted; secrets are masked."""
    page = opened(context, "/logs?level=warning")
    logger = logging.getLogger("mailweir.serve")
    logger.info("not this one", extra={"event": "x", "facts": {}})
    logger.warning("<b>it is</b> %s", CANARY, extra={"event": "x", "facts": {"pipe": "people"}})
    expect(page.locator("#log li")).to_have_count(1, timeout=PATIENCE)
    expect(page.locator("#log li")).to_contain_text("<b>it is</b> ********")
    page.keyboard.press("h")
    logger.warning("the next", extra={"event": "x", "facts": {}})
    expect(page.locator("#hold")).to_have_text("Go on (1 new)", timeout=PATIENCE)
    expect(page.locator("#log li")).to_have_count(1)
    page.keyboard.press("h")
    expect(page.locator("#log li")).to_have_count(2)


def test_keys(context: Any) -> None:
    """Pages are reached, rows gone through and opened, and the keys shown without a mouse; typing is typing."""
    page = opened(context, "/")
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url("**/pipes")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/pipes/people")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    page.get_by_label("Why?").press_sequentially("gpt")
    assert page.get_by_label("Why?").input_value() == "gpt"
    assert page.url.endswith("/pipes/people")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_out(service: Any, context: Any, scheme: Any) -> None:
    """In both themes, wide and narrow, no page has a serious fault, needs to be moved sideways, or shows a secret."""
    service.post("/api/pipes/people/run")
    run = service.until(lambda: service.get("/api/runs").json["runs"])[0]["run"]
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)
    for path in (*PAGES, f"/runs/{run}"):
        for width in (1200, 320):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(path)
            assert faults(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert "canary" not in page.content()


def test_the_theme_is_kept(context: Any) -> None:
    """It goes from that of the system to light and dark, and is there on the next page."""
    page = opened(context, "/")
    grounds = set()
    for word in ("light", "dark"):
        page.keyboard.press("t")
        expect(page.locator("#theme span")).to_have_text(word)
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2
    page.goto("/pipes")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") in grounds
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_old_numbers_are_called_old(service: Any, context: Any) -> None:
    """When the service ends, the page says since when nothing is new."""
    page = opened(context, "/")
    context.set_offline(True)
    service.end()
    expect(page.locator("#live.off")).to_contain_text("reconnecting ○ (data of", timeout=PATIENCE)
    expect(page.locator("html.stale")).to_be_attached()


def test_without_scripts(service: Any, browser: Browser) -> None:
    """Everything can be read and done: signing in, running, pausing with a reason, resuming, signing out."""
    context = browser.new_context(base_url=base(service), java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto("/pipes/people")
    page.get_by_label("Token").fill(service.token)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/pipes/people")
    page.get_by_role("button", name="Run now").click()
    service.until(lambda: service.get("/api/runs").json["runs"])
    page.locator("summary", has_text="Pause").click()
    page.get_by_label("Why?").fill("the moon")
    page.get_by_role("button", name="Pause", exact=True).click()
    assert "the moon" in page.locator("#standing").inner_text()
    page.get_by_role("button", name="Resume").click()
    assert json.loads(service.get("/api/pipes/people").body)["paused"] is None
    page.get_by_role("button", name="Sign out").click()
    page.goto("/")
    assert page.get_by_label("Token").is_visible()
    context.close()
