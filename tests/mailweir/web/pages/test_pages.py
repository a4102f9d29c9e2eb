"""The overview, pipes and runs of a real service, read and used without scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailweir.web.open import Wanted

Browse = Callable[..., Any]
EVIL = "x<script>alert(1)</script>"
OFFICE = {"_id": "office", "type": "system:eml", "folder": "out", "max_per_hour": 2}
PEOPLE: dict[str, Any] = {
    "_id": "people",
    "type": "pipe",
    "source": {
        "type": "embedded",
        "entities": [{"_id": f"{n}{EVIL if n == 3 else ''}", "to": "a@example.com" if n else "-"} for n in range(5)],
    },
    "sink": {
        "type": "mail", "system": "office", "mail_from": "b@example.com", "recipients_property": "to",
        "subject_template": "x", "body_template": "y",
    },
    "pump": {"mode": "manual"},
}  # fmt: skip


def ran(browser: Any) -> str:
    """The name of a run that has ended."""
    assert browser.post("/pipes/people/run").status == 303
    found = browser.service.until(lambda: browser.service.get("/api/runs").json["runs"])
    return str(found[0]["run"])


def test_the_overview(browse: Browse) -> None:
    """What needs a person, the flow and the mails of a day are there, also with nothing done yet."""
    browser = browse(OFFICE, PEOPLE)
    text = browser.text("/")
    assert "nothing needs you" in text
    assert 'href="/pipes/people"' in text
    assert "0 sent, 0 discarded" in text
    ran(browser)
    text = browser.text("/")
    assert "2 mails were discarded in the last hour at the limit of office" in text
    assert "In the last 24h: 2 sent, 2 discarded, 1 dead or rejected" in text
    assert browser.text("/?view=table&span=1h").count("<svg") == 1
    for wrong in ("/?span=1y", "/?view=film", "/?nothing=1"):
        assert browser.get(wrong).status == 400


def test_the_overview_is_small(browse: Browse) -> None:
    """With forty boxes, all its files together have 100 kB at most."""
    pipes = [{**PEOPLE, "_id": f"a-pipe-with-a-name-that-is-not-short-{n}"} for n in range(19)]
    browser = browse(OFFICE, *pipes)
    page = browser.text("/")
    assert page.count('href="/pipes/a-pipe') >= 19
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    assert len(files) == 3
    size = len(page.encode()) + sum(len(browser.get(one.replace("&amp;", "&")).body) for one in files)
    assert size <= 100_000


def test_more_boxes_than_a_picture_takes(browse: Browse) -> None:
    """With hundreds of pipes their folders are shown, and a folder leads to them."""
    pipes = [{**PEOPLE, "_id": f"p{n}"} for n in range(60)]
    browser = browse(OFFICE, *pipes)
    text = browser.text("/")
    assert "60 pipes" in text
    assert 'href="/?folder="' in text
    assert 'href="/pipes/p59"' in browser.text("/?folder=")
    found = browser.text("/pipes?q=P5")
    assert found.count('href="/pipes/p') == 11
    assert "No pipe has this" in browser.text("/pipes?q=nothing")


def test_a_pipe_is_run_paused_and_resumed(browse: Browse) -> None:
    """By forms alone; who paused it and why is on its page, on the list and on the overview."""
    browser = browse(OFFICE, PEOPLE)
    ran(browser)
    answer = browser.post("/pipes/people/pause", {"reason": EVIL, "seconds": "3600"})
    assert (answer.status, answer.headers["location"]) == (303, "/pipes/people")
    for path in ("/pipes/people", "/"):
        text = browser.text(path)
        assert "x&lt;script&gt;alert(1)" in text
        assert "<script>alert" not in text
        assert 'action="/pipes/people/resume"' in text
    assert "paused by the token of the project" in browser.text("/pipes")
    assert browser.post("/pipes/people/run").status == 409
    assert browser.post("/pipes/people/resume").status == 303
    assert 'action="/pipes/people/run"' in browser.text("/pipes/people")


@pytest.mark.parametrize(
    ("fields", "status"),
    [({}, 400), ({"reason": " "}, 400), ({"reason": "x" * 501}, 400), ({"reason": "x", "seconds": "soon"}, 400),
     ({"reason": "x", "seconds": "0"}, 400), ({"reason": "x", "other": "1"}, 400)],
)  # fmt: skip
def test_wrong_pauses(browse: Browse, fields: dict[str, str], status: int) -> None:
    """A pause without a reason, or with anything that is not right, is none."""
    browser = browse(OFFICE, PEOPLE)
    assert browser.post("/pipes/people/pause", fields).status == status
    assert "paused" not in browser.text("/pipes")


def test_a_system_is_paused(browse: Browse) -> None:
    """Then its pipes stand still too."""
    browser = browse(OFFICE, PEOPLE)
    assert browser.post("/systems/office/pause", {"reason": "it moves"}).status == 303
    text = browser.text("/pipes/people")
    assert "it moves" in text
    assert "(its mail system)" in text
    assert browser.post("/systems/people/pause", {"reason": "x"}).status == 404


def test_a_run(browse: Browse) -> None:
    """Its stages with numbers, and what got no further, by entity; why, for who may see contents."""
    browser = browse(OFFICE, PEOPLE)
    name = ran(browser)
    for path in ("/pipes/people", "/runs", "/runs?pipe=people"):
        assert f'href="/runs/{name}"' in browser.text(path)
    text = browser.text(f"/runs/{name}")
    assert "5 read" in text
    assert "2 sent, 1 rejected, 2 discarded" in text
    assert "<progress" in text
    assert "3x&lt;script&gt;" in text
    assert "Stop after this mail" not in text
    assert browser.post(f"/runs/{name}/stop").status == 404
    for path in ("/runs/nothing", "/runs?pipe=nothing", "/pipes/office", "/pipes/nothing"):
        assert browser.get(path).status == 404


def test_who_only_looks(browse: Browse, digest: Callable[[str], str], tmp_path: Path) -> None:
    """Who has the role `view` sees numbers, no reasons of servers and rules, and no buttons that it may not press."""
    tokens = tmp_path / "tokens.json"
    tokens.write_text(
        json.dumps(
            {
                "tokens": [
                    {"name": "kari", "sha256": digest("k" * 32), "roles": ["view"]},
                    {"name": "one", "sha256": digest("o" * 32), "roles": ["view", "act"], "pipes": ["people"]},
                ]
            }
        )
    )
    browser = browse(OFFICE, PEOPLE, {**PEOPLE, "_id": "others"}, wanted=Wanted(port=0, tokens=tokens))
    name = ran(browser)
    browser.enter("k" * 32)
    for path in ("/", "/pipes", "/pipes/people", f"/runs/{name}"):
        text = browser.text(path)
        assert "/run" not in re.findall(r'action="([^"]*)"', text)
        assert "no address" not in text
    assert browser.post("/pipes/people/run", csrf=browser.csrf()).status == 403
    browser.enter("o" * 32)
    assert browser.get("/pipes/people").status == 200
    for path in ("/", "/pipes", "/pipes/others", "/runs"):
        assert browser.get(path).status == 403
    csrf = browser.csrf("/pipes/people")
    assert browser.post("/pipes/people/run", csrf=csrf).status == 303
    assert browser.post("/pipes/others/run", csrf=csrf).status == 403


def test_every_page_is_a_page(browse: Browse) -> None:
    """One heading of the first order, a language, landmarks, and names for every field and button."""
    browser = browse(OFFICE, PEOPLE)
    name = ran(browser)
    for path in ("/", "/pipes", "/pipes/people", "/runs", f"/runs/{name}"):
        text = browser.text(path)
        assert text.count("<h1") == 1
        assert '<html lang="en">' in text
        assert text.count("<main") == text.count("<header") == 1
        ids = re.findall(r' id="([^"]+)"', text)
        assert len(ids) == len(set(ids)), path
