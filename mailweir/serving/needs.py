"""What a run of a pipe goes by, so that a change of it can be told from a change of something else. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pipeline.config.named import references
from systems.mail import CarrierConfig, gate_of

if TYPE_CHECKING:
    from pipeline.component import ComponentConfig
    from pipeline.config.typed import Component

Needs = tuple[object, ...]


def needs_of(components: Iterable[Component]) -> dict[str, Needs]:
    """For each pipe: its own configuration, that of all systems it leads to, and the limits of their gates."""
    every = list(components)
    configs = {one.id: one.config for one in every if one.config is not None}
    systems = {one.id for one in every if one.kind == "system"}
    whole = tuple(one.config for one in every if one.kind == "metadata")
    named: dict[str, set[str]] = {}
    for use in references(every):
        if use.reference.name in systems:
            named.setdefault(use.top.id, set()).add(use.reference.name)
    carriers = [one for one in configs.values() if isinstance(one, CarrierConfig)]
    return {one.id: (*whole, *_of(one.id, configs, named, carriers)) for one in every if one.kind == "pipe"}


def _of(
    pipe: str,
    configs: Mapping[str, ComponentConfig],
    named: Mapping[str, set[str]],
    carriers: list[CarrierConfig],
) -> Iterable[object]:
    reached: dict[str, None] = {}
    waiting = [pipe]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = None
            waiting += sorted(named.get(name, ()))
    for name in sorted(reached):
        config = configs.get(name)
        yield config
        if isinstance(config, CarrierConfig):
            yield gate_of(config, carriers)
