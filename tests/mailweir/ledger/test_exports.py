"""Mail as files that other programs read."""

from __future__ import annotations

import mailbox
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mailweir.ledger.exports import mbox


def test_a_message_of_an_mbox() -> None:
    """A line before it that says from whom and when, a blank line behind it, and no line in it looks like the next."""
    content = b"Subject: a\r\n\r\nFrom here\r\n>From there\r\n From\r\nend\r\n"
    assert mbox("me@example.com", 1_767_323_045.9, content) == (
        b"From me@example.com Fri Jan  2 03:04:05 2026\nSubject: a\n\n>From here\n>>From there\n From\nend\n\n"
    )


def test_a_report_has_a_sender_too() -> None:
    """The null return path is no word of that line, and one with blanks is one word."""
    assert mbox("", 0, b"a\r\n").startswith(b"From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n")
    assert mbox('"a b"@example.com', 0, b"a\r\n").startswith(b'From "a_b"@example.com Thu ')


lines = st.lists(st.sampled_from([b"From a", b">From b", b">>From ", b"", b"text", b"F", b"\xff"]), max_size=8)


@given(st.lists(lines, min_size=1, max_size=4))
def test_what_is_written_can_be_read_back(tmp_path_factory: object, bodies: list[list[bytes]]) -> None:
    """Python's reader finds as many messages, and without the quoting each is as it was."""
    folder: Path = tmp_path_factory.mktemp("mbox")  # type: ignore[attr-defined]
    contents = [b"\r\n".join([b"Subject: a", b"", *body, b""]) for body in bodies]
    path = folder / "a.mbox"
    path.write_bytes(b"".join(mbox("me@example.com", 0, each) for each in contents))
    box = mailbox.mbox(path, create=False)
    read = [re.sub(rb"^>(>*From )", rb"\1", box.get_bytes(key), flags=re.MULTILINE) for key in box.iterkeys()]
    box.close()
    assert [each.rstrip(b"\n") for each in read] == [each.replace(b"\r\n", b"\n").rstrip(b"\n") for each in contents]
