"""A browser for the tests of one file, and what a service shows in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

from tests.browser import PATIENCE, chromium

# Where pictures of pages are kept, for who wants to look at them.
PICTURES = "MAILWEIR_SCREENSHOTS"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real one."""
    with chromium() as begun:
        yield begun


@pytest.fixture
def enter(browser: Browser) -> Iterator[Callable[..., Page]]:
    """A page of a service that has let the browser in; all that it asks for stands in `asked`."""
    opened: list[BrowserContext] = []

    def entered(service: Any, asked: list[str] | None = None, **more: Any) -> Page:
        context = browser.new_context(**more)
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        page = context.new_page()

        def told(request: Request) -> None:
            # What a policy stopped was never asked for.
            if asked is not None and request.failure != "csp":
                asked.append(request.url)

        page.on("requestfinished", told)
        page.on("requestfailed", told)
        page.goto(service.opening.address())
        return page

    yield entered
    for context in opened:
        context.close()


@pytest.fixture
def pictured(tmp_path: Path) -> Callable[[Page, str], None]:
    """Keep a picture of a page."""
    folder = Path(os.environ.get(PICTURES) or tmp_path / "pictures")
    folder.mkdir(parents=True, exist_ok=True)

    def keep(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", full_page=True)

    return keep
