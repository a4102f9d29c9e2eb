"""`mailweir doctor`: what is wrong here, and on the way to the mail servers. Sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mailweir.cli.group import meant
from mailweir.cli.loading import load_here
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from mailweir.doctor.finding import Finding
    from pipeline.config.load import Loaded
    from pipeline.config.typed import Component


@click.command(
    "doctor",
    epilog="""\b
Examples:
  mailweir doctor                       Python, files, secrets, room: opens no connection
  mailweir doctor --connect             also each mail server: name, port, TLS, login, sender
  mailweir doctor --connect backup      only this system
  mailweir doctor --live                also asks whether the fixed recipients would be taken""",
)
@click.argument("system", required=False)
@click.option("--connect", is_flag=True, help="Connect to each mail server and log in. No mail is sent.")
@click.option("--live", is_flag=True, help="With --connect: also name the fixed recipients, and send nothing to them.")
@common
def doctor_command(values: Common, system: str | None, *, connect: bool, live: bool) -> int:
    """Find out what is wrong, one line a check, each failure with a next step.

    A login is tried once. Whoever watches the server sees MAIL and RCPT, and no content.
    """
    import asyncio

    from mailweir.doctor.finding import Verdict, document, lines, summary
    from mailweir.doctor.local import findings

    loaded = load_here(values, take_secrets=True)
    systems = [one for one in loaded.project.components if one.kind == "system"]
    if system is not None:
        known = [one.id for one in systems]
        if system not in known:
            raise click.UsageError(f"no system '{system}'.{meant(system, known)}")
        if not (connect or live):
            raise click.UsageError(f"'{system}' is looked at with --connect: mailweir doctor --connect {system}")
        systems = [one for one in systems if one.id == system]
    found = list(findings(loaded, loaded.root / ".mailweir"))
    if connect or live:
        found += asyncio.run(_servers(loaded, systems, live=live))
    if values.json:
        values.out.document(document(found) | {"exit_code": _code(found)})
    else:
        for line, verdict in lines(found):
            if not values.out.quiet or verdict in {Verdict.WARN, Verdict.FAIL}:
                values.out.line(line)
        values.out.line()
        values.out.line(summary(found))
    return _code(found)


def _code(found: Sequence[Finding]) -> int:
    from mailweir.doctor.finding import Verdict

    return int(any(finding.verdict is Verdict.FAIL for finding in found))


async def _servers(loaded: Loaded, systems: Sequence[Component], *, live: bool) -> list[Finding]:
    from mailweir.doctor.look import look

    project, found = loaded.project, []
    for system in systems:
        found += await look(system, project.components, project.uses, str(loaded.root), live=live)
    return found
