"""The answers of `mailweir explain` as text for a terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence

from mailweir.codes import Block, CodePage
from mailweir.dtl_manual import FunctionManual
from mailweir.manual import PropertyManual, TypeManual
from mailweir.topics import KindTopic, Overview, PropertyTopic, Topic, plural
from mailweir.words import Word

_places = {"sh": "in the project's folder", "env": "in the environment"}
Paint = Callable[[str], str]
_item = re.compile(r"(?:-|[0-9]+\.) ")
# Longer lines are hard to read however wide the window is.
WIDEST = 100


def lines(topics: Sequence[Topic], width: int, heading: Paint) -> Iterator[str]:
    """The answers, one after the other."""
    width = min(width, WIDEST)
    for index, topic in enumerate(topics):
        if index:
            yield ""
        yield from _topic(topic, width, heading, alone=len(topics) == 1)


def _topic(topic: Topic, width: int, heading: Paint, *, alone: bool) -> Iterator[str]:
    match topic:
        case Overview():
            yield from _overview(topic, width)
        case CodePage():
            yield from _page(topic, width, heading)
        case Word():
            yield heading(topic.name)
            yield ""
            yield from prose(topic.text, width)
        case KindTopic():
            yield heading(f"Types of {topic.kind}s")
            for one in topic.types:
                yield ""
                yield f"  {one.type}"
                yield from _wrapped(one.summary, width, "      ")
            yield ""
            yield f"More about one: mailweir explain {_asked(topic.types[-1].title)}"
        case TypeManual():
            yield from _type(topic, width, heading)
        case FunctionManual():
            yield from _function(topic, width, heading)
        case PropertyTopic():
            if not alone:
                yield heading(topic.owner.title)
            yield from _property(topic, width, heading)


def _overview(all_of_it: Overview, width: int) -> Iterator[str]:
    codes, types = all_of_it.codes, all_of_it.types
    files = [name for kind, names in types.items() if kind not in plural for name in names]
    yield "What can be explained:"
    yield ""
    for title, names in (
        ("Codes", [f"{codes[0]} to {codes[-1]}: mailweir list codes"]),
        *((many.capitalize(), types[kind]) for kind, many in plural.items()),
        ("Functions", ["of rules: mailweir list functions"]),
        ("Files", files),
        ("Words", [f"'{word}'" if not word.isidentifier() else word for word in all_of_it.words]),
    ):
        yield from _wrapped(f"  {title:<12}{', '.join(names)}", width, "", " " * 14)
    yield ""
    yield from _wrapped("A property has its type before it: mailweir explain system:smtp.max_per_hour", width)


def _page(page: CodePage, width: int, heading: Paint) -> Iterator[str]:
    yield heading(f"{page.code} {page.title}") + f" ({page.level})"
    yield ""
    yield from prose(page.text, width)
    for title, blocks in (("Wrong", page.wrong), ("Right", page.right)):
        if blocks:
            yield ""
            yield heading(title)
            yield from _blocks(blocks)


def _blocks(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        yield ""
        yield f"  {block.file or _places[block.language]}"
        yield from ("      " + line if line else "" for line in block.text.splitlines())


def _type(one: TypeManual, width: int, heading: Paint) -> Iterator[str]:
    yield heading(one.title)
    yield ""
    yield from _wrapped(one.summary, width)
    yield ""
    yield heading("Properties")
    yield from _properties(one.properties, width, _asked(one.title))


def _properties(properties: Iterable[PropertyManual], width: int, owner: str) -> Iterator[str]:
    for one in properties:
        yield ""
        yield from _wrapped(f"  {one.name}   {one.facts}", width, "", "      ")
        if one.description.strip("`.") not in one.choices:
            yield from _wrapped(one.description, width, "      ")
        if one.nested:
            yield f"      Its properties: mailweir explain {owner}.{one.name}"
        if one.component:
            yield f"      Types: mailweir explain {one.component}"


def _property(topic: PropertyTopic, width: int, heading: Paint) -> Iterator[str]:
    one = topic.property
    yield f"{heading(topic.path)}   {one.facts}"
    if one.description:
        yield ""
        yield from _wrapped(one.description, width)
    if one.nested:
        yield ""
        yield heading("Properties")
        yield from _properties(one.nested, width, f"{_asked(topic.owner.title)}.{topic.path}")
    if one.secret:
        yield ""
        yield "Write \"$SECRET(name)\": mailweir explain '$SECRET'"
    if one.component:
        yield ""
        yield f"Types of {one.component}s: mailweir explain {one.component}"


def _function(one: FunctionManual, width: int, heading: Paint) -> Iterator[str]:
    yield f"{heading(one.name)}   {one.kind}, {one.title.lower()}"
    yield ""
    yield from (f"  {call}" for call in one.calls)
    yield ""
    yield from _wrapped(one.doc, width)
    if one.deprecated:
        yield from _wrapped(f"Old: use `{one.deprecated}`.", width)
    yield ""
    yield heading("Examples")
    for example in one.examples:
        yield ""
        yield f"  {example.expression}"
        for title in ("source", "before", "target", "rules", "datasets", "rdf"):
            if text := getattr(example, title):
                yield f"      {title}: {text}"
        yield f"      gives: {example.result}"


def _asked(title: str) -> str:
    """A title as it is typed in a shell: one word."""
    return title.replace(" ", ":")


def prose(text: str, width: int) -> Iterator[str]:
    """Paragraphs, wrapped; a paragraph whose lines begin with `-` or a number is a list."""
    for index, paragraph in enumerate(text.split("\n\n")):
        if index:
            yield ""
        listed = paragraph.splitlines()
        if all(_item.match(line) for line in listed):
            for line in listed:
                yield from _wrapped(line, width, "  ", "  " + " " * (line.index(" ") + 1))
        else:
            yield from _wrapped(" ".join(listed), width)


def _wrapped(text: str, width: int, indent: str = "", hanging: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
