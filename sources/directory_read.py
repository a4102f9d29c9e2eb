"""Reading the files of a folder, each once, and putting those away of which all is stored."""

from __future__ import annotations

import heapq
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from pipeline.entity import Datetime, Entity
from pipeline.errors import SourceError
from pipeline.run import StoppedError
from sources.folder_position import Position, fingerprint
from sources.input_file import open_file, unreadable
from sources.parts import MOST_BYTES
from systems.disk import reason

if TYPE_CHECKING:
    from pipeline.component import Source

Content = Literal["bytes", "text", "none"]

# Files that a position can tell; more are left to the next run.
MOST_FILES: Final = 10_000
# Names that programs give to what they have not finished.
_UNFINISHED: Final = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")

_log: Final = logging.getLogger("mailweir.source")


class Found(NamedTuple):
    """A file: when it was changed last, its name, size and fingerprint."""

    changed: int
    name: str
    size: int
    mark: str


@dataclass(frozen=True, slots=True)
class Folder:
    """Where files come, and what is done with them. Paths lead from the project's folder `root`.

    A file is read when it was not changed for `settle` nanoseconds. `puts_away`: this is a run.
    """

    root: Path
    path: str
    pattern: str = "*"
    done: str | None = None
    failed: str | None = None
    settle: int = 0
    content: Content = "bytes"
    file_property: str | None = None
    puts_away: bool = True


class Directory:
    """Reads the files of a folder in the order in which they were written.

    Its position tells which files were read, and how many entities of the one that is being read. A file is put away by
    the run that finds it in its position: then all that came of it is stored.
    """

    # A file that was put away is not gone from the data.
    cut: Final = True

    def __init__(self, folder: Folder, now: Callable[[], int], source: Callable[[str], Source] | None = None) -> None:
        """`source` makes the source of a file of its path; without one the files themselves are entities."""
        self._folder = folder
        self._now = now
        self._source = source
        self.skipped = 0
        self.afresh = False

    def knows(self, since: str) -> bool:
        """Whether this is a position in it."""
        return Position.of(since) is not None

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """Batches of entities, never of two files; `SourceError` where it cannot go on."""
        told = Position.of(since)
        self.afresh = told is None
        position = told or Position()
        files, more = self._files()
        files = [one for one in files if not self._is_put_away(one, position)]
        position.keep({one.mark for one in files})
        room = MOST_FILES - len(position.done) - len(position.failed)
        new = [one for one in files if one.mark not in position and self._is_settled(one)]
        if new and room <= 0:
            raise StoppedError(f"{MOST_FILES} files that were read lie in `{self._folder.path}`: `done` puts them away")
        for one in new[:room]:
            yield from self._entities(one, position)
        more += len(new[room:])
        if more:
            _log.warning("%s: %d more files are left to the next run", self._folder.path, more)

    # The folder

    def _files(self) -> tuple[list[Found], int]:
        """The files that were written first, and how many others there are."""
        many = count()
        try:
            found = heapq.nsmallest(2 * MOST_FILES, (one for one in self._scanned() if next(many) >= 0))
        except OSError as error:
            raise unreadable(self._folder.path, reason(error)) from None
        return found, next(many) - len(found)

    def _scanned(self) -> Iterator[Found]:
        with os.scandir(self._folder.root / self._folder.path) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith(".") or name.endswith(_UNFINISHED) or not fnmatchcase(name, self._folder.pattern):
                    continue
                # It may be gone by now.
                with suppress(FileNotFoundError):
                    if entry.is_file(follow_symlinks=False):
                        yield _found(name, entry.stat(follow_symlinks=False))

    def _is_settled(self, file: Found) -> bool:
        """Whether nobody seems to write it; by a clock that is ahead of ours nothing can be said."""
        return not 0 <= self._now() - file.changed < self._folder.settle

    def _is_put_away(self, file: Found, position: Position) -> bool:
        """Put a file away of which all is stored."""
        folder = self._folder
        target = folder.done if file.mark in position.done else folder.failed if file.mark in position.failed else None
        if target is None or not folder.puts_away:
            return False
        try:
            (folder.root / target).mkdir(parents=True, exist_ok=True)
            # One that was put away before is never lost to another of its name.
            named = self._name_away(file)
            names = (named if not number else f"{named}.{number}" for number in count())
            free = next(path for name in names if not os.path.lexists(path := folder.root / target / name))
            (folder.root / folder.path / file.name).rename(free)
        except OSError as error:
            _log.warning("%s/%s cannot be put into %s: %s", folder.path, file.name, target, reason(error))
            return False
        return True

    def _name_away(self, file: Found) -> str:
        """The name of a file where it is put away."""
        return file.name

    # A file

    def _entities(self, file: Found, position: Position) -> Iterator[tuple[Sequence[Entity], str]]:
        """What a file has; the last position of it says that it was read."""
        left = position.count if position.at == file.mark else 0
        position.at, position.count = file.mark, 0
        held: Sequence[Entity] = ()
        try:
            for batch in self._batches(file):
                if held:
                    yield held, str(position)
                skipped = min(left, len(batch))
                left -= skipped
                position.count += len(batch)
                held = batch[skipped:]
            self._check_same(file)
        except SourceError as error:
            if self._folder.failed is None:
                if held:
                    yield held, str(position)
                raise
            _log.warning("%s; the file is put away", error)
            self.skipped += 1
            position.failed[file.mark] = None
        else:
            position.done[file.mark] = None
        position.at, position.count = "", 0
        yield held, str(position)

    def _batches(self, file: Found) -> Iterator[Sequence[Entity]]:
        path = f"{self._folder.path}/{file.name}"
        named = self._folder.file_property
        if self._source is None:
            yield [self._whole(file, path)]
            return
        source = self._source(path)
        try:
            for entities, _ in source.read(None):
                yield entities if named is None else [{**one, named: _text(file.name)} for one in entities]
        finally:
            self.skipped += getattr(source, "skipped", 0)

    def _whole(self, file: Found, path: str) -> Entity:
        entity: Entity = {
            "_id": _text(file.name),
            "path": _text(path),
            "size": file.size,
            "modified": Datetime(file.changed),
        }
        if self._folder.content == "none":
            return entity
        if file.size > MOST_BYTES:
            raise unreadable(path, f"it is larger than {MOST_BYTES // 1_000_000} MB")
        with open_file(self._folder.root, path) as stream:
            data = stream.read(MOST_BYTES + 1)
        try:
            return {**entity, "content": data if self._folder.content == "bytes" else data.decode()}
        except UnicodeDecodeError:
            raise unreadable(path, "it is no UTF-8") from None

    def _check_same(self, file: Found) -> None:
        path = f"{self._folder.path}/{file.name}"
        try:
            now = _found(file.name, (self._folder.root / path).stat(follow_symlinks=False))
        except OSError as error:
            raise unreadable(path, reason(error)) from None
        if now.mark != file.mark:
            raise unreadable(path, "it was changed while it was read")


def _found(name: str, stat: os.stat_result) -> Found:
    return Found(stat.st_mtime_ns, name, stat.st_size, fingerprint(name, stat.st_size, stat.st_mtime_ns))


def _text(name: str) -> str:
    """A name of a file as a text: bytes of it that are no characters are told as such."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
