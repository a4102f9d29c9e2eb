"""The servers of one system, and what is known of their health: kept here, decided in `health`."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from systems.mail import Phase, Reason, SystemFault, Trouble
from systems.smtp.health import Cause, Circuit, State, cause_of
from systems.smtp.pool import Server

_log = logging.getLogger("mailweir.smtp")
_log.addHandler(logging.NullHandler())  # who just sends gets answers; a service sets up its log

# Between the name of a server and the mark of a login.
_WITH: Final = " with "

# What a server greets with that has too many connections.
_crowd: Final = frozenset({421, 432, 450, 451, 452, 454})


class Servers:
    """In the order in which they are tried. Times are those of the loop."""

    def __init__(self, system: str, logins: Mapping[str, str], jitter: Callable[[], float]) -> None:
        """All are taken to work. `logins` has for each by name a mark that changes with its login.

        `jitter` gives random numbers from 0 up to 1.
        """
        self._system = system
        self._logins = logins
        self._servers = {name: Server(name) for name in logins}
        self._faults: dict[str, SystemFault] = {}  # the last one of each server that is out of order
        self._jitter = jitter

    @property
    def all(self) -> tuple[Server, ...]:
        """As the plan sees them."""
        return tuple(self._servers.values())

    def trouble(self, now: float) -> Trouble | None:
        """Why no server can be used, and for how many seconds none is tried."""
        if any(server.circuit.state(now) is not State.OPEN for server in self._servers.values()):
            return None
        first = min(self._servers.values(), key=lambda server: server.circuit.until)
        return Trouble(first.name, self._faults[first.name], max(0.0, first.circuit.until - now))

    def learnt(self, now: float, wall: float) -> dict[str, str]:
        """The health of each server as text, by its name, and by its name and the login; `""` of what works.

        That it is out of reach is so for everybody. A refused login is known by the login too: a process with another
        one neither hears of it nor takes it for mended.
        """
        found: dict[str, str] = {}
        for name, server in self._servers.items():
            told = self._told(server, now, wall)
            refused = server.circuit.cause is Cause.LOGIN
            found[name] = "" if refused else told
            found[f"{name}{_WITH}{self._logins[name]}"] = told if refused else ""
        return found

    def _told(self, server: Server, now: float, wall: float) -> str:
        fault = self._faults.get(server.name)
        if server.circuit.cause is None or fault is None:
            return ""
        told = [fault.phase, fault.reason, fault.text, fault.code, fault.retryable]
        return json.dumps({**server.circuit.plain(now, wall), "fault": told, "login": self._logins[server.name]})

    def recall(self, learnt: Mapping[str, str], now: float, wall: float) -> None:
        """What an earlier run learnt.

        A server that was out of reach is probed at once, as somebody asks for it; only if it fails again the wait goes
        on to grow. One that refused a login is left in peace as long as the login is the same: every try may lock the
        account.
        """
        for key, text in sorted(learnt.items()):
            name, _, mark = key.partition(_WITH)
            server = self._servers.get(name)
            if mark not in ("", self._logins.get(name)):
                continue
            with suppress(ValueError, TypeError, KeyError):  # as another version kept it: then nothing is known
                if server is None or not text:
                    continue
                values = json.loads(text)
                phase, reason, said, code, retryable = values["fault"]
                fault = SystemFault(Phase(phase), Reason(reason), str(said), code, bool(retryable))
                circuit = Circuit.stored(values, now, wall)
                if circuit.cause is Cause.NETWORK:
                    circuit = replace(circuit, until=now)
                elif values["login"] != self._logins[name]:
                    continue
                self._servers[name] = replace(server, circuit=circuit)
                self._faults[name] = fault

    def steady(self, now: float) -> str | None:
        """The server that is tried first, if it works and takes as many connections as it is offered."""
        home = next(iter(self._servers.values()))
        return home.name if home.circuit.state(now) is State.CLOSED and home.ceiling.most is None else None

    def works(self, name: str) -> None:
        """A session is ready for mail."""
        server = self._servers[name]
        if self._faults.pop(name, None) is not None:
            _log.info("%s: %s works again", self._system, name)
        self._servers[name] = replace(server, circuit=server.circuit.worked())

    def is_crowded(self, name: str, fault: SystemFault, others: int, opened_at: float, now: float) -> bool:
        """Whether a session found no room beside the `others`, that it was opened with; then there will be fewer."""
        if not others or fault.phase is not Phase.GREETING or fault.code not in _crowd:
            return False
        server = self._servers[name]
        ceiling = server.ceiling.crowded(others + 1, opened_at, now)
        self._servers[name] = replace(server, ceiling=ceiling)
        _log.warning("%s: %s takes no more than %d connections now", self._system, name, ceiling.most)
        return True

    def fails(self, name: str, fault: SystemFault, now: float) -> None:
        """Leave it in peace for a while."""
        server = self._servers[name]
        circuit = server.circuit.failed(cause_of(fault.reason), now, self._jitter())
        if circuit is not server.circuit:
            text = fault.text if fault.text.startswith(name) else f"{name}: {fault.text}"
            _log.warning("%s: %s; tried again in %.0f s", self._system, text, circuit.until - now)
        self._servers[name] = replace(server, circuit=circuit)
        self._faults[name] = fault
