"""pydantic's findings in the user's words, at the user's line. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.config.given import FromEnv, advice, note, opening
from pipeline.config.near import near
from pipeline.config.shape import Shape, shapes
from pipeline.config.slip import slip
from pipeline.config.strangers import MOST_FINDINGS, Strangers
from pipeline.config.tree import Array, Document, Node, Object, Scalar
from pipeline.errors import Edit, Note, Problem
from pipeline.secret import Secret

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)
Loc = tuple[str | int, ...]

# pydantic's error types for a value of another type, and what is wanted instead.
wanted = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a string",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "is_instance_of": "a string",
    "none_required": "null",
}
bounds = {"greater_than_equal", "less_than_equal", "greater_than", "less_than", "finite_number"}


def describe(value: object) -> str:
    """The type of a JSON value, as a person says it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str() | Secret():
            return "a string"
        case int():
            return "a number"
        case float():
            return "a number with a fraction"
        case dict():
            return "an object"
    return "a list"


def noun_of(model: type[BaseModel], type_name: str) -> str:
    """How messages name a component of this class."""
    kind = getattr(model, "kind", "")
    return f"{kind} {type_name}" if kind in {"source", "transform", "sink"} else type_name


def on_top(problem: Problem, document: Document) -> Problem:
    """The problem of a value that does not fit; where it is no JSON either, that fault with a word of this one.

    Its repair is left out then: it would make a right value of the wrong kind.
    """
    first = document.no_value(problem.span)
    return replace(first, path=problem.path, notes=(*first.notes, note(problem.message)), fix=()) if first else problem


def not_taken_up(syntax: Sequence[Problem], shape: Sequence[Problem]) -> list[Problem]:
    """The faults of a document's syntax without those that `on_top` made faults of its shape."""
    taken = {(problem.code, problem.span) for problem in shape}
    return [problem for problem in syntax if (problem.code, problem.span) not in taken]


def validate(
    model: type[M],
    usable: dict[str, object],
    unknown: set[str],
    document: Document,
    node: Object,
    path: tuple[str, ...],
    type_name: str,
) -> tuple[M | None, set[str], list[Problem]]:
    """The model, or None; the properties with a fault; the problems. `unknown` ones may be missing."""
    instance, errors = _try(model, usable)
    if errors:
        usable, converted = _from_environment(model, usable, errors)
        if converted:
            instance, errors = _try(model, usable)
    problems: list[Problem] = []
    bad: set[str] = set()
    groups = _groups(model, usable, errors)
    for loc, group in groups.items():
        first = str(loc[0])
        if first in unknown and group[0]["type"] == "missing":
            continue
        bad.add(first)
        if len(problems) == MOST_FINDINGS:
            continue
        finding = _Finding(model, usable, document, node, path, type_name, loc, group)
        # Each trial of a repair reads the whole component again.
        finding.many = len(groups) > MOST_FINDINGS
        problem = finding.problem()
        if problem:
            problems.append(problem)
    if len(groups) > MOST_FINDINGS and problems:
        more = note(f"{len(groups) - MOST_FINDINGS} more values of this component do not fit")
        problems[-1] = replace(problems[-1], notes=(*problems[-1].notes, more))
    return instance, bad, problems


def _try(model: type[M], usable: Mapping[str, object]) -> tuple[M | None, list[ErrorDetails]]:
    try:
        return model.model_validate(usable), []
    except ValidationError as error:
        return None, error.errors(include_url=False, include_input=False)


def _from_environment(
    model: type[BaseModel], usable: dict[str, object], errors: Sequence[ErrorDetails]
) -> tuple[dict[str, object], bool]:
    """Text of the environment read as JSON where text does not fit: "25" → 25, "True" → true."""
    spots = [
        loc for loc in {_json_loc(model, usable, error) for error in errors} if isinstance(_at(usable, loc), FromEnv)
    ]
    if not spots:
        return usable, False
    changed = False
    for loc in spots:
        value = _read(str(_at(usable, loc)))
        if not isinstance(value, str):
            usable = _with(usable, loc, value)
            changed = True
    return usable, changed


def _with(usable: Mapping[str, object], loc: Loc, value: object) -> dict[str, object]:
    """The same values with another one at a location; only what leads there is copied."""
    copied: dict[str, object] = dict(usable)
    holder: Any = copied
    for part in loc[:-1]:
        inner = holder[part]
        holder[part] = dict(inner) if isinstance(inner, dict) else list(inner)
        holder = holder[part]
    holder[loc[-1]] = value
    return copied


def _read(text: str) -> object:
    stripped = text.strip()
    try:
        return json.loads(stripped.lower() if stripped.lower() in {"true", "false", "null"} else stripped)
    except ValueError:
        return text


def _json_loc(model: type[BaseModel], usable: object, error: ErrorDetails) -> Loc:
    """The part of pydantic's location that exists in the JSON: names of union branches fall out.

    What is missing, or is there and refused, is its last part.
    """
    found: list[str | int] = []
    value, owner, free = usable, model, False
    named = error["type"] in {"missing", "extra_forbidden"}
    for index, part in enumerate(error["loc"], 1):
        if isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        elif isinstance(value, dict) and isinstance(part, str) and (free or part in shapes(owner)) and part in value:
            value = value[part]
            if free:
                # Under the names of the user there may be objects of a class.
                free = owner is _Nothing
            else:
                shape = shapes(owner)[part]
                # In an object of any names, and in a property that holds no object at all, no class says more.
                owner, free = shape.model or _Nothing, dict in shape.leaves
        elif not (named and index == len(error["loc"])):
            continue
        found.append(part)
    return tuple(found)


class _Nothing(BaseModel):
    """The class of what is no object: it has no properties."""


def _at(value: object, loc: Loc) -> object:
    """The value at a location; None where nothing stands (a missing property)."""
    for part in loc:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
        else:
            return None
    return value


def _groups(
    model: type[BaseModel], usable: Mapping[str, object], errors: Sequence[ErrorDetails]
) -> dict[Loc, list[ErrorDetails]]:
    """The errors of each place; of a union only those of the branch that came furthest."""
    groups: dict[Loc, list[ErrorDetails]] = {}
    for error in errors:
        loc = _json_loc(model, usable, error) or error["loc"][:1]
        groups.setdefault(loc, []).append(error)
    deeper = {loc[:length] for loc in groups for length in range(1, len(loc))}
    return {loc: group for loc, group in groups.items() if loc not in deeper}


class _Finding:
    """One place with a fault, on its way to a Problem."""

    def __init__(
        self,
        model: type[BaseModel],
        usable: Mapping[str, object],
        document: Document,
        node: Object,
        path: tuple[str, ...],
        type_name: str,
        loc: Loc,
        group: Sequence[ErrorDetails],
    ) -> None:
        self.model, self.usable, self.document, self.group, self.loc = model, usable, document, group, loc
        self.path = (*path, *(str(part) for part in loc if isinstance(part, str)))
        self.owner: type[BaseModel] | None = model
        self.noun = noun_of(model, type_name)
        self.shape: Shape | None = None
        self.holder: Object | None = node
        self.node: Node = node
        self._descend()
        self.name = str(next((part for part in reversed(loc) if isinstance(part, str)), ""))
        items = takewhile(lambda part: isinstance(part, int), reversed(loc))
        self.item = self.name + "".join(f"[{part}]" for part in reversed([*items]))
        self.kinds = {error["type"] for error in group}
        self.many = False

    def _descend(self) -> None:
        owner = ""
        for part in self.loc:
            if isinstance(part, str) and self.shape and self.shape.named_parts:
                self.shape, owner = self.shape.part, part
            elif isinstance(part, str):
                if self.shape:
                    self.owner, self.noun = self.shape.model, f"`{owner}`"
                self.shape = shapes(self.owner).get(part) if self.owner else None
                owner = self.shape.written if self.shape else ""
            if isinstance(self.node, Object) and isinstance(part, str):
                self.holder = self.node
                member = self.node.members.get(part)
                if member is None:
                    return
                self.node = member.value
            elif isinstance(self.node, Array) and isinstance(part, int) and part < len(self.node.items):
                self.node = self.node.items[part]

    def problem(self) -> Problem | None:
        if "missing" in self.kinds:
            return self._missing()
        if "extra_forbidden" in self.kinds and self.owner and isinstance(self.holder, Object):
            return Strangers(self.document, self.holder, {}, self.owner, self.noun, self.path[:-1]).problem(self.name)
        if self.document.torn and isinstance(self.node, Array | Object):
            # A bracket in the wrong place makes lists of objects, and has been told.
            return None
        return on_top(self._wrong_value(), self.document)

    def _wrong_value(self) -> Problem:
        value = _at(self.usable, self.loc)
        if isinstance(value, FromEnv):
            return self._unreadable(value)
        if self.kinds & bounds:
            return self._out_of_range(value)
        if (choices := self._choices()) and isinstance(value, str) and "literal_error" in self.kinds:
            return self._no_choice(value, choices)
        if self.kinds & {"too_short", "string_too_short"} and not value:
            return self._make("E203", f"`{self.name}` is empty", label="nothing in it")
        if "string_pattern_mismatch" in self.kinds:
            return self._make("E203", f"`{self.name}` has characters that do not belong there")
        for error in self.group:
            if error["type"] in {"value_error", "assertion_error"}:
                return self._make("E203", f"`{self.item}` {error['ctx']['error']}")
        return self._other_type(value)

    def _make(self, code: str, message: str, *notes: Note, label: str = "", fix: str | None = None) -> Problem:
        span = self.document.span(self.node)
        # A value that a reference gave stands elsewhere: nothing in this file is repaired, and nothing of it is shown.
        literal = isinstance(self.node, Scalar) and self.node.value == _at(self.usable, self.loc)
        edits = (Edit(span, fix),) if fix is not None and literal else ()
        return Problem(code, message, span, label, self.path, notes=notes, fix=edits)

    def _missing(self) -> Problem | None:
        holder = self.node if isinstance(self.node, Object) else self.holder
        # What is written but not known here is not missing.
        if holder is None or not holder.whole or self.name in holder.members:
            return None
        what = self.shape.info.description if self.shape and self.shape.info.description else ""
        notes = (note(what.rstrip(".")),) if what else ()
        return Problem(
            "E204",
            f"`{self.name}` is missing in {self.noun}",
            opening(self.document, holder),
            f"no `{self.name}` in this object",
            self.path[:-1],
            notes=notes,
        )

    def _unreadable(self, value: FromEnv) -> Problem:
        expected = self._expected()
        empty = "it is empty" if not value else f"its text is not {expected}"
        message = f"`$ENV({value.variable})` cannot be read as {expected} for `{self.item}`"
        return self._make("E308", message, note(empty), label="the value comes from here")

    def _expected(self) -> str:
        names = [wanted[kind] for kind in (error["type"] for error in self.group) if kind in wanted]
        names += [f'"{choice}"' for choice in self._choices()]
        if not names and self.kinds & bounds:
            names = [f"a number {self._range()}"]
        *most, last = dict.fromkeys(part for name in names for part in name.split(" or ")) or [
            "what this property needs"
        ]
        return f"{', '.join(most)} or {last}" if most else last

    def _choices(self) -> list[str]:
        return [str(choice) for choice in self.shape.choices if isinstance(choice, str)] if self.shape else []

    def _range(self) -> str:
        limits = self.shape.bounds if self.shape else None
        if limits is None:
            return "in range"
        if limits.least is not None and limits.most is not None:
            return f"between {_number(limits.least)} and {_number(limits.most)}"
        if limits.least is not None:
            return f"{_number(limits.least)} or more"
        if limits.above is not None:
            return f"greater than {_number(limits.above)}"
        if limits.most is not None:
            return f"{_number(limits.most)} or less"
        return "in range"

    def _out_of_range(self, value: object) -> Problem:
        hints = self.shape.advice if self.shape else None
        notes = [advice(text) for text in hints.help] if hints else []
        close = near(str(value), [str(usual) for usual in hints.usual]) if hints else []
        if close:
            notes.append(advice(f"did you mean {close[0]}?"))
        message = f"`{self.item}` must be {self._range()}, not {value}"
        return self._make("E203", message, *notes, label=hints.label if hints else "")

    def _no_choice(self, value: str, choices: Sequence[str]) -> Problem:
        listed = ", ".join(f'"{choice}"' for choice in choices)
        also = "true, false, " if "bool_type" in self.kinds else ""
        meant = slip(value, choices)
        close = [meant] if meant else near(value, choices)
        notes = (advice(f'did you mean "{close[0]}"?'),) if close else ()
        fix = json.dumps(meant) if meant else None
        message = (
            f"`{self.item}` must be one of {also}{listed}"
            if len(choices) > 1 or also
            else f"`{self.item}` must be {listed}"
        )
        return self._make("E203", message, *notes, label="none of these", fix=fix)

    def _other_type(self, value: object) -> Problem:
        expected = self._expected()
        message = f"`{self.item}` must be {expected}, not {describe(value)}"
        fix, notes = self._retyped(value)
        hints = self.shape.advice.help if self.shape and not notes else ()
        return self._make("E202", message, *notes, *map(advice, hints), label=describe(value), fix=fix)

    def _retyped(self, value: object) -> tuple[str | None, tuple[Note, ...]]:
        """The one repair of a value in (or without) quotes, tried on the model before it is offered."""
        if isinstance(value, str) and not isinstance(_read(value), str) and _read(value) is not None:
            other, words = _read(value), "write the number without quotes"
            if isinstance(other, bool):
                words = f"write {value.lower()} without quotes"
        elif isinstance(value, int) and not isinstance(value, bool):
            other, words = str(value), "write it in quotes"
        else:
            return None, ()
        if self.many:
            return None, ()
        trial = _with(self.usable, self.loc, other)
        _, errors = _try(self.model, trial)
        if any(_json_loc(self.model, trial, error)[: len(self.loc)] == self.loc for error in errors):
            return None, ()
        return json.dumps(other), (advice(words),)


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)
