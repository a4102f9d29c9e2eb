"""The windows of mail systems: how full, and when a place frees. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final, NamedTuple

from mailweir.shown import moment, time_of, wait
from pipeline.state.views import Discards, Usage
from systems.mail import CarrierConfig, gate_of

WIDTH: Final = 20
FILLED, OPEN = "█", "░"


@dataclass(frozen=True, slots=True)
class Gate:
    """A window, and the systems that share it. Without a group its name is the system's."""

    name: str
    limit: int
    systems: tuple[str, ...]
    group: str | None = None


class Window(NamedTuple):
    """A gate at this moment, and what it discarded in the last hour, by system."""

    gate: Gate
    usage: Usage
    discards: Mapping[str, Discards]


def gates(configs: Iterable[CarrierConfig]) -> tuple[Gate, ...]:
    """The windows of these systems: of one `rate_group` the smallest limit holds."""
    every = tuple(configs)
    shared: dict[str, list[CarrierConfig]] = {}
    for config in every:
        shared.setdefault(gate_of(config, every)[0], []).append(config)
    return tuple(
        Gate(
            name,
            min(gate_of(config, every)[1] for config in those),
            tuple(config.id for config in those),
            name if any(config.rate_group for config in those) else None,
        )
        for name, those in shared.items()
    )


def unused(gate: Gate) -> Usage:
    """The window of systems that never sent."""
    return Usage(gate.name, gate.limit, 0, 0, 0, gate.limit, None, None)


def row(window: Window, now: float, zone: tzinfo, bar: str = FILLED + OPEN) -> tuple[str, str, str, str]:
    """A window in columns: name, use, a bar of these two characters, what is free."""
    gate, usage, _ = window
    # Full only when the window is, and not empty when it is not.
    share = min(WIDTH, max(usage.used * WIDTH // usage.limit, int(usage.used > 0))) if usage.limit else WIDTH
    name = gate.name if gate.group is None else f"group {gate.group}"
    drawn = bar[0] * share + bar[1] * (WIDTH - share)
    return name, f"{usage.used} of {usage.limit} in the last hour", drawn, _free(usage, now, zone)


def _free(usage: Usage, now: float, zone: tzinfo) -> str:
    if not usage.limit:
        return "sends nothing: `max_per_hour` is 0"
    if usage.free:
        return f"{usage.free} free now"
    if usage.free_at is None:
        return "next free when mail on its way is answered"
    return f"next free {time_of(usage.free_at, now, zone)} (in {wait(usage.free_at - now)})"


def notes(window: Window, now: float, zone: tzinfo) -> list[str]:
    """What else is to be known of a window."""
    gate, usage, discards = window
    told = []
    if gate.group is not None:
        told.append(f"shared by {', '.join(gate.systems)}")
    if usage.in_flight:
        told.append(f"{usage.in_flight} of them on their way, without an answer yet")
    if usage.unsure:
        told.append(f"{usage.unsure} of them may be older: the machine was off, and its clock is not confirmed yet")
    for system, found in discards.items():
        if found.many and found.first is not None:
            who = "" if gate.group is None else f" for {system}"
            first = time_of(found.first, now, zone)
            told.append(f"{found.many} discarded in the last hour{who}, the first at {first}: mailweir discarded")
    return told


def facts(window: Window, systems: Sequence[str]) -> list[dict[str, Any]]:
    """For programs: one entry for each of these systems."""
    gate, usage, discards = window
    return [
        {
            "system": system,
            "rate_group": gate.group,
            "limit": usage.limit,
            "used": usage.used,
            "free": usage.free,
            "in_flight": usage.in_flight,
            "unsure": usage.unsure,
            "next_free_at": None if usage.free_at is None else moment(usage.free_at),
            "all_free_at": None if usage.all_free_at is None else moment(usage.all_free_at),
            "discarded": discards[system].many,
            "first_discarded_at": None if (first := discards[system].first) is None else moment(first),
        }
        for system in systems
    ]
