"""The test files of a project, and the pipe that each of them is for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mailweir.listing.named import Tested
from pipeline.config.files import read_document, search, shown
from pipeline.config.tree import Document, Object, Scalar
from pipeline.errors import Span

ENDING: Final = ".test.json"


def find_tests(root: Path, here: Path, exclude: Sequence[str] = ()) -> list[Tested]:
    """Every `*.test.json` of the project in `root`, in the order of the names."""
    files = search(root, exclude, wanted=lambda name: name.endswith(ENDING)).files
    return [_tested(read_document(path, shown(path, here)), path) for path in files]


def _tested(document: Document, path: Path) -> Tested:
    member = document.root.members.get("pipe") if isinstance(document.root, Object) else None
    if member and isinstance(member.value, Scalar) and isinstance(member.value.value, str):
        return Tested(member.value.value, document, document.span(member.value))
    return Tested(path.name.removesuffix(ENDING), document, Span(document.name, 0, 0))
