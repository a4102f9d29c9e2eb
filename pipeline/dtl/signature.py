"""How many arguments a function takes, and what each of them is. No I/O.

"FORMAT VALUES"               two
"[TZ] FORMAT VALUES"          the first may be left out
"FUNCTION:each VALUES"        the first is evaluated for each value, which is `_` in it
"VALUES*", "VALUES+"          any number; any number and at least one
"(CONDITION THEN:do)+ [ELSE:do]"   a group that repeats
"DICT VALUES | OLD NEW VALUES"     one way or the other
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

Takes = Literal["value", "each", "text", "constant", "do", "rule", "patterns", "raw", "join"]
"""What an argument is: an expression; one with `_`; a string as it stands; any value as it stands; transforms; the name
of a rule; a pattern or a list of them; anything, never looked at; a dict that says what is joined."""


class Parameter(NamedTuple):
    """One argument of a function."""

    name: str
    takes: Takes = "value"


@dataclass(frozen=True, slots=True)
class Group:
    """Arguments that repeat."""

    parameters: tuple[Parameter, ...]
    least: int


@dataclass(frozen=True, slots=True)
class Optional:
    """An argument that may be left out."""

    parameter: Parameter


Part = Parameter | Group | Optional
_part: Final = re.compile(r"\(([^)]*)\)([*+])|\[([^]]*)\]|([^ *+]+)([*+]?)")


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function."""

    text: str
    parts: tuple[Part, ...]

    @property
    def least(self) -> int:
        """The fewest arguments."""
        sizes = (len(part.parameters) * part.least if isinstance(part, Group) else 1 for part in self._fixed())
        return sum(sizes)

    @property
    def most(self) -> int | None:
        """The most arguments; None where there is no limit."""
        return None if any(isinstance(part, Group) for part in self.parts) else len(self.parts)

    def written(self, name: str) -> str:
        """A call as it is written: `["if", CONDITION, THEN, [ELSE]]`."""
        words: list[str] = [f'"{name}"']
        for part in self.parts:
            if isinstance(part, Group):
                words += [*(one.name for one in part.parameters), "…"]
            else:
                words.append(f"[{part.parameter.name}]" if isinstance(part, Optional) else part.name)
        return f"[{', '.join(words)}]"

    def _fixed(self) -> Sequence[Part]:
        return [part for part in self.parts if not isinstance(part, Optional)]

    def bound(self, args: Sequence[Any]) -> list[Any] | None:
        """The arguments by part; None for one that is left out, a list for a group. None if their number is wrong."""
        group = next((part for part in self.parts if isinstance(part, Group)), None)
        needed = sum(1 for part in self.parts if isinstance(part, Parameter))
        options = len(self.parts) - needed - (group is not None)
        for given in range(options, -1, -1):
            rest = len(args) - needed - given
            times = _times(rest, group)
            if times is not None:
                return self._dealt(args, given, times)
        return None

    def _dealt(self, args: Sequence[Any], given: int, times: int) -> list[Any]:
        found: list[Any] = []
        rest = list(args)
        for part in self.parts:
            if isinstance(part, Group):
                size = len(part.parameters)
                taken, rest = rest[: size * times], rest[size * times :]
                found.append([taken[at : at + size] for at in range(0, len(taken), size)] if size > 1 else taken)
            elif isinstance(part, Optional) and not given:
                found.append(None)
            else:
                given -= isinstance(part, Optional)
                found.append(rest.pop(0))
        return found


def _times(rest: int, group: Group | None) -> int | None:
    if group is None:
        return 0 if rest == 0 else None
    times, left = divmod(rest, len(group.parameters))
    return times if not left and times >= group.least else None


def signatures(text: str) -> tuple[Signature, ...]:
    """The ways to call a function, from the text that describes them."""
    return tuple(_signature(each.strip()) for each in text.split("|"))


def _signature(text: str) -> Signature:
    parts: list[Part] = []
    for found in _part.finditer(text):
        group, times, optional, one, sign = found.groups()
        if group is not None:
            parts.append(Group(tuple(map(_parameter, group.split())), 1 if times == "+" else 0))
        elif optional is not None:
            parts.append(Optional(_parameter(optional)))
        elif sign:
            parts.append(Group((_parameter(one),), 1 if sign == "+" else 0))
        else:
            parts.append(_parameter(one))
    return Signature(text, tuple(parts))


def _parameter(text: str) -> Parameter:
    name, _, takes = text.partition(":")
    return Parameter(name, takes or "value")  # type: ignore[arg-type]
