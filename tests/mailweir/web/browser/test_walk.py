"""The pages in a real browser, as people use them: by keyboard, in light and dark, with a mail server that refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from mailweir.rehearsal import mishap
from tests.browser import PATIENCE, faults

SECRET = "canary-of-the-login"
BODY = "canary-of-the-body"
ENTITIES = [
    {"_id": "c1", "name": "Kari", "email": "kari@example.com"},
    {"_id": "c2", "name": "Per Dahl", "email": "per@example.org"},
    {"_id": "c3", "name": "Ola", "email": "no address"},
]


def project(port: int) -> tuple[dict[str, Any], ...]:
    """A mail server that wants a login, and a pipe that mails."""
    system = {
        "_id": "our-smtp-server",
        "type": "system:smtp",
        "smtp_server": "127.0.0.1",
        "smtp_port": port,
        "smtp_username": "post@example.com",
        "smtp_password": SECRET,
        "allow_plaintext_auth": True,
        "max_per_hour": 10,
    }
    sink = {
        "type": "mail",
        "system": "our-smtp-server",
        "mail_from": "hello@example.com",
        "recipients_property": "email",
        "subject_template": "Welcome, {{ name }}",
        "body_template": f"<p>Hello {{{{ name }}}}, <a href='https://example.com/'>{BODY}</a></p>",
        "text_body_template": "Hello {{ name }}",
    }
    return system, {
        "_id": "welcome-mail",
        "type": "pipe",
        "source": {"type": "embedded", "entities": ENTITIES},
        "sink": sink,
    }


@pytest.fixture
def service(serve: Callable[..., Any], catcher: Any) -> Any:
    """One whose pipe has run: a mail is sent, one was refused for good, one has no address."""
    catcher.mishaps.append(mishap("@example.org=550"))
    begun = serve(*project(catcher.port))
    for state in ("sent", "dead", "rejected"):
        begun.until(lambda state=state: begun.get(f"/api/mail?state={state}").json["messages"])
    return begun


def every_page(page: Page, service: Any) -> list[str]:
    """The paths that pages lead to, one of each kind, found as a reader finds them."""
    found: dict[str, str] = {}
    waiting = ["/"]
    while waiting:
        path = waiting.pop(0)
        kind = re.sub(
            r"[0-9a-f]{8,}|(?<=/pipes/)[^/]+|(?<=/runs/)[^/]+|(?<=/config/)[^/]+|(?<=/systems/)[^/]+", "…", path
        )
        if kind in found:
            continue
        found[kind] = path
        page.goto(service.opening.url.rstrip("/") + path)
        links = page.locator("a[href^='/']:not([download])").evaluate_all(
            "all => all.map(one => one.getAttribute('href').split('?')[0].split('#')[0])"
        )
        waiting += [link for link in links if not link.startswith("/static/")]
    return list(found.values())


def test_every_page_is_for_everybody(
    service: Any, enter: Callable[..., Page], pictured: Callable[[Page, str], None]
) -> None:
    """In light and dark: no serious fault, no error of a script, nothing from elsewhere; and the secret is nowhere."""
    asked: list[str] = []
    page = enter(service, asked)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    def said(line: ConsoleMessage) -> None:
        if "Content Security Policy" in line.text:
            errors.append(line.text)

    page.on("console", said)
    paths = every_page(page, service)
    assert {"/", "/mail", "/systems", "/systems/our-smtp-server"} <= set(paths)
    assert any(path.endswith("/headers") for path in paths)
    told: list[str] = []
    for path in paths:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
            page.goto(service.opening.url.rstrip("/") + path)
            told += [f"{path} in {scheme}: {one}" for one in faults(page)]
            pictured(page, f"{path.strip('/').replace('/', '-')[:60] or 'overview'}-{scheme}")
        assert SECRET not in page.content(), path
        assert page.locator("h1").count() == 1, path
    assert told == []
    assert errors == []
    assert [url for url in asked if not url.startswith(service.opening.url)] == []


def test_pages_fit_a_narrow_screen(service: Any, enter: Callable[..., Page]) -> None:
    """At 320 pixels nothing has to be moved sideways but tables and pictures in their boxes."""
    page = enter(service, viewport={"width": 320, "height": 640})
    for path in every_page(page, service):
        page.goto(service.opening.url.rstrip("/") + path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320, (path, wide)


def test_a_dead_letter_is_retried_by_keyboard(service: Any, catcher: Any, enter: Callable[..., Page]) -> None:
    """From the list: the row is chosen, the reason read, what it means is asked; then the mail arrives."""
    page = enter(service)
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/mail")
    page.get_by_role("link", name=re.compile("^Dead")).press("Enter")
    expect(page.get_by_text("550 rehearsed: @example.org=550")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_role("checkbox", name=re.compile("^choose"))).to_be_checked(timeout=PATIENCE)
    page.locator("body").press("r")
    expect(page.get_by_text("1 recipient refused for good")).to_be_visible(timeout=PATIENCE)
    catcher.mishaps.clear()
    page.get_by_role("button", name="Retry").press("Enter")
    expect(page.get_by_text("1 message put back into the queue")).to_be_visible(timeout=PATIENCE)
    service.until(lambda: any(mail.recipients == ("per@example.org",) for mail in catcher.mails()))
    service.until(lambda: len(service.get("/api/mail?state=sent").json["messages"]) == 2)
    assert service.get("/api/mail?state=dead").json["messages"] == []


def test_a_message_is_deleted_and_kept_without_scripts(service: Any, enter: Callable[..., Page]) -> None:
    """Everything is a link or a form."""
    page = enter(service, java_script_enabled=False)
    page.goto(f"{service.opening.url}mail?state=rejected")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete…").click()
    page.get_by_label("Type 1 to delete").fill("1")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 message kept")).to_be_visible(timeout=PATIENCE)
    assert len(service.get("/api/mail?state=rejected").json["messages"]) == 1


def test_sending_and_a_pipe_are_paused_by_keyboard(service: Any, enter: Callable[..., Page]) -> None:
    """`p`, a reason, Enter; the reason stands on the page, and `p` takes it back."""
    page = enter(service)
    page.goto(f"{service.opening.url}systems/our-smtp-server")
    page.keyboard.press("p")
    page.keyboard.type("the server moves")
    page.keyboard.press("Enter")
    expect(page.get_by_text("the server moves")).to_be_visible(timeout=PATIENCE)
    assert "the server moves" in str(service.get("/api/status").json["paused_systems"])
    page.locator("body").press("p")
    expect(page.get_by_role("button", name="Pause sending")).to_be_visible(timeout=PATIENCE)
    page.goto(f"{service.opening.url}pipes/welcome-mail")
    page.keyboard.press("p")
    page.get_by_label(re.compile("^Why")).fill("new texts")
    page.keyboard.press("Enter")
    expect(page.get_by_text("new texts")).to_be_visible(timeout=PATIENCE)
    assert service.get("/api/pipes/welcome-mail").json["paused"]["reason"] == "new texts"


def test_secrets_and_texts_are_nowhere_else(service: Any, enter: Callable[..., Page]) -> None:
    """The secret in no answer of a route for programs; the text of a mail only where contents are shown."""
    for route in service.get("/api/openapi.json").json["paths"]:
        path = route.replace("{pipe}", "welcome-mail").replace("{system}", "our-smtp-server")
        # A stream has no end.
        if "{" not in path and not path.endswith(("/events", "/changes")):
            answer = service.get(path)
            assert SECRET.encode() not in answer.body, path
            # The text is of a template there.
            assert BODY.encode() not in answer.body or "config" in path, path
    page = enter(service)
    for path in ("/", "/mail", "/systems"):
        page.goto(service.opening.url.rstrip("/") + path)
        assert BODY not in page.content(), path
