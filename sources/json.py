"""JSON as a source: a list of entities, one, or one a line, from a file of the project or standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from pipeline.component import Context, SourceConfig
from pipeline.entity import Entity
from sources.json_cut import Form
from sources.parts import OnError
from systems.forms import file_faults

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.json_file import Json, JsonStream


class JsonConfig(SourceConfig):
    """Entities from a JSON file of the project: a list, objects, or JSON Lines. Of lines, those that are new."""

    type: Literal["json"]
    """`json`."""
    path: str
    """The file: a path from the project's folder, below it. `.gz` is read as gzip. `-` is standard input."""
    format: Form | None = None
    """`lines`: an object a line. `list`: a list of objects. `objects`: one object, or several one after the other, over
    as many lines as they need. Default: what the first line looks like."""
    on_error: OnError = "stop"
    """What is done with a part that is no entity. `stop`: the run ends there with the place of the fault, what stands
    before it is delivered, and the next run begins with it. `skip`: it is logged, counted and left out."""
    supports_since: bool | None = None
    """Whether a run goes on where the last one stopped. Default: in a file of lines that is not compressed, as long as
    the bytes that were read before are unchanged; otherwise all of it is read."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The path can be one, and stays in the project."""
        return file_faults(given, "path")

    def build(self, context: Context) -> Json | JsonStream:
        """The source itself."""
        from sources.json_file import Json, JsonStream  # noqa: PLC0415 - the decoder is for those who read

        if self.path == "-":
            return JsonStream(sys.stdin.buffer, "standard input", self.format, self.on_error)
        lasting = self.supports_since is not False
        return Json(Path(context.root), self.path, self.format, self.on_error, lasting=lasting)


def entities_of(stream: BinaryIO, name: str, form: Form | None = None, on_error: OnError = "stop") -> Iterator[Entity]:
    """The entities of an open file or of standard input, one after the other; `SourceError` where it cannot go on."""
    from sources.json_file import JsonStream  # noqa: PLC0415 - as above

    for batch, _ in JsonStream(stream, name, form, on_error).read(None):
        yield from batch
