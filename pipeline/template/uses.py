"""What a template wants of an entity: each property that it uses, with its place, found without rendering. No I/O.

A path leads into the entity: `("orders", ITEM, "title")` is the `title` of each item of `orders`. Variables that the
template sets itself are followed to what they are set from, or left alone where that is not a part of the entity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import nodes

from pipeline.template.faults import Place
from pipeline.template.sandbox import FUNCTIONS, bare_name
from pipeline.template.syntax import Parsed

ITEM: Final = "[]"
Path = tuple[str, ...]
Scope = dict[str, Path | None]

_GUARDS: Final = frozenset({"defined", "undefined", "none"})
# A template whose includes include each other in many ways is not followed through all of them.
_MOST_NODES: Final = 200_000


@dataclass(frozen=True, slots=True)
class Use:
    """A part of the entity that is used at a place; `shown` when its text goes into the mail."""

    path: Path
    place: Place


@dataclass(frozen=True, slots=True)
class Uses:
    """What a template uses, and what it asks for first (`is defined`, `default`) because it may be missing."""

    all: tuple[Use, ...]
    guarded: frozenset[Path]

    def wanted(self) -> Iterable[Use]:
        """The uses that need the property to be there."""
        return (use for use in self.all if not any(use.path[: len(path)] == path for path in self.guarded))


def uses_of(parsed: Parsed, files: Mapping[str, Parsed]) -> Uses:
    """The uses of a template and of those that it includes or extends."""
    walk = _Walk(files)
    walk.template(parsed, {}, frozenset())
    return Uses(tuple(dict.fromkeys(walk.found)), frozenset(walk.guarded))


def unmet(uses: Uses, entities: Sequence[Mapping[str, Any]]) -> list[tuple[Use, int]]:
    """The uses that no entity satisfies, each with how many steps of its path some entity has."""
    found = []
    for use in uses.wanted():
        known = [depth for depth in (_depth(entity, use.path) for entity in entities) if depth is not None]
        if known and max(known) < len(use.path):
            found.append((use, max(known)))
    return found


def names_at(entities: Sequence[Mapping[str, Any]], path: Path) -> list[str]:
    """The names that stand beside the last step of a path, in any of the entities."""
    owners: list[Any] = list(entities)
    for step in path[:-1]:
        owners = [value for owner in owners for value in _step(owner, step)]
    return list(dict.fromkeys(name for owner in owners if isinstance(owner, dict) for name in owner))


def _step(owner: Any, step: str) -> Sequence[Any]:
    if step == ITEM:
        return owner if isinstance(owner, list | tuple) else list(owner.values()) if isinstance(owner, dict) else ()
    if not isinstance(owner, dict):
        return ()
    name = step if step in owner else bare_name(owner, step)
    return () if name is None else (owner[name],)


def _depth(entity: Mapping[str, Any], path: Path) -> int | None:
    """How many steps of a path lead somewhere; None where an entity says nothing of it."""
    owners: Sequence[Any] = [entity]
    for depth, step in enumerate(path):
        following = [value for owner in owners for value in _step(owner, step)]
        if not following:
            # An empty list says nothing of what is in it, and what is no object may have methods.
            return depth if step != ITEM and any(isinstance(owner, dict) for owner in owners) else None
        owners = following
    return len(path)


class _Walk:
    """One walk through a template."""

    def __init__(self, files: Mapping[str, Parsed]) -> None:
        self.files = files
        self.found: list[Use] = []
        self.guarded: set[Path] = set()
        self.left = _MOST_NODES
        self.parsed: Parsed | None = None
        self.overridden: frozenset[str] = frozenset()

    def template(self, parsed: Parsed, scope: Scope, overridden: frozenset[str]) -> None:
        """Walk through one template; `overridden` are blocks that another one fills."""
        before = self.parsed, self.overridden
        self.parsed, self.overridden = parsed, overridden
        self.body(parsed.tree.body, scope)
        self.parsed, self.overridden = before

    def body(self, statements: Iterable[nodes.Node], scope: Scope) -> None:
        """Walk through statements in their order."""
        for statement in statements:
            self.statement(statement, scope)

    def statement(self, node: nodes.Node, scope: Scope) -> None:
        """Walk through one statement; what it sets goes into the scope."""
        self.left -= 1
        if self.left < 0:
            return
        match node:
            case nodes.For():
                self._for(node, scope)
            case nodes.If():
                self.expression(node.test, scope)
                before = dict(scope)
                for branch in (node.body, node.else_):
                    self.body(branch, scope)
                self.body(node.elif_, scope)
                for name in scope:
                    if name not in before or scope[name] != before[name]:
                        scope[name] = None
            case nodes.Assign():
                self.expression(node.node, scope)
                self._set(node.target, self.path(node.node, scope), scope)
            case nodes.AssignBlock():
                self.body(node.body, dict(scope))
                self._set(node.target, None, scope)
            case nodes.With():
                inner = dict(scope)
                for target, value in zip(node.targets, node.values, strict=True):
                    self.expression(value, scope)
                    self._set(target, self.path(value, scope), inner)
                self.body(node.body, inner)
            case nodes.Macro():
                scope[node.name] = None
                self._macro(node, scope)
            case nodes.CallBlock():
                self.expression(node.call, scope)
                self._macro(node, scope)
            case nodes.Block():
                if node.name not in self.overridden:
                    self.body(node.body, dict(scope))
            case nodes.Include() | nodes.Extends():
                self._other(node, scope)
            case nodes.Import():
                scope[node.target] = None
            case nodes.FromImport():
                for each in node.names:
                    scope[each[1] if isinstance(each, tuple) else each] = None
            case nodes.Expr():
                self.expression(node, scope)
            case _:
                for child in node.iter_child_nodes():
                    self.statement(child, scope)

    def _for(self, node: nodes.For, scope: Scope) -> None:
        self.expression(node.iter, scope)
        inner = dict(scope) | {"loop": None}
        over = self.path(node.iter, scope)
        self._set(node.target, (*over, ITEM) if over is not None else None, inner)
        if node.test is not None:
            self.expression(node.test, inner)
        self.body(node.body, inner)
        self.body(node.else_, dict(scope))

    def _macro(self, node: nodes.Macro | nodes.CallBlock, scope: Scope) -> None:
        inner = dict(scope) | dict.fromkeys(("caller", "varargs", "kwargs"))
        for default in node.defaults:
            self.expression(default, scope)
        inner |= {argument.name: None for argument in node.args}
        self.body(node.body, inner)

    def _other(self, node: nodes.Include | nodes.Extends, scope: Scope) -> None:
        if isinstance(node, nodes.Include) and not node.with_context:
            return
        value = node.template.as_const()
        names = [value] if isinstance(value, str) else value
        other = next((self.files[name] for name in names if name in self.files), None)
        if other is None or self.parsed is None:
            return
        overridden: frozenset[str] = frozenset()
        if isinstance(node, nodes.Extends):
            overridden = self.overridden | {block.name for block in self.parsed.tree.find_all(nodes.Block)}
        self.template(other, dict(scope), overridden)

    def _set(self, target: nodes.Node, path: Path | None, scope: Scope) -> None:
        if isinstance(target, nodes.Name):
            scope[target.name] = path
        else:
            for name in target.find_all(nodes.Name):
                scope[name.name] = None

    def path(self, node: nodes.Node, scope: Scope) -> Path | None:
        """The part of the entity that an expression is, if it is one."""
        match node:
            case nodes.Name(name=name):
                if name in scope:
                    return scope[name]
                if name == "entity":
                    return ()
                return None if name in FUNCTIONS or name in {"self", "super"} else (name,)
            case nodes.Getattr(node=owner, attr=name) | nodes.Getitem(node=owner, arg=nodes.Const(value=str(name))):
                before = self.path(owner, scope)
                return None if before is None else (*before, name)
            case nodes.Getitem(node=owner, arg=nodes.Const(value=int())):
                before = self.path(owner, scope)
                return None if before is None else (*before, ITEM)
        return None

    def expression(self, node: nodes.Node, scope: Scope) -> None:
        """Note what an expression uses."""
        self.left -= 1
        if self.left < 0:
            return
        path = self.path(node, scope)
        if path is not None:
            if path and path[-1] != ITEM and self.parsed is not None:
                self.found.append(Use(path, self.parsed.place(node)))
            return
        match node:
            case nodes.Filter(name="default" | "d", node=nodes.Node() as subject):
                self._guard(subject, scope)
            case nodes.Test(name=name, node=subject) if name in _GUARDS:
                self._guard(subject, scope)
            case nodes.Compare(expr=nodes.Const(value=str(name)), ops=[nodes.Operand(op="in", expr=subject)]):
                # `"name" in entity`
                whole = self.path(subject, scope)
                if whole is not None:
                    self.guarded.add((*whole, name))
            case nodes.Call(node=nodes.Getattr(node=owner, attr=name)):
                self.expression(owner, scope)
                if name == "get" and node.args and isinstance(node.args[0], nodes.Const):
                    self._guard(nodes.Getitem(owner, node.args[0], "load", lineno=node.lineno), scope)
                for argument in (*node.args, *(each.value for each in node.kwargs)):
                    self.expression(argument, scope)
                return
        for child in node.iter_child_nodes():
            self.expression(child, scope)

    def _guard(self, subject: nodes.Node, scope: Scope) -> None:
        path = self.path(subject, scope)
        if path:
            self.guarded.add(path)
