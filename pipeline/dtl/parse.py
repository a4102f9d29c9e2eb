"""Rules as they are written become rules that can be compiled, or all that is wrong with them. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from pipeline.config.given import advice, note
from pipeline.config.near import near
from pipeline.dtl.joins import Join, join_of
from pipeline.dtl.paths import VARIABLES, parts_of, variable_of
from pipeline.dtl.registry import Function, Registry
from pipeline.dtl.signature import Group, Optional, Parameter, Signature
from pipeline.dtl.tree import Block, Call, Expression, Literal, Path, Place
from pipeline.entity import typed, value_of
from pipeline.errors import Note

# Where an entity enters.
DEFAULT: Final = "default"
_calls_of_rules: Final = frozenset({"apply", "apply-hops"})


class Fault(NamedTuple):
    """Something wrong in the rules, at a value; `start` and `end` are characters of it, where it is a string."""

    code: str
    message: str
    place: Place
    label: str = ""
    notes: tuple[Note, ...] = ()
    start: int = 0
    end: int | None = None
    instead: str | None = None
    """What those characters can only have been meant to be."""


@dataclass(slots=True)
class Parsed:
    """Rules by name, as far as they are right, and their faults in the order of the text."""

    rules: dict[str, Block] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Around:
    """What an expression may name: the rule it stands in, whether there is a `_`, and the aliases of a join."""

    rule: str
    each: bool = False
    aliases: frozenset[str] = frozenset()


def parse(rules: Mapping[str, Any], registry: Registry) -> Parsed:
    """Read the rules; what is wrong in one does not hide what is wrong in another."""
    parser = _Parser(rules, registry)
    for name, rule in rules.items():
        parser.parsed.rules[name] = parser.block(rule, (name,), Around(name))
    return parser.parsed


def parse_expression(
    expression: Any, rules: Mapping[str, Any], registry: Registry, aliases: frozenset[str] = frozenset()
) -> tuple[Expression | None, Parsed]:
    """Read a single expression, and rules that it may apply. `_` is in it what it is tried with, as `_S` is.

    With `aliases` it is over entities of datasets instead, as in a join.
    """
    parser = _Parser(rules, registry)
    for name, rule in rules.items():
        parser.parsed.rules[name] = parser.block(rule, (name,), Around(name))
    return parser.expression(expression, (), Around("", each=not aliases, aliases=aliases)), parser.parsed


class _Parser:
    def __init__(self, rules: Mapping[str, Any], registry: Registry) -> None:
        self.parsed = Parsed()
        self._registry = registry
        self._names = list(rules)
        self._applied = set(_applied(rules)) if DEFAULT in rules else set(rules)

    def block(self, value: Any, place: Place, around: Around) -> Block:
        """Transforms: one, or a list of them."""
        return Block(tuple(self._transforms(value, place, around)), place)

    def _transforms(self, value: Any, place: Place, around: Around) -> Iterator[Call]:
        if type(value) is not list:
            self._fault("E805", "a transform is a list that begins with its name", place)
            return
        if value and isinstance(value[0], str):
            call = self._call(value, place, around, self._registry.transforms)
            if call is not None:
                yield call
            return
        for index, each in enumerate(value):
            yield from self._transforms(each, (*place, index), around)

    def expression(self, value: Any, place: Place, around: Around) -> Expression | None:
        """A call, a path or a value."""
        if isinstance(value, str):
            return self._text(value, place, around)
        if type(value) is not list:
            return Literal(typed(value), place)
        if not value:
            return Literal([], place)
        if not isinstance(value[0], str):
            hint = advice('write ["list", …] for a list of values, or ["literal", […]] for one as it stands')
            self._fault("E805", "an expression begins with the name of a function", (*place, 0), notes=(hint,))
            return None
        return self._call(value, place, around, self._registry.expressions)

    def _text(self, text: str, place: Place, around: Around) -> Expression | None:
        variable = variable_of(text)
        if variable is None:
            return Literal(value_of(text), place)
        if variable in around.aliases:
            return Path(variable, parts_of(text[len(variable) + 1 :]), place)
        why = self._unavailable(variable, around)
        if why is not None:
            message, notes = why
            escape = advice(f'for the text itself write ["literal", "{text}"]') if len(text) < 40 else None
            self._fault(
                "E803", message, place, notes=(*notes, *([escape] if escape else ())), end=len(variable), start=0
            )
            return None
        if variable in VARIABLES:
            return Path(variable, parts_of(text[len(variable) + 1 :]), place)
        return Literal(value_of(text), place)

    def _unavailable(self, variable: str, around: Around) -> tuple[str, tuple[Note, ...]] | None:
        if variable == "_" and not around.each:
            hint = note("`_` is the value that a function such as `map` or `filter` looks at")
            return "there is no `_` here", (hint,)
        if variable == "_P" and around.rule not in self._applied:
            hint = note(f"`_P` is what a rule is applied from, and nothing applies `{around.rule}`")
            return "there is no `_P` here", (hint,)
        if variable[0] != "_" or variable in VARIABLES:
            return None
        known = [one for one in VARIABLES if one.lower() == variable.lower()]
        hint = advice(f"did you mean `{known[0]}`?") if known else note(f"variables: {_quoted(VARIABLES)}")
        return f"there is no variable `{variable}`", (hint,)

    def _call(self, value: list[Any], place: Place, around: Around, functions: Mapping[str, Function]) -> Call | None:
        name = value[0]
        function = functions.get(name)
        if function is None:
            self._unknown(name, (*place, 0), functions)
            if functions is self._registry.expressions and name not in self._registry.transforms:
                # What it is called with may be wrong too.
                for index, inner in enumerate(value[1:], 1):
                    self.expression(inner, (*place, index), replace(around, each=True))
            return None
        bound = next(((one, found) for one in function.signatures if (found := one.bound(value[1:])) is not None), None)
        if bound is None:
            self._miscounted(function, value, place)
            return None
        signature, _ = bound
        places = [(*place, index) for index in range(1, len(value))]
        # What stands where is bound the same way as what it is.
        spots = signature.bound(list(zip(value[1:], places, strict=True)))
        if spots is None:
            return None
        before = len(self.parsed.faults)
        args = [self._part(part, given, around) for part, given in zip(signature.parts, spots, strict=True)]
        call = Call(function, signature, tuple(args), place)
        return call if len(self.parsed.faults) == before else None

    def _part(self, part: Parameter | Group | Optional, given: Any, around: Around) -> Any:
        if given is None:
            return None
        if isinstance(part, Group):
            if len(part.parameters) == 1:
                return [self._argument(part.parameters[0], each, around) for each in given]
            return [
                [self._argument(one, each, around) for one, each in zip(part.parameters, group, strict=True)]
                for group in given
            ]
        return self._argument(part.parameter if isinstance(part, Optional) else part, given, around)

    def _argument(self, parameter: Parameter, given: tuple[Any, Place], around: Around) -> Any:
        value, place = given
        match parameter.takes:
            case "value":
                return self.expression(value, place, around)
            case "each":
                return self.expression(value, place, replace(around, each=True))
            case "do":
                return self.block(value, place, around)
            case "text":
                return self._constant_text(parameter, value, place)
            case "constant":
                return Literal(typed(value), place)
            case "rule":
                return self._rule(value, place)
            case "patterns":
                return self._patterns(parameter, value, place)
            case "join":
                return self._join(value, place, around)
        return Literal(None, place)

    def _constant_text(self, parameter: Parameter, value: Any, place: Place) -> Literal | None:
        if not isinstance(value, str):
            self._fault("E805", f"{parameter.name} is a text, written as it is", place)
            return None
        return Literal(str(value), place)

    def _rule(self, value: Any, place: Place) -> Literal | None:
        if not isinstance(value, str):
            self._fault("E805", "a rule is called by its name", place)
            return None
        if value not in self._names:
            close = near(value, self._names)
            hint = advice(f"did you mean `{close[0]}`?") if close else note(f"rules: {_quoted(self._names)}")
            self._fault(
                "E804", f"there is no rule `{value}`", place, notes=(hint,), instead=close[0] if close else None
            )
            return None
        return Literal(str(value), place)

    def _patterns(self, parameter: Parameter, value: Any, place: Place) -> Literal | None:
        found = value
        if type(value) is list:
            found = value[1:] if value[:1] == ["list"] else value
        patterns = [found] if isinstance(found, str) else found
        if type(patterns) is not list or not all(isinstance(one, str) for one in patterns):
            self._fault("E805", f'{parameter.name} is a pattern, or ["list", …] of patterns', place)
            return None
        return Literal([str(one) for one in patterns], place)

    def _join(self, value: Any, place: Place, around: Around) -> Join | None:
        def expression(inner: Any, where: Place, aliases: frozenset[str]) -> Expression | None:
            return self.expression(inner, where, replace(around, aliases=around.aliases | aliases))

        return join_of(value, place, expression, self._fault)

    def _unknown(self, name: str, place: Place, functions: Mapping[str, Function]) -> None:
        transforms = functions is self._registry.transforms
        others = self._registry.expressions if transforms else self._registry.transforms
        what = "transform" if transforms else "function"
        if name in others:
            message = (
                f"`{name}` gives a value and changes no entity"
                if transforms
                else f"`{name}` is a transform and gives no value"
            )
            hint = advice(f'use the value in a transform: ["add", "name", ["{name}", …]]') if transforms else None
            self._fault("E805", message, place, notes=(hint,) if hint else ())
            return
        close = near(name, functions)
        if close:
            self._fault(
                "E801",
                f"unknown {what} `{name}`",
                place,
                notes=(advice(f"did you mean `{close[0]}`?"),),
                instead=close[0],
            )
            return
        notes = [advice(f"{what}s: `mailweir list functions`")]
        if not transforms:
            notes.append(advice('a list of values is written ["list", …], and ["literal", […]] is one as it stands'))
        self._fault("E801", f"unknown {what} `{name}`", place, notes=tuple(notes))

    def _miscounted(self, function: Function, value: list[Any], place: Place) -> None:
        given = len(value) - 1
        ways = [f"`{one.written(function.name)}`" for one in function.signatures]
        message = f"`{function.name}` takes {_counts(function.signatures)}, not {given}"
        notes = (note(f"it is called {' or '.join(ways)}"),)
        self._fault("E802", message, (*place, 0), notes=notes)

    def _fault(
        self,
        code: str,
        message: str,
        place: Place,
        *,
        notes: Sequence[Note] = (),
        start: int = 0,
        end: int | None = None,
        instead: str | None = None,
    ) -> None:
        self.parsed.faults.append(Fault(code, message, place, "", tuple(notes), start, end, instead))


def _counts(ways: Sequence[Signature]) -> str:
    words = list(dict.fromkeys(_count(one.least, one.most) for one in ways))
    *most, last = words
    text = f"{', '.join(most)} or {last}" if most else last
    return f"{text} argument" if text in {"1", "at least 1"} else f"{text} arguments"


def _count(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least}" if least else "any number of"
    if most == least:
        return str(least) if least else "no"
    return f"{least} or {most}" if most == least + 1 else f"{least} to {most}"


def _applied(value: Any) -> Iterator[str]:
    """The rules that are named where rules are applied, at any depth."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _applied(each)
    elif type(value) is list:
        if len(value) > 1 and isinstance(value[0], str) and value[0] in _calls_of_rules and isinstance(value[1], str):
            yield value[1]
        if value[:1] not in (["comment"], ["literal"]):
            for each in value:
                yield from _applied(each)


def unused(rules: Mapping[str, Any]) -> list[str]:
    """The rules that no entity reaches from `default`."""
    reached: set[str] = set()
    waiting = [DEFAULT]
    while waiting:
        name = waiting.pop()
        if name not in reached and name in rules:
            reached.add(name)
            waiting += _applied(rules[name])
    return [name for name in rules if name not in reached]


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
