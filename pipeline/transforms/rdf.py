"""Entities as RDF in a property of their own. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from pipeline.component import TransformConfig, TransformContext
from pipeline.config.given import advice
from pipeline.dtl.namespaces import is_own
from pipeline.dtl.prefixes import prefixes_of
from pipeline.entity import NI, URI, Entity, typing
from pipeline.errors import TransformError
from pipeline.ntriples import iri, literal

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

# What has no namespace gets this one.
_FALLBACK: Final = "_"
_MOST_DEPTH: Final = 64
_scheme: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
# An address, where a namespace could stand as well: these schemes need no `//`.
_address: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(?:urn|mailto|tel):", re.ASCII)


class RdfConfig(TransformConfig):
    """Writes an entity as RDF, in N-Triples, into a property.

    `{"_id": "x:1", "foaf:name": "Kari"}` is `<http://x.example/1> <http://xmlns.com/foaf/0.1/name> "Kari" .`, where
    the metadata says what `x` stands for.
    """

    type: Literal["rdf"]
    """`rdf`."""
    rdf_property: str = Field(alias="rdf-property")
    """The property that gets the statements, each on a line of its own."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The property is not the engine's."""
        for name in ("rdf-property", "rdf_property"):
            text = given.text(name)
            if text is not None and (not text or is_own(text)):
                help_ = advice("choose a name that begins with neither `_` nor `$`: those are the engine's")
                yield given.problem("E203", "the statements cannot go to this property", name, notes=(help_,))

    def build(self, context: TransformContext) -> Rdf:
        """The transform itself."""
        return Rdf(self.rdf_property, prefixes_of(context.metadata("namespaces")))


class Rdf:
    """Makes one entity of one."""

    def __init__(self, target: str, prefixes: Mapping[str, str]) -> None:
        """Take the property that gets the statements, and the addresses of namespaces."""
        self._target = target
        self._prefixes = prefixes
        self._typed = typing()

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """A new entity with its statements; a deleted one, of which none is true, as it is.

        `TransformError` for a namespace that has no address, and for what RDF has no form for.
        """
        if entity.get("_deleted") is True:
            return (entity,)
        found = {name: value for name, value in self._typed(entity).items() if name != self._target}
        identity = entity.get("_id")
        if not isinstance(identity, str) or not identity:
            raise TransformError("an entity without `_id` has no address in RDF")
        statements = _Statements(self._prefixes, identity)
        statements.add(statements.address(identity, "_id"), found, "", 1)
        return [{**entity, self._target: "".join(f"{line} .\n" for line in statements.lines)}]


class _Statements:
    """What is said of one entity: each statement once, in the order of its properties."""

    def __init__(self, prefixes: Mapping[str, str], identity: str) -> None:
        self._prefixes = prefixes
        # Statements of several entities are put into one file: a node without a name must be another one in each.
        self._label = "x" + sha256(identity.encode(errors="surrogatepass")).hexdigest()[:16]
        self._numbers = count(1)
        self.lines: dict[str, None] = {}

    def add(self, subject: str, found: Mapping[str, Any], path: str, depth: int) -> None:
        """The statements of an object, then those of what is in it."""
        if depth > _MOST_DEPTH:
            raise TransformError(f"`{path}` is nested deeper than {_MOST_DEPTH} levels")
        inner: list[tuple[str, Mapping[str, Any], str]] = []
        for name, value in found.items():
            if is_own(name):
                continue
            here = f"{path}.{name}" if path else name
            predicate = self.address(name, here)
            for place, one in self._each(value, here):
                if isinstance(one, dict):
                    node = f"_:{self._label}n{next(self._numbers)}"
                    inner.append((node, one, place))
                else:
                    node = self._object(one, place)
                self.lines[f"{subject} {predicate} {node}"] = None
        for node, one, place in inner:
            self.add(node, one, place, depth + 1)

    def address(self, name: str, path: str) -> str:
        """The address that a name stands for, in its namespace or in the one for names without."""
        text = name[1:-1] if name.startswith("<") and name.endswith(">") else name
        space, colon, rest = text.partition(":")
        if not colon:
            space, rest = _FALLBACK, text
        if space in self._prefixes:
            return self._iri(self._prefixes[space] + rest, path)
        if _address.match(text) is None:
            raise TransformError(
                f"`{path}`: the namespace `{space}` has no address: declare one in the metadata, `namespaces.default`"
            )
        return self._iri(text, path)

    def _object(self, value: object, path: str) -> str:
        if isinstance(value, NI):
            return self.address(value.text, path)
        if isinstance(value, URI):
            if _scheme.match(value.text) is None:
                raise TransformError(f"`{path}` holds an address that is not absolute")
            return self._iri(value.text, path)
        try:
            return literal(value)
        except ValueError as error:
            raise TransformError(f"`{path}` cannot be written: {error}") from None

    def _iri(self, text: str, path: str) -> str:
        try:
            return iri(text)
        except ValueError as error:
            raise TransformError(f"`{path}` cannot be written: {error}") from None

    def _each(self, value: Any, path: str) -> Iterable[tuple[str, object]]:  # noqa: ANN401 - JSON values
        if not isinstance(value, list):
            return [] if value is None else [(path, value)]
        for place, one in enumerate(value):
            if isinstance(one, list):
                raise TransformError(f"`{path}[{place}]` is a list within a list, which RDF has no form for")
        return [(f"{path}[{place}]", one) for place, one in enumerate(value) if one is not None]
