"""Templates that tell what they reach: each template, each way of a condition, loops with items and without. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

from jinja2 import nodes
from jinja2.compiler import Frame

from pipeline.template.code import Generator
from pipeline.template.syntax import Parsed

Way = Literal["rendered", "then", "else", "otherwise", "some", "none"]
"""`otherwise` is the way of a condition that does not hold where there is no `else`."""


class Spot(NamedTuple):
    """Something that a template reaches or does not: which template, from which character on, and which way.

    `template` is the name of a file, or the text of a template that has none.
    """

    template: str
    offset: int
    way: Way = "rendered"


Saw = Callable[[Spot], None]


def spots(parsed: Parsed) -> Iterator[Spot]:
    """All that a template can reach, in the order of the text; what it calls upon is not looked at."""
    name = name_of(parsed)
    later = {id(each) for node in parsed.tree.find_all(nodes.If) for each in node.elif_}
    yield Spot(name, 0)
    for node in parsed.tree.find_all((nodes.If, nodes.CondExpr, nodes.For)):
        if isinstance(node, nodes.For):
            yield Spot(name, _at(node), "some")
            yield Spot(name, _at(node), "none")
        elif isinstance(node, nodes.CondExpr):
            yield Spot(name, _at(node), "then")
            yield Spot(name, _at(node), _other(node))
        elif isinstance(node, nodes.If) and id(node) not in later:
            yield from (Spot(name, _at(each), "then") for each in (node, *node.elif_))
            yield Spot(name, _at([node, *node.elif_][-1]), _other(node))


def name_of(parsed: Parsed) -> str:
    """What stands for a template in a spot."""
    return parsed.name or parsed.text


def _at(node: nodes.Node) -> int:
    return node.lineno or 0


def _other(node: nodes.Node) -> Way:
    part = node.else_ if isinstance(node, nodes.If) else node.expr2 if isinstance(node, nodes.CondExpr) else None
    return "else" if part else "otherwise"


class Loop:
    """One time that a loop is come to."""

    __slots__ = ("_some",)

    def __init__(self) -> None:
        """It has had no item."""
        self._some = False

    def round(self) -> None:
        """An item."""
        self._some = True

    def way(self) -> Way:
        """How it was."""
        return "some" if self._some else "none"


class Watch:
    """What the code of a watched template calls."""

    def __init__(self, name: str, saw: Saw) -> None:
        """`saw` is told each time."""
        self._name = name
        self._saw = saw

    def rendered(self) -> None:
        """The template is begun."""
        self._saw(Spot(self._name, 0))

    def took(self, offset: int, value: Any, other: Way) -> bool:
        """Whether a condition holds; `other` is the way when it does not."""
        holds = bool(value)
        self._saw(Spot(self._name, offset, "then" if holds else other))
        return holds

    def loop(self) -> Loop:
        """A loop begins."""
        return Loop()

    def looped(self, offset: int, loop: Loop) -> None:
        """It is over."""
        self._saw(Spot(self._name, offset, loop.way()))


class WatchedGenerator(Generator):
    """Writes the code of one template, and in it what tells the `watch` of its module what is reached."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        """As its base."""
        super().__init__(*arguments, **more)
        self._conditions: dict[int, tuple[int, Way]] = {}
        self._starts: dict[int, str] = {}

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        """Find the conditions, then as its base."""
        self._starts[id(node.body)] = "watch.rendered()"
        for each in node.find_all((nodes.If, nodes.CondExpr)):
            # What comes later in a chain is met with the first of it, which has the `else`.
            for one in (each, *(each.elif_ if isinstance(each, nodes.If) else ())):
                self._conditions.setdefault(id(one.test), (_at(one), _other(each)))
        super().visit_Template(node, frame)

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        """As its base; of a condition it is told how it came out."""
        found = self._conditions.get(id(node))
        if found is None:
            return super().visit(node, *args, **kwargs)
        self.write(f"watch.took({found[0]}, ")
        super().visit(node, *args, **kwargs)
        self.write(f", {found[1]!r})")
        return None

    def visit_For(self, node: nodes.For, frame: Frame) -> None:
        """As its base; in the end it is told whether there were items."""
        name = self.temporary_identifier()
        self.writeline(f"{name} = watch.loop()")
        self._starts[id(node.body)] = f"{name}.round()"
        super().visit_For(node, frame)
        self.writeline(f"watch.looped({_at(node)}, {name})")

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        """As its base, told at its beginning."""
        start = self._starts.get(id(nodes))
        if start is not None:
            self.writeline(start)
        super().blockvisit(nodes, frame)
