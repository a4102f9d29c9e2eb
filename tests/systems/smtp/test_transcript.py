"""The talk in lines for people."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from systems.smtp.transcript import MASK, Transcript


def test_a_talk_reads_as_it_was() -> None:
    """Commands and replies show, content is counted."""
    talk = Transcript()
    assert list(talk.received(b"220 mx\r\n")) == ["< 220 mx"]
    assert list(talk.sent(b"MAIL FROM:<a@b.no>\r\nRCPT TO:<c@d.no>\r\nDATA\r\n")) == [
        "> MAIL FROM:<a@b.no>",
        "> RCPT TO:<c@d.no>",
        "> DATA",
    ]
    assert list(talk.received(b"250 a\r\n250 b\r\n354 go\r\n")) == ["< 250 a", "< 250 b", "< 354 go"]
    assert list(talk.sent(b"Subject: x\r\n\r\nDATA\r\n.\r\nMAIL FROM:<e@f.no>\r\n")) == [
        "> [20 bytes]",
        "> .",
        "> MAIL FROM:<e@f.no>",
    ]


def test_content_in_blocks_stays_content() -> None:
    """A block that begins with a dot in the middle of a line does not end the content."""
    talk = Transcript()
    list(talk.received(b"354 go\r\n"))
    assert list(talk.sent(b"some")) == []
    assert list(talk.sent(b".\r\n")) == []
    assert list(talk.sent(b".\r\n")) == ["> [7 bytes]", "> ."]


def test_a_chunk_is_not_shown() -> None:
    """The bytes behind BDAT are content, whatever they look like."""
    talk = Transcript()
    assert list(talk.sent(b"BDAT 9 LAST\r\nx: y\r\nz\r\nRSET\r\n")) == ["> BDAT 9 LAST", "> RSET"]


def test_a_login_is_masked() -> None:
    """The words of a login never show, in either direction; the mechanism does."""
    talk = Transcript()
    assert list(talk.sent(b"AUTH LOGIN\r\n")) == ["> AUTH LOGIN"]
    assert list(talk.received(b"334 VXNlcm5hbWU6\r\n")) == [f"< 334 {MASK}"]
    assert list(talk.sent(b"a2FyaQ==\r\n")) == [f"> {MASK}"]
    assert list(talk.received(b"535 5.7.8 no\r\n")) == ["< 535 5.7.8 no"]
    assert list(talk.sent(b"auth plain AGEAYg==\r\n")) == [f"> auth plain {MASK}"]
    assert list(talk.received(b"235 in\r\n")) == ["< 235 in"]
    assert list(talk.sent(b"QUIT\r\n")) == ["> QUIT"]


def test_control_characters_never_reach_a_terminal() -> None:
    """What a server says is shown escaped."""
    assert list(Transcript().received(b"220 \x1b[2J\r\n")) == ["< 220 \\x1b[2J"]


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_portions_do_not_matter_to_replies(portions: list[bytes]) -> None:
    """However the replies are cut, the lines are the same, as long as each is of a length that fits."""
    talk = Transcript()
    cut = [line for portion in portions for line in talk.received(portion)]
    assert cut == list(Transcript().received(b"".join(portions)))
