"""Gathering how a service and its pipes are, from the state and from what services wrote down."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mailweir.pumps import RECORDS, record_of
from mailweir.serving.overview import Overview
from mailweir.serving.pauses import PAUSES, pauses_of
from mailweir.serving.presence import found
from pipeline.pipe import PipeConfig

if TYPE_CHECKING:
    from pipeline.config.load import Loaded
    from pipeline.state.port import Look


def modes_of(loaded: Loaded) -> dict[str, str]:
    """The pipes of a configuration, with the mode of their pumps."""
    return {one.id: one.config.pump.mode for one in loaded.project.components if isinstance(one.config, PipeConfig)}


async def gathered(look: Look, folder: Path, pipes: Mapping[str, str], wall: float) -> Overview:
    """All of it. `folder` is that of the state."""
    notes = await look.notes(RECORDS)
    return Overview(
        wall,
        found(folder),
        pipes,
        {name.removeprefix(RECORDS): record_of(text) for name, text in notes.items()},
        {pipe: runs[0] for pipe in pipes if (runs := await look.executions(pipe, 1))},
        pauses_of(await look.notes(PAUSES), wall),
        await look.counts(),
        await look.failure_counts(),
        await look.usage(),
        await look.waited(),
    )
