"""What goes wrong while rules run. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.entity import to_json
from pipeline.errors import EndError, TransformError

if TYPE_CHECKING:
    from pipeline.dtl.tree import Call, Place

# As much of a value as a line of a log has room for.
MOST_SHOWN: Final = 60


class DtlError(TransformError):
    """A function that cannot go on with an entity: which, where in the rules, why, and with which value."""

    def __init__(self, why: str, function: str, place: Place, value: str = "") -> None:
        """`value` is its text as it is shown."""
        where = written(place)
        super().__init__(
            (f"{where}: " if where else "") + f"`{function}`: {why}" + (f" (given {value})" if value else "")
        )
        self.why = why
        self.function = function
        self.place = place
        self.value = value


class DtlEndError(DtlError, EndError):
    """A rule that ends the run: `fail!`."""


def located(error: Exception, call: Call, value: Any = None) -> DtlError:
    """The error at its call; one that has its place already keeps it."""
    if isinstance(error, DtlError):
        return error
    why = str(error) or type(error).__name__
    if isinstance(error, RecursionError):
        why = "nested too deeply"
    elif not isinstance(error, ValueError):
        why = f"{type(error).__name__}: {why}"
    return DtlError(why, call.name, call.place, shown(value))


def shown(value: Any) -> str:
    """A value in short, as JSON."""
    if value is None:
        return ""
    try:
        text = to_json(value).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"


def written(place: Place) -> str:
    """A place in the rules as people write it: `default[2][1]`."""
    first, *rest = place or ("",)
    return (f"[{first}]" if isinstance(first, int) else first) + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest
    )
