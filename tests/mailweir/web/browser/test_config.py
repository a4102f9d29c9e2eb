"""The pages of the configuration in a real browser: nothing keeps anybody out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser

from mailweir.web.keys import address
from tests.browser import PATIENCE, faults

Serve = Callable[..., Any]
OFFICE: dict[str, Any] = {
    "_id": "office",
    "type": "system:smtp",
    "smtp_server": "127.0.0.1",
    "smtp_username": "kari",
    "smtp_password": "canary-hunter2-hunter2",
    "max_per_hour": 5,
}
PATHS = (
    "/config",
    "/config/c/office",
    "/config/c/office/edit",
    "/config/new",
    "/config/history",
    "/config/history/1",
    "/config/loads",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(serve: Serve, browser: Browser, scheme: Literal["light", "dark"]) -> None:
    """No serious fault on any of the pages, in light and dark, also on a narrow screen; and no secret on any."""
    service = serve(OFFICE, stored=True)
    page = browser.new_page(color_scheme=scheme, viewport={"width": 900, "height": 700})
    page.set_default_timeout(PATIENCE)
    # Without its script a page is not drawn paler while its stream is not there yet.
    page.route("**/static/mailweir.js*", lambda route: route.abort())
    page.goto(address(service.opening.url, service.token, service.opening._clock.wall()))
    for path in PATHS:
        answer = page.goto(service.opening.url + path.removeprefix("/"))
        assert answer is not None
        assert answer.status == 200, path
        assert faults(page) == [], path
        assert "canary" not in page.content()
    page.set_viewport_size({"width": 320, "height": 600})
    page.goto(service.opening.url + "config/c/office")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.context.close()
