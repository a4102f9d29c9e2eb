"""What is wrong with a template is found before the first mail, in every branch, with its place."""

from __future__ import annotations

import pytest

from pipeline.template.check import name_fault, unescaped
from pipeline.template.faults import Place, TemplateFault
from pipeline.template.syntax import Parsed, parse
from pipeline.template.templates import Options, Template, Templates, compile_template

FILES = {
    "base.html": "{% block a %}{% endblock %}",
    "parts/foot.html": "foot",
    "macros.html": "{% macro button(text) %}{{ text }}{% endmacro %}{% set brand = 'x' %}",
    "broken.html": "a\n{{ b",
    "unknown.html": "{{ a | uper }}",
    "one.html": "{% include 'two.html' %}",
    "two.html": "{% include 'three.html' %}",
    "three.html": "{% include 'one.html' %}",
    "self.html": "x{% extends 'self.html' %}",
    "calls.html": "{{ helper('x') }}",
}


def faults_of(source: str) -> tuple[TemplateFault, ...]:
    """All faults of a template, found without compiling it."""
    options = Options(files=FILES, refused={"link.html": "it is a symbolic link"})
    found = Templates(options).faults(source)
    compiled = compile_template(source, "html", options)
    assert found == (() if isinstance(compiled, Template) else compiled)
    return found


def shown(source: str, place: Place) -> str:
    """The characters of a place."""
    return (FILES[place.template] if place.template else source)[place.start : place.end]


@pytest.mark.parametrize(
    ("source", "code", "message", "place", "help"),
    [
        ("{{ a | uper }}", "E402", "there is no filter `uper`", "uper", "did you mean `upper`?"),
        ("{% if a %}{{ b | xyzzy(1) }}{% endif %}", "E402", "there is no filter `xyzzy`", "xyzzy", ""),
        (
            "{{ (a | upper) if b else (c | lowr | trim) }}",
            "E402",
            "there is no filter `lowr`",
            "lowr",
            "did you mean `lower`?",
        ),
        ("{{ a is defind }}", "E402", "there is no test `defind`", "defind", "did you mean `defined`?"),
        ("{{ a is not evn }}", "E402", "there is no test `evn`", "evn", "did you mean `even`?"),
        ("{{ a | defined }}", "E402", "there is no filter `defined`", "defined", "it is a test: `is defined`"),
        ("{{ a is upcase }}", "E402", "there is no test `upcase`", "upcase", ""),
        ("{{ a is money }}", "E402", "there is no test `money`", "money", "it is a filter: `| money`"),
        ("{{ [a] | map('uper') | list }}", "E402", "there is no filter `uper`", "'uper'", "did you mean `upper`?"),
        ("{{ [a] | select('od') | list }}", "E402", "there is no test `od`", "'od'", "did you mean `odd`?"),
        (
            "{{ [a] | rejectattr('x', 'equal') | list }}",
            "E402",
            "there is no test `equal`",
            "'equal'",
            "did you mean `equalto`?",
        ),
        ("{% filter loud %}x{% endfilter %}", "E402", "there is no filter `loud`", "loud", "did you mean `round`?"),
        ("{{ rnge(3) }}", "E402", "there is no function or macro `rnge`", "rnge", "did you mean `range`?"),
        (
            "{% macro price() %}{% endmacro %}{{ prise() }}",
            "E402",
            "there is no function or macro `prise`",
            "prise",
            "did you mean `price`?",
        ),
        (
            "{{ upper(a) }}",
            "E402",
            "there is no function or macro `upper`",
            "upper",
            "it is a filter: `{{ value | upper }}`",
        ),
        (
            "{{ now() }}",
            "E402",
            "there is no function or macro `now`",
            "now",
            "a mail that is composed again must be the same; let a transform add the time to the entity",
        ),
        (
            "{{ secret('x') }}",
            "E406",
            "a template cannot read a secret",
            "secret",
            "secrets go into systems only, so that none can reach a mail",
        ),
        (
            "{{ a | attr('x') }}",
            "E406",
            "the filter `attr` is not allowed in templates",
            "attr",
            "it reaches what the dot does not; write `value.name` or `value['name']`",
        ),
        (
            "{{ a.__class__ }}",
            "E406",
            "a template cannot reach `__class__`",
            "a.__class__",
            "names that begin with two `_` belong to Python",
        ),
        (
            "{{ a['__init__'].x }}",
            "E406",
            "a template cannot reach `__init__`",
            "a['__init__']",
            "names that begin with two `_` belong to Python",
        ),
        (
            "{% autoescape a %}{% endautoescape %}",
            "E406",
            "whether HTML is escaped must be known beforehand",
            "a",
            "write `true` or `false`",
        ),
        (
            "{% include a %}",
            "E406",
            "the name of another template must stand in the tag as it is",
            "a",
            "which templates are used is known before the first mail, and no entity chooses one",
        ),
        (
            "{% include 'foot.html' %}",
            "E404",
            "there is no template `foot.html`",
            "'foot.html'",
            "did you mean `parts/foot.html`?",
        ),
        (
            "{% extends 'bas.html' %}",
            "E404",
            "there is no template `bas.html`",
            "'bas.html'",
            "did you mean `base.html`?",
        ),
        (
            "{% include 'link.html' %}",
            "E404",
            "the template `link.html` is not read",
            "'link.html'",
            "it is a symbolic link",
        ),
        (
            "{% include '../x.html' %}",
            "E406",
            "the name of this template leads out of the folder `templates`",
            "'../x.html'",
            "put the file into `templates/` and name it from there, such as `parts/footer.html`",
        ),
        (
            "{% from 'macros.html' import buton %}",
            "E402",
            "the template `macros.html` has no macro `buton`",
            "{% from 'macros.html' import buton %}",
            "did you mean `button`?",
        ),
        (
            "{% block a %}{% endblock %}{% block a %}{% endblock %}",
            "E401",
            "there are two blocks `a`",
            "{% block a %}",
            "",
        ),
        (
            "{% for x in y %}{% extends 'base.html' %}{% endfor %}",
            "E401",
            "`{% extends %}` stands within another tag",
            "{% extends 'base.html' %}",
            "",
        ),
        (
            "{% for loop in y %}{% endfor %}",
            "E401",
            "`loop` tells of the loop itself, so no item can have this name",
            "loop",
            "",
        ),
        ("{% include 'broken.html' %}", "E401", "`{{` is never closed", "{{", "add `}}`"),
        ("{% include 'unknown.html' %}", "E402", "there is no filter `uper`", "uper", "did you mean `upper`?"),
        (
            "{% include 'one.html' %}",
            "E411",
            "templates call each other in a circle: one.html → two.html → three.html → one.html",
            "{% include 'one.html' %}",
            "",
        ),
        (
            "{% include 'self.html' %}",
            "E411",
            "templates call each other in a circle: self.html → self.html",
            "{% extends 'self.html' %}",
            "",
        ),
    ],
)
def test_a_fault_has_its_place_and_its_help(source: str, code: str, message: str, place: str, help: str) -> None:
    """What is wrong, the smallest part that is, and what to do."""
    (fault,) = faults_of(source)
    assert (fault.code, fault.message, shown(source, fault.place)) == (code, message, place)
    assert (fault.notes[0].text if fault.notes else "") == help


@pytest.mark.parametrize(
    "source",
    [
        "{% macro m() %}{% endmacro %}{{ m() }}{% for f in [m] %}{{ f() }}{% endfor %}",
        "{% from 'macros.html' import button as b, brand %}{{ b('x') }}{{ brand }}",
        "{% import 'macros.html' as m %}{{ m.button('x') }}",
        "{% macro helper(x) %}{{ x }}{% endmacro %}{% include 'calls.html' %}",
        "{% include 'nowhere.html' ignore missing %}{% include ['nowhere.html', 'parts/foot.html'] %}",
        "{% extends 'base.html' %}{% block a %}{{ super() }}{{ self.a() }}{% endblock %}",
        "{% macro m() %}{{ caller() }}{{ varargs }}{{ kwargs }}{% endmacro %}{% call m() %}{% endcall %}",
        "{% autoescape false %}x{% endautoescape %}{{ _id }}{{ entity._id }}",
        "{{ x.anything.at_all() }}",
    ],
)
def test_what_may_be_right_has_no_fault(source: str) -> None:
    """Names that a template sets itself, and what only a rendering can know."""
    assert faults_of(source) == ()


def test_all_faults_come_together() -> None:
    """In the template and in what it calls."""
    source = "{{ a | uper }}{{ b is defind }}{{ now() }}{% include 'unknown.html' %}"
    assert [(fault.code, fault.place.template) for fault in faults_of(source)] == [
        ("E402", ""),
        ("E402", ""),
        ("E402", ""),
        ("E402", "unknown.html"),
    ]


def test_a_fault_in_a_file_tells_the_way_to_it() -> None:
    """Through the tags that call it, the nearest first."""
    source = "{% include 'one.html' %}"
    (fault,) = faults_of(source)
    assert fault.place.template == "three.html"
    assert [(each.template, shown(source, each)) for each in fault.chain] == [
        ("two.html", "{% include 'three.html' %}"),
        ("one.html", "{% include 'two.html' %}"),
    ]


def test_a_long_row_of_files_ends_in_words() -> None:
    """Each calling the next one: no stack is filled."""
    files = {f"{number}.html": f"{{% include '{number + 1}.html' %}}" for number in range(2000)}
    (fault,) = Templates(Options(files=files)).faults("{% include '0.html' %}")
    assert (fault.code, fault.place.template) == ("E410", "49.html")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("a.html", False),
        ("parts/a.html.j2", False),
        ("Ærlig-post_1.txt", False),
        ("", True),
        ("/etc/passwd", True),
        ("C:/x", True),
        ("\\\\host\\x", True),
        ("..", True),
        ("a/../b", True),
        ("a\\..\\b", True),
        (".hidden", True),
        ("a//b", True),
        ("a/", True),
        ("a\nb", True),
        ("a\x00b", True),
        ("a b", True),
        ("{a}", True),
    ],
)
def test_names_of_templates_lead_nowhere_else(name: str, wrong: bool) -> None:
    """Words, dots and dashes, with a `/` between."""
    assert bool(name_fault(name)) is wrong


@pytest.mark.parametrize(
    ("source", "places"),
    [
        ("{{ note | safe }}", ["safe"]),
        ("{{ note | trim | safe }}{{ a.b | upper | safe }}", ["safe", "safe"]),
        ("{{ note | markdown | safe }}{{ '<b>' | safe }}{{ note | e | replace('x', 'y') }}", []),
    ],
)
def test_values_that_are_not_escaped_are_found(source: str, places: list[str]) -> None:
    """Not where the value is HTML already."""
    parsed = parse(source)
    assert isinstance(parsed, Parsed)
    assert [source[fault.place.start : fault.place.end] for fault in unescaped(parsed)] == places
