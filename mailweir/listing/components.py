"""The components of a project, with what they read and write. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from mailweir.flow_graph.ends import End, as_written, passes_on, reads, writes
from pipeline.component import Kind
from pipeline.config.given import Given
from pipeline.config.shape import shapes
from pipeline.config.typed import Component

_order: Final[tuple[Kind, ...]] = ("system", "pipe", "metadata")


@dataclass(frozen=True, slots=True)
class Listed:
    """A component. `address` is where a system is reached; `tests` counts the tests of a pipe."""

    kind: Kind
    type: str
    id: str
    file: str
    reads: Sequence[End] = ()
    writes: Sequence[End] = ()
    address: str = ""
    tests: int | None = None


def listed(components: Sequence[Component], tests: Mapping[str, int]) -> list[Listed]:
    """Systems first, then pipes, each in the order of the files. `tests` counts those of each pipe."""
    found = []
    for component in sorted(components, key=lambda component: _order.index(component.kind)):
        kind, id_, file = component.kind, component.id, component.given.document.name
        if kind == "pipe":
            count = tests.get(id_, 0)
            found.append(Listed(kind, component.type, id_, file, reads(component), writes(component), tests=count))
        else:
            place = address(component) if kind == "system" else ""
            behind = passes_on(component) if kind == "system" else ()
            found.append(Listed(kind, component.type, id_, file, writes=behind, address=place))
    return found


def address(system: Component) -> str:
    """Where a system is reached, without a login: `mail.example.com:587`."""
    given = system.given
    several = given.get("servers")
    if isinstance(several, list | tuple) and several and all(isinstance(server, dict) for server in several):
        places = [_one(server) for server in several]
        return ", ".join(place for place in places if place)
    defaults = {
        shape.written: shape.info.default
        for shape in shapes(system.model).values()
        if (shape.written == "url" or shape.written.endswith(("_server", "_port")))
        and isinstance(shape.info.default, str | int)
    }
    return _one(defaults | dict(_known(system, given)))


def _known(system: Component, given: Given) -> Iterator[tuple[str, object]]:
    """The values of a system; where a value is not known, its reference as it is written."""
    for name, value in given.values.items():
        known = as_written(system, name) or value
        if isinstance(known, str | int):
            yield name, known


def _one(values: Mapping[str, object]) -> str:
    url, socket, folder = values.get("url"), values.get("socket"), values.get("folder")
    if isinstance(url, str):
        return _of_url(url)
    if isinstance(socket, str):
        return socket
    if isinstance(folder, str):
        return folder
    server = next((value for name, value in values.items() if name.endswith("_server")), None)
    port = next((value for name, value in values.items() if name.endswith("_port")), None)
    if not isinstance(server, str):
        return ""
    return f"{server}:{port}" if isinstance(port, str | int) else server


def _of_url(url: str) -> str:
    """Host and port of a URL: what else stands in it may be a secret. A reference is shown as it is written."""
    if url.startswith("$"):
        return url
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    return f"{host}:{port}" if host and port else host or ""
