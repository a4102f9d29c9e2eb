"""Python code for a template: Jinja2's compiler with another hand at the places that cost time or can run away. No I/O.

What differs from the code that Jinja2 writes:

- `{{ … }}` up to the next tag become one f-string. A text goes through the C function that escapes, without a `Markup`
  object around it; everything else goes through `template_values`.
- `order.title` looks into an object before anything else is asked.
- Loops and the bodies of macros, blocks and templates take their steps from the meter; operators, comparisons, calls
  and parts of texts go through functions that ask it first.
- Included and imported templates are known when the code is written.
- For each piece of an expression it is written down where in the template it comes from. Python knows the place in the
  code of every instruction that fails, so a fault is found to the character and costs nothing until it happens.

Nodes carry in `lineno` the offset in the template where they begin (see `syntax`). The names that the code uses beside
its own are put into its module by `template_runtime`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import Environment

from pipeline.template.sandbox import FUNCTIONS
from pipeline.template.values import LONG, escape_text

# So many values share one f-string at most: between two pieces nobody counts how much there is already.
_MOST_VALUES: Final = 16
_SMALL: Final = (nodes.Const,)


@dataclass(frozen=True, slots=True)
class Piece:
    """A node, and the part of the code that works it out: first line and column, last line and column."""

    start: tuple[int, int]
    end: tuple[int, int]
    node: nodes.Node


class Generator(CodeGenerator):
    """Writes the code of one template."""

    def __init__(self, environment: Environment, name: str, raws: Mapping[int, str]) -> None:
        """`raws` are the expressions as written, by the offset of the node, where `debug` shows them."""
        super().__init__(environment, name, None, None, defer_init=False, optimized=False)
        self.pieces: list[Piece] = []
        self._raws = raws
        self._column = 0
        self._loops: dict[int, int] = {}
        self._bodies: dict[int, int] = {}
        self._extends: nodes.Node | None = None

    # The column of what is written next, in bytes as Python counts them.

    def write(self, x: str) -> None:
        """As its base, keeping count."""
        if self._new_lines:
            self._column = 4 * self._indentation
        super().write(x)
        self._column += len(x) if x.isascii() else len(x.encode())

    def _here(self) -> tuple[int, int]:
        if self._new_lines:
            return self.code_lineno + self._new_lines * (not self._first_write), 4 * self._indentation
        return self.code_lineno, self._column

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        """As its base; expressions are written down with their place, loops with their weight."""
        if not isinstance(node, nodes.Expr | nodes.NSRef):
            return super().visit(node, *args, **kwargs)
        weight = self._loops.get(id(node))
        start = self._here()
        if weight is not None:
            self.write("each(")
        super().visit(node, *args, **kwargs)
        if weight is not None:
            self.write(f", {weight})")
        self.pieces.append(Piece(start, self._here(), node))
        return None

    def writeline(self, x: str, node: nodes.Node | None = None, extra: int = 0) -> None:
        """As its base; the line that goes on with the parent belongs to the tag that names it."""
        if x in {"_loop_vars = {}", "_block_vars = {}"}:
            # They are for functions that ask the context for variables of loops; there are none.
            return
        if x.startswith("yield from parent_template."):
            node = self._extends
        super().writeline(x, node, extra)

    def pop_assign_tracking(self, frame: Frame) -> None:
        """As its base for what a template offers; what a loop or block sets is known to the code alone."""
        if frame.loop_frame or frame.block_frame:
            self._assign_stack.pop()
        else:
            super().pop_assign_tracking(frame)

    # What runs how often.

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        """Weigh the bodies, then as its base."""
        self._extends = node.find(nodes.Extends)
        for loop in node.find_all(nodes.For):
            weight = weight_of([*loop.body, *([loop.test] if loop.test else [])])
            if loop.recursive:
                self._bodies[id(loop.body)] = weight
            self._loops[id(loop.iter)] = 1 if loop.recursive else weight
        for holder in (node, *node.find_all((nodes.Block, nodes.Macro, nodes.CallBlock))):
            self._bodies[id(holder.body)] = weight_of(holder.body)  # type: ignore[attr-defined]
        super().visit_Template(node, frame)

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        """As its base, the steps being taken first."""
        weight = self._bodies.get(id(nodes))
        if weight is not None:
            self.writeline(f"meter.step({weight})")
        super().blockvisit(nodes, frame)

    def write_commons(self) -> None:
        """What each function of the code begins with."""
        self.writeline("resolve = context.finder()")
        self.writeline("meter = context.meter")
        self.writeline("each = meter.each")
        self.writeline("if 0: yield None")

    def get_resolve_func(self) -> str:
        """How a variable is looked up."""
        return "resolve"

    def enter_frame(self, frame: Frame) -> None:
        """As its base, with a look-up that is one call into C for most templates."""
        undefined = []
        for target, (action, name) in frame.symbols.loads.items():
            if action == "resolve":
                otherwise = identifier("function_", str(name)) if name in FUNCTIONS else "missing"
                self.writeline(f"{target} = resolve({name!a}, {otherwise})")
            elif action == "alias":
                self.writeline(f"{target} = {name}")
            elif action == "undefined":
                undefined.append(target)
        if undefined:
            self.writeline(f"{' = '.join(undefined)} = missing")

    def pull_dependencies(self, nodes: Iterable[nodes.Node]) -> None:
        """Filters and tests are names of the module: that they exist was checked."""
        self.filters = _Prefixed("filter_", self.environment.filters)
        self.tests = _Prefixed("test_", self.environment.tests)

    def buffer(self, frame: Frame) -> None:
        """A list that counts."""
        frame.buffer = self.temporary_identifier()
        self.writeline(f"{frame.buffer} = meter.buffer()")

    # What is shown.

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:
        """Values and the text between them, as one f-string."""
        if frame.require_output_check:
            if self.has_known_extends:
                return
            self.writeline("if parent_template is None:")
            self.indent()
        pieces: list[str] = []
        values = 0
        for child in node.nodes:
            shown = _constant(child, escape=frame.eval_ctx.autoescape)
            if shown is not None:
                pieces.append(_literal(shown))
                continue
            pieces.append(f"{{{self._value(child, frame)}}}")
            values += 1
            if values == _MOST_VALUES:
                self._show(pieces, frame)
                pieces, values = [], 0
        if pieces:
            self._show(pieces, frame)
        if frame.require_output_check:
            self.outdent()

    def _show(self, pieces: Sequence[str], frame: Frame) -> None:
        self.simple_write(f"f'{''.join(pieces)}'", frame)

    def _value(self, child: nodes.Expr, frame: Frame) -> str:
        """Write the lines that make a text of a value; gives the name that holds it."""
        name = self.temporary_identifier()
        quick, write = ("escape({0})", "html") if frame.eval_ctx.autoescape else ("{0}", "text")
        raw = f", {self._raws[child.lineno]!a}" if child.lineno in self._raws else ""
        if isinstance(child, nodes.Name):
            source = frame.symbols.ref(child.name)
        else:
            source = name
            self.writeline(f"{name} = ", child)
            self.visit(child, frame)
        self.newline(child)
        start = self._here()
        self.write(
            f"{name} = {quick.format(source)} if type({source}) is str and len({source}) < {LONG}"
            f" else {write}({source}, context{raw})"
        )
        self.pieces.append(Piece(start, self._here(), child))
        return name

    # Parts of values.

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        """`a.b`: an object is asked at once."""
        self._part(node.node, node.attr, "getattr", frame)

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        """`a["b"]`, `a[1]`, `a[1:2]`."""
        if isinstance(node.arg, nodes.Slice):
            self.write("cut(context, ")
            for each in (node.node, node.arg.start, node.arg.stop, node.arg.step):
                if each is None:
                    self.write("None")
                else:
                    self.visit(each, frame)
                self.write(", ")
            self.write(")")
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            self._part(node.node, node.arg.value, "getitem", frame)
        else:
            super().visit_Getitem(node, frame)

    def _part(self, owner: nodes.Expr, name: str, reach: str, frame: Frame) -> None:
        if isinstance(owner, nodes.Name):
            held = first = frame.symbols.ref(owner.name)
        else:
            held = self.temporary_identifier()
            first = ""
        self.write(f"({held}[{name!a}] if type(")
        if first:
            self.write(first)
        else:
            self.write(f"{held} := ")
            self.visit(owner, frame)
        self.write(f") is dict and {name!a} in {held} else environment.{reach}(")
        if first:
            self.visit(owner, frame)
        else:
            self.write(held)
        self.write(f", {name!a}))")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:
        """As its base; a name that is worked out is looked at first."""
        self.write("{")
        for pair in node.items:
            constant = isinstance(pair.key, nodes.Const)
            if not constant:
                self.write("key(meter, ")
            self.visit(pair.key, frame)
            self.write(": " if constant else "): ")
            self.visit(pair.value, frame)
            self.write(", ")
        self.write("}")

    # Operators.

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        """`a ~ b`."""
        self.write(f"joined(context, {bool(frame.eval_ctx.autoescape)}")
        for part in node.nodes:
            self.write(", ")
            self.visit(part, frame)
        self.write(")")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        """As its base where one side is a constant, which bounds the work."""
        sides = [node.expr, *(part.expr for part in node.ops)]
        if all(_bounded(part.op, left, part.expr) for left, part in zip(sides, node.ops, strict=False)):
            super().visit_Compare(node, frame)
            return
        self.write("compare(context, ")
        self.visit(node.expr, frame)
        for part in node.ops:
            self.write(f", {part.op!r}, ")
            self.visit(part.expr, frame)
        self.write(")")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        """`f(…)`, and `a.f(…)` with the methods of `a` before its items."""
        self.write("call(context, ")
        if isinstance(node.node, nodes.Getattr):
            self.write("method(environment, ")
            self.visit(node.node.node, frame)
            self.write(f", {node.node.attr!a})")
        else:
            self.visit(node.node, frame)
        self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
        self.write(")")

    # Other templates.

    def visit_Include(self, node: nodes.Include, frame: Frame) -> None:
        """The pieces of another template."""
        name = named(node.template, self.environment)
        if name is None:
            return
        known = self.dump_local_context(frame) if node.with_context else "None"
        self.writeline(f"for event in context.included({name!a}, {known}):", node)
        self.indent()
        self.simple_write("event", frame)
        self.outdent()

    def _import_common(self, node: nodes.Import | nodes.FromImport, frame: Frame) -> None:
        name = named(node.template, self.environment)
        known = self.dump_local_context(frame) if node.with_context else "None"
        self.write(f"context.module({name!a}, {known})")


class _Prefixed(dict[str, str]):
    """The names under which the code finds filters or tests."""

    def __init__(self, prefix: str, known: Mapping[str, Any]) -> None:
        super().__init__((name, identifier(prefix, name)) for name in known)


def identifier(prefix: str, name: str) -> str:
    """A name for Python: tests can be called `==`."""
    return prefix + "".join(letter if letter.isalnum() else f"_{ord(letter):x}" for letter in name)


def named(template: nodes.Expr, environment: Environment) -> str | None:
    """The template that a tag names: the first of a list that exists; None when none does."""
    value = template.as_const()
    names = [value] if isinstance(value, str) else value
    known = environment.library.files  # type: ignore[attr-defined]
    return next((name for name in names if name in known), None)


def weight_of(body: Iterable[nodes.Node]) -> int:
    """How many nodes one round through a body works out at most; loops and macros in it take their own."""
    total = 1
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        total += 1
        if isinstance(node, nodes.For):
            waiting += [node.iter, *node.else_]
        elif not isinstance(node, nodes.Macro | nodes.CallBlock | nodes.Block):
            waiting.extend(node.iter_child_nodes())
    return total


def _bounded(sign: str, left: nodes.Expr, right: nodes.Expr) -> bool:
    if sign in {"in", "notin"}:
        return isinstance(right, nodes.Tuple | nodes.List) and all(isinstance(item, _SMALL) for item in right.items)
    return isinstance(left, _SMALL) or isinstance(right, _SMALL)


def _constant(child: nodes.Expr, *, escape: bool) -> str | None:
    if isinstance(child, nodes.TemplateData):
        return child.data
    if isinstance(child, nodes.Const) and type(child.value) in {str, int, float}:
        return escape_text(str(child.value)) if escape else str(child.value)
    return None


def _literal(text: str) -> str:
    """Text inside an f-string of single quotes; the double quote at the end makes Python choose those."""
    return ascii(text + '"')[1:-2].replace("{", "{{").replace("}", "}}")
