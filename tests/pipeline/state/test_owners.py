"""Who is alive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.state.owners import Lock, Owners, Turn

HOLD = """
import sys
from pathlib import Path
from pipeline.state.owners import Owners
lock = Owners(Path(sys.argv[1])).register("other")
print("held", flush=True)
sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock of `other`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_who_lives_is_not_dead(tmp_path: Path) -> None:
    """Nobody gets the lock of a process that runs, however often it is asked for."""
    owners = Owners(tmp_path)
    with holder(tmp_path) as process:
        assert owners.dead(("other",)) == {}
        with pytest.raises(FileExistsError):
            owners.register("other")
        process.kill()


def test_who_stands_still_is_not_dead(tmp_path: Path) -> None:
    """A process that is stopped, or whose machine sleeps, keeps its claims however long that takes."""
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        assert Owners(tmp_path).dead(("other",)) == {}
        process.kill()


def test_who_was_killed_is_dead_at_once(tmp_path: Path) -> None:
    """The kernel lets go; nobody waits for an age, and no process id is asked about."""
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        (lock,) = Owners(tmp_path).dead(("other",)).values()
        assert lock is not None
        assert Owners(tmp_path).dead(("other",)) == {}
        lock.release(remove=True)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_was_taken_away_is_seen(tmp_path: Path) -> None:
    """By its holder, and by others, who cannot tell whether that one lives."""
    owners = Owners(tmp_path)
    lock = owners.register("me")
    assert lock.stands()
    (tmp_path / "me.lock").unlink()
    assert not lock.stands()
    assert owners.dead(("me",)) == {"me": None}
    lock.release(remove=True)


def test_a_lock_file_that_another_one_replaced_is_not_mine(tmp_path: Path) -> None:
    """The name counts: whoever looks there meets the other file."""
    lock = Owners(tmp_path).register("me")
    (tmp_path / "me.lock").unlink()
    (tmp_path / "me.lock").touch()
    assert not lock.stands()
    lock.release()


def test_locks_without_an_owner_on_record_are_found(tmp_path: Path) -> None:
    """They are left by one that died between two steps."""
    owners = Owners(tmp_path)
    locks = [owners.register(name) for name in ("one", "two", "three")]
    assert owners.left_behind(frozenset({"two"})) == ("one", "three")
    for lock in locks:
        lock.release(remove=True)


def test_a_child_does_not_inherit_a_lock(tmp_path: Path) -> None:
    """A process that was forked and lives on must not make its dead parent look alive."""
    script = """
import os, sys, time
from pathlib import Path
from pipeline.state.owners import Owners, Turn
lock = Owners(Path(sys.argv[1])).register("parent")
turn = Turn(Path(sys.argv[1]) / "turn")
assert turn.take(1)
child = os.fork()
if child == 0:
    print(os.getpid(), flush=True)
    time.sleep(600)
time.sleep(600)
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    try:
        process.kill()
        process.wait()
        (lock,) = Owners(tmp_path).dead(("parent",)).values()
        assert lock is not None
        lock.release()
        turn = Turn(tmp_path / "turn")
        assert turn.take(0)
        turn.close()
    finally:
        os.kill(child, signal.SIGKILL)
        process.stdout.close()


def test_turns_are_taken_one_after_the_other(tmp_path: Path) -> None:
    """Also by two in one process; who waits gets it when the other gives it back."""
    first, second = Turn(tmp_path / "turn"), Turn(tmp_path / "turn")
    assert first.take(0)
    assert not second.take(0.01)
    first.give()
    assert second.take(0)
    second.close()
    assert first.take(0)
    first.close()


def test_a_lock_is_taken_once(tmp_path: Path) -> None:
    """Also within one process, and only if there is a file, unless it is to be made."""
    path = tmp_path / "a.lock"
    assert Lock.take(path, make=False) is None
    lock = Lock.take(path, make=True)
    assert lock is not None
    assert Lock.take(path, make=True) is None
    lock.release()
    lock.release()
    again = Lock.take(path, make=False)
    assert again is not None
    again.release(remove=True)
