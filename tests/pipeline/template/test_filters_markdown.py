"""Markdown of people becomes HTML that harms nobody."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.template.filters_markdown import markdown


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("", ""),
        ("a\nb", "<p>a\nb</p>"),
        ("a\n\nb", "<p>a</p>\n<p>b</p>"),
        ("a  \nb\\\nc", "<p>a<br>\nb<br>\nc</p>"),
        ("# One\n### Three ###\n#no", "<h1>One</h1>\n<h3>Three</h3>\n<p>#no</p>"),
        (
            "*a* _b_ **c** __d__ ***e***",
            "<p><em>a</em> <em>b</em> <strong>c</strong> <strong>d</strong> <strong><em>e</em></strong></p>",
        ),
        ("**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>"),
        ("snake_case_word 2*3*4 * a *", "<p>snake_case_word 2<em>3</em>4 * a *</p>"),
        ("*open **also", "<p>*open **also</p>"),
        ("`a <b> *c*` ``d ` e``", "<p><code>a &lt;b&gt; *c*</code> <code>d ` e</code></p>"),
        ("`open", "<p>`open</p>"),
        ("\\*a\\* \\a \\<", "<p>*a* \\a &lt;</p>"),
        ("[a *b*](https://x.no/?a=1&b=2)", '<p><a href="https://x.no/?a=1&amp;b=2">a <em>b</em></a></p>'),
        ('[a](<https://x.no/y> "title")', '<p><a href="https://x.no/y">a</a></p>'),
        (
            "[a](mailto:a@b.no) [b](tel:+4712345678)",
            '<p><a href="mailto:a@b.no">a</a> <a href="tel:+4712345678">b</a></p>',
        ),
        ("[a] [b](", "<p>[a] [b](</p>"),
        (
            "[a [b](https://x.no)](https://y.no)",
            '<p>[a <a href="https://x.no">b</a>](<a href="https://y.no">https://y.no</a>)</p>',
        ),
        ("[https://x.no](https://y.no)", '<p><a href="https://y.no">https://x.no</a></p>'),
        ("see https://x.no/a_b.", '<p>see <a href="https://x.no/a_b">https://x.no/a_b</a>.</p>'),
        ("<https://y.no>", '<p><a href="https://y.no">https://y.no</a></p>'),
        ("<a@b.no>", '<p><a href="mailto:a@b.no">a@b.no</a></p>'),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("- a\n  - b\n  - c\n- d", "<ul>\n<li>a\n<ul>\n<li>b</li>\n<li>c</li>\n</ul></li>\n<li>d</li>\n</ul>"),
        ("- a\n\n- b", "<ul>\n<li><p>a</p></li>\n<li><p>b</p></li>\n</ul>"),
        ("text\n- a", "<p>text</p>\n<ul>\n<li>a</li>\n</ul>"),
        ("> a\n> > b\n\nc", "<blockquote>\n<p>a</p>\n<blockquote>\n<p>b</p>\n</blockquote>\n</blockquote>\n<p>c</p>"),
        ("```py\nx < *1*\n```\na", "<pre><code>x &lt; *1*\n</code></pre>\n<p>a</p>"),
        ("~~~\nopen", "<pre><code>open\n</code></pre>"),
        ("---\n* * *", "<hr>\n<hr>"),
        ("a\r\nb", "<p>a\nb</p>"),
    ],
)
def test_what_people_write(source: str, html: str) -> None:
    """Paragraphs, emphasis, lists, links, code."""
    assert markdown(source) == html


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert)",
        "[x](JaVaScRiPt:alert)",
        "[x](data:text/html,x)",
        "[x](vbscript:x)",
        "[x](//evil.test)",
        '[x](https://a"onclick=alert)',
        '[x](<https://a" onclick="alert>)',
        "<javascript:alert>",
        '<https://a"onclick=x>',
        "`</code><script>`",
        "```\n</code></pre><script>\n```",
        "# <script>",
        "- <script>",
        "> <script>",
        "&lt;script&gt;",
    ],
)
def test_no_html_of_others_comes_through(source: str) -> None:
    """Tags, attributes and links that run something are text."""
    assert tags_of(markdown(source)) == tags_of(markdown(source)) & SAFE
    assert "javascript:" not in "".join(targets_of(markdown(source))).lower()


SAFE = {
    "p",
    "em",
    "strong",
    "code",
    "pre",
    "a",
    "ul",
    "ol",
    "li",
    "blockquote",
    "hr",
    "br",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
}


class _Reader(HTMLParser):
    """Collects tags and targets, and whether they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag; only links and lists that begin elsewhere have attributes."""
        assert [name for name, _ in attrs] in ([], ["href"], ["start"])
        self.tags.add(tag)
        self.targets += [value or "" for name, value in attrs if name == "href"]
        if tag not in {"br", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """The last one opened is the first one closed."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text.append(data)


def read(html: str) -> _Reader:
    """The HTML as a browser sees it."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader


def tags_of(html: str) -> set[str]:
    """The tags in it."""
    return read(html).tags


def targets_of(html: str) -> list[str]:
    """Where its links lead."""
    return read(html).targets


MARKS = '* ** *** _ __ ` `` [ ] ( ) ](https://a.no) < > a -_ 1. # \\ --- " & ![ javascript:x <b> https://x.no'
pieces = st.sampled_from([*MARKS.split(), " ", "\n", "\n\n", "- ", "1. ", "> ", "# ", "```\n", "  \n", "    "])


@given(st.lists(pieces, max_size=25).map("".join) | st.text(max_size=40))
def test_any_text_becomes_html_that_is_whole_and_safe(source: str) -> None:
    """Tags are closed in their order, none is of another kind, and links lead to the web or to an address."""
    reader = read(markdown(source))
    assert reader.tags <= SAFE
    assert all(target.lower().startswith(("http://", "https://", "mailto:", "tel:")) for target in reader.targets)


@given(st.text("abc æø\n", max_size=60))
def test_plain_words_are_kept(source: str) -> None:
    """Nothing that is no mark is lost."""
    assert "".join("".join(read(markdown(source)).text).split()) == "".join(source.split())
