"""The mails of a pipe as they would be, made by the real maker of its sink. Nothing is sent and nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mailweir.flows import PipeContext, transforms_of
from pipeline.alternatives import chosen
from pipeline.component import Wishes
from pipeline.errors import Problem
from pipeline.pipe import PipeConfig
from pipeline.run import EVERYTHING, Wanted, portions
from sinks.dataset import DatasetSinkConfig
from sinks.mail.digest import together
from sinks.outgoing import OutgoingConfig
from sources.dataset import DatasetSourceConfig
from sources.json_file import JsonStream

if TYPE_CHECKING:
    from mailweir.systems_of import Systems
    from pipeline.component import Source, SourceConfig, Transform
    from pipeline.config.load import Loaded
    from pipeline.entity import Entity
    from sinks.mail.maker import Made

FOLDER: Final = "testdata"
"""The folder of a project with entities for its pipes and datasets, `<name>.json`."""


class CannotPreviewError(ValueError):
    """There is no mail to show, for a reason that is no fault of a mail."""


class Shown(NamedTuple):
    """The mails of a pipe, and what `check` warns of in it."""

    mails: Sequence[Made]
    warnings: Sequence[Problem]


def preview(loaded: Loaded, systems: Systems, name: str, source: Source | None, wanted: Wanted, most: int) -> Shown:
    """The first mails, `most` of them; `CannotPreviewError` if there is none. `source` stands in for that of the pipe.

    Without one, entities come from `testdata/<pipe>.json`; from the source, if it can be read; of a source that reads a
    dataset, from `testdata/<dataset>.json` or from the pipe that writes it, in the same way.
    """
    flows = Flows(loaded, systems)
    pipe = flows.pipe(name)
    sink = mail_sink(pipe)
    component = next(one for one in loaded.project.components if one.kind == "pipe" and one.id == name)
    given = next((one.given for one in component.walk() if one.config is sink), None)
    maker = sink.maker(PipeContext(systems, name, None), "preview", Wishes(), given)
    at = systems.now() / 1e9
    entities = 0
    mails: list[Made] = []
    digest = sink.gathers()
    flow = flows.entities(pipe, source, wanted)
    for entity in flow if digest is None else together(flow, digest)[0]:
        entities += 1
        mails += islice(maker.make(entity, at), most - len(mails))
        if len(mails) >= most:
            break
    if not mails:
        raise CannotPreviewError(_nothing(name, wanted, entities))
    problems = loaded.project.problems
    warnings = [one for one in problems if one.level == "warning" and one.path[:2] == (name, "sink")]
    return Shown(mails, warnings)


def _nothing(name: str, wanted: Wanted, entities: int) -> str:
    if entities:
        return "its entities become no mail: they are deleted or filtered"
    if wanted.id is not None:
        return f"no entity with the `_id` `{wanted.id}` reaches the sink of `{name}`"
    return f"no entity reaches the sink of `{name}`; give one with --entity FILE"


def mail_sink(pipe: PipeConfig) -> OutgoingConfig:
    """The mail sink of a pipe; `CannotPreviewError` when it has none."""
    sink = chosen(pipe.sink)
    if not isinstance(sink, OutgoingConfig):
        what = "a dataset" if sink is None else f"a sink of type `{sink.type}`"
        raise CannotPreviewError(f"`{pipe.id}` makes no mail: it ends in {what}")
    return sink


class Flows:
    """What flows through the pipes of a project, without any state."""

    def __init__(self, loaded: Loaded, systems: Systems) -> None:
        """Nothing is read yet."""
        self._root = loaded.root
        self._systems = systems
        self._pipes = {one.id: one.config for one in loaded.project.components if isinstance(one.config, PipeConfig)}
        self._open: list[str] = []

    def pipe(self, name: str) -> PipeConfig:
        """The pipe, if it is one that can be used."""
        if name not in self._pipes:
            raise CannotPreviewError(f"the pipe `{name}` has errors: see `mailweir check`")
        return self._pipes[name]

    def entities(self, pipe: PipeConfig, source: Source | None = None, wanted: Wanted = EVERYTHING) -> Iterator[Entity]:
        """What reaches the sink of a pipe."""
        for portion in portions(source or self.source(pipe), self.transforms(pipe), None, wanted):
            yield from portion.entities

    def source(self, pipe: PipeConfig) -> Source:
        """Where its entities come from: a file that the project keeps for it, or its source."""
        return self._file(pipe.id) or self._source(pipe, pipe.source)

    def transforms(self, pipe: PipeConfig) -> Sequence[Transform]:
        """What shapes its entities."""
        for one in pipe.transform:
            if not hasattr(one, "build"):
                raise CannotPreviewError(
                    f"`{pipe.id}` has a transform of type `{one.type}`, which can be checked and not be run yet"
                )
        return transforms_of(pipe, PipeContext(self._systems, pipe.id, None))

    def _file(self, name: str) -> Source | None:
        """The entities that the project keeps for a pipe or dataset."""
        path = self._root / FOLDER / f"{name}.json"
        if not path.is_file():
            return None
        return JsonStream(BytesIO(path.read_bytes()), f"{FOLDER}/{name}.json")

    def _source(self, pipe: PipeConfig, source: SourceConfig | None) -> Source:
        source = chosen(source)
        if isinstance(source, DatasetSourceConfig):
            return self._file(source.dataset) or Upstream(self, self._writer(pipe, source.dataset))
        build: Any = getattr(source, "build", None)
        if build is None:
            what = "no source" if source is None else f"a source of type `{source.type}`, which cannot be read yet"
            raise CannotPreviewError(
                f"`{pipe.id}` has {what}: give an entity with --entity FILE, or write {FOLDER}/{pipe.id}.json"
            )
        built: Source = build(PipeContext(self._systems, pipe.id, None))
        return built

    def _writer(self, pipe: PipeConfig, dataset: str) -> PipeConfig:
        """The pipe that writes a dataset."""
        for one in self._pipes.values():
            sink = one.sink
            if (sink is None or isinstance(sink, DatasetSinkConfig)) and dataset == ((sink and sink.dataset) or one.id):
                if one.id in self._open or one is pipe:
                    raise CannotPreviewError(f"`{one.id}` reads what it writes: give an entity with --entity FILE")
                self._open.append(one.id)
                return one
        raise CannotPreviewError(
            f"nothing in this project writes the dataset `{dataset}`: write {FOLDER}/{dataset}.json, or give an entity"
            " with --entity FILE"
        )


class Upstream:
    """A dataset, as the pipe that writes it would fill it."""

    def __init__(self, flows: Flows, pipe: PipeConfig) -> None:
        """Nothing is read yet."""
        self._flows = flows
        self._pipe = pipe

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """All of it."""
        yield list(self._flows.entities(self._pipe)), None
