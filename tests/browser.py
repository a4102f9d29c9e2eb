"""A real Chromium for tests, and what it says of a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.servers import program

# For anything that a page does, on a machine that is busy with other things; milliseconds, as its library has them.
PATIENCE: Final = 120_000.0
AXE: Final = Path(__file__).parent / "vendored" / "axe-core" / "axe.min.js"
# Of its words for how bad a fault is, those that keep somebody out.
SERIOUS: Final = frozenset({"serious", "critical"})


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A browser; where there is none, the tests that need it are skipped.

    Its library keeps an event loop in the thread that uses it, so it is ended before other tests come.
    """
    path = program("chromium")
    if path is None:
        pytest.skip("Chromium is not there (.ci/mail-servers unpacks it; on Debian: apt install chromium)")
    with sync_playwright() as library:
        # As root it has no sandbox of its own; what it opens here comes from the test.
        browser = library.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-background-networking", *arguments],
            timeout=PATIENCE,
        )
        try:
            yield browser
        finally:
            browser.close()


def faults(page: Page) -> list[str]:
    """What keeps people from using a page, with the elements. What stands in frames is of others, and left out."""
    talk = page.context.new_cdp_session(page)
    try:
        # Past the policy of the page, which lets no script of others in.
        _evaluated(talk, _axe())
        found = _evaluated(talk, "axe.run(document, {iframes: false, resultTypes: ['violations']})")
    finally:
        talk.detach()
    return [
        f"{one['impact']}: {one['id']}: {one['help']}: {node['html'][:200]}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


@cache
def _axe() -> str:
    return f"{AXE.read_text()};0"


def _evaluated(talk: Any, code: str) -> Any:
    told = talk.send("Runtime.evaluate", {"expression": code, "awaitPromise": True, "returnByValue": True})
    assert "exceptionDetails" not in told, told["exceptionDetails"]
    return told["result"].get("value")
