"""What there is to reach in a pipe: rules, the ways of their conditions, templates, and what becomes of mails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from mailweir.flows import mail_sink
from mailweir.testing.declared import pipe_of
from mailweir.testing.reached import key_of_outcome, key_of_rule, key_of_template, key_of_transform
from pipeline.alternatives import chosen
from pipeline.config.given import opening
from pipeline.config.tree import Lines
from pipeline.dtl.errors import written
from pipeline.dtl.told import node_at
from pipeline.dtl.watched import spots as rule_spots
from pipeline.errors import UnusableError
from pipeline.template.faults import Place
from pipeline.template.watched import spots as template_spots
from pipeline.transforms.dtl import DtlConfig

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.config.typed import Component
    from pipeline.dtl.watched import Spot as RuleSpot
    from pipeline.errors import Span
    from pipeline.pipe import PipeConfig
    from pipeline.template.faults import Where
    from pipeline.template.syntax import Parsed
    from pipeline.template.templates import Templates
    from sinks.outgoing import OutgoingConfig

Kind = Literal["rules", "templates", "outcomes"]

# Of the words for what becomes of a mail, those that a template or an address decides; the others are of servers.
_OUTCOMES: Final = ("sent", "rejected")
_IN_TEMPLATES: Final = {
    "rendered": "was never rendered",
    "then": "the condition never held",
    "else": "the `else` part was never rendered",
    "otherwise": "the condition always held",
    "some": "the loop never had an item",
    "none": "the loop was never empty",
}


class Aim(NamedTuple):
    """Something that a test can reach: where it stands, and what to say if none did."""

    kind: Kind
    key: str
    where: str
    never: str


def aims_of(component: Component, root: Path) -> dict[str, Aim]:
    """Those of a pipe by their keys, in the order of the text; none of one that cannot be used."""
    pipe = pipe_of(component)
    if pipe is None:
        return {}
    found = {one.key: one for one in _of_transforms(component, pipe)}
    sink = mail_sink(pipe)
    if sink is not None:
        found |= {one.key: one for one in _of_mails(component, sink, root)}
    return found


def _of_transforms(component: Component, pipe: PipeConfig) -> Iterator[Aim]:
    for place, part in enumerate(pipe.transform):
        config = chosen(part) or part
        declared = _declared(component, config)
        if isinstance(config, DtlConfig):
            for spot in rule_spots(config.parsed):
                yield Aim("rules", key_of_rule(place, spot), _where(declared, config, spot), _never(spot))
        else:
            where = "" if declared is None else _line(declared, opening(declared.given.document, declared.given.node))
            yield Aim("rules", key_of_transform(place), f"{where} {config.type}".strip(), "was never reached")


def _declared(component: Component, config: object) -> Component | None:
    """Where a part of the pipe is declared."""
    return next((one for one in component.walk() if one.config is config), None)


def _where(declared: Component | None, config: DtlConfig, spot: RuleSpot) -> str:
    name = f"{written(spot.place)} {spot.function}"
    member = None
    if declared is not None:
        member = declared.given.node.members.get("rules" if config.rules else "transforms")
    if declared is None or member is None:
        return name
    document = declared.given.document
    return f"{_line(declared, document.span(node_at(member.value, spot.place)))} {name}"


def _line(declared: Component, span: Span) -> str:
    document = declared.given.document
    return f"{document.name}:{Lines(document.text).place(span.start)[0]}"


def _never(spot: RuleSpot) -> str:
    if spot.way in {"kept", "dropped"}:
        return f"nothing was ever {spot.way}"
    return f"`{spot.way}` was never taken" if spot.way else "was never reached"


def _of_mails(component: Component, sink: OutgoingConfig, root: Path) -> Iterator[Aim]:
    declared = _declared(component, sink)
    try:
        templates, fixed = sink.templates(str(root), None if declared is None else declared.given)
    except UnusableError:
        return
    for source, where in fixed:
        yield from _of_template(source, where, templates)
    for outcome in _OUTCOMES:
        yield Aim("outcomes", key_of_outcome(outcome), "", f"no mail was ever {outcome}")


def _of_template(source: str, where: Where, templates: Templates) -> Iterator[Aim]:
    for parsed in templates.every(source):
        for spot in template_spots(parsed):
            yield Aim("templates", key_of_template(spot), _at(parsed, where, spot.offset), _IN_TEMPLATES[spot.way])


def _at(parsed: Parsed, where: Where, offset: int) -> str:
    line = parsed.text.count("\n", 0, offset) + 1
    if parsed.name or where.alone:
        return f"{where.span(Place(parsed.name, offset, offset + 1)).file}:{line}"
    return f"{where.path[-1] if where.path else 'template'} line {line}"
