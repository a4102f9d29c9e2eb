"""Whatever the template and whatever the entity, there is a text or a fault, and the text is Jinja2's."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipeline.template.faults import TemplateFault
from pipeline.template.filters import FILTERS, TESTS
from pipeline.template.limits import Limits
from pipeline.template.runtime import Part
from pipeline.template.templates import Options, Template, compile_template, variables

SMALL = Limits(output=100_000, text=200_000, steps=20_000)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
entities = st.dictionaries(st.sampled_from("abcde"), values, max_size=5)

names = st.sampled_from(["a", "b", "c", "d", "e", "entity", "x", "loop", "range", "dict"])
constants = scalars.map(lambda value: json.dumps(value, ensure_ascii=False).replace("Infinity", "1"))


expressions: st.SearchStrategy[str] = st.deferred(lambda: names | constants | _more_expressions)
_filters = st.sampled_from(sorted(FILTERS))
_tests = st.sampled_from(sorted(name for name in TESTS if name.isidentifier()))
_signs = st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "~", "==", "<", "in", "and", "or", "not in"])
_more_expressions: st.SearchStrategy[str] = st.one_of(
    st.builds("{}.{}".format, expressions, st.sampled_from(["a", "b", "items", "upper", "index", "format"])),
    st.builds("{}[{}]".format, expressions, expressions),
    st.builds("{}[{}:]".format, expressions, expressions),
    st.builds("({} {} {})".format, expressions, _signs, expressions),
    st.builds("({} | {})".format, expressions, _filters),
    st.builds("({} | {}({}))".format, expressions, _filters, expressions),
    st.builds("({} is {})".format, expressions, _tests),
    st.builds("({} if {} else {})".format, expressions, expressions, expressions),
    st.builds("[{}, {}]".format, expressions, expressions),
    st.builds('{{"k": {}}}'.format, expressions),
    st.builds("{}({})".format, expressions, expressions),
    st.builds("{}.upper({})".format, expressions, expressions),
)
data = st.sampled_from(["", "text ", "<b>", " { ", " } ", "'", '"', "\n", "\\", "é"])


templates: st.SearchStrategy[str] = st.deferred(lambda: data | expressions.map("{{{{ {} }}}}".format) | _more_templates)
_more_templates: st.SearchStrategy[str] = st.one_of(
    st.builds("{}{}".format, templates, templates),
    st.builds("{{% for x in {} %}}{}{{% endfor %}}".format, expressions, templates),
    st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, expressions, templates, templates),
    st.builds("{{% set x = {} %}}{}".format, expressions, templates),
    st.builds("{{% macro m(a) %}}{}{{% endmacro %}}{{{{ m({}) }}}}".format, templates, expressions),
    st.builds(
        "{{% filter {} %}}{}{{% endfilter %}}".format, st.sampled_from(["upper", "e", "trim", "indent"]), templates
    ),
    st.builds("{{% set y %}}{}{{% endset %}}{{{{ y }}}}".format, templates),
)


@given(templates, entities, st.sampled_from(["strict", "empty_string", "debug"]))
def test_a_rendering_gives_a_text_or_a_fault(source: str, entity: dict[str, Any], unhandled: Any) -> None:
    """No exception leaves it, and a fault has its place in the template."""
    template = compile_template(source, "html", Options(unhandled, SMALL))
    if isinstance(template, Template):
        before = repr(entity)
        result = template.render(variables(entity))
        assert repr(entity) == before
        if isinstance(result, TemplateFault):
            assert 0 <= result.place.start < result.place.end <= max(len(template.parsed.text), 1)
            assert result.message
            assert result.code in {"E406", "E408", "E409", "E410"}
            # The same again: nothing was left behind by the first.
            assert template.render(variables(entity)) == result


# Expressions whose kind is known, so that most of them have a value.


def _of(pattern: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda found: pattern.format(*found))


small = st.integers(-3, 9).map(str)
# Jinja2 escapes a constant twice when it works out `"a" ~ ("<" | e)` ahead, so no expression is constant here.
words = st.text("aB <&-'é\n1,", max_size=8).map(lambda text: f"(a[:0] ~ {json.dumps(text, ensure_ascii=False)})")
texts: st.SearchStrategy[str] = st.deferred(lambda: st.sampled_from(["a", "e.a", "d[0].a"]) | words | _texts)
numbers: st.SearchStrategy[str] = st.deferred(lambda: st.just("b") | small | _numbers)
lists: st.SearchStrategy[str] = st.deferred(lambda: st.sampled_from(["c", "c[1:]"]) | _lists)
truths: st.SearchStrategy[str] = st.deferred(lambda: st.sampled_from(["b > 2", "a == 'B'"]) | _truths)
_texts: st.SearchStrategy[str] = st.one_of(
    _of(
        "({} | {})",
        texts,
        st.sampled_from(["upper", "lower", "title", "capitalize", "trim", "e", "forceescape", "safe"]),
    ),
    _of(
        "({} | {})", texts, st.sampled_from(["string", "indent", "wordwrap(3)", "truncate(6)", "center(9)", "reverse"])
    ),
    _of("({} | striptags)", texts),
    _of("({} | replace({}, {}))", texts, texts, texts),
    _of("({} ~ {})", texts, st.one_of(texts, numbers, lists)),
    _of("{}.{}()", texts, st.sampled_from(["upper", "strip", "title", "swapcase", "casefold"])),
    _of("{}[{}:{}]", texts, small, small),
    _of("({} if {} else {})", texts, truths, texts),
    _of("({} * 2)", texts),
    _of("({} | join({}))", lists, texts),
    _of("('%s:%5s' % ({}, {}))", texts, numbers),
    _of("'{{}}-{{:>4}}'.format({}, {})", texts, numbers),
)
_numbers: st.SearchStrategy[str] = st.one_of(
    _of("({} {} {})", numbers, st.sampled_from(["+", "-", "*"]), numbers),
    _of("({} | {})", texts, st.sampled_from(["length", "wordcount", "int", "float"])),
    _of("({} | {})", lists, st.sampled_from(["length", "sum", "first | default(0)", "last | default(0)"])),
    _of("({} | {})", numbers, st.sampled_from(["abs", "round(1)", "int", "float"])),
    _of("({} if {} else {})", numbers, truths, numbers),
)
_lists: st.SearchStrategy[str] = st.one_of(
    _of("[{}, {}]", numbers, numbers),
    _of("({} + {})", lists, lists),
    _of(
        "({} | {})", lists, st.sampled_from(["sort", "unique | list", "reverse | list", "list", "select('odd') | list"])
    ),
    _of("({} | batch({}) | map('sum') | list)", lists, st.sampled_from("123")),
    _of("({} | slice({}) | map('length') | list)", lists, st.sampled_from("123")),
    _of("({} | map('abs') | list)", lists),
    _of("range({})|list", small),
)
_truths: st.SearchStrategy[str] = st.one_of(
    _of("({} {} {})", numbers, st.sampled_from(["<", "<=", "==", "!="]), numbers),
    _of("({} in {})", texts, texts),
    _of("({} in {})", numbers, lists),
    _of("({} is {})", texts, st.sampled_from(["string", "lower", "upper", "escaped", "sequence"])),
    _of("({} is {})", numbers, st.sampled_from(["even", "odd", "number", "integer", "gt 2", "divisibleby 3"])),
    _of("(not {})", truths),
    _of("({} and {})", truths, truths),
)
shown = st.one_of(texts, numbers, lists, truths).map("{{{{ {} }}}}".format)
known_entities = st.fixed_dictionaries(
    {
        "a": st.text("aB <&'é\n1", max_size=9),
        "b": st.integers(-9, 99),
        "c": st.lists(st.integers(-9, 9), max_size=5),
        "d": st.lists(st.fixed_dictionaries({"a": st.text("ab<", max_size=3)}), min_size=1, max_size=3),
        "e": st.fixed_dictionaries({"a": st.text("ab<", max_size=3)}),
    }
)


known_templates: st.SearchStrategy[str] = st.deferred(lambda: data | shown | _more_known)
_more_known: st.SearchStrategy[str] = st.one_of(
    _of("{}{}", known_templates, known_templates),
    _of("{{% for n in {} %}}{{{{ loop.index }}}}{{{{ n }}}}{}{{% else %}}-{{% endfor %}}", lists, known_templates),
    _of("{{% for o in d %}}{{{{ o.a }}}}{{{{ loop.last }}}}{}{{% endfor %}}", known_templates),
    _of("{{% if {} %}}{}{{% else %}}{}{{% endif %}}", truths, known_templates, known_templates),
    _of("{{% set s %}}{}{{% endset %}}{{{{ s }}}}{{{{ s | length }}}}", known_templates),
    _of("{{% set t = {} %}}{{{{ t }}}}{}", texts, known_templates),
    _of("{{% macro m(v) %}}{{{{ v }}}}{}{{% endmacro %}}{{{{ m({}) ~ m({}) }}}}", known_templates, texts, numbers),
    _of("{{% filter upper %}}{}{{% endfilter %}}", known_templates),
    _of("{{% with w = {} %}}{{{{ w }}}}{}{{% endwith %}}", texts, known_templates),
    _of("{{%- block x -%}} {} {{%- endblock %}}", shown),
)


@given(
    known_templates.filter(lambda source: source.count("block x") < 2),
    known_entities,
    st.sampled_from(["html", "text"]),
)
def test_a_text_is_the_one_that_jinja_gives(source: str, entity: dict[str, Any], part: Part) -> None:
    """To the character, wherever both of them give one."""
    template = compile_template(source, part, Options("strict", SMALL))
    assert isinstance(template, Template) or template[0].code == "E410", template
    ours = template.render(variables(entity)) if isinstance(template, Template) else None
    if not isinstance(ours, str):
        return
    plain = ImmutableSandboxedEnvironment(autoescape=part == "html")
    try:
        theirs = plain.from_string(source).render(variables(entity))
    except (AssertionError, OverflowError):
        # Jinja2 cannot shorten a text to less than its dots.
        return
    assert ours == theirs
