"""Finding and reading the files of a project. The only files it opens are regular ones."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from pipeline.config.text import Limits, read
from pipeline.config.tree import Document
from pipeline.errors import Note, Problem, Span

SETTINGS: Final = "mailweir.json"
root_files: Final = (SETTINGS, "node-metadata.conf.json")
root_folders: Final = ("systems", "pipes")
# Folders that hold other people's files, never a project's configuration.
passed_over: Final = frozenset({"node_modules", "__pycache__", "site-packages"})


@dataclass(slots=True)
class Found:
    """What lies below a folder: configuration files, projects of their own, and links that lead out."""

    files: list[Path] = field(default_factory=list)
    projects: list[Path] = field(default_factory=list)
    leaving: list[Path] = field(default_factory=list)


def root_of(start: Path) -> Path | None:
    """The nearest folder upwards that is a project's."""
    for folder in (start, *start.parents):
        if any((folder / name).is_file() for name in root_files):
            return folder
        if any((folder / name).is_dir() for name in root_folders):
            return folder
    return None


def is_config(name: str) -> bool:
    """Whether a file of this name holds components."""
    return not name.startswith(".") and (name.endswith(".conf.json") or name == "nodeconfig.json")


def search(root: Path, exclude: Sequence[str] = (), *, follow: bool = False) -> Found:
    """The configuration of the project in `root`, at any depth, in the order of the names."""
    found = Found()
    _walk(root, root, exclude, found, follow=follow)
    return found


def _walk(folder: Path, root: Path, exclude: Sequence[str], found: Found, *, follow: bool) -> None:
    for entry in sorted(_entries(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if entry.name.startswith(".") or entry.name in passed_over or _excluded(path, root, exclude):
            continue
        if entry.is_symlink() and not follow and not path.resolve().is_relative_to(root.resolve()):
            if entry.is_dir() or is_config(entry.name):
                found.leaving.append(path)
        elif entry.is_dir():
            if entry.is_symlink() and not follow:
                continue  # a link to a folder inside is read where the folder is
            if any((path / name).is_file() for name in root_files):
                found.projects.append(path)
            else:
                _walk(path, root, exclude, found, follow=follow)
        elif is_config(entry.name):
            found.files.append(path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _excluded(path: Path, root: Path, exclude: Sequence[str]) -> bool:
    relative = path.relative_to(root).as_posix()
    return any(fnmatch(relative, pattern.rstrip("/")) or fnmatch(path.name, pattern.rstrip("/")) for pattern in exclude)


def shown(path: Path, here: Path) -> str:
    """A path as messages name it: from the current folder when it lies below, else whole."""
    try:
        return path.relative_to(here).as_posix()
    except ValueError:
        return str(path)


def read_document(path: Path, name: str, limits: Limits | None = None) -> Document:
    """The file as a document. What cannot be read is a document without a tree and with the reason."""
    limits = limits or Limits()
    try:
        # Without O_NONBLOCK opening a FIFO waits for a writer that never comes.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        return unreadable(name, reason(error))
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            return unreadable(name, f"it is {kind}")
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(limits.bytes + 1)
    except OSError as error:
        return unreadable(name, reason(error))
    finally:
        os.close(handle)
    return read(data, name, limits=limits)


def reason(error: OSError) -> str:
    """Why the system refused, in a few words."""
    return (error.strerror or type(error).__name__).lower()


def unreadable(name: str, why: str, *notes: Note) -> Document:
    """A document of which nothing could be read."""
    return Document(name, "", None, [Problem("E115", f"cannot read this file: {why}", Span(name, 0, 0), notes=notes)])


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old bytes or the new ones, never a part; its mode is kept."""
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("xb") as file:
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def below(paths: Sequence[Path], path: Path) -> bool:
    """Whether a file is one of the paths, or lies in one of them."""
    return any(path == wanted or path.is_relative_to(wanted) for wanted in paths)
