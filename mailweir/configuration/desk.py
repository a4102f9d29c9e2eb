"""Where a configuration in a database is changed: what is wanted is checked as files are, then stored as one change."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from mailweir.configuration.texts import changed, filled, misplaced, named
from pipeline.config.files import is_file, shown
from pipeline.config.load import load
from pipeline.config.project import ordered
from pipeline.config.selection import reported
from pipeline.config.store import Snapshot, StaleError, StoreError
from pipeline.config.store_sqlite import SqliteConfig
from pipeline.config.stored import path_of, store_of

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.clock import Clock
    from pipeline.config.load import Loaded, Options
    from pipeline.config.store import Change, ConfigStore
    from pipeline.errors import Problem

# Each time, somebody else was faster; checking takes a second at most.
TRIES: Final = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change that somebody wants: texts by `_id`, `None` for a component that is to be removed.

    `versions` are those that they have seen, 0 for a component that is not there. `names` are what messages call the
    texts. One who `saw_masks` hands back asterisks where secrets stand.
    """

    edits: Mapping[str, bytes | None]
    who: str
    about: str = ""
    versions: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    saw_masks: bool = False


class Conflict(NamedTuple):
    """A component that is not as somebody has seen it. Version 0: it is not there."""

    id: str
    seen: int
    version: int


class ConflictError(Exception):
    """Somebody else has changed what is to be changed."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        """Which components."""
        said = [f"`{one.id}` {_is(one.version)}, not {_seen(one.seen)}" for one in conflicts]
        super().__init__("; ".join(said))
        self.conflicts = tuple(conflicts)


class RefusedChangeError(Exception):
    """What is wanted has errors. `loaded` is the configuration as it would be."""

    def __init__(self, problems: Sequence[Problem], loaded: Loaded) -> None:
        """All of them."""
        super().__init__(f"the configuration would have {len(problems)} error{'' if len(problems) == 1 else 's'}")
        self.problems = tuple(problems)
        self.loaded = loaded


class Candidate(NamedTuple):
    """A configuration as it would be after a change."""

    based: Snapshot
    edits: Mapping[str, bytes | None]
    loaded: Loaded


class Desk:
    """The database of a project, and how what it holds is checked."""

    def __init__(self, root: Path, options: Callable[[], Options], clock: Clock) -> None:
        """`options` say how the project is loaded."""
        self.root = root
        self._options = options
        self._clock = clock

    @property
    def is_there(self) -> bool:
        """Whether there is a database."""
        return is_file(store_of(self.root))

    def look(self) -> SqliteConfig:
        """The database, for one thread. `StoreError` if it cannot be used, or is not there."""
        if not self.is_there:
            raise StoreError("no configuration was stored in the database yet")
        return SqliteConfig.open(store_of(self.root), make=False)

    def load(self) -> Loaded:
        """The project as it is stored now, in files or in the database."""
        return load(self.root, self._options())

    def now(self) -> Snapshot:
        """How it is; empty before anything was stored."""
        if not self.is_there:
            return Snapshot(0, {})
        with self.look() as store:
            return store.snapshot()

    def back_to(self, store: ConfigStore, number: int, ids: Sequence[str], who: str, about: str) -> Wanted:
        """What makes the configuration, or these components of it, what it was after a change."""
        now, then = store.snapshot(), store.snapshot(number)
        edits = changed(now.texts, then.texts)
        edits = {ident: data for ident, data in edits.items() if not ids or ident in ids}
        versions = {ident: now.components[ident].version if ident in now.components else 0 for ident in edits}
        return Wanted(edits, who, about or f"as after change {number}", versions)

    def candidate(self, wanted: Wanted) -> Candidate:
        """What would come of it: `ConflictError` and `RefusedChangeError` if it cannot be. Nothing is stored."""
        return self._candidate(self.now(), wanted)

    def change(self, wanted: Wanted) -> Change | None:
        """Store what is wanted, if it may be; None if everything is so already."""
        for _ in range(TRIES):
            made = self.candidate(wanted)
            if not made.edits:
                return None
            with SqliteConfig.open(store_of(self.root)) as store:
                try:
                    return store.commit(made.edits, made.based.number, self._clock.wall(), wanted.who, wanted.about)
                except StaleError:
                    continue
        raise ConflictError([Conflict(ident, wanted.versions.get(ident, 0), 0) for ident in wanted.edits])

    def _candidate(self, now: Snapshot, wanted: Wanted) -> Candidate:
        have = {ident: one.version for ident, one in now.components.items()}
        found = [
            Conflict(ident, seen, have.get(ident, 0))
            for ident, seen in wanted.versions.items()
            if have.get(ident, 0) != seen
        ]
        if found:
            raise ConflictError(found)
        texts, edits, names = now.texts, dict(wanted.edits), dict(wanted.names)
        options = self._options()
        lost: list[Problem] = []
        for ident, data in edits.items():
            name = names.setdefault(ident, shown(path_of(self.root, ident), options.here))
            if data is not None and wanted.saw_masks:
                edits[ident], hidden = filled(data, texts.get(ident))
                lost += named(hidden, name)
        edits = {ident: data for ident, data in edits.items() if texts.get(ident) != data}
        after = {ident: data for ident, data in {**texts, **edits}.items() if data is not None}
        loaded = load(self.root, replace(options, stored=after, stored_as=names))
        given = [
            problem
            for ident, data in edits.items()
            if data is not None
            for problem in misplaced(loaded.project.documents[names[ident]], ident)
        ]
        errors = ordered([*lost, *given, *errors_of(loaded)])
        if errors and edits:
            raise RefusedChangeError(errors, loaded)
        return Candidate(now, edits, loaded)


def who() -> str:
    """The user of this machine, for the history."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"


def errors_of(loaded: Loaded) -> list[Problem]:
    """The errors that `mailweir check` reports for this project."""
    settings = loaded.settings
    return [problem for problem in loaded.project.errors if reported(problem, settings.select, settings.ignore)]


def _is(version: int) -> str:
    return f"is at version {version}" if version else "is not there"


def _seen(version: int) -> str:
    return f"at version {version}" if version else "missing"
