"""Changing `.secrets.env`: what `mailweir secret set`, `remove` and `list` do to files.

A reader sees the old file or the new one, never a part, and nobody else can read either at any moment. What is said
of other names keeps every byte.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from pipeline.config.dotenv_file import DotenvFile, Statement, read_dotenv, statements
from pipeline.config.references import Ref, scan
from pipeline.config.trusted import RefusedError, Rules, read_trusted, text_of
from pipeline.errors import ConfigError
from pipeline.secret import Secret

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no such lock
    fcntl = None  # type: ignore[assignment]

MOST_BYTES: Final = 1_000_000
_BOM: Final = "\ufeff"


def secret_names(path: Path) -> tuple[str, ...]:
    """The names that a file sets, in its order. Raises ConfigError when it cannot be read."""
    return tuple(_read(path)[1].names)


def store_secret(path: Path, name: str, value: Secret) -> None:
    """Set a name, in the place where it stood or at the end, and keep the file out of git.

    Raises ValueError for a name or value that could not be used, ConfigError when the file cannot be read, OSError.
    """
    if not _can_be_named(name):
        raise ValueError(f"`$SECRET({name})` cannot be written, so nothing could use this secret")
    problem = _unusable(value.reveal())
    if problem:
        raise ValueError(problem)
    with _alone(path):
        text, _ = _read(path)
        _keep_out_of_git(path)
        pieces = statements(text.lstrip(_BOM))
        line = f"{name}={_quoted(value.reveal())}"
        last = max((at for at, piece in enumerate(pieces) if piece.key == name), default=None)
        kept = [
            piece.text if piece.key != name else _replaced(piece, line) if at == last else _removed(piece)
            for at, piece in enumerate(pieces)
        ]
        if last is None:
            kept += ["\n"] * bool(kept and not kept[-1].endswith(("\n", "\r"))) + [f"{line}\n"]
        _write(path, _mark(text) + "".join(kept))


def remove_secret(path: Path, name: str) -> bool:
    """Take every line that sets a name out of a file; whether there was one. Raises ConfigError, OSError."""
    if not path.parent.is_dir():
        return False
    with _alone(path):
        text, _ = _read(path)
        pieces = statements(text.lstrip(_BOM))
        if all(piece.key != name for piece in pieces):
            return False
        kept = [piece.text if piece.key != name else _removed(piece) for piece in pieces]
        _write(path, _mark(text) + "".join(kept))
        return True


def _can_be_named(name: str) -> bool:
    pieces, faults = scan(f"$SECRET({name})")
    return not faults and len(pieces) == 1 and isinstance(pieces[0], Ref)


def _unusable(value: str) -> str | None:
    if "\0" in value:
        return "a secret cannot have a NUL character: no login and no variable could carry it"
    if any("\ud800" <= character <= "\udfff" for character in value):
        return "the secret is not UTF-8"
    return None


def _quoted(value: str) -> str:
    """The value as python-dotenv reads it back, and, when it has one line and no quote or backslash, a shell too."""
    escaped = value.replace("\\", "\\\\")
    if "\n" in value or "\r" in value:
        # In a file that is opened as text every line end is LF; as escapes they stay what they are.
        return '"' + escaped.replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r") + '"'
    return "'" + escaped.replace("'", "\\'") + "'"


def _replaced(piece: Statement, line: str) -> str:
    said = piece.text[len(piece.lead) :]
    return piece.lead + line + said[len(said.rstrip("\r\n")) :]


def _removed(piece: Statement) -> str:
    """The blank lines before a statement stay; its indentation goes with it."""
    return piece.lead[: max(piece.lead.rfind("\n"), piece.lead.rfind("\r")) + 1]


def _mark(text: str) -> str:
    return text[: len(text) - len(text.lstrip(_BOM))]


def _read(path: Path) -> tuple[str, DotenvFile]:
    """The text and what it sets. That others can read it is no reason to refuse: writing it again closes it."""
    data = _bytes(path)
    text = data.decode("utf-8")
    file = read_dotenv(data, path.name, secret=True)
    errors = [problem for problem in file.problems if problem.level == "error"]
    if errors:
        # After a quote that is never closed a new line could become part of another secret.
        raise ConfigError(errors)
    return text, file


def _bytes(path: Path) -> bytes:
    """The bytes of a file, which are UTF-8; none when there is no file."""
    try:
        data = read_trusted(path, path.name, Rules(MOST_BYTES, "unchanged", path.parent)) or b""
        text_of(data, path.name)
    except RefusedError as refused:
        raise ConfigError([refused.problem]) from None
    return data


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the folder, so that of two writers none loses the line of the other."""
    if fcntl is None:  # pragma: no cover - as above
        yield
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _write(path: Path, text: str) -> None:
    """Replace the file, readable for its owner alone from the first byte. The caller holds the folder."""
    target = Path(os.path.realpath(path))
    new = target.with_name(f"{target.name}.new")
    new.unlink(missing_ok=True)  # left by a writer that was killed
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            new.chmod(0o600)  # whatever the umask takes away
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        new.replace(target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    if fcntl is None:  # pragma: no cover - nor folders that can be opened
        return
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _keep_out_of_git(path: Path) -> None:
    """Add the file to the `.gitignore` beside it, unless a line there covers it."""
    ignore = path.with_name(".gitignore")
    text = _bytes(ignore).decode("utf-8")
    if not _ignored(path.name, re.split("\r?\n", text)):
        start = "" if not text or text.endswith("\n") else "\n"
        with ignore.open("a", encoding="utf-8", newline="") as file:
            file.write(f"{start}{path.name}\n")


def _ignored(name: str, lines: Sequence[str]) -> bool:
    """Whether the patterns of one .gitignore cover a file beside it; the last that does decides."""
    ignored = False
    for line in lines:
        pattern = line.rstrip(" ")
        positive = pattern.removeprefix("!")
        if fnmatchcase(name, positive.removeprefix("/")):
            ignored = pattern == positive
    return ignored
