"""How long things took, in buckets."""

from __future__ import annotations

from pipeline.durations import BOUNDS, Durations


def test_a_bound_is_in_its_bucket() -> None:
    """What took exactly as long as a bound says is counted there, and what took longer than all of them last."""
    took = Durations()
    for seconds in (0.0, BOUNDS[0], BOUNDS[-1], BOUNDS[-1] + 1):
        took.add(seconds)
    assert (took.counts[0], took.counts[-2], took.counts[-1]) == (2, 1, 1)


def test_sums_are_sums() -> None:
    """What was counted elsewhere is added bucket by bucket, and stays as it was there."""
    one, other = Durations(), Durations()
    one.add(0.25)
    other.add(0.25)
    other.add(7.25)
    one.add_all(other)
    assert sum(one.counts) == 3
    assert one.seconds == 7.75
    assert sum(other.counts) == 2
