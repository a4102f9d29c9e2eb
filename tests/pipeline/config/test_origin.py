"""Where a value came from, in what is said of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.config.load import Options, load
from pipeline.config.origin import shown
from pipeline.errors import Problem

CANARY = "c4nary-8d11"


def found(folder: Path, properties: Mapping[str, object], **environ: str) -> list[Problem]:
    """What is wrong with a mail system of these properties."""
    (folder / "systems").mkdir(exist_ok=True)
    system = {"_id": "s", "type": "system:smtp", **properties}
    (folder / "systems" / "s.conf.json").write_text(json.dumps(system), encoding="utf-8")
    return load(folder, Options(environ=environ, here=folder, run_secrets=folder / "none")).problems


def notes(problem: Problem) -> list[str]:
    """The notes on where a value came from."""
    return [note.text for note in problem.notes if "set in" in note.text]


def test_a_value_of_the_process_is_shown_with_its_variable(tmp_path: Path) -> None:
    """Also under the spelling that shells can set."""
    (problem,) = found(tmp_path, {"smtp_port": "$ENV(mail-port)"}, MAIL_PORT="many")
    assert problem.code == "E308"
    expected = '`$ENV(mail-port)` is "many", set in the process environment, as `MAIL_PORT`'
    assert notes(problem) == [expected]
    assert problem.notes[0].text == expected


def test_a_value_of_a_file_is_shown_with_its_line(tmp_path: Path) -> None:
    """For `.env` the line of the name, for values of a profile the profile too."""
    (tmp_path / ".env").write_text("a=1\n\n  export tls=none of them\n", encoding="utf-8")
    (tmp_path / "test-env.json").write_text('{"x": 1,\n  "host": 5}', encoding="utf-8")
    problems = found(tmp_path, {"comment": "$ENV(a) $ENV(x)", "tls": "$ENV(tls)", "smtp_server": "$ENV(host)"})
    assert [(problem.code, notes(problem)) for problem in problems] == [
        ("E308", ['`$ENV(tls)` is "none of them", set in .env:3:10']),
        ("E202", ["`$ENV(host)` is 5, set in test-env.json:2:4 (profile `test`)"]),
    ]


def test_a_value_of_a_named_file_is_shown_with_its_line(tmp_path: Path) -> None:
    """A file that was named for this run is no file of the project, and has lines all the same."""
    (tmp_path / "my.env").write_text("# mine\nport=x\n", encoding="utf-8")
    found(tmp_path, {"smtp_port": "$ENV(port)"})
    options = Options(environ={}, here=tmp_path, run_secrets=tmp_path / "none", env_files=[tmp_path / "my.env"])
    (problem,) = load(tmp_path, options).problems
    assert notes(problem) == ['`$ENV(port)` is "x", set in my.env:2:1']


def test_an_id_has_no_value(tmp_path: Path) -> None:
    """What an `_id` looks like it refers to is not told as its value: no reference is looked up there."""
    (problem,) = found(tmp_path, {"_id": "$ENV(name)"}, name="many")
    assert problem.code == "E210"
    assert problem.notes[0].text == "references are not looked up in an `_id`"
    assert "many" not in str(problem.notes)


def test_each_reference_of_a_text_is_told(tmp_path: Path) -> None:
    """A value that is put together came from several places."""
    (tmp_path / ".env").write_text("b=c\n", encoding="utf-8")
    (problem,) = found(tmp_path, {"url": "$ENV(a)://$ENV(b)"}, a="http")
    assert problem.code == "E203"
    assert notes(problem) == [
        '`$ENV(a)` is "http", set in the process environment',
        '`$ENV(b)` is "c", set in .env:1:1',
    ]


def test_what_is_no_text_is_told_at_the_reference(tmp_path: Path) -> None:
    """A list within a longer string is shown with its place."""
    (tmp_path / "test-env.json").write_text('{"hosts": ["a", "b"]}', encoding="utf-8")
    (problem,) = found(tmp_path, {"name": "on $ENV(hosts)"})
    assert (problem.code, notes(problem)) == (
        "E308",
        ['`$ENV(hosts)` is ["a", "b"], set in test-env.json:1:3 (profile `test`)'],
    )


@pytest.mark.parametrize(
    ("properties", "environ"),
    [
        ({"smtp_port": "$ENV(mail-password)"}, {"MAIL_PASSWORD": CANARY}),
        ({"smtp_username": "u", "smtp_password": ["$ENV(word)"]}, {"word": CANARY}),
        ({"smtp_port": "$ENV(feed)"}, {"feed": f"https://me:{CANARY}@example.com"}),
        ({"smtp_port": "$ENV(feed)"}, {"feed": f"password={CANARY}"}),
    ],
)
def test_a_secret_is_not_shown(tmp_path: Path, properties: dict[str, object], environ: dict[str, str]) -> None:
    """By the name of the variable, by the name of the property, or by what stands in the value."""
    problems = found(tmp_path, properties, **environ)
    assert problems
    assert CANARY not in repr([(p.message, p.label, p.notes) for p in problems])


def test_a_secret_is_told_with_its_place_and_without_its_value(tmp_path: Path) -> None:
    """Where it is set can be said of a password too."""
    (problem,) = found(tmp_path, {"smtp_port": "$ENV(mail-password)"}, MAIL_PASSWORD=CANARY)
    expected = "`$ENV(mail-password)` is set in the process environment, as `MAIL_PASSWORD`; its value is not shown"
    assert notes(problem) == [expected]


def test_a_fault_of_the_text_itself_has_no_origin(tmp_path: Path) -> None:
    """What stands in the file is shown there; an unset variable came from nowhere."""
    problems = found(tmp_path, {"smtp_port": "many", "name": "$ENV(unset)", "tls": "x"})
    assert [problem.code for problem in problems] == ["E202", "E301", "E203"]
    assert not any(notes(problem) for problem in problems)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'),
        ("", '""'),
        (5, "5"),
        (None, "null"),
        ({"a": [1, "é"]}, '{"a": [1, "é"]}'),
        ({"password": "x", "a": 1}, '{"password": "********", "a": 1}'),
        (["smtp://u:p@h"], '["smtp://********@h"]'),
        ("x" * 100, '"' + "x" * 59 + "…"),
    ],
)
def test_values_are_shown_as_json(value: object, text: str) -> None:
    """Without secrets, and cut when they are long."""
    assert shown(value) == text


def test_a_secret_in_a_wrong_place_is_told_with_where_it_is_set(tmp_path: Path) -> None:
    """The fault is at the reference, within a text too; the value is not shown."""
    (tmp_path / ".secrets.env").write_text(f"host={CANARY}\n", encoding="utf-8")
    (tmp_path / ".secrets.env").chmod(0o600)
    for text in ("$SECRET(host)", "mail.$SECRET(host)"):
        (problem,) = found(tmp_path, {"smtp_server": text})
        assert problem.code == "E310"
        assert problem.notes[0].text == "`$SECRET(host)` is set in .secrets.env:1:1; its value is not shown"
        assert CANARY not in str(problem)
