"""What tests reach of their pipes while they run. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.dtl.errors import written
from pipeline.dtl.program import Program
from pipeline.dtl.watched import WatchedCompiler

if TYPE_CHECKING:
    from pipeline.component import Transform
    from pipeline.dtl.watched import Saw
    from pipeline.dtl.watched import Spot as RuleSpot
    from pipeline.entity import Entity
    from pipeline.template.watched import Spot as TemplateSpot


class Reached:
    """Of each pipe, by the folder of its project and its `_id`, the keys of what was reached."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.pipes: dict[tuple[str, str], set[str]] = {}

    def pipe(self, root: str, pipe: str) -> Watching:
        """What watches a pipe in a test."""
        return Watching(self.pipes.setdefault((root, pipe), set()))

    def document(self) -> list[Any]:
        """All of it, as values of JSON."""
        return [[root, pipe, sorted(keys)] for (root, pipe), keys in sorted(self.pipes.items())]

    def add(self, document: Iterable[Sequence[Any]]) -> None:
        """What another process reached."""
        for root, pipe, keys in document:
            self.pipes.setdefault((root, pipe), set()).update(keys)


class Watching:
    """Watches one pipe."""

    def __init__(self, keys: set[str]) -> None:
        """They are added to."""
        self._keys = keys

    def transform(self, place: int, built: Transform) -> Transform:
        """A transform that tells what it reaches; `place` counts those of the pipe."""
        if isinstance(built, Program):
            built.compiled_by(WatchedCompiler(built.rules, built.namespaces, self._saw(place)))
            return built
        return _Told(built, self._keys, key_of_transform(place))

    def _saw(self, place: int) -> Saw:
        keys, known = self._keys, dict[Any, str]()

        def saw(spot: RuleSpot) -> None:
            if spot not in known:
                known[spot] = key_of_rule(place, spot)
                keys.add(known[spot])

        return saw

    def template(self, spot: TemplateSpot) -> None:
        """A template reaches something."""
        self._keys.add(key_of_template(spot))

    def outcomes(self, outcomes: Iterable[str]) -> None:
        """These are what became of mails."""
        self._keys.update(map(key_of_outcome, outcomes))


class _Told:
    """A transform that tells when an entity comes to it."""

    def __init__(self, transform: Transform, keys: set[str], key: str) -> None:
        self._transform = transform
        self._keys = keys
        self._key = key

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        self._keys.add(self._key)
        return self._transform(entity)


def key_of_transform(place: int) -> str:
    """The key of a transform without rules."""
    return f"transform {place}"


def key_of_rule(place: int, spot: RuleSpot) -> str:
    """The key of something in the rules of a transform."""
    return f"rule {place} {written(spot.place)} {spot.way}"


def key_of_template(spot: TemplateSpot) -> str:
    """The key of something in a template."""
    return f"template {spot.offset} {spot.way} {spot.template}"


def key_of_outcome(outcome: str) -> str:
    """The key of what becomes of a mail."""
    return f"outcome {outcome}"
