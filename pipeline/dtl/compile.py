"""Rules that were read become closures that run. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.dtl import paths
from pipeline.dtl.namespaces import Namespaces
from pipeline.dtl.registry import Run, Step
from pipeline.dtl.tree import Block, Call, Expression, Literal, Path


class Compiler:
    """Compiles each rule once. What is the same in every scope is computed here and not again."""

    def __init__(self, rules: Mapping[str, Block], namespaces: Namespaces | None = None) -> None:
        """Take rules without faults."""
        self.namespaces = namespaces
        self._blocks = rules
        self._rules: dict[str, list[Step]] = {}
        self._constants: dict[Run, Any] = {}

    def expression(self, node: Expression) -> Run:
        """What gives the value of an expression in a scope."""
        if isinstance(node, Literal):
            return self.always(node.value)
        if isinstance(node, Path):
            return paths.path(node.variable, node.parts, self.namespaces)
        run: Run = node.function.make(self, node)
        return run

    def step(self, call: Call) -> Step:
        """A single transform."""
        step: Step = call.function.make(self, call)
        return step

    def block(self, node: Block) -> list[Step]:
        """Transforms, in their order."""
        return [self.step(call) for call in node.calls]

    def rule(self, name: str) -> Sequence[Step]:
        """A rule. One that applies itself is still empty when it is handed out, and filled before it runs."""
        if name not in self._rules:
            self._rules[name] = []
            self._rules[name] += self.block(self._blocks[name])
        return self._rules[name]

    def always(self, value: Any) -> Run:
        """An expression with the same value in every scope."""

        def run(_: object) -> Any:
            return value

        self._constants[run] = value
        return run

    def constant(self, run: Run) -> tuple[Any] | None:
        """The value of an expression made by `always`, in a tuple."""
        return (self._constants[run],) if run in self._constants else None
