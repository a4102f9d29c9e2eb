"""The queue of a `system:spool` as the verbs reach it: found in the project, its messages read, its faults told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import click

from mailweir.cli.group import meant
from mailweir.cli.loading import load_here

if TYPE_CHECKING:
    from mailweir.cli.options import Common
    from mailweir.spooled import Spooled
    from pipeline.config.load import Loaded
    from pipeline.config.typed import Component
    from systems.disk import FolderError
    from systems.spool.config import SpoolConfig
    from systems.spool.policy import Policy
    from systems.spool.store import Store


class NotUsableError(click.ClickException):
    """The configuration cannot be used: nothing is done."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of the project."""

    values: Common
    loaded: Loaded
    component: Component
    config: SpoolConfig
    store: Store
    policy: Policy
    verb: str

    @property
    def id(self) -> str:
        """The `_id` of the system."""
        return self.component.id

    def document(self, code: int = 0, **facts: object) -> None:
        """The JSON document of the verb, if one is wanted."""
        if self.values.json:
            head = {"schema_version": 1, "command": "spool", "ok": code == 0, "exit_code": code}
            self.values.out.document({**head, "verb": self.verb, "system": self.id, **facts})


def queue_of(values: Common, system: str, verb: str, *, secrets: bool = False) -> Queue:
    """The queue of a system; its folder is looked at, and not made."""
    from systems.disk import FolderError
    from systems.spool.build import folder, policy
    from systems.spool.config import SpoolConfig
    from systems.spool.store import Store

    loaded = load_here(values, take_secrets=secrets)
    systems = {one.id: one for one in loaded.project.components if one.kind == "system"}
    spools = [one.id for one in systems.values() if issubclass(one.model, SpoolConfig)]
    component = systems.get(system)
    if component is None:
        raise click.UsageError(f"no system '{system}'.{meant(system, spools)}")
    if component.id not in spools:
        others = f"  (systems with one: {', '.join(spools)})" if spools else ""
        raise click.UsageError(f"'{system}' is {component.type}, which has no queue{others}")
    config = component.config
    if not isinstance(config, SpoolConfig):
        raise NotUsableError(f"the configuration of '{system}' has errors. See: mailweir check")
    store = Store(folder(config, str(loaded.root), str(loaded.root / ".mailweir")), config.id)
    queue = Queue(values, loaded, component, config, store, policy(config), verb)
    try:
        store.look()
    except FolderError as error:
        cannot_use(queue, error)
    return queue


def cannot_use(queue: Queue, error: FolderError) -> NoReturn:
    """A folder cannot be used, of the queue or of the system behind: told where the configuration names it."""
    from pipeline.config.given import advice, note
    from pipeline.config.show import render

    component = queue.component
    if not error.path.is_relative_to(queue.store.folder):
        component = next(one for one in queue.loaded.project.components if one.id == queue.config.system)
    given = component.given
    problem = given.problem(
        "",
        f"the folder of `{component.id}` cannot be used: {error.why}",
        next((name for name in ("queue_path", "folder") if given.written(name)), "_id"),
        notes=(note(str(error.path)), *((advice(error.advice),) if error.advice else ())),
    )
    out, project = queue.values.out, queue.loaded.project
    stream = out.stderr
    out.fault(render([problem], project.texts, width=out.width(stream), color=out.colors(stream), masks=project.masks))
    if queue.values.json:
        queue.document(3, error=f"{error.path}: {error.why}")
    raise click.exceptions.Exit(3)


def messages(queue: Queue, now: int) -> Iterator[Spooled]:
    """Everything in the queue and everything that was put aside, in no order."""
    for name in queue.store.names():
        found = waiting_one(queue, name, now)
        if found is not None:
            yield found
    for name in queue.store.buried():
        found = dead_one(queue, name)
        if found is not None:
            yield found


def waiting_one(queue: Queue, name: str, now: int) -> Spooled | None:
    """A queued message; None if it has just gone."""
    from mailweir.spooled import damaged, waiting
    from systems.disk import FolderError
    from systems.spool.lines import RecordError
    from systems.spool.record import Standing

    try:
        entry = queue.store.entry(name, lock=False)
        entry.close()
        # Handed over and locked: somebody sends it now. Handed over and free: somebody died over it.
        busy = bool(entry.queued.standing(Standing.HANDED)) and _locked(queue, name)
    except FileNotFoundError:
        return None
    except FolderError as error:
        return damaged(name, error.why, buried=False)
    except RecordError as error:
        return damaged(name, str(error), buried=False)
    return waiting(name, entry.queued, entry.events, queue.policy, now, busy=busy)


def _locked(queue: Queue, name: str) -> bool:
    from systems.spool.entry import BusyError

    try:
        queue.store.entry(name).close()
    except BusyError:
        return True
    return False


def dead_one(queue: Queue, name: str) -> Spooled | None:
    """A message that was put aside; None if it has just gone."""
    from mailweir.spooled import damaged, dead
    from systems.disk import FolderError
    from systems.spool.lines import RecordError

    try:
        found = queue.store.rejected(name)
    except FileNotFoundError:
        return None
    except FolderError as error:
        return damaged(name, error.why, buried=True)
    except RecordError as error:
        return damaged(name, str(error), buried=True)
    return dead(name, found.queued, found.events, found.reasons)


def chosen(queue: Queue, ids: Sequence[str], states: Sequence[str], now: int) -> list[Spooled]:
    """The messages of these ids, each by its beginning, or of these states."""
    found = list(messages(queue, now))
    if not ids:
        return [one for one in found if one.state in states]
    picked: dict[str, Spooled] = {}
    for begin in ids:
        fitting = [one for one in found if one.name.startswith(begin.lower())]
        if not fitting:
            raise click.UsageError(f"no message begins with '{begin}'  (mailweir spool list {queue.id})")
        if len(fitting) > 1:
            some = ", ".join(sorted(one.name[:12] for one in fitting)[:5])
            raise click.UsageError(f"{len(fitting)} messages begin with '{begin}': {some}. Write more of the id")
        picked[fitting[0].name] = fitting[0]
    return list(picked.values())
