"""The process of a service: the signals that it hears, the files that it watches, and its end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from pathlib import Path
from typing import NoReturn

from watchfiles import awatch

from mailweir.cli.watch import matters
from mailweir.serving.log import event
from mailweir.serving.service import Service
from mailweir.serving.supervised import Supervisor


async def attended(
    service: Service,
    root: Path | None,
    beside: AbstractAsyncContextManager[None] | None = None,
    end: Callable[[int], object] | None = None,
    supervisor: Supervisor | None = None,
) -> int:
    """Serve until a signal ends it: how many runs had not come to their end. `root` is watched for changes.

    `beside` lasts as long as the service does. The `supervisor` is whoever looks after the process.
    The second signal does not wait: `end` is called with the exit code of a process that a signal ended.
    """
    loop = asyncio.get_running_loop()
    heard: list[int] = []

    def stop(number: int) -> None:
        heard.append(number)
        if len(heard) > 1:
            (end or end_now)(128 + number)
        service.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    loop.add_signal_handler(signal.SIGHUP, service.reload)
    watching = None if root is None else asyncio.create_task(_watch(service, root))
    following = None if supervisor is None else asyncio.create_task(supervisor.follow(service))
    try:
        async with beside or nullcontext():
            return await service.go()
    finally:
        for task in (watching, following):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


async def _watch(service: Service, root: Path) -> None:
    """Have the configuration looked at when a file of it changes."""
    # That files changed is told by what comes of it.
    logging.getLogger("watchfiles").setLevel(logging.ERROR)
    try:
        async for _ in awatch(
            root, watch_filter=lambda _, path: matters(Path(path), {root}), stop_event=service.stopping
        ):
            service.reload()
    except OSError as error:
        event("config.unwatched", f"changes of files are not seen, send SIGHUP: {error}", logging.WARNING)


def end_now(code: int) -> NoReturn:
    """End without waiting for anybody: what has not ended is as after a kill, which the next start knows of."""
    sys.stderr.flush()
    os._exit(code)
