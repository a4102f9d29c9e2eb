"""Addresses: what is one, what is not, and where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.address import fault_of, split

good = [
    "a@example.com",
    "first.last+tag@sub.example.co.uk",
    "o'brien@example.com",
    '"a b"@example.com',
    '"a,b@c"@example.com',
    "a@[192.0.2.1]",
    "a@[IPv6:2001:db8::1]",
    "bjørn@blåbær.example",
    "root@localhost",
    "a" * 64 + "@example.com",
]
bad = [
    ("", "empty"),
    ("ola.nordmann", "no `@`"),
    ("@example.com", "nothing before `@`"),
    ("kari@", "no domain after `@`"),
    ("kari@example", "the domain has no dot"),
    ("a@b@example.com", "two `@`"),
    ("a b@example.com", "a space before `@`"),
    ("a..b@example.com", "a dot at the start, at the end, or twice before `@`"),
    (".a@example.com", "a dot at the start, at the end, or twice before `@`"),
    ("a@-example.com", "not a domain name after `@`"),
    ("a@example..com", "not a domain name after `@`"),
    ("a@exa mple.com", "a space in the domain"),
    ("a@[300.1]", "not an address in the brackets"),
    ("a@example.com\r\nBcc: x@example.com", "a line break or control character"),
    ("a\x00@example.com", "a line break or control character"),
    ("a\u2028@example.com", "a line break or control character"),
    ("a" * 65 + "@example.com", "more than 64 bytes before `@`"),
    ("a@" + "b" * 64 + ".com", "more than 63 characters between two dots"),
    ("a@" + "b" * 60 + (".c" * 100) + ".com", "more than 254 bytes"),
    ("=?utf-8?q?ann=40evil.example=3e?=@example.com", "an encoded word before `@`"),
    ("a(comment)@example.com", "characters before `@` that need quotes"),
    ("mailto:a@example.com", "`mailto:` does not belong here"),
    ("a@example.com.", "a dot at the end"),
    ("a@example.com;b@example.com", "`;` separates nothing here: use commas"),
]
# A list, and what is said of each part of it.
lists = [
    ("a@example.com; b@example.com", ["`;` separates nothing here: use commas"]),
    ("a@example.com;", ["`;` separates nothing here: use commas"]),
    ('"a;b"@example.com, "Lee; Ann" <a@example.com>', [None, None]),
    ("Ann <a@example.com", ["`<` is never closed"]),
    ("Ann <a@example.com, b@example.com", ["`<` is never closed"]),
    ("Ann a@example.com>", ["`>` closes nothing"]),
    ("<a@example.com> Ann", ["text after `>`"]),
    ("Ann <>", ["nothing between `<` and `>`"]),
    ('"Ann <a@example.com>, b@example.com', ['`"` is never closed']),
    ("a@example.com b@example.com", ["a comma is missing between two addresses"]),
    ("a@example.com and b@example.com", ["a comma is missing between two addresses"]),
    ("Ann <a@example.com> Bo <b@example.com>", ["a comma is missing between two addresses"]),
    ("Ann Lee a@example.com", ["`<` and `>` are missing round the address after the name"]),
    ("Ann Lee a@example", ["a space before `@`"]),
    ("a@example.com,", [None, "a comma too many"]),
    (",a@example.com,,b@example.com", ["a comma too many", None, "a comma too many", None]),
    ("", ["empty"]),
    ("  ", ["empty"]),
    ("a@b@example.com, c@example.com", ["two `@`", None]),
    ("Ann <a@example.com>\n", ["a line break or control character"]),
]


@pytest.mark.parametrize("address", good)
def test_addresses_that_servers_take_are_taken(address: str) -> None:
    """The grammar of RFC 5321 and RFC 6531, and the name of this machine."""
    assert fault_of(address) is None


@pytest.mark.parametrize(("address", "reason"), bad)
def test_what_is_no_address_says_why(address: str, reason: str) -> None:
    """Each refusal has its own few words."""
    assert fault_of(address) == reason


def test_a_list_is_split_at_its_own_commas() -> None:
    """Commas in quotes and brackets belong to the address; places are those of the trimmed item."""
    text = '"Lee, Ann" <ann@example.com>,  b@example.com , c'
    assert [(w.name, w.address, text[w.start : w.end], w.fault) for w in split(text)] == [
        ("Lee, Ann", "ann@example.com", '"Lee, Ann" <ann@example.com>', None),
        ("", "b@example.com", "b@example.com", None),
        ("", "c", "c", "no `@`"),
    ]


@pytest.mark.parametrize(("text", "reasons"), lists)
def test_a_list_that_is_written_in_another_way_says_what_is_wrong(text: str, reasons: list[str | None]) -> None:
    """Other separators, brackets and quotes that are open, and commas too many or too few have their own words."""
    assert [written.fault for written in split(text)] == reasons


def test_a_line_break_in_a_display_name_is_refused() -> None:
    """A name cannot bring a header of its own."""
    (written,) = split("Ann\r\nBcc: x@example.com <a@example.com>")
    assert written.fault == "a line break or control character"


@given(st.text(max_size=60))
def test_what_is_taken_cannot_break_a_line(text: str) -> None:
    """No accepted address holds a control character, a surrogate or an unquoted bracket."""
    for written in split(text):
        assert 0 <= written.start <= written.end <= len(text)
        if written.fault is None:
            assert written.address.isprintable() or '"' in written.address or not written.address.isascii()
            assert not any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in text[written.start : written.end])
