"""A signal ends what works for a while in good order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailweir.cli.out import Out

_signals = (signal.SIGINT, signal.SIGTERM)


def at_signal(stop: Callable[[], None], out: Out) -> None:
    """Call `stop` at the first signal; the second does not wait."""
    loop = asyncio.get_running_loop()

    def first() -> None:
        for number in _signals:
            loop.remove_signal_handler(number)
        out.say("Waiting for what is on its way. Ctrl-C again does not wait")
        stop()

    for number in _signals:
        loop.add_signal_handler(number, first)
