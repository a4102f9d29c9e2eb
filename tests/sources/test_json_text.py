"""JSON in portions of bytes becomes entities, or a fault with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SourceError
from sources.json_cut import Form
from sources.json_text import batches, opened
from sources.parts import BATCH, MOST_BYTES, Fault

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**40), max_value=10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=8,
)
entities = st.builds(
    lambda value, id_: {"value": value, "_id": id_},
    values,
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
layouts = st.sampled_from(("lines", "crlf", "blank lines", "open end", "list", "tall list", "objects", "one line"))


def written(wanted: list[dict[str, Any]], layout: str, *, ascii_: bool = False) -> bytes:
    """The entities as a text of that layout."""

    def one(entity: dict[str, Any], indent: int | None = None) -> str:
        return json.dumps(entity, ensure_ascii=ascii_, indent=indent)

    match layout:
        case "lines":
            text = "".join(f"{one(entity)}\n" for entity in wanted)
        case "crlf":
            text = "".join(f"{one(entity)}\r\n" for entity in wanted)
        case "blank lines":
            text = "".join(f"\n  \n {one(entity)} \n" for entity in wanted)
        case "open end":
            text = "\n".join(one(entity) for entity in wanted)
        case "list":
            text = json.dumps(wanted, ensure_ascii=ascii_)
        case "tall list":
            text = f" \n{json.dumps(wanted, ensure_ascii=ascii_, indent=2)}\n\n"
        case "objects":
            text = "\n".join(one(entity, 1) for entity in wanted)
        case _:
            text = " ".join(one(entity) for entity in wanted)
    return text.encode()


def cut(data: bytes, places: list[int]) -> Iterator[bytes]:
    """The data in portions that end at these places."""
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    yield from (data[first:last] for first, last in pairwise(ends))


def read(portions: Iterator[bytes], form: Form | None = None) -> tuple[list[Any], list[Fault]]:
    """All that is found."""
    found: list[Any] = []
    faults: list[Fault] = []
    for batch in batches(opened(portions, form), "in.json"):
        assert len(batch.entities) <= BATCH
        found += batch.entities
        if batch.fault:
            faults.append(batch.fault)
    return found, faults


def told(data: bytes, form: Form | None = None) -> list[str]:
    """Place, code and message of each fault."""
    _, faults = read(iter([data]), form)
    return [str(SourceError(fault.problem, fault.text, fault.place.line, fault.place.column)) for fault in faults]


@given(st.lists(entities, max_size=6), layouts, st.lists(st.integers(min_value=0), max_size=8), st.booleans())
def test_portions_change_nothing_properties(
    wanted: list[dict[str, Any]],
    layout: str,
    places: list[int],
    ascii_: bool,
) -> None:
    """Every layout gives what `json` gives, value and type, wherever the bytes are cut, with a byte order mark too."""
    data = written(wanted, layout, ascii_=ascii_)
    for text in (data, b"\xef\xbb\xbf" + data):
        found, faults = read(cut(text, places))
        assert repr(found) == repr(json.loads(json.dumps(wanted)))
        assert faults == []


@given(st.binary(max_size=60) | st.text('{}[]",:\\ \n1_id', max_size=40).map(str.encode), st.lists(st.integers(0)))
def test_any_bytes_are_read_or_told_properties(data: bytes, places: list[int]) -> None:
    """Whatever comes in, the same is found however it is cut, and nothing is raised."""
    whole = read(iter([data]))
    parts = read(cut(data, places))
    assert repr(parts[0]) == repr(whole[0])
    assert [(fault.problem.code, fault.place.line) for fault in parts[1]] == [
        (fault.problem.code, fault.place.line) for fault in whole[1]
    ]


@given(st.lists(entities, min_size=1, max_size=5), st.integers(min_value=0), st.booleans())
def test_a_torn_text_gives_what_is_whole_properties(wanted: list[dict[str, Any]], at: int, tall: bool) -> None:
    """A list that breaks off gives the entities before the break, and one fault."""
    data = written(wanted, "tall list" if tall else "list").rstrip()
    data = data[: data.index(b"[") + 1 + at % (len(data) - data.index(b"[") - 1)]
    found, faults = read(iter([data]), "list")
    assert repr(found) == repr(json.loads(json.dumps(wanted))[: len(found)])
    assert len(faults) == 1


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b'{"_id":"1"}\n{"_id":"2", "x": tru}\n', ["2:18: E108"]),
        (b'{"_id":"1"}\n{"_id":2}\n{"_id":""}\n{"id":"1"}\n', ["2:8: E218", "3:8: E218", "4:1: E218"]),
        (b'{"_id":"1"}\n[1]\n7\n', ["2:1: E218", "3:1: E218"]),
        (b'{"_id":"1"}\n{"_id":"\xe9"}\n', ["2:9: E112"]),
        (b'{"_id":"1","x":"\\ud83d"}\n', ["1:17: E112"]),
        (b'{"_id":"1","x":1e999}\n', ["1:16: E108"]),
        ('{"_id":"1"}\n'.encode("utf-16"), ["1:1: E112", "2:1: E108"]),
        (b"_id,name\n", ["1:1: E108"]),
        (b'{"_id":"1","x":' + b"[" * 70 + b"]" * 70 + b"}\n", ["1:79: E113"]),
        (b'{"_id":"1","x":' + b"9" * 5000 + b"}\n", ["1:16: E113"]),
        (b'[{"_id":"1"} {"_id":"2"}]', ["1:14: E102"]),
        (b'[{"_id":"1"},\n {"_id":"2"},\n]', ["3:1: E101"]),
        (b'[{"_id":"1"},\n {"_id":"2"}', ["2:13: E106"]),
        (b'[{"_id":"1"},\n {"_id":"2"', ["2:2: E106"]),
        (b'[{"_id":"1"}]\n[]', ["2:1: E107"]),
        (b'[{"_id":"1"}}', ["1:13: E108"]),
        (b'["\xc3\xa9", {"_id":"1"}, 17]', ["1:2: E218", "1:20: E218"]),
        (b'{\n "_id": "1",\n "x": nope\n}', ["3:7: E108"]),
        (b'{"_id":"1"},{"_id":"2"}', ["1:12: E107"]),
    ],
)
def test_a_fault_has_its_place(data: bytes, wanted: list[str]) -> None:
    """Line and column are those of an editor, the code says what kind of fault it is."""
    assert [" ".join(text.removeprefix("in.json:").split(" ")[:2]) for text in told(data)] == wanted


def test_what_surrounds_a_bad_line_is_read() -> None:
    """A fault stands between the entities before and after it, and the place of the batch is that of the bad line."""
    text = opened([b'{"_id":"1"}\n{"_id":\n{"_id":"3"}\n'])
    found = [(list(batch.entities), batch.end, batch.fault is not None) for batch in batches(text, "in.jsonl")]
    assert found == [([{"_id": "1"}], (12, 2, 1), True), ([{"_id": "3"}], (32, 4, 1), False)]


def test_a_list_with_bad_items_goes_on_and_one_without_commas_does_not() -> None:
    """What is between brackets can be passed over; where commas are missing nothing behind can be trusted."""
    found, faults = read(iter([b'[{"_id":"1"}, null, "a,b]", {"_id": tru}, {"_id":"2"} {"_id":"3"}]']))
    assert found == [{"_id": "1"}, {"_id": "2"}]
    assert [fault.resumes for fault in faults] == [True, True, True, False]


@pytest.mark.parametrize("form", ["lines", "list", "objects"])
def test_an_entity_past_the_limit_is_not_kept(form: Form) -> None:
    """No more than the limit is read of an endless entity; after a line that is too long the next one is read."""
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        yield b"[" if form == "list" else b""
        yield b'{"_id": "1", "x": "'
        while taken < 3 * MOST_BYTES:
            taken += 1_000_000
            yield b"x" * 1_000_000
        yield b'"}\n{"_id": "2"}\n'

    found, faults = read(endless(), form)
    assert [fault.problem.code for fault in faults] == ["E113"]
    assert (found, taken) == (
        ([{"_id": "2"}], 3 * MOST_BYTES) if form == "lines" else ([], MOST_BYTES + 1_000_000 * (taken > MOST_BYTES))
    )


def test_depth_is_counted_outside_of_strings() -> None:
    """Many brackets side by side or in strings are not deep; 64 levels are read."""
    flat = {"_id": "1", "rows": [{"n": [1]}] * 200, "text": "[{" * 100}
    deep = b'{"_id":"2","x":' + b"[" * 63 + b"]" * 63 + b"}"
    found, faults = read(iter([json.dumps(flat).encode() + b"\n" + deep + b"\n"]))
    assert [entity["_id"] for entity in found] == ["1", "2"]
    assert faults == []


def test_entities_come_before_the_text_ends() -> None:
    """A portion is taken only when the entities of those before it have been given."""
    pulled = 0

    def portions() -> Iterator[bytes]:
        nonlocal pulled
        for number in range(5):
            pulled += 1
            yield b'%s{"_id": "%d"}' % (b"[" if not number else b",", number)
        yield b"]"

    got = 0
    for batch in batches(opened(portions()), "in.json"):
        got += len(batch.entities)
        assert pulled <= got + 1
    assert got == 5
