"""When pipes run, in virtual time."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cron import Cron
from pipeline.schedule import (
    CORRECTION,
    JITTER,
    LEAST_PAUSE,
    LONGEST_BACKOFF,
    Kind,
    Plan,
    Record,
    Seat,
    begun,
    due,
    ended,
    gone_back,
    kind_of,
    looked,
    seat,
)
from pipeline.state.facts import Moment

MIDDAY = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
chances = st.floats(0, 1, exclude_max=True)
intervals = st.floats(0, 100_000)


class Began(NamedTuple):
    """A run of the service below: when it began and ended, on both clocks."""

    at: Moment
    until: Moment
    kind: Kind


def served(
    plan: Plan,
    record: Record,
    now: Moment,
    until: float,
    *,
    takes: list[float],
    jumps: list[float] | None = None,
    chance: float = 0.5,
) -> tuple[list[Began], Record]:
    """What a service does that obeys the schedule until a steady time: `takes` are how long its runs take, in turn.

    `jumps` are what somebody does to the wall clock in each pause, in turn.
    """
    runs: list[Began] = []
    place = seat(plan, record, now, chance, starting=True)
    jumps = list(jumps or ())
    while True:
        if jumps:
            now = Moment(now.steady, now.wall + jumps.pop(0))
        place = looked(place, now)
        next_run = due(plan, place, now)
        if next_run is None or now.steady + max(0.0, next_run.seconds) > until:
            return runs, record
        wait = max(0.0, next_run.seconds)
        if jumps:  # it sleeps for a moment only, to hear of the next jump
            wait = min(wait, 1.0)
        now = Moment(now.steady + wait, now.wall + wait)
        if wait < next_run.seconds:
            continue
        kind = kind_of(plan, record, now.wall, positioned=record.started is not None)
        record = begun(record, plan, kind, now.wall)
        took = takes[len(runs) % len(takes)]
        start, now = now, Moment(now.steady + took, now.wall + took)
        record = ended(record, now.wall, failed=False)
        runs.append(Began(start, now, kind))
        place = seat(plan, record, now, chance, took=now.steady - start.steady)


@given(intervals, chances, st.lists(st.floats(0, 5000), min_size=1, max_size=5))
def test_interval(interval: float, chance: float, takes: list[float]) -> None:
    """Runs begin an interval apart, give or take 5 %, or when the one before has ended; never two at once."""
    plan = Plan(interval=interval)
    runs, _ = served(plan, Record(), Moment(5.0, MIDDAY), 5.0 + 20 * (interval + 1), takes=takes, chance=chance)
    assert runs[0].at.steady == 5.0
    for before, run in itertools.pairwise(runs):
        assert run.at.steady >= before.until.steady + LEAST_PAUSE - 1e-6
        apart = run.at.steady - before.at.steady
        assert apart >= interval * (1 - JITTER) - 1e-6
        took = before.until.steady - before.at.steady
        assert apart <= max(interval * (1 + JITTER), took + LEAST_PAUSE) + 1e-6


@given(st.lists(st.floats(-1e9, 1e9), max_size=20), st.floats(1, 1000))
def test_interval_ignores_the_wall_clock(jumps: list[float], interval: float) -> None:
    """Whatever somebody does to the wall clock, an interval is an interval."""
    runs, _ = served(
        Plan(interval=interval), Record(), Moment(0.0, MIDDAY), 10 * interval, takes=[0.0], jumps=jumps, chance=0.5
    )
    for before, run in itertools.pairwise(runs):
        assert run.at.steady - before.at.steady == pytest.approx(max(interval, LEAST_PAUSE))


@given(st.floats(0, 10_000), st.floats(1, 5000), chances)
def test_interval_over_a_restart(ago: float, interval: float, chance: float) -> None:
    """After a restart a pipe is due when its interval has passed since its last run, and at once if it has."""
    plan = Plan(interval=interval)
    record = Record("- / -", MIDDAY - ago, MIDDAY - ago, completed=True)
    found = due(plan, seat(plan, record, Moment(77.0, MIDDAY), chance, starting=True), Moment(77.0, MIDDAY))
    assert found is not None
    assert found.seconds == pytest.approx(max(0.0, interval * (1 + JITTER * (2 * chance - 1)) - ago), abs=1e-6)


zones = st.sampled_from(["Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"])


@given(zones, st.integers(0, 23), st.integers(0, 59), st.integers(0, 364), st.integers(0, 86_399))
def test_daily_run_over_changes_of_the_clock(zone: str, hour: int, minute: int, day: int, second: int) -> None:
    """A daily run comes once on each day that clocks show, whatever the zone does to its clocks."""
    here = ZoneInfo(zone)
    plan = Plan(cron=Cron(f"{minute} {hour} * * *", here))
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day, seconds=second)
    days = 12
    runs, _ = served(plan, Record(), Moment(0.0, start.timestamp()), days * 86_400.0, takes=[30.0])
    shown = [datetime.fromtimestamp(run.at.wall, UTC).astimezone(here) for run in runs]
    assert len({one.date() for one in shown}) == len(shown)
    first = start.astimezone(here).date()
    wanted = [first + timedelta(days=number) for number in range(1, days)]
    assert [one.date() for one in shown if one.date() in wanted] == wanted
    for one in shown:
        # In a gap it comes at the end of it, at most an hour late.
        late = timedelta(hours=one.hour - hour, minutes=one.minute - minute)
        assert timedelta(0) <= late <= timedelta(hours=1)


@given(zones, st.integers(0, 364), st.sampled_from(["*/15 * * * *", "0 * * * *", "7 */2 * * *"]))
def test_hours_pass_over_changes_of_the_clock(zone: str, day: int, expression: str) -> None:
    """What runs by hours or minutes goes on by those that pass, through an hour that comes twice too."""
    cron = Cron(expression, ZoneInfo(zone))
    at = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)).timestamp()
    most = {"*/15 * * * *": 900, "0 * * * *": 3600, "7 */2 * * *": 3 * 3600}[expression]
    for _ in range(100):
        found = cron.after(at)
        assert found is not None
        assert 0 < found - at <= most + 1800  # Lord Howe moves its clocks by half an hour
        at = found


@pytest.mark.parametrize(
    ("expression", "zone", "after", "runs"),
    [
        ("30 2 * * *", "Europe/Oslo", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        ("30 2 * * *", "Europe/Oslo", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("30 2 * * *", "Europe/Oslo", "2026-10-25T01:10", ["2026-10-26T01:30"]),
        ("30 2 * * *", "UTC", "2026-03-28T12:00", ["2026-03-29T02:30", "2026-03-30T02:30"]),
        ("0 12 1 1 ? 2030", "UTC", "2026-03-28T12:00", ["2030-01-01T12:00"]),
        ("0 12 31 12 * 2027,2029-2030", "UTC", "2027-12-31T12:00", ["2029-12-31T12:00", "2030-12-31T12:00"]),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("0 6 * * MON", "UTC", "1969-01-01T00:00", ["1970-01-05T06:00"]),
    ],
)
def test_times(expression: str, zone: str, after: str, runs: list[str]) -> None:
    """The times of an expression, also where days have 23 or 25 hours, and in years that are named."""
    cron = Cron(expression, ZoneInfo(zone))
    at = datetime.fromisoformat(f"{after}Z").timestamp()
    for run in runs:
        found = cron.after(at)
        assert found is not None
        assert datetime.fromtimestamp(found, UTC).isoformat()[:16] == run
        at = found


def test_no_time_left() -> None:
    """An expression whose years are over, and one for a clock that is far off, have no next time."""
    assert Cron("0 0 * * * 2020-2022").after(MIDDAY) is None
    plan = Plan(cron=Cron("0 0 * * * 2020"))
    now = Moment(0.0, MIDDAY)
    assert due(plan, seat(plan, Record(), now, 0.5, starting=True), now) is None


@given(st.floats(60, 400 * 3600.0))
def test_what_was_missed_is_made_up_for_once(away: float) -> None:
    """After the service was away one run makes up for all times that passed; if none did, it waits for the next."""
    plan = Plan(cron=Cron("0 6 * * *"))
    began = datetime(2026, 3, 2, 6, tzinfo=UTC).timestamp()
    record = ended(begun(Record(), plan, Kind.FULL, began), began + 5, failed=False)
    now = Moment(0.0, began + away)
    runs, _ = served(plan, record, now, 86_400.0, takes=[1.0])
    if away >= 86_400:
        assert runs[0].at == now
    later = [run.at.wall for run in runs if run.at != now]
    assert later
    assert all(wall % 86_400 == 6 * 3600 for wall in later)
    assert len(later) == len(set(later))


@given(st.floats(1, CORRECTION - 60))
def test_clock_set_back_a_little(back: float) -> None:
    """What a clock shows a second time because it was set back by less than three hours is not run again."""
    plan = Plan(cron=Cron("*/5 * * * *"))
    began = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
    record = ended(begun(Record(), plan, Kind.FULL, began), began + 1, failed=False)
    now = Moment(0.0, began + 1 - back)
    place = looked(seat(plan, record, now, 0.5, took=1.0), now)
    found = due(plan, place, now)
    assert found is not None
    assert found.wall == pytest.approx(began + 300)


@given(st.floats(CORRECTION + 60, 1e9))
def test_clock_set_back_a_lot(back: float) -> None:
    """A clock that was far ahead does not stop a pipe until that time comes: the next time from now on counts."""
    plan = Plan(cron=Cron("*/5 * * * *"), interval=60)
    record = ended(begun(Record(), plan, Kind.FULL, MIDDAY), MIDDAY + 1, failed=False)
    now = Moment(0.0, MIDDAY - back)
    place = looked(seat(plan, record, now, 0.5, took=1.0), now)
    found = due(plan, place, now)
    assert found is not None
    assert 0 < found.seconds <= 300


@given(st.floats(0, 1e9))
def test_clock_set_forward(ahead: float) -> None:
    """However far a clock jumps ahead, one run comes of it."""
    plan = Plan(cron=Cron("0 * * * *"))
    runs, _ = served(plan, Record(), Moment(0.0, MIDDAY + 60), 3000.0, takes=[1.0], jumps=[0.0, ahead])
    assert len(runs) <= 1 + (ahead % 3600 > 500)


@pytest.mark.parametrize(
    ("plan", "seconds"),
    [
        (Plan(mode="off"), None),
        (Plan(mode="off", at_startup=True), None),
        (Plan(mode="manual"), None),
        (Plan(mode="manual", cron=Cron("* * * * *"), rescan_cron=Cron("* * * * *")), None),
        (Plan(mode="manual", at_startup=True), 0.0),
        (Plan(interval=60), 0.0),
        (Plan(cron=Cron("0 13 * * *")), 3600.0),
        (Plan(cron=Cron("0 13 * * *"), at_startup=True), 0.0),
        (Plan(cron=Cron("0 13 * * *"), at_startup_if_new=True), 0.0),
        (Plan(cron=Cron("0 14 * * *"), rescan_cron=Cron("0 13 * * *")), 3600.0),
    ],
)
def test_first_time(plan: Plan, seconds: float | None) -> None:
    """When a pipe that never ran begins, once its service starts."""
    now = Moment(3.0, MIDDAY)
    found = due(plan, seat(plan, Record(), now, 0.5, starting=True), now)
    assert (None if found is None else found.seconds) == seconds


def test_startup_of_one_that_has_completed() -> None:
    """Who is to begin at startup unless it is populated waits for its time once it has completed a run."""
    plan = Plan(cron=Cron("0 13 * * *"), at_startup_if_new=True)
    record = ended(begun(Record(), plan, Kind.FULL, MIDDAY - 60), MIDDAY - 50, failed=False)
    now = Moment(3.0, MIDDAY)
    found = due(plan, seat(plan, record, now, 0.5, starting=True), now)
    assert found is not None
    assert found.seconds == 3600.0


def test_changed_expression_owes_nothing() -> None:
    """Of a new expression the times before the change are not made up for."""
    record = ended(begun(Record(), Plan(cron=Cron("0 13 * * *")), Kind.FULL, MIDDAY - 7200), MIDDAY, failed=False)
    now = Moment(3.0, MIDDAY)
    plan = Plan(cron=Cron("0 11 * * *"))
    found = due(plan, seat(plan, record, now, 0.5, starting=True), now)
    assert found is not None
    assert found.seconds == 23 * 3600


def test_interrupted() -> None:
    """A run that was killed begins anew at once, three times in a row; then it waits for its usual time."""
    plan = Plan(cron=Cron("0 13 * * *"))
    record, now = Record(), Moment(0.0, MIDDAY)
    waits = []
    for _ in range(5):
        record = begun(record, plan, Kind.FULL, MIDDAY)
        found = due(plan, seat(plan, record, now, 0.5, starting=True), now)
        waits.append(found and found.seconds)
    assert waits == [0.0, 0.0, 3600.0, 3600.0, 3600.0]
    record = ended(record, MIDDAY, failed=False)
    assert record.interrupted == 0


def test_failures_back_off() -> None:
    """Runs of a short interval that fail come less and less often, until one works: in the end every five minutes."""
    plan, record = Plan(interval=10), Record()
    pauses = []
    for _ in range(8):
        record = ended(begun(record, plan, Kind.FULL, MIDDAY), MIDDAY, failed=True)
        found = seat(plan, record, Moment(0.0, MIDDAY), 0.5, took=0.0)
        pauses.append(found.at)
    assert pauses == [20, 40, 80, 160, 300, 300, 300, 300]
    assert seat(Plan(interval=900), record, Moment(0.0, MIDDAY), 0.5, took=0.0).at == 900 >= LONGEST_BACKOFF
    record = ended(begun(record, plan, Kind.FULL, MIDDAY), MIDDAY, failed=False)
    assert seat(plan, record, Moment(0.0, MIDDAY), 0.5, took=0.0).at == 10


def kinds(plan: Plan, count: int, every: float = 3600.0, failing: frozenset[int] = frozenset()) -> list[str]:
    """The first letters of what these runs read."""
    record, wall, found = Record(), MIDDAY, []
    for number in range(count):
        kind = kind_of(plan, record, wall, positioned=record.completed)
        record = ended(begun(record, plan, kind, wall), wall + 1, failed=number in failing)
        found.append(kind.value[0])
        wall += every
    return found


def test_rescans() -> None:
    """Every so many runs, or by the clock, one reads everything or goes back a little; everything wins."""
    assert "".join(kinds(Plan(), 4)) == "fiii"
    assert "".join(kinds(Plan(rescan_runs=3), 8)) == "fiifiifi"
    assert "".join(kinds(Plan(rescan_runs=1), 3)) == "fff"
    assert "".join(kinds(Plan(partial_runs=2), 6)) == "fipipi"
    assert "".join(kinds(Plan(rescan_runs=4, partial_runs=2), 9)) == "fipifipif"
    assert "".join(kinds(Plan(rescan_cron=Cron("0 0 * * *")), 14)) == "fiiiiiiiiiiifi"
    # One that failed is owed still.
    assert "".join(kinds(Plan(rescan_cron=Cron("0 0 * * *")), 16, failing=frozenset({12, 13}))) == "fiiiiiiiiiiifffi"
    assert "".join(kinds(Plan(rescan_runs=3), 8, failing=frozenset({3}))) == "fiiffiif"


def test_rescan_is_a_time_to_run() -> None:
    """A pipe with a long interval begins when its rescan is due, once."""
    plan = Plan(interval=86_400 * 30, rescan_cron=Cron("0 0 * * *"))
    runs, _ = served(plan, Record(), Moment(0.0, MIDDAY), 3 * 86_400.0, takes=[5.0])
    assert [(run.at.steady, run.kind) for run in runs] == [
        (0.0, "full"),
        (43_200.0, "full"),
        (43_200.0 + 86_400, "full"),
        (43_200.0 + 2 * 86_400, "full"),
    ]


def test_rescan_after_a_clock_that_was_wrong() -> None:
    """A rescan that a wrong clock has put decades ahead is counted anew from the next run on."""
    plan = Plan(rescan_cron=Cron("0 0 * * *"))
    record = ended(begun(Record(), plan, Kind.FULL, MIDDAY + 1e9), MIDDAY, failed=False)
    record = ended(begun(record, plan, Kind.INCREMENTAL, MIDDAY), MIDDAY + 1, failed=False)
    assert kind_of(plan, record, MIDDAY + 3600, positioned=True) is Kind.INCREMENTAL
    assert kind_of(plan, record, MIDDAY + 13 * 3600, positioned=True) is Kind.FULL


def test_a_rescan_when_the_pipe_has_become_another() -> None:
    """Once, as soon as a reading of all has come to its end; where nobody wants that, never."""
    record = ended(begun(Record(), Plan(made="a"), Kind.FULL, MIDDAY), MIDDAY, failed=False)

    def reads(plan: Plan) -> Kind:
        return kind_of(plan, record, MIDDAY, positioned=True)

    assert [reads(Plan(made=made)) for made in ("a", "b", "")] == [Kind.INCREMENTAL, Kind.FULL, Kind.INCREMENTAL]
    plan = Plan(made="b")
    record = begun(record, plan, Kind.FULL, MIDDAY)
    assert reads(plan) is Kind.FULL  # it was killed
    record = ended(record, MIDDAY, failed=True)
    assert reads(plan) is Kind.FULL
    record = ended(begun(record, plan, Kind.FULL, MIDDAY), MIDDAY, failed=False)
    assert reads(plan) is Kind.INCREMENTAL


def test_off_and_on() -> None:
    """A pipe that was off owes nothing when it is switched on."""
    off = seat(Plan(mode="off"), Record(), Moment(0.0, MIDDAY), 0.5)
    assert off == Seat(None, MIDDAY)


@pytest.mark.parametrize(
    ("since", "delta", "before"),
    [
        ("1000", 60, "940"),
        ("10", 60, "-50"),
        ("2026-03-01T00:00:30Z", 60, "2026-02-28T23:59:30Z"),
        ("2026-03-01 00:00:30.123456789+02:00", 60, "2026-02-28 23:59:30.123456789+02:00"),
        ("~t2026-03-01T00:00:30.5Z", 30, "~t2026-03-01T00:00:00.5Z"),
        ("2026-03-01T00:00:30", 1, "2026-03-01T00:00:29"),
        ("2026-13-01T00:00:30", 1, None),
        ("0001-01-01T00:00:00Z", 1, None),
        ("812.17.0a1b2c", 60, None),
        ("", 60, None),
    ],
)
def test_going_back(since: str, delta: int, before: str | None) -> None:
    """A partial rescan goes back in positions that are times or numbers; in others it cannot."""
    assert gone_back(since, delta) == before
