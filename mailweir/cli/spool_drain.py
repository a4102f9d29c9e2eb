"""`mailweir spool drain`: send what waits in a queue."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import click

from mailweir.cli.logged import logged
from mailweir.cli.queues import NotUsableError, Queue, cannot_use, messages
from mailweir.cli.signals import at_signal
from mailweir.spooled import ago
from mailweir.systems_of import NoSystemError, Systems
from systems.disk import FolderError, reason
from systems.spool.build import drain_of
from systems.spool.locks import HeldError
from systems.spool.round import Round
from systems.spool.system import Spool

# States of what is left in a queue that somebody should look at.
_bad = ("retrying", "in_doubt", "held", "dead")


def drain(queue: Queue, *, follow: bool, now: Callable[[], int]) -> int:
    """Send what is due, or, to `follow`, go on until a signal comes; the exit code."""
    systems = Systems(queue.loaded)
    try:
        with logged(queue.values):
            return asyncio.run(_follow(queue, systems) if follow else _once(queue, systems, now))
    except FolderError as error:
        cannot_use(queue, error)
    except HeldError as error:
        raise click.UsageError(f"{error.by} works on this queue already") from None
    except NoSystemError as error:
        raise NotUsableError(str(error)) from None
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        raise NotUsableError(f"this machine refuses: {named}{reason(error)}") from None


def _signals(queue: Queue) -> asyncio.Event:
    """Set by a signal. The first lets what is on its way come home, the second does not wait."""
    stopped = asyncio.Event()
    at_signal(stopped.set, queue.values.out)
    return stopped


async def _once(queue: Queue, systems: Systems, now: Callable[[], int]) -> int:
    _tell_way(queue)
    stopped = _signals(queue)
    drain = drain_of(queue.config, systems, queue.store)
    async with systems:
        queue.store.open()
        drain.open()
        try:
            found = await drain.all_due(lambda: not stopped.is_set())
            wait = drain.free_in() if found.full else None
        finally:
            drain.close()
    code = _tell(queue, found, wait, now())
    return 130 if stopped.is_set() else code


async def _follow(queue: Queue, systems: Systems) -> int:
    _tell_way(queue)
    stopped = _signals(queue)
    drain = drain_of(queue.config, systems, queue.store)
    async with systems, Spool(queue.id, queue.store, drain, systems.now):
        if not drain.is_open:
            drain.open()
        queue.values.out.say("Sending what comes in. Ctrl-C stops")
        await stopped.wait()
    queue.document()
    return 0


def _tell_way(queue: Queue) -> None:
    """Where the mail goes is the first line of what may send."""
    from mailweir.listing.components import address

    target = next(one for one in queue.loaded.project.components if one.id == queue.config.system)
    place = address(target)
    where = f" ({place})" if place else ""
    queue.values.out.say(f"{queue.id} → {target.id}{where}, profile {queue.loaded.profile}")


def _tell(queue: Queue, found: Round, wait: float | None, now: int) -> int:
    """What it came to; the exit code."""
    left = Counter(one.state for one in messages(queue, now))
    here = Counter({state: left[state] for state in ("queued", *_bad) if left[state]})
    why = _why(queue, found, wait)
    code = 4 if found.dead or found.trouble or found.refusal or any(here[state] for state in _bad) else 0
    queue.document(
        code,
        profile=queue.loaded.profile,
        delivery={"mode": "real", "systems": [queue.config.system]},
        sent=found.sent,
        dead=found.dead,
        recipients={status.value: count for status, count in found.answers.items()},
        left=dict(here),
        stopped_because=why or None,
    )
    if not queue.values.json:
        if why:
            queue.values.out.fault(why)
        rest = ", ".join(f"{count} {state}" for state, count in here.items())
        said = ", ".join(f"{count} {status.value.replace('_', ' ')}" for status, count in found.answers.items())
        people = f"; recipients: {said}" if said else ""
        queue.values.out.say(f"{found.sent} sent, {found.dead} dead{people}{f'; in the queue: {rest}' if rest else ''}")
    return code


def _why(queue: Queue, found: Round, wait: float | None) -> str:
    """Why not everything went."""
    if found.refusal:
        return f"stopped: this machine refuses: {found.refusal}"
    if found.trouble:
        again = f"; it is tried again in {ago(int(found.trouble.seconds * 1000))}"
        return f"stopped: {queue.config.system}: {found.trouble.fault.text}{again if found.trouble.seconds else ''}"
    if found.full:
        when = f"; a place frees in {ago(int(wait * 1000) + 999)}" if wait is not None else ""
        return f"stopped: `{queue.config.system}` lets {found.full.limit} through in an hour{when}"
    return ""
