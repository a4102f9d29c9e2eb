"""Values that JSON lacks, and the text that stands for them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.entity import (
    EARLIEST,
    LATEST,
    NI,
    URI,
    Date,
    Datetime,
    from_json,
    text_of,
    to_json,
    transit,
    typed,
    typing,
    value_of,
)

# A string that begins with `~` may look like another value, and has no other form.
texts = st.text().filter(lambda text: not text.startswith("~"))
special = st.one_of(
    st.builds(NI, st.text()),
    st.builds(URI, st.text()),
    st.builds(Datetime, st.integers(EARLIEST, LATEST)),
    st.dates().map(lambda day: value_of(f"~t{day.isoformat()}")),
    st.uuids(),
    st.binary(),
    st.decimals(allow_nan=False, allow_infinity=False),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts)
values = st.recursive(
    st.one_of(scalars, special),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=20,
)
plain_values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4))
)


def shape(value: Any) -> Any:
    """A value with the types of all that is in it: 1, 1.0, true and a decimal 1 are four."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__, str(value)


@given(values)
def test_values_come_back_from_json(value: Any) -> None:
    """Every value is written as JSON and read back as the same value of the same type."""
    assert shape(from_json(to_json(value))) == shape(value)
    assert shape(typed(json.loads(to_json(value, ordered=True)))) == shape(value)


@given(st.text())
def test_any_text_after_a_tag_is_a_value_or_stays_text(text: str) -> None:
    """No text makes the reader fail, and what it reads is written so that it reads the same again."""
    for tag in (":", "r", "t", "u", "b", "f", "~", "x", ""):
        found = value_of(f"~{tag}{text}")
        written = text_of(found)
        assert shape(found) == shape(f"~{tag}{text}" if written is None else value_of(written))


@given(st.dictionaries(st.text(), values))
def test_entities_are_read_as_other_values_are(entity: dict[str, Any]) -> None:
    """Whatever they hold already; and of the same identity, if there is nothing to read."""
    read = typing()
    assert shape(read(entity)) == shape(typed(entity))
    plain = transit(entity)
    assert shape(read(plain)) == shape(typed(plain))
    assert (read(plain) is plain) is (typed(plain) is plain)


def test_an_identity_is_a_name() -> None:
    """It stays one, whatever it looks like; so does an entity that is too deep to be looked at quickly."""
    assert typing()({"_id": "~:a", "b": "~:a"}) == {"_id": "~:a", "b": NI("a")}
    assert typing()({"_id": "1", "b": 2**80, "c": "\ud800", "d": URI("x")})["d"] == URI("x")


@given(plain_values)
def test_what_is_plain_is_not_copied(value: Any) -> None:
    """Both ways a value without special values is itself."""
    assert typed(value) is value
    assert transit(value) is value


@given(values)
def test_nothing_is_changed_in_place(value: Any) -> None:
    """Reading and writing leave the value that they are given as it was."""
    before = shape(value)
    typed(transit(value))
    assert shape(value) == before


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("~:crm:42", NI("crm:42")),
        ("~:", NI("")),
        ("~rhttps://example.com/", URI("https://example.com/")),
        ("~t1970-01-01T00:00:00Z", Datetime(0)),
        ("~t1969-12-31T23:59:59.999999999Z", Datetime(-1)),
        ("~t2027-03-28T01:30:00.5Z", Datetime(1806197400_500000000)),
        ("~t1970-01-02", Date(86_400_000_000_000)),
        ("~t0001-01-01T00:00:00Z", Datetime(EARLIEST)),
        ("~t9999-12-31T23:59:59.999999999Z", Datetime(LATEST)),
        ("~u531a379e-31bb-4ce1-8690-158dceb64be6", UUID("531a379e-31bb-4ce1-8690-158dceb64be6")),
        ("~bAAECAwQF", bytes(range(6))),
        ("~b", b""),
        ("~f12345678901234567890.12345678901234567890", Decimal("12345678901234567890.12345678901234567890")),
        ("~f1.0", Decimal("1.0")),
    ],
)
def test_a_text_stands_for_a_value(text: str, value: object) -> None:
    """The text is read as the value, and the value is written as the text."""
    assert shape(value_of(text)) == shape(value)
    assert text_of(value) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "~",
        "~~t2020-01-01",
        "~xabc",
        "~t2020-02-30",
        "~t2020-01-01T00:00:00",
        "~t2020-01-01T24:00:00Z",
        "~t2020-01-01T00:60:00Z",
        "~t2020-01-01T00:00:60Z",
        "~t2020-01-01T00:00:00.1234567890Z",
        "~t0000-01-01",
        "~t٢٠٢٠-٠١-٠١",
        "~u531a379e31bb4ce18690158dceb64be6",
        "~b***",
        "~bAAE",
        "~fNaN",
        "~fInfinity",
        "~f",
        "~f.",
        "~f1_000",
        "~f1e9999999999",
    ],
)
def test_what_follows_a_tag_must_be_right(text: str) -> None:
    """A string that is no value of the type that its tag names is a string."""
    assert value_of(text) is text


def test_values_of_different_types_are_different() -> None:
    """The same text as an identifier, an address and a string are three values; a day is its first moment."""
    assert len({NI("a"), URI("a"), "a"}) == 3
    assert NI("a") == NI("a")
    assert NI("a") < NI("b")
    assert Date(0) == Datetime(0)
    assert Datetime(0) < Datetime(1)
    assert len({Date(0), Datetime(0)}) == 1
    assert Datetime(0) != 0


def test_times_of_the_standard_library() -> None:
    """A time with a zone is moved to UTC, one without is in UTC; nanoseconds are cut."""
    moment = datetime(2027, 3, 28, 3, 30, tzinfo=timezone(timedelta(hours=2)))
    assert str(Datetime.of(moment)) == "2027-03-28T01:30:00Z"
    assert Datetime.of(moment.replace(tzinfo=None)) == Datetime.of(moment.replace(tzinfo=UTC))
    assert Datetime(1_999).moment == datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    for ns in (EARLIEST - 1, LATEST + 1):
        with pytest.raises(ValueError, match="years"):
            Datetime(ns)


def test_equal_values_have_equal_text_in_order() -> None:
    """With `ordered` the order in which properties came does not show, at any depth."""
    one, other = {"b": 1, "a": {"d": NI("x"), "c": 2}}, {"a": {"c": 2, "d": NI("x")}, "b": 1}
    assert to_json(one, ordered=True) == to_json(other, ordered=True) == b'{"a":{"c":2,"d":"~:x"},"b":1}'


def test_a_tilde_may_be_written_as_an_escape() -> None:
    """A reader of JSON sees no difference, and neither does this one."""
    assert from_json(rb'["\u007e:a", "\u007E:b"]') == [NI("a"), NI("b")]


def test_half_characters_survive() -> None:
    """A lone surrogate, which no UTF-8 holds, is written as an escape."""
    assert json.loads(to_json({"a": "\ud800", "b": NI("x")})) == {"a": "\ud800", "b": "~:x"}
    assert json.loads(to_json(["\ud800"], ordered=True)) == ["\ud800"]


def test_half_characters_are_read_back() -> None:
    """What `to_json` writes `from_json` reads, as when a value is looked for; other faults stay."""
    for value in ("\ud800", ["a\udfff~", {"\ud800": 1}], {"_id": "x", "at": NI("a:b"), "t": "\udc00"}):
        assert from_json(to_json(value)) == value
        assert from_json(to_json(value, ordered=True)) == value
    for text in (b'{"a": "\\ud800"', b'["\\ud800", NaN]', b"\xff"):
        with pytest.raises(ValueError, match="JSON is|Invalid|truncated"):
            from_json(text)
