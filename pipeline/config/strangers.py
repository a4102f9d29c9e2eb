"""Properties that their object does not have: what was meant by each, and where it belongs. No I/O.

A name that is clearly a slip of one that is still free is read as that one, so that the faults of its value are told in
the same run. Two that may mean the same one are both left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import BaseModel

from pipeline.config.given import advice, note, opening
from pipeline.config.near import near
from pipeline.config.shape import Shape, shapes
from pipeline.config.slip import slip
from pipeline.config.tree import Array, Document, Node, Object
from pipeline.errors import Edit, Label, Note, Problem

# More faults of one component are one fault many times: a list of the wrong kind.
MOST_FINDINGS: Final = 100
AROUND: Final = "the object around this one"


@dataclass(frozen=True, slots=True)
class Home:
    """An object to which a property may belong: the words for it, and its class."""

    words: str
    model: type[BaseModel]


@dataclass(slots=True)
class Strangers:
    """An object with every slip under the name that was meant, and the names that are left."""

    document: Document
    node: Object
    value: dict[str, object]
    model: type[BaseModel]
    noun: str
    path: tuple[str, ...]
    renamed: dict[str, str] = field(default_factory=dict)
    """Field → the name as it is written."""
    homes: list[Home] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    unsure: set[str] = field(default_factory=set)
    """Fields that may be written, under a name that was not understood: neither missing nor at their default."""
    inner: list[str] = field(default_factory=list)
    """The strangers of the plain objects within."""
    of_another_type: bool = False
    """Whether that the object is of this class was only taken for granted, and is told to be wrong."""
    problems: list[Problem] = field(default_factory=list)

    def told(self, homes: Iterable[Home] = (), explain: str = "") -> list[Problem]:
        """E201 for each, in the order of the text. `homes` are further objects to which one may belong."""
        self.homes += homes
        if self.document.torn:
            # It may well stand in its right place, and a bracket in a wrong one; that has been told.
            self.names = [name for name in self.names if self._home(name) is None]
        written = {name: meant for meant, name in self.renamed.items()}
        # Where the end of the object was guessed they may belong to another one; what was understood does not.
        others = self.names if self.node.whole and not self.of_another_type else ()
        names = [name for name in (*written, *others) if not self._is_guessed(name)]
        places = [(self._start(written.get(name, name)), name) for name in names]
        wanted = [name for _, name in sorted(places)][:MOST_FINDINGS]
        found = [self.problem(name, written.get(name), explain) for name in wanted]
        if len(places) > MOST_FINDINGS:
            more = note(f"{len(places) - MOST_FINDINGS} more properties of this component are unknown")
            found[-1] = replace(found[-1], notes=(*found[-1].notes, more))
        return found

    def _is_guessed(self, name: str) -> bool:
        """Whether the name was put together from a text whose quotes are at fault."""
        member = self.node.members.get({written: meant for meant, written in self.renamed.items()}.get(name, name))
        if member is None:
            return False
        start, end = member.key.start, member.key.end
        return any(not p.fix and start - 1 <= p.span.start <= end for p in self.document.problems)

    def _start(self, name: str) -> int:
        member = self.node.members.get(name)
        return member.key.start if member else self.node.start

    def problem(self, name: str, meant: str | None = None, explain: str = "") -> Problem:
        """E201 for one name that is clearly `meant` as another, or with what it may have been."""
        member = self.node.members.get(meant or name)
        span = self.document.span(member.key) if member else opening(self.document, self.node)
        related: tuple[Label, ...] = ()
        fix: tuple[Edit, ...] = ()
        help_: Note | None = None
        fields = shapes(self.model)
        home = self._home(name)
        if meant:
            help_ = advice(f"did you mean `{meant}`?")
            fix = (Edit(span, json.dumps(meant)),) if member else ()
        elif home:
            help_ = advice(f"`{name}` belongs in {home.words}")
        elif close := slip(name, fields) or self._elsewhere(name) or next(iter(near(name, fields)), ""):
            if isinstance(close, Home):
                help_ = advice(f"did you mean `{slip(name, shapes(close.model))}`? it belongs in {close.words}")
            elif other := self.node.members.get(close):
                help_ = advice(f"did you mean `{close}`? it is set already")
                related = (Label(self.document.span(other.key), "set here"),)
            else:
                help_ = advice(f"did you mean `{close}`?")
        elif explain:
            help_ = advice(f"properties: `mailweir explain {explain}`")
        message = f"unknown property `{name}` in {self.noun}"
        label = f"not a property of {self.noun}"
        notes = (help_,) if help_ else ()
        return Problem("E201", message, span, label, (*self.path, name), related=related, notes=notes, fix=fix)

    def _home(self, name: str) -> Home | None:
        return next((home for home in self.homes if name in shapes(home.model)), None)

    def _elsewhere(self, name: str) -> Home | None:
        return next((home for home in self.homes if slip(name, shapes(home.model))), None)


def settle(
    document: Document,
    node: Object,
    value: Mapping[str, object],
    model: type[BaseModel],
    noun: str,
    path: tuple[str, ...],
    around: Sequence[Home] = (),
    renamed: Mapping[str, str] | None = None,
) -> Strangers:
    """The strangers of an object; those of the plain objects in it are told at once.

    `around` are the objects around it, `renamed` the names that were understood before its class was known.
    """
    fields = shapes(model)
    homes = [*around, *(Home(f"`{name}`", part) for name, part in parts(model))]
    found = Strangers(document, node, dict(value), model, noun, path, dict(renamed or {}), homes)
    if model.model_config.get("extra") != "allow":
        found.names = [name for name in value if name not in fields]
        _understand(found, fields)
    for name, shape in fields.items():
        if name in found.value and shape.model and not shape.slot:
            _settle_part(found, name, shape, [Home(AROUND, model), *homes])
    return found


def parts(model: type[BaseModel]) -> list[tuple[str, type[BaseModel]]]:
    """The properties of a class that hold plain objects, and the classes of these."""
    return [(name, shape.model) for name, shape in shapes(model).items() if shape.model and not shape.slot]


def slips(node: Object, names: Iterable[str]) -> dict[str, str]:
    """For each of these names that the object does not have: the one name in it that was meant so."""
    found = {}
    for name in names:
        if name not in node.members:
            written = [key for key in node.members if slip(key, [name]) or key == name[1:]]
            if len(written) == 1:
                found[name] = written[0]
    return found


def rename(node: Object, renamed: Mapping[str, str]) -> Object:
    """The object with its properties under the names that were meant."""
    if not renamed:
        return node
    meant = {written: name for name, written in renamed.items()}
    return replace(node, members={meant.get(key, key): member for key, member in node.members.items()})


def _understand(found: Strangers, fields: Mapping[str, Shape]) -> None:
    """Find out what was meant by the strangers: rename the clear ones, note what is unsure for the others."""
    free = [name for name in fields if name not in found.value]
    claims: dict[str, list[str]] = {}
    for name in found.names[:MOST_FINDINGS]:
        if any(name in shapes(home.model) for home in found.homes):
            continue
        meant = slip(name, fields)
        if meant in free:
            claims.setdefault(meant, []).append(name)
        elif meant is None:
            found.unsure.update(near(name, free))
    renamed = {}
    for meant, names in claims.items():
        if len(names) == 1 and (names[0] in found.node.members or not found.node.members):
            renamed[meant] = names[0]
        else:
            found.unsure.add(meant)
    if renamed:
        written = {name: meant for meant, name in renamed.items()}
        found.renamed |= renamed
        found.node = rename(found.node, renamed)
        found.value = {written.get(key, key): item for key, item in found.value.items()}
        found.names = [name for name in found.names if name not in written]


def _settle_part(found: Strangers, name: str, shape: Shape, around: Sequence[Home]) -> None:
    """The same for a property that holds an object, or a list of objects."""
    member, raw = found.node.members.get(name), found.value[name]
    if member is None or shape.model is None:
        return

    def one(node: Node, value: object) -> tuple[Node, object]:
        if not isinstance(node, Object) or not isinstance(value, dict) or shape.model is None:
            return node, value
        inner = settle(found.document, node, value, shape.model, f"`{name}`", (*found.path, name), around)
        found.problems += inner.told()[: max(0, MOST_FINDINGS - len(found.problems))]
        found.problems += inner.problems
        found.inner += [*inner.names, *inner.inner]
        if inner.unsure:
            found.unsure.add(name)
        return inner.node, {key: item for key, item in inner.value.items() if key not in inner.names}

    node: Node = member.value
    if shape.named_parts and isinstance(node, Object) and isinstance(raw, dict):
        inner = Strangers(found.document, node, dict(raw), shape.model, name, (*found.path, name))
        for key in raw:
            _settle_part(inner, key, shape.part, around)
        found.problems += inner.problems[: max(0, MOST_FINDINGS - len(found.problems))]
        found.inner += inner.inner
        found.unsure.update([name] if inner.unsure else ())
        node, raw = inner.node, inner.value
    elif isinstance(node, Array) and isinstance(raw, list):
        pairs = [one(item, value) for item, value in zip(node.items, raw, strict=True)]
        node, raw = replace(node, items=[item for item, _ in pairs]), [value for _, value in pairs]
    else:
        node, raw = one(node, raw)
    if node is not member.value:
        found.node = replace(found.node, members={**found.node.members, name: replace(member, value=node)})
    found.value[name] = raw
