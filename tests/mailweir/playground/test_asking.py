"""The process in which things are tried."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mailweir.playground.asking import Playground

# Far longer than anything here takes on a machine with nothing else to do.
PATIENCE = 120.0
ENTITY = json.dumps({"_id": "a", "n": 1})
Use = Callable[[Playground], Awaitable[Any]]


def project(folder: Path, function: str = "return entity") -> Path:
    """One with a pipe whose function does this."""
    pipe = {
        "_id": "p",
        "type": "pipe",
        "source": {"type": "embedded", "entities": [{"_id": "a"}]},
        "transform": {"type": "python", "function": "shapes:shape"},
        "sink": {"type": "null"},
    }
    (folder / "mailweir.json").write_text("{}")
    (folder / "p.conf.json").write_text(json.dumps(pipe))
    (folder / "shapes.py").write_text(f"import os, socket, time\n\n\ndef shape(entity):\n    {function}\n")
    return folder


def asked(folder: Path, use: Use, seconds: float = PATIENCE) -> Any:
    """What comes of using the playground of a project."""

    async def go() -> Any:
        playground = Playground(folder, "test", seconds)
        try:
            return await use(playground)
        finally:
            await playground.close()

    return asyncio.run(go())


async def once(playground: Playground) -> Any:
    """The answer to the usual question."""
    return await playground.ask({"pipe": "p", "entity": ENTITY})


def test_questions_one_after_the_other(tmp_path: Path) -> None:
    """Also when they are asked at once; each sees the files as they are then."""
    project(tmp_path, "print('none of the answers')\n    return {**entity, 'seen': 1}")

    async def use(playground: Playground) -> Any:
        found = await asyncio.gather(*(once(playground) for _ in range(3)))
        (tmp_path / "p.conf.json").write_text((tmp_path / "p.conf.json").read_text().replace('"shapes:shape"', '"x"'))
        return [*found, await once(playground)]

    *same, other = asked(tmp_path, use)
    assert [one["entities"] for one in same] == [[{"_id": "a", "n": 1, "seen": 1}]] * 3
    assert other["faults"] == ["the pipe `p` cannot be used: see `mailweir check`"]


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("socket.create_connection(('127.0.0.1', 9))", "tests are offline"),
        ("os.system('true')", "tests are offline"),
        ("return {'_id': 'a', 'x': bytearray(2**33)}", "MemoryError"),
    ],
)
def test_what_it_is_not_given(tmp_path: Path, function: str, told: str) -> None:
    """A network, programs, and the memory of the whole machine."""
    found = asked(project(tmp_path, function), once)
    assert told in " ".join(found["faults"])


@pytest.mark.parametrize("function", ["os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_an_end_is_not_ours(tmp_path: Path, function: str) -> None:
    """Where the process dies it is said, and the next question begins another one."""
    project(tmp_path, f"if entity.get('n') == 2:\n        {function}\n    return entity")

    async def use(playground: Playground) -> Any:
        return [
            await once(playground),
            await playground.ask({"pipe": "p", "entity": '{"_id": "b", "n": 2}'}),
            await once(playground),
        ]

    first, dead, then = asked(tmp_path, use)
    assert dead == {"faults": ["it needed more memory or time than it is given, and was stopped"]}
    assert first == then
    assert first["faults"] == []


def test_what_takes_too_long_is_stopped(tmp_path: Path) -> None:
    """Nobody waits for it, and nothing of it stays."""
    found = asked(project(tmp_path, "time.sleep(3600)"), once, seconds=3)
    assert found == {"faults": ["it took longer than 3 seconds, and was stopped"]}


def test_no_variable_of_the_process_is_there(tmp_path: Path) -> None:
    """But for those without which nothing runs."""
    found = asked(project(tmp_path, "return {'_id': 'a', 'names': sorted(os.environ)}"), once)
    allowed = {"PATH", "PYTHONPATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "HOME"}
    assert set(found["entities"][0]["names"]) <= allowed
