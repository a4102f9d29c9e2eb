"""Styles move into elements; nothing is opened, fetched or brought down on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from sinks.mail.css import DEEPEST, inlined
from sinks.mail.letter import Refusal, RefusedError


def test_rules_move_into_elements() -> None:
    """A rule becomes a `style`, beside what is there; rules for other screens stay in a sheet."""
    html = inlined(
        "<style>p { color: red } @media (max-width: 9em) { p { color: blue } }</style><p style='margin: 0'>Hi"
    )
    assert '<p style="color: red;margin: 0">Hi</p>' in html
    assert "@media" in html


def test_pictures_and_entities_stay_as_they_are() -> None:
    """What a mail needs is still there: `cid:` names, characters, comments for Outlook."""
    html = inlined('<p>5 &lt; 6 &amp; æ</p><img src="cid:logo"><!--[if mso]><table><![endif]-->')
    assert "<p>5 &lt; 6 &amp; æ</p>" in html
    assert '<img src="cid:logo">' in html
    assert "<!--[if mso]><table><![endif]-->" in html


def test_linked_sheets_are_not_opened(tmp_path: Path) -> None:
    """A template cannot bring in a file of the machine."""
    sheet = tmp_path / "secret.css"
    sheet.write_text("p { color: rgb(1, 2, 3) }")
    html = inlined(
        f'<link rel="stylesheet" href="{sheet}"><link rel="stylesheet" href="file://{sheet}">'
        f'<style>@import url("{sheet}");</style><p>Hi</p>'
    )
    assert "rgb" not in html
    assert "<p>Hi</p>" in html


@pytest.mark.parametrize("html", ["<div>" * 100_000, "<b>" * (DEEPEST + 1), "<div><table><tr><td>" * 300])
def test_a_deep_document_is_refused(html: str) -> None:
    """The library behind it would end the process."""
    with pytest.raises(RefusedError) as caught:
        inlined(html)
    assert caught.value.refusal == Refusal(
        "html", "elements are nested more than 200 deep, so styles cannot be inlined"
    )


@pytest.mark.parametrize("html", ["", "plain", "<p>\ud800", "<style>p{", "<style>{}}}</style><p style=';;;'>x", "<!--"])
def test_any_text_comes_through(html: str) -> None:
    """Broken HTML and broken rules are no fault of their own."""
    assert "<body>" in inlined(html)


def test_as_deep_as_it_may_be_is_done() -> None:
    """Nearly 200 elements within each other, each with tags that need no end, are inlined."""
    html = "<div><table><tr><td>" * (DEEPEST // 2 - 1) + "<b id=x>x</b>"
    assert 'style="color: red' in inlined(f"<style>#x {{ color: red }}</style>{html}")
