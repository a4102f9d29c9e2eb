"""Tags and texts as browsers see them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.mail.html_tokens import attributes, depth, tokens

documents = {
    "text": ("Hi", [("", "Hi")]),
    "a tag": ("<p>Hi</p>", [("p", ""), ("", "Hi"), ("/p", "")]),
    "capitals": ("<P Class=a>x</P >", [("p", " Class=a"), ("", "x"), ("/p", " ")]),
    "an end in quotes": ('<a title="a > b">x', [("a", ' title="a > b"'), ("", "x")]),
    "a quote in a value": ("<p title=it's>x", [("p", " title=it's"), ("", "x")]),
    "a quote without end": ('<p title="a>x', [("p", ' title="a'), ("", "x")]),
    "less than": ("5 < 6 <3", [("", "5 < 6 <3")]),
    "a comment": ("a<!-- <b> -->c", [("", "a"), ("", "c")]),
    "an empty comment": ("a<!-->c", [("", "a"), ("", "c")]),
    "a comment without end": ("a<!-- b", [("", "a")]),
    "a doctype": ("<!DOCTYPE html>a", [("", "a")]),
    "Outlook's": ("<![if !mso]>a<![endif]>", [("", "a")]),
    "a processing instruction": ("<?xml version='1.0'?>a", [("", "a")]),
    "a script": ("<script>if (a<b) '</p>'</script>x", [("script", ""), ("/script", ""), ("", "x")]),
    "a style without end": ("x<style>p > b {}", [("", "x"), ("style", "")]),
    "a title": ("<title>a<b>c</title>x", [("title", ""), ("/title", ""), ("", "x")]),
    "a tag without end": ("a<b c", [("", "a")]),
    "an end of nothing": ("a</>b</3>c", [("", "a"), ("", "b"), ("", "c")]),
    "closes itself": ("<br/>a<br />", [("br", "/"), ("", "a"), ("br", " /")]),
}


@pytest.mark.parametrize(("html", "found"), documents.values(), ids=documents)
def test_a_document_is_these_tokens(html: str, found: list[tuple[str, str]]) -> None:
    """Tags, texts, and nothing of comments and scripts."""
    assert [tuple(token) for token in tokens(html)] == found


def test_attributes_are_read_in_every_spelling() -> None:
    """Quoted or not, with entities, without a value; the first of two counts."""
    text = " a=1 B=\"2 &amp; 3\" c = '4' hidden d= e=5&lt;6 a=7/"
    assert attributes(text) == {"a": "1", "b": "2 & 3", "c": "4", "hidden": "", "d": "e=5<6"}


def test_depth_counts_what_is_open() -> None:
    """Elements that end themselves, void ones and ends of nothing do not count."""
    assert depth("<div><p>a<p>b<br><img></div></div></b><div><b>") == 2
    assert depth("<ul><li><ul><li>a</ul></ul>") == 2


@given(
    st.lists(
        st.sampled_from(["<", ">", "a", "/", "!", "--", "=", '"', "'", " ", "script", "&lt;", "é", "?"]), max_size=30
    )
)
def test_any_text_is_read(parts: list[str]) -> None:
    """Nothing breaks it, and no text comes from nowhere."""
    html = "".join(parts)
    found = list(tokens(html))
    assert sum(len(token.text) + len(token.name) for token in found) <= len(html)
    for name, text in found:
        assert name or text
        attributes(text)
