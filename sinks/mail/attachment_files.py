"""The files in a project's folder `attachments`: regular ones only, none of them elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

FOLDER: Final = "attachments"
MOST_BYTES: Final = 25_000_000

# A link could lead out of the project, and opening a FIFO would wait for a writer that never comes.
_folder: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_file: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class AttachmentFiles:
    """Reads them by their paths from that folder."""

    def __init__(self, root: str, most: int = MOST_BYTES) -> None:
        """Nothing is opened yet; a file of more bytes than `most` is not read."""
        self._folder = Path(root, FOLDER)
        self._most = most

    def read(self, path: str) -> bytes | str:
        """The content of the file as it is now, or why it cannot be had."""
        *folders, name = path.split("/")
        if path.startswith("/") or any(not part or part.startswith(".") or "\0" in part for part in (*folders, name)):
            return f"`{_shown(path)}` is no path within the folder `{FOLDER}`"
        try:
            at = os.open(self._folder, _folder)
        except OSError:
            return f"there is no folder `{FOLDER}` in the project, where `{_shown(path)}` should be"
        try:
            for folder in folders:
                inner = os.open(folder, _folder, dir_fd=at)
                os.close(at)
                at = inner
            return self._read(os.open(name, _file, dir_fd=at), path)
        except FileNotFoundError:
            return f"there is no file `{_shown(path)}` in the folder `{FOLDER}`"
        except (OSError, UnicodeEncodeError):
            return f"`{_shown(path)}` in the folder `{FOLDER}` cannot be read, or is a link"
        finally:
            os.close(at)

    def _read(self, handle: int, path: str) -> bytes | str:
        with os.fdopen(handle, "rb") as file:
            before = os.fstat(handle)
            if not stat.S_ISREG(before.st_mode):
                return f"`{_shown(path)}` in the folder `{FOLDER}` is not a regular file"
            if before.st_size > self._most:
                return f"`{_shown(path)}` has more than {self._most} bytes"
            content = file.read(self._most + 1)
            after = os.fstat(handle)
        if (len(content), after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            return f"`{_shown(path)}` was written while it was read"
        return content


def _shown(path: str) -> str:
    text = "".join(one if one.isprintable() else "\ufffd" for one in path)
    return text if len(text) <= 80 else f"{text[:79]}…"
