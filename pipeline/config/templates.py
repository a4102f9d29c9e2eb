"""The texts in a project's `templates` folder: regular files only, none of them elsewhere."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pipeline.config.files import reason, shown, unreadable
from pipeline.config.tree import Document
from pipeline.errors import Problem, Span

FOLDER: Final = "templates"
# A mail is read by people; what is larger than this is no template.
MOST_BYTES: Final = 2_000_000
MOST_FILES: Final = 2000


def read_templates(root: Path, here: Path) -> dict[str, Document]:
    """Each file by the name that templates use: its path from the folder, with `/`.

    What cannot be read, a link among it, is a document with the reason and without text. Hidden files are left alone.
    """
    folder = root / FOLDER
    if folder.is_symlink() or not folder.is_dir():
        return {}
    found: dict[str, Document] = {}
    for path in _below(folder):
        if len(found) == MOST_FILES:
            break
        found[path.relative_to(folder).as_posix()] = read_text(path, shown(path, here))
    return found


def _below(folder: Path) -> Iterator[Path]:
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in inside:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
            else:
                yield Path(entry.path)


def read_text(path: Path, name: str) -> Document:
    """A regular file as a document without a tree; of one that cannot be read, with the reason."""
    try:
        # A link could lead out of the project, and opening a FIFO would wait for a writer that never comes.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return unreadable(name, "it is a symbolic link" if path.is_symlink() else reason(error))
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return unreadable(name, "it is not a regular file")
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        return unreadable(name, reason(error))
    finally:
        os.close(handle)
    if len(data) > MOST_BYTES:
        return unreadable(name, f"it has more than {MOST_BYTES // 1_000_000} MB")
    try:
        return Document(name, data.decode("utf-8-sig"), None, [])
    except UnicodeDecodeError:
        problem = Problem("E112", "the file is not UTF-8", Span(name, 0, 0))
        return Document(name, "", None, [problem])
