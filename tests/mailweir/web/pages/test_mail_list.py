"""The list of mail in a browser without scripts: looked through, tried again, deleted and kept after all."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from mailweir.web.open import Wanted
from pipeline.clock import MachineClock
from pipeline.state.sqlite.looking import SqliteLook
from pipeline.state.views import Filter

Browse = Callable[..., Any]
FOLDER = {"_id": "folder", "type": "system:eml"}
ANN = {"_id": "ann", "name": "Ann", "email": "ann@example.com"}
BAD = {"_id": "bad", "name": "Bad", "email": "no address"}


def mailing(*people: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A pipe that mails these."""
    sink = {
        "type": "mail",
        "system": "folder",
        "mail_from": "hello@example.com",
        "recipients_property": "email",
        "subject_template": "Hi {{ name }}",
        "body_template": "The words within",
    }
    return {"_id": "welcome", "type": "pipe", "source": {"type": "embedded", "entities": people}, "sink": sink, **more}


def ids(browser: Any, path: str) -> list[str]:
    """The messages of a list."""
    return re.findall(r'name="id" value="([^"]+)"', browser.text(path))


def until(browser: Any, path: str, many: int) -> list[str]:
    """The messages of a list, as soon as there are so many."""
    found: list[str] = browser.service.until(lambda: len(shown := ids(browser, path)) == many and shown)
    return found


def test_mail_is_listed_and_found(browse: Browse) -> None:
    """By state, which tabs count, and by words; the reason stands on the row."""
    browser = browse(FOLDER, mailing(ANN, {**ANN, "_id": "bea", "name": "Bea", "email": "bea@example.com"}, BAD))
    until(browser, "/mail?state=sent", 2)
    text = browser.text("/mail?state=rejected")
    assert "Rejected 1" in text
    assert "no address" in text
    assert len(ids(browser, "/mail?state=sent")) == 2
    assert len(ids(browser, "/mail?q=to:bea")) == 1
    assert len(ids(browser, "/mail?q=hi+ann+since:1h")) == 1
    assert ids(browser, "/mail?q=pipe:other") == []


def test_a_search_that_cannot_be_made_is_told_at_its_place(browse: Browse) -> None:
    """With a mark below it, and no list; what was typed stays, and does nothing."""
    browser = browse(FOLDER, mailing(ANN))
    until(browser, "/mail", 1)
    text = unescape(browser.text("/mail?q=%3Cscript%3E+pip:x"))
    assert "<script> pip:x\n         ^" in text
    assert "Did you mean `pipe:`?" in text
    assert '"><script>' not in browser.text("/mail?q=%22%3E%3Cscript%3E")
    assert ids(browser, "/mail?q=pip:x") == []
    assert browser.get("/mail?state=lost").status == 400


def test_lists_go_on_where_they_ended(browse: Browse) -> None:
    """By the last message of the page, which whatever came meanwhile does not move."""
    browser = browse(FOLDER, mailing(*({**ANN, "_id": f"a{number}"} for number in range(60))))
    first = until(browser, "/mail?state=sent", 50)
    (older,) = re.findall(r'href="([^"]+)" rel="next"', browser.text("/mail?state=sent"))
    rest = ids(browser, unescape(older))
    assert len(rest) == 10
    assert not set(first) & set(rest)
    assert 'rel="next"' not in browser.text(unescape(older))


def test_what_cannot_be_tried_again_says_why(browse: Browse) -> None:
    """Nothing is done before somebody has read it."""
    browser = browse(FOLDER, mailing(ANN, BAD))
    found = [*until(browser, "/mail?state=sent", 1), *until(browser, "/mail?state=rejected", 1)]
    answer = browser.post("/mail/retry", [("id", one) for one in found] + [("to", "/mail")])
    assert answer.status == 200
    assert "everybody has it" in answer.body.decode()
    assert "it was never composed" in answer.body.decode()
    assert browser.post("/mail/retry", [("to", "/mail")]).status == 400


def test_what_is_deleted_is_asked_for_and_undone(browse: Browse) -> None:
    """The number is typed; then there are ten seconds in which everything can be kept."""
    browser = browse(FOLDER, mailing(ANN, {**ANN, "_id": "bea"}))
    found = until(browser, "/mail?state=sent", 2)
    fields = [("id", one) for one in found] + [("to", "/mail?state=sent")]
    asked = browser.post("/mail/delete", fields)
    assert "Type 2 to delete" in asked.body.decode()
    wrong = browser.post("/mail/delete", [*fields, ("count", "3")])
    assert "this says 3, and 2 messages would be deleted" in wrong.body.decode()
    done = browser.post("/mail/delete", [*fields, ("count", "2")])
    assert done.status == 303
    after = browser.text(done.headers["location"])
    assert "2 messages go for good within 10 seconds" in after
    (token,) = re.findall(r'name="removal" value="([0-9a-f]+)"', after)
    kept = browser.post("/mail/undo", [("removal", token), ("to", "/mail?state=sent")])
    assert "2 messages kept" in browser.text(kept.headers["location"])
    assert browser.post("/mail/undo", [("removal", token), ("to", "/mail")]).status == 409
    assert len(ids(browser, "/mail?state=sent")) == 2


def test_what_was_deleted_is_gone_when_the_service_ends(browse: Browse) -> None:
    """Nobody has undone it, so it does not come back."""
    browser = browse(FOLDER, mailing(ANN))
    (one,) = until(browser, "/mail?state=sent", 1)
    fields = [("id", one), ("to", "https://evil.example/"), ("count", "1")]
    done = browser.post("/mail/delete", fields)
    assert done.headers["location"].startswith("/mail?removal=")
    browser.service.end()

    async def left() -> list[Any]:
        look = SqliteLook.open(browser.service.state, MachineClock())
        assert look is not None
        async with look:
            return [(await look.messages(Filter())).rows, await look.notes("removing/")]

    assert asyncio.run(left()) == [(), {}]


@pytest.mark.parametrize(("path", "field"), [("/mail/retry", "id"), ("/mail/delete", "id"), ("/mail/undo", "removal")])
def test_nothing_is_done_without_the_token_of_a_page(browse: Browse, path: str, field: str) -> None:
    """A form of another site has none, and a session alone will not do."""
    browser = browse(FOLDER, mailing(ANN))
    found = until(browser, "/mail", 1)
    assert browser.post(path, [(field, found[0]), ("to", "/mail")], csrf=None).status == 403
    assert browser.post(path, [(field, found[0]), ("to", "/mail")], csrf="0" * 64).status == 403
    assert len(ids(browser, "/mail")) == 1


def test_who_only_views_sees_no_content(browse: Browse, tmp_path: Path, digest: Callable[[str], str]) -> None:
    """No subject, no whole address, nothing that servers said, nothing to do; and no searching for it either."""
    tokens = tmp_path / "tokens.json"
    tokens.write_text(
        json.dumps(
            {
                "tokens": [
                    {"name": "screen", "sha256": digest("s" * 32), "roles": ["view"]},
                    {
                        "name": "one",
                        "sha256": digest("p" * 32),
                        "roles": ["view", "content", "act"],
                        "pipes": ["other"],
                    },
                ]
            }
        )
    )
    browser = browse(FOLDER, mailing(ANN, BAD), wanted=Wanted(port=0, tokens=tokens))
    found = until(browser, "/mail", 2)
    browser.enter("s" * 32)
    text = browser.text("/mail")
    assert "a…@example.com" in text
    for word in ("ann@", "Hi Ann", "no address", 'name="id"', 'action="/mail/delete"'):
        assert word not in text, word
    assert "with the role `content`" in browser.text("/mail?q=to:ann")
    assert "with the role `content`" in browser.text("/mail?q=ann")
    assert browser.get(f"/mail/{found[0]}").status == 403
    browser.enter("p" * 32)
    assert browser.get("/mail").status == 403
    assert browser.get(f"/mail/{found[0]}").status == 403
