"""The sink of text messages as declared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options

SYSTEMS = [
    {"_id": "sms", "type": "system:twilio", "account": "AC1", "token": "t"},
    {"_id": "mail", "type": "system:smtp"},
]


def found(folder: Path, sink: dict[str, Any]) -> list[tuple[str, str]]:
    """The codes of a sink, and what they mark."""
    entities = [{"_id": "a", "name": "Kari", "phone": "+4799887766"}]
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "embedded", "entities": entities}, "sink": sink}
    text = json.dumps([*SYSTEMS, pipe], ensure_ascii=False)
    (folder / "p.conf.json").write_text(text)
    problems = check_paths([folder], Options(environ={}, here=folder, run_secrets=folder / "none")).problems
    return [(each.code, text[each.span.start : each.span.end]) for each in problems if each.path[:1] == ("p",)]


def sink(**properties: Any) -> dict[str, Any]:
    """A sink that is right, but for these properties; None takes one away."""
    usual = {
        "type": "sms",
        "system": "sms",
        "from_number": "+4766554433",
        "recipients": "+4799887766",
        "body_template": "Hi {{ name }}",
    }
    return {name: value for name, value in {**usual, **properties}.items() if value is not None}


@pytest.mark.parametrize(
    ("properties", "marked"),
    [
        ({}, []),
        ({"recipients": None, "recipients_property": "phone"}, []),
        ({"from_number": "My Shop", "redirect_to": "+4711223344"}, []),
        ({"system": "mail"}, [("E306", '"mail"')]),
        ({"system": None}, [("E204", "{")]),
        ({"from_number": None}, [("E204", "{")]),
        ({"from_number": "shop@example.com"}, [("E503", '"shop@example.com"')]),
        ({"redirect_to": "me@example.com"}, [("E503", '"me@example.com"')]),
        ({"recipients": "+4799887766, 99887766"}, [("E501", "99887766")]),
        ({"recipients": " , "}, [("E501", '" , "')]),
        ({"recipients": ",".join(f"+479{number:07}" for number in range(1001))}, [("E501", "…")]),
        ({"recipients_property": "phone"}, [("E209", '"recipients_property"')]),
        ({"body_template": "Hi {{ name"}, [("E401", "{{")]),
        ({"body_template": "Hi {{ nmae }}"}, [("W403", "nmae")]),
        ({"body_template_property": "x"}, [("E209", '"body_template_property"')]),
        ({"body_template": None, "body_template_file": "none.txt"}, [("E404", "none.txt")]),
        ({"unhandled_template_variable_replacement": "debug"}, [("W407", '"debug"')]),
        ({"subject_template": "Hi"}, [("E201", '"subject_template"')]),
    ],
)
def test_what_cannot_be_is_found_by_a_check(
    tmp_path: Path, properties: dict[str, Any], marked: list[tuple[str, str]]
) -> None:
    """At its place."""
    made = found(tmp_path, sink(**properties))
    assert [(code, "…" if len(text) > 1000 else text) for code, text in made] == marked


def test_mail_does_not_go_through_a_system_for_text_messages(tmp_path: Path) -> None:
    """And the other way round."""
    mail = {"type": "mail", "system": "sms", "mail_from": "a@example.com", "recipients": "b@example.com"}
    assert found(tmp_path, {**mail, "subject_template": "Hi", "body_template": "Hi"}) == [("E306", '"sms"')]
