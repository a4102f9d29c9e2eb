"""Invented entities, for trying things out. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from pipeline.component import Context, Refers, SourceConfig
from pipeline.config.given import advice
from pipeline.config.near import near
from pipeline.dtl.parse import Fault
from pipeline.dtl.told import problem_of
from pipeline.errors import UnusableError
from sources.fake_data import KINDS
from sources.fake_read import POOL, Fake, Pool
from systems.fake import FakeSystemConfig

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.dtl.tree import Place
    from pipeline.errors import Problem

_TEMPLATE: Final = "template"


class FakeConfig(SourceConfig):
    """Entities that are invented after a template: the same ones in every run, none of them real."""

    type: Literal["fake"]
    """`fake`."""
    entities: int = Field(ge=0, le=1_000_000_000)
    """How many."""
    template: dict[str, object]
    """An entity with kinds of data in place of its values: `{"_id": "uuid4", "name": "name", "email": "email"}`. A list
    is a choice between its values, an object is a template too, a number or boolean is itself. `system:name` is a
    number of a pool of the `system`."""
    seed: int = 0
    """Another seed gives other entities."""
    system: Annotated[str, Refers("system", FakeSystemConfig, "share pools of identities")] | None = None
    """The `_id` of a `system:fake` with the pools that the template names."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The template has an `_id`, and kinds of data that there are."""
        template = given.get(_TEMPLATE)
        if not isinstance(template, Mapping):
            return
        faults = list(_wrong(template, (_TEMPLATE,), pools=given.has("system")))
        if "_id" not in template:
            hint = advice('add `"_id": "uuid4"`, or `"_id": "sequence"`')
            faults.insert(0, Fault("E204", "the template has no `_id`", (_TEMPLATE,), notes=(hint,)))
        for fault in faults:
            yield problem_of(fault, given.document, given.node, (*given.path, *map(str, fault.place)))

    def build(self, context: Context) -> Fake:
        """The source itself."""
        pools = {} if self.system is None else context.config(self.system, FakeSystemConfig).pools()
        found = {name: Pool(*pool) for name, pool in pools.items()}
        named = {name.removeprefix(POOL) for name in _texts(self.template) if name.startswith(POOL)}
        missing = sorted(named - set(found))
        if missing:
            raise UnusableError(f"the system `{self.system}` has no pool `{missing[0]}`")
        id_ = self.template["_id"]
        if isinstance(id_, str) and id_.startswith(POOL) and found[id_.removeprefix(POOL)].size < self.entities:
            size = found[id_.removeprefix(POOL)].size
            raise UnusableError(f"the pool `{id_.removeprefix(POOL)}` has {size} names for {self.entities} entities")
        return Fake(self.template, self.entities, self.seed, found)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)


def _wrong(value: Any, place: Place, *, pools: bool) -> Iterator[Fault]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _wrong(one, (*place, name), pools=pools)
    elif isinstance(value, list | tuple) and not value:
        yield Fault("E203", "there is nothing to choose from", place, notes=(advice("write values into the list"),))
    elif isinstance(value, str) and value.startswith(POOL):
        if not pools:
            hint = advice('name the `system:fake` that has the pool: `"system": "…"`')
            yield Fault("E204", f"`{value}` needs a `system`", place, notes=(hint,))
    elif isinstance(value, str) and value not in KINDS:
        close = near(value, list(KINDS))
        text = f"did you mean `{close[0]}`?" if close else f'for the text itself write `["{value}"]`'
        yield Fault("E203", f"there is no kind of data `{value}`", place, notes=(advice(text),))
