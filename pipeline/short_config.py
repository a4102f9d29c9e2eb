"""`short_config` of a pipe: a source in a few words, `sql://shop/customers`. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pipeline.config.given import advice, within
from pipeline.config.tree import Document, Member, Node, Object, Scalar

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

SHORT: Final = "short_config"
# The system and the table: neither has a `/`, as no `_id` has one.
_form: Final = re.compile(r"sql://(?P<system>[^/]+)/(?P<table>[^/]+)")


def spelt_out(document: Document, node: Object, value: dict[str, object]) -> tuple[Object, dict[str, object]]:
    """A pipe with the source that its `short_config` means; as it is if there is none, or none that is understood."""
    text, member = value.get(SHORT), node.members.get(SHORT)
    if not isinstance(text, str) or member is None or "source" in value:
        return node, value
    found = _form.fullmatch(text)
    if found is None:
        return node, value
    source = {"type": "sql", **found.groupdict()}

    def part(name: str) -> Node:
        """Where it is said. Its text is the whole, so that nobody offers to replace the part by a text in quotes."""
        whole = member.value
        if name == "type" or not isinstance(whole, Scalar) or whole.value != text:
            return Scalar(whole.start, whole.end, text)
        span = within(document, whole, *found.span(name))
        return Scalar(span.start, span.end, text)

    parts = {name: Member(member.key, part(name)) for name in source}
    meant = Object(member.value.start, member.value.end, parts)
    members = {**node.members, "source": Member(member.key, meant)}
    return replace(node, members=members), {**value, "source": source}


def faults(given: Given) -> Iterator[Problem]:
    """E203 for one that says nothing, and for one beside a `source`."""
    text = given.text(SHORT)
    if text is None:
        return
    if _form.fullmatch(text) is None:
        form = advice('write `"short_config": "sql://SYSTEM/TABLE"`, or a `source`')
        yield given.problem("E203", f"`{SHORT}` names the system and the table of a SQL source", SHORT, notes=(form,))
    elif given.node.members["source"].key is not given.node.members[SHORT].key:
        yield given.problem(
            "E203",
            f"the pipe has a `source` and a `{SHORT}`, which means one too",
            SHORT,
            at="key",
            notes=(advice("keep one of them"),),
        )
