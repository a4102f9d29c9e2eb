"""`mailweir check`: every fault of every file in one run, and the repairs that are certain. Never connects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from mailweir.cli.options import Common, common

formats = ("full", "concise", "json", "github", "junit", "sarif")


@click.command(
    "check",
    epilog="""\b
Examples:
  mailweir check                          this project
  mailweir check pipes/ --strict          the faults of one folder; warnings count
  mailweir check --fix                    write the repairs that are certain
  mailweir check --diff --json            what they are, for a program
  mailweir check --no-env --no-secrets    in CI, where no value is set
  cat a.conf.json | mailweir check - --stdin-name pipes/a.conf.json""",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--fix", is_flag=True, help="Write the repairs that are certain, then check again.")
@click.option("--diff", "show_diff", is_flag=True, help="Show the repairs and write nothing.")
@click.option(
    "--format", "style", type=click.Choice(formats), help="Default: full; github where GITHUB_ACTIONS is set."
)
@click.option("--no-env", is_flag=True, help="Take every $ENV() as set and of the right type.")
@click.option("--no-secrets", is_flag=True, help="Take every $SECRET() as set.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--select", multiple=True, metavar="CODES", help="Report only these codes or families: E301,E2.")
@click.option("--ignore", multiple=True, metavar="CODES", help="Do not report these.")
@click.option("--watch", is_flag=True, help="Check again after every change.")
@click.option("--stdin-name", type=click.Path(path_type=Path), help="The file that standard input stands for.")
@common
def check_command(
    values: Common,
    paths: Sequence[str],
    *,
    fix: bool,
    show_diff: bool,
    style: str | None,
    no_env: bool,
    no_secrets: bool,
    strict: bool,
    select: Sequence[str],
    ignore: Sequence[str],
    watch: bool,
    stdin_name: Path | None,
) -> int:
    """Check the configuration and report every fault in one run. Opens no connection.

    PATH is a file, a folder, a pattern, or `-` for standard input. Without one: the project around this folder.
    """
    from mailweir.cli.check_run import Wish, run_check

    wish = Wish(paths, fix, show_diff, style, not no_env, not no_secrets, strict, select, ignore, watch, stdin_name)
    return run_check(values, wish)
