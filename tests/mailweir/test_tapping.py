"""Which entities somebody wants to see, and how they are shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.tapping import condition, masked, pretended

ANN = {
    "_id": "ann",
    "email": "Ann@Example.com",
    "n": 7,
    "paid": True,
    "note": None,
    "address": {"city": "Oslo", "zip.code": "0150"},
    "tags": ["new", {"kind": "vip"}],
    "a b": 1,
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('email ends "@example.com"', True),
        ("email begins ann@", True),
        ("email contains 'example'", True),
        ("email is ann@example.com", True),
        ("email is not ann@example.com", False),
        ("email is not bob@example.com", True),
        ("n is 7", True),
        ("n is 70", False),
        ("paid is true", True),
        ("note is null", True),
        ("address.city is oslo", True),
        ("address.zip.code is 0150", True),
        ("tags is new", True),
        ("tags.kind is vip", True),
        ("tags.kind is not vip", False),
        ("email exists", True),
        ("phone exists", False),
        ("phone is not 1", True),
        ("phone is 1", False),
        ("email.city is oslo", False),
    ],
)
def test_conditions(text: str, wanted: bool) -> None:
    """Texts are compared, in small and capital letters alike; of a list one value is enough."""
    assert condition(text)(ANN) is wanted


@pytest.mark.parametrize("text", ["", "email", "email ends", "is x", "email = x", '"a b" is 1'])
def test_what_is_no_condition(text: str) -> None:
    """The form is told."""
    with pytest.raises(ValueError, match="write PROPERTY"):
        condition(text)


def test_addresses_are_shortened() -> None:
    """Wherever they stand; everything else stays as it is."""
    entity: Any = {"to": "Kari Moe <kari.moe@example.com>", "cc": ["a@b.no", 5, None], "n": {"x": "no address"}}
    assert masked(entity) == {"to": "Kari Moe <k…@example.com>", "cc": ["a…@b.no", 5, None], "n": {"x": "no address"}}


def test_addresses_for_test_data() -> None:
    """One that comes again is the same again, in other letters, names and within texts; no two become one."""
    values: list[Any] = [
        {"_id": "Kari@Moe.no", "to": "Kari Moe <kari@moe.no>", "cc": ["ola@dahl.no", 5, None]},
        {"_id": "b", "by": {"ola@dahl.no": "ask ola@dahl.no"}, "at": "user1@example.com", "x": "a@b.test"},
    ]
    assert pretended(values) == (
        [
            {"_id": "user2@example.com", "to": "Kari Moe <user2@example.com>", "cc": ["user3@example.com", 5, None]},
            {
                "_id": "b",
                "by": {"user3@example.com": "ask user3@example.com"},
                "at": "user1@example.com",
                "x": "a@b.test",
            },
        ],
        2,
    )
    assert pretended(pretended(values)[0]) == (pretended(values)[0], 0)


@given(st.text(alphabet="a@. <,", max_size=200))
def test_no_name_is_left(text: str) -> None:
    """Before an `@` with something on both sides stands no more than a letter."""
    for part in masked(text).replace("<", " ").replace(",", " ").split():
        name, at, host = part.partition("@")
        assert not (at and name and host) or len(name.removesuffix("…")) <= 1 or "@" in host


def test_long_texts_are_quick() -> None:
    """A megabyte of letters before one `@` takes no longer than its length asks for."""
    assert masked("a" * 1_000_000 + "@example.com").endswith("…@example.com")
