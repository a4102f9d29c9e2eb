"""A Maildir as a source."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.entity import Datetime, datetime_of, from_json, to_json
from pipeline.errors import SourceError
from sources.mail_entity import mail_entity
from sources.maildir import MaildirConfig
from sources.maildir_read import MOST_MAIL, Maildir


def put(root: Path, name: str, data: bytes, folder: str = "new") -> Path:
    """A mail that has come in."""
    for part in ("new", "cur", "tmp"):
        (root / "box" / part).mkdir(parents=True, exist_ok=True)
    path = root / "box" / folder / name
    path.write_bytes(data)
    return path


def source(root: Path, *, runs: bool = True, **properties: Any) -> Maildir:
    """The source of a Maildir."""

    class Context:
        pass

    context: Any = Context()
    context.root, context.runs = str(root), runs
    return MaildirConfig.model_validate({"type": "maildir", "path": "box", **properties}).build(context)


def read(found: Maildir, since: str | None = None) -> tuple[list[str], str | None]:
    """The names of what it gives, and the position that is reached."""
    names = []
    for entities, reached in found.read(since):
        names += [one["_id"] for one in entities]
        since = reached
    return sorted(names), since


def letter() -> bytes:
    """A mail with all that a mail has."""
    message = EmailMessage()
    message["From"] = "Ann L\u00e6 <ann@example.com>"
    message["To"] = "bo@example.com, Cy <cy@example.com>"
    message["Subject"] = "Order 7 \u00e6"
    message["Date"] = "Mon, 02 Jan 2023 12:00:00 +0100"
    message["Message-ID"] = "<1@example.com>"
    message["X-Tag"] = "one"
    message["x-tag"] = "two"
    message.set_content("H\u00e6i\n")
    message.add_alternative("<p>Hi</p>", subtype="html")
    message.add_attachment(b"\x00\xff", maintype="application", subtype="pdf", filename="../a/bill.pdf")
    return message.as_bytes()


def test_a_mail_is_an_entity() -> None:
    """Who, what, when, the text and what is attached; a name of a file has no path."""
    made = mail_entity(letter())
    headers = made.pop("headers")
    assert made == {
        "subject": "Order 7 \u00e6",
        "message_id": "<1@example.com>",
        "from": {"name": "Ann L\u00e6", "address": "ann@example.com"},
        "to": [{"address": "bo@example.com"}, {"name": "Cy", "address": "cy@example.com"}],
        "date": datetime_of("2023-01-02T11:00:00Z"),
        "text": "H\u00e6i\n",
        "html": "<p>Hi</p>\n",
        "attachments": [{"type": "application/pdf", "content": b"\x00\xff", "name": "bill.pdf"}],
    }
    assert headers["X-Tag"] == "one"
    assert headers["x-tag"] == "two"


def test_an_attached_mail_is_an_attachment() -> None:
    """As its bytes, however deep it goes on within."""
    outer = EmailMessage()
    outer.set_content("see below")
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("text")
    outer.add_attachment(inner)
    (attached,) = mail_entity(outer.as_bytes())["attachments"]
    assert attached["type"] == "message/rfc822"
    assert b"Subject: inner" in attached["content"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"Content-Type: text/plain; charset=nope\n\nh\xe6i", "h\ufffdi"),
        (b"Content-Type: text/plain; charset=latin-1\n\nh\xe6i", "h\u00e6i"),
        (b"Content-Transfer-Encoding: base64\n\n!!!", None),
        (b"", ""),
        (b"no header at all", None),
        (b"Subject: \xe6\xff\n\nx", "x"),
    ],
)
def test_a_mail_that_is_broken_is_an_entity_too(data: bytes, expected: str | None) -> None:
    """With what of it can be read."""
    made = mail_entity(data)
    assert expected is None or made["text"] == expected
    assert from_json(to_json(made)) is not None


@pytest.mark.parametrize("depth", [50, 5000])
def test_parts_in_parts_end_somewhere(depth: int) -> None:
    """A mail that is nothing but beginnings of parts is told as one that cannot be read, with its bytes."""
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    made = mail_entity(parts + b"\nx")
    assert depth < 100 or ("fault" in made and made["raw"] == parts + b"\nx")


_pieces = st.sampled_from(
    [
        *(b"From", b"To", b"Date", b"Subject", b"Content-Type", b"Content-Transfer-Encoding", b"Content-Disposition"),
        *(b": ", b"\n", b"\r\n", b"\n\n", b"<", b">", b"@", b",", b";", b'"', b"=", b"=?utf-8?q?", b"?=", b"--b"),
        *(
            b"multipart/mixed; boundary=b",
            b"text/html; charset=",
            b"base64",
            b"attachment; filename=",
            b"\x00",
            b"\xff",
        ),
        *(b"message/rfc822", b"Mon, 1 Jan 9999 99:00:00 +9999", b"a", b"[", b"(", b"*0*="),
    ]
)


@given(st.lists(_pieces, max_size=25).map(b"".join))
def test_whatever_the_bytes_are_there_is_an_entity(data: bytes) -> None:
    """One that JSON can hold."""
    assert to_json(mail_entity(data))


def test_each_mail_is_read_once_and_then_moves(tmp_path: Path) -> None:
    """To `cur`, as seen, in the next run; never in one that only looks."""
    put(tmp_path, "1.a.host", b"Subject: one\n\n")
    put(tmp_path, ".hidden", b"")
    put(tmp_path, "2.tmp", letter(), "tmp")
    put(tmp_path, "0.old:2,S", letter(), "cur")
    names, since = read(source(tmp_path))
    assert names == ["1.a.host"]
    put(tmp_path, "2.a.host", b"Subject: two\n\n")
    read(source(tmp_path, runs=False), since)
    assert (tmp_path / "box" / "new" / "1.a.host").exists()
    names, since = read(source(tmp_path), since)
    assert names == ["2.a.host"]
    assert (tmp_path / "box" / "cur" / "1.a.host:2,S").read_bytes() == b"Subject: one\n\n"
    assert read(source(tmp_path), since)[0] == []
    assert not (tmp_path / "box" / "new" / "2.a.host").exists()


def test_mails_that_another_program_has_moved_can_be_read(tmp_path: Path) -> None:
    """Each once, whatever flags it gets."""
    path = put(tmp_path, "1.a", b"Subject: one\n\n")
    put(tmp_path, "2.a:2,R", b"Subject: two\n\n", "cur")
    names, since = read(source(tmp_path, read_cur=True))
    assert names == ["1.a", "2.a"]
    path.rename(tmp_path / "box" / "cur" / "1.a:2,")
    assert read(source(tmp_path, read_cur=True), since)[0] == []
    (tmp_path / "box" / "cur" / "1.a:2,").rename(tmp_path / "box" / "cur" / "1.a:2,RS")
    put(tmp_path, "3.a:2,", b"\n", "cur")
    assert read(source(tmp_path, read_cur=True), since)[0] == ["3.a"]


def test_an_entity_can_have_all_bytes(tmp_path: Path) -> None:
    """And it tells when the mail came, and how large it is."""
    path = put(tmp_path, "1.a", b"Subject: one\n\n")
    (((one,), _),) = source(tmp_path, raw=True).read(None)
    assert one["raw"] == b"Subject: one\n\n"
    assert (one["size"], one["received"]) == (14, Datetime(path.stat().st_mtime_ns))


def test_a_mail_that_is_too_large_is_told_by_its_headers(tmp_path: Path) -> None:
    """It stops no other."""
    path = put(tmp_path, "1.a", b"Subject: big\n\n")
    with path.open("r+b") as file:
        file.truncate(MOST_MAIL + 1)
    (((one,), _),) = source(tmp_path, raw=True).read(None)
    assert (one["subject"], one["fault"]) == ("big", f"larger than {MOST_MAIL} bytes")
    assert "raw" not in one


def test_a_folder_that_is_no_maildir_is_told(tmp_path: Path) -> None:
    """As one that cannot be read."""
    with pytest.raises(SourceError, match="box/new:1:1: E115"):
        read(source(tmp_path))
