"""Templates: compiled once, rendered for each entity, every fault a value with its place. No I/O.

`Templates` belongs to a project: it holds the texts of its `templates` folder and compiles each distinct source once.
A `Template` makes a text of the variables of an entity (`variables`) or tells the fault.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from jinja2 import TemplateSyntaxError, nodes
from jinja2.nodes import EvalContext

from pipeline.config.faults import count
from pipeline.template.check import no_such_file
from pipeline.template.closure import Closure
from pipeline.template.failures import fault_of
from pipeline.template.faults import Place, TemplateFault, Where
from pipeline.template.limits import LIMITS, Limits, Meter
from pipeline.template.runtime import Compiled, Part, TemplateContext, TemplateEnvironment
from pipeline.template.sandbox import bare_name
from pipeline.template.syntax import Parsed, parse
from pipeline.template.uses import Uses, uses_of
from pipeline.template.values import Unhandled
from pipeline.template.watched import Saw

# Entities may bring templates of their own: so many distinct ones are kept.
MOST_KEPT: Final = 1000
_HTML: Final = re.compile(r"<!doctype\b|</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Options:
    """What the templates of a sink have in common.

    `files` are the texts in the project's `templates` folder; `refused` are files there that are not read, and why.
    `saw` is told what the templates reach.
    """

    unhandled: Unhandled = "strict"
    limits: Limits = LIMITS
    files: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    saw: Saw | None = None


K = TypeVar("K")
V = TypeVar("V")
DEFAULTS: Final = Options()
Faults = tuple[TemplateFault, ...]


@dataclass(frozen=True, slots=True)
class _Ready:
    compiled: Compiled
    environment: TemplateEnvironment
    files: Mapping[str, Parsed]
    escapes_within: bool


@dataclass(frozen=True, slots=True)
class Template:
    """A template without a fault, for one part of a mail."""

    part: Part
    where: Where
    limits: Limits
    _ready: _Ready

    @property
    def parsed(self) -> Parsed:
        """The template as read."""
        return self._ready.compiled.parsed

    @property
    def files(self) -> Mapping[str, Parsed]:
        """The files that it calls upon."""
        return self._ready.files

    def render(self, values: Mapping[str, Any]) -> str | TemplateFault:
        """The text for these variables, or why there is none; a subject has no blanks at its ends."""
        environment, compiled = self._ready.environment, self._ready.compiled
        eval_ctx = EvalContext(environment) if self._ready.escapes_within else environment.eval_ctx
        variables = values if type(values) is dict else dict(values)
        context = TemplateContext(environment, variables, "", compiled.blocks, Meter(self.limits), eval_ctx)
        pieces = []
        left = self.limits.output
        try:
            for piece in compiled.root(context):
                left -= len(piece)
                if left < 0:
                    message = f"this template makes a text of more than {count(self.limits.output)} characters"
                    return TemplateFault("E410", message, Place("", 0, 1))
                pieces.append(piece)
        except Exception as error:  # noqa: BLE001 - whatever a template does, its neighbours go on
            return fault_of(error, variables, Place("", 0, 1))
        text = "".join(pieces)
        return text.strip() if self.part == "subject" else text


def variables(entity: Mapping[str, Any]) -> dict[str, Any]:
    """What a template sees of an entity: each property by its name, and `entity`, the whole.

    A property with a namespace (`crm:name`) is also seen without it, if no other one has that name.
    """
    found = {**entity, "entity": entity}
    if ":" in "".join(entity):
        for name in entity:
            bare = name.rpartition(":")[2]
            if bare not in found and bare_name(entity, bare) == name:
                found[bare] = entity[name]
    return found


def compile_template(
    source: str, part: Part, options: Options = DEFAULTS, where: Where | None = None
) -> Template | Faults:
    """A template by itself; several of one project are compiled by one `Templates`."""
    return Templates(options).compile(source, part, where)


class Templates:
    """The templates of a project."""

    def __init__(self, options: Options = DEFAULTS) -> None:
        """Nothing is compiled before it is asked for."""
        self.options = options
        self._environments: dict[bool, TemplateEnvironment] = {}
        self._parsed: dict[str, Parsed | TemplateFault] = {}
        self._seen: OrderedDict[str, Closure | Faults] = OrderedDict()
        self._kept: OrderedDict[tuple[str, bool], _Ready | Faults] = OrderedDict()

    def faults(self, source: str) -> Faults:
        """Everything that is wrong with a template, without compiling it."""
        checked = self._checked(source)
        return checked if isinstance(checked, tuple) else ()

    def uses(self, source: str) -> Uses | None:
        """What a template wants of an entity; None when it has a fault."""
        checked = self._checked(source)
        return None if isinstance(checked, tuple) else uses_of(checked.root, checked.files)

    def every(self, source: str) -> Sequence[Parsed]:
        """A template without faults, and all that it calls upon."""
        checked = self._checked(source)
        return () if isinstance(checked, tuple) else checked.every

    def body_part(self, source: str, *, beside_text: bool) -> Part:
        """What a body is: HTML beside a text of its own, or when a tag of HTML stands in it or in what it calls."""
        texts = [source]
        if not beside_text and "{%" in source:
            texts += [each.text for each in self.every(source)]
        return "html" if beside_text or any(map(_HTML.search, texts)) else "text"

    def compile(self, source: str, part: Part, where: Where | None = None) -> Template | Faults:
        """The template, or all its faults. The same source is compiled once for text and once for HTML."""
        key = (source, part == "html")
        ready = self._kept.get(key)
        if ready is None:
            ready = self._made(source, part)
        _keep(self._kept, key, ready)
        return ready if isinstance(ready, tuple) else Template(part, where or Where(source), self.options.limits, ready)

    def compile_file(self, name: str, part: Part, where: Where | None = None) -> Template | Faults:
        """The template in a file of the folder; of a name that no file has, the fault is in the name."""
        source = self.options.files.get(name)
        if source is None:
            return (no_such_file(name, Place("", 0, max(1, len(name))), self.options),)
        return self.compile(source, part, where)

    def _checked(self, source: str) -> Closure | Faults:
        found = self._seen.get(source)
        if found is None:
            parsed = parse(source, "", self.options.limits)
            if isinstance(parsed, TemplateFault):
                found = (parsed,)
            else:
                closure = Closure(parsed, self._file, self.options)
                found = tuple(closure.faults) or closure
            _keep(self._seen, source, found)
        return found

    def _file(self, name: str) -> Parsed | TemplateFault:
        found = self._parsed.get(name)
        if found is None:
            found = self._parsed[name] = parse(self.options.files[name], name, self.options.limits)
        return found

    def _made(self, source: str, part: Part) -> _Ready | Faults:
        checked = self._checked(source)
        if isinstance(checked, tuple):
            return checked
        escapes = part == "html"
        if escapes not in self._environments:
            self._environments[escapes] = TemplateEnvironment(
                part, self.options.unhandled, self.options.files, self.options.saw
            )
        environment = self._environments[escapes]
        known = environment.library.compiled
        for name, parsed in checked.files.items():
            if name not in known:
                made = _translated(environment, parsed, checked.chains[name])
                if isinstance(made, TemplateFault):
                    return (made,)
                known[name] = made
        compiled = _translated(environment, checked.root, ())
        if isinstance(compiled, TemplateFault):
            return (compiled,)
        within = any(each.tree.find(nodes.ScopedEvalContextModifier) for each in checked.every)
        return _Ready(compiled, environment, checked.files, within)


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    """Keep what was used last, and no more than so many."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > MOST_KEPT:
        kept.popitem(last=False)


def _translated(environment: TemplateEnvironment, parsed: Parsed, chain: tuple[Place, ...]) -> Compiled | TemplateFault:
    try:
        return environment.compiled(parsed)
    except TemplateSyntaxError as error:
        words = (error.message or "this cannot be compiled").rstrip(".").replace("'", "`")
        place = parsed.tag(error.lineno)
        return TemplateFault("E401", f"the template cannot be read: {words}", place, "here", (), chain)
    except (SyntaxError, RecursionError):
        return TemplateFault("E410", "this template is nested too deep", Place(parsed.name, 0, 1), "", (), chain)
