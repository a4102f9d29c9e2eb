"""HTML as a row of tags and texts, as browsers see them, in time that grows with its length only. No I/O.

The standard library's parser takes 19 seconds for 48 kB of `<a <a <a …` (Python 3.11), so mails cannot rest on it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from typing import Final, NamedTuple

# A quote counts only behind `=`, as in the standard: in `title=it's` it is a letter. Nothing is tried a second time.
_tag = re.compile(r"<(/?[A-Za-z][^\s/>]*+)((?:[^>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+')|=)*+)>").match
_attribute = re.compile(r"([^\s/>=]++)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>]++)))?").findall

# What stands in these is no markup, up to their own end.
_raw: Final = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search
    for name in ("iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp")
}

# Elements without an end, and those that end when the next of their kind begins.
VOID: Final = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)
_ENDS_ITSELF: Final = frozenset(
    ("colgroup", "dd", "dt", "li", "optgroup", "option", "p", "tbody", "td", "tfoot", "th", "thead", "tr")
)


class Token(NamedTuple):
    """A tag with the text of its attributes, `/name` if it is an end; without a name it is a text."""

    name: str
    text: str


def tokens(html: str) -> Iterator[Token]:
    """The tags and texts. Comments and the content of scripts and styles are left out, as is a tag without an end."""
    text = at = 0
    while (start := html.find("<", at)) >= 0:
        tag = _tag(html, start)
        if tag is not None:
            if text < start:
                yield Token("", html[text:start])
            name = tag[1].lower()
            yield Token(name, tag[2])
            text = at = tag.end()
            if name in _raw:
                end = _raw[name](html, at)
                if end is None:
                    return
                text = at = end.start()
            continue
        end_of_other = _end_of_other(html, start)
        if end_of_other is None:  # a character of the text
            at = start + 1
            continue
        if text < start:
            yield Token("", html[text:start])
        if not end_of_other:
            return
        text = at = end_of_other
    if text < len(html):
        yield Token("", html[text:])


class Tag(NamedTuple):
    """A tag as in `Token`, where it stands, and where the content that is no markup ends behind it."""

    name: str
    text: str
    start: int
    end: int
    until: int


def tags(html: str) -> Iterator[Tag]:
    """The tags with their places. What is no tag and no text, such as a comment, is one without a name."""
    at = 0
    while (start := html.find("<", at)) >= 0:
        tag = _tag(html, start)
        if tag is None:
            end_of_other = _end_of_other(html, start)
            if end_of_other is not None:
                at = end_of_other or len(html)
                yield Tag("", "", start, at, at)
            else:
                at = start + 1
            continue
        name, at = tag[1].lower(), tag.end()
        if name in _raw:
            end = _raw[name](html, at)
            at = len(html) if end is None else end.start()
        yield Tag(name, tag[2], start, tag.end(), at)


def _end_of_other(html: str, start: int) -> int | None:
    """Where a comment ends, or another tag that is none; 0 if nowhere, None if it is only a `<`."""
    following = html[start + 1 : start + 2]
    if html.startswith("<!--", start):
        end = html.find("-->", start + 2)
        return end + 3 if end >= 0 else 0
    if following in {"!", "?"} or (following == "/" and html[start + 2 : start + 3]):
        return html.find(">", start + 1) + 1
    return 0 if following.isascii() and following.isalpha() else None


def attributes(text: str) -> dict[str, str]:
    """The attributes of a tag; of two with one name the first."""
    found: dict[str, str] = {}
    for name, *values in _attribute(text):
        found.setdefault(name.lower(), unescape("".join(values)))
    return found


def depth(html: str) -> int:
    """How deep elements are nested, about: within a few times what a browser makes of it."""
    within: Counter[str] = Counter()
    now = most = 0
    for name, _ in tokens(html):
        if name.startswith("/"):
            if within[name[1:]]:
                within[name[1:]] -= 1
                now -= 1
        elif name and name not in VOID and name not in _ENDS_ITSELF:
            within[name] += 1
            now += 1
            most = max(most, now)
    return most
