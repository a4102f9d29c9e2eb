"""JSON as a sink: entities in a file of the project, one a line or as a list."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipeline.component import SinkConfig, SinkContext
from pipeline.config.given import advice
from pipeline.entity import Entity, to_json
from sinks.file import GrownFile, Mode, ReplacedFile
from sinks.output_file import OutputFile
from systems.forms import file_faults

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

# Of what belongs to the engine only this is for others.
_told = frozenset({"_id", "_deleted"})


class JsonSinkConfig(SinkConfig):
    """Entities in a JSON file of the project. Values that JSON lacks are strings with a tag, as everywhere."""

    type: Literal["json"]
    """`json`."""
    path: str
    """The file: a path from the project's folder, below it; folders on the way are made. `.gz` is packed."""
    format: Literal["lines", "list"] = "lines"
    """`lines`: an object a line. `list`: one list of objects."""
    mode: Mode = "replace"
    """`replace`: each run reads the whole source and writes the file anew, whole or not at all. `append`: each run puts
    what it reads behind what is there; for `lines` only."""
    skip_deleted: bool = False
    """Whether deleted entities are left out."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The path stays in the project; only lines can grow."""
        yield from file_faults(given, "path")
        if given.get("format") == "list" and given.get("mode") == "append":
            help_ = advice("leave `format` out: lines can be appended")
            yield given.problem("E209", "nothing can be appended to a list", "mode", notes=(help_,))

    def build(self, context: SinkContext) -> ReplacedFile | GrownFile:
        """The sink itself."""
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
