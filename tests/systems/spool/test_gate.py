"""The limit of the system behind, over restarts and crashes."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.disk import Disk, FolderError
from systems.spool.gate import LARGEST, Gate, Times, of_this_machine
from systems.spool.lines import line
from systems.window import HOUR, Full, Permit


@dataclass
class Machine:
    """Clocks that a test sets."""

    clock: float = 1000.0
    wall: float = 1.7e9
    boot: str = "first"

    def times(self) -> Times:
        """As a gate has them."""
        return Times(lambda: self.clock, lambda: self.wall, self.boot)

    def runs(self, seconds: float) -> None:
        """Time goes by."""
        self.clock += seconds
        self.wall += seconds

    def starts_again(self, after: float) -> None:
        """The machine was off for so long."""
        self.wall += after
        self.clock, self.boot = 5.0, "second"


def passes(gate: Gate, most: int = 100) -> list[Permit]:
    """As many as it gives leave for."""
    found: list[Permit] = []
    while len(found) < most and isinstance(permit := gate.take(1), Permit):
        found.append(permit)
    return found


def send(gate: Gate) -> None:
    """One message goes and is accepted."""
    permit = gate.take(1)
    assert isinstance(permit, Permit)
    gate.hand(1)
    gate.settle(permit, 1, 1)


def test_what_was_sent_counts_for_an_hour_over_a_restart(tmp_path: Path) -> None:
    """Exactly as many go as the limit says, whoever asks; an hour after its answer a message counts no more."""
    machine = Machine()
    gate = Gate(tmp_path / "hour", 3, machine.times())
    send(gate)
    machine.runs(600)
    send(gate)
    gate.close()
    machine.runs(600)
    gate = Gate(tmp_path / "hour", 3, machine.times())
    assert len(passes(gate)) == 1
    full = gate.take(1)
    assert isinstance(full, Full)
    assert gate.free_at(full) == HOUR - 1200
    gate.close()
    machine.runs(HOUR - 1200)
    gate = Gate(tmp_path / "hour", 3, machine.times())
    assert len(passes(gate)) == 2
    gate.close()


def test_what_nobody_settled_counts_from_the_recovery(tmp_path: Path) -> None:
    """A process that died with messages on their way: they may have been taken at any time until now."""
    machine = Machine()
    gate = Gate(tmp_path / "hour", 3, machine.times())
    for _ in range(2):
        gate.take(1)
        gate.hand(1)
    gate.close()
    machine.runs(HOUR)
    gate = Gate(tmp_path / "hour", 3, machine.times())
    assert len(passes(gate)) == 1
    gate.close()
    machine.runs(HOUR - 1)
    gate = Gate(tmp_path / "hour", 3, machine.times())
    assert len(passes(gate)) == 1
    gate.close()
    machine.runs(1)
    gate = Gate(tmp_path / "hour", 3, machine.times())
    assert len(passes(gate)) == 3
    gate.close()


def test_what_certainly_did_not_go_does_not_count(tmp_path: Path) -> None:
    """Handed over or not; and of several recipients each counts for itself."""
    gate = Gate(tmp_path / "hour", 3, Machine().times())
    one, other, several = gate.take(1), gate.take(1), gate.take(1)
    assert isinstance(one, Permit)
    assert isinstance(other, Permit)
    assert isinstance(several, Permit)
    gate.settle(one, 0, 0)
    gate.hand(1)
    gate.settle(other, 0, 1)
    gate.settle(several, 0, 0)
    three = gate.take(3)
    assert isinstance(three, Permit)
    gate.hand(3)
    gate.settle(three, 2, 3)
    assert len(passes(gate)) == 1
    gate.close()
    again = Gate(tmp_path / "hour", 3, Machine().times())
    assert len(passes(again)) == 1
    again.close()


@pytest.mark.parametrize(("off", "free"), [(0.0, 1), (1800.0, 1), (HOUR - 1, 1), (HOUR + 1, 3), (-86_400.0, 1)])
def test_times_go_over_to_the_clock_of_another_start(tmp_path: Path, off: float, free: int) -> None:
    """By the time of day; if that was set back, what was sent counts for an hour from now and not for longer."""
    machine = Machine()
    gate = Gate(tmp_path / "hour", 3, machine.times())
    send(gate)
    send(gate)
    gate.close()
    machine.starts_again(off)
    gate = Gate(tmp_path / "hour", 3, machine.times())
    assert len(passes(gate)) == free
    gate.close()
    machine.runs(HOUR + 1)
    gate = Gate(tmp_path / "hour", 3, machine.times())
    assert len(passes(gate)) == 3
    gate.close()


def test_the_time_of_day_means_nothing_while_the_machine_runs(tmp_path: Path) -> None:
    """Set forward by a day, nothing more goes."""
    machine = Machine()
    gate = Gate(tmp_path / "hour", 1, machine.times())
    send(gate)
    gate.close()
    machine.wall += 86_400
    gate = Gate(tmp_path / "hour", 1, machine.times())
    assert passes(gate) == []
    gate.close()


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    """It is written anew with what counts, and a limit of any size fits into it."""
    machine = Machine()
    path = tmp_path / "hour"
    fast = FastDisk()
    gate = Gate(path, 10_000_000, machine.times(), fast)
    largest = 0
    for _ in range(30_000):
        send(gate)
        machine.runs(0.3)
        largest = max(largest, path.stat().st_size)
    gate.close()
    assert LARGEST / 2 < largest < 1.1 * LARGEST
    gate = Gate(path, 10_000_000, machine.times(), fast)
    full = gate.take(10_000_000)
    assert isinstance(full, Full)
    assert 11_999 <= full.used <= 12_004
    gate.close()


class FastDisk(Disk):
    """Does not wait for the disk."""

    def write_at(self, handle: int, data: bytes, offset: int, *, safe: bool = True) -> None:
        """As if it need not be safe."""
        super().write_at(handle, data, offset, safe=False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}\n",
        b"words",
        line({"boot": "first"}),
        line({"boot": "first", "clock": 1, "wall": 1, "counts": [[1]], "flying": 0}),
        line({"boot": "first", "clock": 1, "wall": 1, "counts": [[1, -5]], "flying": 0}),
        line({"boot": "first", "clock": 1, "wall": 1, "counts": [], "flying": 0}) + line({"other": 1}),
        line({"boot": "first", "clock": 1, "wall": 1, "counts": [], "flying": 0}).replace(b"0", b"1")
        + line({"hand": 1}),
    ],
)
def test_a_file_that_cannot_be_believed_lets_nothing_out(tmp_path: Path, data: bytes) -> None:
    """Nobody knows how much was sent, so nothing is; a person is told what to do."""
    path = tmp_path / "hour"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(FolderError, match="it does not say any more how much was sent") as raised:
        Gate(path, 3, Machine().times())
    assert f"rm {path}" in raised.value.advice
    assert path.read_bytes() == data


def test_a_line_that_could_not_be_written_is_not_let_out(tmp_path: Path, faulty: Any) -> None:
    """On a full disk a hand-over fails, and the next line stands where it should when there is room again."""
    disk = faulty()
    gate = Gate(tmp_path / "hour", 3, Machine().times(), disk)
    permit = gate.take(1)
    assert isinstance(permit, Permit)
    disk.at, disk.for_good = disk.count + 1, False
    with pytest.raises(OSError, match="No space"):
        gate.hand(1)
    gate.settle(permit, 0, 0)
    send(gate)
    gate.close()
    gate = Gate(tmp_path / "hour", 3, Machine().times())
    assert len(passes(gate)) == 2
    gate.close()


@given(
    steps=st.lists(st.sampled_from(["take", "hand", "accept", "refuse", "wait"]), max_size=30), at=st.integers(0, 60)
)
def test_properties_of_a_kill(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], at: int, faulty: Any, killed: Any
) -> None:
    """Killed at any operation, in whatever state: never more than the limit go within an hour."""
    limit = 3
    path = tmp_path_factory.mktemp("gate") / "hour"
    machine = Machine()
    taken: list[Permit] = []
    flying: list[Permit] = []
    gone: list[float] = []
    gate = None
    with suppress(killed):
        gate = Gate(path, limit, machine.times(), faulty(at, kill=True))
        for step in steps:
            match step:
                case "take":
                    taken += passes(gate, 1)
                case "hand" if taken:
                    gate.hand(1)
                    flying.append(taken.pop())
                case "accept" if flying:
                    gone.append(machine.clock)
                    gate.settle(flying.pop(), 1, 1)
                case "refuse" if flying:
                    gate.settle(flying.pop(), 0, 1)
                case "wait":
                    machine.runs(1000)
    if gate:
        gate.close()
    # Whatever was on its way is accepted at the last moment.
    gone += [machine.clock] * len(flying)
    again = Gate(path, limit, machine.times())
    free = len(passes(again))
    again.close()
    within = sum(when > machine.clock - HOUR for when in gone)
    assert free + within <= limit


def test_the_clocks_of_this_machine() -> None:
    """They run, and know which start of the machine this is."""
    times = of_this_machine()
    assert times.clock() <= times.clock()
    assert times.wall() > 1.7e9
    assert times == (times.clock, times.wall, of_this_machine().boot)
    if os.path.exists("/proc/sys/kernel/random/boot_id"):  # noqa: PTH110 - as the machine has it
        assert times.boot
