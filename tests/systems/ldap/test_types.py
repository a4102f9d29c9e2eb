"""What a directory says of its attributes, and their values."""

from __future__ import annotations

from uuid import UUID

import pytest

from pipeline.entity import Datetime, datetime_of
from systems.ldap.types import Kind, kind_of, kinds, text_of_time, time_of, value_of

SYNTAX = "1.3.6.1.4.1.1466.115.121.1"


def test_kinds_are_those_of_the_schema() -> None:
    """By each of their names; an attribute below another one has its syntax, and a description is no part of it."""
    found = kinds(
        [
            f"( 1.1 NAME ( 'photo2' 'picture' ) DESC 'as SYNTAX {SYNTAX}.27 has' SYNTAX {SYNTAX}.28 )",
            f"( 1.2 NAME 'count' EQUALITY integerMatch SYNTAX {SYNTAX}.27{{64}} SINGLE-VALUE )",
            "( 1.3 NAME 'counted' SUP counter )",
            "( 1.4 NAME 'counter' SUP count )",
            "( 1.5 NAME 'a' SUP b )",
            "( 1.6 NAME 'b' SUP a )",
            f"( 1.7 NAME 'name' SYNTAX {SYNTAX}.15 )",
            f"( 1.8 SYNTAX {SYNTAX}.27 )",
            f"( 1.9 NAME 'old' SYNTAX '{SYNTAX}.7' )",
        ]
    )
    assert found == {
        "photo2": "bytes",
        "picture": "bytes",
        "count": "int",
        "counted": "int",
        "counter": "int",
        "old": "bool",
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Count", "int"),
        ("count;lang-no", "int"),
        ("cn;binary", "bytes"),
        ("objectGUID", "guid"),
        ("jpegPhoto", "bytes"),
        ("cn", "text"),
    ],
)
def test_a_kind_is_found_by_the_name(name: str, expected: Kind) -> None:
    """Whatever its case and its options; some are known without a schema."""
    assert kind_of(name, {"count": "int"}) == expected


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        ("text", b"K\xc3\xa5re", "Kåre"),
        ("text", b"\xff\x00", b"\xff\x00"),
        ("bytes", b"text", b"text"),
        ("int", b"-7", -7),
        ("int", b"7.5", "7.5"),
        ("int", b"99999999999999999999", "99999999999999999999"),
        ("bool", b"TRUE", True),
        ("bool", b"yes", "yes"),
        ("time", b"20260102030405Z", datetime_of("2026-01-02T03:04:05Z")),
        ("time", b"soon", "soon"),
        ("uuid", b"00112233-4455-6677-8899-aabbccddeeff", UUID("00112233-4455-6677-8899-aabbccddeeff")),
        ("uuid", b"x", "x"),
        ("guid", bytes.fromhex("33221100554477668899aabbccddeeff"), UUID("00112233-4455-6677-8899-aabbccddeeff")),
        ("guid", b"abc", "abc"),
    ],
)
def test_values_have_their_types(kind: Kind, raw: bytes, expected: object) -> None:
    """What does not have the form of its kind is text, and what is no text is bytes."""
    found = value_of(kind, raw)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260102030405Z", "2026-01-02T03:04:05Z"),
        ("20260102030405.25Z", "2026-01-02T03:04:05.25Z"),
        ("20260102030405,0Z", "2026-01-02T03:04:05Z"),
        ("202601020304Z", "2026-01-02T03:04:00Z"),
        ("2026010203.5Z", "2026-01-02T03:30:00Z"),
        ("20260102030405+0130", "2026-01-02T01:34:05Z"),
        ("20260102030405-05", "2026-01-02T08:04:05Z"),
        ("20261231235960Z", "2027-01-01T00:00:00Z"),
        ("20260102030405", None),
        ("20261302030405Z", None),
        ("00010101000000+01", None),
        ("x", None),
    ],
)
def test_times_of_directories_are_moments(text: str, expected: str | None) -> None:
    """In every form that RFC 4517 has for them."""
    found = time_of(text)
    assert (None if found is None else str(found)) == expected


def test_a_moment_is_written_as_directories_take_it() -> None:
    """Parts of a second are left out, towards the past."""
    moment = datetime_of("2026-01-02T03:04:05.9Z")
    assert isinstance(moment, Datetime)
    assert text_of_time(moment.ns) == "20260102030405.0Z"
    assert time_of("20260102030405.0Z") == datetime_of("2026-01-02T03:04:05Z")
