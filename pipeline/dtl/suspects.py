"""Rules that can be read and cannot be meant: conditions that are always the same, rules without end. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from pipeline.config.given import advice, note
from pipeline.dtl.compile import Compiler
from pipeline.dtl.parse import DEFAULT, Fault
from pipeline.dtl.registry import NOWHERE
from pipeline.dtl.signature import Group, Optional, Parameter
from pipeline.dtl.tree import Block, Call, Literal, Path
from pipeline.dtl.values import is_true, listed

# What may end a rule, or leave a part of it out.
_CHOOSING: Final = frozenset({"if", "case", "case-eq", "filter", "discard", "fail!"})
# What evaluates all that it is given, whatever the entity is.
_EAGER: Final = frozenset(
    {"add", "merge", "create", "create-child", "list", "dict", "combine", "count", "first", "last", "apply"}
)
_without_score: Final = re.compile(r"[STPR]\.\w")


def suspects(rules: Mapping[str, Block]) -> Iterator[Fault]:
    """What to tell of rules that have no faults of their own."""
    compiler = Compiler(rules)
    for block in rules.values():
        yield from _constants(block, compiler)
    yield from _endless(rules)


def _constants(node: Any, compiler: Compiler) -> Iterator[Fault]:
    if isinstance(node, Block):
        yield from _constants(list(node.calls), compiler)
    elif isinstance(node, list | tuple):
        for one in node:
            yield from _constants(one, compiler)
    elif isinstance(node, Call):
        for condition, last in _conditions(node):
            if last and isinstance(condition, Literal) and condition.value is True:
                # That is how people write the `else` of a `case`.
                continue
            # What fails is told with an entity.
            with suppress(Exception):
                if _looks_at_nothing(condition):
                    yield _constant(condition, is_true(compiler.expression(condition)(NOWHERE)))
        yield from _constants(node.args, compiler)


def _looks_at_nothing(node: Any) -> bool:
    if isinstance(node, list | tuple):
        return all(map(_looks_at_nothing, node))
    if isinstance(node, Call):
        return node.function.pure and _looks_at_nothing(node.args)
    return node is None or isinstance(node, Literal)


def _conditions(call: Call) -> Iterator[tuple[Any, bool]]:
    """The conditions of a call, each with whether it is the last one of several."""
    for part, given in zip(call.signature.parts, call.args, strict=True):
        if isinstance(part, Group):
            places = [at for at, one in enumerate(part.parameters) if one.name == "CONDITION"]
            for number, group in enumerate(given, 1):
                yield from ((group[at], number == len(given)) for at in places)
        elif _parameter(part).name == "CONDITION" and given is not None:
            yield given, False


def _parameter(part: Parameter | Optional) -> Parameter:
    return part.parameter if isinstance(part, Optional) else part


def _constant(condition: Any, always: bool) -> Fault:
    message = f"this condition is always {str(always).lower()}"
    value = condition.value if isinstance(condition, Literal) else None
    if isinstance(value, str) and _without_score.match(value):
        hint = advice(f'"{value}" is a text; did you mean the path "_{value}"?')
        return Fault("W808", message, condition.place, notes=(hint,), instead=f"_{value}")
    why = note("it looks at nothing that an entity has; true is all but `false`, `null` and `[]`")
    return Fault("W808", message, condition.place, "always the same", (why,))


def _endless(rules: Mapping[str, Block]) -> Iterator[Fault]:
    """Rules that apply themselves to what they were applied to, whatever that is."""
    edges = {name: dict(_always(block)) for name, block in rules.items()}
    told: set[str] = set()
    for start in edges:
        way = [start]
        seen = {start}
        while way and way[-1] not in told:
            # Each rule is followed along what it always applies; a circle is told where it closes.
            further = [name for name in edges[way[-1]] if name in edges]
            closing = next((name for name in further if name in way), None)
            if closing is not None:
                told.update(way[way.index(closing) :])
                yield _without_end(edges[way[-1]][closing], closing, way[way.index(closing) :])
                break
            following = next((name for name in further if name not in seen), None)
            if following is None:
                way.pop()
            else:
                seen.add(following)
                way.append(following)


def _without_end(call: Call, name: str, way: list[str]) -> Fault:
    through = f" through {', '.join(f'`{one}`' for one in way[1:])}" if len(way) > 1 else ""
    what = "what enters the pipe" if name == DEFAULT else "the same value"
    hints = (advice('go on with a part of it, such as "_S.children", or stop by ["filter", …] before'),)
    message = f"`{name}` applies itself to {what}{through}, without end"
    return Fault("E806", message, (*call.place, 1), "again", hints)


def _always(block: Block) -> Iterator[tuple[str, Call]]:
    """The rules that a rule applies to its own value whatever that is, each with the call."""
    for call in block.calls:
        if call.name in _CHOOSING:
            return
        yield from _applied(call)


def _applied(node: Any) -> Iterator[tuple[str, Call]]:
    if isinstance(node, list | tuple):
        for one in node:
            yield from _applied(one)
    if not isinstance(node, Call) or node.name not in _EAGER:
        return
    if node.name == "apply" and _is_own(node.args[1]):
        yield node.args[0].value, node
    for part, given in zip(node.signature.parts, node.args, strict=True):
        if isinstance(part, Group) or _parameter(part).takes == "value":
            yield from _applied(given)


def _is_own(node: Any) -> bool:
    """Whether it is the value that the rule is applied to, or one that is always the same and there."""
    if isinstance(node, Path):
        return node.variable == "_S" and not node.parts
    return isinstance(node, Literal) and any(one is not None for one in listed(node.value))
