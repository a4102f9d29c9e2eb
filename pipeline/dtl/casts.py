"""Functions that make values of one type of values of others. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.dtl.errors import located
from pipeline.dtl.registry import DROP, Making, Run, Shown, Subject, folded
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.dtl.values import first

Cast = Callable[[Any], Any]


def cast(subject: Subject, name: str, doc: str, *examples: Shown) -> Callable[[Cast], Cast]:
    """Declare a function of any value but null. Where it gives DROP, the value is left out or DEFAULT is put for it."""

    def declared(convert: Cast) -> Cast:
        subject.special(
            name, "[DEFAULT:each] VALUES", f"{doc} What cannot be one is left out, or replaced by DEFAULT.", *examples
        )(lambda making, call: _made(convert, making, call))
        return convert

    return declared


def _made(convert: Cast, making: Making, call: Call) -> Run:
    fallback, values = call.args
    argument = making.expression(values)
    default = None if fallback is None else making.expression(fallback)

    def one(scope: Scope, value: Any) -> Any:
        made = convert(value)
        return scope.with_value(default, value) if made is DROP and default is not None else made

    def run(scope: Scope) -> Any:
        value = argument(scope)
        if value is None:
            return None
        try:
            if type(value) is list:
                made = [one(scope, each) for each in value if each is not None]
                return [each for each in made if each is not DROP]
            found = one(scope, value)
        except Exception as error:
            raise located(error, call, value) from error
        return None if found is DROP else found

    return folded(making, call, (argument,) if default is None else (argument, default), run)


def type_test(subject: Subject, name: str, kinds: frozenset[type], doc: str, *examples: Shown) -> None:
    """Declare a function that tells whether the first value is of one of these types."""
    subject.values(name, "VALUES", doc, *examples)(lambda values: type(first(values)) in kinds)
