"""Hosts and paths: what can be one, what cannot, and where it goes wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.forms import host_form, path_form, port_in

hosts = [
    "mail.example.com",
    "mail.example.com.",
    "localhost",
    "mail-1",
    "my_relay",
    "192.0.2.1",
    "::1",
    "[::1]",
    "2001:db8::25",
    "fe80::1%eth0",
    "blåbær.example",
    "1and1.example",
    "a" * 63 + ".example",
]
# The text, what is said of it, and the characters that are marked.
no_hosts = [
    ("", "is empty", ""),
    ("mail.example.com\n", "has a line break or control character", "\n"),
    ("mail\x00.example.com", "has a line break or control character", "\x00"),
    ("mail\u2028example", "has a line break or control character", "\u2028"),
    (" mail.example.com", "begins or ends with a space", " "),
    ("mail.example.com  ", "begins or ends with a space", "  "),
    ("mail .example.com", "has a space", " "),
    ("mail\u200b.example.com", "has a character that cannot be seen", "\u200b"),
    ("http://mail.example.com", "is a URL, not the name of a server", "http://mail.example.com"),
    ("kari@mail.example.com", "has an `@`, which no server's name has", "@mail.example.com"),
    ("mail.example.com/in", "has a path, which no server has", "/in"),
    ("mail.example.com:587", "has a port in it", ":587"),
    ("mail.example.com:", "has a port in it", ":"),
    ("[::1]:25", "has a port in it", ":25"),
    ("192.0.2.1:25", "has a port in it", ":25"),
    ("[mail.example.com]", "is not an IPv6 address", "[mail.example.com]"),
    ("2001:db8::x", "is not an IPv6 address", "2001:db8::x"),
    ("[::1", "is not an IPv6 address", "[::1"),
    ("300.0.2.1", "is not an IP address", "300.0.2.1"),
    ("192.0.2", "is not an IP address", "192.0.2"),
    ("mail,example.com", "has a `,`, which no name has", ","),
    ("mail..example.com", "has a dot without a name beside it", "."),
    (".example.com", "has a dot without a name beside it", "."),
    ("-mail.example.com", "has a part that begins or ends with `-`", "-mail"),
    ("mail.example-.com", "has a part that begins or ends with `-`", "example-"),
    ("a" * 64 + ".example", "has more than 63 characters between two dots", "a" * 64),
    ("a." * 127 + "ab", "has more than 253 characters", "a." * 127 + "ab"),
]


@pytest.mark.parametrize("text", hosts)
def test_names_and_addresses_are_hosts(text: str) -> None:
    """Also names of containers, names in other alphabets and IPv6 with or without brackets."""
    assert host_form(text) is None


@pytest.mark.parametrize(("text", "words", "marked"), no_hosts)
def test_what_is_no_host_says_why_and_where(text: str, words: str, marked: str) -> None:
    """Each has its own words, and the smallest wrong part is marked."""
    form = host_form(text)
    assert form is not None
    assert (form.words, text[form.start : form.end]) == (words, marked)


def test_a_port_is_told_from_the_last_part_of_an_address() -> None:
    """One colon before digits is a port; anything else with a colon is an address or none."""
    assert port_in("mail.example.com:587") == ("mail.example.com", 587)
    assert port_in("[::1]:25") == ("[::1]", 25)
    assert port_in("::1") is None
    assert port_in("2001:db8::25") is None
    assert port_in("mail.example.com:") is None


@pytest.mark.parametrize("text", ["ca.pem", "/etc/ssl/certs", "../keys/my key.pem", "a~", "ключ.pem"])
def test_any_path_of_a_file_is_one(text: str) -> None:
    """Spaces within, other alphabets and folders above are no fault."""
    assert path_form(text) is None


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        ("", "is empty", ""),
        ("ca.pem\n", "has a line break or control character", "\n"),
        ("a\tb", "has a line break or control character", "\t"),
        ("ca.pem ", "begins or ends with a space", " "),
        ("~/ca.pem", "begins with `~`, which only a shell replaces", "~"),
        ("file:///etc/ca.pem", "is a URL, not a path", "file:///etc/ca.pem"),
        (
            "-----BEGIN CERTIFICATE-----\nMII",
            "holds the text of a file, not its path",
            "-----BEGIN CERTIFICATE-----\nMII",
        ),
    ],
)
def test_what_is_no_path_says_why_and_where(text: str, words: str, marked: str) -> None:
    """What cannot be meant as a path is told before a file is looked for."""
    form = path_form(text)
    assert form is not None
    assert (form.words, text[form.start : form.end]) == (words, marked)


@given(st.text(max_size=40) | st.from_regex(r"[a-z0-9.:\[\]@/_ -]{1,20}", fullmatch=True))
def test_properties_of_what_passes(text: str) -> None:
    """Whatever passes has nothing in it that ends a line or belongs to something else; a fault marks a part of it."""
    for form in (host_form(text), path_form(text)):
        assert form is None or 0 <= form.start <= form.end <= len(text)
    if host_form(text) is None:
        assert text.isprintable()
        assert not set(text) & set(" @/,;<>\"'\\")
