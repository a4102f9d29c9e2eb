"""One test, run: the real pipe in a world of its own, up to the stage that the test looks at."""

from __future__ import annotations

import shutil
from asyncio import Event
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from mailweir.flow_graph.ends import reads
from mailweir.flows import flow_of, mail_sink, source_of
from mailweir.systems_of import NoSystemError
from mailweir.testing.came import WRITTEN, Came
from mailweir.testing.declared import TEST, pipe_of
from mailweir.testing.given import PIPE, TESTDATA, Given
from mailweir.testing.logged import kept
from mailweir.testing.moments import GivenError, moments
from mailweir.testing.offline import offline
from mailweir.testing.sending import Recording, Sending
from mailweir.testing.states import States
from mailweir.testing.world import CountingContext, Mocked, OfflineSystems, Time
from mailweir.upstream import ends_of, upstream_first
from pipeline.alternatives import chosen
from pipeline.component import Running, Wishes
from pipeline.config.near import near
from pipeline.dtl.program import Program
from pipeline.entity import transit
from pipeline.errors import SourceError, TransformError, UnusableError
from pipeline.failing import Streak
from pipeline.pipe import PipeConfig
from pipeline.run import FlowError, StoppedError, marked, portions
from pipeline.state.faults import StateError
from pipeline.state.sqlite.store import SqliteState
from pipeline.transforms.namespaces import AddNamespaces, RemoveNamespaces
from pipeline.transforms.python import PythonConfig
from sinks.dataset import DatasetSinkConfig
from sinks.mail import outbound
from sinks.published import published, wanted
from sources.conditional import ConditionalSourceConfig
from sources.dataset import DatasetSourceConfig
from sources.embedded import Embedded
from systems.http.config import HttpSystemConfig

if TYPE_CHECKING:
    from mailweir.testing.plan import Test
    from mailweir.testing.reached import Reached
    from pipeline.component import Source, SourceConfig, Transform
    from pipeline.config.load import Loaded
    from pipeline.entity import Entity
    from pipeline.state.port import State
    from sinks.file import Form
    from sinks.mail.maker import Makes

# Pipes of a circle come to rest before that, or never.
MOST_ROUNDS: Final = 10
_RUN: Final = "test"
# Of the journal of a state: what a test sends is little, and to take room for more takes time.
_SEGMENT: Final = 2**16


class CannotTestError(Exception):
    """A test cannot be run as it stands."""


class Runner:
    """Runs the tests of one project, as it was loaded for them."""

    def __init__(self, loaded: Loaded, states: States, reached: Reached | None = None) -> None:
        """Nothing is run yet. `reached` is told what the tests reach of their pipes."""
        self.loaded = loaded
        self.reached = reached
        self.states = states
        self.components = {one.id: one for one in loaded.project.components if one.kind == "pipe"}
        self.pipes = {name: pipe for name, one in self.components.items() if (pipe := pipe_of(one)) is not None}
        self.ends = ends_of(loaded.project.components)
        # Templates are compiled once for all tests of a pipe.
        self.makers: dict[str, Makes] = {}

    async def run(self, test: Test, folder: Path) -> Came:
        """What comes of a test whose file is in this folder."""
        came = Came()
        try:
            pipe = self.pipes.get(test.pipe)
            if pipe is None:
                came.broken = f"the pipe `{test.pipe}` cannot be used: see `mailweir check`"
            else:
                with offline(), kept(came.logs):
                    await _One(self, test, folder, pipe, came).run()
        except (CannotTestError, GivenError, NoSystemError, UnusableError) as error:
            came.broken = str(error)
        except (SourceError, StoppedError, FlowError, TransformError, StateError) as error:
            came.error = getattr(error, "text", "") or str(error)
        return came


class _One:
    """One test on its way."""

    def __init__(self, runner: Runner, test: Test, folder: Path, pipe: PipeConfig, came: Came) -> None:
        self._runner = runner
        self._test = test
        self._pipe = pipe
        self._came = came
        self._root = runner.loaded.root
        self._time = Time(test.now)
        self._sink = mail_sink(pipe)
        reached = runner.reached
        self._watching = None if reached is None else reached.pipe(str(self._root), pipe.id)
        self._given = Given(test, folder, self._root)
        self._given.check(runner.pipes, {name for end in runner.ends.values() for name in (*end.reads, *end.writes)})
        self._form = None if test.endpoint not in WRITTEN else self._form_of(test.endpoint)
        self._written: list[Entity] = []
        if test.stage == "mail" and self._sink is None:
            raise CannotTestError(f"the pipe `{pipe.id}` makes no mail, so there is no stage `mail`")
        known = {f"system:{one.id}" for one in runner.loaded.project.components if one.kind == "system"}
        known |= {
            f"http:{one.id}" for one in runner.loaded.project.components if issubclass(one.model, HttpSystemConfig)
        }
        for one in runner.pipes.values():
            known |= {f"transform:{part.function}" for part in one.transform if isinstance(part, PythonConfig)}
        for name in test.mocks:
            if name not in known:
                kind = name.partition(":")[0]
                close = [f": did you mean `{one}`?" for one in near(name, sorted(known))[:1]]
                raise CannotTestError(f"the mock `{name}` is for no {kind} of this project{''.join(close)}")

    async def run(self) -> None:
        datasets = self._datasets()
        if not datasets and self._test.stage != "mail":
            await self._flow(self._root / ".mailweir" / "none", None)
            return
        folder = await self._states_folder()
        try:
            async with SqliteState.open(
                folder, self._time.clock, outbound.stranded, linger=0, segment=_SEGMENT
            ) as state:
                await self._flow(folder, state, datasets)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _states_folder(self) -> Path:
        return await self._runner.states.folder()

    def _form_of(self, endpoint: str) -> Form:
        """What makes text of the entities that the sink gets."""
        sink = chosen(self._pipe.sink)
        makes: Callable[[], Form] | None = getattr(sink, "form", None)
        if makes is None or getattr(sink, "type", None) not in {endpoint, f"{endpoint}_endpoint"}:
            raise CannotTestError(f'the sink of `{self._pipe.id}` writes no {endpoint}: leave out `"endpoint"`')
        return makes()

    @property
    def _leaves_out_deleted(self) -> bool:
        sink = published(self._pipe.sink)
        return getattr(chosen(self._pipe.sink), "skip_deleted", True) if sink is None else sink.leaves_out_deleted

    def _datasets(self) -> list[str]:
        """The datasets that the pipe reads in this test."""
        ends = reads(self._runner.components[self._pipe.id])
        replaced = self._given.has(self._pipe.id)
        return [end.name for end in ends if end.kind == "dataset" and (end.joined or not replaced)]

    def _source(self, pipe: PipeConfig) -> SourceConfig | None:
        """The source of a pipe in a test."""
        source = pipe.source
        while isinstance(source, ConditionalSourceConfig):
            source = source.alternatives.get(TEST) or source.alternatives[source.condition]
        if isinstance(source, DatasetSourceConfig):
            # What a test has in datasets is all that there will be.
            return source.model_copy(update={"completeness": None, "initial_completeness": ()})
        return source

    async def _flow(self, folder: Path, state: State | None, datasets: Sequence[str] = ()) -> None:
        """The pipe, behind those that fill what it reads."""
        sink = self._sink
        systems = OfflineSystems(
            self._runner.loaded,
            folder,
            self._time,
            self._test,
            None if sink is None else sink.system,
            self._runner.pipes,
        )
        running = None
        if state is not None:
            chance = Random(self._test.seed)  # noqa: S311 - the chance of a test is the same in every run
            running = Running(_RUN, Wishes(), state, chance.random, Event(), Event())
        try:
            if running is not None:
                await self._fill(systems, running, datasets)
            context = CountingContext(systems, self._pipe.id, running)
            pipe = self._pipe
            transforms = self._watched(self._transforms(pipe, context))
            transforms = self._renamed(transforms, pipe, context, whole=self._test.stage != "after-transform")
            sending = None
            if self._test.stage == "mail" and running is not None and sink is not None:
                makers = self._runner.makers
                saw = None if self._watching is None else self._watching.template
                every = self._runner.components[self._pipe.id].walk()
                given = next((one.given for one in every if one.config is sink), None)
                maker = makers.get(self._pipe.id) or sink.maker(context, _RUN, running.wishes, given, saw=saw)
                makers[self._pipe.id] = maker
                sending = Sending(sink, context, Recording(maker), self._came)
            for source in self._moments(context):
                await self._one_moment(source, transforms, sending)
            if sending is not None:
                sending.tell()
            if self._form is not None:
                self._came.raw.append(_text(self._form, self._written))
            if self._watching is not None:
                self._watching.outcomes(self._came.outcomes)
        finally:
            systems.datasets.close()

    def _moments(self, context: CountingContext) -> Iterator[Source]:
        """What the source gives, in the order in which time passes; the clock shows the time of each."""
        found = self._given.of_pipe(self._pipe.id)
        if found is None:
            source = self._source(self._pipe)
            if source is None or not hasattr(source, "build"):
                raise CannotTestError(
                    f"the source of `{self._pipe.id}` cannot be read in a test: give its entities with `given`, or in"
                    f" {TESTDATA}/{self._pipe.id}.json"
                )
            built = source_of(self._pipe.model_copy(update={"source": source}), context)
            if not self._test.step:
                yield built
                return
            every = [one for batch, _ in built.read(None) for one in batch]
            found = moments(every, self._test.now, self._test.step)
        for at, entities in found:
            self._time.at(at)
            yield Embedded(entities)

    def _watched(self, transforms: list[Transform]) -> list[Transform]:
        """The transforms of the pipe under test, which tell what they reach where that is wanted."""
        if self._watching is None:
            return transforms
        return [self._watching.transform(place, one) for place, one in enumerate(transforms)]

    def _renamed(
        self, transforms: list[Transform], pipe: PipeConfig, context: CountingContext, *, whole: bool = True
    ) -> list[Transform]:
        """The transforms of a pipe, and around them what adds namespaces to its names and takes them away."""
        added, removed = context.renaming(pipe.model_copy(update={"source": self._source(pipe)}))
        before = [] if added is None else [AddNamespaces(*added)]
        return [*before, *transforms, *([RemoveNamespaces()] if removed and whole else [])]

    def _transforms(self, pipe: PipeConfig, context: CountingContext) -> list[Transform]:
        return [self._transform(part, context) for part in pipe.transform]

    def _transform(self, part: Any, context: CountingContext) -> Transform:
        if isinstance(part, PythonConfig):
            name = f"transform:{part.function}"
            if name in self._test.mocks:
                return Mocked(name, self._test.mocks[name])
            with offline(name):
                return _Guarded(part.build(context), name)
        if not hasattr(part, "build"):
            raise CannotTestError(f"a transform of type `{part.type}` can be checked and not be run yet")
        built: Transform = part.build(context)
        if self._test.parameters and isinstance(built, Program) and context.pipe == self._pipe.id:
            built.bind(self._test.parameters)
        return built

    async def _one_moment(self, source: Source, transforms: Sequence[Transform], sending: Sending | None) -> None:
        """What comes at one time."""
        came, stage = self._came, self._test.stage
        early = stage in {"source", "before-transform"}
        found = portions(source, [] if early else transforms, None, streak=Streak(0))
        if sending is None:
            for portion in found:
                came.failed += [_failure(one.entity, one.text) for one in portion.failed]
                came.entities += [transit(one) for one in portion.entities]
                if self._form is not None:
                    self._written += wanted(portion.entities, deleted=not self._leaves_out_deleted)
            if stage == "sink" and isinstance(chosen(self._pipe.sink), DatasetSinkConfig | None):
                latest = {str(one.get("_id")): one for one in came.entities}
                came.entities = list(latest.values())
            return
        every = list(found)
        came.failed += [_failure(one.entity, one.text) for portion in every for one in portion.failed]
        came.entities += [transit(one) for portion in every for one in portion.entities]
        await sending.send(every)

    async def _fill(self, systems: OfflineSystems, running: Running, datasets: Sequence[str]) -> None:
        """Let the datasets be as what stands upstream makes them."""
        ends, pipes = self._runner.ends, self._runner.pipes
        wanted, waiting, direct = set[str](), list(datasets), set[str]()
        while waiting:
            dataset = waiting.pop()
            if dataset in direct:
                continue
            writers = [name for name, (_, written) in ends.items() if dataset in written]
            if self._given.itself(dataset) or not writers:
                direct.add(dataset)
                continue
            for name in writers:
                if name not in pipes:
                    raise CannotTestError(
                        f"the pipe `{name}`, which is upstream, cannot be used: see `mailweir check`, or give the"
                        f' dataset: `"given": {{"{dataset}": [...]}}`'
                    )
                if name not in wanted:
                    wanted.add(name)
                    waiting += () if self._given.has(name) else ends[name].reads
                    waiting += [end.name for end in reads(self._runner.components[name]) if end.joined]
        for dataset in sorted(direct):
            await self._write(systems, running, dataset)
        order = upstream_first(ends, wanted)
        met: dict[str, object] = {}
        for _ in range(MOST_ROUNDS):
            changed = False
            for name in order:
                now = [systems.datasets.dataset(one) for one in ends[name].reads]
                inputs = [None if one is None else (one.number, one.last) for one in now]
                if met.get(name) != inputs or name not in met:
                    changed, met[name] = True, inputs
                    await self._upstream(systems, running, pipes[name])
            if not changed:
                return
        if order:
            raise CannotTestError(f"E601 the pipes {', '.join(order)} still change after {MOST_ROUNDS} rounds")

    async def _write(self, systems: OfflineSystems, running: Running, dataset: str) -> None:
        """A dataset that nothing in the project writes, or that the test gives itself."""
        found = self._given.named(dataset)
        if found is None:
            return
        context = CountingContext(systems, dataset, running)
        sink = DatasetSinkConfig(type="dataset", dataset=dataset).build(context)
        entities = [one for moment in found for one in moment.entities]
        flow = portions(Embedded(entities), (), None, tracks=True)
        async for _ in sink.write(marked(Embedded(entities), flow, None, elsewhere=False)):
            pass

    async def _upstream(self, systems: OfflineSystems, running: Running, pipe: PipeConfig) -> None:
        """A pipe upstream, from its own test data to its dataset."""
        context = CountingContext(systems, pipe.id, running)
        found = self._given.of_pipe(pipe.id)
        config = self._source(pipe)
        if found is not None:
            source: Source = Embedded([one for moment in found for one in moment.entities])
        elif config is None or not hasattr(config, "build"):
            raise CannotTestError(
                f"the source of `{pipe.id}`, which is upstream, cannot be read in a test: give its entities with"
                f' `"given": {{"{PIPE}{pipe.id}": [...]}}`, or in {TESTDATA}/{pipe.id}.json'
            )
        else:
            source = source_of(pipe.model_copy(update={"source": config}), context)
        flow = flow_of(pipe.model_copy(update={"transform": ()}), context, source)
        transforms = self._renamed(self._transforms(pipe, context), pipe, context)
        shaped = portions(source, transforms, None, tracks=True, streak=Streak(1))
        async for _ in flow.sink.write(marked(source, shaped, None, elsewhere=False)):
            pass


class _Guarded:
    """A function of the project that is told which mock it needs, should it go online."""

    def __init__(self, transform: Transform, name: str) -> None:
        self._transform = transform
        self._name = name

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        with offline(self._name):
            return self._transform(entity)


def _text(form: Form, entities: Sequence[Entity]) -> str:
    """What a sink writes of all of them."""
    rows = form.between().join(map(form.text, entities))
    return (form.head() + rows + form.tail()).decode()


def _failure(entity: Entity, text: str) -> tuple[str, str]:
    return str(entity.get("_id", "")), text
