"""`mailweir dev`: the pipes of a project with all mail caught, again after each change."""

from __future__ import annotations

import click

from mailweir.cli.options import Common, common

DEFAULT_PORT = 1025


@click.command(
    "dev",
    epilog="""\b
Examples:
  mailweir dev                                     run all pipes, catch the mail, watch the files
  mailweir dev welcome-mail --profile prod         with the values of another profile; still nothing is delivered
  mailweir dev --catch-to smtp://127.0.0.1:2525    into a catcher that is running already""",
)
@click.argument("pipes", nargs=-1, metavar="[PIPE]...")
@click.option(
    "--smtp-port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    metavar="PORT",
    help="Where to catch; the next free port if it is taken. 0 takes any.",
)
@click.option("--catch-to", metavar="URL", help="Hand all mail to a catcher on this machine: smtp://127.0.0.1:1025.")
@click.option("--open/--no-open", "opening", default=None, help="Show the mail in the browser. Default: at a desktop.")
@common
def dev_command(
    values: Common, pipes: tuple[str, ...], *, smtp_port: int, catch_to: str | None, opening: bool | None
) -> int:
    """Work on a project: run PIPEs, or all of them, catch every mail, and run again when a file is saved.

    Whatever is configured, mail of all systems goes to a catcher on this machine. Each run begins with an empty window
    and counts in a state of its own. A faulty configuration is told as `check` does, and the one before stays.

    Exits with 0 after Ctrl-C, 2 for wrong use, 3 when the configuration cannot be used at the start.
    """
    from mailweir.cli.dev_run import Wanted, run_dev

    return run_dev(values, Wanted(pipes, smtp_port, catch_to, opening))
