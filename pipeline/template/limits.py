"""How much a template may do, counted rather than timed: the same template ends at the same step everywhere. No I/O.

A step is about one node of the template that is worked out; work on long texts and lists takes more of them. Before
anything grows, what it would take is asked for here, so that nothing is built only to be refused.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, ValuesView
from dataclasses import dataclass
from types import GeneratorType
from typing import Any, Final, cast

from jinja2 import Undefined

from pipeline.config.faults import count

# So many characters of a text are worked through in the time of one step.
CHARACTERS_A_STEP: Final = 64
# Wider columns, longer numbers and deeper indents than this are no text for people.
MOST_WIDTH: Final = 1000
# An integer of so many bits has 3,000 digits; Python prints up to 4,300.
MOST_BITS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one rendering of one part may take."""

    output: int = 10_000_000
    """Characters of the part."""
    text: int = 50_000_000
    """Characters of all texts that are made on the way."""
    steps: int = 2_000_000
    """About a second of work."""
    depth: int = 50
    """Macros, includes and loops that stand within each other while they run."""
    source: int = 2_000_000
    """Characters of a template."""
    tokens: int = 60_000
    """Words, signs and texts that a template is made of: about 15,000 tags."""


LIMITS: Final = Limits()


class Refused(Exception):  # noqa: N818 - it is caught where a rendering begins, and becomes a value there
    """A rendering that ends without a text: `code` and words for a person."""

    code = "E409"

    def __init__(self, message: str, *help: str) -> None:
        """Say what is wrong, and what can be done."""
        super().__init__(message)
        self.message = message
        self.help = help


class Failed(Refused):
    """Something that cannot be worked out from these values."""


class PastLimit(Refused):
    """More steps, more text or more depth than a template may have."""

    code = "E410"


class NotAllowed(Refused):
    """Something that no template may do."""

    code = "E406"


_SIZED: Final = frozenset({list, tuple, dict, str, range, set, type({}.items()), type({}.keys()), type({}.values())})
# Filters give generators; of other values only these have items.
_LOOPED: Final = (
    *(list, tuple, dict, str, set, frozenset, range),
    *(KeysView, ValuesView, ItemsView, GeneratorType, Undefined),
)


class Meter:
    """What one rendering may still take."""

    __slots__ = ("depth", "limits", "steps", "text")

    def __init__(self, limits: Limits) -> None:
        """Begin with everything."""
        self.limits = limits
        self.steps = limits.steps
        self.text = limits.text
        self.depth = 0

    def step(self, number: int) -> None:
        """Take so many steps."""
        self.steps -= number
        if self.steps < 0:
            raise PastLimit(
                f"this template takes more than {count(self.limits.steps)} steps",
                "shorten the loops, or prepare the data before the sink",
            )

    def work(self, characters: int) -> None:
        """Take the steps for going through so many characters once."""
        self.step(1 + characters // CHARACTERS_A_STEP)

    def make(self, characters: int) -> None:
        """Take so many characters of text that are about to be made, and the steps for it."""
        self.text -= characters
        if self.text < 0:
            raise PastLimit(f"this template makes more than {count(self.limits.text)} characters of text")
        self.work(characters)

    def enter(self) -> None:
        """Go one level deeper; `leave` comes back."""
        self.depth += 1
        if self.depth > self.limits.depth:
            raise PastLimit(f"more than {self.limits.depth} levels of macros, includes and loops that call themselves")

    def leave(self) -> None:
        """Come back from a level."""
        self.depth -= 1

    def each(self, items: Any, weight: int) -> Iterable[Any]:
        """The items for a loop whose body takes `weight` steps; the steps of all rounds are taken ahead if they can."""
        if type(items) in _SIZED:
            self.step(len(items) * weight)
            return cast("Iterable[Any]", items)
        return self.counted(items, weight)

    def counted(self, items: Any, weight: int = 1) -> Iterator[Any]:
        """The items, each taking its steps when it is asked for."""
        return self._counted(iterable(items), weight)

    def _counted(self, items: Iterator[Any], weight: int) -> Iterator[Any]:
        for item in items:
            self.step(weight)
            yield item

    def buffer(self) -> Buffer:
        """A list for pieces of text that counts them."""
        return Buffer(self)


class Buffer(list[str]):
    """Pieces of text that are put together later: what a macro, a set block or a filter block writes."""

    __slots__ = ("_make",)

    def __init__(self, meter: Meter) -> None:
        """Begin empty."""
        super().__init__()
        self._make = meter.make

    def append(self, piece: str) -> None:
        """Take a piece."""
        self._make(len(piece))
        super().append(piece)


def iterable(items: Any) -> Iterator[Any]:
    """The items of something to loop over, or a refusal in words."""
    if isinstance(items, _LOOPED):
        return iter(items)
    if items is None:
        raise Failed("null is nothing to loop over", "use `{% if … %}`, or `| default([])`")
    if isinstance(items, int | float):
        raise Failed("a number is nothing to loop over", "for numbers from 0 use `range(…)`")
    raise Failed("this is nothing to loop over")
