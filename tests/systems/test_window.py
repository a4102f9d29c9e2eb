"""In every span of an hour at most so many, and not fewer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from systems.window import HOUR, Bucket, Full, Permit, Window


def taken(window: Window, now: float, count: int = 1) -> Permit:
    """A permit that must be there."""
    permit = window.take(now, count)
    assert isinstance(permit, Permit)
    return permit


def refused(window: Window, now: float, count: int = 1) -> Full:
    """A refusal that must come."""
    full = window.take(now, count)
    assert isinstance(full, Full)
    return full


def filled(limit: int, at: float) -> Window:
    """A window in which all were accepted at one time."""
    window = Window(limit)
    window.settle(taken(window, at, limit), at)
    return window


def test_exactly_the_limit_goes() -> None:
    """Two of two, and the third when the first is an hour old."""
    window = Window(2)
    for at in (10.0, 20.0):
        window.settle(taken(window, at), at)
    assert refused(window, 30.0) == Full(used=2, limit=2, free_at=3610.0, never=False)
    assert refused(window, math.nextafter(3610.0, 0)).used == 2
    window.settle(taken(window, 3610.0), 3610.0)
    assert refused(window, 3610.0).free_at == 3620.0


def test_a_permit_counts_for_as_long_as_no_answer_comes() -> None:
    """An hour in flight is no reason to let another one go; the hour begins with the answer."""
    window = Window(1)
    permit = taken(window, 0.0)
    assert refused(window, 10.0 * HOUR) == Full(used=1, limit=1, free_at=None, never=False)
    window.settle(permit, 10.0 * HOUR)
    assert refused(window, 11.0 * HOUR - 1).free_at == 11.0 * HOUR
    assert taken(window, 11.0 * HOUR).number == 1


def test_what_certainly_did_not_go_counts_no_more() -> None:
    """Its place is free at once."""
    window = Window(1)
    window.give_back(taken(window, 5.0))
    assert window.free(5.0) == 1
    assert isinstance(window.take(5.0), Permit)


def test_a_permit_for_several_is_settled_in_parts() -> None:
    """Each part counts from its own answer, and what did not go counts no more."""
    window = Window(10)
    permit = taken(window, 0.0, 10)
    window.settle(permit, 1.0, 3)
    window.settle(permit, 2.0, 2)
    window.give_back(permit, 4)
    assert (window.used(2.0), window.in_flight) == (6, 1)
    assert list(window.buckets(2.0)) == [Bucket(1, 3), Bucket(2, 2)]
    window.settle(permit, 2.5)
    assert list(window.buckets(3.0)) == [Bucket(1, 3), Bucket(2, 2), Bucket(3, 1)]
    assert window.in_flight == 0


def settled(window: Window, permit: Permit) -> None:
    """The answer comes at 9."""
    window.settle(permit, 9.0)


@pytest.mark.parametrize("end", [Window.give_back, settled])
def test_a_permit_is_used_up_once(end: Callable[[Window, Permit], None]) -> None:
    """A second settling or giving back is a wrong call: it would make places that are not there."""
    window = Window(5)
    permit = taken(window, 0.0, 2)
    end(window, permit)
    used = window.used(0.0)
    for other in (permit, Permit(7, 1, 0.0)):
        for again in (Window.give_back, settled):
            with pytest.raises(ValueError, match="the permit has not so many messages in flight"):
                again(window, other)
    assert window.used(0.0) == used


@pytest.mark.parametrize("count", [0, -1, 3])
def test_no_more_is_settled_than_was_taken(count: int) -> None:
    """The parts add up to the permit."""
    window = Window(5)
    permit = taken(window, 0.0, 2)
    with pytest.raises(ValueError, match="not so many"):
        window.settle(permit, 1.0, count)
    assert window.in_flight == 2


@pytest.mark.parametrize("count", [0, -1])
def test_a_permit_for_nothing_is_a_wrong_call(count: int) -> None:
    """It would count nothing, or make places."""
    with pytest.raises(ValueError, match="1 message or more"):
        Window(5).take(0.0, count)


def test_several_go_together_or_not_at_all() -> None:
    """A permit is for all that was asked for, and the time is when all of them can go."""
    window = Window(5)
    for at in (1.0, 2.0, 3.0):
        window.settle(taken(window, at), at)
    assert refused(window, 4.0, 3).free_at == 3601.0
    assert refused(window, 4.0, 5).free_at == 3603.0
    assert taken(window, 4.0, 2).places == 2


def test_what_never_fits_is_said() -> None:
    """More than the limit never goes, and nothing goes under a limit of 0."""
    assert refused(Window(0), 0.0) == Full(used=0, limit=0, free_at=None, never=True)
    assert refused(Window(5), 0.0, 6).never


def test_the_limit_changes_while_it_runs() -> None:
    """Lowered below what was sent it lets nothing through until enough has passed, and `free` is never negative."""
    window = Window(10)
    for at in range(10):
        window.settle(taken(window, float(at)), float(at))
    window.limit = 4
    assert window.free(10.0) == 0
    assert refused(window, 10.0) == Full(used=10, limit=4, free_at=3606.0, never=False)
    assert isinstance(window.take(3606.0), Permit)
    window.limit = 12
    assert window.free(3606.0) == 12 - 4
    for limit in (-1, 2**32):
        with pytest.raises(ValueError, match="a limit is a number from 0 to 4294967295"):
            window.limit = limit


def test_a_lowered_limit_waits_for_what_is_in_flight() -> None:
    """When a place frees that way rests on an answer, so no time is said."""
    window = Window(3)
    taken(window, 0.0, 2)
    window.settle(taken(window, 0.0), 0.0)
    window.limit = 2
    assert refused(window, 1.0) == Full(used=3, limit=2, free_at=None, never=False)


def test_answers_may_come_in_any_order() -> None:
    """Stamps are kept in order, and those of one second together."""
    window = Window(10)
    permits = [taken(window, 0.0) for _ in range(6)]
    for permit, at in zip(permits, (5.0, 3.0, 4.0, 3.0, 5.0, 1.0), strict=True):
        window.settle(permit, at)
    assert list(window.buckets(6.0)) == [Bucket(1, 1), Bucket(3, 2), Bucket(4, 1), Bucket(5, 2)]


def test_an_answer_is_not_older_than_its_permit() -> None:
    """What went out at 100 was not accepted at 50, whatever a clock says."""
    window = Window(1)
    window.settle(taken(window, 100.0), 50.0)
    assert refused(window, 3651.0).free_at == 3700.0


def test_an_answer_that_is_written_down_late_counts_from_its_own_time() -> None:
    """Its hour may be over by then."""
    window = Window(1)
    permit = taken(window, 0.0)
    assert refused(window, 4000.0).free_at is None
    window.settle(permit, 10.0)
    assert isinstance(window.take(4000.0), Permit)


def test_a_second_is_rounded_up() -> None:
    """A place frees up to a second later than it could, never earlier."""
    window = filled(1, 0.001)
    assert refused(window, 3600.5).free_at == 3601.0
    assert isinstance(window.take(3601.0), Permit)
    on_the_second = filled(1, 5.0)
    assert isinstance(on_the_second.take(3605.0), Permit)


def test_recovery_stamps_what_is_in_flight() -> None:
    """Nobody knows whether it went, so it counts from the recovery on, and its permits are void."""
    window = Window(3)
    permit = taken(window, 0.0, 2)
    assert window.recover(1000.2) == 2
    assert (window.in_flight, window.used(1000.2)) == (0, 2)
    assert list(window.buckets(1000.2)) == [Bucket(1001, 2)]
    with pytest.raises(ValueError, match="not so many"):
        window.settle(permit, 1001.0)
    assert window.recover(2000.0) == 0


@pytest.mark.parametrize("shift", [0.0, -500.25, 1e6])
def test_a_restored_window_counts_what_the_old_one_counted(shift: float) -> None:
    """Also on the clock of another start of the machine; rounded up again, never down."""
    old = filled(3, 1000.0)
    new = Window(4)
    new.restore(old.buckets(2000.0), shift)
    assert new.used(2000.0 + shift) == 3
    full = refused(new, 2000.0 + shift, 2)
    assert full.free_at is not None
    assert 4600.0 + shift <= full.free_at < 4601.0 + shift


def test_stored_buckets_have_counts() -> None:
    """Empty ones are passed over, and fewer than none would make places that are not there."""
    window = Window(1)
    window.restore([Bucket(5, 0)])
    assert window.used(5.0) == 0
    with pytest.raises(ValueError, match="0 messages or more"):
        window.restore([Bucket(5, -1)])


def test_a_clock_that_goes_back_frees_nothing() -> None:
    """For the window it stands still until it comes by again."""
    window = filled(1, 1000.0)
    refused(window, 4000.0)
    assert refused(window, 0.0).free_at == 4600.0
    assert taken(window, 4600.0).taken == 4600.0
    assert Window(1).used(math.nan) == 0


def test_memory_is_one_pair_of_numbers_a_second() -> None:
    """A million messages an hour take 3601 pairs at most, and those of the hour before are gone."""
    window = Window(1_000_000)
    permit = taken(window, 0.0, 20_000)
    for tenth in range(20_000):
        window.settle(permit, tenth / 2, 1)
    assert len(list(window.buckets(9999.5))) == 3601
    assert window._seconds.itemsize + window._counts.itemsize <= 16


@dataclass
class Sent:
    """One message as an onlooker sees it: handed over, perhaps accepted, perhaps answered."""

    permit: Permit
    accepted: float | None = None


@dataclass
class Onlooker:
    """What really happened: a list of times, and nothing clever."""

    flying: list[Sent] = field(default_factory=list)
    stamps: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)

    def counted(self, now: float, *, rounded: bool) -> int:
        """How many count: what is in flight, and what has no hour behind it."""
        ends = (math.ceil(at) + HOUR if rounded else at + HOUR for at in self.stamps)
        return len(self.flying) + sum(end > now for end in ends)


class AgainstAnOnlooker(RuleBasedStateMachine):
    """Random operations, each compared with a list of times."""

    @initialize(limit=st.integers(0, 8))
    def start(self, limit: int) -> None:
        """An empty window, at a time that is no whole second."""
        self.window = Window(limit)
        self.seen = Onlooker()
        self.now = 12_345.678
        self.highest = limit

    @rule(seconds=st.one_of(st.floats(0, 3), st.floats(0, HOUR), st.sampled_from([1.0, 3599.0, 3600.0, 3600.5])))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    @rule()
    def wait_for_the_next(self) -> None:
        """Time passes up to when a place is promised; then it is there."""
        full = self.window.take(self.now)
        if isinstance(full, Permit):
            self.window.give_back(full)
        elif full.free_at is not None:
            assert full.free_at > self.now
            assert isinstance(self.window.take(math.nextafter(full.free_at, -math.inf)), Full)
            self.now = full.free_at
            assert self.window.free(self.now) >= 1

    @rule(count=st.integers(1, 4))
    def take(self, count: int) -> None:
        """A permit comes exactly if the list has room for it; a refusal is right up to a second."""
        free = self.window.limit - self.seen.counted(self.now, rounded=True)
        answer = self.window.take(self.now, count)
        assert isinstance(answer, Permit) == (count <= free)
        if isinstance(answer, Permit):
            self.seen.flying += [Sent(answer) for _ in range(count)]
        else:
            a_second_ago = self.window.limit - self.seen.counted(self.now - 1, rounded=False)
            assert a_second_ago < count
            assert answer.used == self.seen.counted(self.now, rounded=True)

    @precondition(lambda self: self.seen.flying)
    @rule(data=st.data())
    def accept(self, data: st.DataObject) -> None:
        """The server accepts one; nobody here knows yet."""
        sent = data.draw(st.sampled_from(self.seen.flying))
        if sent.accepted is None:
            sent.accepted = self.now
            self.seen.accepted.append(self.now)

    @precondition(lambda self: self.seen.flying)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """Its answer is here."""
        sent = data.draw(st.sampled_from(self.seen.flying))
        self.window.settle(sent.permit, self.now, 1)
        self.seen.stamps.append(self.now)
        self.seen.flying.remove(sent)

    @precondition(lambda self: any(sent.accepted is None for sent in self.seen.flying))
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        """One that did not go."""
        sent = data.draw(st.sampled_from([sent for sent in self.seen.flying if sent.accepted is None]))
        self.window.give_back(sent.permit, 1)
        self.seen.flying.remove(sent)

    @rule()
    def crash_and_recover(self) -> None:
        """All permits are lost; what is in flight counts from now."""
        assert self.window.recover(self.now) == len(self.seen.flying)
        self.seen.stamps += [self.now] * len(self.seen.flying)
        self.seen.flying.clear()

    @rule(shift=st.floats(-10_000, 10_000))
    def restart_the_machine(self, shift: float) -> None:
        """Another clock: every time is moved, and the window is made of what was stored."""
        self.crash_and_recover()
        stored = list(self.window.buckets(self.now))
        shift = float(round(shift))
        self.window = Window(self.window.limit)
        self.window.restore(stored, shift)
        self.now += shift
        self.seen.stamps = [at + shift for at in self.seen.stamps]
        self.seen.accepted = [at + shift for at in self.seen.accepted]

    @rule(limit=st.integers(0, 8))
    def change_the_limit(self, limit: int) -> None:
        """It is another one from now on."""
        self.window.limit = limit
        self.highest = max(self.highest, limit)

    @invariant()
    def no_hour_has_too_many(self) -> None:
        """In no span of an hour did the server accept more than the highest limit there was."""
        accepted = sorted(self.seen.accepted)
        for index in range(self.highest, len(accepted)):
            assert accepted[index] - accepted[index - self.highest] > HOUR - 1e-6

    @invariant()
    def the_figures_agree(self) -> None:
        """What is used, free and in flight is what the list says."""
        used = self.seen.counted(self.now, rounded=True)
        assert self.window.used(self.now) == used
        assert self.window.free(self.now) == max(0, self.window.limit - used)
        assert self.window.in_flight == len(self.seen.flying)


TestAgainstAnOnlooker = AgainstAnOnlooker.TestCase


@given(st.lists(st.floats(0, 20_000), max_size=200), st.integers(1, 5))
def test_a_greedy_sender_gets_all_that_is_allowed(tries: list[float], limit: int) -> None:
    """Whoever asks all the time gets exactly what a list of whole seconds would give, and never more in an hour."""
    window, stamps = Window(limit), list[float]()
    for now in sorted(tries):
        live = [at for at in stamps if math.ceil(at) + HOUR > now]
        answer = window.take(now)
        assert isinstance(answer, Permit) == (len(live) < limit)
        if isinstance(answer, Permit):
            window.settle(answer, now)
            stamps.append(now)
    assert all(stamps[i] - stamps[i - limit] >= HOUR for i in range(limit, len(stamps)))
