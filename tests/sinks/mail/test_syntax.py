"""Faults in the syntax of templates, with their place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.mail.syntax import syntax_fault


@pytest.mark.parametrize(
    ("source", "message", "shown"),
    [
        ("a\n{% for o in x %}b", "`{% for %}` is never closed", "{% for o in x %}"),
        ("{% if a %}{% for b in c %}{% endfor %}", "`{% if %}` is never closed", "{% if a %}"),
        ("x{% endif %}", "`{% endif %}` closes nothing", "{% endif %}"),
        ("{% if a %}{% endfor %}", "`{% endfor %}` stands where `{% endif %}` is due", "{% endfor %}"),
        ("{% else %}", "`{% else %}` stands outside a block", "{% else %}"),
        ("{% foor a in b %}{% endfor %}", "there is no tag `{% foor %}`", "{% foor a in b %}"),
        (
            "a\n{{ x y }}\nb",
            "the template cannot be read: expected token 'end of print statement', got 'y'",
            "{{ x y }}",
        ),
        ("{# open", "the template cannot be read: missing end of comment tag", "{# open"),
    ],
)
def test_a_fault_points_at_its_tag(source: str, message: str, shown: str) -> None:
    """The span is the tag that is wrong, not the end of the template."""
    fault = syntax_fault(source)
    assert fault is not None
    assert (fault.message, source[fault.start : fault.end]) == (message, shown)


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
    ],
)
def test_templates_that_can_be_read_have_no_fault(source: str) -> None:
    """What Jinja2 parses passes."""
    assert syntax_fault(source) is None


def test_a_misspelt_tag_is_offered_its_name() -> None:
    """A near tag is named."""
    fault = syntax_fault("{% foor a in b %}")
    assert fault is not None
    assert fault.help == ("did you mean `{% for %}`?",)


def test_nesting_beyond_reason_is_a_fault_and_no_crash() -> None:
    """Thousands of brackets end in words."""
    fault = syntax_fault("{{ " + "(" * 5000 + " }}")
    assert fault is not None


@given(st.text("{}%# \nabifendelsor'\"()|=,.", max_size=60))
def test_any_text_gives_a_place_inside_it_or_nothing(source: str) -> None:
    """No template breaks the check."""
    fault = syntax_fault(source)
    if fault is not None:
        assert 0 <= fault.start < fault.end <= max(len(source), fault.start + 1)
        assert fault.message
