"""How services are known, and how they share pipes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mailweir.serving.presence import MOST_ENDED, Presence, found, pump_lock

HOLD = """
import sys
from pathlib import Path
from mailweir.serving.presence import pump_lock
assert pump_lock(Path(sys.argv[1]), "p") is not None
print("held", flush=True)
sys.stdin.read()
"""


def test_alive_until_it_ends(tmp_path: Path) -> None:
    """It is alive while it holds its lock; what it said last stays."""
    one, other = Presence(tmp_path, "one"), Presence(tmp_path, "other")
    one.say({"beat": 1})
    other.say({"beat": 2})
    assert [(each.alive, each.facts["beat"]) for each in found(tmp_path)] == [(True, 2), (True, 1)]
    other.end()
    assert [(each.alive, each.facts["beat"]) for each in found(tmp_path)] == [(True, 1), (False, 2)]
    one.end()


def test_nothing_ran(tmp_path: Path) -> None:
    """Without a folder there is none, and none is made."""
    assert found(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    """A file that is cut off tells nothing."""
    one = Presence(tmp_path, "one")
    (tmp_path / "serve" / "cut.json").write_text('{"beat":')
    (tmp_path / "serve" / "list.json").write_text("[]")
    one.say({"beat": 1})
    assert [each.facts for each in found(tmp_path)] == [{"beat": 1}]
    one.end()


def test_those_that_ended_long_ago_are_forgotten(tmp_path: Path) -> None:
    """So many are kept at most."""
    for number in range(MOST_ENDED + 5):
        each = Presence(tmp_path, f"s{number}")
        each.say({"beat": number})
        each.end()
    assert len(found(tmp_path)) <= MOST_ENDED + 1


def test_one_process_has_a_pipe(tmp_path: Path) -> None:
    """Nobody else gets its lock while it lives; a kill lets go of it."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert pump_lock(tmp_path, "p") is None
        other = pump_lock(tmp_path, "q")
        assert other is not None
        other.release()
        holder.kill()
    mine = pump_lock(tmp_path, "p")
    assert mine is not None
    mine.release()
