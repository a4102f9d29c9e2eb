"""The ring of events, and what is new in facts."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from mailweir.web.happenings import TOPICS, Ring, coalesced, facts_of, names_of, news, written

ALL = names_of(TOPICS)


def filled(many: int, most: int = 10_000) -> Ring:
    """Events of one second each."""
    ring = Ring(100, most)
    for number in range(many):
        ring.add("pipe" if number % 2 else "log", f"p{number % 3}", str(number), float(number))
    return ring


def test_whoever_knows_some_gets_the_rest() -> None:
    """What is behind a number comes in order, and only what was asked for."""
    ring = filled(6)
    assert [one.id for one in ring.after(103, ALL) or ()] == [104, 105, 106]
    assert [one.id for one in ring.after(100, {"pipe"}) or ()] == [102, 104, 106]
    assert ring.after(106, ALL) == []


def test_a_gap_is_told() -> None:
    """What is gone, was never there or belongs to another service is no list."""
    ring = filled(20, most=5)
    assert ring.after(114, ALL) is None
    assert [one.id for one in ring.after(115, ALL) or ()] == [116, 117, 118, 119, 120]
    assert ring.after(121, ALL) is None
    assert ring.after(3, ALL) is None
    assert Ring(100).after(100, ALL) == []
    assert Ring(100).after(99, ALL) is None


def test_events_grow_old() -> None:
    """What is older than ten minutes goes, whatever room there is."""
    ring = Ring(0)
    ring.add("pipe", "p", "1", 0.0)
    ring.add("pipe", "p", "2", 601.0)
    assert ring.after(0, ALL) is None
    assert [one.data for one in ring.after(1, ALL) or ()] == ["2"]


@given(st.lists(st.tuples(st.sampled_from(["pipe", "window", "log"]), st.sampled_from("ab"), st.text(max_size=3))))
def test_the_last_word_is_never_lost(told: list[tuple[str, str, str]]) -> None:
    """Whoever gets less gets the last of each key in its order, and every line of the log."""
    ring = Ring(0)
    for number, (name, key, data) in enumerate(told):
        ring.add(name, key, data, float(number) / 1000)
    whole = ring.after(0, ALL) or []
    less = coalesced(whole)
    assert {(one.name, one.key): one.data for one in less} == {(one.name, one.key): one.data for one in whole}
    assert [one for one in less if one.name == "log"] == [one for one in whole if one.name == "log"]
    assert [one.id for one in less] == sorted({one.id for one in less})


def test_an_event_is_three_lines() -> None:
    """As browsers read it; half a character does not break it."""
    assert written(7, "pipe", '{"a":"b"}') == b'id: 7\nevent: pipe\ndata: {"a":"b"}\n\n'
    assert written(7, "pipe", '"\ud800"') == b'id: 7\nevent: pipe\ndata: "?"\n\n'


def test_only_what_is_new_is_told() -> None:
    """A fact that stays is no news; one that is gone is told as null."""
    pipe = {"id": "p", "running": None, "last_result": None, "mode": "scheduled"}
    before = facts_of({"outbox": {}, "worries": [], "paused_systems": [], "pipes": [pipe], "window": []}, {"hash": "a"})
    assert list(news(before, before)) == []
    running = {"since": "x", "read": 3}
    after = facts_of(
        {
            "outbox": {"sent": 1}, "worries": [], "paused_systems": [], "pipes": [{**pipe, "running": running}],
            "window": [],
        },
        {"hash": "a"},
    )  # fmt: skip
    told = {(name, key): json.loads(data) for name, key, data in news(before, after)}
    assert told == {("mail", ""): {"sent": 1}, ("run", "p"): {"pipe": "p", "running": running, "last": None}}
    gone = [one for one in news(after, {}) if one[0] == "run"]
    assert gone == [("run", "p", "null")]
