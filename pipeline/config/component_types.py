"""The `type` of a component: the class it stands for, and what is said when there is none. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.component import ComponentConfig, Kind
from pipeline.config.given import advice, note, opening
from pipeline.config.near import near
from pipeline.config.registry import Registry
from pipeline.config.slip import slip
from pipeline.config.tree import Document, Object, Scalar
from pipeline.errors import Edit, Note, Problem

# Each kind that a type of another place may be of, as a person says it.
_article: Final[Mapping[Kind, str]] = {
    "source": "a source",
    "sink": "a sink",
    "transform": "a transform",
    "system": "a system",
}
_at_the_top: Final[tuple[Kind, ...]] = ("system", "pipe", "metadata")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a component stands: at the `top` of a file, or where one of a `kind` belongs."""

    kind: Kind
    top: bool = False

    @property
    def noun(self) -> str:
        """A component of this place, in a sentence."""
        return "a component" if self.top else _article[self.kind]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What may stand here."""
        return _at_the_top if self.top else (self.kind,)


@dataclass(frozen=True, slots=True)
class Types:
    """The types that the components of one document can have."""

    document: Document
    registry: Registry

    def find(self, place: Place, type_name: str) -> type[ComponentConfig] | None:
        """The config class of a type, if it may stand there."""
        found = (self.registry.find(kind, type_name) for kind in place.kinds)
        return next((model for model in found if model), None)

    def all_of(self, kind: Kind) -> list[type[ComponentConfig]]:
        """The config classes of a kind."""
        found = (self.registry.find(kind, name) for name in self.registry.names(kind))
        return [model for model in found if model]

    def missing(self, place: Place, node: Object, path: tuple[str, ...], *notes: Note) -> Problem:
        """E204: an object without a `type`."""
        return Problem(
            "E204",
            f"{place.noun} needs a `type`",
            opening(self.document, node),
            "no `type` in this object",
            path,
            notes=(*notes, self._listed(place)),
        )

    def unknown(self, place: Place, node: Object, path: tuple[str, ...], written: str) -> tuple[str, Problem]:
        """The type that was clearly meant, or nothing; and E205."""
        member = node.members.get("type")
        span = self.document.span(member.value) if member else opening(self.document, node)
        names = self._names(place)
        notes = []
        fix: tuple[Edit, ...] = ()
        meant = ""
        package = next((found for kind in place.kinds if (found := self.registry.closed_by(kind, written))), None)
        if package:
            notes.append(note(f"the installed package `{package}` brings it"))
            notes.append(advice(f'to allow it add `"plugins": ["{package}"]` to mailweir.json'))
        elif home := next((kind for kind in _article if written in self.registry.names(kind)), None):
            where = "stands at the top of a file" if home == "system" else f"stands in the `{home}` of a pipe"
            where = f"{where}, and its `_id` in `system` of the sink" if place.kind == "sink" else where
            notes.append(advice(f'"{written}" is the type of {_article[home]}: it {where}'))
        elif meant := slip(written, names) or _prefixed(written, names):
            notes.append(advice(f'did you mean "{meant}"?'))
            literal = member and isinstance(member.value, Scalar) and member.value.value == written
            fix = (Edit(span, f'"{meant}"'),) if literal else ()
        elif close := _near(written, names):
            notes.append(advice(f'did you mean "{close}"?'))
        what = "component" if place.top else place.kind
        notes.append(self._listed(place))
        message = f'no {what} has the type "{written}"'
        return meant, Problem("E205", message, span, "not known", (*path, "type"), notes=tuple(notes), fix=fix)

    def _names(self, place: Place) -> list[str]:
        registry = self.registry
        return [*registry.names("system"), "metadata", "pipe"] if place.top else registry.names(place.kind)

    def _listed(self, place: Place) -> Note:
        return note(f"types: {', '.join(self._names(place))}")


def _near(written: str, names: Sequence[str]) -> str:
    """The name that is nearest; what all systems begin with makes none of them alike."""
    prefix = "system:" if written.startswith("system:") else ""
    close = near(written[len(prefix) :], [name.removeprefix(prefix) for name in names if name.startswith(prefix)])
    return prefix + close[0] if close else ""


def _prefixed(written: str, names: Sequence[str]) -> str:
    name = f"system:{written}"
    return name if name in names else ""
