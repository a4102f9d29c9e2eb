"""Templates that run away end after a bounded number of steps, the same on every machine, before memory is filled."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal
from typing import Any

import pytest

from pipeline.template.faults import TemplateFault
from pipeline.template.limits import LIMITS, Limits, Meter, PastLimit
from pipeline.template.templates import Options, Template, compile_template, variables

LONG = "a" * 3_000_000


def forest() -> list[Any]:
    """A list of sixty lists that is a million million million when it is written out."""
    top: list[Any] = []
    below = top
    for _ in range(60):
        following: list[Any] = []
        below += [following, following]
        below = following
    return top


DEEP: list[Any] = []
_below = DEEP
for _ in range(50_000):
    _next: list[Any] = []
    _below.append(_next)
    _below = _next
ENTITY = {
    "long": LONG,
    "tags": "ab <b>&amp; " * 200_000,
    "forest": forest(),
    "forest2": forest(),
    "deep": DEEP,
    "numbers": list(range(100_000)),
    "lists": [[number] for number in range(50_000)],
    "digits": 10**100_000,
    "huge": Decimal("1E+999999999"),
    "tiny": Decimal("1E-999999999"),
    "pattern": "%1000000000d",
}
TWICE = "{% set ns = namespace(x=START) %}{% for i in range(200) %}{% set ns.x = MORE %}{% endfor %}"

# A tenth of what a sink allows, so that the tests are quick.
SMALL = Limits(output=1_000_000, text=5_000_000, steps=200_000)


def twice(start: str, more: str) -> str:
    """A loop in which a value grows."""
    return TWICE.replace("START", start).replace("MORE", more)


def fault_of(source: str, limits: Limits = SMALL) -> TemplateFault:
    """The fault that ends a rendering."""
    template = compile_template(source, "html", Options(limits=limits))
    assert isinstance(template, Template), template
    fault = template.render(variables(ENTITY))
    assert isinstance(fault, TemplateFault), fault[:100]
    return fault


PAST = [
    # Work without an end.
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "{% for i in range(10**12) %}{% endfor %}",
    "{% for i in range(299999) %}{{ i | string | upper | lower | title | reverse | trim }}{% endfor %}",
    "{% for c in long %}{% endfor %}",
    "{{ range(10**12) | list }}",
    "{{ range(10**9) | sum }}",
    "{{ range(10**9) | map('string') | join }}",
    "{{ ','.join(range(10**9) | map('string')) }}",
    "{{ range(10**9) | reject('lt', 10**9) | first }}",
    "{% macro a(n) %}{% if n < 40 %}{{ a(n + 1) }}{{ a(n + 1) }}{% endif %}{% endmacro %}{{ a(0) }}",
    "{% for x in [1, 1] recursive %}{% if loop.depth < 40 %}{{ loop([1, 1]) }}{% endif %}{% endfor %}",
    "{% macro a(n) %}{{ a(n + 1) }}{% endmacro %}{{ a(0) }}",
    "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{% block a %}{{ self.a() }}{% endblock %}",
    "{% for i in range(9999) %}{% if 'b' in long %}{% endif %}{% endfor %}",
    "{% for i in range(9999) %}{% if long == long ~ '' %}{% endif %}{% endfor %}",
    "{% for i in range(9999) %}{% set x = long[1:] %}{% endfor %}",
    "{% for i in range(9999) %}{% set x = long.count('b') %}{% endfor %}",
    "{% for i in range(9999) %}{% set x = lists | sort %}{% endfor %}",
    "{% for i in range(9999) %}{% if lists == numbers %}{% endif %}{% endfor %}",
    "{{ (long ~ long ~ long) | wordwrap(1) }}",
    "{{ tags | striptags | title | wordcount }}{{ tags | title }}{{ tags | wordcount }}{{ tags | title }}",
    "{{ long | markdown }}",
    # Lists that hold themselves many times over.
    "{{ forest }}",
    "{{ forest == forest }}",
    "{{ forest in lists }}",
    "{{ [forest] | unique | list }}",
    "{{ [forest, forest] | sort }}",
    "{{ forest | json }}",
    "{{ forest | string }}",
    "{{ '%s' % [forest] }}",
    "{{ '{}'.format(forest) }}",
    "{{ {'a': forest}.items() == {'a': forest2}.items() }}",
    "{{ {'a': forest}.values() | list == [forest2] }}",
    "{{ long.split('a') }}",
    "{{ tags.splitlines() }}{{ tags.split() }}{{ tags.rsplit(' ') }}",
    "{{ deep }}",
    "{{ deep == [deep] }}",
    "{{ deep | json }}",
    twice("[1]", "[ns.x, ns.x]") + "{{ ns.x == ns.x }}",
    twice("(1,)", "(ns.x, ns.x)") + "{{ {ns.x: 1} }}",
    twice("(1,)", "(ns.x, ns.x)") + "{{ entity.get(ns.x) }}",
    twice("(1,)", "(ns.x, ns.x)") + "{{ {} is in ns.x }}",
    twice("[1]", "dict(a=ns.x, b=ns.x)") + "{{ ns.x }}",
    # Texts and lists that grow.
    "{{ 'A' * 10**9 }}",
    "{{ [1] * 10**9 }}",
    "{{ (1,) * 10**9 }}",
    "{{ 10**9 * 'A' }}",
    "{{ 'x' | center(10**9) }}",
    "{{ 'x'.ljust(10**9) }}",
    "{{ 'x'.zfill(10**9) }}",
    "{{ '\t'.expandtabs(10**9) }}",
    "{{ 'x\ny' | indent(10**9) }}",
    "{{ [1] | batch(10**9, 'x') | list }}",
    "{{ [1] | slice(10**9) | list }}",
    "{{ '%1000000000s' % 1 }}",
    "{{ '%.1000000000f' % 1.5 }}",
    "{{ pattern % 1 }}",
    "{{ '%1000000000s' | format(1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:.1000000000f}'.format(1.5) }}",
    "{{ '{:>{w}}'.format(1, w=1000000000) }}",
    "{{ 'a' | replace('a', long) | replace('a', long) }}",
    "{{ 'a'.replace('a', long).replace('a', long) }}",
    "{{ numbers | join(long) }}",
    "{{ long.join(['a'] * 99) }}",
    "{{ long }}{{ long }}{{ long }}{{ long }}",
    "{% for i in range(99) %}{{ long }}{% endfor %}",
    "{% set x %}{% for i in range(99) %}{{ long }}{% endfor %}{% endset %}",
    "{% filter upper %}{% for i in range(99) %}{{ long }}{% endfor %}{% endfilter %}",
    "{% macro m() %}{% for i in range(99) %}{{ long }}{% endfor %}{% endmacro %}{{ m() }}",
    twice("'a'", "ns.x ~ ns.x"),
    twice("'a'", "ns.x + ns.x"),
    twice("'a'", "ns.x * 2"),
    twice("'a'", "[ns.x, ns.x] | join"),
    twice("'a'", "ns.x.join('bcd')"),
    twice("'a'", "'%s%s' % (ns.x, ns.x)"),
    twice("'a'", "'{0}{0}'.format(ns.x)"),
    twice("'a'", "ns.x | replace('a', 'aa')"),
    twice("'\"'", "ns.x | json"),
    twice("'a'", "ns.x | base64_encode | base64_encode"),
    twice("[1]", "ns.x + ns.x"),
    twice("[1]", "ns.x * 2"),
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}",
    # Numbers that grow.
    "{{ 2 ** 100000 }}",
    "{{ 9 ** 99999 ** 2 }}",
    "{{ digits * digits }}",
    "{{ digits + 1 }}",
    "{{ digits % 7 }}",
    "{{ '%d' % digits }}",
    "{{ '{:,}'.format(digits) }}",
    "{{ digits | number }}",
    "{{ digits | money('EUR') }}",
    "{{ huge | int }}",
    "{{ tiny | int }}",
    "{{ huge | round(2) }}",
    "{{ huge | number }}",
    "{{ '%f' % huge }}",
    "{{ '%d' % huge }}",
    "{{ '{:f}'.format(huge) }}",
    twice("2", "ns.x * ns.x"),
]
FAILING = [
    "{{ digits }}",
    "{{ digits | json }}",
    "{{ digits | datetime }}",
    "{{ huge + 1 }}",
    "{{ huge * huge }}",
    "{{ huge // 3 }}",
    "{{ huge is odd }}",
    "{{ huge | json }}",
    "{{ 1 | round(1000000000, 'ceil') }}",
    "{{ 2.0 ** 100000 }}",
    "{{ range(10**30) | length }}",
    "{{ range(huge) }}",
    "{{ [1] | batch(0) | list }}",
    "{{ [1] | slice(0) | list }}",
    "{{ '%*d' % (1000000000, 1) }}",
]


@pytest.mark.parametrize("source", PAST)
def test_a_bomb_is_refused(source: str) -> None:
    """Whatever grows or does not end is a fault of the template, and not of the machine."""
    assert fault_of(source).code == "E410"


@pytest.mark.parametrize(
    "source", [PAST[0], PAST[2], PAST[9], "{{ forest }}", "{{ long }}{{ long }}{{ long }}{{ long }}"]
)
def test_a_sink_allows_no_bomb_either(source: str) -> None:
    """With the limits that nobody has set, too."""
    assert fault_of(source, LIMITS).code == "E410"


@pytest.mark.parametrize("source", FAILING)
def test_what_has_no_result_fails_at_once(source: str) -> None:
    """Numbers that nobody writes down are not worked with."""
    assert fault_of(source).code == "E409"


@pytest.mark.parametrize("source", [each for each in PAST if "deep" not in each])
def test_a_bomb_ends_at_the_same_step_every_time(source: str) -> None:
    """No clock has a say in where it ends."""
    assert fault_of(source) == fault_of(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'A' * 10**9 }}",
        "{{ [1] * 10**9 }}",
        "{{ range(10**12) | list }}",
        "{{ '%1000000000s' % 1 }}",
        "{{ forest }}",
    ],
)
def test_a_bomb_is_refused_before_it_takes_memory(source: str) -> None:
    """What would be too large is not made first."""
    template = compile_template(source, "text", Options(limits=SMALL))
    assert isinstance(template, Template)
    values = variables(ENTITY)
    tracemalloc.start()
    template.render(values)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("source", ["{% if false %}{{ 'A' * 10**9 }}{% endif %}", "{{ 'x' | center(10**9) if false }}"])
def test_nothing_is_worked_out_while_a_template_is_compiled(source: str) -> None:
    """A bomb that is never reached does no harm."""
    template = compile_template(source, "text")
    assert isinstance(template, Template)
    assert template.render({}) == ""


def test_the_limits_are_those_of_the_sink() -> None:
    """Each of them can be set, and what stays below passes."""
    loop = "{% for i in range(10) %}{{ i }}{% endfor %}"
    assert fault_of(loop, Limits(steps=20)).code == "E410"
    assert fault_of("{{ 'a' * 100 }}", Limits(text=99)).code == "E410"
    assert (
        fault_of("{{ 'a' * 100 }}", Limits(output=99)).message
        == "this template makes a text of more than 99 characters"
    )
    nested = "{% macro a(n) %}{% if n %}{{ a(n - 1) }}{% endif %}{% endmacro %}{{ a(5) }}"
    assert fault_of(nested, Limits(depth=5)).code == "E410"
    for source, limits in (
        (loop, Limits(steps=100)),
        ("{{ 'a' * 100 }}", Limits(text=100, output=100)),
        (nested, Limits(depth=6)),
    ):
        template = compile_template(source, "text", Options(limits=limits))
        assert isinstance(template, Template)
        assert isinstance(template.render({}), str)


def test_a_long_mail_is_far_from_the_limits() -> None:
    """A table of ten thousand rows with ten columns is a mail that someone may want."""
    source = "{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>\n{% endfor %}"
    template = compile_template(source, "html")
    assert isinstance(template, Template)
    text = template.render({"rows": [["<cell>"] * 10] * 10_000})
    assert isinstance(text, str)
    assert text.count("&lt;cell&gt;") == 100_000


def test_a_fault_names_the_loop_that_goes_too_far() -> None:
    """The place is that of the loop, not of the template."""
    source = "a {% for i in range(9999999) %}{% endfor %}"
    place = fault_of(source).place
    assert source[place.start : place.end] == "range(9999999)"


def test_the_steps_of_lists_are_taken_before_the_loop_begins() -> None:
    """What is known to be too much is not begun."""
    meter = Meter(Limits(steps=10))
    with pytest.raises(PastLimit):
        meter.each([1, 2, 3], 4)
    meter = Meter(Limits(steps=10))
    assert list(meter.each((number for number in (1, 2)), 5)) == [1, 2]
    assert meter.steps == 0
