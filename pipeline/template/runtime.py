"""A template that is being rendered: its variables, its meter, and the other templates that it calls upon. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jinja2 import nodes
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.utils import missing

from pipeline.template.code import Generator, Piece, identifier
from pipeline.template.filters import FILTERS, TESTS
from pipeline.template.limits import Meter
from pipeline.template.operators import calculate, compare, joined, key
from pipeline.template.sandbox import FUNCTIONS, Module, attribute, call, cut, item, method
from pipeline.template.syntax import Grammar, Parsed
from pipeline.template.values import Blank, Raw, Unhandled, absent_values, escape_text, html, text
from pipeline.template.watched import Saw, Watch, WatchedGenerator, name_of

Part = Literal["subject", "text", "html"]
Root = Callable[[Context], Iterator[str]]


class TemplateContext(Context):
    """The variables of one template while it is rendered."""

    def __init__(  # its base does more than is needed for each mail
        self,
        environment: TemplateEnvironment,
        parent: dict[str, Any],
        name: str | None,
        blocks: Mapping[str, Root],
        meter: Meter,
        eval_ctx: EvalContext,
    ) -> None:
        """`parent` is not changed."""
        self.environment = environment
        self.parent = parent
        self.name = name
        self.meter = meter
        self.eval_ctx = eval_ctx
        self.vars = {}
        self.exported_vars = set()
        self.blocks = {block: [function] for block, function in blocks.items()} if blocks else {}

    def finder(self) -> Callable[[str, Any], Any]:
        """What looks up a variable: `find(name, default)`."""
        return self._find if self.vars else self.parent.get

    def _find(self, name: str, default: Any) -> Any:
        return self.vars[name] if name in self.vars else self.parent.get(name, default)

    def derived(self, locals: dict[str, Any] | None = None) -> TemplateContext:
        """The same with the variables of a loop or block."""
        context = self._beside(self.name, {}, locals or {})
        context.blocks = {name: list(stack) for name, stack in self.blocks.items()}
        return context

    def _beside(self, name: str | None, blocks: Mapping[str, Root], known: Mapping[str, Any]) -> TemplateContext:
        variables = {**self.get_all(), **{each: value for each, value in known.items() if value is not missing}}
        return TemplateContext(_environment(self), variables, name, blocks, self.meter, self.eval_ctx)

    def _other(self, name: str, known: Mapping[str, Any] | None) -> tuple[Compiled, TemplateContext]:
        environment = _environment(self)
        compiled = environment.library.compiled[name]
        if known is not None:
            return compiled, self._beside(name, compiled.blocks, known)
        return compiled, TemplateContext(environment, {}, name, compiled.blocks, self.meter, self.eval_ctx)

    def included(self, name: str, known: Mapping[str, Any] | None) -> Iterator[str]:
        """The pieces of another template; `known` are the variables it sees beside those of the entity, if any."""
        compiled, context = self._other(name, known)
        self.meter.enter()
        yield from compiled.root(context)
        self.meter.leave()

    def module(self, name: str, known: Mapping[str, Any] | None) -> Module:
        """What another template offers; what it would show is left out."""
        compiled, context = self._other(name, known)
        self.meter.enter()
        for _ in compiled.root(context):
            pass
        self.meter.leave()
        return Module(name, {each: context.vars[each] for each in context.exported_vars})


def _environment(context: Context) -> TemplateEnvironment:
    assert isinstance(context.environment, TemplateEnvironment)  # noqa: S101 - tells the type
    return context.environment


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template that can be rendered. `pieces` tell where its code comes from."""

    name: str
    parsed: Parsed
    root: Root
    blocks: Mapping[str, Root]
    pieces: tuple[Piece, ...]
    lines: tuple[tuple[int, int], ...]
    """Lines of the code, each with the offset in the template of the tag that it belongs to."""

    @property
    def root_render_func(self) -> Root:
        """Its function, as the code of templates that extend it calls it."""
        return self.root


class Library:
    """The templates in files, compiled when one is first needed for a kind of part."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Take the texts by name."""
        self.files = files
        self.compiled: dict[str, Compiled] = {}


class TemplateEnvironment(Grammar):
    """Jinja2's sandbox with the tables of this package in the place of everything that it would look up by itself."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})

    def __init__(self, part: Part, unhandled: Unhandled, files: Mapping[str, str], saw: Saw | None = None) -> None:
        """For one kind of part; `saw` is told what templates reach."""
        super().__init__(optimized=False, autoescape=part == "html", undefined=absent_values[unhandled], cache_size=0)
        self.library = Library(files)
        self.filters = dict(FILTERS)
        self.tests = dict(TESTS)
        self.globals = {}
        self._saw = saw
        self.shows_raw = absent_values[unhandled] is Raw
        self.eval_ctx = EvalContext(self)
        self._names = {
            "calculate": calculate,
            "call": call,
            "compare": compare,
            "concat": "".join,
            "cond_expr_undefined": Blank,
            "cut": cut,
            "escape": escape_text,
            "html": html,
            "joined": joined,
            "key": key,
            "method": method,
            "text": text,
            "undefined": self.undefined,
            **{identifier("filter_", name): function for name, function in self.filters.items()},
            **{identifier("test_", name): function for name, function in self.tests.items()},
            **{identifier("function_", name): function for name, function in FUNCTIONS.items()},
        }

    def getattr(self, obj: Any, attribute_: str) -> Any:
        """`obj.attribute`."""
        return attribute(self, obj, attribute_)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`."""
        return item(self, obj, argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`left operator right`."""
        return calculate(context, operator, left, right)

    def get_template(self, name: Any, parent: Any = None, globals: Any = None) -> Any:
        """The template that another one extends."""
        return self.library.compiled[name]

    def compiled(self, parsed: Parsed) -> Compiled:
        """A template ready to be rendered; the tree has passed `template_check`."""
        raws = _raws(parsed) if self.shows_raw else {}
        generator = (Generator if self._saw is None else WatchedGenerator)(self, parsed.name, raws)
        generator.visit(parsed.tree)
        code = compile(generator.stream.getvalue(), f"template {parsed.name}", "exec")  # type: ignore[attr-defined]
        names: dict[str, Any] = {"environment": self}
        exec(code, names)  # noqa: S102 - the generator wrote it
        names |= self._names
        if self._saw is not None:
            names["watch"] = Watch(name_of(parsed), self._saw)
        lines = tuple((line, offset) for offset, line in generator.debug_info)
        pieces = tuple(generator.pieces)
        made = Compiled(parsed.name, parsed, names["root"], names["blocks"], pieces, lines)
        names["compiled"] = made
        return made


def _raws(parsed: Parsed) -> dict[int, str]:
    outputs = parsed.tree.find_all(nodes.Output)
    return {
        child.lineno: parsed.raw(child)
        for output in outputs
        for child in output.nodes
        if not isinstance(child, nodes.TemplateData)
    }
