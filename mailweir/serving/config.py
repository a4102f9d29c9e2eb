"""The configuration of a service: loaded as a whole or not at all, with a name by which people know it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from mailweir.flows import CannotRunError, mail_sink, pipes_of
from pipeline.config.edits import encode

if TYPE_CHECKING:
    from pipeline.config.load import Loaded
    from pipeline.pipe import PipeConfig


class BadConfigError(ValueError):
    """It cannot be served. The text says why."""


class Served(NamedTuple):
    """What is served: the pipes that may run, by `_id`. `hash` tells its files from others."""

    loaded: Loaded
    pipes: Mapping[str, PipeConfig]
    hash: str
    at: float

    @property
    def systems(self) -> Mapping[str, tuple[str, ...]]:
        """The systems that are mailed through, each with the pipes that do."""
        found: dict[str, tuple[str, ...]] = {}
        for pipe in self.pipes.values():
            sink = mail_sink(pipe)
            if sink is not None:
                found[sink.system] = (*found.get(sink.system, ()), pipe.id)
        return found


class Load(NamedTuple):
    """What was served from a time on: the texts of all files, by name."""

    hash: str
    at: float
    texts: Mapping[str, bytes]


def load_of(config: Served) -> Load:
    """What is remembered of a configuration that is served."""
    documents = config.loaded.project.documents
    texts = {name: encode(documents[name], documents[name].text) for name in config.loaded.files}
    return Load(config.hash, config.at, texts)


def served(load: Callable[[], Loaded], at: float) -> Served:
    """Load it. `load` raises `BadConfigError` for a configuration with faults."""
    loaded = load()
    try:
        pipes = {pipe.id: pipe for pipe in pipes_of(loaded, none=True)}
    except CannotRunError as error:
        raise BadConfigError(str(error)) from None
    return Served(loaded, pipes, _hash(loaded), at)


def _hash(loaded: Loaded) -> str:
    """Of the names and texts of all its files, as they were read."""
    found = blake2b(digest_size=8)
    for name in sorted(loaded.files):
        data = loaded.project.documents[name].text.encode("utf-8", "surrogatepass")
        found.update(f"{len(name)}:{name}{len(data)}:".encode("utf-8", "surrogatepass") + data)
    return found.hexdigest()
