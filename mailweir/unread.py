"""Which pipes read every version of an entity, so that none may be removed before they have. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.alternatives import chosen
from pipeline.config.typed import Component
from pipeline.pipe import PipeConfig
from sources.dataset import DatasetSourceConfig
from sources.http_endpoint import HttpEndpointSourceConfig, inbox


def readers_of_versions(components: Sequence[Component]) -> dict[str, list[str]]:
    """The pipes that go on where they were in all versions of a dataset, by its name."""
    found: dict[str, list[str]] = {}
    for component in components:
        pipe = component.config
        if not isinstance(pipe, PipeConfig):
            continue
        source = chosen(pipe.source)
        if isinstance(source, HttpEndpointSourceConfig):
            found.setdefault(inbox(pipe.id), []).append(pipe.id)
        elif (
            isinstance(source, DatasetSourceConfig)
            and source.include_previous_versions
            # Who reads all of it in each run would keep all for ever.
            and source.supports_since is not False
            and not pipe.disable_set_last_seen
        ):
            found.setdefault(source.dataset, []).append(pipe.id)
    return found
