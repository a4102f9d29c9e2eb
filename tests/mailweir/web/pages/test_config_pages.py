"""The pages of the configuration in a browser without scripts, for files and for a database."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from mailweir.web.access import digest_of
from mailweir.web.open import Wanted
from pipeline.config.store_sqlite import SqliteConfig
from pipeline.config.stored import store_of

Browse = Callable[..., Any]
OFFICE: dict[str, Any] = {"_id": "office", "type": "system:smtp", "smtp_server": "127.0.0.1", "max_per_hour": 5}
CLEAR = {**OFFICE, "smtp_username": "kari", "smtp_password": "canary-hunter2-hunter2"}
EDIT = "/config/c/office/edit"


def kept(browser: Any) -> dict[str, bytes]:
    """What is in the database."""
    with SqliteConfig.open(store_of(browser.service.folder), make=False) as store:
        return store.snapshot().texts


def field(page: str) -> str:
    """What stands in the field of a page for a text."""
    return unescape(page.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0]).removeprefix("\n")


def test_components_of_files_and_how_they_stand(browse: Browse) -> None:
    """A list, a page for each, and a difference with what keeps it from being served; nothing is to be edited."""
    browser = browse(CLEAR)
    page = browser.text("/config")
    assert '<a href="/config/c/office">office</a>' in page
    assert "Files say what is served" in page
    one = browser.text("/config/c/office")
    for words in ("all.conf.json", "line 1", "default", "mailweir explain system:smtp", "&#34;smtp_server&#34;"):
        assert words in one
    assert "canary" not in one
    assert "Edit" not in one
    assert browser.get("/config/c/nothing").status == 404
    (browser.service.folder / "all.conf.json").write_text(json.dumps([CLEAR | {"max_per_hour": "x"}]))
    page = browser.text("/config")
    assert "Files are not what is served" in page
    assert "E202" in page
    assert "disabled>Reload" in page
    assert "canary" not in page
    (browser.service.folder / "all.conf.json").write_text(json.dumps([CLEAR | {"max_per_hour": 6}]))
    assert "disabled>Reload" not in browser.text("/config")
    assert browser.post("/config/reload").status == 303
    browser.service.until(lambda: "Files say what is served" in browser.text("/config"))
    loads = browser.text("/config/loads")
    assert "&#34;max_per_hour&#34;: 6" in loads
    assert "canary" not in loads
    for path in ("/config/new", EDIT, "/config/history", "/config/history/1"):
        assert browser.get(path).status == 409


def test_a_text_is_edited_checked_and_stored(browse: Browse) -> None:
    """A check stores nothing; what is stored is byte for byte what was typed, with the secret behind the asterisks."""
    browser = browse(CLEAR, stored=True)
    text = field(browser.text(EDIT))
    assert '"smtp_password": "********"' in text
    typed = text.replace('"max_per_hour": 5', '"max_per_hour": 6')
    fields = {"text": typed, "version": "1", "about": "faster"}
    checked = browser.post(EDIT, {**fields, "check": "yes"})
    assert (checked.status, b"It can be stored" in checked.body) == (200, True)
    assert json.loads(kept(browser)["office"]) == CLEAR
    stored = browser.post(EDIT, fields)
    assert (stored.status, stored.headers["location"]) == (303, "/config/c/office?did=Change%202%20is%20stored")
    assert kept(browser)["office"] == json.dumps(CLEAR | {"max_per_hour": 6}).encode()
    history = browser.text("/config/history")
    assert "faster" in history
    assert "office v2" in history
    change = browser.text("/config/history/2")
    assert "&#34;max_per_hour&#34;: 6" in change
    assert browser.post("/config/history/1/rollback").status == 303
    assert json.loads(kept(browser)["office"]) == CLEAR
    for page in (history, change, browser.text("/config/history?component=office"), browser.text("/config")):
        assert "canary" not in page
    assert browser.get("/config/history/77").status == 404
    assert browser.get("/config/history/x").status == 404


def test_what_is_wrong_is_shown_beside_what_was_typed(browse: Browse) -> None:
    """With its line and column; a text that somebody else has changed meanwhile is not overwritten."""
    browser = browse(OFFICE, stored=True)
    typed = '{"_id": "office", "type": "system:smtp",\r\n "max_per_hour": "<b>x</b>"}'
    refused = browser.post(EDIT, {"text": typed, "version": "1", "about": ""})
    page = refused.body.decode()
    assert refused.status == 422
    assert "2:18" in page
    assert "E202" in page
    assert field(page) == typed.replace("\r\n", "\n")
    assert "<b>" not in page
    right = json.dumps(OFFICE | {"max_per_hour": 7})
    assert browser.post(EDIT, {"text": right, "version": "1", "about": ""}).status == 303
    late = browser.post(EDIT, {"text": right.replace("7", "8"), "version": "1", "about": ""})
    assert (late.status, b"is at version 2, not at version 1" in late.body) == (409, True)
    assert kept(browser)["office"].decode() == right


def test_a_component_is_made_and_removed(browse: Browse) -> None:
    """Under the `_id` of its text; one that is there is not overwritten."""
    browser = browse(OFFICE, stored=True)
    assert '"_id": ""' in field(browser.text("/config/new"))
    other = json.dumps(OFFICE | {"_id": "other"})
    made = browser.post("/config/new", {"text": other, "version": "0", "about": ""})
    assert (made.status, kept(browser)["other"].decode()) == (303, other)
    again = browser.post("/config/new", {"text": other.replace("5", "6"), "version": "0", "about": ""})
    assert again.status == 409
    assert browser.post("/config/new", {"text": "{}", "version": "0", "about": ""}).status == 422
    assert browser.post("/config/c/other/remove", {"version": "1"}).status == 303
    assert kept(browser).keys() == {"office"}
    assert browser.post("/config/c/office/remove", {"version": "x"}).status == 400


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (EDIT, {"text": "{}", "version": "1", "about": ""}),
        ("/config/new", {"text": "{}", "version": "0", "about": ""}),
        ("/config/c/office/remove", {"version": "1"}),
        ("/config/history/1/rollback", {}),
        ("/config/reload", {}),
    ],
)
def test_nothing_is_changed_without_the_token_of_the_page(browse: Browse, path: str, fields: dict[str, str]) -> None:
    """Nor from a page of another site."""
    browser = browse(OFFICE, stored=True)
    before = kept(browser)
    assert browser.post(path, fields, csrf=None).status == 403
    assert browser.post(path, fields, csrf="0" * 64).status == 403
    assert browser.post(path, fields, Sec_Fetch_Site="cross-site").status == 403
    assert browser.post(path, fields, Origin="https://evil.example").status == 403
    assert kept(browser) == before


def test_who_may_only_look_sees_no_way_to_change(browse: Browse, tmp_path: Path) -> None:
    """The role `view` reads components and the history, and edits nothing."""
    token = "looking-" * 5
    entry = {"name": "looks", "sha256": digest_of(token), "roles": ["view"]}
    (tmp_path / "tokens.json").write_text(json.dumps({"tokens": [entry]}))
    browser = browse(OFFICE, stored=True, wanted=Wanted(port=0, tokens=tmp_path / "tokens.json"))
    browser.enter(token)
    for path in ("/config", "/config/c/office", "/config/history", "/config/history/1", "/config/loads"):
        page = browser.text(path)
        assert "/edit" not in page
        assert "New component" not in page
        assert "rollback" not in page
    assert browser.get(EDIT).status == 403
    assert browser.post("/config/reload").status == 403
    body = urlencode({"text": "{}", "version": "1", "about": ""})
    assert browser.post(EDIT, {"text": body, "version": "1", "about": ""}).status == 403
