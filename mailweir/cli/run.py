"""`mailweir run`: pipes once, from their sources to the last answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mailweir.cli.loading import counted as number_of
from mailweir.cli.loading import errors, load_here, look_for_pipes
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailweir.running import Done, Run
    from pipeline.component import Source
    from pipeline.config.load import Loaded

# More recipients than this are asked about, once, on a terminal (the first real run of a new configuration).
MOST_UNASKED = 10
# New objects between two looks for circles. A portion of mail on its way has some 15,000, entities of one transaction
# some 40,000, and all go by themselves: Python's own 700 finds all alive.
MANY_OBJECTS = 200_000


@click.command(
    "run",
    epilog="""\b
Examples:
  mailweir run
  mailweir run welcome-mail --dry-run --max-per-hour 100
  mailweir run welcome-mail --to me@example.com --limit 3
  mailweir run welcome-mail --input customers.jsonl --yes""",
)
@click.argument("pipes", nargs=-1, metavar="[PIPE]...")
@click.option("--dry-run", is_flag=True, help="Render what would go, connect to nothing, change no state.")
@click.option(
    "--max-per-hour", type=click.IntRange(0), metavar="N", help="With --dry-run: what if this were the limit."
)
@click.option(
    "--to",
    metavar="ADDR",
    help="Every mail goes to ADDR; the first recipients stand in X-Original-To. For text messages: a number.",
)
@click.option("--only-to", multiple=True, metavar="GLOB", help="Mail to others is held: '*@example.com'. Repeatable.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most N entities of each source.")
@click.option("--id", "entity", metavar="ID", help="This entity only.")
@click.option("--since", metavar="POSITION", help="Read the source again from there; 0 for all of it.")
@click.option("--resend", is_flag=True, help="Mail also what was handed over before.")
@click.option("--input", "given", metavar="FILE", help="Entities from a JSON file instead, or - for standard input.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Stay until nothing waits for another try.")
@click.option("--fail-on-discard", is_flag=True, help="Exit with 6 when mail was discarded.")
@click.option(
    "--progress", type=click.Choice(["auto", "bar", "plain", "none"]), default="auto", help="How to show it going on."
)
@common
def run_command(
    values: Common,
    pipes: tuple[str, ...],
    *,
    dry_run: bool,
    max_per_hour: int | None,
    to: str | None,
    only_to: tuple[str, ...],
    limit: int | None,
    entity: str | None,
    since: str | None,
    resend: bool,
    given: str | None,
    yes: bool,
    wait: bool,
    fail_on_discard: bool,
    progress: str,
) -> int:
    """Run PIPEs, or all of them, once: read what is new, send the mail, and stop.

    Mail that was handed over before is skipped. Exits with 0; 2 for wrong use; 3 when nothing was run; 4 when mail was
    rejected, is dead or has to be tried again; 6 with --fail-on-discard; 130 after Ctrl-C.
    """
    from mailweir.cli.queues import NotUsableError
    from mailweir.flows import CannotRunError
    from mailweir.running import Asked, Run
    from mailweir.systems_of import NoSystemError
    from pipeline.component import Wishes
    from pipeline.errors import UnusableError
    from pipeline.run import Wanted

    if max_per_hour is not None and not dry_run:
        raise click.UsageError("--max-per-hour is a question that only --dry-run answers")
    if to is not None:
        _address(to)
    loaded = load_here(values, take_secrets=True)
    look_for_pipes(loaded, pipes)
    faults = errors(loaded)
    if faults:
        raise NotUsableError(f"the configuration has {number_of(len(faults), 'error')}. See: mailweir check")
    wishes = Wishes(to, only_to, resend=resend, wait=wait)
    if not dry_run:
        pipes = _unpaused(values, loaded, pipes)
    start = None if since is None else "" if since == "0" else since
    try:
        if to is not None:
            _reaches(to, loaded, pipes)
        asked = Asked(pipes, Wanted(entity, limit), start, wishes, _given(given, values))
        if dry_run:
            from mailweir.cli.dry_run import dry_run as dry

            return dry(values, loaded, asked, max_per_hour)
        run = Run(loaded, asked)
        return carried_out(values, loaded, run, progress, ask=not yes, fail_on_discard=fail_on_discard)
    except CannotRunError as error:
        raise click.UsageError(str(error)) from None
    except (NoSystemError, UnusableError) as error:
        raise NotUsableError(str(error)) from None


def carried_out(
    values: Common,
    loaded: Loaded,
    run: Run,
    progress: str,
    *,
    ask: bool,
    fail_on_discard: bool = False,
    verb: Mapping[str, str] | None = None,
) -> int:
    """Run, show how it goes on, and tell what came of it: the exit code. `verb` says what was called, if not `run`."""
    import asyncio
    import gc

    from mailweir.cli.logged import logged
    from mailweir.cli.progress import Progress
    from mailweir.cli.queues import NotUsableError
    from mailweir.cli.run_report import document, exit_code, tell
    from mailweir.cli.signals import at_signal
    from mailweir.destination import banner, is_real
    from mailweir.running import MOST_COUNTED
    from pipeline.state.faults import StateError

    for line in banner(loaded, run):
        values.out.say(line)
    shown = Progress(values.out, "none" if values.json or values.out.quiet else progress)

    asks = ask and values.asks and not values.json and is_real(loaded, run)

    def heed_signals() -> None:
        at_signal(run.stop, values.out, run.abort)

    async def go() -> Done:
        if not asks:
            heed_signals()
        return await run.go(shown.news, counted if asks or shown.bar else None)

    def counted(count: int) -> bool:
        """Ask before many people get mail; without a terminal nobody is asked."""
        shown.total = count if count < MOST_COUNTED else 0
        if not asks:
            return True
        try:
            return count <= MOST_UNASKED or _sends(count, MOST_COUNTED)
        except click.Abort:
            run.stop()
            return False
        finally:
            heed_signals()

    # What is loaded stays, and a mail in the making is many small things that go by themselves when it is sent.
    gc.freeze()
    gc.set_threshold(MANY_OBJECTS)
    try:
        with logged(values, summed_up="mailweir.mail"):
            done = asyncio.run(go())
    except StateError as error:
        raise NotUsableError(error.text + (f"\n  help: {error.advice}" if error.advice else "")) from None
    finally:
        shown.end()
    code = exit_code(done, fail_on_discard=fail_on_discard)
    if values.json:
        values.out.document(document(loaded, run, code) | dict(verb or {}))
    else:
        tell(values.out, run)
    return code


def _sends(count: int, most: int) -> bool:
    """Ask. Ctrl-C is an answer: while a program waits for a line its loop of events hears no signal."""
    import signal

    about = f"{count:,} or more" if count >= most else f"up to {count:,}"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return click.confirm(f"{about} mails. Send?", default=False, err=True)
    finally:
        signal.signal(signal.SIGINT, before)


def _unpaused(values: Common, loaded: Loaded, names: tuple[str, ...]) -> tuple[str, ...]:
    """The pipes to run without those that somebody has paused. One that is asked for by name is refused."""
    from mailweir.cli.ledgers import Ledger, now
    from mailweir.flows import mail_sink
    from mailweir.serving.pauses import PAUSES, pauses_of
    from pipeline.pipe import PipeConfig

    notes = Ledger(values, loaded, "run", "").look(lambda state: state.notes(PAUSES))
    held = pauses_of(notes or {}, now())
    if not held:
        return names
    configs = [one.config for one in loaded.project.components if isinstance(one.config, PipeConfig)]
    left = []
    for pipe in configs:
        sink = mail_sink(pipe)
        system = "" if sink is None else sink.system
        pause = held.get(("pipe", pipe.id)) or held.get(("system", system))
        if pause is None:
            left += [pipe.id] if (pipe.id in names if names else pipe.pump.mode != "off") else []
            continue
        name = pipe.id if ("pipe", pipe.id) in held else system
        words = f"{pipe.id} is paused by {pause.by}: {pause.reason}  (mailweir resume {name})"
        if pipe.id in names:
            raise click.UsageError(words)
        if not names:
            values.out.say(f"note: {words}")
    if not left:
        raise click.UsageError("every pipe is paused")
    return tuple(left)


def _address(text: str) -> None:
    from systems.address import fault_of
    from systems.sms import number_of

    fault = fault_of(text)
    if fault and number_of(text) is None:
        raise click.UsageError(f"--to: '{text}' is not an address: {fault}")


def _reaches(to: str, loaded: Loaded, pipes: tuple[str, ...]) -> None:
    """Refuse an address for text messages, and a telephone number for mail."""
    from mailweir.flows import mail_sink, pipes_of
    from sinks.sms.config import SmsConfig
    from systems.sms import number_of

    number = number_of(to) is not None
    for pipe in pipes_of(loaded, pipes):
        sink = mail_sink(pipe)
        if sink is not None and isinstance(sink, SmsConfig) != number:
            what, needs = ("mail", "an address") if number else ("text messages", "a telephone number")
            raise click.UsageError(f"--to: the pipe '{pipe.id}' sends {what}, so this is {needs}; name other pipes")


def _given(name: str | None, values: Common) -> Source | None:
    """The file, or standard input, as the source of the one pipe."""
    import sys

    from sources.json_file import JsonStream

    if name is None:
        return None
    if name == "-":
        return JsonStream(sys.stdin.buffer, "<stdin>")
    try:
        return JsonStream((values.here / name).open("rb", buffering=0), name)
    except OSError as error:
        raise click.UsageError(f"--input: cannot read '{name}': {(error.strerror or str(error)).lower()}") from None
