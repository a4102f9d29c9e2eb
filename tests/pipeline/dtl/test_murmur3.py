from __future__ import annotations

import pytest

from pipeline.dtl.murmur3 import hash128

# From the reference implementation.
KNOWN = [
    (0, 0),
    (8, 185066449199170379668856864893272655250),
    (9, 167755771708229265659743927757677513038),
    (15, 337464872737011648434686794991812139833),
    (16, 251520341584845516633210170165358170933),
    (17, 96220035799802546902403000939556784853),
    (40, 81252104841807361784098061622824461870),
]


@pytest.mark.parametrize(("size", "expected"), KNOWN)
def test_hashes_are_those_of_the_reference(size: int, expected: int) -> None:
    """Of whole blocks, of what is left behind them, and with a seed."""
    assert hash128(bytes(range(size)), size) == expected
