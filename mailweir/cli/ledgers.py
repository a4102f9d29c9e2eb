"""The state of a project as the verbs reach it: opened, its messages chosen, its faults told."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from mailweir.cli.loading import load_here

if TYPE_CHECKING:
    from pathlib import Path

    from mailweir.cli.options import Common
    from pipeline.config.load import Loaded
    from pipeline.state.port import Look, State
    from pipeline.state.sqlite.dataset_look import SqliteReads
    from pipeline.state.views import Filter, Row

T = TypeVar("T")

NOTHING: Final = "no mail was ever sent from here"


def is_alone(options: Iterable[str]) -> bool:
    """Whether a group of verbs is called by itself; its `options` before a verb would be lost on it: wrong use."""
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        return True
    if any(context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE for name in options):
        raise click.UsageError(f"write the options after `{context.invoked_subcommand}`")
    return False


@dataclass(frozen=True, slots=True)
class Ledger:
    """The state of a project; there may be none yet."""

    values: Common
    loaded: Loaded
    command: str
    verb: str

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.loaded.root / ".mailweir"

    def document(self, code: int = 0, **facts: object) -> None:
        """The JSON document of the verb, if one is wanted."""
        if self.values.json:
            head = {"schema_version": 1, "command": self.command, "ok": code == 0, "exit_code": code}
            verb = {"verb": self.verb} if self.verb else {}
            self.values.out.document({**head, **verb, **facts})

    def look(self, work: Callable[[Look], Awaitable[T]]) -> T | None:
        """What a look at it gives; None if there is none."""
        from mailweir.ledger import opened

        return self._told(lambda: opened.look(self.folder, work))

    def act(self, work: Callable[[State], Awaitable[T]]) -> T | None:
        """What a change of it gives; None if there is none."""
        from mailweir.ledger import opened

        return self._told(lambda: opened.act(self.folder, work))

    def read(self, work: Callable[[SqliteReads], T]) -> T:
        """What a look at the datasets gives; without a state there are none."""
        from contextlib import closing

        from pipeline.state.sqlite.dataset_look import SqliteReads

        with closing(SqliteReads(self.folder)) as reads:
            return self._told(lambda: work(reads))

    def _told(self, work: Callable[[], T]) -> T:
        from mailweir.cli.queues import NotUsableError
        from mailweir.ledger.opened import UnknownError
        from pipeline.state.faults import StateError

        try:
            return work()
        except StateError as error:
            raise NotUsableError(error.text + (f"\n  help: {error.advice}" if error.advice else "")) from None
        except UnknownError as error:
            raise click.UsageError(str(error)) from None


def ledger_of(values: Common, command: str, verb: str = "", *, take_secrets: bool = False) -> Ledger:
    """That of the project around the current folder."""
    return Ledger(values, load_here(values, take_secrets=take_secrets), command, verb)


def now() -> float:
    """The wall time."""
    return time.time()


def zone() -> tzinfo:
    """The time zone of whoever looks."""
    found = datetime.now().astimezone().tzinfo
    assert found is not None  # noqa: S101 - of an aware time
    return found


def filtered(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that narrow what a verb is about."""
    for name, metavar, words in (
        ("--entity", "ID", "Only of this entity."),
        ("--run", "ID", "Only of this run."),
        ("--system", "ID", "Only through this system."),
        ("--pipe", "ID", "Only of this pipe."),
    ):
        function = click.option(name, metavar=metavar, default="", help=words)(function)
    return function


async def first(state: Look, wanted: Filter, most: int) -> tuple[list[Row], int]:
    """The newest so many of what is wanted, 0 for all, and how many there are."""
    if most:
        found = list((await state.messages(wanted, most=most)).rows)
        return found, await state.count(wanted)
    from mailweir.ledger.opened import rows

    found = [one async for one in rows(state, wanted)]
    return found, len(found)


def more(found: Sequence[Row], total: int) -> str:
    """What is not shown."""
    left = max(0, total - len(found))
    return f"… {left} more: --limit 0 shows all" if left else ""
