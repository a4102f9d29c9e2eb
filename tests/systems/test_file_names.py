"""Names of files for messages."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from systems.file_names import dated_name, digest, is_own_name, own_name
from systems.mail import DeliveryReports, Envelope, Message

SAFE = re.compile(r"[0-9TZ.]+-[A-Za-z0-9_.-]*")
MESSAGE = Message("k", Envelope("a@example.com", ("b@example.org", "c@example.org")), b"x")


def test_a_name_is_the_time_and_the_key() -> None:
    """A key of usual characters stands in the name as it is."""
    assert dated_name(1_767_323_045_678_901_234, "welcome.c-1") == "20260102T030405.678901Z-welcome.c-1"


@given(st.text(), st.integers(0, 4 * 10**18))
def test_properties_of_any_name(key: str, at: int) -> None:
    """Whatever the key holds, the name has only safe characters, leads to no other folder and is short."""
    name = dated_name(at, key)
    assert SAFE.fullmatch(name)
    assert len(name) < 130


@given(st.text(), st.text())
def test_properties_of_two_names(one: str, other: str) -> None:
    """Two keys have two names."""
    assert (dated_name(0, one) == dated_name(0, other)) == (one == other)


@given(st.integers(0, 4 * 10**18), st.integers(0, 4 * 10**18))
def test_properties_of_the_order(early: int, late: int) -> None:
    """Names are in the order of their times."""
    early, late = sorted((early, late))
    assert dated_name(early, "") <= dated_name(late, "")


def test_a_name_of_its_own_says_what_the_message_is() -> None:
    """The same message has the same name, and any other one another."""
    names = [
        own_name(one)
        for one in (
            MESSAGE,
            MESSAGE._replace(key="l"),
            MESSAGE._replace(content=b"y"),
            MESSAGE._replace(envelope=MESSAGE.envelope._replace(sender="")),
            MESSAGE._replace(envelope=MESSAGE.envelope._replace(recipients=("b@example.org",))),
            MESSAGE._replace(envelope=MESSAGE.envelope._replace(smtputf8=True)),
            MESSAGE._replace(envelope=MESSAGE.envelope._replace(xverp=True)),
            MESSAGE._replace(envelope=MESSAGE.envelope._replace(reports=DeliveryReports(("NEVER",)))),
        )
    ]
    assert len(set(names)) == len(names)
    assert all(map(is_own_name, names))
    assert own_name(Message("k", Envelope("a@example.com", ("b@example.org", "c@example.org")), b"x")) == names[0]


@given(st.text(), st.text(), st.binary())
def test_properties_of_a_name_of_its_own(key: str, recipient: str, content: bytes) -> None:
    """Whatever a message holds, its name is one."""
    assert is_own_name(own_name(Message(key, Envelope("", (recipient,)), content)))


def test_what_is_no_such_name() -> None:
    """Names of other files are told apart."""
    others = [
        "",
        "a" * 31,
        "a" * 33,
        "g" * 32,
        "A" * 32,
        f"{'a' * 31}\n",
        f".{'a' * 31}",
        "../aaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ]
    assert not any(map(is_own_name, others))


def test_a_digest_is_of_all_bytes() -> None:
    """One bit makes another one."""
    assert digest(b"\x00" * 100) != digest(b"\x00" * 99 + b"\x01")
    assert len(digest(b"", 8)) == 16
