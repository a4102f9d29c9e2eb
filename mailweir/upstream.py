"""The order in which pipes run: what one reads is written before. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from mailweir.execution_log import log_of
from mailweir.flow_graph.ends import reads, writes
from pipeline.config.typed import Component


class Ends(NamedTuple):
    """The datasets that a pipe reads, joined ones among them, and those that it writes."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


def ends_of(components: Sequence[Component]) -> dict[str, Ends]:
    """Those of the pipes among the components, in the order of the files.

    The log of its runs is written by a pipe if another one reads it.
    """
    found = {
        pipe.id: Ends(
            tuple(end.name for end in reads(pipe) if end.kind == "dataset"),
            tuple(end.name for end in writes(pipe) if end.kind == "dataset"),
        )
        for pipe in components
        if pipe.kind == "pipe" and pipe.id
    }
    watched = {name for pipe, ends in found.items() for name in ends.reads if name != log_of(pipe)}
    return {
        pipe: ends._replace(writes=(*ends.writes, log_of(pipe))) if log_of(pipe) in watched else ends
        for pipe, ends in found.items()
    }


def upstream_first(ends: Mapping[str, Ends], wanted: Collection[str]) -> list[str]:
    """The wanted pipes, each behind those that write what it reads; in a circle one of them has to be the first."""
    writers: dict[str, list[str]] = {}
    for name, (_, written) in ends.items():
        if name in wanted:
            for dataset in written:
                writers.setdefault(dataset, []).append(name)

    def before(name: str) -> Iterator[str]:
        return (writer for dataset in ends[name].reads for writer in writers.get(dataset, ()))

    done: dict[str, None] = {}
    begun: set[str] = set()
    for start in (name for name in ends if name in wanted):
        if start in begun:
            continue
        begun.add(start)
        work = [(start, before(start))]
        while work:
            name, rest = work[-1]
            upstream = next((one for one in rest if one not in begun), None)
            if upstream is None:
                work.pop()
                done[name] = None
            else:
                begun.add(upstream)
                work.append((upstream, before(upstream)))
    return list(done)
