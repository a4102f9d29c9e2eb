"""Whoever looks after the process hears of it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from pathlib import Path

import pytest

from mailweir.serving.service import Options, Service
from mailweir.serving.supervised import Supervisor
from pipeline.clock import MachineClock
from pipeline.config.load import Options as Loading
from pipeline.config.load import load

PIPE = {"_id": "p", "type": "pipe", "source": {"type": "embedded", "entities": []}, "pump": {"mode": "manual"}}


@pytest.mark.parametrize("abstract", [False, True])
def test_it_is_told(tmp_path: Path, abstract: bool) -> None:
    """That it is ready once it looks after its pipes, again and again that it lives, and that it stops."""
    (tmp_path / "p.conf.json").write_text(json.dumps(PIPE))
    name = f"@mailweir-{os.getpid()}-{tmp_path.name}" if abstract else str(tmp_path / "n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"\0{name[1:]}" if abstract else name)
        heard.settimeout(120)
        supervisor = Supervisor({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000", "WATCHDOG_PID": str(os.getpid())})

        async def go() -> list[bytes]:
            loaded = load(tmp_path, Loading(here=tmp_path))
            service = Service(lambda: loaded, Options(tmp_path / ".mailweir", MachineClock(), lambda: 0.5))
            following = asyncio.create_task(supervisor.follow(service))
            serving = asyncio.create_task(service.go())
            words = [await asyncio.to_thread(heard.recv, 100) for _ in range(3)]
            service.stop()
            await serving
            await following
            while words[-1] != b"STOPPING=1":
                words.append(heard.recv(100))
            return words

        words = asyncio.run(go())
    assert words[:3] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]


def test_nobody_is_told(tmp_path: Path) -> None:
    """Without a socket there is nothing to do, and a watch that is for another process is not kept."""
    loaded = load(tmp_path, Loading(here=tmp_path))
    service = Service(lambda: loaded, Options(tmp_path / ".mailweir", MachineClock(), lambda: 0.5))
    asyncio.run(Supervisor({}).follow(service))
    assert Supervisor({"NOTIFY_SOCKET": "x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"})._within == 0
