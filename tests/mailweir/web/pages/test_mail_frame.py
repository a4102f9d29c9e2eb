from __future__ import annotations

from email import message_from_bytes
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.web.pages.mail_frame import MOST, Link, framed, images_of, policy

DRAWING = "drawing (SVG)"
PIXEL = "data:image/png;base64,AA=="


class _Seen(HTMLParser):
    """What an independent parser sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.keys: set[str] = set()
        self.sources: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.keys |= {key for key, _ in attrs}
        self.sources |= {value or "" for key, value in attrs if key in {"src", "background"}}


@pytest.mark.parametrize(
    ("hostile", "told"),
    [
        ("<script>go()</script>", {"script": 1}),
        ("<p onclick=go() ONLOAD=go()>", {"script": 2}),
        ('<form action="https://evil.example"><input name=a><button>Go</button></form>', {"form": 1}),
        ('<meta http-equiv="Refresh" content="0;url=https://evil.example">', {"jump to another page": 1}),
        ("<base href=//evil.example>", {"base address": 1}),
        ("<link rel=preconnect href=//evil.example>", {"link to a style or another file": 1}),
        ("<iframe src=//evil.example>no</iframe>", {"frame": 1}),
        ("<svg><script href=//evil.example></script><image href=//evil.example /></svg>", {DRAWING: 1, "script": 1}),
        ("<object data=//evil.example></object><embed src=//evil.example>", {"object": 2}),
    ],
)  # fmt: skip
def test_what_acts_is_left_out_and_told(hostile: str, told: dict[str, int]) -> None:
    """Nothing of it is left, and what stands around it is."""
    made = framed(f"<p>before</p>{hostile}<b>after</b>", {})
    assert "evil" not in made.html
    assert "before" in made.html
    assert "<b>after</b>" in made.html
    assert made.left_out == told


@pytest.mark.parametrize(
    "hidden",
    [
        '<style><a title="</style>{}">',
        '<!-- <a title="-->{}">',
        "<svg><style><img>{}</style></svg>",
        "<math><mtext><style><img>{}</style></math>",
        "<select><style><input>{}</style></select>",
        "<noscript><p title='</noscript>{}'></noscript>",
        "<textarea>{}</textarea>",
        "<title>{}</title>",
        "<xmp>{}</xmp>",
        "<style>{}",
        "<plaintext>{}",
        "<p title=a{}b>",
        '<a title="a"b="{}">',
    ],
)
def test_a_tag_that_another_parser_sees_is_not_written(hidden: str) -> None:
    """Whatever it hides in, it does not come out as a tag."""
    made = framed(hidden.format("<link rel=preconnect href=//evil.example><img src=//evil.example>"), {})
    seen = _Seen(made.html)
    assert not seen.names & {"link", "meta", "script"}
    assert seen.sources == set()


_pieces = st.sampled_from(
    [
        "<", ">", '"', "'", "=", "/", " ", "a", "<style>", "</style>", "<script>", "</script>", "<!--", "-->", "<!",
        "<?", "</", "<svg>", "<title>", "</title>", "<select>", "<link href=//e>", "<img src=//e>", "<a href=//e>",
        "<p onclick=x>", "<textarea>", "<![CDATA[", "]]>", "&lt;img src=x&gt;", "&#60;link&#62;", "\0", "\n",
    ]
)  # fmt: skip


@given(st.lists(_pieces, max_size=25).map("".join))
def test_only_what_shows_something_is_written(html: str) -> None:
    """Properties of whatever was given: no element or attribute that acts, no address of others."""
    made = framed(html, {})
    seen = _Seen(made.html)
    assert not seen.names & {"link", "script", "meta", "base", "svg", "iframe", "form", "input", "textarea", "select"}
    assert not {key for key in seen.keys if key.startswith("on")} | (seen.keys & {"href", "srcset", "action"})
    assert seen.sources == set()
    assert framed(made.html, {}).html == made.html


def test_links_are_told_beside_the_frame() -> None:
    """With their texts and where they go; in the frame they go nowhere."""
    made = framed(
        '<a href="https://x.example/?a=1&amp;b=2">Click\n <b>me</b></a> and <a href=mailto:a@x>b<a href=c>d', {}
    )
    assert made.links == (
        Link("Click me", "https://x.example/?a=1&b=2"),
        Link("b", "mailto:a@x"),
        Link("d", "c"),
    )
    assert "href" not in made.html


def test_images_of_the_mail_are_shown_and_those_of_others_are_not() -> None:
    """A Content-ID becomes the image itself; remote ones come over https, and only when that is asked for."""
    html = '<img src="cid:a%40b"><img src=cid:none><img src=https://e/x.png><img src=http://e/y.png><td background=//e>'
    made = framed(html, {"a@b": PIXEL})
    assert (_Seen(made.html).sources, made.remote) == ({PIXEL}, 3)
    shown = framed(html, {"a@b": PIXEL}, images=True)
    assert (_Seen(shown.html).sources, shown.remote) == ({PIXEL, "https://e/x.png"}, 2)
    assert _Seen(framed('<img src="data:text/html,x">', {}).html).sources == set()


def test_images_are_found_by_their_content_id() -> None:
    """In any part; nothing that is no image."""
    mail = message_from_bytes(
        b"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <a@b>\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nAA==\r\n--b\r\nContent-Type: text/html\r\nContent-ID: <c>\r\n\r\n"
        b"x\r\n--b--\r\n"
    )
    assert images_of(mail) == {"a@b": PIXEL}


def test_what_is_too_long_is_cut() -> None:
    """And says so; a style without an end takes nothing with it that could act."""
    assert framed("a" * (MOST + 1), {}).cut is True
    assert framed("<style>a<b", {}).html == "<style>ab</style>"


def test_the_policy_lets_nothing_out() -> None:
    """Images of others only where they are asked for, and never scripts."""
    assert "img-src data:;" in policy(images=False)
    assert "img-src data: https:;" in policy(images=True)
    for images in (False, True):
        assert policy(images=images).endswith("; sandbox")
        assert "script-src" not in policy(images=images)
