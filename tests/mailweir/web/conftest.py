"""A real service with its HTTP side on loopback, in a thread of the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

import pytest

from mailweir.catcher import Catcher
from mailweir.caught import Caught
from mailweir.configuration.desk import Desk
from mailweir.rehearsal import Mishap
from mailweir.serving.config import BadConfigError
from mailweir.serving.service import Options, Service
from mailweir.web.keys import own
from mailweir.web.open import Opening, Wanted
from pipeline.clock import MachineClock
from pipeline.config.load import Loaded, load
from pipeline.config.load import Options as Loading
from pipeline.config.store_sqlite import SqliteConfig
from pipeline.config.stored import store_of

# Far longer than anything here takes on a machine with nothing else to do.
PATIENCE = 120
ANY_PORT = Wanted(port=0)


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The document in it."""
        return json.loads(self.body)


class Running:
    """A service that answers."""

    def __init__(self, folder: Path, parts: list[dict[str, Any]], wanted: Wanted, *, stored: bool = False) -> None:
        """It begins, with its configuration in a file, or `stored` in a database."""
        if stored:
            (folder / "mailweir.json").write_text('{"config_source": "database"}')
            with SqliteConfig.open(store_of(folder)) as store:
                store.commit({one["_id"]: json.dumps(one).encode() for one in parts}, 0, 1.0, "test", "to begin")
        else:
            (folder / "all.conf.json").write_text(json.dumps(parts))
        self.folder = folder
        self.state = folder / ".mailweir"
        self.token = own(self.state)
        self._begun = Event()
        self._error: BaseException | None = None
        self.service: Service
        self.opening: Opening
        self._loop: asyncio.AbstractEventLoop
        self._thread = Thread(target=self._run, args=(wanted,), daemon=True)
        self._thread.start()
        assert self._begun.wait(PATIENCE)
        if self._error is not None:
            raise self._error

    def _load(self) -> Loaded:
        loaded = load(self.folder, Loading(here=self.folder, take_secrets=True))
        if loaded.project.errors:
            raise BadConfigError(str(loaded.project.errors))
        return loaded

    def _run(self, wanted: Wanted) -> None:
        try:
            asyncio.run(self._go(wanted))
        except BaseException as error:  # noqa: BLE001 - the test hears of it
            self._error = error
        finally:
            self._begun.set()

    async def _go(self, wanted: Wanted) -> None:
        self._loop = asyncio.get_running_loop()
        self.service = Service(self._load, Options(self.state, MachineClock(), lambda: 0.5))
        scrubber = self.service.config.loaded.project.scrubber
        desk = Desk(self.folder, lambda: Loading(here=self.folder, take_secrets=True), MachineClock())
        self.opening = Opening(wanted, self.state, MachineClock(), lambda: scrubber, desk)
        self.port = int(self.opening.url.rstrip("/").rpartition(":")[2])
        async with self.opening.serving(self.service):
            self._begun.set()
            await self.service.go()

    def ask(self, method: str, path: str, body: object = None, *, token: str | None = "", **headers: str) -> Answer:
        """One request, with the token of the project unless another one is given; JSON unless the body is bytes."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given.setdefault("Authorization", f"Bearer {token or self.token}")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            given.setdefault("Content-Type", "application/json")
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, data, given)
            answer = connection.getresponse()
            headers_ = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers_, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Answer:
        """A question."""
        return self.ask("GET", path, **more)

    def post(self, path: str, body: object = None, **more: Any) -> Answer:
        """A request to do something."""
        return self.ask("POST", path, body, **more)

    def until(self, true: Callable[[], Any]) -> Any:
        """Ask again and again until something is true."""
        pause = Event()
        for _ in range(PATIENCE * 50):
            found = true()
            if found:
                return found
            pause.wait(0.02)
        raise AssertionError("it never became true")

    def inside(self, work: Callable[[], Any]) -> None:
        """Do something where the service does its own things."""
        self._loop.call_soon_threadsafe(work)

    def end(self) -> None:
        """It ends, as at SIGTERM."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self.service.stop)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error


class Catching:
    """A mail server in a thread of its own, which keeps what it gets."""

    def __init__(self) -> None:
        """It begins."""
        self.port = 0
        self.mishaps: list[Mishap] = []
        """What it refuses; may be changed while it runs."""
        self._catcher = Catcher(mishaps=self.mishaps)
        self._begun = Event()
        self._loop: asyncio.AbstractEventLoop
        self._over: asyncio.Event
        self._thread = Thread(target=lambda: asyncio.run(self._go()), daemon=True)
        self._thread.start()
        assert self._begun.wait(PATIENCE)

    async def _go(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with self._catcher:
            self.port = self._catcher.port
            self._begun.set()
            await self._over.wait()

    def mails(self) -> list[Caught]:
        """What came so far."""
        return list(self._catcher.mails)

    def end(self) -> None:
        """No more."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE)


@pytest.fixture
def catcher() -> Iterator[Catching]:
    """A mail server."""
    one = Catching()
    yield one
    one.end()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Begin a service for these components, in the folder of the test."""
    begun: list[Running] = []

    def begin(*parts: dict[str, Any], wanted: Wanted = ANY_PORT, stored: bool = False) -> Running:
        begun.append(Running(tmp_path, list(parts), wanted, stored=stored))
        return begun[-1]

    yield begin
    for one in begun:
        one.end()
