"""No header is begun by what an entity brings."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.template.templates import Template, compile_template, variables
from sinks.mail.template_headers import control_in, header_fault


def told(source: str, entity: dict[str, Any]) -> tuple[str, str] | None:
    """The message and the characters that it points at, for a subject."""
    template = compile_template(source, "subject")
    assert isinstance(template, Template)
    values = variables(entity)
    text = template.render(values)
    assert isinstance(text, str)
    fault = header_fault(text, template, values)
    return (fault.message, source[fault.place.start : fault.place.end]) if fault else None


@pytest.mark.parametrize(
    "control", ["\n", "\r", "\x00", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\t"]
)
def test_every_control_character_is_found(control: str) -> None:
    """Line breaks of every kind among them."""
    assert control_in(f"a{control}Bcc: x") is not None
    assert told("Hi {{ name }}!", {"name": f"Ann{control}Bcc: x"}) is not None


@pytest.mark.parametrize("text", ["", "Hello", "blåbær 🫐 \u00a0 \u200d", "=?UTF-8?Q?=0A?="])
def test_plain_text_is_no_fault(text: str) -> None:
    """Letters of all kinds, and what only looks like an escape."""
    assert control_in(text) is None
    assert told("Hi {{ name }}!", {"name": text}) is None


def test_blanks_at_the_ends_of_a_subject_do_no_harm() -> None:
    """They are cut off before anyone looks."""
    assert told("\n{{ name }}\n", {"name": "\nAnn\r\n"}) is None


@pytest.mark.parametrize(
    ("source", "entity", "message", "place"),
    [
        ("Hi {{ name | upper }}", {"name": "a\nb"}, "`name` brings a line break into a header", "name"),
        ("{{ a }} {{ c.d }}", {"a": "x", "c": {"d": "a\x00b"}}, "`c.d` brings the character NUL into a header", "c.d"),
        (
            "{% for o in os %}{{ o.t }} {% endfor %}",
            {"os": [{"t": "a"}, {"t": "b\rc"}]},
            "`os.….t` brings a line break into a header",
            "o.t",
        ),
        ("{{ city }}.", {"crm:city": "a\x85b"}, "`city` brings the character U+0085 into a header", "city"),
        ("one\ntwo {{ a }}", {"a": "x"}, "a line break stands in a header", "\n"),
        ("{{ 'a\\nb' ~ a }}", {"a": "x"}, "a line break stands in a header", "{{ 'a\\nb' ~ a }}"),
    ],
)
def test_the_fault_points_at_what_brought_it(source: str, entity: dict[str, Any], message: str, place: str) -> None:
    """The variable, or the template itself."""
    assert told(source, entity) == (message, place)
