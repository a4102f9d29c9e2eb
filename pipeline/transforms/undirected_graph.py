"""The edges between things that are the same, or belong together. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from pipeline.component import Context, Many, TransformConfig
from pipeline.config.given import advice
from pipeline.entity import URI, Entity, value_of
from pipeline.errors import TransformError

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

# Of so many nodes there are nearly a million edges, as many values as a rule may make of one entity.
MOST_NODES: Final = 1000


class UndirectedGraphConfig(TransformConfig):
    """Makes an edge from each node to each other one of the nodes that an entity names, in both directions.

    Of `{"_id": "a", "sameAs": ["b"]}` come the entities `a.b` and `b.a`.
    """

    type: Literal["undirected_graph"]
    """`undirected_graph`."""
    nodes: Many[str] = ("_id", "sameAs")
    """The properties that hold the nodes: texts, URIs, or lists of them."""
    start: str = Field(default="from", alias="from")
    """The property of an edge that holds the node where it begins."""
    end: str = Field(default="to", alias="to")
    """The property of an edge that holds the node where it ends."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """There are nodes, and an edge has two properties of its own."""
        if given.get("nodes") in ([], ()):
            yield given.problem("E203", "there are no `nodes`", "nodes", notes=(advice('such as ["_id", "sameAs"]'),))
        start, end = given.get("from", "from"), given.get("to", "to")
        for name, value in (("from", start), ("to", end)):
            if isinstance(value, str) and (not value or value.startswith("_")):
                help_ = advice("choose a name that does not begin with `_`: those are the engine's")
                yield given.problem("E203", "an edge cannot have this property", name, notes=(help_,))
        if isinstance(start, str) and start == end:
            at = "to" if given.written("to") else "from"
            yield given.problem(
                "E209", "`from` and `to` are the same property", at, notes=(advice("choose two names"),)
            )

    def build(self, context: Context) -> UndirectedGraph:
        """The transform itself."""
        return UndirectedGraph(self.nodes, self.start, self.end)


class UndirectedGraph:
    """Emits edges, and not the entity."""

    def __init__(self, nodes: Sequence[str], start: str, end: str) -> None:
        """Take the names of properties."""
        self._nodes = nodes
        self._start = start
        self._end = end

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """The edges, deleted if the entity is; each node counts once. `TransformError` for what is no node."""
        nodes: dict[str, object] = {}
        for name in self._nodes:
            for node in _each(name, entity.get(name)):
                nodes.setdefault(_text(name, node), node)
        if len(nodes) > MOST_NODES:
            raise TransformError(f"{len(nodes):,} nodes: more than {MOST_NODES:,} make too many edges")
        gone = {"_deleted": True} if entity.get("_deleted") is True else {}
        return [
            {"_id": f"{one}.{other}", **gone, self._start: nodes[one], self._end: nodes[other]}
            for one, other in permutations(nodes, 2)
        ]


def _each(name: str, value: Any) -> Iterator[object]:  # noqa: ANN401 - JSON values
    if isinstance(value, list):
        for place, one in enumerate(value):
            if isinstance(one, list):
                raise TransformError(f"`{name}[{place}]` is a list within a list, not a node")
            yield one
    elif value is not None:
        yield value


def _text(name: str, node: object) -> str:
    """The name of a node: a text, or the address of a URI."""
    found = value_of(node) if isinstance(node, str) else node
    if isinstance(found, URI):
        return found.text
    if isinstance(node, str) and (found is node or name == "_id"):
        return node
    raise TransformError(f"`{name}` holds {_kind(found)}, where a node is a text or a URI")


def _kind(value: object) -> str:
    kinds = {dict: "an object", bool: "true or false", int: "a number", float: "a number", type(None): "null"}
    return kinds.get(type(value), f"a {type(value).__name__}")
