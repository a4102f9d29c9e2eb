"""Texts of components as a database keeps them: taken out of files, held against each other, put back. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import unified_diff
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mailweir.shown import moment
from pipeline.config.given import advice
from pipeline.config.mask import SHOWN, masked, secret_spans
from pipeline.config.resolve import Resolver
from pipeline.config.text import apply, encode, read
from pipeline.config.tree import Array, Document, Node, Object, Scalar
from pipeline.config.validate import describe
from pipeline.errors import Edit, Problem, Span
from pipeline.secret import MASK

if TYPE_CHECKING:
    from pipeline.config.store import Change, Stored

# More are counted.
MOST_NAMED: Final = 3
_folders: Final = {"pipe": "pipes/{}.conf.json", "metadata": "node-metadata.conf.json"}
_systems: Final = "systems/{}.conf.json"


class Part(NamedTuple):
    """A component in a file: its `_id`, its text, and what messages call it."""

    id: str
    data: bytes
    name: str


def parts_of(document: Document, data: bytes) -> list[Part]:
    """The components of a file. One that stands alone is the whole file, byte for byte; others are cut out of it."""
    root = document.root
    if isinstance(root, Array):
        nodes = [node for node in root.items if isinstance(node, Object)]
        return [_cut(document, node, number) for number, node in enumerate(nodes, 1)]
    return [Part(id_of(root) or document.name, data, document.name)]


def _cut(document: Document, node: Node, number: int) -> Part:
    ident = id_of(node)
    name = f"{document.name} ({ident or number})"
    return Part(ident or name, document.text[node.start : node.end].encode("utf-8", "surrogateescape"), name)


def id_of(node: Node | None) -> str:
    """The `_id` of a component; `""` if it has none."""
    member = node.members.get("_id") if isinstance(node, Object) else None
    value = member.value.value if member is not None and isinstance(member.value, Scalar) else None
    return value if isinstance(value, str) else ""


def file_of(data: bytes, ident: str) -> str:
    """The name of the file that a component is exported to."""
    root = read(data, ident).root
    member = root.members.get("type") if isinstance(root, Object) else None
    kind = member.value.value if member is not None and isinstance(member.value, Scalar) else ""
    return _folders.get(str(kind), _systems).format(ident)


def misplaced(document: Document, ident: str) -> Iterator[Problem]:
    """What is wrong with a text as that of the component with this `_id`, beyond what is wrong with any component."""
    root = document.root
    if root is None:
        return
    if not isinstance(root, Object):
        kind = describe(Resolver(document).value(root))
        yield Problem("E202", f"a component in the database is one object, not {kind}", document.span(root))
        return
    found = id_of(root)
    if found and found != ident:
        span = document.span(root.members["_id"].value)
        way = advice(f"to rename it, remove `{ident}` and add `{found}` in one change")
        yield Problem("E210", f"this `_id` is not `{ident}`", span, "another component", ("_id",), notes=(way,))


def shown(data: bytes | None) -> str:
    """A text that may be shown: secrets in it are masked."""
    if data is None:
        return ""
    document = read(data, "")
    return masked(document.text, secret_spans(document))


def diff(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str:
    """What changed between two configurations, as a unified diff; secrets in it are masked."""
    parts: list[str] = []
    for ident in sorted({*before, *after}):
        old, new = before.get(ident), after.get(ident)
        if old == new:
            continue
        names = ("/dev/null" if old is None else ident, "/dev/null" if new is None else ident)
        lines = list(unified_diff(shown(old).splitlines(), shown(new).splitlines(), *names, lineterm=""))
        # Only what is masked differs, or how lines end.
        parts += lines or [f"--- {ident}", f"+++ {ident}", "(no difference that may be shown)"]
    return "\n".join(parts)


def changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, bytes | None]:
    """What makes one configuration of another."""
    return {ident: after.get(ident) for ident in sorted({*before, *after}) if before.get(ident) != after.get(ident)}


def filled(data: bytes, before: bytes | None) -> tuple[bytes, Sequence[Problem]]:
    """A text that was read with masks, with what stands behind them; and the masks that hide nothing.

    Whoever reads a component sees eight asterisks for a secret in it, and hands them back with the rest.
    """
    document = read(data, "")
    places = [(path, node) for path, node in _scalars(document.root) if MASK in document.text[node.start : node.end]]
    hidden = _hidden(before) if places and before is not None else {}
    edits: list[Edit] = []
    lost: list[Problem] = []
    for path, node in places:
        seen, behind = hidden.get(path, ("", ""))
        if document.text[node.start : node.end] == seen:
            edits.append(Edit(document.span(node), behind))
        else:
            way = advice("write the secret as `$SECRET(name)`, and store it with `mailweir secret set name`")
            lost.append(Problem("E203", "the asterisks stand for no secret", document.span(node), notes=(way,)))
    return encode(document, apply(document.text, edits)), lost


def _hidden(data: bytes) -> dict[tuple[str | int, ...], tuple[str, str]]:
    """Values with secrets in them, by where they stand: as they are shown, and as they are."""
    document = read(data, "")
    spans = secret_spans(document)
    found: dict[tuple[str | int, ...], tuple[str, str]] = {}
    for path, node in _scalars(document.root):
        inside = [
            (start - node.start, end - node.start) for start, end in spans if node.start <= start < end <= node.end
        ]
        if inside:
            text = document.text[node.start : node.end]
            found[path] = (SHOWN if inside == [(0, len(text))] else masked(text, inside), text)
    return found


def _scalars(root: Node | None) -> Iterator[tuple[tuple[str | int, ...], Scalar]]:
    """All values that are no lists or objects, with where they stand."""
    waiting: list[tuple[tuple[str | int, ...], Node]] = [] if root is None else [((), root)]
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, Scalar):
            yield path, node
        elif isinstance(node, Array):
            waiting += [((*path, index), item) for index, item in enumerate(node.items)]
        elif isinstance(node, Object):
            waiting += [((*path, name), member.value) for name, member in node.members.items()]


def named(problems: Iterable[Problem], name: str) -> list[Problem]:
    """Problems of a text without a name, with the name that messages call it."""
    return [replace(one, span=Span(name, one.span.start, one.span.end)) for one in problems]


def words(change: Change) -> str:
    """What a change did, in a few words."""
    told = [f"{one.id} {_did(one)}" for one in change.components[:MOST_NAMED]]
    more = len(change.components) - MOST_NAMED
    return ", ".join([*told, f"{more} more"] if more > 0 else told)


def _did(one: Stored) -> str:
    return "removed" if one.data is None else f"v{one.version}"


def change_facts(change: Change) -> dict[str, Any]:
    """For programs."""
    return {
        "change": change.number,
        "at": moment(change.at),
        "who": change.who,
        "about": change.about,
        "components": [
            {"id": one.id, "version": one.version, "removed": one.data is None} for one in change.components
        ],
    }
