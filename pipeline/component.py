"""What a component is: the page to read before writing one. No I/O.

A component is two classes in one file. The *config* declares: a frozen pydantic model whose fields, with the
docstrings under them, are at once the check, the manual and the schema for editors. Its `build(context)` is the
one seam to the *runtime* class, which takes plain values and knows neither pydantic nor JSON.

    class EmptyConfig(SourceConfig):
        \"\"\"A source without entities.\"\"\"

        type: Literal["empty"]

        def build(self, context: Context) -> Empty:
            return Empty()

Names in a configuration find their config class through entry points (`pipeline.config.registry`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Protocol, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pipeline.durations import Durations
from pipeline.entity import Entity
from pipeline.receipt import Receipt, Tally

if TYPE_CHECKING:
    from asyncio import Event

    from pipeline.config.given import Given
    from pipeline.config.tree import Document, Object
    from pipeline.errors import Problem
    from pipeline.run import Portion
    from pipeline.state.datasets import Reads
    from pipeline.state.port import State

T = TypeVar("T")
S = TypeVar("S")
C = TypeVar("C", bound="SystemConfig")

Kind = Literal["system", "source", "transform", "sink", "pipe", "metadata"]

Many = Annotated[tuple[T, ...], BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)]
"""A list in JSON, a tuple here: configs are immutable."""


@dataclass(frozen=True, slots=True)
class Refers:
    """On a field whose value is the `_id` of another component, or the name of a dataset.

    `to` is a config class for systems (`MailSystemConfig`: any system that carries mail).
    """

    kind: Literal["system", "dataset"]
    to: type[SystemConfig] | None = None
    noun: str = ""


@dataclass(frozen=True, slots=True)
class Writes:
    """On a field that names the dataset which the component writes; unset, it is the pipe's `_id`."""


@dataclass(frozen=True, slots=True)
class Entities:
    """On a field that holds a list of entities."""


@dataclass(frozen=True, slots=True)
class Slot:
    """On a field whose value is itself a component of `kind`: one, a list of them, or an object of them.

    `default` is the type that an object without `type` has.
    """

    kind: Kind
    many: Literal["one", "list", "object"] = "one"
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """On a field: the words for a value out of range, what to write instead of a wrong one, and what people mean."""

    label: str = ""
    help: tuple[str, ...] = ()
    usual: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class SecretArguments:
    """On a field that holds rules: which arguments of which functions may be a secret (keys, passphrases)."""

    functions: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that a component names: a system, or a dataset that it reads."""

    refers: Refers
    name: str
    start: int
    end: int


class Part(BaseModel):
    """An object within a component. Unknown properties are faults; `comment` and `$schema` are free everywhere."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_by_alias=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
    )

    comment: str | Many[str] | None = None
    """Free words for people; ignored."""
    schema_url: str | None = Field(default=None, alias="$schema")
    """The JSON Schema for editors; ignored."""


class ComponentConfig(Part):
    """The base of every config class."""

    kind: ClassVar[Kind]
    type: str
    """What kind of component this is."""

    @classmethod
    def meant(cls, document: Document, node: Object, value: dict[str, object]) -> tuple[Object, dict[str, object]]:
        """What is written, with all that an abbreviation in it stands for. Pure."""
        return node, value

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Faults that one field cannot see, over the properties that are right so far. Pure."""
        return ()

    @classmethod
    def references(cls, given: Given) -> Iterator[Reference]:
        """What the component names beyond the fields marked with `Refers` (a `hops` in a rule)."""
        return iter(())


class Identified(ComponentConfig):
    """A component with an `_id` of its own: it stands at the top of a file."""

    id: str = Field(alias="_id")
    """The name of the component, unique in the project: letters, digits, `-`, `_`, `.` and `:`."""
    name: str | None = None
    """A name for people."""
    description: str | Many[str] | None = None
    """What it is for."""
    metadata: dict[str, object] | None = None
    """Free data for other tools; ignored."""
    permissions: Many[object] | None = None
    """Read from Sesam configurations and ignored."""


class SystemConfig(Identified):
    """A connection to the outside world."""

    kind: ClassVar[Kind] = "system"
    worker_threads: int = Field(default=10, ge=1, le=1000)
    """Read from Sesam configurations; connections are governed by the system's own properties."""

    @classmethod
    def named_by(cls, given: Given, user: Given) -> Iterable[Problem]:
        """Faults that show when a component that names the system is looked at beside it. Pure."""
        return ()


class SourceConfig(ComponentConfig):
    """Where entities come from."""

    kind: ClassVar[Kind] = "source"
    listens: ClassVar[bool] = False
    """Whether others send to it, who do not want to wait."""
    if_source_empty: Literal["accept", "fail"] | None = None
    """What a run does that reads all of the source and meets no entity. `fail`: it stops. `accept`: there are none any
    more, and a dataset behind deletes all it has. Default: it stops if a dataset or a file behind would lose all."""

    @classmethod
    def known(cls, given: Given, dataset: Callable[[str], Sequence[Entity] | None]) -> Sequence[Entity] | None:
        """The entities that it gives, where the project itself says which; `dataset` knows those of datasets. Pure."""
        return None

    def first(self, context: Context) -> Transform | None:
        """What shapes its entities before the transforms of its pipe, also those that are tried again later."""
        return None


class TransformConfig(ComponentConfig):
    """What shapes entities."""

    kind: ClassVar[Kind] = "transform"


class SinkConfig(ComponentConfig):
    """Where entities end."""

    kind: ClassVar[Kind] = "sink"

    @classmethod
    def tried(cls, given: Given, entities: Sequence[Entity]) -> Iterable[Problem]:
        """Faults that show when these entities, the project's own, reach the sink. Pure."""
        return ()


class Datasets(Protocol):
    """What rules may ask of datasets. Deleted entities are in none of the answers."""

    def get(self, dataset: str, id: str) -> Entity | None:
        """The entity with this `_id`."""
        ...

    def find(self, dataset: str, path: Sequence[str], values: Iterable[object]) -> Sequence[Entity]:
        """The entities with one of these values at a path, each once, in the order of their `_id`.

        No value is null. A list at the path has each of its values. Numbers are the same by what they count, and true
        is no number.
        """
        ...

    def all(self, dataset: str) -> Iterable[Entity]:
        """All entities, in any order."""
        ...

    def revision(self, dataset: str) -> int:
        """A number that is another one when the dataset has changed."""
        ...

    def completeness(self, via: str, dataset: str) -> int | None:
        """Nanoseconds since 1970 up to which a dataset is complete, as far as `via` knows."""
        ...

    def previous(self, dataset: str, entity: Entity) -> Entity | None:
        """The version before this one, deleted or not; None where it is not known."""
        ...


class Context(Protocol):
    """What a component may ask for while it is built. Clock, randomness and systems come from here only."""

    pipe: str
    root: str
    """The project's folder: relative paths in a configuration start there."""
    state: str
    """The folder in which the project keeps what must outlast a run."""

    def system(self, id: str, port: type[S]) -> S:
        """The built system with this `_id`, typed as the port that the caller needs."""
        ...

    def config(self, id: str, base: type[C]) -> C:
        """What is declared of the system with this `_id`."""
        ...

    def now(self) -> int:
        """Nanoseconds since 1970 by the clock of the run."""
        ...


class SourceContext(Context, Protocol):
    """What a source may ask for too."""

    def uuid(self) -> UUID:
        """A new random UUID."""
        ...

    @property
    def datasets(self) -> Reads:
        """What reads datasets."""
        ...

    def namespaces(self) -> tuple[str, str] | None:
        """The namespaces of identities and of properties in this pipe; None if its names have none."""
        ...

    def on_record(self) -> AbstractContextManager[Callable[[], str | None]]:
        """What tells the position of the pipe that is on record now, in any thread, as long as it is open."""
        ...

    def sends(self, pipe: str) -> bool:
        """Whether there is such a pipe, and it sends messages."""
        ...

    @property
    def runs(self) -> bool:
        """Whether this is a run: then what earlier runs have stored may be taken away where it came from."""
        ...


class TransformContext(Context, Protocol):
    """What a transform may ask for too."""

    def uuid(self) -> UUID:
        """A new random UUID."""
        ...

    def namespaces(self) -> tuple[str, str] | None:
        """The namespaces of identities and of properties in this pipe; None if its names have none."""
        ...

    @property
    def acts(self) -> bool:
        """Whether it may change something elsewhere; in a preview it may not."""
        ...

    def metadata(self, name: str) -> object:
        """What the project's metadata has under a name; None if it has nothing."""
        ...

    def joinable(self) -> Datasets | None:
        """What rules may ask of datasets; None where there are none."""
        ...

    def source(self) -> str | None:
        """The dataset that the pipe reads; None if its source is another one."""
        ...


class SinkContext(Context, Protocol):
    """What a sink may ask for too."""

    def configs(self, base: type[C]) -> Sequence[C]:
        """What is declared of all systems of a kind."""
        ...

    @property
    def run(self) -> Running:
        """The run that it is part of."""
        ...

    def scrubbed(self, text: str) -> str:
        """A text without the secrets of the project, for who shows it to people."""
        ...


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wanted of one run, beside what is declared.

    `to` gets every mail in place of its recipients; whoever matches none of `only_to` gets none. `resend` mails anew
    what was handed over before. `wait` stays until nothing waits for another try.
    """

    to: str | None = None
    only_to: tuple[str, ...] = ()
    resend: bool = False
    wait: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """A run: its name, what is wanted of it, where it keeps things, and its chance (random numbers from 0 up to 1)."""

    name: str
    wishes: Wishes
    state: State
    chance: Callable[[], float]
    stopping: Event
    """Set when it is to come to an end."""
    aborting: Event
    """Set when it is not to wait for what is on its way either."""
    shaped: bool = False
    """Whether its entities are as the sink had them before: what was gathered is gathered."""
    durations: Durations = field(default_factory=Durations)
    """How long messages took, each from when the mail system took it until it was answered for."""


class Source(Protocol):
    """Gives batches of entities, each with the position to go on from; `SourceError` where it cannot go on.

    One that can be read only once, such as a stream, has an attribute `once` that is true. One that has left parts out
    which it could not read counts them in `skipped`, or is `cut` at its end; one that began `afresh`, since the
    position was none of its own, says so too. One that can tell whether a position is one of its own has a method
    `knows(since)`. One that waits for others, such as a server, has an attribute `waits` that is true: its steps are
    made in a thread, all of one reading in the same. One that `settles` tells others what is on record, also when its
    reading is closed: that is waited for.
    """

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """Entities after `since` (None: from the start) and the next `since` (None: the source has none)."""
        ...


class Transform(Protocol):
    """Makes none, one or several entities of one. Pure.

    One that is not, since it asks others, such as a server, has an attribute `waits` that is true: then the whole flow
    is carried out in a thread.
    """

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """Never changes its argument."""
        ...


class Sink(Protocol):
    """Takes entities and says of each what became of it."""

    def write(self, portions: Iterable[Portion]) -> AsyncIterator[Sequence[Receipt] | Tally]:
        """One receipt for each entity, or for each thing that it became, in groups; or how many became what.

        The sink pulls: it takes the next portion when it has room. A position is stored in the same moment as what
        came up to it, and not before. One that keeps what a whole source has, and deletes what it has no more, has an
        attribute `tracks` that is true: it gets the marks of the reading, and what was filtered out. One that is to
        get all in every run, whatever position a sink before it has left, has an attribute `whole` that is true. One
        that may write again what was not taken has a method `retry(times, seconds)`.
        """
        ...


class System(Protocol):
    """A connection; entered before the first use and left after the last."""

    async def __aenter__(self) -> Self:
        """Open."""
        ...

    async def __aexit__(self, *exc: object) -> None:
        """Close, also after a fault."""
        ...
