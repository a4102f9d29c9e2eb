"""Which session takes the next mail, which opens, which closes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.smtp.health import Cause, Ceiling, Circuit, State
from systems.smtp.pool import Assign, Close, Hold, Limits, Open, Plan, Server, Session, Standing, Why, plan

NOW = 10_000.0
LIMITS = Limits(connections=10, messages_per_connection=100, idle_timeout=30.0, connection_max_age=600.0)
BROKEN = Circuit().failed(Cause.NETWORK, NOW, 0.5)  # until NOW + 1.5
HEALING = Circuit().failed(Cause.NETWORK, NOW - 100, 0.5)
A, B = Server("a"), Server("b")


def idle(number: int, server: str = "a", since: float = NOW) -> Session:
    """A session that waits for work."""
    return Session(number, server, Standing.IDLE, NOW, since)


def busy(number: int, server: str = "a", *, room: bool = False) -> Session:
    """A session that sends a message."""
    return Session(number, server, Standing.BUSY, NOW, 0.0, 1, room)


def opening(number: int, server: str = "a") -> Session:
    """A session that is not yet ready."""
    return Session(number, server, Standing.OPENING, NOW)


def closing(number: int, server: str = "a") -> Session:
    """A session that says goodbye."""
    return Session(number, server, Standing.CLOSING, NOW)


def with_most(connections: int) -> Limits:
    """The limits with so many connections."""
    return replace(LIMITS, connections=connections)


def test_nothing_to_do_is_no_plan() -> None:
    """Without work no session opens."""
    assert plan([], 0, [A], LIMITS, NOW) == Plan(())


def test_the_first_session_opens_alone() -> None:
    """It finds out whether the server works; the other messages wait for it."""
    first = plan([], 5, [A], LIMITS, NOW)
    assert first == Plan((Open("a"),), None, held=4, hold=Hold.FIRST)
    assert plan([opening(1)], 5, [A], LIMITS, NOW) == Plan((), None, held=4, hold=Hold.FIRST)


def test_each_message_that_is_left_opens_a_session() -> None:
    """When one is ready, up to the connections that are configured."""
    assert plan([idle(1)], 4, [A], LIMITS, NOW).actions == (Assign(1), *[Open("a")] * 3)
    assert plan([busy(1), opening(2)], 4, [A], LIMITS, NOW).actions == (Open("a"),) * 3
    assert plan([busy(1)], 40, [A], LIMITS, NOW) == Plan((Open("a"),) * 9, None, held=31, hold=Hold.FULL)
    assert plan([busy(n) for n in range(10)], 3, [A], LIMITS, NOW) == Plan((), None, held=3, hold=Hold.FULL)


def test_a_session_that_closes_is_still_a_connection() -> None:
    """Until it is gone no other takes its place."""
    assert plan([busy(1), closing(2)], 3, [A], with_most(2), NOW) == Plan((), None, held=3, hold=Hold.FULL)


def test_the_session_that_was_just_used_goes_first() -> None:
    """So that those that are not needed grow old and close."""
    sessions = [idle(1, since=NOW - 20), idle(2, since=NOW - 1), idle(3, since=NOW - 10)]
    decided = plan(sessions, 2, [A], LIMITS, NOW)
    assert decided.actions == (Assign(2), Assign(3))
    assert decided.look_again == NOW + 10


def test_a_message_rides_behind_another_one() -> None:
    """When no session is idle, a busy one with room takes it, before others open."""
    sessions = [busy(1, room=True), busy(2), idle(3)]
    assert plan(sessions, 3, [A], LIMITS, NOW).actions == (Assign(3), Assign(1), Open("a"))


@pytest.mark.parametrize(
    ("session", "why"),
    [
        (replace(idle(1), messages=100), Why.WORN),
        (replace(idle(1), messages=7, most=7), Why.WORN),
        (replace(idle(1), opened_at=NOW - 600), Why.OLD),
        (idle(1, since=NOW - 30), Why.IDLE),
        (idle(1, "gone"), Why.UNLISTED),
    ],
)
def test_a_session_that_is_used_up_closes(session: Session, why: Why) -> None:
    """It takes no message, and another one opens only when it is gone or there is room."""
    assert plan([session], 0, [A], LIMITS, NOW).actions == (Close(1, why),)
    assert plan([session], 1, [A], with_most(1), NOW).actions == (Close(1, why),)
    assert Assign(1) not in plan([session], 1, [A], LIMITS, NOW).actions


@pytest.mark.parametrize(
    "session",
    [
        replace(busy(1, room=True), messages=100),
        replace(busy(1, room=True), messages=3, most=3),
        replace(busy(1, room=True), opened_at=NOW - 600),
    ],
)
def test_a_session_that_is_used_up_takes_no_riders(session: Session) -> None:
    """It ends with the message that it sends."""
    assert plan([session], 1, [A], with_most(1), NOW).hold is Hold.FULL


def test_an_idle_session_is_looked_at_when_its_time_is_over() -> None:
    """Whichever comes first, its idleness or its age."""
    assert plan([idle(1, since=NOW - 12)], 0, [A], LIMITS, NOW).look_again == NOW + 18
    assert plan([replace(idle(1), opened_at=NOW - 590)], 0, [A], LIMITS, NOW).look_again == NOW + 10


def test_a_server_that_is_out_of_order_is_passed_over() -> None:
    """The next one is home until the wait is over; that time is told."""
    decided = plan([], 2, [Server("a", BROKEN), B], LIMITS, NOW)
    assert decided.actions == (Open("b"),)
    assert decided.look_again == BROKEN.until


def test_when_all_are_out_of_order_messages_wait_for_the_first_to_heal() -> None:
    """The reason and the time are told."""
    later = replace(BROKEN, until=NOW + 60)
    decided = plan([], 2, [Server("a", later), Server("b", BROKEN)], LIMITS, NOW)
    assert decided == Plan((), BROKEN.until, held=2, hold=Hold.SERVERS, until=BROKEN.until)


def test_without_work_nobody_looks_after_a_broken_server() -> None:
    """It is probed when a message waits, or when a server behind it does its work."""
    assert plan([], 0, [Server("a", BROKEN), B], LIMITS, NOW) == Plan(())
    assert plan([], 0, [Server("a", HEALING), B], LIMITS, NOW) == Plan(())
    assert plan([idle(1, "b")], 0, [Server("a", HEALING), B], LIMITS, NOW).actions == ()


def test_a_server_is_probed_by_one_session() -> None:
    """Beside the work that goes on at the server behind it."""
    servers = [Server("a", HEALING), B]
    assert plan([busy(1, "b")], 0, servers, LIMITS, NOW).actions == (Open("a"),)
    assert plan([idle(1, "b")], 1, servers, LIMITS, NOW).actions == (Assign(1), Open("a"))
    assert plan([busy(1, "b"), opening(2, "a")], 0, servers, LIMITS, NOW).actions == ()
    assert plan([], 5, [Server("a", HEALING)], LIMITS, NOW) == Plan((Open("a"),), None, 4, Hold.FIRST)


def test_each_server_before_home_is_probed() -> None:
    """As far as connections go, in order."""
    servers = [Server("a", HEALING), Server("b", HEALING), Server("c")]
    assert plan([busy(1, "c")], 0, servers, LIMITS, NOW).actions == (Open("a"), Open("b"))
    assert plan([busy(1, "c")], 0, servers, with_most(2), NOW).actions == (Open("a"),)


def test_a_session_makes_room_for_a_probe() -> None:
    """If all connections are in use at a server behind: the one that was idle for longest, or the next idle one."""
    servers = [Server("a", HEALING), B]
    full = [busy(1, "b"), idle(2, "b", NOW - 5), idle(3, "b", NOW - 9)]
    assert plan(full, 1, servers, with_most(3), NOW).actions == (Close(3, Why.PROBE), Assign(2))
    full[2] = closing(3, "b")
    assert plan(full, 1, servers, with_most(3), NOW).actions == (Assign(2),)
    riding = [busy(1, "b", room=True), busy(2, "b")]
    assert plan(riding, 1, servers, with_most(2), NOW) == Plan((), None, held=1, hold=Hold.FULL)


def test_ready_sessions_work_whatever_the_circuit_says() -> None:
    """The circuit is about opening new ones."""
    decided = plan([idle(1), busy(2, room=True)], 3, [Server("a", BROKEN)], LIMITS, NOW)
    assert decided == Plan((Assign(1), Assign(2)), BROKEN.until, 1, Hold.SERVERS, BROKEN.until)
    assert plan([idle(1)], 1, [Server("a", HEALING)], LIMITS, NOW).actions == (Assign(1),)


def test_work_goes_home_when_home_works_again() -> None:
    """Sessions behind it close as they become idle, and take no riders."""
    sessions = [idle(1, "a"), idle(2, "b"), busy(3, "b", room=True)]
    assert plan(sessions, 2, [A, B], LIMITS, NOW).actions == (Close(2, Why.HOME), Assign(1), Open("a"))
    assert plan([idle(2, "b")], 1, [A, B], LIMITS, NOW).actions == (Assign(2),)


def test_earlier_servers_go_first() -> None:
    """Sessions at the same server before those behind it."""
    servers = [Server("a", BROKEN), B]
    assert plan([idle(1, "b"), idle(2, "a")], 1, servers, LIMITS, NOW).actions == (Assign(2),)
    riders = [busy(1, "b", room=True), busy(2, "a", room=True)]
    assert plan(riders, 1, servers, LIMITS, NOW).actions == (Assign(2),)


def test_a_crowded_server_keeps_no_more_than_its_ceiling() -> None:
    """Above it the coldest idle ones close, and busy ones take no riders; when it grows is told."""
    server = Server("a", ceiling=Ceiling(2, NOW - 30))
    sessions = [idle(1, since=NOW - 3), idle(2, since=NOW - 9), busy(3), busy(4)]
    closed = plan(sessions, 0, [server], LIMITS, NOW).actions
    assert closed == (Close(2, Why.CROWDED), Close(1, Why.CROWDED))
    riders = [busy(n, room=True) for n in range(3)]
    decided = plan(riders, 1, [server], LIMITS, NOW)
    assert decided == Plan((), NOW + 30, held=1, hold=Hold.CROWDED, until=NOW + 30)
    assert plan(riders[:2], 2, [server], LIMITS, NOW).actions == (Assign(0), Assign(1))


def test_sessions_that_close_are_still_there_for_a_crowded_server() -> None:
    """It has not seen them go, and a probe is no exception."""
    sessions = [busy(1), closing(2)]
    assert plan(sessions, 1, [Server("a", ceiling=Ceiling(2, NOW))], LIMITS, NOW).hold is Hold.CROWDED
    healing = Server("a", HEALING, Ceiling(1, NOW))
    assert plan([busy(1)], 1, [healing], LIMITS, NOW) == Plan((), NOW + 60, 1, Hold.CROWDED, NOW + 60)


def test_while_the_system_is_out_of_order_nothing_opens() -> None:
    """What all servers share is broken; sessions that are ready go on."""
    decided = plan([idle(1)], 3, [A, B], LIMITS, NOW, BROKEN)
    assert decided == Plan((Assign(1),), BROKEN.until, held=2, hold=Hold.SYSTEM, until=BROKEN.until)


def test_a_system_that_heals_is_probed_by_one_session() -> None:
    """One of all servers."""
    assert plan([idle(1)], 4, [A, B], LIMITS, NOW, HEALING) == Plan((Assign(1), Open("a")), None, 2, Hold.FIRST)
    waits = plan([opening(1)], 4, [A], LIMITS, NOW, HEALING)
    assert waits == Plan((), None, held=3, hold=Hold.FIRST)
    servers = [Server("a", HEALING), B]
    assert plan([], 4, servers, LIMITS, NOW, HEALING).actions == (Open("a"),)
    assert plan([busy(1)], 4, [A], LIMITS, NOW, Circuit()).actions == (Open("a"),) * 4


def test_sessions_at_unlisted_servers_only_end() -> None:
    """They count as connections until they are gone, whatever they do."""
    sessions = [opening(1, "x"), busy(2, "x", room=True), idle(3, "x"), closing(4, "x")]
    decided = plan(sessions, 2, [A], with_most(5), NOW)
    assert decided.actions == (Close(3, Why.UNLISTED), Open("a"))
    assert plan([busy(1, "x")], 0, [Server("a", HEALING)], LIMITS, NOW).actions == ()


def test_without_servers_messages_wait() -> None:
    """There is nobody to wait for, so no time is told."""
    assert plan([], 1, [], LIMITS, NOW) == Plan((), None, held=1, hold=Hold.SERVERS)


circuits = st.sampled_from([Circuit(), BROKEN, HEALING, replace(BROKEN, until=NOW + 500)])
ceilings = st.sampled_from([Ceiling(), Ceiling(1, NOW), Ceiling(2, NOW - 90)])
sessions_of_any_kind = st.builds(
    Session,
    number=st.just(0),
    server=st.sampled_from("abcx"),
    standing=st.sampled_from(Standing),
    opened_at=st.floats(NOW - 700, NOW),
    idle_since=st.floats(NOW - 40, NOW),
    messages=st.integers(0, 120),
    room=st.booleans(),
    most=st.none() | st.integers(1, 150),
)


@given(
    st.lists(sessions_of_any_kind, max_size=14),
    st.integers(0, 20),
    st.lists(st.tuples(circuits, ceilings), max_size=3),
    st.integers(1, 14),
    circuits,
)
def test_every_plan_keeps_the_rules(
    found: list[Session],
    waiting: int,
    health: list[tuple[Circuit, Ceiling]],
    connections: int,
    system: Circuit,
) -> None:
    """Whatever is found, in any state: each rule of the head of the module holds for the plan."""
    sessions = {number: replace(one, number=number) for number, one in enumerate(found)}
    servers = [Server(name, *each) for name, each in zip("abc", health, strict=False)]
    limits = with_most(connections)
    decided = plan(list(sessions.values()), waiting, servers, limits, NOW, system)
    touched = Counter(one.session for one in decided.actions if not isinstance(one, Open))
    assigned = [sessions[one.session] for one in decided.actions if isinstance(one, Assign)]
    closed = [sessions[one.session] for one in decided.actions if isinstance(one, Close)]
    opened = Counter(one.server for one in decided.actions if isinstance(one, Open))
    assert all(times == 1 for times in touched.values())
    assert all(one.standing is Standing.IDLE or (one.standing is Standing.BUSY and one.room) for one in assigned)
    assert all(one.standing is Standing.IDLE for one in closed)
    for one in assigned:
        assert one.messages < min(100, one.most or 100)
        assert one.opened_at + 600 > NOW
        assert one.server in {server.name for server in servers}
    check_openings(sessions, servers, opened, connections, system)
    check_waiting(sessions, servers, decided, waiting, system)
    if decided.look_again is not None:
        assert decided.look_again > NOW


def check_openings(
    sessions: dict[int, Session], servers: list[Server], opened: Counter[str], connections: int, system: Circuit
) -> None:
    """Sessions open within every limit, one alone where nothing is known."""
    standing = Counter((one.server, one.standing) for one in sessions.values())
    assert not opened or len(sessions) + opened.total() <= connections
    assert system.state(NOW) is State.CLOSED or opened.total() <= (system.state(NOW) is State.HALF_OPEN)
    names = [server.name for server in servers]
    home = next((one.name for one in servers if one.circuit.state(NOW) is State.CLOSED), None)
    for name, times in opened.items():
        server = servers[names.index(name)]
        there = sum(standing[name, each] for each in Standing)
        assert there + times <= server.ceiling.at(NOW, connections)
        assert server.circuit.state(NOW) is not State.OPEN
        if name != home:
            assert times == 1
            assert not standing[name, Standing.OPENING]
            assert home is None or names.index(name) < names.index(home)
        elif not standing[name, Standing.IDLE] + standing[name, Standing.BUSY]:
            assert times + standing[name, Standing.OPENING] == 1


def check_waiting(
    sessions: dict[int, Session], servers: list[Server], decided: Plan, waiting: int, system: Circuit
) -> None:
    """Each message goes, has a session that opens, or waits for a reason and for a time or an event that will come."""
    names = {server.name for server in servers}
    used = {one.session for one in decided.actions if not isinstance(one, Open)}
    assigned = sum(isinstance(one, Assign) for one in decided.actions)
    opening = sum(isinstance(one, Open) for one in decided.actions)
    opening += sum(one.standing is Standing.OPENING and one.server in names for one in sessions.values())
    assert decided.held == max(0, waiting - assigned - opening)
    assert (decided.hold is None) == (decided.held == 0)
    assert decided.until is None or decided.held
    if waiting > assigned:
        assert all(one.number in used for one in sessions.values() if one.standing is Standing.IDLE)
    if decided.held and servers:
        moving = [one for one in sessions.values() if one.standing is not Standing.IDLE or one.number in used]
        assert decided.until is not None or moving or opening
        assert decided.until is None or (decided.look_again is not None and decided.look_again <= decided.until)
    if decided.hold is Hold.SYSTEM:
        assert decided.until == system.until


def test_a_plan_does_not_depend_on_the_order_of_sessions() -> None:
    """What is chosen is decided by what the sessions are."""
    sessions: Sequence[Session] = [idle(1, since=NOW - 2), idle(2, since=NOW - 1), busy(3), opening(4)]
    assert plan(sessions, 3, [A], LIMITS, NOW) == plan(list(reversed(sessions)), 3, [A], LIMITS, NOW)
