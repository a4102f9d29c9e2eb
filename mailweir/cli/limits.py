"""`mailweir limits`: how full the windows of the mail systems are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from mailweir.cli.group import meant
from mailweir.cli.ledgers import Ledger, ledger_of, now, zone
from mailweir.cli.lines import can_show, table
from mailweir.cli.options import Common, common
from mailweir.cli.queues import NotUsableError

if TYPE_CHECKING:
    from mailweir.ledger.windows import Gate, Window
    from pipeline.state.port import Look
    from systems.mail import CarrierConfig

_HOUR: Final = 3600
_no_reset: Final = (
    "a window cannot be reset: it is what the provider saw, and that does not forget\n"
    "  help: wait for the time that `mailweir limits` shows, or raise `max_per_hour` if the provider allows more"
)


@click.command(
    "limits",
    epilog="""\b
Examples:
  mailweir limits                    every mail system: used, free, when the next place frees
  mailweir limits our-smtp-server    one of them
  mailweir limits --json             for a program""",
)
@click.argument("systems", nargs=-1, metavar="[SYSTEM]...")
@common
def limits_command(values: Common, systems: Sequence[str]) -> int:
    """Show how much of `max_per_hour` each mail system has used in the last hour. Changes nothing.

    Systems of one `rate_group` share a window. It cannot be reset: it is what the provider saw.
    """
    ledger = ledger_of(values, "limits", take_secrets=True)
    configs = _configs(ledger, systems)
    found = _windows(ledger, configs)
    wanted = systems or tuple(config.id for config in configs)
    _show(ledger, found, wanted, _behind(ledger, wanted))
    return 0


def _configs(ledger: Ledger, asked: Sequence[str]) -> list[CarrierConfig]:
    """The mail systems of the project, after what was asked for was found among them."""
    from systems.mail import CarrierConfig

    components = {one.id: one for one in ledger.loaded.project.components if one.kind == "system"}
    mail = {one.id: one.config for one in components.values() if issubclass(one.model, CarrierConfig)}
    for system in asked:
        if system == "reset" and system not in components:
            raise click.UsageError(_no_reset)
        if system not in components:
            raise click.UsageError(f"no system '{system}'.{meant(system, list(mail))}")
        if system not in mail:
            raise click.UsageError(f"'{system}' is {components[system].type}, which sends no mail")
    broken = [name for name, config in mail.items() if not isinstance(config, CarrierConfig)]
    if broken:
        # The limit of a group is the smallest of its systems: without one of them it is not known.
        raise NotUsableError(f"the configuration of '{broken[0]}' has errors. See: mailweir check")
    return [config for config in mail.values() if isinstance(config, CarrierConfig)]


def _windows(ledger: Ledger, configs: Sequence[CarrierConfig]) -> list[Window]:
    from mailweir.ledger.windows import Window, gates, unused
    from pipeline.state.views import Discards

    found = gates(configs)

    async def looking(state: Look) -> list[Window]:
        usages = await state.usage({gate.name: gate.limit for gate in found}) if found else ()
        return [
            Window(gate, usage, {each: await state.discards(each, now() - _HOUR) for each in gate.systems})
            for gate, usage in zip(found, usages, strict=True)
        ]

    windows = ledger.look(looking)
    if windows is not None:
        return windows
    return [Window(gate, unused(gate), {each: Discards(0, None) for each in gate.systems}) for gate in found]


def _behind(ledger: Ledger, wanted: Sequence[str]) -> dict[str, str]:
    """The systems that stand behind a queue, with that queue: it counts by itself what it lets out."""
    from systems.spool.config import SpoolConfig

    configs = [one.config for one in ledger.loaded.project.components]
    queues = {config.system: config.id for config in configs if isinstance(config, SpoolConfig)}
    return {system: queue for system, queue in queues.items() if system in wanted}


def _show(ledger: Ledger, found: Sequence[Window], wanted: Sequence[str], behind: dict[str, str]) -> None:
    from mailweir.ledger.windows import FILLED, OPEN, facts, notes, row
    from pipeline.config.glyphs import columns, visible

    shown = [window for window in found if {*window.gate.systems} & {*wanted}]
    entries = [entry for window in shown for entry in facts(window, _of(window.gate, wanted))]
    ledger.document(window=[{**entry, "behind": behind.get(entry["system"])} for entry in entries])
    values = ledger.values
    if values.json:
        return
    if not shown:
        values.out.say("no system of this project sends mail")
    bar = FILLED + OPEN if can_show(values.out.stdout, FILLED + OPEN) else "#-"
    at, here = now(), zone()
    rows = [row(window, at, here, bar) for window in shown]
    indent = " " * (max((columns(visible(name)) for name, *_ in rows), default=0) + 2)
    for window, text in zip(shown, table([("",) * 4, *rows])[1:], strict=True):
        values.out.line(text)
        for note in notes(window, at, here):
            values.out.line(f"{indent}{visible(note)}")
    for system, queue in behind.items():
        values.out.say(f"note: what leaves the queue '{queue}' through '{system}' is counted by that queue, not here")


def _of(gate: Gate, wanted: Sequence[str]) -> Sequence[str]:
    return [system for system in gate.systems if system in wanted]
