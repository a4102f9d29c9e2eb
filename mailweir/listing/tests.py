"""The test files of a project, and the pipe that each of them is for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from mailweir.listing.named import Tested
from pipeline.config.files import passed_over, read_document, root_files, shown
from pipeline.config.tree import Document, Object, Scalar
from pipeline.errors import Span

ENDING: Final = ".test.json"


def find_tests(root: Path, here: Path, exclude: Sequence[str] = ()) -> list[Tested]:
    """Every `*.test.json` of the project in `root`, in the order of the names."""
    return [_tested(read_document(path, shown(path, here)), path) for path in _files(root, exclude)]


def _tested(document: Document, path: Path) -> Tested:
    member = document.root.members.get("pipe") if isinstance(document.root, Object) else None
    if member and isinstance(member.value, Scalar) and isinstance(member.value.value, str):
        return Tested(member.value.value, document, document.span(member.value))
    return Tested(path.name.removesuffix(ENDING), document, Span(document.name, 0, 0))


def _files(root: Path, exclude: Sequence[str]) -> Iterator[Path]:
    """The same folders as those whose configuration is read."""
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in passed_over
            and not _excluded(here / name, root, exclude)
            and not any((here / name / file).is_file() for file in root_files)
        )
        for name in sorted(names):
            if name.endswith(ENDING) and not name.startswith(".") and not _excluded(here / name, root, exclude):
                yield here / name


def _excluded(path: Path, root: Path, exclude: Sequence[str]) -> bool:
    relative = path.relative_to(root).as_posix()
    return any(fnmatch(relative, pattern.rstrip("/")) or fnmatch(path.name, pattern.rstrip("/")) for pattern in exclude)
