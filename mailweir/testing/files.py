"""The test files of a project: which there are, and the tests in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mailweir.testing.plan import Planned, read_tests
from mailweir.testing.spec import ENDING
from pipeline.config.files import below, is_file, read_document, search, shown
from pipeline.config.text import read
from pipeline.config.tree import Document, Node, Object, walk

if TYPE_CHECKING:
    from mailweir.testing.suite import Found
    from pipeline.config.load import Loaded

FOLDER: Final = "expected"
"""The folder in which every `*.test.json` is a test."""

# No file system has longer ones.
_LONGEST_NAME: Final = 1000
# What tells a test from a file of another tool that has the same ending.
_SIGNS: Final = ("pipe", "cases")


@dataclass(frozen=True, slots=True)
class TestFile:
    """A test file, as it is on disk."""

    __test__ = False  # for pytest, which looks for classes of this name

    path: Path
    document: Document
    planned: Planned


def files_of(
    loaded: Loaded,
    here: Path,
    paths: Sequence[Path] = (),
    *,
    replaced: Mapping[Path, bytes] | None = None,
    expects: bool = True,
) -> Iterator[TestFile]:
    """Those of the project, in the order of their names; with `paths` only those that are, or lie in, one of them.

    `replaced` are texts that stand for files. Without `expects` a missing file of what is expected is no fault.
    """
    root = loaded.root
    # With faults in the configuration nobody knows which pipes there are.
    pipes = None if loaded.project.errors else [one.id for one in loaded.project.components if one.kind == "pipe"]
    for path in search(root, loaded.settings.exclude, wanted=lambda name: name.endswith(ENDING)).files:
        if paths and not below(paths, path):
            continue
        given = (replaced or {}).get(path)
        if (file := _read(root, path, here, pipes, given, expects=expects)) is not None:
            yield file


def file_of(loaded: Loaded, here: Path, path: Path, *, expects: bool = True) -> TestFile | None:
    """One file of the project; None if it is no test of it."""
    pipes = None if loaded.project.errors else [one.id for one in loaded.project.components if one.kind == "pipe"]
    return _read(loaded.root, path, here, pipes, None, expects=expects)


def _read(
    root: Path, path: Path, here: Path, pipes: Sequence[str] | None, given: bytes | None, *, expects: bool
) -> TestFile | None:
    name = shown(path, here)
    document = read_document(path, name) if given is None else read(given, name)
    if not is_test(path.relative_to(root), document):
        return None
    return TestFile(path, document, read_tests(document, pipes, _Beside(path), expects=expects))


def is_test(relative: Path, document: Document) -> bool:
    """Whether a file is a test of this project and none of another tool."""
    if relative.parts[:1] == (FOLDER,):
        return True
    members = document.root.members if isinstance(document.root, Object) else {}
    kind = getattr(members["type"].value, "value", None) if "type" in members else None
    return kind == "test" or any(name in members for name in _SIGNS)


class _Beside:
    """Whether there is a file beside another one."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent

    def __call__(self, name: str) -> bool:
        return is_file(self._folder / name)


def may_name(file: TestFile, path: Path) -> bool:
    """Whether a test file, which may have faults, can be the one that expects what stands in another file."""
    if path.parent != file.path.parent and not path.is_relative_to(file.path.parent):
        return False
    own = file.path.name.removesuffix(ENDING)
    return path.name == f"{own}.json" or any(path == file.path.parent / name for name in _names(file.document.root))


def unused_files(every: Iterable[Found]) -> list[Path]:
    """Files in the folders of what is expected that no test of these projects names, whatever for."""
    roots: set[Path] = set()
    named: set[Path] = set()
    for found in every:
        folder = found.file.path.parent
        roots.add(found.loaded.root)
        named.add(found.file.path)
        named.update(folder / name for name in _names(found.file.document.root))
        named.update(folder / test.file for test in found.file.planned.tests if test.file is not None)
        if found.faults:
            # What it would name is not known.
            return []
    kinds = (".json", ".eml", ".csv", ".xml", ".html", ".txt")
    files = (path for root in sorted(roots) for path in sorted((root / FOLDER).rglob("*")) if path.suffix in kinds)
    return [path for path in files if path.is_file() and path not in named]


def _names(node: Node | None) -> Iterator[str]:
    """All texts in a test: any may be the name of a file."""
    for one in walk(node) if node is not None else ():
        value = getattr(one, "value", None)
        if isinstance(value, str) and "\n" not in value and len(value) < _LONGEST_NAME:
            yield value
