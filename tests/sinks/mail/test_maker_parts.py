"""What few sinks have: copies, senders of entities, files, pictures, headers, signatures."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UnusableError
from pipeline.secret import Secret
from sinks.mail.maker import Made
from tests.sinks.mail.making import ANN, mail, maker, one, why

SEED = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with files to go with mails."""
    (tmp_path / "attachments").mkdir()
    (tmp_path / "attachments" / "terms.pdf").write_bytes(b"%PDF terms")
    (tmp_path / "attachments" / "logo.png").write_bytes(b"\x89PNG logo")
    return tmp_path


def files(made: Made) -> list[tuple[str | None, str, bytes]]:
    """Name, type and content of each attachment."""
    return [
        (part.get_filename(), part.get_content_type(), part.get_payload(decode=True))  # type: ignore[misc]
        for part in mail(made).iter_attachments()
    ]


def test_copies_and_answers() -> None:
    """Copies stand in the mail and in the envelope, hidden ones in the envelope alone; answers go where they should."""
    made = one(
        maker(cc="Cy <cy@example.org>", bcc_property="hidden", reply_to="answers@example.com"),
        ANN | {"hidden": ["dee@example.org"]},
    )
    parsed = mail(made)
    assert (parsed["Cc"], parsed["Bcc"], parsed["Reply-To"]) == ("Cy <cy@example.org>", None, "answers@example.com")
    assert made.new.recipients == ("ann@example.org", "cy@example.org", "dee@example.org")
    assert b"dee@" not in made.new.content


def test_an_entity_brings_copies_answers_and_a_sender() -> None:
    """A sender of its own gets the reports too; without one it is that of the sink."""
    sink = maker(cc_property="cc", reply_to_property="answers", mail_from_property="from")
    made = one(sink, ANN | {"cc": "cy@example.org", "answers": "a@example.com", "from": "Shop <shop@example.net>"})
    parsed = mail(made)
    assert (parsed["From"], parsed["Cc"], parsed["Reply-To"]) == (
        "Shop <shop@example.net>",
        "cy@example.org",
        "a@example.com",
    )
    assert made.message is not None
    assert made.message.envelope.sender == "shop@example.net"
    assert mail(one(sink, ANN))["From"] == "Example <post@example.com>"


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"from": "n/a"}, "E503", '`from` is "n/a": no `@`'),
        ({"from": ["a@example.com", "b@example.com"]}, "E503", "`from` holds 2 senders; a mail has one"),
        ({"cc": "n/a"}, "E502", '`cc` is "n/a": no `@`'),
        ({"answers": "n/a"}, "E502", '`answers` is "n/a": no `@`'),
    ],
)
def test_wrong_addresses_reject_the_mail(more: dict[str, Any], code: str, words: str) -> None:
    """Also where a mail could go without them: nobody would miss what is not there."""
    sink = maker(cc_property="cc", reply_to_property="answers", mail_from_property="from")
    assert why(one(sink, ANN | more)) == (code, words)


def test_wrong_addresses_may_be_left_out() -> None:
    """Then the mail goes to the others and says who was left out; with nobody left it is rejected."""
    sink = maker(recipients_policy="skip_invalid")
    made = one(sink, ANN | {"email": ["ann@example.org", "n/a"]})
    assert (made.new.recipients, made.notes) == (("ann@example.org",), ('`email` is "n/a": no `@`',))
    assert why(one(sink, ANN | {"email": "n/a"})) == ("E502", 'no recipient is left: `email` is "n/a": no `@`')


def test_each_recipient_gets_a_mail() -> None:
    """Each has a key of its own, and names nobody else."""
    sink = maker(per_recipient=True)
    entity = ANN | {"email": ["ann@example.org", "bo@example.org"]}
    made = sink.make(entity, 1_800_000_000.0)
    assert [each.new.recipients for each in made] == [("ann@example.org",), ("bo@example.org",)]
    assert [mail(each)["To"] for each in made] == ["ann@example.org", "bo@example.org"]
    assert sink.keys(entity) == tuple(("c1", each.new.key) for each in made)
    assert len({each.new.key for each in made}) == 2


def test_the_return_path_gets_the_reports() -> None:
    """An address, or nobody."""
    for path in ("bounces@example.com", ""):
        made = one(maker(return_path=path), ANN)
        assert made.message is not None
        assert made.message.envelope.sender == path


def test_files_go_along(project: Path) -> None:
    """Fixed ones and those of the entity: of the project, as bytes, as text."""
    sink = maker(project, attachments=[{"file": "terms.pdf"}], attachments_property="files")
    assert files(one(sink, ANN)) == [("terms.pdf", "application/pdf", b"%PDF terms")]
    held = [
        "logo.png",
        "~bYWJj",
        {"text": "a;b", "name": "list.csv"},
        {"content": "YWJj", "name": "../../x.bin", "content_type": "a/b"},
    ]
    assert files(one(sink, ANN | {"files": held}))[1:] == [
        ("logo.png", "image/png", b"\x89PNG logo"),
        ("attachment", "application/octet-stream", b"abc"),
        ("list.csv", "text/csv", b"a;b"),
        ("x.bin", "a/b", b"abc"),
    ]


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ("gone.pdf", "`files`: there is no file `gone.pdf` in the folder `attachments`"),
        (["terms.pdf", "../x"], "`files[1]`: `../x` is no path within the folder `attachments`"),
        (7, "`files`: not a file: write an object with `file`, `content` or `text`"),
        ({"content": "~b%%"}, "`files`: `content` is not base64"),
        ({"file": 7}, "`files`: `file` is not a text"),
        ({"name": "a"}, "`files`: one of `file`, `content` and `text` says what is in it"),
        ({"text": "a", "content_type": "multipart/mixed"}, "attachments.0.type: a file cannot be `multipart`"),
        (["terms.pdf"] * 101, "`files` holds 101 files; 100 go with one mail"),
    ],
)
def test_a_file_that_cannot_go_along_rejects_the_mail(project: Path, held: object, words: str) -> None:
    """The reason says which one, and why."""
    assert why(one(maker(project, attachments_property="files"), ANN | {"files": held})) == ("E506", words)


def test_a_fixed_file_that_is_not_there_makes_the_sink_unusable(project: Path) -> None:
    """Before any mail is made."""
    with pytest.raises(UnusableError, match="no file `gone.pdf` in the folder `attachments`"):
        maker(project, attachments=[{"file": "gone.pdf"}])


def test_pictures_stand_in_the_html(project: Path) -> None:
    """Under the name that the HTML gives them; one that nobody sent rejects the mail."""
    sink = maker(
        project,
        body_template='<p><img src="cid:logo.png"><img src="cid:face"></p>',
        inline_images=[{"file": "logo.png"}],
        inline_images_property="faces",
    )
    made = one(sink, ANN | {"faces": {"content": "~bYWJj", "name": "face.gif", "cid": "face"}})
    related = next(part for part in mail(made).walk() if part.get_content_type() == "multipart/related")
    html, *pictures = [part for part in related.walk() if not part.is_multipart()]
    assert isinstance(html, EmailMessage)
    for picture in pictures:
        assert f"cid:{picture['Content-ID'][1:-1]}" in html.get_content()
    assert [picture.get_payload(decode=True) for picture in pictures] == [b"\x89PNG logo", b"abc"]
    assert why(one(sink, ANN)) == ("E506", "html: no inline image is called `face`")


def test_headers_are_templates() -> None:
    """One that comes out empty is left out, one that cannot be a header rejects the mail."""
    sink = maker(headers={"X-Fixed": "æ", "X-Room": "{{ room }}"})
    parsed = mail(one(sink, ANN | {"room": "4"}))
    assert (parsed["X-Fixed"], parsed["X-Room"]) == ("æ", "4")
    assert "X-Room" not in mail(one(sink, ANN | {"room": ""}))
    assert why(one(sink, ANN | {"room": "4\r\nBcc: x"}))[0] == "E412"
    assert why(one(sink, ANN | {"room": "4" * 9000})) == ("E508", "headers.X-Room: more than 8192 characters")
    assert why(one(sink, ANN))[0] == "E408"


def test_readers_can_unsubscribe() -> None:
    """With one click where the sink says so, and a URL that is none rejects the mail."""
    sink = maker(
        list_unsubscribe=["https://example.com/off/{{ _id | urlencode }}", "mailto:{{ off }}"],
        one_click_unsubscribe=True,
    )
    parsed = mail(one(sink, ANN | {"off": "off@example.com"}))
    assert parsed["List-Unsubscribe"] == "<https://example.com/off/c1>, <mailto:off@example.com>"
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert why(one(sink, ANN | {"off": "a b"}))[0] == "E509"


def test_importance_and_message_id() -> None:
    """What mail programs show as important, and whose identifiers they are."""
    parsed = mail(one(maker(importance="high", message_id_domain="mail.example.net"), ANN))
    assert (parsed["Importance"], parsed["X-Priority"]) == ("high", "1 (Highest)")
    assert parsed["Message-ID"].endswith("@mail.example.net>")


def test_styles_are_written_into_elements() -> None:
    """Where the sink says so."""
    body = "<style>p { color: red }</style><p>{{ name }}</p>"
    for inline in (True, False):
        html = mail(one(maker(body_template=body, css_inline=inline), ANN)).get_body(("html",))
        assert html is not None
        assert ('style="color: red' in html.get_content()) == inline


def test_keys_sign_the_mail() -> None:
    """Each by itself, and a key that is none makes the sink unusable without telling it."""
    key = {"domain": "example.com", "selector": "s1", "key": Secret(SEED)}
    parsed = mail(one(maker(dkim=[key, key | {"selector": "s2"}]), ANN))
    assert [signature.count("d=example.com") for signature in parsed.get_all("DKIM-Signature", [])] == [1, 1]
    with pytest.raises(UnusableError) as unusable:
        maker(dkim=[key | {"key": Secret("canary")}])
    assert "canary" not in str(unusable.value)


def test_a_mail_over_the_limit_is_rejected() -> None:
    """Before it is admitted anywhere."""
    sink = maker(max_message_bytes=2000)
    assert one(sink, ANN).message
    code, words = why(one(sink, ANN | {"name": "x" * 2000}))
    assert code == "E412"
    code, words = why(one(maker(max_message_bytes=2000, subject_template="a"), ANN | {"name": "x y " * 1000}))
    assert code == "E507"
    assert "more than 2000" in words


def test_what_delivery_needs_is_put_on_record() -> None:
    """Whether it may go twice, and when it is of no use any more."""
    new = one(maker(delivery="at_most_once"), ANN, expires=7.0).new
    assert (new.at_most_once, new.expires) == (True, 7.0)
    assert one(maker(), ANN).new.at_most_once is False
