"""A folder with the mail that was caught: each mail as it came, as a page, and a list of all."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mailweir.mail_pages import Row, index, name_of, page, row

if TYPE_CHECKING:
    from mailweir.caught import Caught

INDEX: Final = "index.html"
_ours: Final = re.compile(r"[0-9]{4,}\.(eml|html)")


class Gallery:
    """Where mail is kept from one beginning to the next.

    While it is `busy` the list is left as it is, so that many mails in a row do not write it as many times.
    """

    def __init__(self, folder: Path) -> None:
        """The folder is made by `begin`."""
        self.folder = folder
        self.first: Caught | None = None
        self.busy = False
        self._rows: list[Row] = []

    @property
    def count(self) -> int:
        """How many mails are in it."""
        return len(self._rows)

    @property
    def index(self) -> Path:
        """The list."""
        return self.folder / INDEX

    def path(self, number: int, kind: str = "html") -> Path:
        """The file of a mail."""
        return self.folder / name_of(number, kind)

    def begin(self) -> None:
        """Start with an empty folder: mails of before are removed, other files are not touched."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            if _ours.fullmatch(path.name):
                path.unlink()
        self.first = None
        self._rows.clear()
        self.list_all()

    def keep(self, mail: Caught) -> None:
        """Keep a mail under the next number; an `OSError` says that it is not kept."""
        mine = replace(mail, number=self.count + 1)
        self.path(mine.number, "eml").write_bytes(mine.content)
        self.path(mine.number).write_text(page(mine), encoding="utf-8", errors="replace")
        self._rows.append(row(mine))
        self.first = self.first or mine
        if not self.busy:
            self.list_all()

    def list_all(self) -> None:
        """Write the list."""
        self.index.write_text(index(self._rows), encoding="utf-8", errors="replace")
