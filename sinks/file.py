"""Entities end in a file: it is replaced by what a whole reading has, or grows by what is new."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final, Literal, Protocol

from pipeline.component import Running
from pipeline.entity import Entity
from pipeline.receipt import Outcome, Receipt, Tally
from pipeline.run import Mark, Portion, arriving
from pipeline.state.facts import Batch, Offset
from sinks.output_file import OutputFile

Mode = Literal["replace", "append"]

# A file that grows is made safe after so much, or so many entities.
MANY: Final = 10_000
MANY_BYTES: Final = 4_000_000

_log: Final = logging.getLogger("mailweir.sink")


class Form(Protocol):
    """How entities are written. Pure."""

    def head(self) -> bytes:
        """What begins a file."""
        ...

    def text(self, entity: Entity) -> bytes:
        """An entity, with its end; ValueError with words for one that cannot be written."""
        ...

    def between(self) -> bytes:
        """What stands between two entities."""
        ...

    def tail(self) -> bytes:
        """What ends a file."""
        ...


class ReplacedFile:
    """Writes a file anew in every run, so it has all that the source has; whole or not at all.

    It keeps no position, so the source is read from its start. If only a part was read the file stays as it was.
    """

    tracks: Final = True
    whole: Final = True

    def __init__(self, file: OutputFile, form: Form, *, skip_deleted: bool) -> None:
        """`form` makes text of entities."""
        self._file = file
        self._form = form
        self._skip_deleted = skip_deleted

    @property
    def loses(self) -> str:
        """What would be lost if there were no entities any more; empty if nothing would."""
        empty = len(self._form.head() + self._form.tail())
        return f"`{self._file.path}` would be replaced by an empty file" if self._file.has_more_than(empty) else ""

    async def write(self, portions: Iterable[Portion]) -> AsyncIterator[Sequence[Receipt] | Tally]:
        """What became of the entities, when the file has them."""
        form, first = self._form, True
        whole = ended = False
        told = Told(self._skip_deleted)
        with self._file.replacing() as draft:
            draft.write(form.head())
            async for portion in arriving(portions):
                ended = portion.mark is not None and portion.mark is not Mark.START and whole
                whole = whole or portion.mark is Mark.START
                if not whole:
                    # What waited for another try comes with the rest of the reading too.
                    told.skipped += len(portion.entities)
                    continue
                for text in told.texts(portion, form):
                    draft.write(text if first else form.between() + text)
                    first = False
                if told.refused:
                    yield told.take_refused()
            if ended:
                draft.write(form.tail())
                draft.keep()
                yield told.tally()
            elif not whole:
                _log.warning("%s stays as it was: only a part of the source was read", self._file.path)
                yield Tally({Outcome.SKIPPED: told.skipped})


class GrownFile:
    """Puts what a run reads behind what is there, each once.

    Before it writes, the state notes how long the file is, and forgets that in the moment in which a position is stored
    that is behind all that was written. Of a run that was killed, or stopped on its way to such a position, the note is
    left, and what is behind it is taken back: those entities come again.
    """

    def __init__(self, pipe: str, file: OutputFile, form: Form, running: Running, *, skip_deleted: bool) -> None:
        """`running` has the state."""
        self._pipe = pipe
        self._file = file
        self._form = form
        self._running = running
        self._skip_deleted = skip_deleted
        self._note = f"file:{pipe}"
        self._noted = False

    async def write(self, portions: Iterable[Portion]) -> AsyncIterator[Sequence[Receipt] | Tally]:
        """What became of the entities, when they are safe."""
        await self._take_back()
        told = Told(self._skip_deleted)
        texts: list[bytes] = []
        since: str | None = None
        positioned, behind, size = False, False, 0
        async for portion in arriving(portions):
            new = list(told.texts(portion, self._form))
            texts += new
            size += sum(map(len, new))
            since = portion.since if portion.since is not None else since
            positioned = positioned or since is not None
            # A source may have a position only behind some portions.
            behind = portion.since is None and (behind or bool(new))
            if told.refused:
                yield told.take_refused()
            # One with a position alone says that there is no more for now: somebody may wait for it to be stored.
            rests = not portion.read and portion.since is not None
            if len(texts) >= MANY or size >= MANY_BYTES or rests:
                await self._append(texts)
                if not behind:
                    await self._settle(since)
                    since = None
                yield told.tally()
                texts, size, told = [], 0, Told(self._skip_deleted)
        await self._append(texts)
        if behind and (positioned or self._running.stopping.is_set()):
            _log.info("%s: what is behind the last position is written anew by the next run", self._file.path)
        else:
            await self._settle(since)
        yield told.tally()

    async def _append(self, texts: Sequence[bytes]) -> None:
        if not texts:
            return
        size = self._file.size
        if not self._noted:
            await self._running.state.admit(Batch(notes={self._note: json.dumps([self._file.path, size])}))
            self._noted = True
        self._file.append((self._form.head() if size == 0 else b"") + b"".join(texts))

    async def _settle(self, since: str | None) -> None:
        """What was written stays."""
        offset = None if since is None else Offset(self._pipe, since)
        if self._noted or offset is not None:
            await self._running.state.admit(Batch(offset=offset, notes={self._note: ""} if self._noted else {}))
            self._noted = False

    async def _take_back(self) -> None:
        """What a run has written that was killed before it could say so."""
        note = (await self._running.state.notes(self._note)).get(self._note)
        if not note:
            return
        path, size = json.loads(note)
        if path == self._file.path and self._file.size > size:
            _log.info("%s: what an unfinished run has put behind byte %d is taken back", path, size)
            self._file.cut(size)
        await self._running.state.admit(Batch(notes={self._note: ""}))


class Told:
    """What became of entities, counted."""

    def __init__(self, skip_deleted: bool) -> None:
        """Nothing yet."""
        self._skip_deleted = skip_deleted
        self.written = 0
        self.skipped = 0
        self.refused: list[Receipt] = []

    def texts(self, portion: Portion, form: Form) -> Iterable[bytes]:
        """The texts of a portion, as they are counted."""
        for entity in portion.entities:
            if entity.get("_filtered"):
                continue
            if self._skip_deleted and entity.get("_deleted") is True:
                self.skipped += 1
                continue
            try:
                text = form.text(entity)
            except ValueError as error:
                self.refused.append(Receipt(str(entity.get("_id", "")), "", Outcome.REJECTED, str(error)))
                continue
            self.written += 1
            yield text

    def take_refused(self) -> Sequence[Receipt]:
        """Those that could not be written."""
        refused, self.refused = self.refused, []
        return refused

    def tally(self) -> Tally:
        """How many were written and left out."""
        return Tally({Outcome.WRITTEN: self.written, Outcome.SKIPPED: self.skipped})
