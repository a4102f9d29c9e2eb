"""Tests of a project in Python: what came of entities, at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailweir.testing.moments import NOW, time_of
from mailweir.testing.plan import Test
from mailweir.testing.spec import Stage, SystemWish
from pipeline.errors import Span

if TYPE_CHECKING:
    from mailweir.testing.suite import Suite


class FailedError(AssertionError):
    """The pipe could not be run, or stopped."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that was handed over, or waits; `document` is all of it, as tests in files compare it."""

    id: str
    outcome: str
    sender: str
    to: Sequence[str]
    subject: str
    text: str
    html: str
    document: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Result:
    """What came. `outcomes` is one word for each mail, in the order of the entities."""

    entities: list[Any]
    mails: list[Mail]
    outcomes: list[str]
    rejected: list[dict[str, Any]]
    discarded: list[dict[str, Any]]
    logs: list[str]


def run_pipe(
    suite: Suite,
    runner: asyncio.Runner,
    root: Path,
    pipe: str,
    given: Any = None,
    *,
    stage: Stage = "sink",
    now: str = NOW,
    max_per_hour: int | None = None,
    **more: Any,
) -> Result:
    """Run entities through a pipe, as a test in a file does; `FailedError` if the pipe stops.

    `given` is what a file says there; further arguments are `env`, `secrets` and `mocks`.
    """
    at = time_of(now)
    if at is None:
        raise ValueError(f"`now` is a time in UTC, such as {NOW}")
    system = None if max_per_hour is None else SystemWish(max_per_hour=max_per_hour)
    test = Test("", pipe, pipe, Span("", 0, 0), stage, given=given, now=at, seed=pipe, system=system, **more)
    came = runner.run(suite.came(root, test, root))
    if came.broken or came.error:
        raise FailedError(came.broken or came.error)
    if came.failed:
        raise FailedError("; ".join(f"entity `{id_}` failed: {text}" for id_, text in came.failed))
    mails = [
        Mail(
            one["_id"],
            one["outcome"],
            one.get("from", ""),
            one.get("to", []),
            one.get("subject", ""),
            "\n".join(one.get("text", [])),
            "\n".join(one.get("html", [])),
            one,
        )
        for one in came.delivered
    ]
    return Result(came.entities, mails, came.outcomes, came.rejected, came.discarded, came.logs)
