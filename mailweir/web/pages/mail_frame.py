"""The HTML of a mail for the frame of a page: written anew from what may stand in it. No I/O.

The frame runs, loads and sends nothing by its policy. Browsers look up names and open connections that no policy speaks
of (`<link rel="preconnect">`), and what one parser takes for a text another takes for a tag. So nothing is taken out of
the HTML of a mail here; of its elements and attributes those that only show something are written out again.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping
from email.message import Message
from html import escape, unescape
from typing import Final, NamedTuple
from urllib.parse import unquote

from mailweir.caught import payload
from sinks.mail.html_tokens import VOID, Tag, attributes, tags

# What a browser shows without a wait; a mail that is longer is looked at as its source.
MOST: Final = 2**20
# Images in the mail itself, all together.
MOST_IMAGE_BYTES: Final = 8 * 2**20
MOST_LINKS: Final = 200

_shows = """
    a abbr acronym address article aside b bdi bdo big blockquote body br caption center cite code col colgroup dd
    del dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 head header hr html i img ins kbd li main
    mark nav ol p pre q rp rt ruby s samp section small span strike strong style sub sup table tbody td tfoot th thead
    time tr tt u ul var wbr
"""
_says_how = """
    align alt bgcolor border cellpadding cellspacing char class clear color colspan compact dir face headers height
    hspace id lang noshade nowrap reversed role rowspan rules scope size span start style summary title type valign
    vspace width
"""
_elements: Final = frozenset(_shows.split())
_attributes: Final = frozenset(_says_how.split())
# Of these people are told that they were there.
_told: Final = {
    "script": "script",
    "form": "form",
    "iframe": "frame",
    "frame": "frame",
    "object": "object",
    "embed": "object",
    "applet": "object",
    "svg": "drawing (SVG)",
    "math": "formula",
    "base": "base address",
    "link": "link to a style or another file",
    "video": "video",
    "audio": "sound",
}
_image: Final = re.compile(r"image/(?:png|jpeg|gif|webp|bmp|avif|svg\+xml)")
_quirk: Final = re.compile(r"\s*<!doctype\s", re.IGNORECASE)
_blank: Final = re.compile(r"\s+")


class Link(NamedTuple):
    """Where a link would go, and what it is called."""

    text: str
    target: str


class Framed(NamedTuple):
    """What the frame shows, its links, and how many of what was left out. `remote` images were not loaded."""

    html: str
    links: tuple[Link, ...]
    left_out: Mapping[str, int]
    remote: int
    cut: bool


def policy(*, images: bool) -> str:
    """The policy of the frame. With `images` those at https addresses are loaded."""
    loaded = "data: https:" if images else "data:"
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src {loaded}; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'self'; sandbox"
    )


def framed(html: str, inside: Mapping[str, str], *, images: bool = False) -> Framed:
    """The HTML for the frame. `inside` are images of the mail itself, as `data:` addresses by their Content-ID."""
    return _Writer(html[:MOST], inside, images=images).written(cut=len(html) > MOST)


def images_of(message: Message) -> dict[str, str]:
    """The images that parts of a mail have, as `data:` addresses by their Content-ID."""
    found: dict[str, str] = {}
    left = MOST_IMAGE_BYTES
    for part in message.walk():
        name = str(part.get("content-id", "")).strip().strip("<>")
        kind = part.get_content_type()
        if not name or name in found or not _image.fullmatch(kind):
            continue
        data = payload(part)
        left -= len(data)
        if left < 0:
            break
        found[name] = f"data:{kind};base64,{b64encode(data).decode()}"
    return found


class _Writer:
    """One mail."""

    def __init__(self, html: str, inside: Mapping[str, str], *, images: bool) -> None:
        self._html = html
        self._inside = inside
        self._images = images
        self._out: list[str] = []
        self._left_out: Counter[str] = Counter()
        self._links: list[Link] = []
        # Of the link that is open: where it goes, and its text so far.
        self._target = ""
        self._text: list[str] = []
        self._remote = 0

    def written(self, *, cut: bool) -> Framed:
        """All of it."""
        if _quirk.match(self._html):
            self._out.append("<!doctype html>")
        at = 0
        for tag in tags(self._html):
            self._say(self._html[at : tag.start])
            at = tag.until
            if tag.name.startswith("/"):
                self._end(tag.name[1:])
            elif tag.name:
                self._begin(tag)
        self._say(self._html[at:])
        self._close_link()
        return Framed("".join(self._out), tuple(self._links), dict(self._left_out), self._remote, cut)

    def _say(self, text: str) -> None:
        if text:
            plain = unescape(text)
            self._out.append(escape(plain, quote=False))
            if self._target:
                self._text.append(plain)

    def _begin(self, tag: Tag) -> None:
        given = attributes(tag.text)
        name = tag.name
        if name == "meta" and given.get("http-equiv", "").strip().lower() == "refresh":
            self._left_out["jump to another page"] += 1
        if name in _told:
            self._left_out[_told[name]] += 1
        if name not in _elements:
            if tag.end < tag.until and name not in {"script", "title"}:
                # A text for readers that do not know the element, or what was typed.
                self._say(self._html[tag.end : tag.until])
            return
        if any(each.startswith("on") for each in given):
            self._left_out["script"] += sum(each.startswith("on") for each in given)
        if name == "a":
            self._close_link()
            self._target = given.get("href", "").strip()
        shown = dict(self._kept(name, given))
        self._out.append("".join((f"<{name}", *(f' {key}="{escape(value)}"' for key, value in shown.items()), ">")))
        if name == "style":
            # Without this character a style has no end before its own, however the place where it stands is read.
            self._out.append(f"{self._html[tag.end : tag.until].replace('<', '')}</style>")

    def _kept(self, name: str, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for key, value in given.items():
            if key in _attributes or key.startswith("aria-"):
                yield key, value
        source = given.get("src", "").strip() if name == "img" else given.get("background", "").strip()
        if not source:
            return
        address = self._address(source)
        if address:
            yield "src" if name == "img" else "background", address

    def _address(self, source: str) -> str:
        """Where an image may come from."""
        scheme, _, rest = source.partition(":")
        match scheme.lower():
            case "cid":
                return self._inside.get(unquote(rest).strip()) or self._inside.get(rest, "")
            case "data":
                return source if _image.match(rest[:40].lower()) else ""
            case "https" if self._images:
                return source
        self._remote += 1
        return ""

    def _end(self, name: str) -> None:
        if name == "a":
            self._close_link()
        if name in _elements and name not in VOID and name != "style":
            self._out.append(f"</{name}>")

    def _close_link(self) -> None:
        if self._target and len(self._links) < MOST_LINKS:
            self._links.append(Link(_blank.sub(" ", "".join(self._text)).strip(), self._target))
        self._target = ""
        self._text.clear()
