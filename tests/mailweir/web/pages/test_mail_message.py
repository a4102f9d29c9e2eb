"""One message in a browser: each view of it, and hostile mail under a policy of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

Browse = Callable[..., Any]
FOLDER = {"_id": "folder", "type": "system:eml"}
HOSTILE = """<p>Hello {{ name }}</p><script>fetch('//evil.example')</script><img src="https://evil.example/p.png">
<a href="https://shop.example/?a=1">The shop</a><form action="//evil.example"><input name="a"></form>"""


def mailing(**more: Any) -> dict[str, Any]:
    """A pipe that mails one person."""
    sink = {
        "type": "mail",
        "system": "folder",
        "mail_from": "hello@example.com",
        "recipients_property": "email",
        "bcc": "archive@example.com",
        "subject_template": "Grüße <b>{{ name }}</b> and a subject that is so long that it has to be folded somewhere",
        "body_template": HOSTILE,
        "text_body_template": "The words within",
        **more,
    }
    entity = {"_id": "ann", "name": "Ann & <i>Co</i>", "email": "ann@example.com"}
    return {"_id": "welcome", "type": "pipe", "source": {"type": "embedded", "entities": [entity]}, "sink": sink}


def message(browser: Any) -> str:
    """The path of the one message."""
    found = browser.service.until(lambda: re.findall(r'href="(/mail/[0-9a-f]+)"', browser.text("/mail?state=sent")))
    return str(found[0])


def test_every_view_of_a_message(browse: Browse) -> None:
    """HTML in a frame, text, source, header, parts, entity, and what the server said; each has its address."""
    browser = browse(FOLDER, mailing())
    path = message(browser)
    first = browser.text(path)
    assert 'sandbox="" referrerpolicy="no-referrer"' in first
    assert f'src="{path}/html"' in first
    assert "<b>Ann" not in first
    assert "https://shop.example/?a=1" in first
    assert "1 image of others" in first
    assert "left out, since no reader of mail runs or follows it: 1 × script, 1 × form" in first
    assert "archive@example.com <span" in first
    assert "The words within" in browser.text(f"{path}/text")
    assert "Subject: =?utf-8?" in browser.text(f"{path}/source")
    headers = browser.text(f"{path}/headers")
    assert "Grüße &lt;b&gt;Ann &amp; &lt;i&gt;Co&lt;/i&gt;&lt;/b&gt; and a subject" in headers
    assert "text/html" in browser.text(f"{path}/parts")
    assert "&#34;email&#34;: &#34;ann@example.com&#34;" in browser.text(f"{path}/entity")
    assert "ann@example.com" in browser.text(f"{path}/smtp")
    assert browser.get(f"{path}/nothing").status == 404
    assert browser.get("/mail/ffff").status == 404
    assert browser.get("/mail/..%2f..%2fetc").status == 404


def test_the_frame_has_a_policy_of_its_own(browse: Browse) -> None:
    """Nothing runs and nothing is loaded; images of others when that is asked for, this time."""
    browser = browse(FOLDER, mailing())
    path = message(browser)
    frame = browser.get(f"{path}/html")
    assert frame.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    )
    assert frame.headers["content-security-policy"].endswith("; sandbox")
    assert frame.headers["x-dns-prefetch-control"] == "off"
    assert b"evil.example" not in frame.body
    assert "Ann &amp; &lt;i&gt;Co" in frame.body.decode()
    loaded = browser.get(f"{path}/html?images=true")
    assert "img-src data: https:;" in loaded.headers["content-security-policy"]
    assert b'src="https://evil.example/p.png"' in loaded.body
    assert b"<script" not in loaded.body
    assert "turn off" in browser.text(f"{path}?images=true")
    assert 'class="mail w375"' in browser.text(f"{path}?width=375")
    assert 'class="mail w600"' in browser.text(f"{path}?width=1")


def test_files_are_kept_and_never_shown(browse: Browse) -> None:
    """The whole message and each part, as bytes that a browser only saves."""
    browser = browse(FOLDER, mailing())
    path = message(browser)
    raw = browser.get(f"{path}/raw")
    assert raw.headers["content-type"] == "application/octet-stream"
    assert raw.headers["content-disposition"].startswith("attachment; filename=")
    assert raw.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert b"Subject: =?utf-8?" in raw.body
    part = browser.get(f"{path}/parts/1")
    assert b"<script>" in part.body
    assert part.headers["content-disposition"].startswith("attachment")
    for number in ("7", "-1", "x", "1" * 20):
        assert browser.get(f"{path}/parts/{number}").status == 404


@pytest.mark.parametrize("body", ["plain", ""])
def test_a_message_without_html_begins_with_its_text(browse: Browse, body: str) -> None:
    """There is no frame then."""
    sink = mailing(body_template=f"{body}The words")
    del sink["sink"]["text_body_template"]
    browser = browse(FOLDER, sink)
    path = message(browser)
    assert "The words" in browser.text(path)
    assert "<iframe" not in browser.text(path)
    assert browser.get(f"{path}/html").status == 404


def test_what_cannot_be_kept_from_a_reader_is_told(browse: Browse) -> None:
    """A message that was rejected has no bytes, and says so; its entity is there."""
    pipe = mailing()
    pipe["source"]["entities"][0]["email"] = "nobody"
    browser = browse(FOLDER, pipe)
    found = browser.service.until(lambda: re.findall(r'href="(/mail/[0-9a-f]+)"', browser.text("/mail?state=rejected")))
    text = browser.text(found[0])
    assert "&#34;email&#34;: &#34;nobody&#34;" in text
    assert "its content is not kept" in browser.text(f"{found[0]}/source")
    assert browser.get(f"{found[0]}/raw").status == 404
    assert browser.post(f"{found[0]}/free").status == 303
