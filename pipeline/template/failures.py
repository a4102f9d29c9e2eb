"""A rendering that ended without a text, told as a fault at its place in the template. No I/O.

Python says which instruction failed, and in which columns of the code it stands. The pieces that were written down with
the code lead from there to the node, and the node to its characters. Nothing of the values of the entity is told.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import islice
from types import TracebackType
from typing import Any, Final

from jinja2 import nodes
from jinja2.utils import missing

from pipeline.config.given import advice, note
from pipeline.config.near import near
from pipeline.errors import Note
from pipeline.template.faults import Place, TemplateFault
from pipeline.template.limits import Refused
from pipeline.template.runtime import Compiled
from pipeline.template.values import Missing

# Names of Python's types in its messages, as people say them.
_KINDS: Final = {
    "NoneType": "null",
    "str": "text",
    "Markup": "text",
    "int": "a number",
    "float": "a number",
    "Decimal": "a number",
    "decimal.Decimal": "a number",
    "list": "a list",
    "tuple": "a list",
    "dict": "an object",
    "bool": "true or false",
}
# Among more names than these nobody looks for the one that was meant.
MOST_NAMES: Final = 1000
_MACRO: Final = re.compile(r"macro ('\w+') (takes .*)")
Found = tuple[Compiled, nodes.Node | None, Place]


def fault_of(error: BaseException, values: Mapping[str, Any], otherwise: Place) -> TemplateFault:
    """The fault; `values` are the variables, of which only names are told. `otherwise` is for one without a place."""
    found = list(_frames(error.__traceback__))
    if not found:
        return _told(error, None, otherwise, ())
    compiled, node, place = found[-1]
    # A macro that calls itself is in the chain once.
    chain = tuple(dict.fromkeys(each for _, _, each in found[-2::-1] if each != place))
    if isinstance(error, Missing):
        return _missing(error, compiled, node, place, chain, values)
    return _told(error, node, place, chain, called=_ends_in_template(error.__traceback__))


def _frames(trace: TracebackType | None) -> Iterator[Found]:
    """The places in templates that the error went through, from the outermost."""
    while trace is not None:
        compiled = trace.tb_frame.f_globals.get("compiled")
        if isinstance(compiled, Compiled):
            yield _found(compiled, trace)
        trace = trace.tb_next


def _ends_in_template(trace: TracebackType | None) -> bool:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and isinstance(trace.tb_frame.f_globals.get("compiled"), Compiled)


def _found(compiled: Compiled, trace: TracebackType) -> Found:
    positions = list(trace.tb_frame.f_code.co_positions())
    line, last, column, end = positions[trace.tb_lasti // 2]
    parsed = compiled.parsed
    if line is not None and last is not None and column is not None and end is not None:
        around = [piece for piece in compiled.pieces if piece.start <= (line, column) and (last, end) <= piece.end]
        if around:
            piece = max(around, key=lambda piece: (piece.start, (-piece.end[0], -piece.end[1])))
            return compiled, piece.node, parsed.place(piece.node)
    elif pieces := [piece for piece in compiled.pieces if piece.start[0] == trace.tb_lineno]:
        # Python was told to keep no columns.
        return compiled, pieces[-1].node, parsed.place(pieces[-1].node)
    index = bisect_right(compiled.lines, (trace.tb_lineno, 1 << 60)) - 1
    return compiled, None, parsed.tag(compiled.lines[max(index, 0)][1] if compiled.lines else 0)


def _told(
    error: BaseException, node: nodes.Node | None, place: Place, chain: tuple[Place, ...], *, called: bool = False
) -> TemplateFault:
    if isinstance(error, Refused):
        return TemplateFault(error.code, error.message, place, "here", tuple(map(advice, error.help)), chain)
    if isinstance(error, RecursionError):
        return TemplateFault("E410", "this template, or what it shows, goes too deep", place, "here", (), chain)
    if isinstance(error, MemoryError):
        return TemplateFault("E410", "this template needs more memory than there is", place, "here", (), chain)
    return TemplateFault("E409", _words(error, node, called=called), place, "here", (), chain)


def _words(error: BaseException, node: nodes.Node | None, *, called: bool) -> str:
    macro = _MACRO.search(str(error)) if isinstance(error, TypeError) else None
    if macro:
        return f"the macro {macro[1]} {macro[2]}".replace("'", "`")
    if isinstance(error, TypeError):
        if called and isinstance(node, nodes.Filter | nodes.Test):
            kind = "filter" if isinstance(node, nodes.Filter) else "test"
            return f"the {kind} `{node.name}` does not take these arguments"
        kinds = [_KINDS[name] for name in re.findall(r"'([\w.]+)'", str(error)) if name in _KINDS]
        if kinds:
            return f"this cannot be done with {' and '.join(kinds)}"
    if isinstance(error, ValueError) and "unpack" in str(error):
        return "the items of this loop have another number of parts than it has names"
    if isinstance(error, ZeroDivisionError):
        return "division by zero"
    return "this cannot be worked out from these values"


def _missing(
    error: Missing,
    compiled: Compiled,
    node: nodes.Node | None,
    place: Place,
    chain: tuple[Place, ...],
    values: Mapping[str, Any],
) -> TemplateFault:
    absent = error.absent
    node = _culprit(node, absent.name if absent is not None else None)
    if node is not None:
        place = compiled.parsed.place(node)
    written = compiled.parsed.text[place.start : place.end]
    if absent is not None and absent.hint:
        return TemplateFault("E408", str(absent.hint), place, "here", (), chain)
    notes: list[Note] = []
    name = absent.name if absent is not None else node.name if isinstance(node, nodes.Name) else None
    owner = absent.owner if absent is not None else missing
    if name is None or (owner is missing and name in values and values[name] is None):
        message, label = f"`{written}` is null", "null has no text"
    elif owner is missing:
        message, label = f"the entity has no property `{name}`", "not in this entity"
        notes = _did_you_mean(name, values)
    else:
        message, label = f"{_owner(compiled, node)} has no `{name}`", "not in it"
        if isinstance(owner, dict):
            notes = _did_you_mean(str(name), owner)
    notes.append(advice(f'where it may be missing write `{{{{ {_short(written)} | default("…") }}}}`'))
    return TemplateFault("E408", message, place, label, tuple(notes), chain)


def _short(text: str) -> str:
    return text if len(text) <= 40 and "\n" not in text else "…"


def _owner(compiled: Compiled, node: nodes.Node | None) -> str:
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        place = compiled.parsed.place(node.node)
        return f"`{_short(compiled.parsed.text[place.start : place.end])}`"
    return "this value"


def _did_you_mean(name: str, known: Mapping[str, Any]) -> list[Note]:
    spaced = [each for each in known if isinstance(each, str) and each.endswith(f":{name}")]
    if spaced:
        listed = " and ".join(f"`{each}`" for each in sorted(spaced)[:3])
        return [note(f"there is {listed}"), advice(f'write which: `entity["{min(spaced)}"]`')]
    names = (each for each in known if isinstance(each, str) and each != "entity")
    close = near(name, islice(names, MOST_NAMES))
    return [advice(f"did you mean `{close[0]}`?")] if close else []


def _culprit(node: nodes.Node | None, name: object) -> nodes.Node | None:
    """The part of an expression that is missing: the variable or the attribute of that name."""
    if node is None:
        return None
    wanted: list[nodes.Node] = [node, *node.find_all((nodes.Name, nodes.Getattr, nodes.Getitem))]
    for each in wanted:
        match each:
            case nodes.Name(name=found) | nodes.Getattr(attr=found) | nodes.Getitem(arg=nodes.Const(value=found)):
                if found == name:
                    return each
    while isinstance(node, nodes.Filter) and node.node is not None:
        node = node.node
    return node
