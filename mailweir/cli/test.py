"""`mailweir test`: the tests of a project, offline. Opens no connection, needs no clock and no server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from mailweir.cli.options import Common, common


@click.command(
    "test",
    epilog="""\b
Examples:
  mailweir test                              all tests of this project
  mailweir test expected/welcome-mail.test.json
  mailweir test -k "address" -x              those with this word, up to the first that fails
  mailweir test --update                     write what is expected anew, then read the difference
  mailweir test --update --sesam-escape      in a project that is tested with Sesam's tool too
  mailweir test --review                     look at each difference, and accept it or not
  mailweir test --new welcome-mail           a test of what comes now
  mailweir test --coverage --fail-under 90
  mailweir test --junit report.xml --json    for a machine""",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("-k", "words", metavar="WORDS", help="Only tests with all of these words in their names.")
@click.option("-x", "--exitfirst", "first", is_flag=True, help="Stop at the first test that fails.")
@click.option("--update", is_flag=True, help="Write the files of what is expected for tests that fail.")
@click.option("--update-new-only", is_flag=True, help="Write only those that are missing.")
@click.option("--review", is_flag=True, help="Show each difference and ask: accept it, or not.")
@click.option("--prune", is_flag=True, help="Delete files in expected/ that no test names.")
@click.option("--from-embedded", is_flag=True, help="Write testdata/ of entities that `test` alternatives have.")
@click.option("--sesam-escape", "escaped", is_flag=True, help="Write `<`, `>` and `&` as Sesam does: \\u003c.")
@click.option("--new", "new", metavar="PIPE", help="Write a test of what comes out of PIPE now.")
@click.option("--missing", is_flag=True, help="List pipes without a test; exit with 1 if there are any.")
@click.option("--coverage", is_flag=True, help="Say which rules, template parts and outcomes no test reaches.")
@click.option(
    "--fail-under", "least", type=click.FloatRange(0, 100), metavar="N", help="Exit with 1 if less than N % is reached."
)
@click.option("--full", is_flag=True, help="Show every difference whole.")
@click.option("--junit", metavar="FILE", type=click.Path(path_type=Path), help="Write a report in JUnit's XML.")
@click.option("--watch", is_flag=True, help="Run them again after every change.")
@common
def test_command(
    values: Common,
    paths: Sequence[str],
    *,
    words: str | None,
    first: bool,
    update: bool,
    update_new_only: bool,
    review: bool,
    prune: bool,
    from_embedded: bool,
    escaped: bool,
    new: str | None,
    missing: bool,
    coverage: bool,
    least: float | None,
    full: bool,
    junit: Path | None,
    watch: bool,
) -> int:
    """Run the tests of the project: what is given, through the real pipe, against what is expected.

    PATH is a test file, a file of what is expected, a folder, or FILE::NAME. Without one: all tests of the project
    around this folder, and of those below it. Exits with 0; 1 when a test fails; 2 for wrong use; 5 when there is none.
    """
    from mailweir.cli.testing import Wish, run_tests

    wish = Wish(
        tuple(paths),
        words=tuple((words or "").lower().split()),
        first=first,
        update="all" if update else "new" if update_new_only else "",
        review=review,
        prune=prune,
        embedded=from_embedded,
        escaped=escaped,
        new=new,
        missing=missing,
        full=full,
        coverage=coverage,
        least=least,
        junit=junit,
    )
    if review and (values.json or wish.update or new):
        raise click.UsageError("--review asks: leave out --json, --update and --new")
    if escaped and not (update or update_new_only or review or new):
        raise click.UsageError("--sesam-escape says how files are written: add --update, --review or --new")
    if prune and paths:
        raise click.UsageError("--prune looks at all tests: leave out the PATH")
    if not watch:
        return run_tests(values, wish)
    if wish.update or new or review or prune or from_embedded:
        raise click.UsageError("--watch writes nothing: leave out the options that write or ask")
    from mailweir.cli.watch import watching

    return watching(lambda: run_tests(values, wish), [values.here], values.out)
