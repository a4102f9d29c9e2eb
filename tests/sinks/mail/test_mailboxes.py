"""Fields of addresses: names that stay names, addresses that stay addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.mail.letter import Mailbox, Refusal, RefusedError
from sinks.mail.mailboxes import is_usual, mailboxes, needs_utf8
from systems.address import fault_of
from tests.sinks.mail.strict_reader import boxes

single = {
    "bare": (Mailbox("", "ann@example.com"), "To: ann@example.com\r\n"),
    "atoms": (Mailbox("Ann Lee", "ann@example.com"), "To: Ann Lee <ann@example.com>\r\n"),
    "a comma": (Mailbox("Lee, Ann", "ann@example.com"), 'To: "Lee, Ann" <ann@example.com>\r\n'),
    "a dot": (Mailbox("Ann B. Lee", "ann@example.com"), 'To: "Ann B. Lee" <ann@example.com>\r\n'),
    "quotes": (Mailbox('Ann "A" \\ Lee', "ann@example.com"), 'To: "Ann \\"A\\" \\\\ Lee" <ann@example.com>\r\n'),
    "not ASCII": (Mailbox("Bjørn", "b@example.com"), "To: =?utf-8?q?Bj=C3=B8rn?= <b@example.com>\r\n"),
    "looks like an address": (Mailbox("ceo@corp", "x@evil.example"), 'To: "ceo@corp" <x@evil.example>\r\n'),
    "looks encoded": (Mailbox("=?x?=", "a@example.com"), "To: =?utf-8?b?PT94Pz0=?= <a@example.com>\r\n"),
    "spaces": (Mailbox("  Ann ", "ann@example.com"), "To: Ann <ann@example.com>\r\n"),
    "nothing but spaces": (Mailbox("  ", "ann@example.com"), "To: ann@example.com\r\n"),
    "IDN": (Mailbox("", "a@blåbær.example"), "To: a@xn--blbr-roah.example\r\n"),
    "quoted local part": (Mailbox("", '"a b"@example.com'), 'To: "a b"@example.com\r\n'),
    "an address literal": (Mailbox("", "a@[192.0.2.1]"), "To: a@[192.0.2.1]\r\n"),
    "half a character": (Mailbox("a\ud83d", "a@example.com"), "To: =?utf-8?b?Ye+/vQ==?= <a@example.com>\r\n"),
}


@pytest.mark.parametrize(("box", "written"), single.values(), ids=single)
def test_a_mailbox_is_written_so(box: Mailbox, written: str) -> None:
    """A name is left, quoted or encoded; a domain has its ASCII form."""
    assert mailboxes("To", (box,), "to") == written


def test_a_list_is_folded_between_mailboxes() -> None:
    """Lines are short, and a name is never broken within its quotes."""
    there = tuple(Mailbox(f"Lee, Ann the {number}.", f"ann{number}@example.com") for number in range(3))
    assert mailboxes("To", there, "to") == (
        'To: "Lee, Ann the 0." <ann0@example.com>, "Lee, Ann the 1."\r\n'
        ' <ann1@example.com>, "Lee, Ann the 2." <ann2@example.com>\r\n'
    )
    assert mailboxes("To", (), "to") == ""


def test_a_utf8_header_holds_addresses_as_they_are() -> None:
    """With SMTPUTF8 neither name nor address is encoded."""
    there = (Mailbox("Bjørn Å.", "bjørn@blåbær.example"),)
    assert mailboxes("To", there, "to", utf8=True) == 'To: "Bjørn Å." <bjørn@blåbær.example>\r\n'


def test_only_what_has_no_ascii_form_needs_utf8() -> None:
    """A domain has one, unless old and new rules of IDNA differ on it; what stands before `@` has none."""
    assert not needs_utf8([Mailbox("Bjørn", "b@blåbær.example"), Mailbox("", "a@example.com")])
    assert needs_utf8([Mailbox("", "a@example.com"), Mailbox("", "bjørn@example.com")])
    assert needs_utf8([Mailbox("", "a@straße.example")])


bad = {
    "a line break in the name": (Mailbox("Ann\r\nBcc: x", "a@example.com"), "a line break or control character", 3),
    "a line break in the address": (Mailbox("", "a@example.com\r\nBcc: x"), "a line break or control character", None),
    "no address": (Mailbox("Ann", ""), "empty", None),
    "a comment": (Mailbox("", "a(x)@example.com"), "characters before `@` that need quotes", None),
    "two": (Mailbox("", "a@example.com,b@example.com"), "two `@`", None),
    "an encoded word": (Mailbox("", "=?utf-8?q?x?=@example.com"), "an encoded word before `@`", None),
    "a name without end": (Mailbox("x" * 241, "a@example.com"), "a name of more than 240 characters", None),
}


@pytest.mark.parametrize(("box", "why", "index"), bad.values(), ids=bad)
def test_what_is_no_mailbox_is_refused(box: Mailbox, why: str, index: int | None) -> None:
    """The fault says which one of the list, and where in its name."""
    with pytest.raises(RefusedError) as caught:
        mailboxes("To", (Mailbox("", "ok@example.com"), box), "to")
    assert caught.value.refusal == Refusal("to.1", why, index)


@given(st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~.@-]{1,80}", fullmatch=True))
def test_the_usual_address_is_an_address(text: str) -> None:
    """The quick look takes nothing that the full look refuses."""
    for address in (text, f"a{text}@example.com", f"a@{text}.com", f"{'a' * 60}{text}"):
        if is_usual(address):
            assert fault_of(address) is None


@given(
    st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=80), min_size=1, max_size=4)
)
def test_any_name_is_read_as_it_was(names: list[str]) -> None:
    """A strict reader sees the names, each with its own address."""
    there = tuple(Mailbox(name, f"a{place}@example.com") for place, name in enumerate(names))
    written = mailboxes("To", there, "to")
    assert all(len(line) <= 76 for line in written.split("\r\n"))
    read = boxes(written.replace("\r\n", "").removeprefix("To: "))
    assert read == tuple((name.strip(" "), address) for name, address in there)
