"""What a pipe is made of when it runs: which pipes can be run, and their parts, built for what is around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID, uuid4

from mailweir.systems_of import Systems
from mailweir.upstream import ends_of, upstream_first
from pipeline.alternatives import chosen
from pipeline.component import Datasets, Running, Sink, Source, SourceConfig, Transform
from pipeline.pipe import PipeConfig, namespaces_added, namespaces_removed
from pipeline.state.sqlite.dataset_look import SqliteReads
from sinks.dataset import DatasetSinkConfig
from sinks.outgoing import OutgoingConfig
from sinks.published import published, url_of

if TYPE_CHECKING:
    from pipeline.config.load import Loaded
    from pipeline.state.datasets import Reads

S = TypeVar("S")
C = TypeVar("C")


class CannotRunError(ValueError):
    """These pipes cannot be run, and nothing was."""


class PipeContext:
    """The `Context` of a pipe's parts."""

    def __init__(self, systems: Systems, pipe: str, running: Running | None, datasets: Reads | None = None) -> None:
        """Without `running` no sink can be built that keeps things; `datasets` stands in for what is stored."""
        self.datasets = datasets or systems.datasets
        self.pipe = pipe
        self.root = systems.root
        self.state = systems.state
        self._systems = systems
        self._running = running

    def system(self, id: str, port: type[S]) -> S:
        """The built system with this `_id`."""
        return self._systems.system(id, port)

    @contextmanager
    def on_record(self) -> Iterator[Callable[[], str | None]]:
        """What tells the position of the pipe that is on record."""
        reads = SqliteReads(Path(self.state))
        try:
            yield lambda: reads.offset(self.pipe)
        finally:
            reads.close()

    def sends(self, pipe: str) -> bool:
        """Whether there is such a pipe, and it sends messages."""
        found = self._systems.pipe_of(pipe)
        return found is not None and mail_sink(found) is not None

    def config(self, id: str, base: type[C]) -> C:
        """What is declared of the system with this `_id`."""
        return self._systems.config(id, base)

    def configs(self, base: type[C]) -> Sequence[C]:
        """What is declared of all systems of a kind."""
        return self._systems.configs(base)

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return self._systems.now()

    def scrubbed(self, text: str) -> str:
        """A text without the secrets of the project."""
        return self._systems.scrubbed(text)

    @property
    def runs(self) -> bool:
        """Whether this is a run."""
        return self._running is not None

    @property
    def acts(self) -> bool:
        """Whether its parts may change something elsewhere."""
        return self._running is not None

    def uuid(self) -> UUID:
        """A new random UUID."""
        return uuid4()

    def namespaces(self) -> tuple[str, str] | None:
        """The namespaces of identities and of properties in this pipe; None if its names have none."""
        return self._systems.namespaces(self.pipe)

    def renaming(self, pipe: PipeConfig) -> tuple[tuple[str, str] | None, bool]:
        """The namespaces that are added to what a source gives, and whether its sink gets names without them."""
        metadata = self._systems.metadata
        return namespaces_added(pipe, metadata), namespaces_removed(pipe, metadata)

    def metadata(self, name: str) -> object:
        """What the project's metadata has under a name."""
        return getattr(self._systems.metadata, name, None)

    def joinable(self) -> Datasets | None:
        """What rules may ask of datasets."""
        from pipeline.dtl.stored import Stored

        return Stored(self.datasets)

    def source(self) -> str | None:
        """The dataset that the pipe reads."""
        return self._systems.source(self.pipe)

    @property
    def run(self) -> Running:
        """The run."""
        if self._running is None:
            raise LookupError("this is no run")
        return self._running


@dataclass(slots=True)
class Flow:
    """A pipe that is ready to run."""

    config: PipeConfig
    source: Source
    transforms: Sequence[Transform]
    sink: Sink


def pipes_of(loaded: Loaded, names: Sequence[str] = (), *, none: bool = False) -> list[PipeConfig]:
    """The pipes by name, or all that run, upstream first. `CannotRunError` if one of them cannot be run.

    `none`: there need not be one.
    """
    found = {
        component.id: component.config
        for component in loaded.project.components
        if component.kind == "pipe" and isinstance(component.config, PipeConfig)
    }
    chosen = (
        [found[name] for name in dict.fromkeys(names)]
        if names
        else [one for one in found.values() if one.pump.mode != "off" and published(one.sink) is None]
    )
    if not chosen and not none:
        raise CannotRunError("there is no pipe to run")
    faults = [fault for pipe in chosen for fault in _unready(pipe)]
    if faults:
        raise CannotRunError("\n".join(faults))
    order = upstream_first(ends_of(loaded.project.components), {pipe.id for pipe in chosen})
    # Mail comes last: who is asked whether to send it is told of all.
    return sorted(chosen, key=lambda pipe: (mail_sink(pipe) is not None, order.index(pipe.id)))


def _unready(pipe: PipeConfig) -> Iterable[str]:
    """Parts that are declared and cannot be run by this version."""
    sink = published(pipe.sink)
    if sink is not None:
        where = f"`mailweir serve` answers at {url_of(pipe.id, sink)}"
        yield f"the pipe `{pipe.id}` runs when somebody asks for its entities: {where}"
        return
    parts = [("source", pipe.source), *(("transform", one) for one in pipe.transform), ("sink", pipe.sink)]
    for kind, part in parts:
        if part is None:
            if kind == "source":
                yield f"the pipe `{pipe.id}` has no source"
        elif not hasattr(part, "build"):
            yield f"the pipe `{pipe.id}` has a {kind} of type `{part.type}`, which can be checked and not be run yet"


def flow_of(pipe: PipeConfig, context: PipeContext, source: Source | None = None, *, shaped: bool = False) -> Flow:
    """The parts of a pipe, built. Systems that they name are built too, and not opened."""
    from sources.dataset_follow import followed

    transforms = [] if shaped else transforms_of(pipe, context)
    sink = (pipe.sink or DatasetSinkConfig(type="dataset")).build(context)  # type: ignore[attr-defined]  # as below
    if (retry := getattr(sink, "retry", None)) is not None:
        retry(pipe.pump.batch_retries, pipe.pump.write_retry_delay)
    return Flow(pipe, source or followed(source_of(pipe, context), transforms, context.datasets), transforms, sink)


def source_of(pipe: PipeConfig, context: PipeContext) -> Source:
    """Where the entities of a pipe come from, built."""
    source: Source = pipe.source.build(context)  # type: ignore[union-attr]  # `_unready` has looked
    return source


def transforms_of(pipe: PipeConfig, context: PipeContext) -> list[Transform]:
    """What shapes the entities of a pipe, built; around it what adds and removes namespaces, where names have them."""
    built: list[Transform] = [part.build(context) for part in pipe.transform]  # type: ignore[attr-defined]  # as above
    added, removed = context.renaming(pipe)
    if added is not None:
        from pipeline.transforms.namespaces import AddNamespaces

        built.insert(0, AddNamespaces(*added))
    if removed:
        from pipeline.transforms.namespaces import RemoveNamespaces

        built.append(RemoveNamespaces())
    source = chosen(pipe.source)
    first = source.first(context) if isinstance(source, SourceConfig) else None
    return built if first is None else [first, *built]


def mail_systems(pipes: Iterable[PipeConfig]) -> list[str]:
    """The systems that these pipes mail through."""
    sinks = map(mail_sink, pipes)
    return list(dict.fromkeys(sink.system for sink in sinks if sink is not None))


def mail_sink(pipe: PipeConfig) -> OutgoingConfig | None:
    """The sink of a pipe, if it is one that sends messages; of a conditional one the chosen alternative."""
    sink = chosen(pipe.sink)
    return sink if isinstance(sink, OutgoingConfig) else None
