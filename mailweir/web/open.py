"""The HTTP side of a service, opened and closed with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mailweir.playground.asking import Playground
from mailweir.serving.log import event
from mailweir.web.buses import Buses
from mailweir.web.checks import LOOPBACK
from mailweir.web.config_stream import ConfigStream
from mailweir.web.configuration import Configuration
from mailweir.web.data import Data
from mailweir.web.events import Events
from mailweir.web.faults import CannotListenError
from mailweir.web.front import Bounds, Browsers, Front
from mailweir.web.health import Health
from mailweir.web.keys import address, keys_of, own
from mailweir.web.listening import Listener, Tls, bound, is_loopback, url_of
from mailweir.web.mail import Mail
from mailweir.web.pages.answering import Pages
from mailweir.web.pages.config import ConfigPages
from mailweir.web.pages.config_editing import ConfigEditing
from mailweir.web.pages.logs import LogPage
from mailweir.web.pages.mail_list import MailList
from mailweir.web.pages.mail_message import MailMessage
from mailweir.web.pages.overview import OverviewPage
from mailweir.web.pages.pausing import Pausing
from mailweir.web.pages.pipes import PipePages
from mailweir.web.pages.playground import PlaygroundPage
from mailweir.web.pages.removals import Removals
from mailweir.web.pages.rendering import Renderer
from mailweir.web.pages.signing import Signing
from mailweir.web.pages.systems import Systems
from mailweir.web.pipes import Pipes
from mailweir.web.preview import Preview
from mailweir.web.publishers import Publishers
from mailweir.web.receivers import Receivers
from mailweir.web.sessions import Seal
from mailweir.web.site import Site
from mailweir.web.submission import Submission
from pipeline.state.sqlite.store import SqliteState
from sinks.mail import outbound

if TYPE_CHECKING:
    from mailweir.configuration.desk import Desk
    from mailweir.serving.service import Service
    from mailweir.web.access import Keys
    from mailweir.web.route import Route
    from pipeline.clock import Clock
    from pipeline.scrub import Scrubber


class Wanted(NamedTuple):
    """How it is to listen. A proxy in front of it speaks for others: then ports are not compared.

    With less than `floor` bytes left on the disk nothing is taken.
    """

    host: str = "127.0.0.1"
    port: int = 8420
    hosts: Sequence[str] = ()
    tokens: Path | None = None
    tls: Tls | None = None
    behind_proxy: bool = False
    floor: int = 64 * 2**20
    pages: bool = True


class Opening:
    """What is known before anything runs: tokens, and a port that nobody else has."""

    def __init__(
        self,
        wanted: Wanted,
        state: Path,
        clock: Clock,
        scrubber: Callable[[], Scrubber],
        desk: Desk | None = None,
    ) -> None:
        """`CannotListenError` and `StateError` where it cannot be."""
        if not is_loopback(wanted.host) and wanted.tls is None and not wanted.behind_proxy:
            raise CannotListenError(
                f"refusing to listen on {wanted.host}, where others could read along\n"
                "  help: give `--tls-cert FILE --tls-key FILE`, or put it behind a proxy that speaks TLS and add"
                " `--behind-proxy`"
            )
        self._wanted = wanted
        self._clock = clock
        self._scrubber = scrubber
        self._desk = desk
        self._keys: Keys = keys_of(state, wanted.tokens)
        self._token = own(state)
        self._socket = bound(wanted.host, wanted.port)
        self.url = url_of(self._socket, wanted.tls)

    def address(self) -> str:
        """Where a browser is let in, once, within ten minutes."""
        return address(self.url, self._token, self._clock.wall()) if self._wanted.pages else self.url

    def close(self) -> None:
        """Before it was opened."""
        self._socket.close()

    @asynccontextmanager
    async def serving(self, service: Service) -> AsyncIterator[None]:
        """Answer as long as this lasts; what is being answered then comes to its end."""
        opened = partial(SqliteState.open, service.options.state, self._clock, outbound.stranded)
        async with await asyncio.to_thread(opened, floor=self._wanted.floor) as state, AsyncExitStack() as stack:
            site = Site(
                service,
                state,
                self._clock,
                self._scrubber,
                seal=Seal(self._token) if self._wanted.pages else None,
                playground=Playground(service.config.loaded.root, service.config.loaded.profile),
                desk=self._desk,
            )
            stack.push_async_callback(site.closed)
            events = Events(site)
            site.shown = events.shown
            buses = Buses(site)
            stack.callback(buses.close)
            routes, browsers = routes_of(site, events, buses), None
            if site.seal is not None:
                pages = Pages(site, Renderer(lambda text: self._scrubber().scrub(text)))
                removals = await stack.enter_async_context(Removals(state, self._clock))
                secure = self._wanted.tls is not None or self._wanted.behind_proxy
                routes += [
                    *page_routes(site, pages, removals),
                    *Signing(site, pages, self._keys, secure=secure).routes(),
                ]
                browsers = Browsers(site.seal, pages.refusal)
                service.url = self.url
            looking = asyncio.create_task(events.looking())
            front = Front(routes, self._keys, self._bounds(), self._clock, self._scrubber, browsers)
            site.answered, site.routes = front.answered, front.routes
            listener = Listener(front, self._socket, self._wanted.tls, service.options.drain)
            serving = asyncio.create_task(listener.serve())
            stopping = asyncio.create_task(_stopped(service, listener))
            serving.add_done_callback(lambda done: _ended(done, service))
            started = asyncio.create_task(listener.started())
            try:
                await asyncio.wait([serving, started], return_when=asyncio.FIRST_COMPLETED)
                event("serve.listening", f"listening at {self.url}", url=self.url)
                yield
            finally:
                listener.stop()
                for one in (stopping, started, looking):
                    one.cancel()
                await asyncio.gather(serving, stopping, started, looking, return_exceptions=True)

    def _bounds(self) -> Bounds:
        host, port = self._socket.getsockname()[:2]
        own = {f"[{host}]" if ":" in host else host, self._wanted.host.lower()}
        if any(is_loopback(one.strip("[]")) for one in own):
            own |= LOOPBACK
        hosts = frozenset(own | {one.lower().rstrip(".") for one in self._wanted.hosts})
        return Bounds(hosts, None if self._wanted.behind_proxy else port)


def routes_of(site: Site, events: Events | None = None, buses: Buses | None = None) -> list[Route]:
    """All that is answered to programs; those that are asked most first."""
    parts = (
        Receivers(site),
        Submission(site),
        buses or Buses(site),
        Publishers(site),
        Pipes(site),
        Mail(site),
        Data(site),
        Configuration(site),
        ConfigStream(site),
        Preview(site),
        Health(site),
        events or Events(site),
    )
    return [route for part in parts for route in part.routes()]


def page_routes(site: Site, pages: Pages, removals: Removals) -> list[Route]:
    """All pages that need a token."""
    parts = (
        OverviewPage(site, pages),
        PipePages(site, pages),
        Pausing(site, pages),
        LogPage(site, pages),
        MailList(site, pages, removals),
        MailMessage(site, pages),
        Systems(site, pages),
        PlaygroundPage(site, pages),
        ConfigPages(site, pages),
        ConfigEditing(site, pages),
    )
    return [route for part in parts for route in part.routes()]


async def _stopped(service: Service, listener: Listener) -> None:
    """When the service is to end, nothing more is taken."""
    await service.stopping.wait()
    listener.stop()


def _ended(done: asyncio.Task[None], service: Service) -> None:
    """A service that nobody reaches any more ends, so that whoever looks after it starts it anew."""
    if not done.cancelled() and done.exception() is not None:
        event("http.ended", f"nothing is answered any more: {done.exception()}", logging.ERROR)
        service.stop()
