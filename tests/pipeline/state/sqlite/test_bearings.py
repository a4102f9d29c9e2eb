"""The state's clock over a restart of the machine, and what it means for mail."""

from __future__ import annotations

from typing import Any


def test_mail_expires_when_it_would_have(states: Any) -> None:
    """Though for a while nobody could say how long the machine was off; what came in since is not touched."""
    state = states.open()
    states.admit(state, states.message(1, expires=8200.0), states.message(2))
    # One is claimed when the machine goes down.
    states.admit(state, states.message(3, system="backup", expires=8200.0))
    states.clock.advance(5)
    states.claim(state, system="backup")
    states.kill(state)
    states.clock.restart("boot-2", 7000.0)
    states.clock.held_right = False
    state = states.open()
    states.clock.advance(100)
    states.admit(state, states.message(4, expires=8200.0))
    assert states.query("SELECT expires FROM message") == [(8200.0,), (None,), (8200.0,), (8200.0,)]
    states.clock.held_right = True
    states.run(state.flush())
    assert states.query("SELECT expires FROM message") == [(1200.0,), (None,), (1200.0,), (8200.0,)]
    states.clock.advance(100)
    claims = states.claim(state)
    assert [claim.id for claim in claims.overdue] == [1]
    assert [claim.id for claim in claims.messages] == [2, 4]


def test_between_right_clocks_the_time_off_has_passed(states: Any) -> None:
    """What expired meanwhile is too late at once."""
    state = states.open()
    states.admit(state, states.message(1, expires=8200.0))
    states.close(state)
    states.clock.restart("boot-2", 7300.0)
    assert len(states.claim(states.open()).overdue) == 1
