"""Entities that failed, in the state: who waits, who is dead, and what is left of them."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.failing import Fate, Tolerance
from pipeline.state.facts import Retention
from pipeline.state.failures import Chosen, Failure, Kept
from pipeline.state.sqlite.dataset_look import SqliteReads
from pipeline.state.sqlite.store import SqliteState

RETRYING = Tolerance(may_wait=2, retries=2)
ALL = Chosen()
_of_the_state = frozenset({"_updated", "_previous", "_hash", "_ts"})


def failure(name: str, run: str = "r1", pipe: str = "p", reason: str = "broken") -> Failure:
    """One that failed."""
    return Failure(pipe, name, name, "transform", reason, f'{{"_id":"{name}"}}', run)


def kept(states: Any, state: SqliteState, chosen: Chosen = ALL) -> list[Kept]:
    """All that is on record."""
    return list(states.run(state.failures(chosen)))


def test_what_is_kept(states: Any) -> None:
    """All that a person or the next run needs, with the wall time; a later failure takes the place of an earlier."""
    state = states.open()
    began = states.clock.wall_time
    assert state.failing.put([failure("a")], RETRYING) == [Fate.WAITS]
    states.clock.advance(60)
    state.failing.put([failure("a", "r2", reason="worse")], RETRYING)
    (found,) = kept(states, state)
    assert found == Kept(
        found.number, "p", "a", "a", "transform", "worse", "r2", began, began + 60, 2, False, '{"_id":"a"}'
    )


def test_tries_are_runs(states: Any) -> None:
    """A run that meets an entity twice, as after a failed read, has tried it once; the third run is the last."""
    state = states.open()
    fates = [state.failing.put([failure("a", run)], RETRYING)[0] for run in ("r1", "r1", "r2", "r2", "r3", "r4")]
    # Then it is dead, and the fourth run met it anew.
    assert fates == [Fate.WAITS] * 4 + [Fate.DEAD, Fate.WAITS]


def test_no_more_wait_than_may(states: Any) -> None:
    """If one finds no room none is kept; one that waits already needs none, and pipes do not share theirs."""
    state = states.open()
    assert state.failing.put([failure("a")], RETRYING) == [Fate.WAITS]
    assert state.failing.put([failure("b"), failure("c")], RETRYING) == [Fate.NO_ROOM] * 2
    assert [one.name for one in kept(states, state)] == ["a"]
    assert state.failing.put([failure("a", "r2"), failure("b", "r2")], RETRYING) == [Fate.WAITS] * 2
    assert state.failing.put([failure("c", pipe="q")], RETRYING) == [Fate.WAITS]
    assert states.run(state.failure_counts()) == {"p": (2, 0), "q": (1, 0)}


def test_dead_letters(states: Any) -> None:
    """Without retries an entity is dead at once, and any number may be."""
    state = states.open()
    assert state.failing.put([failure(str(at)) for at in range(300)], Tolerance()) == [Fate.DEAD] * 300
    assert states.run(state.failure_counts()) == {"p": (0, 300)}
    assert not states.run(state.waiting("p", 10))


def test_a_later_version(states: Any) -> None:
    """It is remembered until one fails again; who waited gives way, a dead letter only when those are tracked."""
    state = states.open()
    state.failing.put([failure("dead")], Tolerance())
    state.failing.put([failure("waits"), failure("again")], RETRYING)
    names = {"dead", "waits", "again", "other"}
    assert set(state.failing.later("p", "transform", names)) == names - {"other"}
    assert not state.failing.later("p", "sink", names)
    state.failing.put([failure("again", "r2")], RETRYING)
    assert {one.name: one.later for one in kept(states, state)} == {"dead": True, "waits": True, "again": False}
    assert [one.name for one in states.run(state.waiting("p", 10))] == ["again"]
    assert {one.name for one in states.run(state.failed_names("p", 10))} == {"dead", "waits", "again"}
    (dead,) = [one.number for one in kept(states, state) if one.dead]
    assert states.run(state.failing.again([dead], {})) == 0
    assert states.run(state.failing.give_way("p", dead=False)) == 1
    assert {one.name for one in kept(states, state)} == {"dead", "again"}
    assert states.run(state.failing.give_way("p", dead=True)) == 1
    assert {one.name for one in kept(states, state)} == {"again"}


def test_passed(states: Any) -> None:
    """Who has passed waits no more; a dead letter stays unless they are tracked; other stages and pipes stay too."""
    state = states.open()
    state.failing.put([failure("dead"), failure("dead", pipe="q")], Tolerance())
    state.failing.put([failure("waits"), failure("sunk")._replace(stage="sink")], RETRYING)
    names = {"dead", "waits", "sunk", "other"}
    assert states.run(state.failing.passed("p", "transform", names, dead=False)) == 1
    assert {one.name for one in kept(states, state, Chosen("p"))} == {"dead", "sunk"}
    assert states.run(state.failing.passed("p", "transform", names, dead=True)) == 1
    assert {(one.pipe, one.name) for one in kept(states, state)} == {("q", "dead"), ("p", "sunk")}
    assert states.run(state.failing.passed("p", "transform", [], dead=True)) == 0


def test_once_more(states: Any) -> None:
    """A dead letter that a person wants tried again waits, with all its tries before it."""
    state = states.open()
    tolerance = Tolerance(may_wait=5, retries=1)
    for run in ("r1", "r2"):
        (last,) = state.failing.put([failure("a", run)], tolerance)
    assert last is Fate.DEAD
    (dead,) = kept(states, state, Chosen(dead=True))
    assert states.run(state.failing.again([dead.number, 77], {})) == 1
    assert states.run(state.failing.again([dead.number], {})) == 0
    (waits,) = states.run(state.waiting("p", 10))
    assert waits.number == dead.number
    assert [state.failing.put([failure("a", run)], tolerance)[0] for run in ("r3", "r4")] == [Fate.WAITS, Fate.DEAD]


def test_lists(states: Any) -> None:
    """The newest first, in pages; those that wait the oldest first; chosen by pipe, entity, number and whether dead."""
    state = states.open()
    state.failing.put([failure(name) for name in "abcde"], Tolerance())
    state.failing.put([failure(name, pipe="q") for name in "ab"], RETRYING)
    page = states.run(state.failures(Chosen("p"), most=3))
    assert [one.name for one in page] == ["e", "d", "c"]
    assert [one.name for one in states.run(state.failures(Chosen("p"), page[-1].number))] == ["b", "a"]
    assert [one.pipe for one in kept(states, state, Chosen(entity="a"))] == ["q", "p"]
    assert [one.name for one in kept(states, state, Chosen(dead=False))] == ["b", "a"]
    assert [one.name for one in states.run(state.waiting("q", 10))] == ["a", "b"]
    assert kept(states, state, Chosen(number=page[0].number)) == [page[0]]


def test_removed(states: Any) -> None:
    """A person can remove some; dead letters are removed when they are old enough, what waits never."""
    state = states.open()
    state.failing.put([failure("a"), failure("b")], Tolerance())
    state.failing.put([failure("waits")], RETRYING)
    assert states.run(state.failing.delete([kept(states, state, Chosen(entity="a"))[0].number], {})) == 1
    states.clock.advance(Retention().others + 1)
    states.run(state.tidy(Retention()))
    assert [one.name for one in kept(states, state)] == ["waits"]


@pytest.mark.parametrize("many", [1, 50])
def test_what_put_has_kept_survives_a_kill(states: Any, many: int) -> None:
    """When it returns, entities are on the disk."""
    state = states.open()
    state.failing.put([failure(str(at)) for at in range(many)], Tolerance())
    states.kill(state)
    assert len(kept(states, states.open())) == many


def buried(states: Any, name: str = "graves") -> dict[str, Any]:
    """What is in the dataset of dead letters, deleted or not, without what the state says of it."""
    reads = SqliteReads(states.folder)
    found = reads.dataset(name)
    entities = [] if found is None else reads.page(found.number, 0, found.last, 1000).entities
    reads.close()
    return {one["_id"]: {key: one[key] for key in one if key not in _of_the_state} for one in entities}


def test_dead_letters_have_a_dataset(states: Any) -> None:
    """It has what is dead and nothing else, from the moment on in which it is, until it is not any more."""
    state = states.open()
    once = Tolerance(may_wait=5, retries=1, dataset="graves")
    odd = failure("odd")._replace(entity='{"_id":"odd","_hash":"x","n":1,"t":"~t2026-01-01T00:00:00Z","s":"\\ud800"}')
    state.failing.put([failure("a"), odd], once)
    assert buried(states) == {}
    state.failing.put([failure("a", "r2"), odd._replace(run="r2")], once)
    found = buried(states)
    assert found["a"] == {"_id": "a"}
    assert {name: value for name, value in found["odd"].items() if name != "t"} == {"_id": "odd", "n": 1, "s": "\ud800"}
    (number,) = [one.number for one in kept(states, state, Chosen(entity="a"))]
    assert states.run(state.failing.again([number], {"p": "graves"})) == 1
    assert buried(states)["a"] == {"_id": "a", "_deleted": True}
    state.failing.put([failure("a", "r3")], Tolerance(dataset="graves"))
    assert buried(states)["a"] == {"_id": "a"}
    names = {"a", "odd"}
    assert states.run(state.failing.passed("p", "transform", names, dead=True, dataset="graves")) == 2
    assert all(one["_deleted"] for one in buried(states).values())
    state.failing.put([failure("b")], Tolerance(dataset="graves"))
    (number,) = [one.number for one in kept(states, state)]
    states.run(state.failing.delete([number], {"p": "graves", "q": ""}))
    assert buried(states)["b"]["_deleted"] is True
