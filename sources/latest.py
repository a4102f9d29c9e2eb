"""How far a source has come that says of its entities when they changed. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.entity import Entity


class Latest:
    """The last change that was seen, in the words of the service."""

    def __init__(self, *, chronological: bool) -> None:
        """`chronological`: the last one that comes is the latest."""
        self._chronological = chronological
        self._value: str | int | None = None

    @property
    def text(self) -> str | None:
        """As it goes into a request."""
        return None if self._value is None else str(self._value)

    def see(self, entities: Sequence[Entity]) -> None:
        """More entities."""
        for entity in entities:
            value = entity.get("_updated")
            if isinstance(value, bool) or not isinstance(value, str | int):
                continue
            held = self._value
            # Numbers and texts are not compared with each other: the last of another kind counts.
            if self._chronological or type(held) is not type(value) or value > held:  # type: ignore[operator]
                self._value = value
