"""What senders left behind that died. Every state that a message can be left in is here, with what is done about it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.state import records
from pipeline.state.facts import MessageState, Recovered


def left(states: Any) -> dict[str, int]:
    """A sender is killed with one message in each state that a message can be in. Their ids."""
    state = states.open(linger=1e9)
    names = ("waits", "claimed", "handed_over", "answered", "refused", "written", "once")
    states.admit(state, *(states.message(at, at_most_once=name == "once") for at, name in enumerate(names)))
    claims = dict(zip(names, states.claim(state, most=7).messages, strict=True))
    states.run(state.release([claims["waits"]]))
    states.send(state, [claims["written"]])
    state.handing_over([claims[name] for name in ("handed_over", "answered", "refused", "once")])
    state.settle(
        [
            states.settlement(claims["answered"], at=1001.0),
            states.settlement(claims["refused"], MessageState.DEAD, at=1001.0),
        ]
    )
    states.kill(state)
    return {name: claim.id for name, claim in claims.items()}


def test_after_a_kill_each_message_is_where_it_belongs(states: Any) -> None:
    """An answer on record is written, what may have gone is in doubt, what certainly did not go is queued again."""
    ids = left(states)
    states.clock.advance(10)
    state = states.open()
    rows = states.rows()
    assert {name: rows[number] for name, number in ids.items()} == {
        "waits": "queued",
        "claimed": "queued",
        "handed_over": "in_doubt",
        "answered": "sent",
        "refused": "dead",
        "written": "sent",
        "once": "in_doubt",
    }
    assert state.recovered == Recovered(answered=2, returned=1, in_doubt=2)
    # Two were sent and two may have been; the rest was given back.
    assert states.gate() == (0, 4)


def test_permits_in_flight_count_from_the_recovery_on(states: Any) -> None:
    """Nobody knows when they were used; those with an answer count from that."""
    left(states)
    states.clock.advance(10)
    state = states.open()
    freeing = [
        (place.at - 1_800_000_000.0 + 1000 - 3600, place.places) for place in states.run(state.freeing("office"))
    ]
    assert freeing == [(1000.0, 1), (1001.0, 1), (1010.0, 2)]


def test_what_went_back_is_claimed_by_the_next(states: Any) -> None:
    """In doubt it is due again later, or not at all if it may be sent once at most."""
    ids = left(states)
    state = states.open()
    assert {claim.id for claim in states.claim(state).messages} == {ids["waits"], ids["claimed"]}
    states.clock.advance(59)
    assert states.claim(state).messages == ()
    states.clock.advance(1)
    assert {claim.id for claim in states.claim(state).messages} == {ids["handed_over"]}


def test_after_a_restart_of_the_machine_every_claim_may_have_gone(states: Any) -> None:
    """The tail of the journal may be missing; what is in it is believed."""
    ids = left(states)
    states.clock.restart("boot-2", 100)
    states.open()
    rows = states.rows()
    assert rows[ids["claimed"]] == "in_doubt"
    assert rows[ids["handed_over"]] == "in_doubt"
    assert rows[ids["answered"]] == "sent"
    assert rows[ids["waits"]] == "queued"


def test_where_a_start_has_no_name_every_claim_may_have_gone(states: Any) -> None:
    """It may have been another one."""
    states.clock.boot_id = ""
    ids = left(states)
    states.open()
    assert states.rows()[ids["claimed"]] == "in_doubt"


@pytest.mark.parametrize("wanted", ["*.journal", "*.lock"])
def test_without_its_files_every_claim_may_have_gone(states: Any, wanted: str) -> None:
    """Somebody took them away by hand, so nobody knows; a journal that is gone tells of nothing handed over."""
    ids = left(states)
    for path in (states.folder / "senders").glob(wanted):
        path.unlink()
    state = states.open()
    rows = states.rows()
    if wanted == "*.lock":
        assert rows[ids["claimed"]] == "in_doubt"
    assert rows[ids["waits"]] == "queued"
    assert states.run(state.counts()).get(MessageState.CLAIMED) is None


def test_the_dead_leave_nothing_behind(states: Any) -> None:
    """Neither files nor rows, and a second look finds nothing."""
    left(states)
    state = states.open()
    assert list((states.folder / "senders").iterdir()) == []
    assert states.query("SELECT count(*) FROM owner") == [(0,)]
    assert states.run(state.recover()) == Recovered()
    before = states.rows()
    states.open()
    assert states.rows() == before


def test_the_living_are_left_alone(states: Any) -> None:
    """Their claims stay theirs, however often somebody looks."""
    one = states.open()
    states.admit(one, states.message(1), states.message(2))
    first, second = states.claim(one).messages
    two = states.open()
    assert states.run(two.recover()) == Recovered()
    states.send(one, [first])
    assert states.claim(two).messages == ()
    states.send(one, [second])
    assert states.rows() == {1: "sent", 2: "sent"}


def test_who_looks_finds_who_died_meanwhile(states: Any) -> None:
    """Not only at the start."""
    two = states.open()
    left(states)
    assert states.run(two.recover()) == Recovered(2, 1, 2)
    assert two.recovered == Recovered(2, 1, 2)


def test_of_two_that_look_one_recovers(states: Any) -> None:
    """Each message is settled once."""
    one, two = states.open(), states.open()
    left(states)
    found = [states.run(each.recover()) for each in (one, two)]
    assert found == [Recovered(2, 1, 2), Recovered()]
    assert states.gate() == (0, 4)


def test_a_recovery_that_is_killed_is_done_by_the_next(states: Any) -> None:
    """Its transaction is undone, or its files are left and tell nothing new."""
    ids = left(states)
    state = states.open(clock=states.clock)
    # As if it had died between the transaction and the files: a lock and a journal without an owner on record.
    folder = states.folder / "senders"
    (folder / "dead.lock").touch()
    (folder / "dead-1.journal").write_bytes(
        records.begin("dead", 1) + records.handing_over([(ids["answered"], 1), (ids["claimed"], 1)])
    )
    before = states.rows()
    assert states.run(state.recover()) == Recovered()
    assert states.rows() == before
    assert list(folder.iterdir()) == []


def test_properly_closed_it_leaves_nothing_in_doubt(states: Any) -> None:
    """Claims of which nothing was handed over go back; there is nothing to recover."""
    state = states.open()
    states.admit(state, states.message(1), states.message(2))
    claims = states.claim(state).messages
    states.send(state, claims[:1])
    states.close(state)
    assert list((states.folder / "senders").iterdir()) == []
    state = states.open()
    assert state.recovered == Recovered()
    assert states.rows() == {1: "sent", 2: "queued"}
    assert states.gate() == (0, 1)


def test_closed_with_an_answer_missing_it_is_recovered_by_the_next(states: Any) -> None:
    """Stopped at once, nobody waits for the server: the message is in doubt and nothing else is."""
    state = states.open()
    states.admit(state, states.message(1), states.message(2))
    claims = states.claim(state).messages
    state.handing_over(claims[:1])
    states.close(state)
    state = states.open()
    assert state.recovered == Recovered(in_doubt=1)
    assert states.rows() == {1: "in_doubt", 2: "queued"}


def cut(data: bytes, many: int) -> bytes:
    """Without its end."""
    return data[: len(data) - many]


def garbled(data: bytes, many: int) -> bytes:
    """With another end."""
    return data[: len(data) - many] + bytes(255 - byte for byte in data[len(data) - many :])


@pytest.mark.parametrize(("tear", "many"), list(itertools.product([cut, garbled], [1, 30, 200, 10_000])))
def test_a_torn_journal_makes_doubt_and_no_harm(states: Any, tear: Callable[[bytes, int], bytes], many: int) -> None:
    """A tail that is gone after a power cut: nothing is lost, nothing is queued that may have gone."""
    ids = left(states)
    (path,) = (states.folder / "senders").glob("*.journal")
    data = path.read_bytes().rstrip(b"\0")
    path.write_bytes(tear(data, min(many, len(data))) + bytes(100))
    states.clock.restart("boot-2")
    states.open()
    rows = states.rows()
    assert rows[ids["written"]] == "sent"
    assert rows[ids["answered"]] in {"sent", "in_doubt"}
    assert rows[ids["refused"]] in {"dead", "in_doubt"}
    assert {rows[ids[name]] for name in ("handed_over", "once", "claimed")} == {"in_doubt"}


def test_an_expired_claim_goes_back(states: Any) -> None:
    """It had no place, and nothing of it was to go out."""
    state = states.open()
    states.admit(state, states.message(1, expires=1001.0))
    states.clock.advance(5)
    assert len(states.claim(state).overdue) == 1
    states.kill(state)
    states.clock.restart("boot-2")
    state = states.open()
    assert state.recovered == Recovered(returned=1)
    assert len(states.claim(state).overdue) == 1
