"""Faults in the syntax of templates, with their place, and the places of nodes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import nodes

from pipeline.template.faults import TemplateFault, original, plain_lines
from pipeline.template.limits import Limits
from pipeline.template.syntax import Parsed, parse


def fault_of(source: str) -> TemplateFault:
    """The fault of a template that has one."""
    fault = parse(source)
    assert isinstance(fault, TemplateFault)
    return fault


def marked(source: str) -> str:
    """What the fault of a template points at."""
    place = fault_of(source).place
    return source[place.start : place.end]


@pytest.mark.parametrize(
    ("source", "message", "shown"),
    [
        ("a\n{% for o in x %}b", "`{% for %}` is never closed", "{% for o in x %}"),
        ("{% if a %}{% for b in c %}{% endfor %}", "`{% if %}` is never closed", "{% if a %}"),
        ("x{% endif %}", "`{% endif %}` closes nothing", "{% endif %}"),
        ("{% if a %}{% endfor %}", "`{% endfor %}` stands where `{% endif %}` is due", "{% endfor %}"),
        ("{% else %}", "`{% else %}` stands outside a block", "{% else %}"),
        ("{% foor a in b %}{% endfor %}", "there is no tag `{% foor %}`", "{% foor a in b %}"),
        ("a\n{{ x y }}\nb", "the template cannot be read: `}}` is due where `y` stands", "y"),
        ("{% if a b %}{% endif %}", "the template cannot be read: `%}` is due where `b` stands", "b"),
        ("a {# open", "the template cannot be read: missing end of comment tag", "{#"),
        ("{{ a }} {{ b", "`{{` is never closed", "{{"),
        ("   {%- if a", "`{%-` is never closed", "{%-"),
        ("{{ a @ }}", "the template cannot be read: unexpected char `@`", "@"),
        ("{{ (a] }}", "the template cannot be read: unexpected `]`, expected `)`", "]"),
        ("{{ x | }}", "the template cannot be read: `name` is due where `}}` stands", "}}"),
        ("é\r\n\r\n{{ a\r\n+ }}", "the template cannot be read: unexpected `}}`", "}}"),
        ("  {%- do x %}", "there is no tag `{% do %}`", "{%- do x %}"),
    ],
)
def test_a_fault_points_at_what_is_wrong(source: str, message: str, shown: str) -> None:
    """The span is the tag or the word that is wrong, not the end of the template."""
    assert fault_of(source).message == message
    assert marked(plain_lines(source)) == shown


@pytest.mark.parametrize(
    "source",
    [
        "",
        "plain",
        "{% set a = 1 %}{{ a }}",
        "{% set a %}b{% endset %}{{ a }}",
        "{% raw %}{{ {% {% endraw %}",
        "{% for a in b if a %}{{ loop.index }}{% else %}none{% endfor %}",
        "{%- if a -%}x{%- elif b -%}y{%- endif -%}",
        "{% filter upper %}x{% endfilter %}",
        "{# a comment with {% if #}",
        "{% if a %}x" + "{% elif b %}y" * 80 + "{% endif %}",
    ],
)
def test_templates_that_can_be_read_have_no_fault(source: str) -> None:
    """What Jinja2 parses passes."""
    assert isinstance(parse(source), Parsed)


def test_a_misspelt_tag_is_offered_its_name() -> None:
    """A near tag is named."""
    assert [note.text for note in fault_of("{% foor a in b %}").notes] == ["did you mean `{% for %}`?"]


@pytest.mark.parametrize(
    ("source", "kind", "shown"),
    [
        ("a\n  {%- if x %} {{ user.name }}{% endif %}", nodes.Getattr, "user.name"),
        ("{{ a['b'].c(1, d=2) | upper | default('x') }}", nodes.Call, "a['b'].c(1, d=2)"),
        ("{{ a['b'].c }}", nodes.Getitem, "a['b']"),
        ("{{ a | upper | default('x (y') }}", nodes.Filter, "a | upper | default('x (y')"),
        ("{{ a is not divisibleby(3) }}", nodes.Test, "a is not divisibleby(3)"),
        ("{{ x + y * z }}", nodes.Add, "x + y * z"),
        ("{{ [1, [2]] }}", nodes.List, "[1, [2]]"),
        ("\r\n\r\n{{ {'a': b} }}", nodes.Dict, "{'a': b}"),
        ("{{ a if b else c }}", nodes.CondExpr, "a if b else c"),
        ("{{ a == b }}", nodes.Compare, "a == b"),
    ],
)
def test_every_node_knows_its_characters(source: str, kind: type[nodes.Node], shown: str) -> None:
    """From the first to the last character that it is written with, its parts included."""
    parsed = parse(source)
    assert isinstance(parsed, Parsed)
    node = parsed.tree.find(kind)
    assert node is not None
    place = parsed.place(node)
    assert parsed.text[place.start : place.end] == shown


def test_a_place_in_plain_lines_leads_back_to_the_text() -> None:
    """Line ends of other systems shift nothing."""
    text = "a\r\nb\rc\r\n\r\nd"
    plain = plain_lines(text)
    assert [text[original(text, plain.index(letter))] for letter in "abcd"] == list("abcd")


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ " + "[" * 99 + "]" * 99 + " }}",
        "{{ " + "+".join("1" * 500) + " }}",
        "{% if a %}" * 300 + "{% endif %}" * 300,
        "{% for a in b %}" * 9 + "{% endfor %}" * 9,
        "{{ " + "9" * 5000 + " }}",
    ],
)
def test_nesting_beyond_reason_is_a_fault_and_no_crash(source: str) -> None:
    """Thousands of brackets end in words."""
    assert fault_of(source).code == "E410"


def test_the_size_of_a_template_has_an_end() -> None:
    """Characters and words are counted before anything is made of them."""
    small = Limits(source=100, tokens=20)
    for source in ("x" * 101, "{{ a }}" * 8):
        fault = parse(source, "", small)
        assert isinstance(fault, TemplateFault)
        assert fault.code == "E410"
    assert isinstance(parse("{{ a }}" * 6, "", small), Parsed)


@given(st.text("{}%# \nabifendelsor'\"()|=,.\r-", max_size=60))
def test_any_text_gives_a_place_inside_it_or_nothing(source: str) -> None:
    """No template breaks the check."""
    fault = parse(source)
    if isinstance(fault, TemplateFault):
        assert 0 <= fault.place.start < fault.place.end <= max(len(source), fault.place.start + 1)
        assert fault.message
