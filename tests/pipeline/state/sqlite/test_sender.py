"""A process that may hold claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.state.faults import StateError
from pipeline.state.owners import Owners
from pipeline.state.sqlite.sender import Sender


def test_a_name_that_is_just_tidied_away_is_passed_over(tmp_path: Path) -> None:
    """Who looks for the dead may lock a file that was made and is not locked yet; the sender takes another name."""
    taken = Owners(tmp_path).register("one")
    sender = Sender(tmp_path, iter(["one", "two"]))
    assert (sender.name, sender.stands) == ("two", True)
    sender.close(clean=True)
    with pytest.raises(StateError, match="no name is free"):
        Sender(tmp_path, iter(["one"]))
    taken.release(remove=True)
    assert list(tmp_path.iterdir()) == []
