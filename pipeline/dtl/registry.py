"""What a function of the language is, and the ways to declare one. No I/O.

A subject is one file in `functions`; it declares its functions with the decorators of one `Subject`:

    strings = Subject("strings", "Strings", "Texts, …")

    @strings.each("upper", "VALUES", str, "Each string in upper case.", shows(["upper", "a"], "A"), …)
    def upper(text: str) -> str:
        return text.upper()

`each` is for what maps over its last argument: a value gives a value, a list gives a list, and what does not fit is
left out. `values` is for a function of all its arguments as they are. `special` is for one that says itself when its
arguments are evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol, TypeVar

from pipeline.dtl.errors import located
from pipeline.dtl.scope import Scope
from pipeline.dtl.signature import Signature, signatures
from pipeline.dtl.values import first

if TYPE_CHECKING:
    from pipeline.dtl.namespaces import Namespaces
    from pipeline.dtl.tree import Block, Call, Expression

Run = Callable[[Scope], Any]
"""An expression that is ready: its value in a scope."""
Signal = Literal["filter", "discard"]
"""What ends a rule before its last transform."""
Step = Callable[[Scope], Signal | None]
"""A transform that is ready."""
Steps = Sequence[Step]

F = TypeVar("F", bound=Callable[..., Any])

DROP: Final = object()
"""What a function of `each` gives for a value that it cannot use: it is left out, or null where it is the only one."""


class Making(Protocol):
    """What turns the arguments of a call into what runs. `compile.Compiler` is it."""

    namespaces: Namespaces | None

    def expression(self, node: Expression) -> Run:
        """An argument that is an expression."""
        ...

    def block(self, node: Block) -> Steps:
        """An argument that is transforms."""
        ...

    def rule(self, name: str) -> Sequence[Step]:
        """A rule; it may not be filled yet, and is when it runs."""
        ...

    def constant(self, run: Run) -> tuple[Any] | None:
        """The value of an expression that has the same one in every scope, in a tuple."""
        ...

    def always(self, value: Any) -> Run:
        """An expression with the same value in every scope."""
        ...


class Shown(NamedTuple):
    """An example: an expression or a transform, and what it makes of a source; values as in JSON.

    `datasets` are the entities that it may join, by dataset, `before` is the version of the source before this one, and
    `rdf` is the registry of this name in the metadata.
    """

    expr: Any
    result: Any
    source: Any = None
    target: Any = None
    rules: Mapping[str, Any] = {}
    datasets: Mapping[str, Sequence[Mapping[str, Any]]] = {}
    before: Any = None
    rdf: Mapping[str, Any] = {}


def shows(
    expr: Any,
    result: Any,
    source: Any = None,
    target: Any = None,
    rules: Mapping[str, Any] | None = None,
    datasets: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    before: Any = None,
    rdf: Mapping[str, Any] | None = None,
) -> Shown:
    """An example. Of a transform `result` is the target after it; null, when there is none."""
    return Shown(expr, result, source, target, rules or {}, datasets or {}, before, rdf or {})


Kind = Literal["expression", "transform"]


@dataclass(frozen=True, slots=True)
class Function:
    """A function as it is declared. `make` gives what runs for a call."""

    name: str
    kind: Kind
    subject: Subject
    signatures: tuple[Signature, ...]
    doc: str
    examples: tuple[Shown, ...]
    make: Callable[[Making, Call], Any]
    deprecated: str = ""
    """The function to use instead."""
    pure: bool = True
    """Whether the same arguments give the same value."""


@dataclass(frozen=True, eq=False)
class Subject:
    """Functions about one thing, and the decorators that declare them."""

    name: str
    title: str
    doc: str
    functions: list[Function] = field(default_factory=list)

    def each(
        self,
        name: str,
        args: str,
        kinds: type | Sequence[type] | frozenset[type],
        doc: str,
        *examples: Shown,
        deprecated: str = "",
        pure: bool = True,
    ) -> Callable[[F], F]:
        """A function of one value of the last argument, of exactly these types; the others are handed on before it.

        Of the others the first value counts; null stands for one that is left out. What gives DROP is left out.
        Where lists fit, it is those in the list that do.
        """
        fits = frozenset((kinds,) if isinstance(kinds, type) else kinds)

        def declared(function: F) -> F:
            def make(making: Making, call: Call) -> Run:
                return mapped(function, fits, making, call)

            self._add(name, "expression", args, doc, examples, make, deprecated, pure)
            return function

        return declared

    def values(
        self, name: str, args: str, doc: str, *examples: Shown, deprecated: str = "", pure: bool = True
    ) -> Callable[[F], F]:
        """A function of its arguments as they are; null for one that is left out, a list for one that repeats."""

        def declared(function: F) -> F:
            def make(making: Making, call: Call) -> Run:
                return _values(function, making, call)

            self._add(name, "expression", args, doc, examples, make, deprecated, pure)
            return function

        return declared

    def special(
        self, name: str, args: str, doc: str, *examples: Shown, deprecated: str = "", pure: bool = True
    ) -> Callable[[Callable[[Making, Call], Run]], Callable[[Making, Call], Run]]:
        """A function that makes its own closure; it looks at `call.args` and says how they are evaluated."""

        def declared(function: Callable[[Making, Call], Run]) -> Callable[[Making, Call], Run]:
            self._add(name, "expression", args, doc, examples, function, deprecated, pure)
            return function

        return declared

    def transform(
        self, name: str, args: str, doc: str, *examples: Shown
    ) -> Callable[[Callable[[Making, Call], Step]], Callable[[Making, Call], Step]]:
        """A transform: as `special`, and what it makes changes the target."""

        def declared(function: Callable[[Making, Call], Step]) -> Callable[[Making, Call], Step]:
            self._add(name, "transform", args, doc, examples, function, "", False)
            return function

        return declared

    def _add(
        self,
        name: str,
        kind: Kind,
        args: str,
        doc: str,
        examples: tuple[Shown, ...],
        make: Callable[[Making, Call], Any],
        deprecated: str,
        pure: bool,
    ) -> None:
        self.functions.append(
            Function(name, kind, self, signatures(args), doc, examples, make, deprecated, pure),
        )


@dataclass(frozen=True, slots=True)
class Registry:
    """All functions by name, expressions and transforms each for themselves: `if` is both."""

    expressions: Mapping[str, Function]
    transforms: Mapping[str, Function]

    @classmethod
    def of(cls, subjects: Sequence[Subject]) -> Registry:
        """The functions of these subjects."""
        every = [function for subject in subjects for function in subject.functions]
        return cls(
            {one.name: one for one in every if one.kind == "expression"},
            {one.name: one for one in every if one.kind == "transform"},
        )


def mapped(function: Callable[..., Any], fits: frozenset[type], making: Making, call: Call) -> Run:
    """What `each` makes of a call."""
    alone = fits - {list}
    *before, last = (None if node is None else making.expression(node) for node in call.args)
    argument: Run = last  # type: ignore[assignment]  # the last one is never left out
    if before:
        constants = [(None,) if one is None else making.constant(one) for one in before]
        if None in constants:
            return _each_of(function, fits, before, argument, call)
        fixed = [first(one[0]) for one in constants if one is not None]
        inner = function

        def function(value: Any) -> Any:
            return inner(*fixed, value)

    def run(scope: Scope) -> Any:
        value = argument(scope)
        try:
            if type(value) in alone:
                made = function(value)
                return None if made is DROP else made
            if type(value) is list:
                return [made for one in value if type(one) in fits and (made := function(one)) is not DROP]
        except Exception as error:
            raise located(error, call, value) from error
        return None

    return folded(making, call, (argument,), run)


def _each_of(
    function: Callable[..., Any], fits: frozenset[type], before: Sequence[Run | None], argument: Run, call: Call
) -> Run:
    alone = fits - {list}

    def run(scope: Scope) -> Any:
        given = [None if one is None else first(one(scope)) for one in before]
        value = argument(scope)
        try:
            if type(value) in alone:
                made = function(*given, value)
                return None if made is DROP else made
            if type(value) is list:
                return [made for one in value if type(one) in fits and (made := function(*given, one)) is not DROP]
        except Exception as error:
            raise located(error, call, value) from error
        return None

    return run


def _values(function: Callable[..., Any], making: Making, call: Call) -> Run:
    if any(isinstance(node, list) for node in call.args):
        return _values_of(function, making, call)
    runs = [making.always(None) if node is None else making.expression(node) for node in call.args]
    if len(runs) == 1:
        (only,) = runs

        def run(scope: Scope) -> Any:
            value = only(scope)
            try:
                return function(value)
            except Exception as error:
                raise located(error, call, value) from error

    elif len(runs) == 2 and (fixed := making.constant(runs[1])) is not None:
        argument, beside = runs[0], fixed[0]

        def run(scope: Scope) -> Any:
            value = argument(scope)
            try:
                return function(value, beside)
            except Exception as error:
                raise located(error, call, [value, beside]) from error

    elif len(runs) == 2:
        one, other = runs

        def run(scope: Scope) -> Any:
            value, beside = one(scope), other(scope)
            try:
                return function(value, beside)
            except Exception as error:
                raise located(error, call, [value, beside]) from error

    else:

        def run(scope: Scope) -> Any:
            values = [each(scope) for each in runs]
            try:
                return function(*values)
            except Exception as error:
                raise located(error, call, values) from error

    return folded(making, call, runs, run)


def _values_of(function: Callable[..., Any], making: Making, call: Call) -> Run:
    """With parameters that repeat: their values come as one list, of lists where there are several in turn."""
    groups = [_ready(making, node) for node in call.args]
    if len(groups) == 1 and not any(isinstance(one, list) for one in groups[0]):
        (runs,) = groups

        def flat(scope: Scope) -> Any:
            values = [one(scope) for one in runs]
            try:
                return function(values)
            except Exception as error:
                raise located(error, call, values) from error

        return folded(making, call, runs, flat)

    def run(scope: Scope) -> Any:
        values = [_evaluated(each, scope) for each in groups]
        try:
            return function(*values)
        except Exception as error:
            raise located(error, call, values) from error

    return folded(making, call, list(_runs(groups)), run)


def _ready(making: Making, node: Any) -> Any:
    return [_ready(making, one) for one in node] if isinstance(node, list) else making.expression(node)


def _evaluated(ready: Any, scope: Scope) -> Any:
    return [_evaluated(one, scope) for one in ready] if isinstance(ready, list) else ready(scope)


def _runs(ready: Any) -> Iterator[Run]:
    if isinstance(ready, list):
        for one in ready:
            yield from _runs(one)
    else:
        yield ready


def folded(making: Making, call: Call, args: Sequence[Run], run: Run) -> Run:
    """The value itself, where all arguments are constant. What fails is left to fail with an entity."""
    if not call.function.pure or any(making.constant(one) is None for one in args):
        return run
    try:
        # A scope of its own: what one call takes is not counted for the next.
        return making.always(run(Scope({}, {}, NOWHERE.host)))
    except Exception:  # noqa: BLE001 - it is raised again, with its place, when it runs
        return run


NOWHERE: Final = Scope({}, {}, None)  # type: ignore[arg-type]  # constants look at no variable
