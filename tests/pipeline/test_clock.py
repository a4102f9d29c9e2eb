"""The clocks of the machine."""

from __future__ import annotations

import time

from pipeline.clock import MachineClock, VirtualClock


def test_the_machine_has_a_clock_that_nobody_sets() -> None:
    """The boot clock goes on, and it is the one that counts sleep where the machine has it."""
    clock = MachineClock()
    first = clock.boot()
    assert clock.boot() >= first
    if hasattr(time, "CLOCK_BOOTTIME"):
        assert abs(clock.boot() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 60


def test_the_wall_clock_is_that_of_the_machine() -> None:
    """It shows seconds since 1970, and whether it is held right is a plain yes or no."""
    clock = MachineClock()
    assert abs(clock.wall() - time.time()) < 60
    assert clock.synchronised() in {True, False}


def test_a_start_of_the_machine_has_one_name() -> None:
    """Two processes of one start agree on it."""
    assert MachineClock().boot_id == MachineClock().boot_id


def test_a_virtual_clock_stands_still_until_it_is_told() -> None:
    """Time passes on both clocks at once; a restart begins the boot clock anew."""
    clock = VirtualClock(boot_time=10.0, wall_time=100.0, boot_id="one")
    clock.advance(5.0)
    assert (clock.boot(), clock.wall(), clock.boot_id) == (15.0, 105.0, "one")
    clock.restart("two", 30.0)
    assert (clock.boot(), clock.wall(), clock.boot_id) == (0.0, 135.0, "two")
    assert clock.synchronised()
