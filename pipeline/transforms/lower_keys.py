"""Property names in lower case. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

from pipeline.component import Context, TransformConfig
from pipeline.entity import Entity


class LowerKeysConfig(TransformConfig):
    """Turns the names of all properties into lower case, at every depth; of two names that meet the last one wins."""

    type: Literal["lower_keys"]
    """`lower_keys`."""

    def build(self, context: Context) -> LowerKeys:
        """The transform itself."""
        return LowerKeys()


class LowerKeys:
    """Makes one entity of one."""

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """A new entity; the old one stays as it is."""
        return [_lowered_names(entity)]


# Entities of a pipe have the same names, and names that are one object are found faster.
_low: Final = lru_cache(maxsize=4096)(str.lower)


def _lowered_names(found: Mapping[str, Any]) -> dict[str, Any]:
    # Most values are texts: they are not worth a call.
    return {_low(name): value if type(value) is str else _lowered(value) for name, value in found.items()}


def _lowered(value: Any) -> Any:  # noqa: ANN401 - JSON values
    if isinstance(value, dict):
        return _lowered_names(value)
    if isinstance(value, list):
        return [_lowered(item) for item in value]
    return value
