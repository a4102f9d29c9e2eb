"""A signal ends what works for a while in good order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailweir.cli.out import Out

_signals = (signal.SIGINT, signal.SIGTERM)


def at_signal(stop: Callable[[], None], out: Out, again: Callable[[], None] | None = None) -> None:
    """Call `stop` at the first signal and `again` at the second, which is not to wait; the next one interrupts."""
    loop = asyncio.get_running_loop()
    calls = [stop] if again is None else [again, stop]

    def heard() -> None:
        call = calls.pop()
        if not calls:
            for number in _signals:
                loop.remove_signal_handler(number)
        if call is stop:
            out.say("Waiting for what is on its way. Ctrl-C again does not wait")
        call()

    for number in _signals:
        loop.add_signal_handler(number, heard)
