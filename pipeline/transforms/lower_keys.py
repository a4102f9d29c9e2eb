"""Property names in lower case. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

from pipeline.component import Context, TransformConfig
from pipeline.dtl.namespaces import is_own
from pipeline.entity import Entity


class LowerKeysConfig(TransformConfig):
    """Turns the names of properties into lower case; of two names that meet the last one wins."""

    type: Literal["lower_keys"]
    """`lower_keys`."""
    recurse: bool = False
    """Whether the names within values are turned too, at every depth."""

    def build(self, context: Context) -> Renamed:
        """The transform itself."""
        return Renamed(lower, recurse=self.recurse)


class Renamed:
    """Gives properties other names. Those that begin with `_` or `$` are the engine's, and stay."""

    def __init__(self, name: Callable[[str], str], *, recurse: bool) -> None:
        """`name` makes the new name of the old one."""
        self._name = name
        self._recurse = recurse

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """A new entity; the old one stays as it is."""
        return [self._names(entity)]

    def _names(self, found: Mapping[str, Any]) -> dict[str, Any]:
        name, value_of = self._name, self._value
        if not self._recurse:
            return {name(old): value for old, value in found.items()}
        # Most values are texts: they are not worth a call.
        return {name(old): value if type(value) is str else value_of(value) for old, value in found.items()}

    def _value(self, value: Any) -> Any:  # noqa: ANN401 - JSON values
        if isinstance(value, dict):
            return self._names(value)
        if isinstance(value, list):
            return [self._value(item) for item in value]
        return value


def _turned(turn: Callable[[str], str]) -> Callable[[str], str]:
    """Entities of a pipe have the same names, and names that are one object are found faster."""
    return lru_cache(maxsize=4096)(lambda name: name if is_own(name) else turn(name))


lower: Final = _turned(str.lower)
upper: Final = _turned(str.upper)
