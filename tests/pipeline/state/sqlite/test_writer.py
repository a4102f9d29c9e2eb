"""One writes for all: in groups, each call for itself, and only while the file can be written."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.clock import MachineClock
from pipeline.state.facts import Batch, MessageState, Offset
from pipeline.state.faults import StateError, StateReason
from pipeline.state.owners import Turn
from pipeline.state.sqlite import claims


def refused(states: Any, work: Any) -> StateError:
    """Why a call was refused."""
    with pytest.raises(StateError) as caught:
        states.run(work)
    return caught.value


async def until(true: Callable[[], bool]) -> None:
    """Another thread makes it true."""
    while not true():  # noqa: ASYNC110 # it tells nobody
        await asyncio.sleep(0.001)


async def while_held(states: Any, *works: Any) -> list[Any]:
    """What calls give that were all made while another process held the file."""
    turn = Turn(states.folder / "write.lock")
    assert turn.take(60)
    tasks = [asyncio.ensure_future(work) for work in works]
    await asyncio.sleep(0)
    states.clock.advance(1)
    turn.give()
    turn.close()
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_calls_of_one_moment_are_one_commit(states: Any) -> None:
    """All of them at the time at which the file was theirs."""
    state = states.open()
    states.admit(state, states.message(0))
    works = [state.admit(Batch((states.message(number),))) for number in range(1, 20)]
    states.run(while_held(states, *works))
    dues = states.query("SELECT since, count(*) FROM message GROUP BY since ORDER BY since")
    # The first call may have been under way alone; the others were waiting behind it.
    assert sum(many for _, many in dues) == 20
    assert len(dues) <= 3
    assert dues[-1][1] >= 18


def test_a_call_that_fails_takes_no_other_along(states: Any) -> None:
    """Its neighbours in the same commit are written."""
    state = states.open()
    bad = Batch((states.message(5)._replace(entity="\ud800"),), Offset("welcome", "bad"))
    good = [Batch((states.message(number),)) for number in range(3)]
    results = states.run(while_held(states, state.admit(good[0]), state.admit(bad), *map(state.admit, good[1:])))
    assert [isinstance(result, UnicodeEncodeError) for result in results] == [False, True, False, False]
    assert states.run(state.counts()) == {MessageState.QUEUED: 3}
    assert states.run(state.offset("welcome")) is None


def test_a_claim_whose_caller_is_gone_goes_back(states: Any) -> None:
    """Nobody would send it."""
    state = states.open()
    states.admit(state, states.message(1), states.message(2))
    states.run(state.release(states.claim(state, most=1).messages))

    async def cancelled() -> None:
        turn = Turn(states.folder / "write.lock")
        assert turn.take(60)
        owner = await state._owner()
        future = state._call(lambda transaction: claims.claim(transaction, states.ask(), owner))
        task = asyncio.ensure_future(state._claiming(future, lambda claimed: claimed))
        await asyncio.sleep(0)
        await until(future.running)
        task.cancel()
        turn.give()
        turn.close()
        with pytest.raises(asyncio.CancelledError):
            await task
        # The claim is made, and then undone.
        await until(lambda: states.numbers() == [2, 1])
        await until(lambda: set(states.rows().values()) == {"queued"})

    states.run(cancelled())
    assert states.gate() == (0, 0)


def test_another_process_is_waited_for_and_not_for_ever(states: Any) -> None:
    """Then the call is refused, and a later one goes."""
    state = states.open(patience=0.05)
    turn = Turn(states.folder / "write.lock")
    assert turn.take(60)
    fault = refused(states, state.admit(Batch((states.message(1),))))
    assert (fault.reason, fault.passing) == (StateReason.BUSY, True)
    turn.close()
    assert states.admit(state, states.message(1)) == (1,)
    assert state.fault is None


def test_a_full_disk_stops_sending_and_loses_nothing(states: Any) -> None:
    """Nothing is acknowledged that is not there, answers are kept, and all goes on by itself when there is room."""
    state = states.open()
    states.admit(state, *(states.message(number, content=b"x" * 5000) for number in range(40)))
    held = states.claim(state, most=20).messages
    state.handing_over(held[:10])
    connection = state._place.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    state.settle([states.settlement(claim)._replace(result="y" * 20_000) for claim in held[:10]])
    fault = refused(states, state.admit(Batch((states.message(99, content=b"z" * 50_000),), Offset("welcome", "99"))))
    assert (fault.reason, fault.passing) == (StateReason.FULL, True)
    with pytest.raises(StateError) as caught:
        state.handing_over(held[10:])
    assert caught.value.reason is StateReason.FULL
    assert states.run(state.offset("welcome")) is None
    # There is room again; nobody calls.
    connection.execute("PRAGMA max_page_count = 1000000")

    states.run(until(lambda: state.fault is None))
    assert list(states.rows().values()).count("sent") == 10
    state.handing_over(held[10:])
    states.admit(state, states.message(99, content=b"z" * 50_000))


def test_what_was_answered_on_a_full_disk_is_found_after_a_kill(states: Any) -> None:
    """The answers are in the journal, which has its room."""
    state = states.open()
    states.admit(state, *(states.message(number) for number in range(20)))
    held = states.claim(state).messages
    state.handing_over(held)
    connection = state._place.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    state.settle([states.settlement(claim)._replace(result="y" * 20_000) for claim in held])
    assert refused(states, state.flush()).reason is StateReason.FULL
    states.kill(state)
    state = states.open()
    assert state.recovered.answered == 20
    assert set(states.rows().values()) == {"sent"}


def test_below_the_floor_nothing_is_admitted_or_claimed(states: Any) -> None:
    """While there still is room for the answers to what is under way."""
    plenty = states.open()
    states.admit(plenty, states.message(1), states.message(2))
    (claim, *_) = states.claim(plenty, most=1).messages
    plenty._writer._floor = 2**62
    for work in (plenty.admit(Batch((states.message(3),))), plenty.claim(states.ask())):
        fault = refused(states, work)
        assert (fault.reason, fault.passing) == (StateReason.FULL, True)
        assert "MB left" in fault.text
    states.send(plenty, [claim])
    assert states.rows() == {1: "sent", 2: "queued"}
    plenty._writer._floor = 0
    assert len(states.claim(plenty).messages) == 1


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_file_that_is_gone_stops_everything(states: Any, how: str) -> None:
    """SQLite itself would write on into nothing; no byte goes out, also when the file comes back."""
    state = states.open()
    states.admit(state, states.message(1))
    (claim,) = states.claim(state).messages
    path = states.folder / "state.db"
    kept = path.rename(path.with_name("kept"))
    if how == "replaced":
        path.touch()
    assert refused(states, state.admit(Batch((states.message(2),)))).reason is StateReason.GONE
    with pytest.raises(StateError, match="removed or replaced"):
        state.handing_over([claim])
    kept.rename(path)
    fault = refused(states, state.admit(Batch((states.message(2),))))
    assert (fault.reason, fault.passing) == (StateReason.GONE, False)
    states.kill(state)
    states.open()
    assert states.rows() == {1: "queued"}


def test_a_disk_that_fails_is_not_asked_again(states: Any) -> None:
    """What it kept nobody knows: the process stops sending, and the next one finds everything."""
    script = f"""
import asyncio, resource, signal
from pathlib import Path
from pipeline.clock import MachineClock
from pipeline.state.facts import Ask, Batch, NewMessage, Settlement, MessageState
from pipeline.state.faults import StateError
from pipeline.state.keys import message_key
from pipeline.state.sqlite.store import SqliteState

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
TO = ("a@example.com",)

def batch(number):
    key = message_key("p", str(number), "v", TO)
    return Batch((NewMessage(key, "p", "office", str(number), TO, "{{}}", b"x" * 100_000, "{{}}"),))

async def main():
    state = SqliteState.open(Path({str(states.folder)!r}), MachineClock(), None)
    claims = (await state.admit(batch(1), Ask("office", "office", 10))).claims.messages
    state.handing_over(claims)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    for limit in (1000, hard):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            await state.admit(batch(2))
        except StateError as error:
            print(error.reason.value, error.passing)
    claim = claims[0]
    state.settle([Settlement(claim.id, 1, claim.gate, 1, 1, state.now(), MessageState.SENT, None, 0, 1, "[]")])
    try:
        await state.flush()
    except StateError as error:
        print(error.reason.value, error.passing)
    state.close()

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["failed False"] * 3
    state = states.open(clock=MachineClock())
    assert state.recovered.answered == 1
    assert states.rows() == {1: "sent"}


def test_a_child_cannot_use_the_state_of_its_parent(states: Any) -> None:
    """Its threads are not there, and two that write through one connection would damage the file."""
    script = f"""
import asyncio, os
from pathlib import Path
from pipeline.clock import MachineClock
from pipeline.clock import MachineClock
from pipeline.state.facts import Batch
from pipeline.state.faults import StateError
from pipeline.state.sqlite.store import SqliteState
state = SqliteState.open(Path({str(states.folder)!r}), MachineClock(), None)
child = os.fork()
if child == 0:
    try:
        asyncio.run(state.admit(Batch()))
    except StateError as error:
        print(error.reason.value, flush=True)
    os._exit(0)
os.waitpid(child, 0)
state.close()
"""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "closed\n"


def test_an_idle_state_cuts_its_log(states: Any) -> None:
    """What was written back needs no room twice."""
    state = states.open(patience=0.05)
    states.admit(state, *(states.message(number, content=b"x" * 5000) for number in range(200)))
    log = states.folder / "state.db-wal"
    assert log.stat().st_size > 1_000_000
    turn = Turn(states.folder / "write.lock")
    assert turn.take(60)
    # Another process writes just now: that is no fault, and later will do.
    state._writer._shrink()
    assert state.fault is None
    turn.close()
    state._writer._shrink()
    assert log.stat().st_size == 0
    assert states.run(state.counts()) == {MessageState.QUEUED: 200}
