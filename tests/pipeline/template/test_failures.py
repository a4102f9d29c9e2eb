"""A rendering that fails is told at the character, with what to do and without the values of the entity."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pipeline.template.faults import Place, TemplateFault
from pipeline.template.templates import Options, Template, compile_template, variables

ENTITY: dict[str, Any] = {
    "_id": "c1",
    "name": "private words",
    "number": 3,
    "nothing": None,
    "customer": {"phone": None, "name": "x"},
    "orders": [{"item": "Tea"}, {"item": None}],
    "a:x": 1,
    "b:x": 2,
}
FILES = {
    "base.html": "<html>\n{% block body %}{% endblock %}\n{{ shop }}</html>",
    "row.html": "<li>\n{{ order.prize }}</li>",
    "outer.html": "-{% include 'row.html' %}-",
    "macros.html": "{% macro price(of) %}{{ of + 1 }}{% endmacro %}",
}


def fault_of(source: str, files: dict[str, str] | None = None) -> TemplateFault:
    """The fault of a rendering."""
    template = compile_template(source, "html", Options(files=files or FILES))
    assert isinstance(template, Template), template
    fault = template.render(variables(ENTITY))
    assert isinstance(fault, TemplateFault), fault
    assert "private" not in repr(fault)
    return fault


def shown(source: str, place: Place) -> str:
    """The characters of a place."""
    return (FILES[place.template] if place.template else source)[place.start : place.end]


@pytest.mark.parametrize(
    ("source", "code", "message", "place"),
    [
        ("Hello {{ nmae }}", "E408", "the entity has no property `nmae`", "nmae"),
        ("{{ nmae | upper | trim }}", "E408", "the entity has no property `nmae`", "nmae"),
        ("a {{ 1 + nmae.x }}", "E408", "the entity has no property `nmae`", "nmae"),
        ("{{ customer.nmae }}", "E408", "`customer` has no `nmae`", "customer.nmae"),
        ("{{ customer['nmae'] }}", "E408", "`customer` has no `nmae`", "customer['nmae']"),
        ("{{ orders[5] }}", "E408", "`orders` has no `5`", "orders[5]"),
        ("{{ orders[0].item.x }}", "E408", "`orders[0].item` has no `x`", "orders[0].item.x"),
        ("{{ nothing }}", "E408", "`nothing` is null", "nothing"),
        ("{{ nothing | upper }}", "E408", "`nothing` is null", "nothing"),
        ("{{ customer.phone }}", "E408", "`customer.phone` is null", "customer.phone"),
        ("{% for o in orders %}\n{{ o.item }}{% endfor %}", "E408", "`o.item` is null", "o.item"),
        ("ø {{ å ~ æ.ø }}{{ å }}", "E408", "the entity has no property `æ`", "æ"),
        ("{% if nmae %}x{% endif %}", "E408", "the entity has no property `nmae`", "nmae"),
        ("{% for x in nmae %}x{% endfor %}", "E408", "the entity has no property `nmae`", "nmae"),
        ("{{ loop }}", "E408", "the entity has no property `loop`", "loop"),
        ("{% macro m(a) %}{{ a }}{% endmacro %}{{ m() }}", "E408", "parameter 'a' was not provided", "a"),
        ("{% set m = number %}{{ orders.first() }}", "E408", "`orders` has no `first`", "orders.first"),
        (
            "{{ number + name }}",
            "E409",
            "`+` needs two numbers, two texts or two lists, not a number and text",
            "number + name",
        ),
        ("é\n{{ [number / 0] }}", "E409", "division by zero", "number / 0"),
        ("{{ number % 0 }}", "E409", "division by zero", "number % 0"),
        ("{{ number < name }}", "E409", "a number and text cannot be put in order", "number < name"),
        ("{{ number in 5 }}", "E409", "`in` cannot look into a number", "number in 5"),
        ("{% for x in number %}x{% endfor %}", "E409", "a number is nothing to loop over", "number"),
        ("{% for x in nothing %}x{% endfor %}", "E409", "null is nothing to loop over", "nothing"),
        (
            "{% for a, b in orders[:1] %}x{% endfor %}",
            "E409",
            "the items of this loop have another number of parts than it has names",
            "a, b",
        ),
        ("{{ customer.name() }}", "E409", "text cannot be called", "customer.name()"),
        ("{{ name.upper(1) }}", "E409", "`upper` does not take these arguments", "name.upper(1)"),
        ("{{ name | upper(1) }}", "E409", "the filter `upper` does not take these arguments", "name | upper(1)"),
        (
            "{{ name is divisibleby }}",
            "E409",
            "the test `divisibleby` does not take these arguments",
            "name is divisibleby",
        ),
        ("{% macro m() %}{% endmacro %}{{ m(1) }}", "E409", "the macro `m` takes not more than 0 argument(s)", "m(1)"),
        ("{{ name | datetime }}", "E409", "this text is no time in the form 2026-11-21T13:30:00Z", "name | datetime"),
        ("{{ range }}", "E409", "a helper of the template cannot be shown", "range"),
        ("{{ orders | sort }}", "E409", "these items have no order among themselves", "orders | sort"),
        ("{{ '%d' % name }}", "E409", "`%d` needs a number, not text", "'%d' % name"),
        ("{{ entity['__class__' ~ ''] }}", "E408", "`entity` has no `__class__`", "entity['__class__' ~ '']"),
        ("{{ name['__class__' ~ ''] }}", "E406", "a template cannot reach `__class__`", "name['__class__' ~ '']"),
        ("{% set a %}{{ nmae }}{% endset %}", "E408", "the entity has no property `nmae`", "nmae"),
        ("{% filter upper %}{{ nmae }}{% endfilter %}", "E408", "the entity has no property `nmae`", "nmae"),
        ("{{ 'a' ~ nmae ~ 'b' }}", "E408", "the entity has no property `nmae`", "nmae"),
        ("{{ {'a': nmae.b} }}", "E408", "the entity has no property `nmae`", "nmae"),
        ("{{ 'a' if nmae else 'b' }}", "E408", "the entity has no property `nmae`", "nmae"),
    ],
)
def test_the_place_is_that_of_what_failed(source: str, code: str, message: str, place: str) -> None:
    """The smallest part of the expression that is to blame, with its words."""
    fault = fault_of(source)
    assert (fault.code, fault.message, shown(source, fault.place)) == (code, message, place)


def test_near_names_are_offered() -> None:
    """Those of the entity for a variable, those of the object for a part of it."""
    assert "did you mean `name`?" in [note.text for note in fault_of("{{ nmae }}").notes]
    assert "did you mean `phone`?" in [note.text for note in fault_of("{{ customer.phnoe }}").notes]


def test_names_in_two_namespaces_are_named() -> None:
    """Which one is meant only a person knows."""
    assert [note.text for note in fault_of("{{ x }}").notes][:2] == [
        "there is `a:x` and `b:x`",
        'write which: `entity["a:x"]`',
    ]


def test_a_missing_value_is_offered_a_default() -> None:
    """The tag as it could be written."""
    assert fault_of("{{ nmae }}").notes[-1].text == 'where it may be missing write `{{ nmae | default("…") }}`'


@pytest.mark.parametrize(
    ("source", "template", "place", "chain"),
    [
        (
            "{% for order in orders %}{% include 'outer.html' %}{% endfor %}",
            "row.html",
            "order.prize",
            ["{% include 'row.html' %}", "{% include 'outer.html' %}"],
        ),
        (
            "{% extends 'base.html' %}{% block body %}x{% endblock %}",
            "base.html",
            "shop",
            ["{% extends 'base.html' %}"],
        ),
        (
            "{% extends 'base.html' %}\n{% block body %}{{ nmae }}{% endblock %}",
            "",
            "nmae",
            ["{% block body %}", "{% extends 'base.html' %}"],
        ),
        ("{% import 'macros.html' as m %}\n{{ m.price(name) }}", "macros.html", "of + 1", ["m.price(name)"]),
        ("{% macro a(x) %}{{ x / 0 }}{% endmacro %}\n{{ a(number) }}", "", "x / 0", ["a(number)"]),
        ("{% block a %}{{ nmae }}{% endblock %}", "", "nmae", ["{% block a %}"]),
    ],
)
def test_the_way_to_the_place_is_told(source: str, template: str, place: str, chain: list[str]) -> None:
    """From what failed outwards, through what includes, extends or calls it."""
    fault = fault_of(source)
    assert (fault.place.template, shown(source, fault.place)) == (template, place)
    assert [shown(source, each) for each in fault.chain] == chain


def test_a_macro_that_calls_itself_is_in_the_way_once() -> None:
    """Fifty levels of it say no more than one."""
    fault = fault_of("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}")
    assert fault.code == "E410"
    assert len(fault.chain) == 1


def test_places_are_found_without_columns_too() -> None:
    """Where Python keeps no columns of its code, the line in the code leads to the expression."""
    script = (
        "from pipeline.template.templates import compile_template\n"
        "fault = compile_template('a\\n{{ x }} {{ y | upper }}', 'text').render({'x': 1})\n"
        "print(fault.code, fault.place.start, fault.place.end)\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "no_debug_ranges", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "E408 13 14\n"
