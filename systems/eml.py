"""A mail system that writes each mail to a folder: for dry runs and tests.

`NAME.eml` is the message, byte for byte as it would have gone out; `NAME.json` is its envelope, since the header need
not say who it is for. The second is there before the first, so whoever finds an `.eml` finds both whole.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self

from pipeline.component import Context
from systems.disk import Disk, Refusal, left_behind, make_folders
from systems.file_names import dated_name, digest
from systems.forms import path_faults
from systems.mail import Answered, MailSystemConfig, Message, Status, Trouble, answered_alike

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

# So many messages share one order to the disk to keep their names.
GROUP: Final = 64


class EmlConfig(MailSystemConfig):
    """A folder to which each mail is written as a file, instead of sending it."""

    type: Literal["system:eml"]
    """`system:eml`."""
    folder: str | None = None
    """Where the files go; a relative path starts in the project. Default: `.mailweir/eml/` and the `_id`. Each mail is
    an `.eml` with its bytes as they would go out, and a `.json` of the same name with its envelope."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The folder can be one."""
        return path_faults(given, ("folder",))

    def build(self, context: Context) -> Eml:
        """The system itself."""
        folder = Path(context.root, self.folder) if self.folder else Path(context.state, "eml", self.id)
        return Eml(self.id, folder, context.now)


class Eml:
    """Writes messages to files and says of every recipient that it was accepted."""

    def __init__(self, name: str, folder: Path, now: Callable[[], int], disk: Disk | None = None) -> None:
        """`name` is the server in answers, `now` gives nanoseconds since 1970."""
        self.name = name
        self.folder = folder
        self._now = now
        self._disk = disk or Disk()
        self._refusal = Refusal(name, now)

    async def __aenter__(self) -> Self:
        """Make the folder, and take away what a killed process left in it."""
        make_folders(self._disk, self.folder)
        for path in left_behind(self.folder, self._now()):
            if path.suffix == ".tmp":
                self._take_back(path)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing is open."""

    @property
    def trouble(self) -> Trouble | None:
        """The disk refused to write a moment ago."""
        return self._refusal.trouble

    async def send(
        self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
    ) -> AsyncIterator[Sequence[Answered]]:
        """Write them. What cannot be written was not tried: the disk is to blame."""
        waiting = iter(messages)
        while self.trouble is None and (group := list(islice(waiting, GROUP))):
            written: dict[Path, Message] = {}
            answered: list[Answered] = []
            for message in group:
                try:
                    written[self._write(message)] = message
                except OSError as error:
                    answered.append(self._answer(message, Status.NOT_TRIED, self._refusal.begin(error)))
            try:
                if written:
                    handing_over([*written.values()])
            except BaseException:
                for path in written:
                    self._take_back(path)
                raise
            yield answered + self._show(written)

    def _write(self, message: Message) -> Path:
        """The envelope under its name, and the content under one that nobody looks at."""
        reports = message.envelope.reports
        facts = message.envelope._asdict() | {"reports": reports and reports._asdict()}
        facts |= {"size": len(message.content), "blake2b": digest(message.content)}
        envelope = json.dumps({"schema_version": 1, "key": message.key, **facts}, ensure_ascii=False, indent=2)
        for name in _names(dated_name(self._now(), message.key)):
            try:
                self._disk.write_new(self.folder / f"{name}.json", f"{envelope}\n".encode(errors="replace"))
            except FileExistsError:
                continue
            break
        hidden = self.folder / f".{name}.tmp"
        try:
            self._disk.write_new(hidden, message.content)
        except OSError:
            self._take_back(hidden)
            raise
        return hidden

    def _show(self, written: Mapping[Path, Message]) -> list[Answered]:
        """Give the contents their names."""
        shown: list[tuple[Message, str]] = []
        answered: list[Answered] = []
        for path, message in written.items():
            final = path.with_name(f"{_name(path)}.eml")
            try:
                self._disk.rename(path, final)
                shown.append((message, f"written to {final.name}"))
            except OSError as error:
                self._take_back(path)
                answered.append(self._answer(message, Status.NOT_TRIED, self._refusal.begin(error)))
        try:
            self._disk.sync_folder(self.folder)
        except OSError as error:
            why = self._refusal.begin(error)
            return answered + [self._answer(message, Status.IN_DOUBT, why) for message, _ in shown]
        return answered + [self._answer(message, Status.ACCEPTED, text) for message, text in shown]

    def _take_back(self, hidden: Path) -> None:
        with suppress(OSError):
            self._disk.remove(hidden)
            self._disk.remove(hidden.with_name(f"{_name(hidden)}.json"))

    def _answer(self, message: Message, status: Status, text: str) -> Answered:
        return answered_alike(message, status, self.name, text)


def _names(name: str) -> Iterator[str]:
    """The name, and others for further messages of one key in one microsecond."""
    yield name
    yield from (f"{name}.{number}" for number in count(2))


def _name(hidden: Path) -> str:
    return hidden.name.removeprefix(".").removesuffix(".tmp")
