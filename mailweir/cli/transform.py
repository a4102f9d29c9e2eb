"""`mailweir transform`: what a pipe makes of entities. No state is changed, and nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import click

from mailweir.cli.loading import counted, errors, load_here, look_for_pipes
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from mailweir.previewing import Flows
    from pipeline.component import Source, Transform
    from pipeline.config.load import Loaded
    from pipeline.entity import Entity
    from pipeline.pipe import PipeConfig

STAGES: Final = ("before-transform", "after-transform", "sink")


@click.command(
    "transform",
    epilog="""\b
Examples:
  echo '{"_id": "c1", "name": "Kari"}' | mailweir transform welcome-mail
  mailweir transform welcome-mail --entity customers.json --trace
  mailweir transform welcome-mail --id c1 --stage before-transform < /dev/null""",
)
@click.argument("pipe")
@click.option("--entity", metavar="FILE", help="Entities for the pipe, JSON or JSON Lines; `-` is standard input.")
@click.option("--id", "wanted", metavar="ID", help="Only the entity with this `_id`.")
@click.option("--stage", type=click.Choice(STAGES), default="sink", help="Where to look. Default: sink.")
@click.option("--trace", is_flag=True, help="Say what each transform did, in applied rules too.")
@common
def transform_command(
    values: Common, pipe: str, *, entity: str | None, wanted: str | None, stage: str, trace: bool
) -> int:
    """Shape entities as PIPE does, and print them as JSON, a line each. Nothing is stored and nothing is sent.

    Entities come from --entity, from standard input, or, where nothing is piped in, from testdata/PIPE.json or the
    pipe's source. What is filtered out does not reach the stage `sink`. Exits with 0; 1 when an entity failed, named
    with the place in the rules; 2 for wrong use; 3 when the configuration does not load.
    """
    from mailweir.cli.logged import logged

    loaded = load_here(values, take_secrets=True)
    look_for_pipes(loaded, (pipe,))
    faults = errors(loaded)
    if faults:
        values.out.fault(f"error: the configuration has {counted(len(faults), 'error')}. See: mailweir check")
        return 3
    with logged(values):
        return _shape(values, loaded, pipe, _input(entity), wanted, stage, trace=trace)


def _input(entity: str | None) -> Source | None:
    """What is handed in, if anything is."""
    import os
    import sys

    from mailweir.cli.preview import source_of

    if entity is not None:
        return source_of(entity)
    return None if os.isatty(sys.stdin.fileno()) or _is_empty() else source_of("-")


def _is_empty() -> bool:
    """Whether nobody hands anything in: a service and a scheduler give /dev/null."""
    import os
    import stat
    import sys

    return stat.S_ISCHR(os.fstat(sys.stdin.fileno()).st_mode)


def _shape(
    values: Common, loaded: Loaded, name: str, given: Source | None, wanted: str | None, stage: str, *, trace: bool
) -> int:
    from mailweir.previewing import CannotPreviewError, Flows
    from mailweir.systems_of import Systems
    from pipeline.errors import SourceError, UnusableError

    flows = Flows(loaded, Systems(loaded))
    try:
        pipe = flows.pipe(name)
        transforms = flows.transforms(pipe)
        failed = met = 0
        for entity in _entities(flows, pipe, given):
            if wanted is None or entity.get("_id") == wanted:
                met += 1
                failed += not _one(values, loaded, pipe, transforms, entity, stage, trace=trace)
            if values.out.gone:
                break
        if wanted is not None and not met:
            values.out.fault(f"error: no entity has the `_id` `{wanted}`")
            return 1
    except (CannotPreviewError, UnusableError) as error:
        raise click.UsageError(str(error)) from None
    except SourceError as error:
        values.out.fault(_told(values, error))
        return 1
    return 1 if failed else 0


def _entities(flows: Flows, pipe: PipeConfig, given: Source | None) -> Iterator[Entity]:
    for entities, _ in (given or flows.source(pipe)).read(None):
        yield from entities


def _told(values: Common, error: object) -> str:
    from pipeline.config.show import render
    from pipeline.errors import SourceError

    if not isinstance(error, SourceError):
        return f"error: {error}"
    problem, texts = error.shown()
    out = values.out
    return render([problem], texts, width=out.width(out.stderr), color=out.colors(out.stderr)).rstrip()


def _one(
    values: Common,
    loaded: Loaded,
    pipe: PipeConfig,
    transforms: Sequence[Transform],
    entity: Entity,
    stage: str,
    *,
    trace: bool,
) -> bool:
    """Shape one entity and print what came of it; False if it failed."""
    from pipeline.entity import transit
    from pipeline.state.versions import entry_of
    from pipeline.transforms.namespaces import AddNamespaces

    shaped: Sequence[Entity] = (entity,)
    # What adds namespaces stands before the transforms that are written.
    first = -1 if transforms and isinstance(transforms[0], AddNamespaces) else 0
    for place, transform in enumerate(transforms if stage != "before-transform" else (), first):
        through: list[Entity] = []
        for one in shaped:
            made = _through(values, loaded, pipe, place, transform, one, trace=trace)
            if made is None:
                return False
            through += made
        shaped = through
    right = True
    for one in shaped:
        if stage == "sink" and one.get("_filtered"):
            continue
        unfit = entry_of(one)
        if isinstance(unfit, str):
            values.out.fault(f"error: entity `{entity.get('_id', '')}`: what is made of it is none: {unfit}")
            right = False
        else:
            values.out.record(transit(one))
    return right


def _through(
    values: Common,
    loaded: Loaded,
    pipe: PipeConfig,
    place: int,
    transform: Transform,
    entity: Entity,
    *,
    trace: bool,
) -> Sequence[Entity] | None:
    """What one transform makes of an entity; None if it failed, which is told."""
    from pipeline.dtl.errors import DtlError
    from pipeline.dtl.program import Program
    from pipeline.dtl.trace import traced

    failure: Exception | None = None
    rules = trace and isinstance(transform, Program)
    made: Sequence[Entity] = ()
    if trace and isinstance(transform, Program):
        did, made, failure = traced(transform, entity)
        for one in did:
            values.out.say(f"{'  ' * one.level}{one.where:<11} {one.name:<8} {one.what}".rstrip())
    else:
        try:
            made = transform(entity)
        except Exception as error:  # noqa: BLE001 - a transform may be a function of the project
            failure = error
    if failure is not None:
        values.out.fault(f"error: entity `{entity.get('_id', '')}`: {failure}")
        where = _where(loaded, pipe.id, place, failure) if isinstance(failure, DtlError) else ""
        if where:
            values.out.fault(f" --> {where}")
        return None
    if trace and not rules:
        written = 0 <= place < len(pipe.transform)
        values.out.say(f"{pipe.transform[place].type if written else 'namespaces':<20} {len(made)} out")
    return made


def _where(loaded: Loaded, pipe: str, place: int, error: object) -> str:
    """The place of a call in the file of its pipe."""
    from pipeline.config.tree import Lines, Object
    from pipeline.dtl.errors import DtlError
    from pipeline.dtl.told import node_at

    component = next(one for one in loaded.project.components if one.kind == "pipe" and one.id == pipe)
    parts = [part for name, part in component.children if name == "transform"]
    given = parts[place].given if place < len(parts) else None
    if given is None or not isinstance(error, DtlError):
        return ""
    members = given.node.members
    member = members.get("rules") or members.get("transforms")
    if member is None or not isinstance(member.value, Object):
        return ""
    node = node_at(member.value, error.place)
    line, column = Lines(given.document.text).place(node.start)
    return f"{given.document.name}:{line}:{column}"
