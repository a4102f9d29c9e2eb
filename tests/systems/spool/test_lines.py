"""Files of lines: whatever a crash leaves of the last one, what was said before stands."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from systems.spool.lines import Read, RecordError, blank, line, lines, read

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
events = st.lists(
    st.dictionaries(st.text().filter(lambda name: name != "sum"), values, min_size=1, max_size=4), max_size=5
)


@given(events, st.integers(0, 50))
def test_properties_of_a_whole_file(written: list[dict[str, Any]], room: int) -> None:
    """What was written is read, with or without room behind it."""
    data = lines(written)
    assert read(data + blank(room)) == Read(tuple(written), len(data), torn=False)


@given(events, st.data())
def test_properties_of_a_cut(written: list[dict[str, Any]], data: st.DataObject) -> None:
    """Cut anywhere, it has every line that is whole, and says where the next one goes."""
    whole = lines(written)
    end = data.draw(st.integers(0, len(whole)))
    count = whole[:end].count(b"\n")
    length = len(lines(written[:count]))
    assert read(whole[:end]) == Read(tuple(written[:count]), length, torn=end > length)


@given(events, st.data())
def test_properties_of_a_cut_with_blanks_behind(written: list[dict[str, Any]], data: st.DataObject) -> None:
    """Room that was reserved, or zeros after a power cut, do not make a line of what is none."""
    whole = lines(written)
    end = data.draw(st.integers(0, len(whole)))
    count = whole[:end].count(b"\n")
    length = len(lines(written[:count]))
    # Of a line that lacks nothing but its end nobody can say that it did not happen.
    assume(whole[end : end + 1] != b"\n")
    rest = data.draw(st.sampled_from([blank(9), bytes(9), b" " * 9, blank(9) + bytes(9)]))
    assert read(whole[:end] + rest) == Read(tuple(written[:count]), length, torn=end > length)


@given(events.filter(bool), st.data())
def test_properties_of_a_changed_byte(written: list[dict[str, Any]], data: st.DataObject) -> None:
    """A file with another byte than was written is not believed; of the last line at most that it did not happen."""
    whole = bytearray(lines(written))
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(0, 255))
    assume(whole[at] != other)
    whole[at] = other
    try:
        found = read(bytes(whole))
    except RecordError:
        return
    assert found.events == tuple(written[:-1])
    assert found.torn


@given(st.binary())
def test_properties_of_any_bytes(data: bytes) -> None:
    """Nothing but RecordError comes of them."""
    try:
        read(data)
    except RecordError:
        return


@pytest.mark.parametrize(
    "data",
    [
        b"words\n" + line({"a": 0}),
        line({"a": 0}) + b"\n\n" + b"words\n" + line({"a": 1}),
        line({"a": 1}).replace(b'"a":1', b'"a":2'),
        line({"a": 1})[:-1] + line({"a": 2}),
        b"[" * 100_000 + b"\n" + line({"a": 0}),
    ],
)
def test_what_was_not_written_here_is_an_error(data: bytes) -> None:
    """It names the line."""
    with pytest.raises(RecordError, match="line [12] is not as it was written"):
        read(data)


def test_a_line_can_be_read_by_other_programs() -> None:
    """It is JSON in ASCII, and the digest of what stands before comes last."""
    before = b'{"to":"\\u00f6"'
    assert line({"to": "ö"}) == b'%s,"sum":"%s"}\n' % (before, blake2b(before, digest_size=8).hexdigest().encode())
