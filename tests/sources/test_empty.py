"""A source without entities."""

from sources.empty import Empty


def test_nothing_comes() -> None:
    """Whatever was read before."""
    assert list(Empty().read(None)) == []
    assert list(Empty().read("5")) == []
