"""Headers, files and keys that a mail sink names: what is wrong with one of them. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pipeline.config.given import advice, note, within
from pipeline.config.tree import Array, Object
from pipeline.errors import Label, Problem, Span
from pipeline.secret import Secret
from pipeline.template.faults import Where, original, plain_lines
from pipeline.template.written import templates_of
from sinks.mail.enclosures import Fault, enclosed
from sinks.mail.fields import fault_of_name, field, urls
from sinks.mail.letter import RefusedError
from sinks.mail.lines import is_template
from sinks.mail.parts import cid_fault

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.config.tree import Node

_WAYS: Final = ("file", "content", "text")


def part_faults(given: Given) -> Iterator[Problem]:
    """Every one of them."""
    yield from _headers(given)
    yield from _unsubscribe(given)
    for name in ("attachments", "inline_images"):
        yield from _files(given, name)
    yield from _keys(given)


def line_templates(given: Given) -> Iterator[tuple[str, Where]]:
    """The templates of headers and of addresses to unsubscribe, and where they stand."""
    for name in ("headers", "list_unsubscribe"):
        value, member = given.get(name), given.node.members.get(name)
        if member is None:
            continue
        lines: list[tuple[tuple[str, ...], object, Node]] = []
        if isinstance(value, dict) and isinstance(member.value, Object):
            inner = member.value.members
            lines = [((name, each), text, inner[each].value) for each, text in value.items() if each in inner]
        elif isinstance(value, str):
            lines = [((name,), value, member.value)]
        elif isinstance(value, list | tuple) and isinstance(member.value, Array):
            lines = [((name,), text, node) for text, node in zip(value, member.value.items, strict=False)]
        for path, text, node in lines:
            if isinstance(text, str) and is_template(text):
                yield text, _where(given, path, text, node)


def _headers(given: Given) -> Iterator[Problem]:
    headers = given.get("headers")
    member = given.node.members.get("headers")
    if not isinstance(headers, dict) or member is None or not isinstance(member.value, Object):
        return
    seen: dict[str, Span] = {}
    for name, value in headers.items():
        inner = member.value.members.get(name)
        if inner is None:
            continue
        key = given.document.span(inner.key)
        fault = fault_of_name(name)
        first = seen.setdefault(name.lower(), key)
        if fault is None and first != key:
            fault = "this header is there twice"
        if fault:
            related = (Label(first, "first here"),) if first != key else ()
            problem = given.problem(
                "E508", f"`{name}` cannot be set here", "headers", at=key, label=fault, related=related
            )
            yield replace(problem, reason=fault)
        elif isinstance(value, str):
            yield from _value(given, name, value, inner.value)


def _value(given: Given, name: str, value: str, node: Node) -> Iterator[Problem]:
    if is_template(value):
        yield from _template(given, ("headers", name), value, node)
        return
    try:
        field(name, value, f"headers.{name}")
    except RefusedError as refused:
        yield _refused(given, "E508", f"the header `{name}` cannot hold this", "headers", node, refused)


def _template(given: Given, path: tuple[str, ...], value: str, node: Node) -> Iterator[Problem]:
    for fault in templates_of(given).faults(value):
        yield fault.problem(_where(given, path, value, node))


def _where(given: Given, path: tuple[str, ...], value: str, node: Node) -> Where:
    def spot(start: int, end: int) -> Span:
        return within(given.document, node, original(value, start), original(value, end))

    stands = getattr(node, "value", None) == value
    whole = given.document.span(node)
    return Where(plain_lines(value), (*given.path, *path), spot if stands else None, whole, given.templates)


def _refused(given: Given, code: str, message: str, name: str, node: Node, refused: RefusedError) -> Problem:
    index = refused.refusal.index
    at = given.document.span(node) if index is None else within(given.document, node, index, index + 1)
    problem = given.problem(code, message, name, at=at, label=refused.refusal.text)
    return replace(problem, reason=refused.refusal.text)


def _unsubscribe(given: Given) -> Iterator[Problem]:
    name = "list_unsubscribe"
    value = given.get(name)
    member = given.node.members.get(name)
    one_click = given.get("one_click_unsubscribe") is True
    if value is None and one_click:
        yield given.problem(
            "E509",
            "one click needs `list_unsubscribe`",
            "one_click_unsubscribe",
            notes=(
                advice('add the address that takes the POST: "list_unsubscribe": "https://example.com/off/{{ _id }}"'),
            ),
        )
    if member is None or not isinstance(value, str | list | tuple):
        return
    nodes = member.value.items if isinstance(member.value, Array) else [member.value]
    values = [value] if isinstance(value, str) else list(value)
    for node, text in zip(nodes, values, strict=False):
        if not isinstance(text, str):
            return
        if is_template(text):
            yield from _template(given, (name,), text, node)
            continue
        try:
            urls("List-Unsubscribe", (text,), "unsubscribe")
        except RefusedError as refused:
            yield _refused(given, "E509", f"`{name}` is not a URL", name, node, refused)
    if one_click and not any(str(text).lower().startswith(("https:", "{")) for text in values):
        yield given.problem(
            "E509",
            "one click needs an `https:` address",
            name,
            label="a POST can go to `https:` only",
            related=(Label(given.key("one_click_unsubscribe"), "one click is wanted"),),
            notes=(note("RFC 8058 section 3.1; a `mailto:` may stand beside it"),),
        )


def _files(given: Given, name: str) -> Iterator[Problem]:
    shown = name == "inline_images"
    cids: dict[str, Span] = {}
    for part in given.parts(name):
        ways = [way for way in _WAYS if part.has(way)]
        for other in ways[1:]:
            yield part.problem(
                "E209",
                f"`{ways[0]}` and `{other}` are both set",
                "",
                at=part.key(other),
                label="and another one",
                related=(Label(part.key(ways[0]), "what is in the file"),),
                notes=(advice("keep one of them"),),
            )
        if not ways and part.node.whole:
            how = 'add `"file": "terms.pdf"`, a file in the folder `attachments`, or `content` or `text`'
            yield part.problem(
                "E204", "this file has no content", "file", label="no `file` in it", notes=(advice(how),)
            )
        if len(ways) != 1 or not isinstance(part.get(ways[0]), str):
            continue
        # Whether the file is there shows when it is read.
        made = enclosed({key: part.text(key) for key in (*_WAYS, "name", "cid")}, lambda _: b"", shown=shown)
        if isinstance(made, Fault):
            yield _range(part, ways[0], made.text)
        elif shown:
            fault = cid_fault(made.cid)
            if not fault and made.cid in cids:
                fault = "a second picture with this name"
            cids.setdefault(made.cid, part.value("cid"))
            if fault:
                yield _range(part, "cid" if part.has("cid") else ways[0], fault)


def _keys(given: Given) -> Iterator[Problem]:
    if not given.parts("dkim"):
        return
    try:
        from sinks.mail.dkim import Signer, SignerError  # noqa: PLC0415 - it may not be installed
    except ImportError:
        how = advice("`pip install 'mailweir[dkim]'`")
        yield given.problem("E203", "`dkim` needs the package `cryptography`", "dkim", notes=(how,))
        return
    trials: dict[str, Callable[[str], Signer]] = {
        "domain": lambda value: Signer(value, "s", _ANY_KEY),
        "selector": lambda value: Signer("example.com", value, _ANY_KEY),
        "key": lambda value: Signer("example.com", "s", value),
    }
    for part in given.parts("dkim"):
        for name, trial in trials.items():
            value = part.get(name)
            text = value.reveal() if isinstance(value, Secret) else value
            if isinstance(text, str):
                try:
                    trial(text)
                except SignerError as error:
                    yield _range(part, name, str(error))


# A key of 32 bytes, the first that RFC 8032 section 7.1 tests with: it signs nothing here.
_ANY_KEY: Final = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="


def _range(part: Given, name: str, fault: str) -> Problem:
    problem = part.problem("E203", f"`{name}` cannot be used", name, label=fault)
    return replace(problem, reason=fault)
