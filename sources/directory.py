"""A folder into which others put files, as a source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, cast

from pydantic import Field

from pipeline.component import Context, Slot, Source, SourceConfig, SourceContext
from pipeline.config.given import advice
from pipeline.config.tree import Object, Scalar
from pipeline.entity import SECOND
from systems.forms import file_faults

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.directory_read import Directory

_READERS = ("csv", "json", "xml")


class DirectoryConfig(SourceConfig):
    """Files that others put into a folder of the project, each read once, in the order in which they were written."""

    type: Literal["directory"]
    """`directory`."""
    path: str
    """The folder: a path from the project's folder, below it. Folders in it, links, and files whose names begin with
    `.` or end like those of unfinished ones (`.tmp`, `.part`, `~`) are left alone."""
    pattern: str = "*"
    """Which files are read: `*.csv`."""
    source: Annotated[SourceConfig | None, Slot("source")] = None
    """What reads a file: a source `json`, `csv` or `xml`; its `path` is that of the file, whatever it says. Default:
    each file is an entity, with its name as `_id`."""
    content: Literal["bytes", "text", "none"] = "bytes"
    """Without `source`: what of a file is its `content`. `text` is UTF-8."""
    file_property: str | None = None
    """With `source`: the property that gets the name of the file."""
    done: str | None = None
    """A folder for files that were read. They are put there by the run that follows, when all of them is stored.
    Default: they stay."""
    failed: str | None = None
    """A folder for files with a fault. Default: the run stops at the fault, and the next one tries the file again."""
    settle: float = Field(default=2, ge=0, le=86_400)
    """How many seconds a file must be unchanged before it is read."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The folders are of the project, and files can be read."""
        for name in ("path", "done", "failed"):
            yield from file_faults(given, name)
        inner = given.node.members.get("source")
        kind = inner.value.members.get("type") if inner is not None and isinstance(inner.value, Object) else None
        if kind is not None and isinstance(kind.value, Scalar) and kind.value.value not in _READERS:
            help_ = (advice("sources that read files are `json`, `csv` and `xml`"),)
            message = f"a source `{kind.value.value}` reads no file"
            yield given.problem("E203", message, "source", at=given.document.span(kind.value), notes=help_)
        if given.text("path") is not None and given.text("path") in {given.text("done"), given.text("failed")}:
            help_ = (advice("name a folder beside it: `inbox-done`"),)
            yield given.problem("E203", "files cannot be put away where they come", "path", notes=help_)

    def build(self, context: SourceContext) -> Directory:
        """The source itself."""
        from sources.directory_read import Directory, Folder  # noqa: PLC0415 - the disk is for those who read

        folder = Folder(
            Path(context.root),
            self.path.rstrip("/"),
            self.pattern,
            self.done,
            self.failed,
            int(self.settle * SECOND),
            self.content,
            self.file_property,
            context.runs,
        )
        return Directory(folder, context.now, None if self.source is None else _reader(self.source, context))


class _Builds(Protocol):
    def build(self, context: Context) -> Source: ...


def _reader(config: SourceConfig, context: Context) -> Callable[[str], Source]:
    """What makes the source of a file of its path."""

    def source(path: str) -> Source:
        return cast("_Builds", config.model_copy(update={"path": path})).build(context)

    return source
