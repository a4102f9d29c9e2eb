"""What is known of the servers of a system, and what of it outlasts a run."""

from __future__ import annotations

import json

import pytest

from systems.mail import Phase, Reason, SystemFault
from systems.smtp.servers import Servers

GONE = SystemFault(Phase.GREETING, Reason.UNREACHABLE, "mail:25 cannot be reached")
REFUSED = SystemFault(Phase.LOGIN, Reason.LOGIN_REFUSED, "535 wrong password", 535)
WALL = 1_800_000_000.0
WELL = {"mail:25": "", "mail:25 with a1b2": ""}


def servers(mark: str = "a1b2") -> Servers:
    """One server."""
    return Servers("office", {"mail:25": mark}, lambda: 0.0)


def next_run(before: Servers, seconds: float, mark: str = "a1b2", learnt: str | None = None) -> Servers:
    """Those of a run that begins so long after second 100 of the one before."""
    kept = before.learnt(100.0, WALL) if learnt is None else {"mail:25": learnt}
    after = servers(mark)
    after.recall(kept, 5.0, WALL + seconds)
    return after


def test_nothing_is_kept_of_a_server_that_works() -> None:
    """Also if it did not work before."""
    one = servers()
    assert one.learnt(100.0, WALL) == WELL
    one.fails("mail:25", GONE, 100.0)
    assert one.learnt(100.0, WALL)["mail:25"]
    one.works("mail:25")
    assert one.learnt(100.0, WALL) == WELL


def test_a_refused_login_is_not_tried_again_by_the_next_run() -> None:
    """Until its wait is over by the time of day; the trouble is told in the words of the server."""
    one = servers()
    one.fails("mail:25", REFUSED, 100.0)
    soon = next_run(one, 60.0).trouble(5.0)
    assert soon is not None
    assert (soon.fault, soon.seconds) == (REFUSED, 240.0)
    assert next_run(one, 301.0).trouble(5.0) is None


def test_another_login_is_tried_at_once() -> None:
    """Somebody has mended it."""
    one = servers()
    one.fails("mail:25", REFUSED, 100.0)
    assert next_run(one, 60.0, mark="c3d4").trouble(5.0) is None


def test_a_process_with_another_login_does_not_take_a_refused_one_for_mended() -> None:
    """It works with its own, and what is known of the other stays: each try of that may lock the account."""
    wrong, right = servers("bad0"), servers("a1b2")
    wrong.fails("mail:25", REFUSED, 100.0)
    notes = dict(wrong.learnt(100.0, WALL))
    right.recall(notes, 5.0, WALL)
    assert right.trouble(5.0) is None
    right.works("mail:25")
    notes |= right.learnt(5.0, WALL)
    again = servers("bad0")
    again.recall(notes, 5.0, WALL + 60)
    assert again.trouble(5.0) is not None
    other = servers("a1b2")
    other.recall(notes, 5.0, WALL + 60)
    assert other.trouble(5.0) is None


def test_a_server_that_was_out_of_reach_is_probed_at_once() -> None:
    """If it fails again, the wait is longer than after the first time."""
    one = servers()
    for at in (100.0, 110.0, 120.0):
        one.fails("mail:25", GONE, at)
    after = next_run(one, 0.0)
    assert after.trouble(5.0) is None
    after.fails("mail:25", GONE, 5.0)
    kept = json.loads(after.learnt(5.0, WALL)["mail:25"])
    assert kept["faults"] == 4


@pytest.mark.parametrize("kept", ["", "{", "[]", "{}", '{"fault": [1, 2, 3, 4, 5]}', '{"fault": null, "faults": 1}'])
def test_what_cannot_be_read_is_as_nothing(kept: str) -> None:
    """Another version may have written it."""
    assert next_run(servers(), 0.0, learnt=kept).trouble(5.0) is None


def test_servers_that_are_configured_no_more_are_forgotten() -> None:
    """What is told of them changes nothing."""
    after = servers()
    after.recall({"other:25": "{}"}, 5.0, WALL)
    assert after.learnt(5.0, WALL) == WELL
