"""The plain text of a mail that has only HTML: what a reader sees, with the URLs of links. No I/O.

It takes any text, never raises, and its time grows with the length only: elements nest at most so deep as is said
here, and what is deeper counts to the element around it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from html import unescape
from typing import Final

from sinks.mail.html_tokens import VOID, attributes, tokens
from sinks.mail.text_page import WIDTH, Indent, Page
from sinks.mail.text_table import Cell, table_lines

DEEPEST: Final = 256  # browsers stop at 512
DEEPEST_TABLE: Final = 8
DEEPEST_INDENT: Final = 10
RULE: Final = "-" * 40

_hidden_style = re.compile(
    r"(?<![a-z-])(?:display:none|visibility:hidden|(?:opacity|max-height):0(?:[a-z]*|%)(?:[;!]|\Z))"
).search
_hidden_class = re.compile(r"\bpre-?header|\bpreview-?text", re.IGNORECASE).search
_unseen = dict.fromkeys(map(ord, "\0\u00ad\u034f\u200b\u2060\ufeff"))
_scheme = re.compile(r"(?:https?://(?:www\.)?|mailto:|tel:)", re.IGNORECASE).match
_number = re.compile(r"\s*(\d{1,9})").match

_dropped: Final = frozenset(("audio", "canvas", "datalist", "math", "object", "select", "svg", "template", "video"))
_headings: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_lists: Final = frozenset(("menu", "ol", "ul"))
_spaced: Final = _headings | _lists | frozenset(("blockquote", "dl", "figure", "p", "pre"))
_cells: Final = frozenset(("td", "th"))
_table_parts: Final = _cells | frozenset(("caption", "colgroup", "tbody", "tfoot", "thead", "tr"))
_others: Final = (
    *("address", "article", "aside", "body", "center", "dd", "details", "dialog", "div", "dt", "fieldset"),
    *("figcaption", "footer", "form", "header", "hr", "html", "legend", "li", "main", "nav", "section", "summary"),
)
_blocks: Final = _spaced | _table_parts | frozenset(_others) | {"table"}

# What ends when another element begins, and what it does not reach out of.
_box: Final = _cells | frozenset(("button", "caption", "table"))
_of_list: Final = _lists | _box
_of_table: Final = frozenset(("table",))
_ended_by: Final = {
    "dd": (frozenset(("dd", "dt")), _box | {"dl"}),
    "dt": (frozenset(("dd", "dt")), _box | {"dl"}),
    "li": (frozenset(("li",)), _of_list),
    "td": (_cells, _of_table),
    "th": (_cells, _of_table),
    "tr": (_cells | {"tr"}, _of_table),
    "tbody": (_table_parts, _of_table),
    "tfoot": (_table_parts, _of_table),
}
_paragraph: Final = (frozenset(("p",)), _box)


@dataclass(slots=True)
class _Element:
    """An open element. What is hidden, or within what is hidden, does nothing when it ends."""

    name: str
    hides: bool = False
    silent: bool = False
    href: str = ""
    place: tuple[int, int] = (0, 0)
    indent: Indent | None = None
    page: Page | None = None  # the one to go on with after a cell
    span: int = 1
    is_table: bool = False


@dataclass(slots=True)
class _List:
    ordered: bool
    next: int = 1


_Table = list[list[Cell]]  # rows of cells


def text_of(html: str) -> str:
    """The text, with a line break at its end; `""` if there is nothing to read."""
    reader = _Reader()
    for name, text in tokens(html):
        if not name:
            reader.text(text)
        elif name.startswith("/"):
            reader.end(name[1:])
        else:
            reader.begin(name, text)
    return reader.result()


class _Reader:
    """Turns tags and texts into lines."""

    def __init__(self) -> None:
        self._page = Page()
        self._open: list[_Element] = []
        self._count: Counter[str] = Counter()
        self._hidden = 0
        self._kept = 0  # open `pre`
        self._lists: list[_List] = []
        self._tables: list[_Table] = []

    def result(self) -> str:
        """End what is open."""
        while self._open:
            self._pop()
        self._page.end_line()
        return "\n".join(self._page.lines).strip("\n") + "\n" if self._page.lines else ""

    def text(self, text: str) -> None:
        """Words, if they are seen."""
        if self._hidden:
            return
        if "&" in text:
            text = unescape(text)
        if not text.isascii():
            text = text.translate(_unseen)
        if self._kept:
            self._page.keep(text)
        elif text:
            self._page.say(text)

    def begin(self, name: str, written: str) -> None:
        """A start tag."""
        if name in _ended_by:
            self._end_siblings(*_ended_by[name])
        elif name in _blocks and self._count["p"]:
            self._end_siblings(*_paragraph)
        elif name == "a" and self._count["a"]:
            self.end("a")
        if name in VOID:
            if not self._hidden:
                self._void(name, written)
            return
        if len(self._open) >= DEEPEST:
            if name in _blocks and not self._hidden:
                self._page.end_line()
            return
        element = _Element(name, silent=self._hidden > 0)
        self._open.append(element)
        self._count[name] += 1
        if element.silent:
            return
        given = attributes(written) if written else {}
        if name in _dropped or _is_hidden(given):
            element.hides = True
            self._hidden += 1
            return
        self._begin_seen(element, given)

    def _begin_seen(self, element: _Element, given: dict[str, str]) -> None:
        name, page = element.name, self._page
        if name == "a":
            element.href, element.place = given.get("href", ""), page.here
        elif name in _cells and self._tables:
            element.page, self._page = page, Page()
            element.span = min(_whole(given.get("colspan", "")) or 1, WIDTH)
        elif name == "tr" and self._tables:
            self._tables[-1].append([])
        elif name == "table" and len(self._tables) < DEEPEST_TABLE:
            page.end_line()
            element.is_table = True
            self._tables.append([])
        elif name in _blocks:
            if name in _spaced and not (name in _lists and self._lists):
                page.gap()
            page.end_line()
            if name == "li":
                self._begin_item(element, given)
            elif name in _lists:
                self._lists.append(_List(name == "ol", _whole(given.get("start", "")) or 1))
            elif name in {"blockquote", "dd"}:
                self._indent(element, Indent("> ", "> ") if name == "blockquote" else Indent("  ", "  "))
            elif name == "pre":
                self._kept += 1
            elif name in _headings:
                element.place = page.here

    def _begin_item(self, element: _Element, given: dict[str, str]) -> None:
        mark = "* "
        if self._lists and self._lists[-1].ordered:
            numbers = self._lists[-1]
            number = _whole(given.get("value", "")) or numbers.next
            numbers.next = number + 1
            mark = f"{number}. "
        self._indent(element, Indent(mark, " " * len(mark)))

    def _indent(self, element: _Element, indent: Indent) -> None:
        if len(self._page.indents) < DEEPEST_INDENT:
            element.indent = indent
            self._page.item(indent)

    def _void(self, name: str, written: str) -> None:
        if name == "br":
            self._page.end_line(blank=True)
        elif name == "hr":
            self._page.end_line()
            self._page.put(RULE)
        elif name == "img":
            given = attributes(written)
            if given.get("alt") and not _is_hidden(given):
                self._page.say_apart(given["alt"].translate(_unseen))

    def end(self, name: str) -> None:
        """An end tag; without a start that it can reach it is nothing."""
        if name == "br" and not self._hidden:
            self._page.end_line(blank=True)
        if not self._count[name]:
            return
        barrier = frozenset[str]() if name == "table" else _of_table if name in _table_parts else _box
        self._end_siblings(frozenset((name,)), barrier)

    def _end_siblings(self, names: frozenset[str], barrier: frozenset[str]) -> None:
        """End the innermost of these elements, with what is within it."""
        for at in range(len(self._open) - 1, -1, -1):
            name = self._open[at].name
            if name in names:
                while len(self._open) > at:
                    self._pop()
                if "tr" in names or "tbody" in names:  # a row ends with its last cell
                    self._end_siblings(names, barrier)
                return
            if name in barrier:
                return

    def _pop(self) -> None:
        element = self._open.pop()
        self._count[element.name] -= 1
        if element.hides:
            self._hidden -= 1
        elif not element.silent:
            self._end_seen(element)

    def _end_seen(self, element: _Element) -> None:
        name, page = element.name, self._page
        if name == "a":
            self._end_link(element)
        elif element.page is not None:
            page.end_line()
            self._page = element.page
            rows = self._tables[-1]
            if not rows:
                rows.append([])
            rows[-1].append(Cell(page.lines, name == "th"))
            rows[-1] += [Cell(())] * (element.span - 1)
        elif element.is_table:
            page.gap()
            for line in table_lines(self._tables.pop()):
                page.put(line)
            page.gap()
        elif name in _blocks:
            page.end_line()
            if name == "pre":
                self._kept -= 1
            elif name in _lists and self._lists:
                self._lists.pop()
            elif name in _headings and name < "h3" and len(page.lines) > element.place[0]:
                page.underline("=" if name == "h1" else "-")
            if element.indent is not None and element.indent in page.indents:
                page.indents.remove(element.indent)
            if name in _spaced and not (name in _lists and self._lists):
                page.gap()

    def _end_link(self, element: _Element) -> None:
        url = "".join(element.href.split())
        if not url or url.lower().startswith(("#", "javascript:", "data:", "cid:")):
            return
        said = self._page.since(element.place)
        bare = _bare(url)
        if said and bare and bare in {_bare(said), _bare(said.replace(" ", ""))}:
            return
        url = url.removeprefix("mailto:").removeprefix("tel:") if not url.startswith("mailto:?") else ""
        if url:
            self._page.say(f"{' ' if said else ''}<{url}>")


def _bare(url: str) -> str:
    """A URL as people write it: without scheme, last slash and parameters of mail."""
    found = _scheme(url)
    if found is None:
        return url.rstrip("/").lower()
    rest = url[found.end() :]
    return (rest.partition("?")[0] if found[0].lower() == "mailto:" else rest).rstrip("/").lower()


def _is_hidden(given: dict[str, str]) -> bool:
    style = given.get("style")
    return (
        "hidden" in given
        or (style is not None and _hidden_style("".join(style.lower().split())) is not None)
        or ("class" in given and _hidden_class(given["class"]) is not None)
    )


def _whole(text: str) -> int:
    found = _number(text)
    return int(found[1]) if found else 0
