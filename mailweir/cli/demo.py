"""`mailweir demo`: a project that throws its mail at a catcher, to see what Mailweir does in a minute."""

from __future__ import annotations

from pathlib import Path

import click

from mailweir.cli.options import Common, common

DEFAULT_PORT = 1025


@click.command(
    "demo",
    epilog="""\b
Examples:
  mailweir demo                  three customers, two mails, one without an address
  mailweir demo --limit          twelve mails where ten are allowed in an hour: two are discarded
  mailweir demo --keep my-demo   in a folder of your own, which stays
  mailweir demo --exit --json    once, for a program""",
)
@click.option("--limit", is_flag=True, help="More mails than max_per_hour: the window fills, the rest is discarded.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Make the project in DIR. Without it: in a temporary folder.",
)
@click.option(
    "--smtp-port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    metavar="PORT",
    help="Where to catch; the next free port if it is taken. 0 takes any.",
)
@click.option("--open/--no-open", "opening", default=None, help="Show the mail in the browser. Default: at a desktop.")
@click.option("--exit", "ends", is_flag=True, help="End after the first run. Also without a terminal.")
@common
def demo_command(
    values: Common, *, limit: bool, keep: Path | None, smtp_port: int, opening: bool | None, ends: bool
) -> int:
    """See a first mail: an example project is made, run, and its mail caught on this machine.

    Nothing leaves the machine: no option and no variable can change where the mail goes. On a terminal it stays, and
    runs again when a file of the project is saved; Ctrl-C ends it.
    """
    from mailweir.cli.demo_run import Wanted, run_demo

    stays = not ends and not values.json and not values.no_input and _both_are_terminals(values)
    wanted = Wanted(limit=limit, keep=keep, port=smtp_port, opening=opening, stays=stays)
    return run_demo(values, wanted)


def _both_are_terminals(values: Common) -> bool:
    return values.asks and values.out.stdout.isatty()
