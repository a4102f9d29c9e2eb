"""Waits that grow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tenacity.wait import wait_exponential

from systems.waits import Growth

GROWTH = Growth(wait_exponential(multiplier=300, max=4000), shortest=10.0, share=0.8)


def test_waits_double_up_to_the_longest() -> None:
    """Each is twice the one before it, until they stay as they are."""
    assert [GROWTH.seconds(number, 1.0) for number in range(1, 7)] == [300, 600, 1200, 2400, 4000, 4000]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_properties_of_jitter(failures: int, jitter: float) -> None:
    """It makes a wait shorter, down to the share of it that holds."""
    high = GROWTH.seconds(failures, 1.0)
    assert 0.8 * high <= GROWTH.seconds(failures, jitter) <= high


def test_no_wait_is_shorter_than_the_shortest() -> None:
    """Also at the first failure, and without jitter."""
    assert Growth(wait_exponential(multiplier=2, max=300), shortest=1.5).seconds(1, 0.0) == 1.5
