"""What a server offers, from whatever it writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.smtp.capabilities import Capabilities, Limits


def test_the_usual_answer_is_read() -> None:
    """Every keyword that the client makes use of."""
    lines = (
        b"mx.example.com at your service",
        b"PIPELINING",
        b"SIZE 35882577",
        b"8BITMIME",
        b"SMTPUTF8",
        b"DSN",
        b"CHUNKING",
        b"XVERP",
        b"STARTTLS",
        b"AUTH SCRAM-SHA-256 PLAIN LOGIN",
        b"LIMITS MAILMAX=100 RCPTMAX=20 RCPTDOMAINMAX=3",
    )
    offers = Capabilities.read(lines)
    assert offers == Capabilities(
        name="mx.example.com",
        keywords=frozenset(
            "PIPELINING SIZE 8BITMIME SMTPUTF8 DSN CHUNKING XVERP STARTTLS AUTH LIMITS".split()  # noqa: SIM905
        ),
        pipelining=True,
        size=True,
        largest=35882577,
        eight_bit=True,
        utf8=True,
        reports=True,
        chunking=True,
        verp=True,
        starttls=True,
        mechanisms=("SCRAM-SHA-256", "PLAIN", "LOGIN"),
        limits=Limits(100, 20, 3),
    )


def test_a_server_that_offers_nothing_has_a_name_at_most() -> None:
    """Neither an empty line nor none at all is an offer."""
    assert Capabilities.read((b"mx",)) == Capabilities(name="mx")
    assert Capabilities.read((b"", b"", b"  ")) == Capabilities()


@pytest.mark.parametrize(
    ("lines", "mechanisms"),
    [
        pytest.param((b"auth plain", b"Auth=LOGIN"), ("PLAIN", "LOGIN"), id="row-17-lower-case-and-equals"),
        pytest.param((b"AUTH PLAIN LOGIN", b"AUTH PLAIN"), ("PLAIN", "LOGIN"), id="row-17-twice"),
        pytest.param((b"  AUTH   PLAIN  ",), ("PLAIN",), id="row-17-spaces"),
        pytest.param((b"AUTH",), (), id="row-17-nothing-behind"),
        pytest.param((b"XAUTH PLAIN", b"\xff\xfe AUTH", b"="), (), id="row-17-unknown"),
        pytest.param((b"AUTH NTLM GSSAPI",), ("NTLM", "GSSAPI"), id="row-108-all-that-is-offered-is-told"),
    ],
)
def test_keywords_are_read_with_patience(lines: tuple[bytes, ...], mechanisms: tuple[str, ...]) -> None:
    """Case, repetition and spaces do not matter; what is unknown is passed over."""
    assert Capabilities.read((b"mx", *lines)).mechanisms == mechanisms


@pytest.mark.parametrize(
    ("line", "largest"),
    [
        pytest.param(b"SIZE", None, id="row-82-absent"),
        pytest.param(b"SIZE 0", None, id="row-82-zero"),
        pytest.param(b"SIZE 1000", 1000, id="row-82-number"),
        pytest.param(b"SIZE -1", None, id="row-83-negative"),
        pytest.param(b"SIZE 1e6", None, id="row-83-no-number"),
        pytest.param(b"SIZE " + b"9" * 4000, None, id="row-83-huge"),
        pytest.param("SIZE ١٢".encode(), None, id="row-83-other-digits"),
        pytest.param(b"SIZE +5", None, id="row-83-sign"),
    ],
)
def test_a_size_is_a_number_or_no_limit(line: bytes, largest: int | None) -> None:
    """What cannot be a size limits nothing; the extension is offered all the same."""
    offers = Capabilities.read((b"mx", line))
    assert (offers.size, offers.largest) == (True, largest)


@pytest.mark.parametrize(
    ("line", "limits"),
    [
        (b"LIMITS rcptmax=5", Limits(recipients=5)),
        (b"LIMITS RCPTMAX=0 MAILMAX=x RCPTDOMAINMAX", Limits()),
        (b"LIMITS OTHER=5 MAILMAX=2", Limits(mails=2)),
    ],
)
def test_limits_are_numbers_or_none(line: bytes, limits: Limits) -> None:
    """A limit of nothing would be no server at all."""
    assert Capabilities.read((b"mx", line)).limits == limits


def test_a_limit_that_shows_is_kept() -> None:
    """What the server said of other limits stays."""
    offers = Capabilities(limits=Limits(mails=5, recipients=100))
    assert offers.with_room_for(3).limits == Limits(mails=5, recipients=3)


def test_optional_parameters_can_be_forgotten() -> None:
    """What a message may need stays; what MAIL can do without goes."""
    offers = Capabilities(size=True, largest=5, reports=True, utf8=True, eight_bit=True, verp=True)
    assert offers.without_parameters() == Capabilities(largest=5, utf8=True, eight_bit=True, verp=True)


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=8).map(tuple))
def test_nothing_that_a_server_writes_is_too_much(lines: tuple[bytes, ...]) -> None:
    """Any lines make capabilities."""
    assert Capabilities.read(lines).largest != 0
