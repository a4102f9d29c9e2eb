"""A process that may hold claims."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.state.faults import StateError, StateReason
from pipeline.state.owners import Owners
from pipeline.state.sqlite.sender import Sender


def test_a_name_that_is_just_tidied_away_is_passed_over(tmp_path: Path) -> None:
    """Who looks for the dead may lock a file that was made and is not locked yet; the sender takes another name."""
    taken = Owners(tmp_path).register("one")
    sender = Sender(tmp_path, iter(["one", "two"]))
    assert sender.name == "two"
    sender.close(clean=True)
    with pytest.raises(StateError, match="no name is free"):
        Sender(tmp_path, iter(["one"]))
    taken.release(remove=True)
    assert list(tmp_path.iterdir()) == []


def test_a_sender_that_others_take_for_dead_hands_nothing_over(states: Any) -> None:
    """Somebody removed its lock while it stood still: its claims are another one's by now."""
    one = states.open()
    states.admit(one, states.message(1), states.message(2))
    first, second = states.claim(one).messages
    one.handing_over([first])
    for path in (states.folder / "senders").glob("*.lock"):
        path.unlink()
    two = states.open()
    assert two.recovered.in_doubt == 2
    with pytest.raises(StateError, match="removed while its process sent") as caught:
        one.handing_over([second])
    assert caught.value.reason is StateReason.GONE
    one.settle([states.settlement(first)])
    states.run(one.flush())
    assert states.rows() == {1: "in_doubt", 2: "in_doubt"}
    assert states.gate() == (0, 2)
