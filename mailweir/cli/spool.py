"""`mailweir spool`: the mail in the queue of a `system:spool`: look at it, send it, try it again, remove it."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from mailweir.cli.asking import confirm, seconds_of
from mailweir.cli.lines import table
from mailweir.cli.loading import counted
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from mailweir.cli.queues import Queue
    from mailweir.spooled import Spooled

STATES: Final = ("queued", "retrying", "in_doubt", "held", "dead")


@click.group(
    "spool",
    invoke_without_command=True,
    epilog="""\b
Examples:
  mailweir spool list outbox                     what waits, and what will not be sent
  mailweir spool show outbox 1a2b                all that happened to a message
  mailweir spool drain outbox                    send what is due now
  mailweir spool retry outbox 1a2b               try again, whatever was said before
  mailweir spool delete outbox --state dead --older 30d --yes""",
)
@common
def spool_command(_: Common) -> None:
    """Look after the queue of a `system:spool`. SYSTEM is its `_id`, ID the beginning of a message's id."""
    if click.get_current_context().invoked_subcommand is None:
        raise click.UsageError(
            "say what to do: mailweir spool list SYSTEM, or show, drain, retry, delete\n  help: mailweir spool --help"
        )


def _states(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option that chooses messages by what became of them."""
    words = "What became of it; may be given again."
    return click.option("--state", "states", multiple=True, type=click.Choice(STATES), help=words)(function)


def _now() -> int:
    return time.time_ns() // 10**6


@spool_command.command(
    "list",
    epilog="""\b
Examples:
  mailweir spool list outbox                     the oldest 100, and how many there are
  mailweir spool list outbox --state in_doubt    handed over, and no answer came
  mailweir spool list outbox --json --limit 0    everything, for a program""",
)
@click.argument("system")
@_states
@click.option("--limit", type=click.IntRange(min=0), default=100, show_default=True, help="The oldest N; 0 for all.")
@click.option("--full", is_flag=True, help="Addresses in full.")
@common
def list_command(values: Common, system: str, *, states: Sequence[str], limit: int, full: bool) -> int:
    """List what waits in the queue and what will not be sent, the oldest first. Changes nothing."""
    from mailweir.cli.queues import messages, queue_of
    from mailweir.spooled import HEAD, facts, row

    queue = queue_of(values, system, "list")
    now = _now()
    counts: Counter[str] = Counter()

    def wanted() -> Any:  # noqa: ANN401 - an iterator for what follows
        for one in messages(queue, now):
            counts[one.state] += 1
            if not states or one.state in states:
                yield one

    found: list[Spooled]
    if limit:
        found = heapq.nsmallest(limit, wanted(), key=lambda one: (one.at, one.name))
    else:
        found = sorted(wanted(), key=lambda one: (one.at, one.name))
    queue.document(
        folder=str(queue.store.folder),
        process=queue.config.process,
        counts={state: counts[state] for state in STATES},
        messages=[facts(one, full=full) for one in found],
    )
    if not values.json:
        if found:
            for line in table([HEAD, *(row(one, now, full=full) for one in found)]):
                values.out.line(line)
        left = sum(counts[state] for state in states or STATES) - len(found)
        more = f"… {left} more: --limit 0 shows all\n" if left else ""
        values.out.say(f"{more}{_summary(counts)}")
    return 0


def _summary(counts: Counter[str]) -> str:
    said = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    return f"{counted(counts.total(), 'message')}: {said}" if said else "nothing waits in this queue"


@spool_command.command(
    "show",
    epilog="""\b
Examples:
  mailweir spool show outbox 1a2b                the header, and who got it
  mailweir spool show outbox 1a2b --body --full  the whole message, addresses in full""",
)
@click.argument("system")
@click.argument("id")
@click.option("--body", is_flag=True, help="The whole message, not only its header.")
@click.option("--full", is_flag=True, help="Addresses in full.")
@common
def show_command(values: Common, system: str, id: str, *, body: bool, full: bool) -> int:
    """Show all that happened to a message, what was said of each recipient, and its header. Changes nothing."""
    from mailweir.cli.queues import chosen, queue_of
    from mailweir.spooled import facts, history

    queue = queue_of(values, system, "show")
    (one,) = chosen(queue, [id], (), _now())
    text = _content(queue, one, body=body)
    happened = [{"at": at, "what": what} for at, what in history(one, full=full)]
    queue.document(message=facts(one, full=full) | {"history": happened, "text": text})
    if not values.json:
        _page(values, one, text, full=full)
    return 0


def _content(queue: Queue, one: Spooled, *, body: bool) -> str | None:
    """The header, or the whole; None if the content is not as it was written."""
    from systems.spool.lines import RecordError

    if one.queued is None:
        return None
    try:
        content = queue.store.content(one.queued, one.name, rejected=one.buried)
    except RecordError:
        return None
    if not body:
        content = content.partition(b"\r\n\r\n")[0]
    return content.decode(errors="replace").replace("\r\n", "\n")


def _page(values: Common, one: Spooled, text: str | None, *, full: bool) -> None:
    from mailweir.shown import address
    from mailweir.spooled import ago, history, words
    from pipeline.config.glyphs import visible

    out, found, now = values.out, one.queued, _now()
    out.line(f"{one.name}  {one.state}{', being sent' if one.busy else ''}")
    if found is None:
        out.line(f"not sent: {one.problem}")
        return
    sender = address(found.envelope.sender, full=full) or "<> (a report)"
    due = "" if one.due is None else ", due" if one.due <= now else f", next try in {ago(one.due - now)}"
    out.line(visible(f"{found.key}, from {sender}, {found.size} bytes, queued {ago(now - found.at)} ago{due}"))
    out.line()
    rows = [("RECIPIENT", "", "TRIES", "WHAT WAS SAID")]
    for each in found.recipients:
        said = one.reasons.get(each.address) or words(each.answer)
        rows.append((address(each.address, full=full), each.standing.value, str(each.tries or ""), said))
    for line in table(rows):
        out.line(line)
    out.line()
    for at, what in history(one, full=full):
        out.line(visible(f"{at}  {what}"))
    out.line()
    if text is None:
        out.line("its content is not as it was written")
    else:
        for line in text.split("\n"):
            out.line(visible(line))


@spool_command.command(
    "retry",
    epilog="""\b
Examples:
  mailweir spool retry outbox 1a2b               now, and not when its wait is over
  mailweir spool retry outbox --state dead --yes everything that was refused""",
)
@click.argument("system")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_states
@click.option("--yes", is_flag=True, help="Also what was refused for good, or may have been taken already.")
@common
def retry_command(values: Common, system: str, ids: Sequence[str], *, states: Sequence[str], yes: bool) -> int:
    """Try messages again, whatever was said of them, for everybody who does not have them."""
    from mailweir.cli.queues import queue_of
    from mailweir.spooled import pending
    from systems.mail import Status
    from systems.spool.record import Standing

    queue = queue_of(values, system, "retry")
    found = _chosen(queue, ids, states)
    people = [one.queued.recipients[place] for one in found if one.queued for place in pending(one.queued)]
    refused = sum(each.answer is not None and each.answer.status is Status.PERMANENT for each in people)
    doubtful = sum(each.standing in {Standing.HANDED, Standing.IN_DOUBT} for each in people)
    if refused:
        confirm(values, f"{counted(refused, 'recipient')} refused for good", "Try again anyway?", yes=yes)
    if doubtful:
        may = f"{counted(doubtful, 'recipient')} who may have the mail already, and could get it twice"
        confirm(values, may, "Try again anyway?", yes=yes)
    done = _each(queue, found, _again)
    code = 0 if len(done) == len(found) else 4
    queue.document(code, messages=[one.name for one in done])
    if not values.json:
        hint = f": mailweir spool drain {queue.id}" if done else ""
        values.out.say(f"{counted(len(done), 'message')} will be tried again{hint}")
    return code


def _again(queue: Queue, one: Spooled) -> str:
    """Queue it again; why that cannot be, or nothing."""
    from mailweir.spooled import pending
    from systems.spool.record import again

    if one.queued is None:
        return f"it cannot be sent: {one.problem}"
    places = pending(one.queued)
    if one.buried:
        queue.store.revive(queue.store.rejected(one.name), places, _now())
        return ""
    entry = queue.store.entry(one.name)
    try:
        entry.append(again(places, _now()))
    finally:
        entry.close()
    return ""


@spool_command.command(
    "delete",
    epilog="""\b
Examples:
  mailweir spool delete outbox 1a2b              asks first
  mailweir spool delete outbox --state dead --older 30d --yes""",
)
@click.argument("system")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_states
@click.option("--older", metavar="AGE", help="Only what came in so long ago: 30d, 12h, 5min.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def delete_command(
    values: Common, system: str, ids: Sequence[str], *, states: Sequence[str], older: str | None, yes: bool
) -> int:
    """Remove messages for good. Nobody will get them, and nothing of them is kept."""
    from mailweir.cli.queues import queue_of

    age = 0 if older is None else seconds_of("--older", older) * 1000
    queue = queue_of(values, system, "delete")
    found = [one for one in _chosen(queue, ids, states) if one.at <= _now() - age]
    if found:
        confirm(values, f"{counted(len(found), 'message')} would be deleted", "Delete?", yes=yes)
    done = _each(queue, found, _remove)
    code = 0 if len(done) == len(found) else 4
    queue.document(code, messages=[one.name for one in done])
    if not values.json:
        values.out.say(f"{counted(len(done), 'message')} deleted")
    return code


def _remove(queue: Queue, one: Spooled) -> str:
    if one.buried:
        queue.store.discard(one.name)
    elif one.queued is None:
        queue.store.forget(one.name)
    else:
        entry = queue.store.entry(one.name)
        try:
            queue.store.finish(entry)
        finally:
            entry.close()
    return ""


def _chosen(queue: Queue, ids: Sequence[str], states: Sequence[str]) -> list[Spooled]:
    from mailweir.cli.queues import chosen

    if bool(ids) == bool(states):
        raise click.UsageError("name messages by their ids, or choose them with `--state`")
    return chosen(queue, ids, states, _now())


def _each(queue: Queue, found: Sequence[Spooled], work: Callable[[Queue, Spooled], str]) -> list[Spooled]:
    """Work on each message; those with which it went well. What stands in the way of the others is told."""
    from systems.disk import FolderError, reason
    from systems.spool.entry import BusyError
    from systems.spool.lines import RecordError

    done = []
    for one in found:
        try:
            why = work(queue, one)
        except BusyError:
            why = "it is being sent just now"
        except FileNotFoundError:
            why = "it has just gone"
        except FolderError as error:
            why = error.why
        except RecordError as error:
            why = str(error)
        except OSError as error:
            raise click.UsageError(f"cannot write to {queue.store.folder}: {reason(error)}") from None
        if why:
            queue.values.out.fault(f"error: {one.name[:8]}: {why}")
        else:
            done.append(one)
    return done


@spool_command.command(
    "drain",
    epilog="""\b
Examples:
  mailweir spool drain outbox                    what is due now, within the limit
  mailweir spool drain outbox --follow           until Ctrl-C, also what comes in
  mailweir spool drain outbox --profile prod     with the values of production""",
)
@click.argument("system")
@click.option("--follow", is_flag=True, help="Go on with what comes in, until Ctrl-C.")
@click.option("--anyway", is_flag=True, help="Also where `process` is false.")
@common
def drain_command(values: Common, system: str, *, follow: bool, anyway: bool) -> int:
    """Send what is due now, through the system behind the queue, within its limit.

    Exit code 4: some of it was refused, must be tried again, or needs a person.
    """
    from mailweir.cli.queues import queue_of

    queue = queue_of(values, system, "drain", secrets=True)
    if not (queue.config.process or anyway):
        raise click.UsageError(
            f"`process` of '{queue.id}' is false: it only queues, and sends nothing\n"
            f"  help: to send what it holds: mailweir spool drain {queue.id} --anyway"
        )
    from mailweir.cli.spool_drain import drain

    return drain(queue, follow=follow, now=_now)
