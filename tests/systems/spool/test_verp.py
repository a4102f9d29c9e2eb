"""Return paths that name the recipient."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.address import fault_of
from systems.spool.verp import return_path


@pytest.mark.parametrize(
    ("sender", "recipient", "made"),
    [
        ("news@example.com", "kari@example.org", "news+kari=example.org@example.com"),
        ("news@example.com", "kari+lists@example.org", "news+kari+lists=example.org@example.com"),
        ("news.no@example.com", "a=b@example.org", "news.no+a=b=example.org@example.com"),
        ("news@example.com", '"kari n"@example.org', '"news+kari n=example.org"@example.com'),
        ("news@example.com", r'"a\"b\\c"@example.org', r'"news+a\"b\\c=example.org"@example.com'),
        ('"the news"@example.com', "kari@example.org", '"the news+kari=example.org"@example.com'),
        ("news@example.com", "kari@[192.0.2.1]", '"news+kari=[192.0.2.1]"@example.com'),
        ("news@example.com", "kari@bücher.example", "news+kari=xn--bcher-kva.example@example.com"),
        ("news@example.com", "bjørn@example.org", "news+bjørn=example.org@example.com"),
        ("news@[192.0.2.1]", "kari@example.org", "news+kari=example.org@[192.0.2.1]"),
        ("", "kari@example.org", ""),
        ("news@example.com", "kari@straße.example", "news@example.com"),
        ("news@example.com", f"{'k' * 47}@example.org", f"news+{'k' * 47}=example.org@example.com"),
        ("news@example.com", f"{'k' * 48}@example.org", "news@example.com"),
    ],
)
def test_a_return_path(sender: str, recipient: str, made: str) -> None:
    """The recipient stands in the sender's address, quoted where it must be; what cannot be made stays as it was."""
    assert return_path(sender, recipient) == made


dot_string = st.from_regex(r"[a-z0-9!#$%&'*/?^_`{|}~-]{1,10}(\.[a-z0-9]{1,5}){0,2}", fullmatch=True)
quoted = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12).map(
    lambda text: '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
)
domains = st.from_regex(r"[a-z0-9]{1,8}(\.[a-z0-9]{1,6}){1,2}", fullmatch=True)
addresses = st.builds("{}@{}".format, dot_string | quoted, domains)


@given(addresses, addresses)
def test_properties_of_a_return_path(sender: str, recipient: str) -> None:
    """It is an address at the sender's domain, and a program there can read the recipient from it."""
    made = return_path(sender, recipient)
    assert fault_of(made) is None
    local, _, domain = made.rpartition("@")
    assert domain == sender.rpartition("@")[2]
    if made == sender:
        assert len(sender) + len(recipient) > 64
        return
    text = re.sub(r"\\(.)", r"\1", local[1:-1]) if local.startswith('"') else local
    own = sender.rpartition("@")[0]
    own = re.sub(r"\\(.)", r"\1", own[1:-1]) if own.startswith('"') else own
    name, _, host = text.removeprefix(f"{own}+").rpartition("=")
    wanted, _, wanted_host = recipient.rpartition("@")
    wanted = re.sub(r"\\(.)", r"\1", wanted[1:-1]) if wanted.startswith('"') else wanted
    assert (name, host) == (wanted, wanted_host)
