"""JSON as a sink: entities in a file of the project, one a line or as a list."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Refers, SinkConfig, SinkContext
from pipeline.config.given import advice
from pipeline.entity import Entity, to_json
from sinks.batches import BatchSink
from sinks.file import GrownFile, Mode, ReplacedFile
from sinks.output_file import OutputFile
from systems.http.config import HttpSystemConfig, place_faults

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

# Of what belongs to the engine only this is for others.
_told = frozenset({"_id", "_deleted"})


class JsonSinkConfig(SinkConfig):
    """Entities as JSON, in a file of the project or to a service. Values that JSON lacks are strings with a tag."""

    type: Literal["json"]
    """`json`."""
    path: str | None = None
    """The file: a path from the project's folder, below it; folders on the way are made. `.gz` is packed."""
    system: Annotated[str | None, Refers("system", HttpSystemConfig, "be asked over HTTP")] = None
    """The `_id` of the service, instead of a file. Each batch is posted to it as a list."""
    url: str = ""
    """Where it is posted: a URL relative to that of the system."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of the request."""
    batch_size: int = Field(default=100, ge=1, le=100_000)
    """How many entities are posted together. If the service refuses them (4xx) they are posted one by one, and only
    those that it refuses are `rejected`."""
    format: Literal["lines", "list"] = "lines"
    """`lines`: an object a line. `list`: one list of objects."""
    mode: Mode = "replace"
    """`replace`: each run reads the whole source and writes the file anew, whole or not at all. `append`: each run puts
    what it reads behind what is there; for `lines` only."""
    skip_deleted: bool = False
    """Whether deleted entities are left out."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """There is one place to write to; a path stays in the project, a URL is relative; only lines can grow."""
        yield from place_faults(given, "out/customers.jsonl")
        if given.get("format") == "list" and given.get("mode") == "append":
            help_ = advice("leave `format` out: lines can be appended")
            yield given.problem("E209", "nothing can be appended to a list", "mode", notes=(help_,))

    def build(self, context: SinkContext) -> ReplacedFile | GrownFile | BatchSink:
        """The sink itself."""
        if self.path is None:
            from sinks.json_post import Post  # noqa: PLC0415 - sockets are for those who ask
            from systems.http.client import Http  # noqa: PLC0415 - as above

            service = context.system(self.system or "", Http)
            post = Post(service, self.url, self.headers, skip_deleted=self.skip_deleted)
            return BatchSink(context.pipe, lambda: post, self.batch_size, context.run)
        file = OutputFile(Path(context.root), self.path)
        if self.mode == "replace":
            form = Listed() if self.format == "list" else Lines()
            return ReplacedFile(file, form, skip_deleted=self.skip_deleted)
        return GrownFile(context.pipe, file, Lines(), context.run, skip_deleted=self.skip_deleted)


class Lines:
    """An entity a line."""

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def text(self, entity: Entity) -> bytes:
        """A line."""
        return text_of(entity) + b"\n"

    def between(self) -> bytes:
        """Lines have their ends."""
        return b""

    def tail(self) -> bytes:
        """The last line is the end."""
        return b""


class Listed:
    """One list."""

    def head(self) -> bytes:
        """It begins."""
        return b"[\n"

    def text(self, entity: Entity) -> bytes:
        """An item."""
        return text_of(entity)

    def between(self) -> bytes:
        """A comma, and a new line for people."""
        return b",\n"

    def tail(self) -> bytes:
        """It ends."""
        return b"\n]\n"


def text_of(entity: Entity) -> bytes:
    """An entity as JSON, without what belongs to the engine; ValueError for one that JSON cannot hold."""
    try:
        return to_json({name: value for name, value in entity.items() if name[:1] != "_" or name in _told})
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"it cannot be written as JSON: {error}") from None
