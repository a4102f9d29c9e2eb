"""JSON as a source: a list of entities, one, or one a line, from a file of the project or standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

from pydantic import Field

from pipeline.component import Context, Refers
from pipeline.config.given import advice
from pipeline.entity import Entity
from sources.dataset import ContinuationConfig
from sources.json_cut import Form
from sources.parts import OnError
from systems.http.config import HttpSystemConfig, place_faults

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.json_file import Json, JsonStream
    from sources.json_url import JsonUrl


class JsonConfig(ContinuationConfig):
    """Entities from JSON: a file of the project, or a service. A list, objects, or JSON Lines."""

    type: Literal["json"]
    """`json`."""
    path: str | None = None
    """The file: a path from the project's folder, below it. `.gz` is read as gzip. `-` is standard input."""
    system: Annotated[str | None, Refers("system", HttpSystemConfig, "be asked over HTTP")] = None
    """The `_id` of the service, instead of a file."""
    url: str = ""
    """What is asked of the service: a URL relative to that of the system."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of the request."""
    page_size: int | None = Field(default=None, ge=1)
    """How many entities are asked for at a time (`limit`), until there are no more; for a service that is
    `is_chronological` and knows `since`."""
    format: Form | None = None
    """`lines`: an object a line. `list`: a list of objects. `objects`: one object, or several one after the other, over
    as many lines as they need. Default: what the first line looks like."""
    on_error: OnError = "stop"
    """What is done with a part that is no entity. `stop`: the run ends there with the place of the fault, what stands
    before it is delivered, and the next run begins with it. `skip`: it is logged, counted and left out."""
    supports_since: bool | None = None
    """Whether a run goes on where the last one stopped. Default: in a file of lines that is not compressed, as long as
    the bytes that were read before are unchanged; of a service that is asked with `since`, if this is true; otherwise
    all of it is read."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """There is one thing to read; a path stays in the project, a URL is relative."""
        yield from place_faults(given, "data/customers.jsonl")
        if given.has("page_size") and not (given.get("supports_since") and given.get("is_chronological")):
            help_ = advice('add `"supports_since": true, "is_chronological": true`, or leave it out')
            message = "`page_size` needs a service that goes on in the order of changes"
            yield given.problem("E204", message, "page_size", at="key", notes=(help_,))

    def build(self, context: Context) -> Json | JsonStream | JsonUrl:
        """The source itself."""
        from sources.json_file import Json, JsonStream  # noqa: PLC0415 - the decoder is for those who read

        if self.path is None:
            from sources.json_url import JsonUrl  # noqa: PLC0415 - sockets are for those who ask
            from systems.http.client import Http  # noqa: PLC0415 - as above

            return JsonUrl(
                context.system(self.system or "", Http),
                self.url,
                self.format,
                self.on_error,
                headers=self.headers,
                lasting=self.supports_since is True and self.is_since_comparable is not False,
                chronological=self.is_chronological is True,
                page=self.page_size,
                initial=self.initial_since_value,
            )
        if self.path == "-":
            return JsonStream(sys.stdin.buffer, "standard input", self.format, self.on_error)
        lasting = self.supports_since is not False
        return Json(Path(context.root), self.path, self.format, self.on_error, lasting=lasting)


def entities_of(stream: BinaryIO, name: str, form: Form | None = None, on_error: OnError = "stop") -> Iterator[Entity]:
    """The entities of an open file or of standard input, one after the other; `SourceError` where it cannot go on."""
    from sources.json_file import JsonStream  # noqa: PLC0415 - as above

    for batch, _ in JsonStream(stream, name, form, on_error).read(None):
        yield from batch
