"""Templates are rendered as Jinja2 renders them, for one entity after the other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from jinja2 import DictLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipeline.template.faults import TemplateFault
from pipeline.template.runtime import Part
from pipeline.template.templates import Options, Template, Templates, compile_template, variables
from pipeline.template.values import Unhandled

ENTITY: dict[str, Any] = {
    "_id": "c1",
    "name": "Ann <Lee> & Co",
    "nothing": None,
    "number": 3,
    "price": 12.5,
    "yes": True,
    "empty": [],
    "words": ["red", "Blue", "green"],
    "orders": [
        {"item": "Tea", "price": 4, "tags": ["hot", "<wet>"], "to": {"city": "Oslo"}},
        {"item": "Cups & saucers", "price": 12, "tags": [], "to": {"city": "Bergen"}},
    ],
    "menu": [{"title": "a", "below": [{"title": "b", "below": []}, {"title": "c", "below": []}]}],
}
FILES = {
    "base.html": "<html>{% block title %}{{ name }}{% endblock %}|{% block body %}base{% endblock %}</html>",
    "middle.html": '{% extends "base.html" %}{% block body %}[{{ super() }}]{% endblock %}',
    "row.html": "<li>{{ order.item }}</li>\n",
    "macros.html": (
        "{% set brand = 'Shop' %}{% macro field(label, value='-') %}{{ label }}: {{ value }}{% endmacro %}"
        "{% macro box() %}<b>{{ caller() }}</b>{% endmacro %}"
    ),
}

# What Jinja2 itself gives for these is what must come out.
SAME = [
    "",
    "plain {text} {{ '{{' }} '\" \\ \\n é \u2028 {# c #}",
    "a\r\nb\rc\n\n",
]
SAME += Path(__file__).with_name("same_as_jinja.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n----\n")


def jinja(source: str, part: Part, entity: Mapping[str, Any]) -> str:
    """What Jinja2's own sandbox gives."""
    environment = ImmutableSandboxedEnvironment(
        autoescape=part == "html", undefined=StrictUndefined, loader=DictLoader(FILES)
    )
    return environment.from_string(source).render(**entity, entity=entity)


def rendered(
    source: str,
    entity: Mapping[str, Any] = ENTITY,
    part: Part = "html",
    unhandled: Unhandled = "strict",
    files: Mapping[str, str] = FILES,
) -> str:
    """What a template gives that has no fault."""
    template = compile_template(source, part, Options(unhandled, files=files))
    assert isinstance(template, Template), template
    text = template.render(variables(entity))
    assert isinstance(text, str), text
    return text


@pytest.mark.parametrize("part", ["text", "html"])
@pytest.mark.parametrize("source", SAME)
def test_the_text_is_what_jinja_gives(source: str, part: Part) -> None:
    """To the character, in text and in HTML."""
    assert rendered(source, part=part) == jinja(source, part, ENTITY)


def test_html_is_escaped_and_text_is_not() -> None:
    """The part decides, not a name or an ending."""
    assert rendered("{{ name }}", part="html") == "Ann &lt;Lee&gt; &amp; Co"
    assert rendered("{{ name }}", part="text") == "Ann <Lee> & Co"
    assert rendered("{{ name }}", part="subject") == "Ann <Lee> & Co"


def test_long_texts_are_escaped_like_short_ones() -> None:
    """What is counted before it is copied comes out the same."""
    assert rendered("{{ text }}", {"text": "<" * 5000}) == "&lt;" * 5000
    assert rendered("{{ text | safe }}", {"text": "<" * 5000}) == "<" * 5000
    assert rendered("{{ text }}", {"text": "<" * 5000}, part="text") == "<" * 5000


def test_many_values_in_one_text() -> None:
    """However many there are, each stands in its place."""
    source = "".join(f"{{{{ v{number} }}}}-" for number in range(100))
    entity = {f"v{number}": str(number) for number in range(100)}
    assert rendered(source, entity) == "".join(f"{number}-" for number in range(100))


def test_a_subject_has_no_blanks_at_its_ends() -> None:
    """A file ends in a line break, and a block may begin with one."""
    assert rendered("\n  {% if true %}\n Hello {{ name }} \n{% endif %}\n\n", part="subject") == "Hello Ann <Lee> & Co"


def test_properties_are_variables_and_the_entity_is_one() -> None:
    """Names that are no words are reached through `entity`."""
    entity = {"first-name": "Ann", "range": "mine", "entity": "hidden", "_id": "c1"}
    assert (
        rendered("{{ entity['first-name'] }} {{ range }} {{ entity.entity }} {{ _id }}", entity) == "Ann mine hidden c1"
    )


def test_a_namespace_is_left_out_where_that_is_clear() -> None:
    """`crm:name` is `name` too, unless something else has that name."""
    entity = {"crm:city": "Oslo", "crm:name": "A", "erp:name": "B", "crm:zip": "1", "zip": "2", "at": {"crm:lane": "x"}}
    assert (
        rendered("{{ city }}{{ entity['crm:city'] }}{{ entity.city }}{{ zip }}{{ at.lane }}", entity)
        == "OsloOsloOslo2x"
    )
    assert "name" not in variables(entity)


def test_a_property_comes_before_a_method() -> None:
    """`items` is a word that people use; called, it is the method."""
    entity = {"order": {"items": ["tea"], "keys": 2}}
    assert rendered("{{ order.items | first }}{{ order.keys }}{{ order.items() | list | length }}", entity) == "tea22"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1E+3"), "1000"),
        (Decimal("12.50"), "12.50"),
        (Decimal("1E+500"), "1E+500"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (date(2026, 1, 2), "2026-01-02"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"tea", "tea"),
        (10**20, "100000000000000000000"),
        (1e21, "1e+21"),
        (False, "False"),
    ],
)
def test_typed_values_are_written_for_people(value: object, text: str) -> None:
    """As they are written in entities, without Python's words around them."""
    assert rendered("{{ value }}", {"value": value}) == text
    assert rendered("{{ value ~ '' }}", {"value": value}, part="text") == text


@pytest.mark.parametrize(
    ("source", "empty", "debug"),
    [
        ("[{{ nmae }}]", "[]", "[{{ nmae }}]"),
        ("[{{ nothing }}]", "[]", "[{{ nothing }}]"),
        ("[{{ customer.phone.code }}]", "[]", "[{{ customer.phone.code }}]"),
        ("[{% for x in nmae %}x{% endfor %}]", "[]", "[]"),
        ("[{% if nmae %}x{% endif %}]", "[]", "[]"),
        ("[{{ nmae == 1 }}{{ nmae | default('d') }}{{ nmae is defined }}]", "[FalsedFalse]", "[FalsedFalse]"),
        ("[{{ nmae ~ 'x' }}]", "[x]", "[{{ nmae }}x]"),
        ("[{{ [nmae] | join }}{{ '%s' % nmae }}]", "[]", "[{{ nmae }}{{ nmae }}]"),
    ],
)
def test_what_is_missing_is_shown_as_the_sink_wants(source: str, empty: str, debug: str) -> None:
    """A gap, or the tag as it was written."""
    assert rendered(source, {"nothing": None}, "text", "empty_string") == empty
    assert rendered(source, {"nothing": None}, "text", "debug") == debug


def test_strict_templates_show_nothing_that_is_missing() -> None:
    """The rendering ends with a fault, whatever is done with what is missing."""
    for source in (
        "{{ nmae }}",
        "{{ nothing }}",
        "{{ nmae.x }}",
        "{{ nmae | upper }}",
        "{% for x in nmae %}{% endfor %}",
        "{% if nmae %}{% endif %}",
        "{{ nmae == 1 }}",
        "{{ nmae ~ 'x' }}",
        "{{ nmae + 1 }}",
        "{{ [nmae] | join }}",
        "{{ '%s' % nmae }}",
        "{{ nmae | length }}",
        "{{ nmae | json }}",
        "{{ [1, nmae] | sort }}",
        "{{ orders | map(attribute='nmae') | join }}",
    ):
        template = compile_template(source, "text")
        assert isinstance(template, Template)
        fault = template.render(variables(ENTITY))
        assert isinstance(fault, TemplateFault), source
        assert fault.code == "E408", source


def test_null_is_replaced_by_a_default() -> None:
    """What is null is as good as missing."""
    assert rendered("{{ nothing | default('x') }}{{ nothing is defined }}{{ nothing is none }}") == "xTrueTrue"


def test_entities_are_not_changed_and_not_remembered() -> None:
    """Each rendering begins anew, and leaves its entity as it was."""
    template = compile_template("{% set ns = namespace(n=0) %}{% set ns.n = ns.n + n %}{{ ns.n }}", "text")
    assert isinstance(template, Template)
    for number in (1, 2, 1):
        entity = {"n": number}
        assert template.render(variables(entity)) == str(number)
        assert entity == {"n": number}


def test_a_fault_leaves_the_next_rendering_alone() -> None:
    """Escaping that was off when a template failed is on again."""
    template = compile_template("{% autoescape false %}{{ a }}{% endautoescape %}{{ b }}", "html")
    assert isinstance(template, Template)
    assert isinstance(template.render({}), TemplateFault)
    assert template.render({"a": "<", "b": "<"}) == "<&lt;"


def test_one_source_is_compiled_once_for_each_kind_of_part() -> None:
    """Subject and text share, HTML does not."""
    templates = Templates()
    subject, text, html = (templates.compile("{{ x }}", part) for part in ("subject", "text", "html"))
    assert isinstance(subject, Template)
    assert isinstance(text, Template)
    assert isinstance(html, Template)
    assert subject._ready is text._ready
    assert html._ready is not text._ready


def test_a_file_is_a_template_like_any_other() -> None:
    """By its name, as an entity may give it; a name that leads elsewhere is a fault."""
    templates = Templates(Options(files=FILES))
    template = templates.compile_file("row.html", "html")
    assert isinstance(template, Template)
    assert template.render({"order": {"item": "<"}}) == "<li>&lt;</li>"
    for name, code in (("rows.html", "E404"), ("../row.html", "E406"), ("", "E406")):
        (fault,) = templates.compile_file(name, "html")  # type: ignore[misc]
        assert fault.code == code


def test_the_least_used_templates_are_forgotten() -> None:
    """Entities that bring a template each do not fill the memory."""
    templates = Templates()
    for number in range(1010):
        templates.compile(str(number), "text")
    assert len(templates._kept) == 1000
    assert ("9", False) not in templates._kept
    assert ("1009", False) in templates._kept


@pytest.mark.parametrize(
    ("source", "beside", "part"),
    [
        ("Hello", False, "text"),
        ("Hello", True, "html"),
        ("<p>Hello", False, "html"),
        ("<!DOCTYPE html>", False, "html"),
        ("a < b, c > d, <ann@example.com>, < p >", False, "text"),
        ('{% extends "base.html" %}', False, "html"),
        ("{% if a %}x{% endif %}", False, "text"),
    ],
)
def test_what_a_body_is(source: str, beside: bool, part: str) -> None:
    """HTML beside a text of its own, and where a tag stands in it or in what it calls."""
    assert Templates(Options(files=FILES)).body_part(source, beside_text=beside) == part


def test_include_sees_variables_of_loops_and_import_does_not() -> None:
    """As in Jinja2: an include is a part of its template, an import is a shelf of macros."""
    files = {"a": "{{ x }}{{ name }}", "b": "{% macro m() %}{{ name | default('-') }}{% endmacro %}"}
    assert rendered("{% for x in [1, 2] %}{% include 'a' %}{% endfor %}", {"name": "n"}, files=files) == "1n2n"
    assert rendered("{% import 'b' as b %}{{ b.m() }}", {"name": "n"}, files=files) == "-"
    assert rendered("{% import 'b' as b with context %}{{ b.m() }}", {"name": "n"}, files=files) == "n"
    assert rendered("{% include 'b' without context %}", {"name": "n"}, files=files) == ""
