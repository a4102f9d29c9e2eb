"""What the author of a component imports."""

import pytest

import pipeline


def test_every_public_name_is_there() -> None:
    """Each name in `__all__` loads, and another is missing as it is in any module."""
    for name in pipeline.__all__:
        assert getattr(pipeline, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        pipeline.nonsense  # noqa: B018
