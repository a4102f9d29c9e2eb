"""`mailweir outbox`: the mail of the project's state: look at it, try it again, remove it, take it out as files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from mailweir.cli.asking import confirm, seconds_of
from mailweir.cli.ledgers import NOTHING, filtered, first, ledger_of, more, now
from mailweir.cli.lines import table
from mailweir.cli.loading import counted
from mailweir.cli.options import Common, common
from mailweir.ledger.words import USUAL, WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailweir.cli.ledgers import Ledger
    from pipeline.state.facts import MessageState
    from pipeline.state.port import Look, State
    from pipeline.state.views import Detail, Filter, Holder, Row


@click.group(
    "outbox",
    invoke_without_command=True,
    epilog="""\b
Examples:
  mailweir outbox                                what waits, and what needs a person
  mailweir outbox list --state dead              what was refused, or tried often enough
  mailweir outbox show 1a2b                      all that is known of a message
  mailweir outbox retry 1a2b                     try again, whatever was said before
  mailweir outbox export --state dead > dead.mbox
  mailweir outbox delete --state dead --older 30d --yes""",
)
@common
def outbox_command(_: Common) -> int | None:
    """Look after the mail that pipes have made. ID is the beginning of a message's id; alone it lists."""
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        code: int = context.invoke(list_command)
        return code
    return None


def _stated(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option that chooses messages by what became of them."""
    words = "What became of it; may be given again."
    return click.option("--state", "states", multiple=True, type=click.Choice(WORDS), help=words)(function)


@outbox_command.command(
    "list",
    epilog="""\b
Examples:
  mailweir outbox list                           the newest 100, and how many there are of each state
  mailweir outbox list --state retrying          turned away for now; when the next try is
  mailweir outbox list --state sent --entity c7  whether and when an entity's mail went
  mailweir outbox list --json --limit 0          everything, for a program""",
)
@_stated
@filtered
@click.option("--to", metavar="ADDRESS", default="", help="Only for this recipient.")
@click.option("--limit", type=click.IntRange(min=0), default=100, show_default=True, help="The newest N; 0 for all.")
@click.option("--full", is_flag=True, help="Addresses in full.")
@common
def list_command(
    values: Common,
    *,
    states: Sequence[str],
    pipe: str,
    system: str,
    run: str,
    entity: str,
    to: str,
    limit: int,
    full: bool,
) -> int:
    """List what waits and what needs a person, the newest first; other states where they are named. Changes nothing."""
    from mailweir.ledger.rows import HEAD, facts, row, states_of
    from pipeline.state.views import Filter

    ledger = ledger_of(values, "outbox", "list")
    wanted = Filter(states_of(states or USUAL), pipe, system, run, entity, to)

    async def looking(state: Look) -> tuple[list[Row], int, Mapping[MessageState, int], Sequence[Holder]]:
        return *(await first(state, wanted, limit)), await state.counts(system, pipe), await state.holders()

    looked = ledger.look(looking)
    found, total, counts, holders = looked or ([], 0, {}, ())
    words = _counts(counts)
    ledger.document(messages=[facts(one, full=full) for one in found], total=total, counts=words)
    if values.json:
        return 0
    at = now()
    if found:
        for line in table([HEAD, *(row(one, at, full=full) for one in found)]):
            values.out.line(line)
    if left := more(found, total):
        values.out.say(left)
    said = ", ".join(f"{many} {word}" for word, many in words.items() if many)
    values.out.say(NOTHING if looked is None else said or "nothing waits, and nothing needs a person")
    if dead := sum(one.claims for one in holders if not one.alive):
        held = f"{counted(dead, 'message')} taken by a sender that died"
        values.out.say(f"{held}: the next run takes over, or mailweir outbox unlock")
    return 0


def _counts(counts: Mapping[MessageState, int]) -> dict[str, int]:
    """How many messages of each word; those that were sent are too many to count."""
    from pipeline.state.facts import outcome_of

    found = dict.fromkeys(WORDS[:-1], 0)
    for state, many in counts.items():
        found[outcome_of[state].value] += many
    return found


@outbox_command.command(
    "show",
    epilog="""\b
Examples:
  mailweir outbox show 1a2b                      the header, and who got it
  mailweir outbox show 1a2b --body --full        the whole message, addresses in full""",
)
@click.argument("id")
@click.option("--body", is_flag=True, help="The whole message, not only its header.")
@click.option("--full", is_flag=True, help="Addresses in full.")
@common
def show_command(values: Common, id: str, *, body: bool, full: bool) -> int:
    """Show what happened to a message, what was said of each recipient, and its header. Changes nothing."""
    from mailweir.cli.outbox_page import content, page
    from mailweir.ledger.opened import UnknownError, named, rows
    from mailweir.ledger.rows import facts, history
    from pipeline.state.views import Filter

    ledger = ledger_of(values, "outbox", "show")

    async def looking(state: Look) -> tuple[Detail, list[Row]]:
        (one,) = await named(state, [id])
        detail = await state.message(one.id)
        if detail is None:
            raise UnknownError(f"the message {id} has just been removed")
        key = one.name.partition(".")[0]
        return detail, [each async for each in rows(state, Filter(name=key, replaced=True)) if each.id != one.id]

    looked = ledger.look(looking)
    if looked is None:
        raise click.UsageError(f"no message begins with '{id}': {NOTHING}")
    detail, others = looked
    happened = history(detail.row, others)
    text = content(detail, body=body)
    holder = detail.holder
    ledger.document(
        message=facts(detail.row, full=full)
        | {
            "whole": detail.whole,
            "holder": holder and {"process": holder.process, "alive": holder.alive},
            "history": [{"at": at, "what": what} for at, what in happened],
            "text": text,
        }
    )
    if not values.json:
        for line in page(detail, happened, text, now(), full=full):
            values.out.line(line)
    return 0


async def _chosen(state: Look, ids: Sequence[str], wanted: Filter) -> list[Row]:
    from mailweir.ledger.opened import named, rows

    return await named(state, ids) if ids else [one async for one in rows(state, wanted)]


def _wanted(ids: Sequence[str], states: Sequence[str], older: str | None = None, **more: str) -> Filter:
    """What a verb that changes something is about: it must be named."""
    from mailweir.ledger.rows import states_of
    from pipeline.state.views import Filter

    if bool(ids) == bool(states):
        raise click.UsageError("name messages by their ids, or choose them with `--state`")
    if ids and (older or any(more.values())):
        raise click.UsageError(
            "`--older`, `--pipe`, `--system`, `--run` and `--entity` go with `--state`, not with ids"
        )
    until = None if older is None else now() - seconds_of("--older", older)
    pipe, system, run, entity = (more[name] for name in ("pipe", "system", "run", "entity"))
    return Filter(states_of(states), pipe, system, run, entity, changed_until=until)


@outbox_command.command(
    "retry",
    epilog="""\b
Examples:
  mailweir outbox retry 1a2b                     at the next run, and not when its wait is over
  mailweir outbox retry --state dead --yes       everything that was refused or tried often enough""",
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_stated
@filtered
@click.option("--yes", is_flag=True, help="Also what was refused for good, or may have been taken already.")
@common
def retry_command(values: Common, ids: Sequence[str], *, states: Sequence[str], yes: bool, **narrowed: str) -> int:
    """Try messages again, whatever was said of them, for everybody who does not have them."""
    from mailweir.ledger.opened import parts
    from mailweir.ledger.rows import cannot_be_tried, doubts, short
    from sinks.mail.outbound import once_more

    wanted = _wanted(ids, states, **narrowed)
    ledger = ledger_of(values, "outbox", "retry")

    async def looking(state: Look) -> list[Detail]:
        return [one for row in await _chosen(state, ids, wanted) if (one := await state.message(row.id))]

    found = ledger.look(looking) or []
    _must_be_there(ids, found)
    reasons = {one.row.id: cannot_be_tried(one) for one in found}
    fit = [one.row for one in found if not reasons[one.row.id]]
    for fact in doubts(fit).values():
        confirm(values, fact, "Try again anyway?", yes=yes)
    for one in found:
        if reasons[one.row.id]:
            values.out.fault(f"error: {short(one.row.name)}: {reasons[one.row.id]}")

    async def acting(state: State) -> int:
        return sum([await state.retry(part, once_more) for part in parts(fit)])

    done = (ledger.act(acting) or 0) if fit else 0
    return _done(ledger, done, len(found), "will be tried again at the next run")


def _must_be_there(ids: Sequence[str], found: Sequence[object]) -> None:
    """Ids that are named exist, or there is no state at all."""
    if ids and not found:
        raise click.UsageError(f"no message begins with '{ids[0]}': {NOTHING}")


def _done(ledger: Ledger, done: int, of: int, what: str) -> int:
    code = 0 if done == of else 2
    ledger.document(code, done=done, left=of - done)
    if not ledger.values.json:
        ledger.values.out.say(f"{counted(done, 'message')} {what}")
    return code


@outbox_command.command(
    "delete",
    epilog="""\b
Examples:
  mailweir outbox delete 1a2b                    asks first
  mailweir outbox delete --state dead --older 30d --yes""",
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_stated
@filtered
@click.option("--older", metavar="AGE", help="Only where nothing happened for so long: 30d, 12h, 5min.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def delete_command(
    values: Common, ids: Sequence[str], *, states: Sequence[str], older: str | None, yes: bool, **narrowed: str
) -> int:
    """Remove messages for good: what waits is not sent, and nothing of them is kept but that they were there.

    What was rejected or discarded is forgotten too, so its entity may become mail again.
    """
    from mailweir.ledger.opened import parts
    from mailweir.ledger.rows import short
    from pipeline.state.facts import MessageState

    wanted = _wanted(ids, states, older, **narrowed)
    ledger = ledger_of(values, "outbox", "delete")
    found = ledger.look(lambda state: _chosen(state, ids, wanted)) or []
    _must_be_there(ids, found)
    fit = [one for one in found if one.state is not MessageState.CLAIMED]
    waiting = sum(one.next_try is not None for one in fit)
    fact = f"{counted(len(fit), 'message')} would be deleted"
    fact = f"{fact}, {waiting} of them still to be sent" if waiting else fact
    if fit:
        words = " ".join([*ids, *(f"--state {state}" for state in states)])
        confirm(values, fact, "Delete?", yes=yes, help=f"export first: mailweir outbox export {words} > deleted.mbox")
    for one in found:
        if one.state is MessageState.CLAIMED:
            values.out.fault(f"error: {short(one.name)}: it is being sent just now")

    async def acting(state: State) -> int:
        return sum([await state.delete(part) for part in parts(fit)])

    done = (ledger.act(acting) or 0) if fit else 0
    return _done(ledger, done, len(found), "deleted")


@outbox_command.command(
    "export",
    epilog="""\b
Examples:
  mailweir outbox export --state dead > dead.mbox     one file that mail programs open
  mailweir outbox export 1a2b --format eml > a.eml    a message as it goes out, byte for byte
  mailweir outbox export --state held --out held      a folder with a file each, and its envelope""",
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_stated
@filtered
@click.option("--format", "form", type=click.Choice(["mbox", "eml"]), default="mbox", help="mbox, or eml for one.")
@click.option("--out", metavar="DIR", help="A file for each message in this folder, with its envelope beside it.")
@common
def export_command(
    values: Common, ids: Sequence[str], *, states: Sequence[str], form: str, out: str | None, **narrowed: str
) -> int:
    """Write messages as files: to standard output, or to a folder. What is not kept any more is told. Changes nothing.

    The mail is written as it is: whatever stands in it stands in the file.
    """
    from mailweir.cli.outbox_files import export

    wanted = _wanted(ids, states, **narrowed)
    ledger = ledger_of(values, "outbox", "export")

    async def looking(state: Look) -> list[Row]:
        # The oldest first, as they came.
        return sorted(await _chosen(state, ids, wanted), key=lambda one: one.id)

    found = ledger.look(looking) or []
    _must_be_there(ids, found)
    return export(ledger, found, form, out)


@outbox_command.command(
    "unlock",
    epilog="""\b
Examples:
  mailweir outbox unlock                         all that senders left which died
  mailweir outbox unlock 1a2b                    whether this message is free""",
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@common
def unlock_command(values: Common, ids: Sequence[str]) -> int:
    """Free messages whose sender died, as every run does by itself when it starts. Refuses while a sender lives.

    Who lives is known for sure: a sender's lock belongs to the kernel and ends with it. So this is seldom needed.
    """
    from mailweir.ledger.opened import named
    from mailweir.ledger.rows import short
    from pipeline.state.facts import Recovered

    ledger = ledger_of(values, "outbox", "unlock")

    async def acting(state: State) -> tuple[Recovered, list[tuple[str, Holder]]]:
        rows = await named(state, ids)
        details = [await state.message(one.id) for one in rows]
        return state.recovered, [(one.row.name, one.holder) for one in details if one and one.holder]

    found = ledger.act(acting)
    if found is None and ids:
        raise click.UsageError(f"no message begins with '{ids[0]}': {NOTHING}")
    recovered, held = found or (Recovered(), [])
    code = 2 if held else 0
    ledger.document(
        code,
        recovered={"answered": recovered.answered, "returned": recovered.returned, "in_doubt": recovered.in_doubt},
        held=[{"id": name, "process": holder.process} for name, holder in held],
    )
    for name, holder in held:
        age = _age(holder)
        values.out.fault(
            f"error: {short(name)}: {holder.process}, at work for {age}, is sending this message\n"
            "  help: it is free as soon as that process has an answer, or ends, however it ends"
        )
    if not values.json:
        values.out.say(_freed(recovered))
    return code


def _age(holder: Holder) -> str:
    from mailweir.shown import ago

    return ago(now() - holder.began)


def _freed(recovered: Sequence[int]) -> str:
    answered, returned, in_doubt = recovered
    told = {
        "queued again, nothing of them was handed over": returned,
        "answered, and the answer was on record": answered,
        "in doubt: handed over, and no answer on record": in_doubt,
    }
    return "\n".join(f"{many} {what}" for what, many in told.items() if many) or "no sender that died left anything"
