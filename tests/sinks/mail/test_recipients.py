"""Recipients in every form that entities bring them in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.mail.letter import Mailbox
from sinks.mail.recipients import MOST, Recipients, Wrong, distinct, identity, recipients
from systems.address import fault_of

ANN, BOB = Mailbox("", "ann@example.com"), Mailbox("", "bob@example.com")

good: dict[str, tuple[Any, tuple[Mailbox, ...]]] = {
    "nothing": (None, ()),
    "an empty text": ("", ()),
    "spaces": ("  ", ()),
    "an empty list": ([], ()),
    "a list of nothing": ([None, "", "  "], ()),
    "one": ("ann@example.com", (ANN,)),
    "several": ("ann@example.com, bob@example.com", (ANN, BOB)),
    "a comma too many": ("ann@example.com,, bob@example.com, ", (ANN, BOB)),
    "a name": ('"Lee, Ann" <ann@example.com>, bob@example.com', (Mailbox("Lee, Ann", "ann@example.com"), BOB)),
    "a list": (["ann@example.com", " Bob <bob@example.com>"], (ANN, Mailbox("Bob", "bob@example.com"))),
    "an object": ({"name": "Ann", "address": "ann@example.com"}, (Mailbox("Ann", "ann@example.com"),)),
    "objects": ([{"address": "ann@example.com"}, {"name": None, "address": "bob@example.com"}], (ANN, BOB)),
    "IDN": ("Bjørn <bjørn@blåbær.example>", (Mailbox("Bjørn", "bjørn@blåbær.example"),)),
    "one twice": ("ann@example.com, Ann <ann@EXAMPLE.com>", (ANN,)),
    "two whose case differs": ("ann@example.com, Ann@example.com", (ANN, Mailbox("", "Ann@example.com"))),
}


@pytest.mark.parametrize(("value", "boxes"), good.values(), ids=good)
def test_a_value_names_recipients(value: object, boxes: tuple[Mailbox, ...]) -> None:
    """Texts, lists and objects, each address once; nothing is nobody."""
    assert recipients(value) == Recipients(boxes)


GROUP = "a group; write its addresses one by one"
bad: dict[str, tuple[Any, Wrong]] = {
    "no address": ("n/a", Wrong(0, "n/a", "no `@`")),
    "a group": (
        "friends: ann@example.com, bob@example.com;",
        Wrong(0, "friends: ann@example.com, bob@example.com;", GROUP),
    ),
    "a group in a list": (["friends: ann@example.com;"], Wrong(0, "friends: ann@example.com;", GROUP)),
    "several in one entry": (
        ["ann@example.com,bob@example.com"],
        Wrong(0, "ann@example.com,bob@example.com", "several addresses in one entry; make each an entry of the list"),
    ),
    "a number": (7, Wrong(0, "7", "not a text")),
    "a number in a list": ([True], Wrong(0, "True", "not a text")),
    "a list in a list": ([["ann@example.com"]], Wrong(0, "[…]", "a list within a list")),
    "an object without an address": ([{"name": "Ann"}], Wrong(0, "{…}", "an object without `address`")),
    "an address that is no text": ({"address": 7}, Wrong(0, "7", "`address` is not a text")),
    "a name that is no text": (
        {"name": 7, "address": "ann@example.com"},
        Wrong(0, "ann@example.com", "`name` is not a text"),
    ),
    "a header in a name": (
        {"name": "Ann\r\nBcc: x", "address": "ann@example.com"},
        Wrong(0, "ann@example.com", "a line break or control character"),
    ),
    "a header in a text": (
        "Ann\r\nBcc: x <ann@example.com>",
        Wrong(0, "Ann\ufffd\ufffdBcc: x <ann@example.com>", "a line break or control character"),
    ),
    "a long text": ("x" * 100, Wrong(0, "x" * 59 + "…", "no `@`")),
    "a comment": (
        "ann@example.com(x)bob.example",
        Wrong(0, "ann@example.com(x)bob.example", "not a domain name after `@`"),
    ),
    "an encoded word": (
        "=?utf-8?q?ann=40evil.example?=@example.com",
        Wrong(0, "=?utf-8?q?ann=40evil.example?=@example.com", "an encoded word before `@`"),
    ),
}


@pytest.mark.parametrize(("value", "wrong"), bad.values(), ids=bad)
def test_what_is_no_address_is_said(value: object, wrong: Wrong) -> None:
    """With what was written, short and fit to be shown, and why."""
    assert recipients(value) == Recipients((), (wrong,))


def test_one_wrong_among_several_does_not_hide_the_others() -> None:
    """The sink decides what to do with a mail of which one recipient is wrong."""
    found = recipients("ann@example.com, n/a, bob@example.com")
    assert found == Recipients((ANN, BOB), (Wrong(1, "n/a", "no `@`"),))


def test_a_mail_does_not_go_to_a_whole_list_of_customers() -> None:
    """More than a thousand recipients of one mail are a fault."""
    found = recipients([f"a{number}@example.com" for number in range(MOST + 5)])
    assert len(found.boxes) == MOST
    assert found.wrong == (Wrong(MOST, "", "more than 1000 recipients"),)


def test_an_envelope_has_everybody_once() -> None:
    """Whoever is in To and in Bcc gets one mail."""
    assert distinct((ANN, BOB), (Mailbox("Ann", "ann@EXAMPLE.com"),), ()) == ("ann@example.com", "bob@example.com")
    assert identity("Ann@EXAMPLE.com") == "Ann@example.com"


values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.text(max_size=30),
        st.sampled_from(["a@b.example", "A <a@b.example>"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["name", "address", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(values)
def test_no_value_breaks_it(value: object) -> None:
    """Any JSON gives addresses that are some, and faults fit for a line of text."""
    found = recipients(value)
    assert all(fault_of(box.address) is None for box in found.boxes)
    assert all(wrong.fault and len(wrong.written) <= 60 and "\n" not in wrong.written for wrong in found.wrong)
