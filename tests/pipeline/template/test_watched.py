"""Templates that tell what they reach."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.template.templates import Options, Template, Templates
from pipeline.template.watched import Spot, spots


def reached(source: str, *values: dict[str, Any], **files: str) -> tuple[list[str], list[str]]:
    """What there is to reach, and what of it is; rendered with a watch and without, the texts are the same."""
    seen: set[Spot] = set()
    watched = Templates(Options(files=files, saw=seen.add))
    template, plain = watched.compile(source, "html"), Templates(Options(files=files)).compile(source, "html")
    assert isinstance(template, Template)
    assert isinstance(plain, Template)
    for one in values:
        assert template.render(one) == plain.render(one)
    every = [spot for parsed in watched.every(source) for spot in spots(parsed)]
    assert len(set(every)) == len(every)
    return [_shown(one, source) for one in every], [_shown(one, source) for one in every if one in seen]


def _shown(spot: Spot, source: str) -> str:
    return f"{'' if spot.template == source else spot.template}{spot.offset} {spot.way}"


def test_a_template_is_reached_when_it_is_rendered() -> None:
    """One without any tag too."""
    assert reached("Hello") == (["0 rendered"], [])
    assert reached("Hello {{ name }}", {"name": "Ann"}) == (["0 rendered"], ["0 rendered"])


@pytest.mark.parametrize(
    ("source", "values", "ways"),
    [
        ("{% if a %}A{% endif %}", {"a": 1}, ["then"]),
        ("{% if a %}A{% endif %}", {"a": 0}, ["otherwise"]),
        ("{% if a %}A{% else %}B{% endif %}", {"a": 0}, ["else"]),
        ("{{ 'A' if a else 'B' }}", {"a": 1}, ["then"]),
        ("{{ 'A' if a else 'B' }}", {"a": 0}, ["else"]),
        ("{{ 'A' if a }}", {"a": 0}, ["otherwise"]),
        ("{% for x in a %}{{ x }}{% endfor %}", {"a": [1]}, ["some"]),
        ("{% for x in a %}{{ x }}{% else %}-{% endfor %}", {"a": []}, ["none"]),
        ("{% for x in a if x > 1 %}{{ loop.index }}{% endfor %}", {"a": [1]}, ["none"]),
        ("{% for x in a recursive %}{{ loop(x) }}{% endfor %}", {"a": [[], []]}, ["some"]),
        ("{% macro m(a) %}{% if a %}A{% endif %}{% endmacro %}{{ m(a) }}", {"a": 1}, ["then"]),
        ("{% macro m(a) %}{% if a %}A{% endif %}{% endmacro %}", {"a": 1}, []),
        ("{% set b %}{% if a %}A{% endif %}{% endset %}{{ b }}", {"a": 1}, ["then"]),
        ("{% block b %}{% if a %}A{% endif %}{% endblock %}", {"a": 1}, ["then"]),
    ],
)
def test_ways_through_a_template(source: str, values: dict[str, Any], ways: list[str]) -> None:
    """Each way of a condition counts, and loops with items and without; where there are two ways, one is reached."""
    every, found = reached(source, values)
    assert len(every) == 3
    assert [one.split()[1] for one in found] == ["rendered", *ways]


def test_a_chain_of_conditions() -> None:
    """Each condition that holds is a way, and that none holds."""
    source = "{% if a == 1 %}A{% elif a == 2 %}B{% elif a == 3 %}C{% else %}D{% endif %}"
    every, found = reached(source, {"a": 2})
    assert [one.split()[1] for one in every] == ["rendered", "then", "then", "then", "else"]
    assert found == [every[0], every[2]]
    assert reached(source, *({"a": number} for number in range(5)))[1] == every


def test_files_that_a_template_calls_upon() -> None:
    """They have spots of their own."""
    source = '{% include "f" %}{% if a %}A{% endif %}'
    every, found = reached(source, {"a": 1, "b": 0}, f="{% if b %}B{% endif %}")
    assert every == ["0 rendered", "20 then", "20 otherwise", "f0 rendered", "f3 then", "f3 otherwise"]
    assert found == ["0 rendered", "20 then", "f0 rendered", "f3 otherwise"]


def test_a_rendering_that_fails_in_a_loop_leaves_nothing_behind() -> None:
    """What was reached before counts, and the next rendering begins anew."""
    source = "{% for x in a %}{{ 1 // x }}{% endfor %}"
    assert reached(source, {"a": [0]})[1] == ["0 rendered"]
    assert [one.split()[1] for one in reached(source, {"a": [0]}, {"a": []})[1]] == ["rendered", "none"]
