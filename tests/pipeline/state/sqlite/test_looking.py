"""A state that is only looked at: nothing is made, written or held up."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline.clock import VirtualClock
from pipeline.state.facts import MessageState
from pipeline.state.faults import StateError, StateReason
from pipeline.state.sqlite.dataset_look import SqliteReads
from pipeline.state.sqlite.looking import SqliteLook
from pipeline.state.views import Filter


def listing(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("made", ["nothing", "folder", "file"])
def test_no_state_is_made(tmp_path: Path, made: str) -> None:
    """Where nothing was ever sent there is nothing to look at, and nothing after."""
    folder = tmp_path / ".mailweir"
    if made != "nothing":
        folder.mkdir()
    if made == "file":
        (folder / "state.db").touch()
    before = sorted(tmp_path.rglob("*"))
    assert SqliteLook.open(folder, VirtualClock()) is None
    assert sorted(tmp_path.rglob("*")) == before


def test_a_closed_state_can_be_looked_at(states: Any) -> None:
    """All that the port answers is there, and the file is as it was, byte for byte."""
    state = states.open()
    states.send(state, (states.admit(state, states.message(1)), states.claim(state))[1].messages)
    states.close(state)
    before = listing(states.folder)
    look = SqliteLook.open(states.folder, states.clock)
    assert look is not None
    with closing(look):
        (row,) = states.run(look.messages(Filter())).rows
        assert row.state is MessageState.SENT
        assert [usage.used for usage in states.run(look.usage({"office": 10}))] == [1]
        assert states.run(look.holders()) == ()
    after = listing(states.folder)
    assert {name: data for name, data in after.items() if not name.startswith("state.db-")} == before


def test_the_last_one_to_look_writes_no_log_back(states: Any) -> None:
    """A log that a kill left is read and stays: writing it back is for those who take turns."""
    state = states.open()
    states.admit(state, states.message(1))
    copied = {
        path.name: path.read_bytes() for path in states.folder.glob("state.db*") if not path.name.endswith("-shm")
    }
    other = states.folder.with_name("copy")
    other.mkdir()
    for name, data in copied.items():
        (other / name).write_bytes(data)
    look = SqliteLook.open(other, states.clock)
    assert look is not None
    with closing(look):
        assert len(states.run(look.messages(Filter())).rows) == 1
    assert (other / "state.db-wal").read_bytes() == copied["state.db-wal"]
    assert (other / "state.db").read_bytes() == copied["state.db"]


def test_a_look_waits_for_nobody(states: Any) -> None:
    """Somebody has the turn to write, in the middle of a transaction: a look sees what was before it."""
    state = states.open()
    states.admit(state, states.message(1))
    handle = os.open(states.folder / "write.lock", os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with closing(sqlite3.connect(states.folder / "state.db", isolation_level=None)) as writing:
            writing.execute("BEGIN IMMEDIATE")
            writing.execute("DELETE FROM message")
            look = SqliteLook.open(states.folder, states.clock)
            assert look is not None
            with closing(look):
                assert len(states.run(look.messages(Filter())).rows) == 1
            writing.execute("ROLLBACK")
    finally:
        os.close(handle)


def test_a_look_cannot_write(states: Any) -> None:
    """Whatever a query says."""
    states.close(states.open())
    look = SqliteLook.open(states.folder, states.clock)
    assert look is not None
    with closing(look), pytest.raises(StateError) as caught:
        states.run(look._look(lambda connection, _: connection.execute("DELETE FROM message")))
    assert caught.value.reason is StateReason.REFUSED


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("PRAGMA user_version = 99", StateReason.NEWER),
        ("PRAGMA application_id = 7", StateReason.FOREIGN),
        ("", StateReason.DAMAGED),
    ],
)
def test_what_cannot_be_read_is_said(states: Any, spoil: str, reason: StateReason) -> None:
    """A later version, another program, no database at all; and nothing is changed."""
    states.close(states.open())
    path = states.folder / "state.db"
    if spoil:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(spoil)
    else:
        path.write_bytes(b"no database" * 1000)
    before = path.read_bytes()
    with pytest.raises(StateError) as caught:
        SqliteLook.open(states.folder, states.clock)
    assert caught.value.reason is reason
    assert path.read_bytes() == before


def test_a_state_that_may_not_be_reached_is_said(tmp_path: Path) -> None:
    """Something else stands where the folder should be."""
    (tmp_path / ".mailweir").write_text("a file")
    with pytest.raises(StateError) as caught:
        SqliteLook.open(tmp_path / ".mailweir", VirtualClock())
    assert caught.value.reason is StateReason.REFUSED


def test_time_goes_on_while_the_machine_is_off(states: Any) -> None:
    """The hour is over for who looks after a restart, before anybody has sent again."""
    state = states.open()
    states.send(state, (states.admit(state, states.message(1)), states.claim(state))[1].messages)
    states.close(state)
    states.clock.restart("boot-2", seconds_off=7200)
    look = SqliteLook.open(states.folder, states.clock)
    assert look is not None
    with closing(look):
        assert [usage.used for usage in states.run(look.usage({"office": 10}))] == [0]


def test_who_has_claims_is_told(states: Any) -> None:
    """A sender that lives, and one that died, until another one takes over what it left."""
    state = states.open()
    states.admit(state, *(states.message(number) for number in range(3)))
    states.claim(state, most=2)
    look = SqliteLook.open(states.folder, states.clock)
    assert look is not None
    with closing(look):
        (holder,) = states.run(look.holders())
        assert (holder.claims, holder.alive) == (2, True)
        assert f"(pid {os.getpid()})" in holder.process
        detail = states.run(look.message(1))
        assert detail is not None
        assert detail.holder == holder
        states.kill(state)
        assert [(one.claims, one.alive) for one in states.run(look.holders())] == [(2, False)]
        states.open()
        assert states.run(look.holders()) == ()


def test_messages_are_found_by_how_their_names_begin(states: Any) -> None:
    """By digits, an odd number of them too; by generation; and a message sent once more has the same digits."""
    state = states.open()
    states.admit(state, states.message(1), states.message(2))
    states.admit(state, states.message(1, generation=2))
    names = {row.id: row.name for row in states.run(state.messages(Filter())).rows}

    def found(name: str) -> list[int]:
        return [row.id for row in states.run(state.messages(Filter(name=name))).rows]

    assert names[3] == f"{names[1]}.2"
    assert found(names[1]) == found(names[1][:7]) == found(names[1][:8]) == [3, 1]
    assert found(f"{names[1][:8]}.2") == [3]
    assert found(f"{names[1]}.0") == [1]
    assert found(f"{names[1][:8]}.3") == []
    assert found(names[2][:9]) == [2]
    assert found("0" * 32) == []


def test_a_file_that_was_being_made_by_somebody_who_was_killed_is_not_there(states: Any) -> None:
    """Who looks finds nothing rather than a fault that stays, and who writes begins anew."""
    folder: Path = states.folder
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "state.db"
    script = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
os.chmod(sys.argv[1], 0o600)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("CREATE TABLE half (made TEXT)")
for _ in range(200):
    connection.execute("INSERT INTO half VALUES (?)", ("x" * 8000,))
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.with_name("state.db-journal").stat().st_size
    assert SqliteLook.open(folder, states.clock) is None
    reads = SqliteReads(folder)
    assert reads.dataset("people") is None
    reads.close()
    state = states.open()
    assert states.run(state.notes("")) == {}
