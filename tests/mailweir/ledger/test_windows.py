"""The windows of mail systems, in words."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from mailweir.ledger.windows import Gate, Window, facts, gates, notes, row, unused
from pipeline.state.views import Discards, Usage
from systems.mail import MailSystemConfig

NOW = 1_767_323_045.0
NONE = Discards(0, None)


def config(name: str, **settings: Any) -> MailSystemConfig:
    """A mail system."""
    return MailSystemConfig.model_validate({"_id": name, "type": "system:any", **settings})


OFFICE = Gate("office", 100, ("office",))


def window(gate: Gate = OFFICE, discards: Discards = NONE, **used: Any) -> Window:
    """A window that is used so."""
    usage = unused(gate)._replace(**used)
    return Window(gate, usage, dict.fromkeys(gate.systems, discards))


def test_systems_of_a_group_share_a_window() -> None:
    """The smallest limit holds; a system whose name is that of the group counts there too, as it is in the state."""
    found = gates([config("a"), config("b", rate_group="x", max_per_hour=5), config("c", rate_group="x"), config("x")])
    assert found == (Gate("a", 1000, ("a",)), Gate("x", 5, ("b", "c", "x"), "x"))


@pytest.mark.parametrize(
    ("used", "bar", "free"),
    [
        ({"used": 0, "free": 100}, "", "100 free now"),
        ({"used": 1, "free": 99}, "#", "99 free now"),
        ({"used": 50, "free": 50}, "#" * 10, "50 free now"),
        ({"used": 99, "free": 1}, "#" * 19, "1 free now"),
        ({"used": 100, "free": 0, "free_at": NOW + 372}, "#" * 20, "next free 03:10:17 (in 6 min 12 s)"),
        ({"used": 250, "free": 0, "free_at": NOW + 3600}, "#" * 20, "next free 04:04:05 (in 1 h)"),
        ({"used": 100, "free": 0, "in_flight": 100}, "#" * 20, "next free when mail on its way is answered"),
    ],
)
def test_a_line(used: dict[str, Any], bar: str, free: str) -> None:
    """How much is used, drawn too, and what is free or when; a bar is full when the window is, and empty when it is."""
    name, use, drawn, rest = row(window(**used), NOW, UTC, "#-")
    assert (name, use) == ("office", f"{used['used']} of 100 in the last hour")
    assert drawn == bar.ljust(20, "-")
    assert rest == free


def test_a_limit_of_nothing() -> None:
    """Lets nothing through on purpose."""
    assert row(window(Gate("office", 0, ("office",))), NOW, UTC)[3] == "sends nothing: `max_per_hour` is 0"


def test_what_else_is_to_be_known() -> None:
    """What is on its way, what is not sure, what was discarded, by system in a group."""
    assert notes(window(), NOW, UTC) == []
    gate = Gate("bulk", 40, ("news", "ads"), "bulk")
    found = window(gate, Discards(23, NOW - 1800), in_flight=3, unsure=2)
    assert notes(found, NOW, UTC) == [
        "shared by news, ads",
        "3 of them on their way, without an answer yet",
        "2 of them may be older: the machine was off, and its clock is not confirmed yet",
        "23 discarded in the last hour for news, the first at 02:34:05: mailweir discarded",
        "23 discarded in the last hour for ads, the first at 02:34:05: mailweir discarded",
    ]
    assert row(found, NOW, UTC)[0] == "group bulk"


def test_facts_for_programs() -> None:
    """Times are RFC 3339, and what is not known is null."""
    gate = Gate("office", 2, ("office",))
    usage = Usage("office", 2, 2, 1, 0, 0, NOW + 60, None)
    assert facts(Window(gate, usage, {"office": Discards(1, NOW)}), ["office"]) == [
        {
            "system": "office",
            "rate_group": None,
            "limit": 2,
            "used": 2,
            "free": 0,
            "in_flight": 1,
            "unsure": 0,
            "next_free_at": "2026-01-02T03:05:05Z",
            "all_free_at": None,
            "discarded": 1,
            "first_discarded_at": "2026-01-02T03:04:05Z",
        }
    ]
