"""What rules are once they are read. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.dtl.registry import Function
    from pipeline.dtl.signature import Signature

Place = tuple[str | int, ...]
"""The way from the rules to a value in them: the rule's name, then indices and names."""


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A value that stands for itself."""

    value: Any
    place: Place


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Properties of a variable: `_S.orders.amount`."""

    variable: str
    parts: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A function with its arguments, one for each parameter of the signature.

    None stands for one that is left out; a group that repeats has a list, of lists where it has several parameters.
    """

    function: Function
    signature: Signature
    args: tuple[Any, ...]
    place: Place

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.name


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Transforms, one after the other."""

    calls: tuple[Call, ...]
    place: Place


Expression = Literal | Path | Call
