"""Nothing of Python, of the machine or of the configuration is within reach of a template."""

from __future__ import annotations

import os
from typing import Any

import pytest

from pipeline.template.faults import TemplateFault
from pipeline.template.filters import FILTERS
from pipeline.template.templates import Options, Template, compile_template, variables


class Canary:
    """An object that no entity should hold, with something to steal."""

    secret = "hunter2"

    def __str__(self) -> str:
        """Never asked for."""
        return self.secret

    def __getitem__(self, name: str) -> str:
        """Never asked for."""
        return self.secret

    def __call__(self) -> str:
        """Never asked for."""
        return self.secret


ENTITY: dict[str, Any] = {
    "text": "x",
    "number": 1,
    "list": [1, 2],
    "object": {"a": 1},
    "canary": Canary(),
    "module": os,
    "function": os.getcwd,
    "holder": {"canary": Canary()},
}

ESCAPES = [
    "{{ text.__class__ }}",
    "{{ text['__class__'] }}",
    "{{ text['__cl' ~ 'ass__'] }}",
    "{{ object['__class__'] }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ text.__init__.__globals__ }}",
    "{{ range.__class__ }}{{ range['func_globals'] }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__ }}",
    "{{ namespace.__init__ }}",
    "{{ dict.__base__ }}",
    "{{ self.__init__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ self['_TemplateReference__context'] }}",
    "{{ loop.__class__ }}",
    "{% for x in list %}{{ loop._iterable }}{% endfor %}",
    "{% for x in list %}{{ loop['_iterator'] }}{% endfor %}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m['_func'] }}{{ m._environment }}",
    "{% set ns = namespace(a=1) %}{{ ns._Namespace__attrs }}",
    "{% set c = cycler(1) %}{{ c.items }}",
    "{% set j = joiner() %}{{ j.sep }}",
    "{% block b %}{{ self.b._context }}{{ super._stack }}{% endblock %}",
    "{{ text.format }}",
    "{{ '{0.__class__}'.format(text) }}",
    "{{ '{0[__class__]}'.format(text) }}",
    "{{ '{x.__class__.__mro__}'.format(x=number) }}",
    "{{ '{0.canary.secret}'.format(entity) }}",
    "{% set f = '{0.__class__}'.format %}{{ f(text) }}",
    "{{ ['{0.__class__}'] | map('format', text) | list }}{{ ('{0.__class__}' | string).format(text) }}",
    "{{ '{0.__class__}'.format_map({'0': 1}) }}",
    "{{ '%(__class__)s' % object }}",
    "{{ [text] | map(attribute='__class__') | list | first }}",
    "{{ [object] | map(attribute='a.__class__') | list | first }}",
    "{{ [text] | sort(attribute='__class__') }}",
    "{{ [text] | groupby('__class__') }}",
    "{{ [text] | selectattr('__class__') | list | first | default(1/0) }}",
    "{{ text.encode() }}",
    "{{ text.translate({}) }}",
    "{{ list.append(3) }}",
    "{{ list.pop() }}",
    "{{ list.sort() }}",
    "{{ list.copy() }}",
    "{{ object.update({}) }}",
    "{{ object.pop('a') }}",
    "{{ object.setdefault('b', 1) }}",
    "{{ object.clear() }}",
    "{{ number.real }}",
    "{{ number.to_bytes(1) }}",
    "{{ (1).numerator }}",
    "{{ canary }}",
    "{{ canary.secret }}",
    "{{ canary['secret'] }}",
    "{{ canary() }}",
    "{{ holder }}",
    "{{ holder | json }}",
    "{{ holder | string }}",
    "{{ [canary] | join }}",
    "{{ canary ~ '' }}",
    "{{ '%s' % canary }}",
    "{{ '{}'.format(canary) }}",
    "{{ '{0.secret}'.format(canary) }}",
    "{{ canary | upper }}",
    "{{ canary | urlencode }}",
    "{{ module.getcwd() }}",
    "{{ module.environ }}",
    "{{ function() }}",
    "{{ function }}",
    "{{ environment }}",
    "{{ context }}",
    "{{ meter }}",
    "{{ resolve('text') }}",
    "{{ config }}",
    "{{ request }}",
    "{{ os }}",
    "{{ __builtins__ }}",
    "{{ missing.__class__ }}",
    "{{ lipsum() }}",
    "{{ lipsum.__globals__ }}",
    "{{ url_for() }}",
    "{{ get_flashed_messages() }}",
    "{{ secret('password') }}",
    "{{ env('HOME') }}",
    "{{ text | attr('__class__') }}",
    "{{ [text] | map('attr', '__class__') | list }}",
    "{{ text | pprint }}",
    "{{ list | random }}",
    "{{ object | xmlattr }}",
    "{{ text | urlize }}",
    "{% include '/etc/passwd' %}",
    "{% include '../../etc/passwd' %}",
    "{% include 'C:\\\\x' %}",
    "{% include text %}",
    "{% extends text %}",
    "{% import text as x %}",
    "{% from text ~ '.html' import x %}",
    "{% include ['a' ~ 'b'] %}",
    "{% include ('/etc/passwd',) %}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_no_way_leads_out(source: str) -> None:
    """A template that reaches for something else is refused, when it is compiled or when it is rendered."""
    template = compile_template(source, "html")
    if isinstance(template, Template):
        fault = template.render(variables(ENTITY))
        assert isinstance(fault, TemplateFault), fault
        assert fault.code in {"E406", "E408", "E409"}
        told = [fault]
    else:
        told = list(template)
        assert {fault.code for fault in told} <= {"E401", "E402", "E404", "E406"}
    for fault in told:
        assert "hunter2" not in repr(fault)


def test_what_changes_a_value_changes_nothing() -> None:
    """No method that changes a list or an object is there."""
    assert ENTITY["list"] == [1, 2]
    assert ENTITY["object"] == {"a": 1}


@pytest.mark.parametrize("name", sorted({*FILTERS}))
def test_no_filter_shows_an_object_that_entities_do_not_have(name: str) -> None:
    """Whatever a filter does with it, its text does not come out."""
    for source in (f"{{{{ canary | {name} }}}}", f"{{{{ [canary] | {name} }}}}", f"{{{{ holder | {name} }}}}"):
        template = compile_template(source, "html")
        assert isinstance(template, Template)
        result = template.render(variables(ENTITY))
        assert "hunter2" not in (result if isinstance(result, str) else repr(result))


def test_names_of_templates_reach_no_code() -> None:
    """Braces and quotes in a name are letters."""
    name = "a{__import__('os').getcwd()}'\"b"
    source = f"{{% from {name!r} import x %}}{{{{ x }}}}"
    result = compile_template(source, "text", Options(files={name: "{% set x = 1 %}"}))
    assert isinstance(result, Template)
    assert result.render({}) == "1"
