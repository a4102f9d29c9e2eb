"""The browser itself: what later tests rest on."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.browser import faults

POLICY = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'\">"


def test_faults_of_a_page_are_found(browser: Browser) -> None:
    """A field without a name is found, on a page whose policy lets no script in; one with a name is not."""
    page = browser.new_page()
    page.set_content(f"<!doctype html><html lang=en><title>a</title>{POLICY}<main><h1>a</h1><input></main></html>")
    assert [one.split(":")[:2] for one in faults(page)] == [["critical", " label"]]
    page.set_content(
        f"<!doctype html><html lang=en><title>a</title>{POLICY}<main><h1>a</h1><label>b <input></label></main></html>"
    )
    assert faults(page) == []
    page.context.close()
