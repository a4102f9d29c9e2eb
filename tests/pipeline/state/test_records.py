"""What stands in a journal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.state import records
from pipeline.state.facts import MessageState, Settlement
from pipeline.state.records import Told


def settlement(message: int, number: int = 1, result: str = "[]") -> Settlement:
    """A message that was sent."""
    return Settlement(message, number, "gate", 1, 1, 12.5, MessageState.SENT, None, 0, 1, result)


def told(data: bytes, owner: str = "me") -> Told:
    """What a segment tells."""
    result = Told()
    records.read(data, owner, result)
    return result


def test_what_is_written_is_read() -> None:
    """Claims that were about to go, and what became of them."""
    data = records.begin("me", 1) + records.handing_over([(1, 1), (2, 5)]) + records.settled([settlement(1)])
    found = told(data + bytes(100))
    assert found.handed_over == {1: 1, 2: 5}
    assert found.settlements == {(1, 1): settlement(1)}
    assert found.settlements[1, 1].state is MessageState.SENT


def test_a_segment_of_somebody_else_tells_nothing() -> None:
    """Nor does one of another format, or one that begins with something else."""
    work = records.handing_over([(1, 1)])
    assert told(records.begin("other", 1) + work) == Told()
    assert told(work) == Told()
    assert told(b"") == Told()
    assert told(bytes(1000)) == Told()


@given(st.integers(0, 400), st.binary(max_size=50))
def test_properties_of_a_torn_tail(cut: int, garbage: bytes) -> None:
    """Wherever a write ended and whatever follows, each record is read as it was written or not at all."""
    pieces = [records.begin("me", 1)]
    pieces += [records.handing_over([(n, 1)]) + records.settled([settlement(n, result='["ok"]')]) for n in range(3)]
    whole = b"".join(pieces)
    cut = min(cut, len(whole))
    found = told(whole[:cut] + garbage)
    at = len(pieces[0])
    for number, piece in enumerate(pieces[1:]):
        at += len(piece)
        if at <= cut:
            assert found.settlements[number, 1] == settlement(number, result='["ok"]')
        else:
            assert (number, 1) not in found.settlements or whole.startswith(whole[:cut] + garbage)


@given(st.integers(0), st.integers(0, 7))
def test_properties_of_a_flipped_bit(place: int, bit: int) -> None:
    """A record in which a bit changed is not believed, nor is anything behind it."""
    first = records.begin("me", 1) + records.handing_over([(1, 1)])
    second = records.settled([settlement(1), settlement(2)])
    data = bytearray(first + second)
    place = len(first) + place % len(second)
    data[place] ^= 1 << bit
    found = told(bytes(data))
    assert found.handed_over == {1: 1}
    assert found.settlements == {}


@given(st.text(st.characters(codec=None)))
def test_properties_of_any_text(text: str) -> None:
    """What a server says comes back as it was, also what is no proper text."""
    data = records.begin("me", 1) + records.settled([settlement(1, result=text)])
    assert told(data).settlements[1, 1].result == text
