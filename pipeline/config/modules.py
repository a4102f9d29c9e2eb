"""The Python files of a project that are named for their functions: regular ones only, none of them elsewhere.

A file is read when it is first asked for, and nothing of it is run here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.config.files import shown, unreadable
from pipeline.config.templates import read_text
from pipeline.config.tree import Document


class Modules(Mapping[str, Document]):
    """The files by the names of their modules: `shapes` is `shapes.py`, `parts.shapes` is `parts/shapes.py`.

    What cannot be read, a link among it, is a document with the reason and without text. Those that were asked for are
    the ones that a loop gives.
    """

    def __init__(self, root: Path, here: Path) -> None:
        """The project is in `root`; `here` is the folder from which messages name files."""
        self._root = root
        self._here = here
        self._read: dict[str, Document] = {}

    def path(self, name: str) -> Path:
        """Where the file of a module lies."""
        *folders, last = name.split(".")
        return self._root.joinpath(*folders, f"{last}.py")

    def __getitem__(self, name: str) -> Document:
        """The file of a module."""
        found = self._read.get(name)
        if found is None:
            found = self._read[name] = self._find(name)
        return found

    def __iter__(self) -> Iterator[str]:
        """Those that were read."""
        return iter(self._read)

    def __len__(self) -> int:
        """How many were read."""
        return len(self._read)

    def _find(self, name: str) -> Document:
        path = self.path(name)
        if not os.path.lexists(path):
            raise KeyError(name)
        if not Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(self._root)):
            return unreadable(shown(path, self._here), "it lies outside of the project")
        return read_text(path, shown(path, self._here))
