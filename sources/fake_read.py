"""Inventing entities after a template, the same ones in every run. No I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import count
from math import gcd
from typing import Any, Final, NamedTuple

from pipeline.entity import Entity
from sources.fake_data import KINDS, Draw
from sources.parts import BATCH

POOL: Final = "system:"


class Pool(NamedTuple):
    """Names that several sources share: `size` numbers from `first` on, mixed by the seed."""

    first: int
    size: int
    seed: int

    def taken(self) -> Callable[[int], str]:
        """That of an entity by its number: no two have the same, as long as there are enough."""
        # A step without a common divisor meets every number once; about 0.6 of the size mixes well.
        step = next(step for step in count(self.size * 5 // 8 + 1) if gcd(step, self.size) == 1)
        return lambda number: str(self.first + (self.seed + number * step) % self.size)

    def named(self, draw: Draw, name: str) -> str:
        """Any of them."""
        return str(self.first + draw.below(self.size, f"{self.seed}/{name}"))


class Fake:
    """Invents so many entities. Its position is how many there were, with a fingerprint of how they are made."""

    def __init__(self, template: Mapping[str, Any], many: int, seed: int, pools: Mapping[str, Pool]) -> None:
        """In the template texts are kinds of data, lists are choices, and objects are templates too."""
        self._template = template
        self._many = many
        self._seed = seed
        self._pools = pools
        made = json.dumps([template, seed, sorted(pools.items())], sort_keys=True)
        self._print = blake2b(made.encode(), digest_size=8).hexdigest()
        id_ = template["_id"]
        pooled = isinstance(id_, str) and id_.startswith(POOL)
        self._taken = pools[id_.removeprefix(POOL)].taken() if pooled else None
        self.afresh = False

    def knows(self, since: str) -> bool:
        """Whether this is a position in what is made this way."""
        there, _, made = since.partition(".")
        return made == self._print and there.isascii() and there.isdigit() and int(there) <= self._many

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """What was added to the number since; all of it, if it is made in another way."""
        self.afresh = since is None or not self.knows(since)
        done = 0 if since is None or self.afresh else int(since.partition(".")[0])
        while done < self._many:
            upto = min(done + BATCH, self._many)
            yield [self._entity(number) for number in range(done + 1, upto + 1)], f"{upto}.{self._print}"
            done = upto

    def _entity(self, number: int) -> Entity:
        draw = Draw(self._seed, number)
        made = self._object(self._template, draw, "")
        made["_id"] = str(made["_id"] if self._taken is None else self._taken(number))
        return made

    def _object(self, template: Mapping[str, Any], draw: Draw, path: str) -> Entity:
        return {name: self._value(value, draw, f"{path}/{name}") for name, value in template.items()}

    def _value(self, value: Any, draw: Draw, path: str) -> Any:
        if isinstance(value, str):
            if value.startswith(POOL):
                return self._pools[value.removeprefix(POOL)].named(draw, path)
            return KINDS[value](draw, path)
        if isinstance(value, Mapping):
            return self._object(value, draw, path)
        return draw.one(value, path) if isinstance(value, Sequence) else value
