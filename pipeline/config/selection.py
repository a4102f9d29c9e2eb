"""The codes that a person names to report or to leave out: `E201`, or a family such as `E2`. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pipeline.config.given import advice, note
from pipeline.config.near import near
from pipeline.config.settings import NOUN, Settings
from pipeline.config.tree import Array, Document, Node, Object, Scalar
from pipeline.errors import Problem


def names_codes(text: str, known: Collection[str]) -> bool:
    """Whether this is a code, or the beginning of one."""
    return bool(text) and any(code.startswith(text) for code in known)


def meant(text: str, known: Collection[str]) -> list[str]:
    """The codes that someone may have meant: `e201`, `201` and `W201` are `E201`."""
    number = text.upper().lstrip("EW")
    same = [code for code in known if number and code[1:] == number]
    return same or near(text.upper(), known, most=3)


def reported(problem: Problem, select: Collection[str], ignore: Collection[str]) -> bool:
    """Whether a problem is one of those to report. What is wrong with the choice itself always is."""
    if problem.path[:1] in {("select",), ("ignore",)} and problem.span.file.endswith(NOUN):
        return True
    return (not select or problem.code.startswith(tuple(select))) and not problem.code.startswith(tuple(ignore))


def right(settings: Settings, known: Collection[str]) -> Settings:
    """The settings with the codes that there are; a name that is none would choose nothing, or (`""`) everything."""
    select = tuple(code for code in settings.select if names_codes(code, known))
    ignore = {code: why for code, why in settings.ignore.items() if names_codes(code, known)}
    return settings.model_copy(update={"select": select, "ignore": ignore})


def selection_faults(document: Document, known: Collection[str]) -> Iterator[Problem]:
    """E203 for each code in `select` and `ignore` of the settings that is none: it would have no effect in silence."""
    if not isinstance(document.root, Object):
        return
    members = {name: member.value for name, member in document.root.members.items()}
    select, ignore = members.get("select"), members.get("ignore")
    places: list[tuple[str, Node]] = []
    if isinstance(select, Array):
        places += [("select", item) for item in select.items]
    if isinstance(ignore, Object):
        places += [("ignore", member.key) for member in ignore.members.values()]
    for name, node in places:
        if isinstance(node, Scalar) and isinstance(node.value, str) and not names_codes(node.value, known):
            yield _unknown(document, name, node, node.value, known)


def _unknown(document: Document, name: str, node: Node, text: str, known: Collection[str]) -> Problem:
    close = meant(text, known)
    told = advice(f"did you mean {' or '.join(f'`{code}`' for code in close)}?") if close else None
    notes = (*([told] if told else ()), note("codes, and families such as `E2`: `mailweir list codes`"))
    return Problem("E203", f"`{name}` names no code", document.span(node), "no such code", (name,), notes=notes)
