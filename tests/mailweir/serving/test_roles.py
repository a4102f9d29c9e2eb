"""Services that do a part of it, on one state."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from mailweir.serving.service import Options, Role, Service
from pipeline.clock import MachineClock
from pipeline.config.load import Options as Loading
from pipeline.config.load import load

PATIENCE = 120
PARTS = [
    {"_id": "folder", "type": "system:eml", "folder": "mail"},
    {"_id": "p", "type": "pipe", "source": {"type": "embedded", "entities": [{"_id": "a"}]}},
]


def service(folder: Path, *roles: Role) -> Service:
    """One with these roles."""
    (folder / "all.conf.json").write_text(json.dumps(PARTS))
    loaded = load(folder, Loading(here=folder))
    return Service(lambda: loaded, Options(folder / ".mailweir", MachineClock(), lambda: 0.5, roles=frozenset(roles)))


async def until(true: Callable[[], bool]) -> None:
    """Look again and again until something is true."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)


def test_only_a_scheduler_runs_pipes(tmp_path: Path) -> None:
    """Who only answers HTTP or sends looks after its pipes and begins no run; the scheduler beside them does."""

    async def go() -> None:
        others = [service(tmp_path, "web"), service(tmp_path, "sender")]
        scheduler = service(tmp_path, "scheduler")
        tasks = [asyncio.create_task(one.go()) for one in others]
        await until(lambda: all(one.begun.is_set() for one in others))
        turns = [one.turned for one in others]
        await until(lambda: all(one.turned > before for one, before in zip(others, turns, strict=True)))
        assert not any(one.totals.entities for one in others)
        tasks.append(asyncio.create_task(scheduler.go()))
        await until(lambda: scheduler.totals.entities["p", "read"] == 1)
        assert not any(one.totals.entities for one in others)
        assert others[0].facts()["roles"] == ["web"]
        for one in (*others, scheduler):
            one.stop()
        await asyncio.gather(*tasks)

    asyncio.run(go())
