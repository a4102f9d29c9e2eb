"""Templates in a project: where faults stand, what excludes what, what no test entity has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.config.tree import Lines
from pipeline.errors import Problem


def project(folder: Path, sink: dict[str, Any], entities: list[dict[str, Any]] | None = None, **files: str) -> Path:
    """A project with one mail pipe; `files` are templates, `__` standing for the `.` of a name."""
    source = {"type": "embedded", "entities": entities} if entities is not None else {"type": "empty"}
    mail = {"type": "mail", "system": "office", "mail_from": "a@example.com", **sink}
    parts = [
        {"_id": "office", "type": "system:smtp"},
        {"_id": "p", "type": "pipe", "source": source, "sink": mail},
    ]
    (folder / "pipes").mkdir(parents=True)
    (folder / "pipes" / "p.conf.json").write_text(json.dumps(parts, indent=2), encoding="utf-8")
    (folder / "templates").mkdir()
    for name, text in files.items():
        (folder / "templates" / name.replace("__", ".")).write_bytes(text.encode())
    return folder


def found(folder: Path, **environ: str) -> list[tuple[str, str, str]]:
    """File, code and the characters of every fault."""
    checked = check_paths([folder], Options(environ=environ, here=folder, run_secrets=folder / "none"))

    def shown(problem: Problem) -> str:
        return checked.texts[problem.span.file][problem.span.start : problem.span.end]

    return [(problem.span.file, problem.code, shown(problem)) for problem in checked.problems]


CONFIG = "pipes/p.conf.json"


def test_a_fault_points_into_the_json_string_through_its_escapes(tmp_path: Path) -> None:
    """Line breaks, quotes and letters that are written as escapes shift nothing."""
    folder = project(tmp_path, {"text_body_template": 'é "a"\n\t{{ name | uper }}\n'})
    assert found(folder) == [(CONFIG, "E402", "uper")]
    text = (folder / CONFIG).read_text(encoding="utf-8")
    assert "\\u00e9" in text
    checked = check_paths([folder], Options(environ={}, here=folder, run_secrets=folder / "none"))
    (problem,) = checked.problems
    assert Lines(text).place(problem.span.start) == Lines(text).place(text.index("uper"))
    assert problem.decoded is not None
    assert problem.decoded.text[problem.decoded.start : problem.decoded.end] == "uper"


def test_a_template_from_the_environment_is_shown_by_itself(tmp_path: Path) -> None:
    """Its text stands in no file, so the fault brings it along."""
    folder = project(tmp_path, {"subject_template": "$ENV(subject)"})
    options = Options(environ={"subject": "Hello {{ name | uper }}"}, here=folder, run_secrets=folder / "none")
    (problem,) = check_paths([folder], options).problems
    assert found(folder, subject="Hello {{ name | uper }}") == [(CONFIG, "E402", '"$ENV(subject)"')]
    assert problem.decoded is not None
    assert problem.decoded.text[problem.decoded.start : problem.decoded.end] == "uper"


def test_a_fault_in_a_file_points_into_the_file(tmp_path: Path) -> None:
    """Also through the line ends of other systems, and once for two sinks that use it."""
    folder = project(
        tmp_path,
        {"body_template_file": "body.html", "text_body_template": "{% include 'foot.txt' %}"},
        body__html="<p>\r\n{% include 'foot.txt' %}",
        foot__txt="one\r\ntwo\r\n{{ name | uper }}",
    )
    assert found(folder) == [("templates/foot.txt", "E402", "uper")]


@pytest.mark.parametrize(
    ("sink", "code", "shown"),
    [
        ({"subject_template_file": "subjct.txt"}, "E404", "subjct.txt"),
        ({"subject_template_file": "../a.txt"}, "E406", "../a.txt"),
        ({"subject_template_file": "/etc/passwd"}, "E406", "/etc/passwd"),
        ({"text_body_template": "{% include 'subjct.txt' %}"}, "E404", "'subjct.txt'"),
        ({"subject_template": "a", "subject_template_file": "subject.txt"}, "E209", '"subject_template_file"'),
        (
            {"subject_template_file": "subject.txt", "subject_template_property": "s"},
            "E209",
            '"subject_template_property"',
        ),
        ({"body_template_file_property": "b", "body_template": "x"}, "E209", '"body_template_file_property"'),
        ({"recipients": "a@example.com", "recipients_property": "to"}, "E209", '"recipients_property"'),
        ({"subject_template_file": "subject.txt"}, "", ""),
        ({"text_body_template": "x", "body_template": "{{ note | safe }}"}, "W413", "safe"),
        ({"body_template": "<p>{{ note | safe }}"}, "W413", "safe"),
        ({"body_template": "{{ note | safe }}"}, "", ""),
        ({"text_body_template": "{{ note | safe }}"}, "", ""),
    ],
)
def test_what_a_sink_says_of_its_templates(tmp_path: Path, sink: dict[str, str], code: str, shown: str) -> None:
    """Files that are there and stay where they are, one way to give each part, and HTML that is escaped."""
    folder = project(tmp_path, sink, subject__txt="Hello {{ name }}\n")
    assert found(folder) == ([(CONFIG, code, shown)] if code else [])


def test_files_that_are_not_read_say_why(tmp_path: Path) -> None:
    """Links, folders and bytes that are no text, where a template names them and nowhere else."""
    folder = project(tmp_path, {"subject_template_file": "link.txt", "text_body_template_file": "latin.txt"})
    (folder / "secret.txt").write_text("{{ x }}", encoding="utf-8")
    (folder / "templates" / "link.txt").symlink_to(folder / "secret.txt")
    (folder / "templates" / "latin.txt").write_bytes(b"\xe6")
    (folder / "templates" / "unused.txt").symlink_to("/nowhere")
    checked = check_paths([folder], Options(environ={}, here=folder, run_secrets=folder / "none"))
    assert [(problem.code, problem.notes[0].text) for problem in checked.problems] == [
        ("E404", "cannot read this file: it is a symbolic link"),
        ("E404", "the file is not UTF-8"),
    ]


ANN: dict[str, Any] = {"_id": "1", "name": "Ann", "orders": [{"item": "Tea"}], "recipients": "ann@example.com"}


def test_a_variable_that_no_test_entity_has(tmp_path: Path) -> None:
    """In a subject, a loop and a file, each at its place; what is asked for first is left alone."""
    folder = project(
        tmp_path,
        {
            "subject_template": "{{ nmae }}",
            "text_body_template": "{% for o in orders %}{{ o.itme }}{% endfor %}{{ left | default(1) }}",
            "body_template_file": "body.html",
        },
        [ANN, {"_id": "2", "name": "Bo", "recipients": "bo@example.com"}],
        body__html="<p>{{ shop }}",
    )
    assert found(folder) == [
        (CONFIG, "W403", "nmae"),
        (CONFIG, "W403", "o.itme"),
        ("templates/body.html", "W403", "shop"),
    ]


def test_a_variable_of_a_header_or_an_address_to_unsubscribe_that_no_test_entity_has(tmp_path: Path) -> None:
    """As in the texts; what is no template is not looked at."""
    sink: dict[str, Any] = {
        "subject_template": "Hello",
        "body_template": "Hello",
        "headers": {"X-Shop": "{{ shopp }}", "X-Plain": "nmae", "X-Name": "{{ name }}"},
        "list_unsubscribe": ["mailto:off@example.com", "https://example.com/{{ _idd }}"],
    }
    folder = project(tmp_path, sink, [ANN])
    assert found(folder) == [(CONFIG, "W403", "shopp"), (CONFIG, "W403", "_idd")]
    folder = project(tmp_path / "one", sink | {"list_unsubscribe": "https://example.com/{{ nmae }}"}, [ANN])
    assert found(folder) == [(CONFIG, "W403", "shopp"), (CONFIG, "W403", "nmae")]


def test_the_warning_says_what_happens_and_what_may_be_meant(tmp_path: Path) -> None:
    """A near name, how many entities have it, and what a reader would see."""
    for unhandled, words in (
        ("strict", "is `rejected`"),
        ("debug", "show `{{ nmae }}`"),
        ("empty_string", "show a gap"),
    ):
        sink = {"subject_template": "{{ nmae }}", "unhandled_template_variable_replacement": unhandled}
        folder = project(tmp_path / unhandled, sink, [ANN, {**ANN, "_id": "2"}])
        checked = check_paths([folder], Options(environ={}, here=folder, run_secrets=folder / "none"))
        (problem,) = [problem for problem in checked.problems if problem.code == "W403"]
        assert problem.message == "no test entity has a property `nmae`"
        assert words in problem.notes[0].text
        assert problem.notes[1].text == "did you mean `name`? all 2 test entities of this pipe have it"
