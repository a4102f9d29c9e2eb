"""Pages of caught mail."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

from mailweir.caught import Caught
from mailweir.mail_pages import index, name_of, page, row

HOSTILE = (
    b'From: "<b>x" <a@example.com>\r\nSubject: =?utf-8?q?<script>alert(1)</script>=1b[31m?=\r\n'
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/plain\r\n\r\n</pre><script>1</script>\r\n"
    b'--x\r\nContent-Type: text/html\r\n\r\n"></iframe><script>2</script><img src=https://example.com/a.png>\r\n'
    b'--x\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename="<i>.csv"\r\n\r\na,b\r\n--x--\r\n'
)


def caught(content: bytes, *recipients: str) -> Caught:
    """A mail, number 7."""
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return Caught(7, at, "a@example.com", recipients or ("b@example.org",), content)


class _Tags(HTMLParser):
    """The tags of a page, and what stands in its frames."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.frames: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.append(tag)
        if tag == "iframe":
            self.frames.append(dict(attrs))


def test_a_mail_cannot_leave_its_frame() -> None:
    """Whatever a mail holds, the page has no script, one frame without any right, and a policy that loads nothing."""
    text = page(caught(HOSTILE, "<u>b@example.org"))
    found = _Tags(text)
    assert not {"script", "img", "i", "u", "b"} & set(found.tags)
    (frame,) = found.frames
    assert frame["sandbox"] == ""
    assert frame["srcdoc"] == '"></iframe><script>2</script><img src=https://example.com/a.png>'
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy.split("; ") == [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "frame-src about:",
    ]
    assert "\x1b" not in text


def test_a_page_shows_the_mail() -> None:
    """Subject, header, envelope, text, attachments, and the way to the mail as it came."""
    text = page(caught(HOSTILE))
    for part in (
        "&lt;script&gt;alert(1)",
        "a@example.com → b@example.org",
        "&lt;/pre&gt;",
        "&lt;i&gt;.csv",
        "0007.eml",
    ):
        assert part in text
    assert page(caught(b"Subject: Hi\r\n\r\ntext\r\n")).count("<iframe") == 0
    assert "(no subject)" in page(caught(b"\r\ntext\r\n"))


def test_the_list_has_every_mail() -> None:
    """Each with its recipients and a link to its page; nothing in them is markup."""
    rows = [row(caught(b"Subject: <b>Hi\r\n\r\n", "<u>b@example.org", "c@example.org")), row(caught(b"\r\n"))]
    text = index(rows)
    assert "2 mails were caught" in text
    assert text.count(f'href="{name_of(7, "html")}"') == 2
    assert "&lt;u&gt;b@example.org, c@example.org" in text
    assert not {"b", "u"} & set(_Tags(text).tags)
    assert "1 mail was caught" in index(rows[:1])
