"""Reading files with values: only regular files, of a sensible size, that nobody else can change or misdirect."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final, Literal

from pipeline.config.files import reason
from pipeline.config.given import advice, note
from pipeline.errors import Note, Problem, Span

# Elsewhere the mode says nothing of who can read or write a file.
MODES_COUNT: Final = os.name == "posix"

# Who else may do what with a file: nobody looks (folders that the system mounts), others may not write,
# others may not even read.
Care = Literal["any", "unchanged", "private"]


class RefusedError(Exception):
    """A file that is there and is not used. The message and the notes hold nothing of what is in it."""

    def __init__(self, name: str, message: str, *notes: Note) -> None:
        """`name` is the file as messages name it."""
        super().__init__(message)
        self.problem = Problem("E312", message, Span(name, 0, 0), notes=notes)


@dataclass(frozen=True, slots=True)
class Rules:
    """What is asked of a file: its size, who else may use it, a folder that a link must not lead out of, its being."""

    limit: int
    care: Care = "any"
    within: Path | None = None
    required: bool = False


def read_trusted(path: Path, name: str, rules: Rules) -> bytes | None:
    """The bytes of a file; None when there is none and none is required. Raises RefusedError."""
    try:
        target = os.path.realpath(path, strict=True)
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise RefusedError(name, f"`{name}` is a link that leads nowhere") from None
        if rules.required:
            raise RefusedError(name, f"there is no file `{name}`") from None
        return None
    except OSError as error:
        raise RefusedError(name, f"cannot read `{name}`: {reason(error)}") from None
    if rules.within is not None and not Path(target).is_relative_to(os.path.realpath(rules.within)):
        what = "its folder" if rules.care == "any" else "the project"
        message = f"`{name}` is a link that leads out of {what}"
        raise RefusedError(name, message, advice("put the file itself there"))
    try:
        # Without O_NONBLOCK opening a FIFO waits for a writer that never comes. The target is no link: one that
        # has just been put there is not followed.
        handle = os.open(target, os.O_RDONLY | _flag("O_NONBLOCK") | _flag("O_NOFOLLOW") | _flag("O_CLOEXEC"))
    except OSError as error:
        raise RefusedError(name, f"cannot read `{name}`: {reason(error)}") from None
    try:
        _check_mode(os.fstat(handle).st_mode, name, rules.care)
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(rules.limit + 1)
    except OSError as error:
        raise RefusedError(name, f"cannot read `{name}`: {reason(error)}") from None
    finally:
        os.close(handle)
    if len(data) > rules.limit:
        raise RefusedError(name, f"`{name}` is larger than {rules.limit // 1000} kB")
    return data


def text_of(data: bytes, name: str) -> str:
    """The text of a file. Raises RefusedError when it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError(name, f"`{name}` is not UTF-8", advice("save the file as UTF-8")) from None


def _check_mode(mode: int, name: str, care: Care) -> None:
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a device"
        raise RefusedError(name, f"`{name}` is {kind}, not a file")
    if care == "any" or not MODES_COUNT:
        return
    fact = note(f"its mode is {stat.S_IMODE(mode):04o}")
    if care == "private" and mode & 0o077:
        what = "change" if mode & 0o022 else "read"
        message = f"others on this machine can {what} `{name}`"
        raise RefusedError(name, message, fact, advice(f"`chmod 600 {quote(name)}`"))
    if mode & stat.S_IWOTH:
        message = f"everyone on this machine can change `{name}`"
        raise RefusedError(name, message, fact, advice(f"`chmod o-w {quote(name)}`"))


def _flag(name: str) -> int:
    return int(getattr(os, name, 0))
