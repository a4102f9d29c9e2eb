"""The wall in front of the wire: addresses, parameters and names that can stand in a command, and no others."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from systems.mail import DeliveryReports
from systems.smtp.commands import (
    LONGEST_ENVELOPE_ID,
    NAMELESS,
    fault_of_reports,
    host_name,
    is_mechanism,
    mail_reports,
    recipient_reports,
    wire_address,
    wire_sender,
    xtext,
)

addresses = {
    "usual": ("a.b+c@mail.example.com", "a.b+c@mail.example.com"),
    "underscore-in-domain": ("a@my_host.example", "a@my_host.example"),
    "two-dots-as-some-have": ("a..b@example.jp", "a..b@example.jp"),
    "quoted": ('"a b"@example.com', '"a b"@example.com'),
    "quoted-angle": ('"a>b"@example.com', '"a>b"@example.com'),
    "quoted-escape": (r'"a\"b"@example.com', r'"a\"b"@example.com'),
    "literal": ("a@[192.0.2.1]", "a@[192.0.2.1]"),
    "literal-6": ("a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]"),
    "row-85-domain-to-a-labels": ("a@blåbær.example", "a@xn--blbr-roah.example"),
    "row-85-case": ("a@BLÅBÆR.example", "a@xn--blbr-roah.example"),
    "row-85-quoted-local": ('"a b"@blåbær.example', '"a b"@xn--blbr-roah.example'),
    "row-85-old-and-new-rules-differ": ("a@straße.example", "a@straße.example"),
    "row-85-other-full-stop": ("a@例。jp", "a@例。jp"),
    "row-85-label-too-long": ("a@" + "å" * 64 + ".example", "a@" + "å" * 64 + ".example"),
    "row-86-local-part-as-it-is": ("bjørn@blåbær.example", "bjørn@blåbær.example"),
    "crlf": ("a@example.com\r\nRCPT TO:<c@example.com>", None),
    "crlf-in-quotes": ('"a\r\n"@example.com', None),
    "cr": ("a\r@example.com", None),
    "lf-at-end": ("a@example.com\n", None),
    "nul": ("a\0@example.com", None),
    "del": ("a\x7f@example.com", None),
    "c1": ("a\x85@example.com", None),
    "line-separator": ("a\u2028@example.com", None),
    "surrogate": ("a\ud800@example.com", None),
    "angle-and-parameter": ("a@example.com> SIZE=1", None),
    "angle-in-local": ("a>b@example.com", None),
    "space": ("a b@example.com", None),
    "two-at": ("a@b@example.com", None),
    "route": ("@relay.example:a@example.com", None),
    "comment": ("a@good.example(x)evil.example", None),
    "no-domain": ("a", None),
    "nothing": ("", None),
    "too-long": ("a@" + "b" * 250 + ".example", None),
    "too-long-in-bytes": ("é@" + "é" * 126, None),
}


@pytest.mark.parametrize(("address", "wire"), addresses.values(), ids=addresses)
def test_an_address_goes_on_the_wire_or_does_not(address: str, wire: str | None) -> None:
    """Unchanged, or with an ASCII domain; never with anything that ends a line, a path or a parameter."""
    assert wire_address(address) == wire


def test_only_a_sender_may_be_nobody() -> None:
    """The null return path of reports is a sender; otherwise the same wall stands."""
    assert wire_sender("") == ""
    assert wire_sender("a@example.com") == "a@example.com"
    assert wire_sender("a@example.com\r\n") is None


@given(st.one_of(st.text(), st.from_regex(r"[a-z\"\\ <>\r\n\x00\u2028@.\u00e9]{1,12}@[a-z.\u00e9>\n ]{1,8}")))
@example('"\\\n"@a')
@example('"\\\x7f"@a')
def test_nothing_breaks_a_command(address: str) -> None:
    """Whatever the address, the path that carries it is one line with one path."""
    wire = wire_address(address)
    if wire is not None:
        line = f"RCPT TO:<{wire}>".encode()
        assert not any(byte < 0x20 or byte == 0x7F for byte in line)
        assert wire.count("@") >= 1
        assert wire[0] == '"' or not set(wire) & set('<> "\\')


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mail.example.com", "mail.example.com"),
        ("localhost", "localhost"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"),
        ("my_host", NAMELESS),
        ("my host", NAMELESS),
        ("-host", NAMELESS),
        ("hôte", NAMELESS),
        ("host\r\nMAIL FROM:<>", NAMELESS),
        ("host\n", NAMELESS),
        ("h" * 300, NAMELESS),
        ("", NAMELESS),
    ],
)
def test_row_19_a_name_that_cannot_stand_in_ehlo_gives_way(name: str, said: str) -> None:
    """An address literal stands in for it."""
    assert host_name(name) == said


@pytest.mark.parametrize(
    ("name", "good"), [("PLAIN", True), ("SCRAM-SHA-256", True), ("plain", False), ("A\r\n", False)]
)
def test_a_mechanism_has_a_proper_name(name: str, good: bool) -> None:
    """Letters, digits, `-` and `_`, at most twenty."""
    assert is_mechanism(name) is good


def test_reports_are_asked_for_by_parameters() -> None:
    """RFC 3461: RET and ENVID on MAIL, NOTIFY and ORCPT on RCPT, each thing once, in xtext."""
    reports = DeliveryReports(("SUCCESS", "FAILURE", "SUCCESS"), "HDRS", "run 5=a", ("b+c@example.com", "bjørn@e.no"))
    assert fault_of_reports(reports, 2) is None
    assert mail_reports(reports) == " RET=HDRS ENVID=run+205+3Da"
    assert recipient_reports(reports, 0) == " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bc@example.com"
    assert recipient_reports(reports, 1) == r" NOTIFY=SUCCESS,FAILURE ORCPT=utf-8;bj\x{F8}rn@e.no"
    assert mail_reports(DeliveryReports()) == recipient_reports(DeliveryReports(), 0) == ""


@pytest.mark.parametrize(
    ("reports", "words"),
    [
        (DeliveryReports(("NEVER", "SUCCESS")), "no such delivery report"),
        (DeliveryReports(("SOMETIMES",)), "no such delivery report"),  # type: ignore[arg-type]
        (DeliveryReports(returns="ALL\r\n"), "FULL or HDRS"),  # type: ignore[arg-type]
        (DeliveryReports(envelope_id="a\r\nDATA"), "printable ASCII"),
        (DeliveryReports(envelope_id="é"), "printable ASCII"),
        (DeliveryReports(envelope_id=" " * (LONGEST_ENVELOPE_ID // 3 + 1)), "printable ASCII"),
        (DeliveryReports(original=("a@example.com",)), "not as many"),
        (DeliveryReports(original=("a" * 600, "b")), "more than 500"),
    ],
)
def test_reports_that_cannot_be_asked_for_say_why(reports: DeliveryReports, words: str) -> None:
    """The wall stands in front of parameters too."""
    assert words in str(fault_of_reports(reports, 2))


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_xtext_can_be_read_back(text: str) -> None:
    """It holds no space, `=` or control character, and each `+` begins the number of a character."""
    written = xtext(text)
    assert all("!" <= one <= "~" and one != "=" for one in written)
    first, *rest = written.split("+")
    assert first + "".join(chr(int(part[:2], 16)) + part[2:] for part in rest) == text


@given(st.text())
def test_an_original_recipient_is_always_a_parameter(address: str) -> None:
    """Whatever it was, it is printable ASCII without spaces on the wire."""
    written = recipient_reports(DeliveryReports(original=(address,)), 0).removeprefix(" ORCPT=")
    assert all("!" <= one <= "~" and one != "=" for one in written)
