"""The parser of replies: what is one, what is none, and that cutting the bytes changes nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from systems.smtp.replies import (
    LONGEST_EXCERPT,
    LONGEST_LINE,
    LONGEST_REPLY,
    LONGEST_TEXT,
    MOST_KNOWN,
    MOST_LINES,
    Kind,
    Reply,
    ReplyParser,
    visible,
)


def parse(*portions: bytes) -> tuple[list[Reply], str | None, bool]:
    """The replies, why there are no more, and whether one has begun."""
    parser = ReplyParser()
    replies = [reply for portion in portions for reply in parser.feed(portion)]
    return replies, parser.violation.why if parser.violation else None, parser.is_pending()


good = {
    "row-29-no-text": (b"250\r\n", (250, "", "")),
    "row-29-no-text-but-a-space": (b"250 \r\n", (250, "", "")),
    "row-12-several-lines": (b"220-one\r\n220-\r\n220 three\r\n", (220, "", "one  three")),
    "row-35-class-differs": (b"250 5.1.1 what\r\n", (250, "", "5.1.1 what")),
    "row-35-no-such-class": (b"354 3.0.0 go\r\n", (354, "", "3.0.0 go")),
    "row-35-absurd": (b"550 5.1234.1 no\r\n", (550, "", "5.1234.1 no")),
    "row-35-class-differs-in-lines": (b"250-2.1.0 a\r\n250 4.1.0 b\r\n", (250, "2.1.0", "a 4.1.0 b")),
    "row-31-eight-bit-and-escapes": (b"550 5.7.1 \x1b[31mn\xc3\xb8\x7f\r\n", (550, "5.7.1", r"\x1b[31mn\xc3\xb8\x7f")),
    "row-31-tab": (b"250 a\tb\r\n", (250, "", r"a\x09b")),
    "enhanced": (b"550 5.1.1 no such user\r\n", (550, "5.1.1", "no such user")),
    "enhanced-alone": (b"250 2.0.0\r\n", (250, "2.0.0", "")),
    "enhanced-on-every-line": (
        b"550-5.7.26 one\r\n550-5.7.26\r\n550 5.7.26 two\r\n",
        (550, "5.7.26", "one 5.7.26 two"),
    ),
    "enhanced-longer-on-a-later-line": (b"450-4.1.1 a\r\n450 4.1.12 b\r\n", (450, "4.1.1", "a 4.1.12 b")),
    "spaces-around": (b"250   ok  \r\n", (250, "", "ok")),
    "spaces-after-enhanced": (b"250 2.0.0   ok\r\n", (250, "2.0.0", "ok")),
}


@pytest.mark.parametrize(("data", "expected"), good.values(), ids=good)
def test_replies_are_read(data: bytes, expected: tuple[int, str, str]) -> None:
    """Code, enhanced code where its class agrees, and text in which everything can be seen."""
    replies, violation, pending = parse(data)
    assert [(reply.code, reply.enhanced, reply.text) for reply in replies] == [expected]
    assert (violation, pending) == (None, False)


def test_the_lines_stay_as_they_came() -> None:
    """Capabilities and challenges are read from the bytes, not from the text for people."""
    assert parse(b"250-mx\r\n250 X\xff  y \r\n")[0][0].lines == (b"mx", b"X\xff  y ")
    assert parse(b"334 VXNlcg==\r\n")[0][0].lines == (b"VXNlcg==",)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (220, Kind.YES),
        (354, Kind.GO_ON),
        (450, Kind.LATER),
        (421, Kind.CLOSING),
        (550, Kind.NO),
        (503, Kind.OUT_OF_STEP),
        (530, Kind.LOGIN_NEEDED),
    ],
)
def test_the_code_says_the_kind(code: int, kind: Kind) -> None:
    """Three codes speak of the session, the others of the command by their class."""
    assert parse(b"%d x\r\n" % code)[0][0].kind is kind


NOT_ONE = "not a reply"
TWO_CODES = "a reply with two codes, 550 and another"
ENDS = "a line end or NUL within a line"
TOO_LONG = "a line that is too long"
bad = {
    "row-10-tls": (b"\x15\x03\x03\x00\x02\x02\x28", NOT_ONE),
    "row-10-http": (b"HTTP/1.1 400 Bad Request\r\n", NOT_ONE),
    "row-10-ssh": (b"SSH-2.0-OpenSSH_9.2\r\n", NOT_ONE),
    "row-26-two-codes": (b"550-no\r\n250 ok\r\n", TWO_CODES),
    "row-26-two-codes-last": (b"550-no\r\n550-no\r\n551 ok\r\n", TWO_CODES),
    "row-27-bare-lf": (b"250 ok\n", ENDS),
    "row-27-bare-lf-after-code": (b"250\n", NOT_ONE),
    "row-27-bare-lf-between": (b"250-one\n250 two\r\n", ENDS),
    "row-28-four-digits": (b"2500 ok\r\n", NOT_ONE),
    "row-28-letters-after": (b"250xyz\r\n", NOT_ONE),
    "row-28-plus": (b"+25 ok\r\n", NOT_ONE),
    "row-28-underscore": (b"2_5 ok\r\n", NOT_ONE),
    "row-28-space-first": (b" 25 ok\r\n", NOT_ONE),
    "row-28-full-width": ("２５０ ok\r\n".encode(), NOT_ONE),
    "row-28-two-digits": (b"25\r\n", NOT_ONE),
    "row-28-empty-line": (b"\r\n", NOT_ONE),
    "row-28-second-digit": (b"260 ok\r\n", NOT_ONE),
    "row-28-tab": (b"250\tok\r\n", NOT_ONE),
    "row-30-000": (b"000 x\r\n", NOT_ONE),
    "row-30-1xx": (b"150 x\r\n", NOT_ONE),
    "row-30-6xx": (b"650 x\r\n", NOT_ONE),
    "row-30-9xx": (b"999 x\r\n", NOT_ONE),
    "row-31-nul": (b"250 o\0k\r\n", ENDS),
    "row-31-cr-alone": (b"250 o\rk\r\n", ENDS),
    "row-31-cr-before-end": (b"250 ok\r\r\n", ENDS),
    "row-32-line": (b"250 " + b"x" * LONGEST_LINE, TOO_LONG),
    "row-32-lines": (b"250-x\r\n" * (MOST_LINES + 1), "a reply that is too long"),
    "row-32-reply": ((b"250-" + b"x" * 4000 + b"\r\n") * 17, "a reply that is too long"),
    "first-short-line-of-another-code": (b"550-no\r\n2", TWO_CODES),
}


@pytest.mark.parametrize(("data", "why"), bad.values(), ids=bad)
def test_what_is_no_reply_is_a_violation(data: bytes, why: str) -> None:
    """It is told at the byte that makes it one, gives no reply, and nothing is read after it."""
    parser = ReplyParser()
    assert parser.feed(data) == []
    assert parser.violation is not None
    assert parser.violation.why == why
    assert parser.feed(b"250 ok\r\n") == []


def test_a_violation_shows_the_start_of_what_came() -> None:
    """At most 64 bytes, made visible (row 10)."""
    parser = ReplyParser()
    parser.feed(b"\x16\x03\x01" + b"a" * 300)
    assert str(parser.violation) == r"not a reply: \x16\x03\x01" + "a" * (LONGEST_EXCERPT - 3)


def test_the_limits_themselves_are_kept() -> None:
    """A line, a number of lines and a length of reply that are as large as they may be."""
    line = b"250 " + b"x" * (LONGEST_LINE - 4) + b"\r\n"
    assert parse(line)[1:] == (None, False)
    assert parse(b"250-x\r\n" * (MOST_LINES - 1) + b"250 x\r\n")[1:] == (None, False)
    exact = b"250-" + b"x" * (LONGEST_REPLY // 16 - 6) + b"\r\n"
    assert parse(exact * 15 + b"250 " + exact[4:])[1:] == (None, False)
    assert parse(exact * 15 + b"250 x" + exact[4:])[1] == "a reply that is too long"


def test_a_long_text_is_cut_for_people() -> None:
    """What is kept of a text has an end, in one line or in many."""
    for data in (b"550 " + b"x" * 2000 + b"\r\n", b"550-" + b"x" * 900 + b"\r\n550 " + b"x" * 900 + b"\r\n"):
        text = parse(data)[0][0].text
        assert (len(text), text[-1]) == (LONGEST_TEXT, "…")
    assert parse(b"550 " + b"x" * (LONGEST_TEXT - 2) + b"\r\n")[0][0].text == "x" * (LONGEST_TEXT - 2)


def test_replies_before_a_violation_count() -> None:
    """A violation takes back nothing that was said properly."""
    replies, violation, _ = parse(b"250 a\r\n250 b\r\nnonsense\r\n250 c\r\n")
    assert [reply.text for reply in replies] == ["a", "b"]
    assert violation == NOT_ONE


@pytest.mark.parametrize("data", [b"2", b"250", b"250 ", b"250 ok\r", b"250-one\r\n", b"250-one\r\n25", b"\r"])
def test_half_a_reply_is_pending(data: bytes) -> None:
    """Row 37: what has begun and not ended is no reply and no violation."""
    assert parse(data) == ([], None, True)


def test_a_server_that_varies_its_words_fills_no_memory() -> None:
    """Lines are remembered up to a number; every reply is read right all the same."""
    parser = ReplyParser()
    for number in range(3 * MOST_KNOWN):
        assert parser.feed(b"250 2.0.0 queued as %d\r\n" % number)[0].text == f"queued as {number}"
    assert len(parser._known) == MOST_KNOWN


def test_a_known_line_within_a_reply_is_read_in_its_place() -> None:
    """The same bytes as an earlier reply end a reply of several lines."""
    replies, violation, _ = parse(b"250 ok\r\n250-first\r\n250 ok\r\n250 ok\r\n")
    assert [reply.text for reply in replies] == ["ok", "first ok", "ok"]
    assert violation is None


pieces = st.sampled_from(
    [
        b"250",
        b"550",
        b"354",
        b"25",
        b" ",
        b"-",
        b"ok",
        b"2.1.0 ",
        b"5.1.1",
        b"\r\n",
        b"\r\n",
        b"\r",
        b"\n",
        b"\0",
        b"\xff",
    ]
)
streams = st.one_of(st.binary(max_size=60), st.lists(pieces, max_size=25).map(b"".join))


@given(streams, st.data())
@example(b"250 ok\r\n", None)
def test_cutting_the_bytes_changes_nothing(stream: bytes, data: st.DataObject | None) -> None:
    """Row 23: any portions give the same replies, the same violation, the same rest."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6))) if data else []
    portions = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = parse(stream)
    assert parse(*portions) == whole
    assert parse(*(stream[index : index + 1] for index in range(len(stream)))) == whole


one_line = re.compile(rb"[2-5][0-5][0-9](?:[ ][^\0\r\n]*)?\Z")


@given(streams)
def test_an_independent_grammar_agrees(stream: bytes) -> None:
    """A second reading of the rules, line by line with a pattern, finds the same codes."""
    codes: list[int] = []
    held: bytes | None = None
    *lines, _ = stream.split(b"\r\n")
    for line in lines:
        final = one_line.match(line)
        if not final and not one_line.match(line[:3] + b" " + line[4:] if line[3:4] == b"-" else b""):
            break
        if held not in {None, line[:3]}:
            break
        held = None if final else line[:3]
        if final:
            codes.append(int(line[:3]))
    assert [reply.code for reply in parse(stream)[0]] == codes


@given(st.binary(max_size=40))
def test_the_quick_way_and_the_careful_way_read_the_same(text: bytes) -> None:
    """One line of printable ASCII is read by a pattern; in a reply of two lines the same text takes the other way."""
    text = text.translate(None, b"\r\n")
    quick, _, _ = parse(b"250 " + text + b"\r\n")
    careful, _, _ = parse(b"250-" + text + b"\r\n250\r\n")
    assert [(one.enhanced, one.text) for one in quick] == [(one.enhanced, one.text) for one in careful]


@given(st.binary())
def test_everything_can_be_seen(data: bytes) -> None:
    """No byte reaches a screen or a log as anything but printable ASCII."""
    text = visible(data)
    assert text.isascii()
    assert text.isprintable()
