from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from pipeline.dtl.errors import DtlError
from pipeline.dtl.scope import Host
from pipeline.dtl.trial import evaluated


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (["hash128", "md5", "a"], "ALGORITHM is `murmur3`"),
        (["hash128", "murmur3", -1, "a"], "SEED is a whole number from 0 to 4,294,967,295"),
        (["hash128", "murmur3", 1 << 32, "a"], "SEED is a whole number"),
        (["hash128", "murmur3", True, "a"], "SEED is a whole number"),
    ],
)
def test_arguments_that_cannot_be_are_told(expression: Any, told: str) -> None:
    """An algorithm or a seed that there is not."""
    with pytest.raises(DtlError, match=told):
        evaluated(expression, None, None, Host(lambda: 0, lambda: UUID(int=1)))
