"""Up to which time the entities of a dataset are complete. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from pipeline.completeness import COMPLETENESS, known_of
from pipeline.config.tree import Object, plain
from pipeline.dtl.functions import REGISTRY
from pipeline.dtl.parse import parse_expression
from pipeline.dtl.scope import Host
from pipeline.dtl.stored import Stored
from pipeline.dtl.told import as_json, problem_of
from pipeline.dtl.trial import evaluated
from pipeline.entity import Datetime
from pipeline.state.datasets import Reads

if TYPE_CHECKING:
    from pipeline.component import SourceContext
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.dataset import CompletenessConfig

# Nothing was stored before that.
_NEVER: Final = 0


def expression_faults(given: Given, node: Object) -> Iterator[Problem]:
    """What is wrong with the expression in `completeness`."""
    member = node.members.get("expression")
    if member is not None and node.whole:
        _, parsed = parse_expression(as_json(plain(member.value)), {}, REGISTRY)
        path = (*given.path, "completeness", "expression")
        yield from (problem_of(fault, given.document, member.value, path) for fault in parsed.faults)


def limit_of(
    context: SourceContext,
    dataset: str,
    wanted: bool | Sequence[str] | CompletenessConfig | None,
    initial: Sequence[str],
) -> Callable[[], int | None]:
    """What tells the time in nanoseconds, when it is asked; None: there is no limit.

    `wanted` is what `completeness` says: whether the dataset itself counts, which datasets do, or an expression.
    """
    reads = context.datasets

    def limit() -> int | None:
        if any(_known(reads, name, name) is None for name in initial):
            return _NEVER
        if not wanted:
            return None
        if not isinstance(wanted, bool | Sequence):
            return _computed(context, wanted)
        names = (dataset,) if isinstance(wanted, bool) else wanted
        times = [_seen(reads, dataset, name) for name in names]
        return min(_NEVER if time is None else time for time in times)

    return limit


def _seen(reads: Reads, dataset: str, upstream: str) -> int | None:
    """How complete one was when it went into the dataset; where it does not go there, how complete it is."""
    seen = _known(reads, dataset, upstream)
    return _known(reads, upstream, upstream) if seen is None else seen


def _known(reads: Reads, via: str, dataset: str) -> int | None:
    return known_of(reads.note(COMPLETENESS + via)).get(dataset)


def _computed(context: SourceContext, wanted: CompletenessConfig) -> int:
    host = Host(context.now, context.uuid, Stored(context.datasets))
    found = evaluated(as_json(wanted.expression), None, None, host)
    return found.ns if isinstance(found, Datetime) else _NEVER
