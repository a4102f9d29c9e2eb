"""Text from HTML: what a reader sees, with the URLs of links."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.mail.text_of_html import text_of

pages = {
    "nothing": ("", ""),
    "nothing to see": ("<p> </p><style>p{}</style><!-- x -->", ""),
    "spaces": ("<b> a \n b</b><i>c </i> d", "a bc d\n"),
    "entities": ("5 &lt; 6 &amp; 7&nbsp;&copy; &#8211; &bogus;", "5 < 6 & 7 © – &bogus;\n"),
    "paragraphs": ("<p>a<p>b</p><div>c</div>d", "a\n\nb\n\nc\nd\n"),
    "line breaks": ("a<br>b<br/><br>c<br><br><br>d", "a\nb\n\nc\n\nd\n"),
    "headings": (
        "<h1>Title</h1>x<h2>Part &amp; more</h2>y<h3>Small</h3>z",
        "Title\n=====\n\nx\n\nPart & more\n-----------\n\ny\n\nSmall\n\nz\n",
    ),
    "a link": ('<a href="https://example.com/a?b=1&amp;c=2">here</a>.', "here <https://example.com/a?b=1&c=2>.\n"),
    "a link that says where": ('<a href="https://example.com/">example.com</a>', "example.com\n"),
    "a link without text": ('<a href="https://example.com/"></a>', "<https://example.com/>\n"),
    "a link round a picture": (
        '<a href="https://example.com"><img alt="Logo" src=x></a>',
        "Logo <https://example.com>\n",
    ),
    "a link round a block": (
        '<a href="https://example.com"><div>a</div><div>b</div></a>',
        "a\nb\n<https://example.com>\n",
    ),
    "mail": (
        '<a href="mailto:a@example.com?subject=x">a@example.com</a>, <a href="mailto:b@example.com">Bob</a>',
        "a@example.com, Bob <b@example.com>\n",
    ),
    "a telephone": ('<a href="tel:+4712345678">12 34 56 78</a>', "12 34 56 78 <+4712345678>\n"),
    "a line break with an end": ("a</br>b", "a\nb\n"),
    "a letter to nobody": ('<a href="mailto:?subject=x">Tell a friend</a>', "Tell a friend\n"),
    "nothing but the invisible": ("a<b>\u200b</b><b>&shy;</b>", "a\n"),
    "links to nowhere": ('<a href="#top">a</a> <a href="javascript:x()">b</a> <a>c</a> <a href="">d</a>', "a b c d\n"),
    "a list": ("<ul><li>a<li>b <b>c</b></li></ul>d", "* a\n* b c\n\nd\n"),
    "a list within a list": ("<ul><li>a<ol><li>b<li>c</ol></li><li>d</ul>", "* a\n  1. b\n  2. c\n* d\n"),
    "numbers": ("<ol start=9><li>a<li>b<li value=20>c<li>d</ol>", "9. a\n10. b\n20. c\n21. d\n"),
    "an item of paragraphs": ("x<ul><li><p>a</p><p>b</p><li>c</ul>", "x\n\n* a\n\n  b\n\n* c\n"),
    "a quotation": ("a<blockquote>b<br>c<p>d</blockquote>e", "a\n\n> b\n> c\n>\n> d\n\ne\n"),
    "as it stands": ("a<pre>\n  b   c\n    d\n</pre>e", "a\n\n  b   c\n    d\n\ne\n"),
    "a rule": ("a<hr>b", "a\n----------------------------------------\nb\n"),
    "definitions": ("<dl><dt>a<dd>b<dt>c<dd>d</dl>", "a\n  b\nc\n  d\n"),
    "pictures": ('a<img alt="b">c<img src=d>e<img alt="">', "a b ce\n"),
    "hidden": ('<div style="display: none">a<p>b</div>c<span hidden>d</span>e<p style="opacity:0.5">f', "ce\n\nf\n"),
    "a preheader": ('<div class="preheader">a</div><div style="max-height:0;overflow:hidden">b</div>c', "c\n"),
    "hidden in Outlook only": (
        '<a href="https://example.com" style="mso-hide:all">Go</a>',
        "Go <https://example.com>\n",
    ),
    "conditional comments": ("<!--[if mso]><p>a</p><![endif]--><!--[if !mso]><!--><p>b</p><!--<![endif]-->", "b\n"),
    "invisible characters": ("a\u00adb\u200bc\ufeff \u034f", "abc\n"),
    "scripts and styles": (
        "a<script>b</script><style>c</style><title>d</title><template>e</template><svg>f</svg>g",
        "ag\n",
    ),
    "not closed": ("<p>a<b>b<p>c</div></td>d", "ab\n\ncd\n"),
    "a header without end": ("<html><head><title>x</title><body>a", "a\n"),
}


@pytest.mark.parametrize(("html", "text"), pages.values(), ids=pages)
def test_a_page_reads_so(html: str, text: str) -> None:
    """Blocks, lists, links, what is hidden."""
    assert text_of(html) == text


tables = {
    "data": (
        (
            "<table><tr><th>Item<th>Count<th>Price<tr><td>Apples<td>3<td>1.50 €"
            "<tr><td>Pears<td>12<td>20.00 €<tr><td colspan=2>Total<td>21.50 €</table>"
        ),
        (
            "Item    Count    Price\n------  -----  -------\nApples      3   1.50 €\n"
            "Pears      12  20.00 €\nTotal          21.50 €\n"
        ),
    ),
    "without a head": ("<table><tr><td>Name<td>Ann<tr><td>Town<td>Oslo</table>", "Name  Ann\nTown  Oslo\n"),
    "a title": ("<table><tr><td colspan=2>All of it</td></tr><tr><td>a<td>b</table>", "All of it\na  b\n"),
    "layout": (
        "<table><tr><td><h1>Hi</h1><p>a</p></td></tr><tr><td><p>b</p></td></tr></table>c",
        "Hi\n==\n\na\n\nb\n\nc\n",
    ),
    "layout with empty columns": ("<table><tr><td></td><td>a</td><td>&nbsp;</td></tr></table>", "a\n"),
    "a table in a table": ("<table><tr><td><table><tr><td>a<td>1<tr><td>b<td>20</table></table>", "a   1\nb  20\n"),
    "too wide, with a head": (
        f"<table><tr><th>Name<th>Words<tr><td>Ann<td>{'x' * 80}<tr><td>Bob<td>y</table>",
        f"Name: Ann\nWords: {'x' * 80}\n\nName: Bob\nWords: y\n",
    ),
    "too wide, without": (f"<table><tr><td>Ann<td>{'x' * 80}</table>", f"Ann\n{'x' * 80}\n"),
    "rows without cells": ("<table><tr><tr><td>a<td>b</table>", "a  b\n"),
    "cells without a table": ("<td>a<td>b<tr><td>c", "a\nb\nc\n"),
    "parts": (
        "<table><thead><tr><th>A<th>B<tbody><tr><td>1<td>2<tfoot><tr><td>3<td>4</table>",
        "A  B\n-  -\n1  2\n3  4\n",
    ),
}


@pytest.mark.parametrize(("html", "text"), tables.values(), ids=tables)
def test_a_table_reads_so(html: str, text: str) -> None:
    """Columns where they fit, records where they do not, and what a layout lays out."""
    assert text_of(html) == text


pieces = (
    *("<p>", "</p>", "<b>", "</b>", "<ul>", "<li>", "</ul>", "<table>", "<tr>", "<td>", "</td>", "</table>", "<th>"),
    *(
        "<a href=x>",
        "</a>",
        "<div hidden>",
        "</div>",
        "<pre>",
        "</pre>",
        "<blockquote>",
        "</blockquote>",
        "<h1>",
        "</h1>",
    ),
    *(
        "<br>",
        "<hr>",
        "<img alt=i>",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "<",
        ">",
        "&amp;",
        "&",
        "\u00a0",
        "\ud800",
    ),
    *(" ", "\n", "word ", "x", "æ", "<caption>", "<tbody>", "<svg>", "<td colspan=3>", "<ol start=3>", "<li value=7>"),
)


@given(st.lists(st.sampled_from(pieces), max_size=60))
def test_any_html_has_a_text(parts: list[str]) -> None:
    """It never raises; no line has spaces at its end, and no two blank lines follow each other."""
    text = text_of("".join(parts))
    assert text == "" or text.endswith("\n")
    lines = text.split("\n")
    assert all(line == line.rstrip(" ") for line in lines)
    assert "\n\n\n" not in text
    assert not text.startswith("\n")


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "<!",
            "<a ",
            "</",
            "<!--",
            "<",
            "<a='",
            '<a b="',
            "&",
            "<script>",
            "<div a",
            "<b>",
            "<li>",
            "<table>x",
            "</b>",
        ),
        *(
            "<table><tr><td>",
            "<blockquote>x",
            "<a href=x>y",
            "<b></i>",
            "<td>x",
            "<b><li></li>",
            "<pre>x\n",
            "<p hidden>x",
        ),
        *(
            "<ul><li>x",
            "<h1>x",
            "<tr><td>x",
            "<svg>",
            "<ol start=999999999><li>",
            "<td colspan=999>x",
            "<a b=' >\"",
            "<hr>",
        ),
    ],
)
def test_work_grows_with_the_length_only(piece: str) -> None:
    """Sixty kilobytes of anything make no more text than that, give or take what stands before lines.

    The time is not looked at here: work that grew with the square of the length would hold everybody up.
    """
    text = text_of(piece * (60_000 // len(piece)) + "x")
    text += text_of(f"<table>{piece * (60_000 // len(piece))}</table>")
    assert len(text) <= 120_000 * 50
