"""Questions before what cannot be undone, and spans of time as people write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from mailweir.cli.options import Common

_span: Final = re.compile(r"(\d{1,6})(s|min|h|d)")
_seconds: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def seconds_of(option: str, text: str) -> int:
    """The seconds of a span such as `30d`."""
    found = _span.fullmatch(text)
    if found is None:
        raise click.UsageError(f"{option} {text!r}: write 30d, 12h, 5min or 90s")
    return int(found[1]) * _seconds[found[2]]


def confirm(values: Common, fact: str, question: str, *, yes: bool, help: str = "") -> None:
    """Go on if somebody says yes, or has said so; no is what an empty line means. `help` is for who cannot be asked."""
    if yes:
        return
    if not values.asks:
        then = f"\n  help: {help}" if help else ""
        raise click.UsageError(f"{fact}; add --yes{then}")
    if not click.confirm(f"{fact}. {question}", err=True):
        values.out.say("Nothing was changed")
        raise click.exceptions.Exit(2)
