"""Reading a Maildir: each mail once, and `new` becomes `cur` when all of it is stored."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from pipeline.entity import Datetime, Entity
from sources.directory_read import Directory, Folder, Found
from sources.folder_position import Position, fingerprint
from sources.input_file import open_file
from sources.mail_entity import heading_entity, mail_entity

# The largest mail whose parts are told; Postfix takes 10 MB, large providers 25 and more.
MOST_MAIL: Final = 64_000_000
_HEADING: Final = 1_000_000
NEW: Final = "new"
CURRENT: Final = "cur"


class Maildir(Directory):
    """Reads mails. Who puts one here writes it to `tmp` and renames it, so each is whole, and no name comes twice."""

    def __init__(self, root: Path, path: str, *, current: bool = False, raw: bool = False, runs: bool = True) -> None:
        """With `current` mails in `cur` are read too; with `raw` entities have all bytes."""
        super().__init__(Folder(root, f"{path}/{NEW}", done=f"{path}/{CURRENT}", puts_away=runs), lambda: 0)
        self._path = path
        self._current = current
        self._raw = raw

    def _scanned(self) -> Iterator[Found]:
        for part in (NEW, CURRENT) if self._current else (NEW,):
            with os.scandir(self._folder.root / self._path / part) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                            stat = entry.stat(follow_symlinks=False)
                            name = f"../{CURRENT}/{entry.name}" if part == CURRENT else entry.name
                            yield Found(stat.st_mtime_ns, name, stat.st_size, fingerprint(_unique(entry.name)))

    def _is_settled(self, file: Found) -> bool:
        return True

    def _is_put_away(self, file: Found, position: Position) -> bool:
        return not file.name.startswith("..") and super()._is_put_away(file, position)

    def _name_away(self, file: Found) -> str:
        """With the flag `S`: somebody has seen it."""
        return file.name if ":2," in file.name else f"{file.name}:2,S"

    def _check_same(self, file: Found) -> None:
        """A mail in a Maildir does not change."""

    def _batches(self, file: Found) -> Iterator[Sequence[Entity]]:
        yield [self._mail(file)]

    def _mail(self, file: Found) -> Entity:
        path = f"{self._path}/{file.name.removeprefix('../') if file.name.startswith('..') else f'{NEW}/{file.name}'}"
        whole = file.size <= MOST_MAIL
        with open_file(self._folder.root, path) as stream:
            data = stream.read(MOST_MAIL if whole else _HEADING)
        unique = _unique(path.rsplit("/", 1)[-1]).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        entity: Entity = {"_id": unique, "size": file.size, "received": Datetime(file.changed)}
        entity |= mail_entity(data) if whole else heading_entity(data) | {"fault": f"larger than {MOST_MAIL} bytes"}
        return entity | {"raw": data} if self._raw and whole else entity


def _unique(name: str) -> str:
    """The part of a name that stays when flags change."""
    return name.partition(":2,")[0]
