"""What one component cannot see: names used twice, references to systems, the flow between pipes. No I/O."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence

from pipeline.component import SystemConfig
from pipeline.config.alternatives import Alternative
from pipeline.config.flow import MOST_PAIRS, Flow
from pipeline.config.given import advice, note
from pipeline.config.named import OTHER_IS_MISSPELT, Named, is_faulty, is_file_name, is_literal, references, unread
from pipeline.config.near import near
from pipeline.config.slip import short_for, slip
from pipeline.config.tree import Document, Scalar
from pipeline.config.typed import Component
from pipeline.errors import Edit, Label, Problem

LONGEST_ID = 128
_id = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*\Z")


def check(
    components: Sequence[Component],
    broken: Sequence[Document],
    lost: Sequence[str] = (),
    others: Sequence[Alternative] = (),
    *,
    all_read: bool = True,
) -> list[Problem]:
    """Every fault between components.

    `broken` are documents of which parts could not be read, `lost` the names of components of which nothing is known.
    Of `others`, the alternatives that are not chosen, what they name is looked for; they add nothing to the flow.
    Without `all_read` a pipe may read more than is known.
    """
    problems = [*ids(components), *twice(components)]
    named = list(references(components))
    flow = Flow(components, named, others)
    elsewhere = [use for other in others for use in other.named]
    problems += systems(components, [*named, *elsewhere], unread(broken, lost))
    problems += rings(named)
    problems += two_ways(named)
    problems += flow.problems(broken, lost, all_read=all_read)
    return problems


def ids(components: Iterable[Component]) -> Iterator[Problem]:
    """Every component at the top has an `_id` that can name it."""
    for component in components:
        given = component.given
        member = given.node.members.get("_id")
        # The text as it is written: an `_id` is never put together from references.
        text = member.value.value if member and isinstance(member.value, Scalar) else None
        reason = id_fault(text) if isinstance(text, str) else None
        if reason and not _is_torn(component):
            fact = note("an `_id` has letters, digits, `-`, `_`, `.` and `:`, and begins with a letter or digit")
            taken = (note("references are not looked up in an `_id`"),) if "$" in str(text) else ()
            yield given.problem("E210", f"this `_id` {reason}", "_id", notes=(*taken, fact))


def has_fault(component: Component) -> bool:
    """Whether its `_id`, or the text of it, has a fault, so that it is not known."""
    return _is_torn(component) or id_fault(component.id) is not None


def _is_torn(component: Component) -> bool:
    span = component.given.value("_id")
    return any(span.start <= problem.span.start < span.end for problem in component.given.document.problems)


def id_fault(value: str) -> str | None:
    """Why this text cannot be an `_id`."""
    if not value:
        return "is empty"
    if len(value) > LONGEST_ID:
        return f"has more than {LONGEST_ID} characters"
    if "/" in value:
        return "has a `/`, which is not allowed"
    if ".." in value or not _id.match(value):
        return "has characters that are not allowed"
    return None


def twice(components: Sequence[Component]) -> Iterator[Problem]:
    """An `_id` names one component, also where upper and lower case are the same."""
    first: dict[str, Component] = {}
    for component in components:
        if not component.id:
            continue
        earlier = first.setdefault(component.id.casefold(), component)
        if earlier is component:
            continue
        same = earlier.id == component.id
        message = f'`_id` "{component.id}" is used by two components'
        if not same:
            message = f'`_id` "{component.id}" differs from "{earlier.id}" only in upper and lower case'
        yield Problem(
            "E208",
            message,
            component.given.value("_id"),
            "used again here",
            related=(Label(earlier.given.value("_id"), "first used here"),),
            notes=(
                note("an `_id` names a component in the whole project, systems and pipes together"),
                advice(f"rename one of them, then whatever names it: `mailweir list --refs {component.id}`"),
            ),
        )


def systems(components: Sequence[Component], named: Iterable[Named], torn: Container[str]) -> Iterator[Problem]:
    """References to systems lead to a system, of a kind that can do what is asked. `torn` may exist after all."""
    by_id = {component.id: component for component in components if component.id}
    named = [use for use in named if use.reference.refers.kind == "system"]
    # Looking for near names takes a while for each pair.
    offered = components if len(named) * len(components) <= MOST_PAIRS else ()
    often = Counter(use.reference.name for use in named)
    for use in named:
        refers, name = use.reference.refers, use.reference.name
        wanted = refers.to or SystemConfig
        target = by_id.get(name)
        if target is None:
            if name not in torn and not is_faulty(use):
                yield _no_system(use, wanted, offered, often[name])
        elif not issubclass(target.model, wanted):
            what = target.type if target.kind == "system" else f"a {target.kind}"
            verb = refers.noun or "be used here"
            able = [c.id for c in components if issubclass(c.model, wanted)]
            notes = [note(f"systems that can: {', '.join(able) or 'none in this project'}")]
            yield Problem(
                "E306",
                f'"{name}" is {what}, which cannot {verb}',
                use.span,
                "names it here",
                use.path,
                related=(Label(target.given.value("_id"), "declared here"),),
                notes=tuple(notes),
            )
        elif issubclass(target.model, SystemConfig):
            yield from target.model.named_by(target.given, use.component.given)


def rings(named: Iterable[Named]) -> Iterator[Problem]:
    """Systems that pass on to each other in a circle, so that nothing ever leaves. Each circle once."""
    behind: dict[str, Named] = {}
    for use in named:
        if use.top.kind == "system" and use.reference.refers.kind == "system" and use.top.id:
            behind.setdefault(use.top.id, use)
    done: set[str] = set()
    for start in behind:
        way: dict[str, Named] = {}
        at = start
        while at in behind and at not in way and at not in done:
            way[at] = behind[at]
            at = behind[at].reference.name
        done.update(way)
        if at in way:
            names = list(way)
            yield _ring([way[name] for name in names[names.index(at) :]])


def _ring(uses: Sequence[Named]) -> Problem:
    first, *others = uses
    names = [use.top.id for use in uses]
    around = " → ".join(f"`{name}`" for name in [*names, names[0]])
    return Problem(
        "E316",
        f"`{names[0]}` stands in front of itself" if not others else f"systems stand in front of each other: {around}",
        first.span,
        "what it passes on comes back to it",
        first.path,
        related=tuple(Label(use.span, "and this one leads back") for use in others),
        notes=(note("what is sent through them would never leave"), advice("name a system that sends the mail")),
    )


def two_ways(named: Iterable[Named]) -> Iterator[Problem]:
    """W319: a system that is used by itself and also behind another one, or behind two. Each system once."""
    users: dict[str, dict[str, Named]] = {}
    for use in named:
        # What only queues (`"process": false`) sends nothing.
        if use.reference.refers.kind == "system" and use.component.given.get("process") is not False:
            # Whoever uses it directly counts together.
            way = use.top.id if use.top.kind == "system" else ""
            users.setdefault(use.reference.name, {}).setdefault(way, use)
    for name, ways in users.items():
        behind = [use for way, use in ways.items() if way]
        if len(ways) < 2 or not behind:
            continue
        use, first = ways.get("", behind[-1]), behind[0]
        yield Problem(
            "W319",
            f"mail reaches `{name}` in two ways",
            use.span,
            "directly" if "" in ways else f"behind `{use.top.id}`",
            use.path,
            related=(Label(first.span, f"behind `{first.top.id}`"),),
            notes=(
                note(f"each way counts for itself what `{name}` lets through in an hour, so twice as much can pass"),
                advice(f"send everything through `{first.top.id}`"),
            ),
        )


def _no_system(use: Named, wanted: type[SystemConfig], components: Sequence[Component], often: int) -> Problem:
    able = [component for component in components if issubclass(component.model, wanted)]
    name = use.reference.name
    names = [component.id for component in able]
    meant = slip(name, names) or next((only for only in names if len(names) == 1 and short_for(name, only)), None)
    close = [meant] if meant else near(name, names)
    notes = []
    fix: tuple[Edit, ...] = ()
    if close:
        home = next(component for component in able if component.id == close[0])
        notes.append(advice(f'did you mean "{close[0]}"? ({home.given.document.name})'))
        agrees = is_file_name(name, home.given.document.name)
        if agrees:
            notes.append(OTHER_IS_MISSPELT)
        # Where several names agree, the `_id` may as well be the one that is misspelt.
        if meant and often == 1 and not agrees and is_literal(use, name):
            fix = (Edit(use.span, f'"{close[0]}"'),)
    if components:
        notes.append(note(f"systems in this project: {', '.join(c.id for c in able[:20]) or 'none'}"))
    message = f'no system has the `_id` "{name}"'
    return Problem("E304", message, use.span, "not found", use.path, notes=tuple(notes), fix=fix)
