"""`mailweir preview`, as a process of its own: what it shows, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.preview_show import body_html, page
from sinks.mail.config import MailConfig
from sinks.mail.maker import Maker
from sinks.mail.settings import settings

Command = Callable[..., Any]
PEOPLE = [{"_id": "c1", "email": "kari@example.com", "name": "Kari"}, {"_id": "c2", "email": "", "name": "Ola"}]


def project(folder: Path, *pipes: dict[str, Any], **sink: Any) -> Path:
    """A project with a pipe that mails, and others."""
    mail = {
        "type": "mail",
        "system": "office",
        "mail_from": "Example <hello@example.com>",
        "recipients_property": "email",
        "subject_template": "Welcome, {{ name }}",
        "body_template": "<p>Hello <b>{{ name }}</b></p>",
        **sink,
    }
    welcome = {"_id": "welcome-mail", "type": "pipe", "source": {"type": "embedded", "entities": PEOPLE}, "sink": mail}
    by_id = {one["_id"]: one for one in (welcome, *pipes)}
    by_id["welcome-mail"] = {**welcome, **by_id["welcome-mail"], "sink": mail}
    (folder / "a.conf.json").write_text(json.dumps([{"_id": "office", "type": "system:smtp"}, *by_id.values()]))
    return folder


def test_a_mail_is_shown_as_its_reader_sees_it(command: Command, tmp_path: Path) -> None:
    """Who, what, of which parts, and the text; nothing is left behind."""
    done = command(project(tmp_path), "preview", "welcome-mail")
    assert (done.returncode, done.stderr) == (0, "")
    head, _, body = done.stdout.partition("─" * 50 + "\n")
    assert head.splitlines() == [
        "From      Example <hello@example.com>",
        "To        kari@example.com",
        "Subject   Welcome, Kari",
        "Parts     text/plain 12 B, text/html 24 B",
        "Warnings  none",
    ]
    assert body == "Hello Kari\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.conf.json"]


def test_who_stands_in_the_mail_is_not_hidden(command: Command, tmp_path: Path) -> None:
    """A domain that is written otherwise on the wire is no other recipient; a hidden copy is told."""
    project(tmp_path, bcc="archive@example.com")
    entity = json.dumps({"_id": "x", "email": "bo@blåbær.example", "name": "Bo"})
    done = command(tmp_path, "preview", "welcome-mail", "--entity", "-", given=entity)
    assert "To        bo@xn--blbr-roah.example" in done.stdout
    assert "Hidden    archive@example.com\n" in done.stdout


def test_lines_that_are_left_out_are_warnings(command: Command, tmp_path: Path) -> None:
    """They are told as in a run."""
    (tmp_path / "in.jsonl").write_text('{"_id": 1}\n' + json.dumps(PEOPLE[0]))
    source = {"type": "json", "path": "in.jsonl", "on_error": "skip"}
    project(tmp_path, {"_id": "welcome-mail", "source": source})
    assert command(tmp_path, "preview", "welcome-mail").stderr.startswith("warning: in.jsonl:1:")


def test_a_mail_that_would_be_rejected_says_why(command: Command, tmp_path: Path) -> None:
    """Exit 1, and a fault of a template has its place in the configuration."""
    done = command(project(tmp_path), "preview", "welcome-mail", "--id", "c2")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "rejected (entity c2): E502 no recipient: `email` is empty\n"
    done = command(tmp_path, "preview", "welcome-mail", "--entity", "-", given='{"_id": "x", "email": "a@example.com"}')
    assert done.returncode == 1
    assert done.stderr.startswith("rejected (entity x): E408 the entity has no property `name`\n")
    assert " --> a.conf.json:1:" in done.stderr


def test_a_template_that_an_entity_brings_is_shown_by_itself(command: Command, tmp_path: Path) -> None:
    """It stands in no file, so its own lines and columns are told."""
    project(tmp_path, body_template_property="body", body_template=None)
    entity = json.dumps({"_id": "x", "email": "a@example.com", "name": "A", "body": "line 1\n{% for x in %}"})
    done = command(tmp_path, "preview", "welcome-mail", "--entity", "-", given=entity)
    assert done.returncode == 1
    assert " --> `body` of the entity:2:1 (body)\n" in done.stderr
    assert "\n2 | {% for x in %}\n  | ^^^^^^^^^^^^^^ opened here\n" in done.stderr


def test_the_bytes_are_those_that_would_go(command: Command, tmp_path: Path) -> None:
    """A whole mail for other programs."""
    done = command(project(tmp_path), "preview", "welcome-mail", "--format", "eml")
    assert done.returncode == 0
    assert message_from_string(done.stdout)["Subject"] == "Welcome, Kari"
    assert command(tmp_path, "preview", "welcome-mail", "--format", "eml", "--n", "2").returncode == 2


def test_facts_for_programs(command: Command, tmp_path: Path) -> None:
    """One document with every mail and every reason."""
    done = command(project(tmp_path), "--json", "preview", "welcome-mail", "--n", "5")
    told = json.loads(done.stdout)
    assert (done.returncode, told["exit_code"], told["command"], told["pipe"]) == (1, 1, "preview", "welcome-mail")
    first, second = told["mails"]
    assert (first["entity"], first["outcome"], first["recipients"]) == ("c1", "queued", ["kari@example.com"])
    assert (first["subject"], first["text"].strip(), first["return_path"]) == (
        "Welcome, Kari",
        "Hello Kari",
        "hello@example.com",
    )
    assert ["To", "kari@example.com"] in first["headers"]
    assert (second["outcome"], second["problem"]["code"]) == ("rejected", "E502")


def test_a_page_to_open(command: Command, tmp_path: Path) -> None:
    """It is written for its owner alone, and told where there is no browser."""
    done = command(project(tmp_path), "preview", "welcome-mail", "--open", BROWSER="true")
    assert done.returncode == 0
    path = tmp_path / ".mailweir" / "preview" / "welcome-mail.html"
    assert done.stderr == f"Page: {path}\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "Welcome, Kari" in path.read_text(encoding="utf-8")


def test_warnings_count_where_it_is_strict(command: Command, tmp_path: Path) -> None:
    """They stand beside the mail; with --strict the exit code is 1."""
    project(tmp_path, unhandled_template_variable_replacement="empty_string")
    done = command(tmp_path, "preview", "welcome-mail")
    assert done.returncode == 0
    assert 'Warnings  W407 `unhandled_template_variable_replacement` is "empty_string"\n' in done.stdout
    assert command(tmp_path, "preview", "welcome-mail", "--strict").returncode == 1


def test_entities_come_through_the_pipes_before(command: Command, tmp_path: Path) -> None:
    """A dataset is filled by the pipe that writes it, transforms and all; testdata stands in for it."""
    reading = {"_id": "welcome-mail", "source": {"type": "dataset", "dataset": "customers"}}
    customers = {
        "_id": "customers",
        "type": "pipe",
        "source": {"type": "embedded", "entities": [{"_id": "up", "EMAIL": "up@example.com", "NAME": "Up"}]},
        "transform": {"type": "lower_keys"},
    }
    project(tmp_path, reading, customers)
    assert "Subject   Welcome, Up\n" in command(tmp_path, "preview", "welcome-mail").stdout
    (tmp_path / "testdata").mkdir()
    for name in ("customers", "welcome-mail"):
        entities = [{"_id": name, "email": "a@example.com", "name": name}]
        (tmp_path / "testdata" / f"{name}.json").write_text(json.dumps(entities))
        assert f"Subject   Welcome, {name}\n" in command(tmp_path, "preview", "welcome-mail").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["preview", "welcome"], 2, "no pipe 'welcome'. Did you mean 'welcome-mail'?"),
        (["preview", "customers"], 2, "`customers` makes no mail: it ends in a dataset"),
        (["preview", "welcome-mail", "--id", "c9"], 2, "no entity with the `_id` `c9` reaches the sink"),
        (["preview", "welcome-mail", "--entity", "gone.json"], 2, "--entity: gone.json: No such file"),
        (["preview", "welcome-mail", "--entity", "bad.json"], 2, "the source cannot be read"),
        (["preview", "welcome-mail", "--watch", "--entity", "-"], 2, "--watch cannot read standard input again"),
    ],
)
def test_wrong_use_is_told(command: Command, tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    """In a sentence, with exit code 2."""
    project(tmp_path, {"_id": "customers", "type": "pipe", "source": {"type": "embedded", "entities": []}})
    (tmp_path / "bad.json").write_text("[{")
    done = command(tmp_path, *arguments)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr


def test_a_configuration_with_errors_shows_nothing(command: Command, tmp_path: Path) -> None:
    """Exit 3, and where to look."""
    done = command(project(tmp_path, subject_template="{% for %}"), "preview", "welcome-mail")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "error: the configuration has 1 error. See: mailweir check\n"


def test_a_missing_file_is_told_before_any_mail(command: Command, tmp_path: Path) -> None:
    """The sink cannot be used."""
    done = command(project(tmp_path, attachments=[{"file": "terms.pdf"}]), "preview", "welcome-mail")
    assert done.returncode == 2
    assert "`attachments[0]`: there is no folder `attachments`" in done.stderr


def test_a_page_runs_nothing_and_asks_nobody() -> None:
    """What strangers wrote stands in a frame without rights, pictures of the mail beside it."""
    config = MailConfig.model_validate(
        {
            "type": "mail",
            "system": "office",
            "mail_from": "a@example.com",
            "recipients": "b@example.com",
            "subject_template": "<script>alert(1)</script>",
            "body_template": '<script>alert(2)</script><img src="https://example.com/x"><img src="cid:dot">"></iframe>',
            "inline_images": [{"content": "YWJj", "name": "dot.gif", "cid": "dot"}],
        }
    )
    mails = Maker(settings(config, "/nowhere"), "p", "run").make({"_id": "1"}, 1_800_000_000.0)
    assert "data:image/gif;base64,YWJj" in body_html(mails[0])
    text = page("p", mails, ())
    assert "<script" not in text
    assert text.count("</iframe>") == 1
    assert '<iframe sandbox="" ' in text
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in text
