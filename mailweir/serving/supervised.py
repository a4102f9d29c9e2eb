"""Whoever looks after the process, such as systemd, is told that it is ready, that it lives, and that it stops.

The protocol is that of sd_notify(3): a datagram for each word, to the socket that the environment names.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mailweir.serving.service import Service

SOCKET: Final = "NOTIFY_SOCKET"
WITHIN: Final = "WATCHDOG_USEC"
WHO: Final = "WATCHDOG_PID"


class Supervisor:
    """Who looks after it, if anybody does."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """As the environment has it."""
        self._address = environ.get(SOCKET, "")
        told, who = environ.get(WITHIN, ""), environ.get(WHO, "")
        meant = who in {"", str(os.getpid())}
        self._within = int(told) / 1e6 if told.isdigit() and meant else 0.0

    async def follow(self, service: Service) -> None:
        """Tell, until the service stops."""
        if not self._address:
            return
        begun = asyncio.create_task(service.begun.wait())
        stopping = asyncio.create_task(service.stopping.wait())
        try:
            await asyncio.wait((begun, stopping), return_when=asyncio.FIRST_COMPLETED)
            if begun.done():
                self._tell("READY=1")
            while not stopping.done():
                # Three times as often as it is waited for: one late word is no reason to be killed.
                await asyncio.wait((stopping,), timeout=self._within / 3 or None)
                if self._within and not stopping.done() and service.lives:
                    self._tell("WATCHDOG=1")
            self._tell("STOPPING=1")
        finally:
            begun.cancel()
            stopping.cancel()

    def _tell(self, word: str) -> None:
        # A name in the abstract space begins with a NUL, which is written as `@`.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(1)
            sender.sendto(word.encode(), address)
