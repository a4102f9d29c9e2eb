"""A template that writes JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.entity import Datetime, Entity
from pipeline.errors import TransformError, UnusableError
from pipeline.transforms.template import TemplateConfig, WritesJson
from tests.checked import marks_of_transform


class Place:
    """What the transform may ask for: the folder of its project."""

    pipe = "contacts"

    def __init__(self, root: str) -> None:
        """The folder."""
        self.root = root


def built(template: str | None = None, root: str = "/nowhere", **properties: Any) -> WritesJson:
    """The transform with a template."""
    place: Any = Place(root)
    declared = {"type": "template", "template": template, **properties}
    return TemplateConfig.model_validate(declared).build(place)


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ('{"n": {{ name | tojson }}}', [{"_id": "1", "n": "Kari"}]),
        ('{"_id": {{ ("x" ~ _id) | tojson }}}', [{"_id": "x1"}]),
        ('[{% for t in tags %}{"_id": {{ t | tojson }}}{{ "," | tojson if false }}{% endfor %}]', None),
        ("{{ tags | tojson }}", None),
        ("{% if name == 'Ola' %}{}{% endif %}", []),
        ("null", []),
        ("[]", []),
        ("{{ entity | tojson }}", [{"_id": "1", "name": "Kari", "tags": ["a", "b"]}]),
        ('{"at": "~t2026-01-01"}', [{"_id": "1", "at": Datetime(1_767_225_600_000_000_000)}]),
    ],
)
def test_what_it_writes_is_entities(template: str, made: list[Entity] | None) -> None:
    """One, with the `_id` of its source if it has none; a list of them; or nothing."""
    entity = {"_id": "1", "name": "Kari", "tags": ["a", "b"]}
    if made is None:
        with pytest.raises(TransformError):
            built(template)(entity)
    else:
        assert list(built(template)(entity)) == made


def test_a_list_of_entities_has_their_own_ids() -> None:
    """A loop writes them."""
    template = '[{% for t in tags %}{"_id": {{ t | tojson }}}{% if not loop.last %},{% endif %}{% endfor %}]'
    assert list(built(template)({"_id": "1", "tags": ["a", "b"]})) == [{"_id": "a"}, {"_id": "b"}]


def test_a_deleted_entity_stays_deleted() -> None:
    """Unless the template says otherwise."""
    deleted = {"_id": "1", "_deleted": True}
    assert list(built('{"x": 1}')(deleted)) == [{"_id": "1", "x": 1, "_deleted": True}]
    assert list(built('{"_deleted": false}')(deleted)) == [{"_id": "1", "_deleted": False}]


def test_a_template_can_be_a_file_that_calls_others(tmp_path: Path) -> None:
    """Of the project's folder `templates`."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "all.json").write_text('{% from "one.json" import name %}{"n": {{ name(first) }}}')
    (tmp_path / "templates" / "one.json").write_text("{% macro name(x) %}{{ x | upper | tojson }}{% endmacro %}")
    transform = built(None, str(tmp_path), template_file="all.json")
    assert list(transform({"_id": "1", "first": "Kari"})) == [{"_id": "1", "n": "KARI"}]
    with pytest.raises(UnusableError, match="contacts.*E404"):
        built(None, str(tmp_path), template_file="none.json")


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ('{"n":\n {{ nmae | tojson }}}', "template:2:5: E408"),
        (
            '{"n": {{ name | tojson }}',
            "template: what it writes is no JSON: expecting ',' delimiter at line 1, column 13",
        ),
        ('{"n": NaN}', "`NaN` is no number of JSON"),
        ("[" * 100_000, "nested too deep"),
        ("3", "what it writes is no object"),
        ('[{"x": 1}]', "the entity 1 of its list has no `_id` that is a text"),
        ('{"_id": 7}', "what it writes has no `_id` that is a text"),
    ],
)
def test_what_it_cannot_write_fails_the_entity(template: str, why: str) -> None:
    """With the place in the template, or in what it wrote."""
    with pytest.raises(TransformError) as raised:
        built(template)({"_id": "1", "name": "Kari"})
    assert why in str(raised.value)


@given(st.text() | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_properties_no_value_can_leave_its_place(value: Any) -> None:
    """Whatever it holds, it comes back as itself, and nothing beside it changes."""
    try:
        (made,) = built('{"a": {{ value | tojson }}, "admin": false}')({"_id": "1", "value": value})
    except TransformError:
        return  # null has no text
    assert made["admin"] is False
    assert set(made) == {"_id", "a", "admin"}


@pytest.mark.parametrize(
    ("declared", "marked"),
    [
        ({"template": '{"n": {{ name | tojson }}}'}, []),
        ({"template": "{% macro m(x) %}{{ x | tojson }}{% endmacro %}[{{ m(1) }}]"}, []),
        ({"template": '{"n": 1}'}, []),
        ({}, [("E204", '"template"')]),
        ({"template": "{}", "template_file": "x"}, [("E209", '"template_file"')]),
        ({"template_file": "none.json"}, [("E404", "none.json")]),
        ({"template": "{{ name"}, [("E401", "{{")]),
        ({"template": "[{{ name }}]"}, [("E415", "name")]),
        ({"template": "[{{ name | upper }}, {{ x.y }}]"}, [("E415", "name | upper"), ("E415", "x.y")]),
        ({"template": "[{{ name | tojson | safe }}]"}, [("E415", "name | tojson | safe")]),
        ({"template": "transform-collect-rest"}, [("E415", '"transform-collect-rest"')]),
    ],
)
def test_what_cannot_be_is_found_by_a_check(
    tmp_path: Path, declared: dict[str, Any], marked: list[tuple[str, str]]
) -> None:
    """At its character."""
    assert marks_of_transform(tmp_path, {"type": "template", **declared}) == marked
