"""What a mail sink's templates say together with the rest of its configuration and of the project. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from pipeline.config.given import advice, note
from pipeline.config.near import near
from pipeline.entity import Entity
from pipeline.errors import Label, Note, Problem
from pipeline.template.check import unescaped
from pipeline.template.failures import MOST_NAMES
from pipeline.template.faults import Where
from pipeline.template.uses import ITEM, Path, Use, names_at, unmet
from pipeline.template.written import source_of, templates_of

if TYPE_CHECKING:
    from pipeline.config.given import Given

TEMPLATES: Final = ("subject_template", "body_template", "text_body_template")
# The ways to give a template, and what the first of two is called.
_WAYS: Final = {"": "a fixed template", "_file": "a file", "_property": "a property", "_file_property": "a property"}
# More entities than these say nothing new of what entities have.
_MOST_ENTITIES: Final = 1000


def template_faults(given: Given) -> Iterator[Problem]:
    """Faults of the templates that a sink names, and two ways to give one."""
    for name in TEMPLATES:
        ways = [name + way for way in _WAYS if given.written(name + way) and given.has(name + way)]
        for other in ways[1:]:
            yield excluding(given, ways[0], other, _WAYS[ways[0].removeprefix(name)])
        yield from _faults(given, name)


def holes(given: Given) -> Iterator[Problem]:
    """W407 for a sink whose messages may go out with holes."""
    if given.get("unhandled_template_variable_replacement") in {"debug", "empty_string"}:
        value = given.text("unhandled_template_variable_replacement")
        shows = "the raw `{{ name }}`" if value == "debug" else "a gap"
        yield given.problem(
            "W407",
            f'`unhandled_template_variable_replacement` is "{value}"',
            "unhandled_template_variable_replacement",
            label="mails go out with holes",
            notes=(
                note(f"a mail whose entity lacks a property shows {shows} to its reader"),
                advice('"strict" rejects such a mail and says what is missing'),
            ),
        )


def excluding(given: Given, name: str, other: str, first: str) -> Problem:
    """E209 for two properties that say the same thing in two ways."""
    keep = "template" if name.endswith(("_template", "_file", "_property")) else "addresses"
    keep = "recipients" if name == "recipients" else keep
    held = other.endswith("_property")
    words = f"keep one: the fixed {keep}, or the one that each entity brings" if held else "keep one of them"
    return given.problem(
        "E209",
        f"`{name}` and `{other}` are both set",
        "",
        at=given.key(other),
        label="and the property that should hold it" if held else "and another one",
        related=(Label(given.key(name), first),),
        notes=(advice(words),),
    )


def _faults(given: Given, name: str) -> Iterator[Problem]:
    templates = templates_of(given)
    found = source_of(given, name, templates)
    if isinstance(found, Problem):
        yield found
    elif found is not None:
        source, where = found
        faults = templates.faults(source)
        beside = any(given.has("text_body_template" + way) for way in _WAYS)
        if not faults and name == "body_template" and templates.body_part(source, beside_text=beside) == "html":
            faults = tuple(fault for parsed in templates.every(source) for fault in unescaped(parsed))
        for fault in faults:
            yield fault.problem(where)


def unmet_variables(
    given: Given, entities: Sequence[Entity], lines: Iterable[tuple[str, Where]] = ()
) -> Iterator[Problem]:
    """W403: what a template shows, and none of the entities has. `lines` are templates beside those of the texts."""
    templates = templates_of(given)
    known = entities[:_MOST_ENTITIES]
    texts = [source_of(given, name, templates) for name in TEMPLATES]
    for source, where in (*(found for found in texts if isinstance(found, tuple)), *lines):
        uses = templates.uses(source)
        for use, depth in () if uses is None else unmet(uses, known):
            yield _unmet(given, use, depth, where, known)


def _unmet(given: Given, use: Use, depth: int, where: Where, entities: Sequence[Entity]) -> Problem:
    path = use.path[: depth + 1]
    missing = path[-1]
    message = f"no test entity has a property `{missing}`"
    if depth:
        owner = ".".join(step for step in path[:-1] if step != ITEM)
        message = f"in no test entity `{owner}` has a property `{missing}`"
    unhandled = given.get("unhandled_template_variable_replacement", "strict")
    notes = [note("the mail of an entity that lacks it is `rejected`")]
    if unhandled in {"debug", "empty_string"}:
        shown = f"show `{{{{ {missing} }}}}`" if unhandled == "debug" else "show a gap"
        said = f'`unhandled_template_variable_replacement` at "{unhandled}"'
        notes = [note(f"with {said} the mail would {shown} to its reader")]
    notes += _meant(path, entities)
    place = where.span(use.place)
    return Problem("W403", message, place, "used here", where.path, notes=tuple(notes))


def _meant(path: Path, entities: Sequence[Entity]) -> Iterator[Note]:
    close = near(path[-1], names_at(entities, path)[:MOST_NAMES])
    if close:
        having = sum(1 for entity in entities if names_at([entity], path).count(close[0]))
        count = f"all {having}" if having == len(entities) else f"{having} of {len(entities)}"
        have = "the test entity of this pipe has it"
        if len(entities) > 1:
            have = f"{count} test entities of this pipe have it"
        yield advice(f"did you mean `{close[0]}`? {have}")
