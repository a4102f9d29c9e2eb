from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from pipeline.dtl.errors import DtlError
from pipeline.dtl.scope import Host
from pipeline.dtl.trial import evaluated
from pipeline.entity import transit, typed


def value_of(expression: Any) -> Any:
    """What an expression gives, as JSON."""
    return transit(evaluated(typed(expression), None, None, Host(lambda: 0, lambda: UUID(int=1))))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (["phonenumber-parse", "no", "22225555"], "~rtel:+47-22-22-55-55"),
        (["phonenumber-parse", "NO", "+46 8 123 456 78"], "~rtel:+46-8-123-456-78"),
        (["phonenumber-parse", "US", "(650) 253-0000 ext. 5"], "~rtel:+1-650-253-0000;ext=5"),
        (["phonenumber-parse", "NO", "12345678"], None),
        (["phonenumber-parse", "NO", 10**40], None),
        (["phonenumber-parse", "NO", "2" * 5000], None),
        (["phonenumber-parse", "NO", "~rtel:+47-22-22-55-55"], None),
        (["phonenumber-format", "isocode", "~rtel:+47-1"], None),
        (["phonenumber-format", "national", "~rtel:112"], None),
        (["phonenumber-format", "national", "~rsip:+47-22-22-55-55"], None),
        (["phonenumber-format", "rfc3966", "~rtel:+4722225555"], "tel:+47-22-22-55-55"),
    ],
)
def test_what_is_a_number(expression: Any, expected: Any) -> None:
    """What the country's plan has; with a country code the region does not matter."""
    assert value_of(expression) == expected


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (["phonenumber-parse", "XX", "22225555"], "REGION is a country"),
        (["phonenumber-parse", 47, "22225555"], "REGION is a country"),
        (["phonenumber-format", "E164", "~rtel:+47-22-22-55-55"], "FORMAT is one of `e164`, `rfc3966`"),
    ],
)
def test_arguments_that_cannot_be_are_told(expression: Any, told: str) -> None:
    """A country or a format that there is not."""
    with pytest.raises(DtlError) as caught:
        value_of(expression)
    assert told in str(caught.value)
