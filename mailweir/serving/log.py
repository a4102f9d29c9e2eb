"""The log of a service: one line for each event, for people or as JSON, scrubbed; and the files that keep it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from mailweir.cli.out import printable
from pipeline.config.glyphs import visible
from pipeline.state import place

if TYPE_CHECKING:
    from pipeline.scrub import Scrubber

FOLDER: Final = "logs"
# A service keeps so many files of so many bytes, and of services that have ended so many files are left.
MOST_BYTES: Final = 10 * 2**20
MOST_FILES: Final = 4
MOST_LEFT: Final = 20

_ROOT: Final = "mailweir"
_log: Final = logging.getLogger("mailweir.serve")
# What loggers of components say of a record beside its text.
_known: Final = ("pipe", "entity", "system", "run")


def event(name: str, text: str, level: int = logging.INFO, **facts: object) -> None:
    """Something happened: its name for programs, a line for people, and what belongs to it."""
    _log.log(level, "%s", text, extra={"event": name, "facts": facts})


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """A record for programs."""
    known = {name: getattr(record, name) for name in _known if hasattr(record, name)}
    return {
        "time": f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
        "level": record.levelname.lower(),
        "event": getattr(record, "event", record.name.removeprefix(f"{_ROOT}.")),
        "message": record.getMessage(),
        **known,
        **getattr(record, "facts", {}),
    }


def line_of(facts: Mapping[str, Any], clock: str) -> str:
    """The same for people: what it is about stands before it. `clock` is the time as they read it."""
    level = facts.get("level", "info")
    about = facts.get("pipe") or facts.get("system")
    parts = [clock, "" if level == "info" else f"{level}:", f"{about}:" if about else "", str(facts.get("message", ""))]
    return visible(" ".join(part for part in parts if part))


class JsonLines(logging.Formatter):
    """A line of JSON for each record, without secrets."""

    def __init__(self, scrubber: Callable[[], Scrubber]) -> None:
        """The scrubber of the configuration as it is then."""
        super().__init__()
        self._scrubber = scrubber

    def format(self, record: logging.LogRecord) -> str:
        """One line; what is no JSON is told as text."""
        return printable(json.dumps(scrubbed(facts_of(record), self._scrubber()), ensure_ascii=False, default=str))


def scrubbed(value: object, scrubber: Scrubber) -> object:
    """The texts in a value without secrets."""
    match value:
        case str():
            return scrubber.scrub(value)
        case Mapping():
            return {scrubber.scrub(str(key)): scrubbed(item, scrubber) for key, item in value.items()}
        case list() | tuple():
            return [scrubbed(item, scrubber) for item in value]
        case bool() | int() | float() | None:
            return value
    return scrubber.scrub(str(value))


class _Screen(logging.Handler):
    """Hands lines to whoever shows them."""

    def __init__(self, show: Callable[[str], None], style: Literal["text", "json"]) -> None:
        super().__init__()
        self._show = show
        self._style = style

    def emit(self, record: logging.LogRecord) -> None:
        """Show it. Whatever goes wrong with that must not stop what is told about."""
        with suppress(Exception):
            if self._style == "json":
                self._show(self.format(record))
            else:
                self._show(line_of(facts_of(record), f"{datetime.fromtimestamp(record.created).astimezone():%H:%M:%S}"))


class _Files(logging.Handler):
    """Keeps lines in a file, and those before them in a few older ones. A full disk costs lines and nothing else."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._torn = False
        self._file = -1
        self._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, with one write: others may read at the same time."""
        with suppress(Exception):
            line = f"{self.format(record)}\n".encode("utf-8", "replace")
            if self._size + len(line) > MOST_BYTES:
                self._turn_over()
            # After a line that was cut off by a full disk the next one begins on a line of its own.
            line = b"\n" + line if self._torn else line
            self._torn = True
            self._torn = os.write(self._file, line) < len(line)
            self._size += len(line)

    def close(self) -> None:
        """No more."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
        super().close()

    def _open(self) -> None:
        place.make_file(self._path)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        self._size = os.fstat(self._file).st_size

    def _turn_over(self) -> None:
        """Begin a new file; the oldest one goes."""
        for number in range(MOST_FILES - 1, 0, -1):
            older = self._path if number == 1 else self._path.with_name(f"{self._path.name}.{number - 1}")
            with suppress(FileNotFoundError):
                older.replace(self._path.with_name(f"{self._path.name}.{number}"))
        before = self._file
        self._open()
        os.close(before)


@contextmanager
def logging_to(
    state: Path,
    name: str,
    show: Callable[[str], None],
    scrubber: Callable[[], Scrubber],
    *,
    style: Literal["text", "json"] = "text",
    level: int = logging.INFO,
) -> Iterator[None]:
    """What is logged goes to `show` and to the files of the service `name`."""
    folder = state / FOLDER
    place.prepare(folder)
    tidy(folder)
    files = _Files(folder / f"{name}.jsonl")
    screen = _Screen(show, style)
    root = logging.getLogger(_ROOT)
    before, propagates = root.level, root.propagate
    for handler in (files, screen):
        handler.setFormatter(JsonLines(scrubber))
        root.addHandler(handler)
    root.setLevel(level)
    # Nobody else is to write what the scrubber has not seen.
    root.propagate = False
    try:
        yield
    finally:
        root.setLevel(before)
        root.propagate = propagates
        for handler in (files, screen):
            root.removeHandler(handler)
            handler.close()


def files_of(state: Path) -> list[Path]:
    """The files of all services, the oldest first."""
    found = [(path.stat().st_mtime_ns, path) for path in (state / FOLDER).glob("*.jsonl*") if path.is_file()]
    return [path for _, path in sorted(found)]


def tidy(folder: Path) -> None:
    """Remove the oldest files."""
    with suppress(OSError):
        for path in files_of(folder.parent)[: -MOST_LEFT or None]:
            path.unlink(missing_ok=True)
