"""Finding and reading the files of a project. The only files it opens are regular ones."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
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
    """What lies below a folder: files, projects of their own, links that lead out, and folders that stay closed."""

    files: list[Path] = field(default_factory=list)
    projects: list[Path] = field(default_factory=list)
    leaving: list[Path] = field(default_factory=list)
    closed: list[tuple[Path, str]] = field(default_factory=list)


def root_of(start: Path) -> Path | None:
    """The nearest folder upwards that is a project's."""
    for folder in (start, *start.parents):
        if any(is_file(folder / name) for name in root_files) or any(is_folder(folder / name) for name in root_folders):
            return folder
    return None


def is_folder(path: Path) -> bool:
    """Whether there is a folder. `pathlib` alone raises where this user may not look, and for a name too long."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether there is a regular file, as `is_folder`."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_config(name: str) -> bool:
    """Whether a file of this name holds components."""
    return not name.startswith(".") and (name.endswith(".conf.json") or name == "nodeconfig.json")


def search(
    root: Path, exclude: Sequence[str] = (), *, follow: bool = False, wanted: Callable[[str], bool] = is_config
) -> Found:
    """The files of the project in `root` whose names are wanted, at any depth, in the order of the names.

    Every folder is read once: a link that leads back into the project is not followed.
    """
    found = Found()
    real = os.path.realpath(root)
    entered = {real}
    waiting = _entries(root, found)
    while waiting:
        entry = waiting.pop()
        path = Path(entry.path)
        if entry.name.startswith(".") or entry.name in passed_over or _excluded(path, root, exclude):
            continue
        folder = _is_folder(entry)
        if entry.is_symlink():
            target = os.path.realpath(path)  # unlike `Path.resolve`, it ends in a circle of links
            inside = Path(target).is_relative_to(real)
            if not inside and not follow:
                if folder or wanted(entry.name):
                    found.leaving.append(path)
                continue
            if folder and inside:
                continue  # it is read where it is
        if not folder:
            if wanted(entry.name):
                found.files.append(path)
        elif any(is_file(path / name) for name in root_files):
            found.projects.append(path)
        elif not follow or _first_time(path, entered):
            waiting += _entries(path, found)
    return found


def _first_time(folder: Path, entered: set[str]) -> bool:
    """Whether the folder was not entered before, by this way or another."""
    real = os.path.realpath(folder)
    new = real not in entered
    entered.add(real)
    return new


def _entries(folder: Path, found: Found) -> list[os.DirEntry[str]]:
    """What lies in a folder, the first name last."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name, reverse=True)
    except FileNotFoundError:
        return []  # it was removed a moment ago
    except OSError as error:
        found.closed.append((folder, reason(error)))
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link in a circle of links


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
    target = Path(os.path.realpath(path))
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
