"""A source that is empty by mistake: what was kept of it is not deleted unless somebody says so. No I/O.

A file that was cut to nothing, a service that answers with an empty list, a table in the wrong database: each reads
well, and has no entity. To take that as "all are gone" would delete all of a dataset, with every pipe behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pipeline.alternatives import chosen
from pipeline.component import SourceConfig
from pipeline.config.given import advice
from pipeline.errors import Problem, SourceError, Span

if TYPE_CHECKING:
    from pipeline.component import Source
    from pipeline.pipe import PipeConfig
    from pipeline.run import Portion


def unless_empty(
    pipe: PipeConfig, source: Source, found: Iterator[Portion], since: str | None, loses: Callable[[], str]
) -> Iterator[Portion]:
    """The portions of a reading; `SourceError` at its end if it was one of all, and no entity came.

    `loses` tells what would then be lost of what the sink has kept. Before the first entity no position goes on: an
    empty file is read as one that was changed until it has entities again.
    """
    declared = chosen(pipe.source)
    wanted = declared.if_source_empty if isinstance(declared, SourceConfig) else None
    if wanted == "accept":
        yield from found
        return
    waiting: Portion | None = None
    for portion in found:
        if not portion.read:
            waiting = portion
            continue
        yield portion
        yield from found
        return
    whole = (since is None or getattr(source, "afresh", False)) and not getattr(source, "cut", False)
    if whole and not getattr(source, "skipped", 0) and ((lost := loses()) or wanted == "fail"):
        raise _empty(pipe, declared, lost)
    if waiting is not None:
        yield waiting


def _empty(pipe: PipeConfig, declared: object, lost: str) -> SourceError:
    name = getattr(declared, "path", None) or getattr(declared, "system", None) or pipe.id
    notes = (
        advice("put back what should be there; until then all stays as it is" if lost else "put entities there"),
        advice('if there are none any more, say so in the source: `"if_source_empty": "accept"`'),
    )
    why = f", and {lost}" if lost else ""
    return SourceError(Problem("E221", f"this source has no entities{why}", Span(str(name), 0, 0), notes=notes))
