"""`mailweir logs`: what services have logged."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from mailweir.cli.asking import seconds_of
from mailweir.cli.ledgers import ledger_of, now, zone
from mailweir.cli.options import Common, common

# Between two looks of `-f`.
_EVERY: Final = 0.25
_LEVELS: Final = ("debug", "info", "warning", "error")


@click.command(
    "logs",
    epilog="""\b
Examples:
  mailweir logs                                  the latest lines
  mailweir logs -f --level warning               what goes wrong, as it does
  mailweir logs --pipe welcome-mail --since 1h
  mailweir logs --grep Greylisted --json         for a program, a line of JSON each""",
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is logged from now on, until Ctrl-C.")
@click.option("--pipe", metavar="ID", help="Only of this pipe.")
@click.option("--system", metavar="ID", help="Only of this system.")
@click.option("--level", type=click.Choice(_LEVELS), default="info", show_default=True, help="The least to show.")
@click.option("--since", metavar="SPAN", help="Only of the last 1h, 30min, 7d.")
@click.option("--until", metavar="SPAN", help="Only up to so long ago.")
@click.option("--grep", metavar="TEXT", help="Only with this text in it, in small or capital letters.")
@click.option("--limit", type=click.IntRange(min=0), default=200, show_default=True, help="The latest N; 0 for all.")
@common
def logs_command(values: Common, *, follow: bool, limit: int, **chosen: str | None) -> int:
    """Show what services of this project have logged, the oldest first. Changes nothing."""
    from mailweir.serving.log import files_of

    ledger = ledger_of(values, "logs")
    wanted = _wanted(**chosen)
    here = zone()
    files = files_of(ledger.folder)
    opened: dict[Path, BinaryIO] = {path: path.open("rb") for path in files}
    try:
        found = deque((one for file in opened.values() for one in _lines(file) if wanted(one)), limit or None)
        for one in sorted(found, key=lambda one: str(one.get("time", ""))):
            _show(values, one, here)
        if not files and not follow:
            values.out.say("no service has logged anything here")
        while follow and not values.out.gone:
            time.sleep(_EVERY)
            fresh: list[dict[str, Any]] = []
            for path in files_of(ledger.folder):
                _reopened(opened, path)
                fresh += filter(wanted, _lines(opened[path]))
            for one in sorted(fresh, key=lambda one: str(one.get("time", ""))):
                _show(values, one, here)
    except KeyboardInterrupt:
        return 130
    finally:
        for file in opened.values():
            file.close()
    return 0


def _reopened(opened: dict[Path, BinaryIO], path: Path) -> None:
    """The file that has the name now: a full one gets another name, and a new one its own."""
    import os

    if path in opened and os.path.samestat(path.stat(), os.fstat(opened[path].fileno())):
        return
    for other, file in list(opened.items()):
        if os.path.samestat(path.stat(), os.fstat(file.fileno())):
            opened[path] = opened.pop(other)
            return
    if path in opened:
        opened.pop(path).close()
    opened[path] = path.open("rb")


def _lines(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """The records from where the file was read up to; a line that is being written is left for later."""
    while line := file.readline():
        if not line.endswith(b"\n"):
            file.seek(-len(line), 1)
            return
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found


def _wanted(
    *,
    pipe: str | None,
    system: str | None,
    level: str | None,
    since: str | None,
    until: str | None,
    grep: str | None,
) -> Callable[[dict[str, Any]], bool]:
    levels = logging.getLevelNamesMapping()
    least = levels[str(level).upper()]
    first = None if since is None else now() - seconds_of("--since", since)
    last = None if until is None else now() - seconds_of("--until", until)
    part = None if grep is None else grep.casefold()

    def wanted(one: dict[str, Any]) -> bool:
        at = _at(one)
        return (
            levels.get(str(one.get("level", "")).upper(), 0) >= least
            and (pipe is None or one.get("pipe") == pipe)
            and (system is None or one.get("system") == system)
            and (first is None or at >= first)
            and (last is None or at <= last)
            and (part is None or part in json.dumps(one, ensure_ascii=False).casefold())
        )

    return wanted


def _at(one: dict[str, Any]) -> float:
    try:
        return datetime.fromisoformat(str(one.get("time"))).timestamp()
    except ValueError:
        return 0.0


def _show(values: Common, one: dict[str, Any], here: tzinfo) -> None:
    from mailweir.serving.log import line_of
    from mailweir.shown import time_of

    if values.json:
        values.out.record(one)
    else:
        values.out.line(line_of(one, time_of(_at(one), now(), here)))
