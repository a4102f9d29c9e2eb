"""What is known of messages between a broker and the state."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from sources.broker_read import name_of
from sources.unsettled import MOST_OVER, Known, Position, Unsettled
from systems.brokers.messages import Message


def message(text: str, *, again: bool = False) -> Message:
    """A message that is known by what it holds."""
    return Message(text.encode(), "queue", counted=False, again=again)


def taken(unsettled: Unsettled, one: Message) -> Known:
    """What is known of a message; one that is new is given."""
    known = unsettled.sort(one, name_of(one))
    if known is Known.NEW:
        unsettled.give(one, name_of(one))
    return known


def test_admitted_is_what_is_on_record() -> None:
    """Up to a position, and not one more; of other readings nothing is learnt."""
    unsettled = Unsettled("r1")
    a, b, c = (message(text) for text in "abc")
    assert taken(unsettled, a) is taken(unsettled, b) is Known.NEW
    position = unsettled.position
    taken(unsettled, c)
    assert unsettled.admitted(None) == ([], [])
    assert unsettled.admitted('["r0",99,[]]') == ([], [])
    assert unsettled.admitted(position).taken == [a, b]
    assert unsettled.waiting == 1
    unsettled.settled()
    assert unsettled.admitted(position) == ([], [])
    found = Position.of(unsettled.position)
    assert found is not None
    assert len(found.names) == 1


def test_after_a_kill_what_comes_again_is_known() -> None:
    """What was admitted and not settled is settled now, what was not admitted is new."""
    unsettled = Unsettled("r1")
    taken(unsettled, message("a"))
    on_record = unsettled.position
    taken(unsettled, message("b"))
    later = Unsettled("r2", on_record)
    again = message("a", again=True)
    assert taken(later, again) is Known.ADMITTED
    assert taken(later, message("b", again=True)) is Known.NEW
    assert later.admitted(on_record).taken == [again]


def test_what_is_settled_and_comes_again_is_known() -> None:
    """A broker hands out a message a second time when its settling takes long: it is settled once more."""
    unsettled = Unsettled("r1")
    first, second = (Message(b"a", "stream:7") for _ in range(2))
    assert taken(unsettled, first) is Known.NEW
    for one, known in ((first, Known.NEW), (second, Known.ADMITTED)):
        if one is second:
            assert taken(unsettled, one) is known
        assert unsettled.admitted(unsettled.position).taken == [one]
        unsettled.settled()
        assert unsettled.admitted(unsettled.position) == ([], [])
    found = Position.of(unsettled.position)
    assert found is not None
    assert found.names == ()


def test_of_what_is_settled_the_oldest_is_forgotten() -> None:
    """Memory does not grow with a queue that never ends."""
    unsettled = Unsettled("r1")
    many = [Message(b"a", f"stream:{number}") for number in range(MOST_OVER + 1)]
    for one in many:
        taken(unsettled, one)
    unsettled.admitted(unsettled.position)
    unsettled.settled()
    assert unsettled.sort(many[0], name_of(many[0])) is Known.NEW
    assert unsettled.sort(many[1], name_of(many[1])) is Known.ADMITTED


def test_the_same_text_twice_is_two_messages() -> None:
    """Without a place of their own they are told apart by how often they come again."""
    unsettled = Unsettled("r1")
    assert taken(unsettled, message("a")) is Known.NEW
    assert taken(unsettled, message("a")) is Known.NEW
    later = Unsettled("r2", unsettled.position)
    assert taken(later, message("a")) is Known.NEW
    found = [taken(later, message("a", again=True)) for _ in range(3)]
    assert found == [Known.ADMITTED, Known.ADMITTED, Known.NEW]


def test_a_lost_connection() -> None:
    """What is on its way comes again over the next one and is not given twice; it is settled there."""
    unsettled = Unsettled("r1")
    first = message("a")
    taken(unsettled, first)
    unsettled.lost()
    assert unsettled.admitted(unsettled.position).taken == []
    again = message("a", again=True)
    assert taken(unsettled, again) is Known.ADMITTED
    assert unsettled.admitted(None).taken == [again]


def test_a_broker_that_crashed_marks_nothing() -> None:
    """Over the next connection of the same reading, what was on its way is known all the same."""
    unsettled = Unsettled("r1")
    taken(unsettled, message("a"))
    unsettled.lost()
    assert taken(unsettled, message("a")) is Known.GIVEN
    assert taken(unsettled, message("a")) is Known.NEW


def test_what_is_no_good_is_settled_apart() -> None:
    """Also after it came again."""
    unsettled = Unsettled("r1")
    bad = message("{")
    unsettled.give(bad, name_of(bad), refused=True)
    assert unsettled.admitted(unsettled.position).refused == [bad]


def test_positions_of_others() -> None:
    """What is no position of a queue is as good as none."""
    assert Position.of(None) is Position.of("") is Position.of("17") is Position.of('["a"]') is None


@given(st.lists(st.sampled_from(["take", "admit", "settle", "lose", "kill"]), max_size=60), st.integers(1, 3))
def test_exactly_once(steps: list[str], texts: int) -> None:
    """Whatever happens in which order: each message is admitted once, and the queue is empty in the end."""
    waiting = deque((number, str(number % texts)) for number in range(12))
    flagged: set[int] = set()
    out: list[tuple[int, Message]] = []
    admitted: list[str] = []
    on_way: list[tuple[str, str]] = []  # texts, and the position that is reached with each
    record: str | None = None
    unsettled = Unsettled("r0")

    def back() -> None:
        """The broker has its messages back."""
        for number, one in reversed(out):
            flagged.add(number)
            assert one.body is not None
            waiting.appendleft((number, one.body.decode()))
        out.clear()

    def settle() -> None:
        done = unsettled.admitted(record)
        gone = {id(one) for one in done.taken}
        out[:] = [(number, one) for number, one in out if id(one) not in gone]
        unsettled.settled()

    def step(name: str, count: int) -> None:
        nonlocal record, unsettled
        if name == "take" and waiting:
            number, text = waiting.popleft()
            one = message(text, again=number in flagged)
            out.append((number, one))
            if taken(unsettled, one) is Known.NEW:
                on_way.append((text, unsettled.position))
        elif name == "admit" and on_way:
            text, record = on_way.pop(0)
            admitted.append(text)
        elif name == "settle":
            settle()
        elif name == "lose":
            unsettled.lost()
            back()
        elif name == "kill":
            on_way.clear()
            back()
            unsettled = Unsettled(f"r{count}", record)

    for count, name in enumerate(steps, 1):
        step(name, count)
    for count in range(100, 160):
        step(("take", "admit", "settle")[count % 3], count)
    assert sorted(admitted) == sorted(str(number % texts) for number in range(12))
    assert not out
    assert not waiting
