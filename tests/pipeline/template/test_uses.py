"""What a template wants of an entity is known without rendering it."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.template.templates import Options, Templates
from pipeline.template.uses import ITEM, unmet

FILES = {
    "row.html": "{{ order.item }}{{ shop }}",
    "base.html": "{% block a %}{{ never }}{% endblock %}{{ foot }}",
    "macros.html": "{% macro m(x) %}{{ x }}{{ unseen }}{% endmacro %}",
}


def paths(source: str) -> set[str]:
    """The paths that a template needs."""
    uses = Templates(Options(files=FILES)).uses(source)
    assert uses is not None
    return {".".join(use.path) for use in uses.wanted()}


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("{{ a }}{{ b.c }}{{ d['e-f'] }}{{ g[0].h }}", {"a", "b.c", "d.e-f", f"g.{ITEM}.h"}),
        ("{{ entity.a }}{{ entity['x:y'] }}{{ entity.b.c }}", {"a", "x:y", "b.c"}),
        ("{{ entity | json }}{{ entity['a' ~ b] }}", {"b"}),
        ("{% for o in orders %}{{ o.item }}{{ loop.index }}{% endfor %}", {"orders", f"orders.{ITEM}.item"}),
        ("{% for o in orders if o.x %}{{ y }}{% else %}{{ z }}{% endfor %}", {"orders", f"orders.{ITEM}.x", "y", "z"}),
        ("{% for k, v in a.items() %}{{ k }}{{ v.x }}{% endfor %}", {"a"}),
        (
            "{% for a in x %}{% for b in a.y %}{{ b.z }}{% endfor %}{% endfor %}",
            {"x", f"x.{ITEM}.y", f"x.{ITEM}.y.{ITEM}.z"},
        ),
        ("{% set b = a.x %}{{ b.y }}{% set c = b | upper %}{{ c.z }}", {"a.x", "a.x.y"}),
        ("{% set a %}{{ b }}{% endset %}{{ a.x }}", {"b"}),
        ("{% if x %}{% set a = b %}{% endif %}{{ a.c }}", {"x", "b"}),
        ("{% with a = b.c %}{{ a.d }}{% endwith %}{{ a }}", {"b.c", "b.c.d", "a"}),
        ("{% macro m(a, b=c) %}{{ a.x }}{{ d }}{% endmacro %}{{ m(e) }}", {"c", "d", "e"}),
        (
            "{% call(x) m(a) %}{{ x.y }}{{ b }}{% endcall %}{% macro m(z) %}{{ caller(z) }}{% endmacro %}",
            {"m", "a", "b"},
        ),
        ("{{ a.strip() }}{{ a.b.upper() }}{{ range(n) }}", {"a", "a.b", "n"}),
        ("{{ a | default('x') }}{{ b | d(c) }}{{ a.x }}", {"c"}),
        ("{% if a is defined %}{{ a.b }}{% endif %}{% if c is not none %}{{ c }}{% endif %}", set()),
        ("{% if 'a' in entity %}{{ a }}{% endif %}{{ entity.get('b', 1) }}{{ x.get(y) }}", {"x", "y"}),
        ("{{ a if b else c }}{{ a ~ d }}{{ a + e }}{{ [f, {'k': g}] | join(h) }}", set("abcdefgh")),
        ("{% for order in orders %}{% include 'row.html' %}{% endfor %}", {"orders", f"orders.{ITEM}.item", "shop"}),
        ("{% include 'row.html' without context %}{% include 'none' ignore missing %}", set()),
        ("{% extends 'base.html' %}{% block a %}{{ b }}{% endblock %}", {"b", "foot"}),
        ("{% from 'macros.html' import m %}{{ m(a) }}{% import 'macros.html' as n %}{{ n.m(b) }}", {"a", "b"}),
        ("{{ self.a() }}{% block a %}{{ super() }}{{ x }}{% endblock %}{{ namespace(a=b).a }}", {"x", "b"}),
        ("{% raw %}{{ a }}{% endraw %}{# {{ b }} #}", set()),
    ],
)
def test_paths_lead_into_the_entity(source: str, wanted: set[str]) -> None:
    """Through loops, variables, macros and other templates, and not into what the template made itself."""
    assert paths(source) == wanted


def test_a_use_has_its_place() -> None:
    """In the template, or in the file that uses it."""
    uses = Templates(Options(files=FILES)).uses("a {{ b.c }}{% include 'row.html' %}")
    assert uses is not None
    assert [(use.path, use.place.template, use.place.start, use.place.end) for use in uses.all][:2] == [
        (("b", "c"), "", 5, 8),
        (("order", "item"), "row.html", 3, 13),
    ]


@pytest.mark.parametrize(
    ("source", "entities", "missing"),
    [
        ("{{ a }}{{ b }}", [{"a": 1}, {"b": 1}], []),
        ("{{ nmae }}", [{"name": 1}], [("nmae", 0)]),
        ("{{ c.d.e }}", [{"c": {"x": 1}}], [("c.d.e", 1)]),
        ("{{ c.d }}", [{"c": None}, {"c": "text"}], []),
        ("{{ c.d }}", [{"c": None}, {"c": {}}], [("c.d", 1)]),
        ("{% for o in os %}{{ o.x }}{% endfor %}", [{"os": []}, {"os": [{"y": 1}]}], [(f"os.{ITEM}.x", 2)]),
        ("{% for o in os %}{{ o.x }}{% endfor %}", [{"os": []}], []),
        ("{% for o in os %}{{ o.x }}{% endfor %}", [{"os": [{"y": 1}, {"x": 1}]}], []),
        ("{{ city }}", [{"crm:city": 1}], []),
        ("{{ city }}", [{"crm:city": 1, "erp:city": 2}], [("city", 0)]),
        ("{{ a }}", [], []),
    ],
)
def test_what_no_entity_has(source: str, entities: list[dict[str, Any]], missing: list[tuple[str, int]]) -> None:
    """A property that at least one entity could have shown, and none did."""
    uses = Templates(Options(files=FILES)).uses(source)
    assert uses is not None
    assert [(".".join(use.path), depth) for use, depth in unmet(uses, entities)] == missing


def test_a_template_with_a_fault_has_no_uses() -> None:
    """Its fault is told instead."""
    assert Templates().uses("{{ a") is None
