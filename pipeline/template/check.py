"""What is wrong with a template before it meets an entity, beyond its syntax. No I/O.

Jinja2 finds an unknown filter when the code is written, and within `{% if %}` only when it runs; an unknown function
always when it runs. Here the tree is walked, so all of them are found, and what no template may do with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from jinja2 import nodes

from pipeline.config.given import advice, note
from pipeline.config.near import near
from pipeline.errors import Note
from pipeline.template.faults import Place, TemplateFault
from pipeline.template.filters import FILTERS, REFUSED, TESTS
from pipeline.template.sandbox import FUNCTIONS
from pipeline.template.syntax import Parsed

FOLDER: Final = "templates"
_NAME: Final = re.compile(r"[\w-][\w.-]*(?:/[\w-][\w.-]*)*")
Naming = nodes.Include | nodes.Extends | nodes.Import | nodes.FromImport

# Filters whose first argument names another filter or a test; of the last two the second does.
_TAKES: Final = {"map": ("filter", 0), "select": ("test", 0), "reject": ("test", 0)} | dict.fromkeys(
    ("selectattr", "rejectattr"), ("test", 1)
)

_MAKES_HTML: Final = frozenset({"markdown", "nl2br", "e", "escape", "forceescape", "json", "tojson"})
_KEEPS: Final = frozenset({"trim", "upper", "lower"})

# What people look for because other tools have it.
_ELSEWHERE: Final = {
    "secret": "secrets go into systems only, so that none can reach a mail",
    "env": "write `$ENV(name)` in the configuration, or hand the value on in the entity",
    "now": "a mail that is composed again must be the same; let a transform add the time to the entity",
    "lipsum": "templates make no text by chance",
}


class Files(Protocol):
    """The files in the folder of templates, and those that are not read, with the reason."""

    @property
    def files(self) -> Mapping[str, str]:
        """Texts by name."""
        ...

    @property
    def refused(self) -> Mapping[str, str]:
        """Reasons by name."""
        ...


@dataclass(frozen=True, slots=True)
class Dependency:
    """Another template that a tag names: the first of `names` that exists."""

    names: tuple[str, ...]
    node: Naming
    optional: bool


def name_fault(name: str) -> str | None:
    """Why this cannot be the name of a file in the folder of templates."""
    if not name:
        return "is empty"
    if name.startswith("/") or re.match(r"[A-Za-z]:|\\", name):
        return "begins at the root of the disk"
    if ".." in name.replace("\\", "/").split("/"):
        return f"leads out of the folder `{FOLDER}`"
    if not _NAME.fullmatch(name):
        return "has characters that names of templates do not have"
    return None


def dependencies(parsed: Parsed) -> Iterator[Dependency | TemplateFault]:
    """The templates that a template names, or the fault of a tag that does not say which."""
    for node in parsed.tree.find_all((nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)):
        names = _names(node.template)  # type: ignore[attr-defined]
        if names is None:
            yield TemplateFault(
                "E406",
                "the name of another template must stand in the tag as it is",
                parsed.place(node.template),  # type: ignore[attr-defined]
                "worked out when a mail is made",
                (
                    note("which templates are used is known before the first mail, and no entity chooses one"),
                    advice('choose with `{% if … %}{% include "a.html" %}{% else %}{% include "b.html" %}{% endif %}`'),
                ),
            )
        else:
            optional = isinstance(node, nodes.Include) and node.ignore_missing
            yield Dependency(names, node, optional)  # type: ignore[arg-type]


def _names(template: nodes.Expr) -> tuple[str, ...] | None:
    items = template.items if isinstance(template, nodes.List | nodes.Tuple) else [template]
    if not items or not all(isinstance(item, nodes.Const) and isinstance(item.value, str) for item in items):
        return None
    return tuple(item.value for item in items)  # type: ignore[attr-defined]


def missing_template(parsed: Parsed, needed: Dependency, files: Files) -> TemplateFault:
    """What is wrong with the name in a tag, when there is no such file."""
    return no_such_file(needed.names[0], parsed.place(needed.node.template), files)


def no_such_file(name: str, place: Place, files: Files) -> TemplateFault:
    """E404, or E406 for a name that leads elsewhere."""
    reason = name_fault(name)
    if reason:
        return TemplateFault(
            "E406",
            f"the name of this template {reason}",
            place,
            f"only files in the project's `{FOLDER}` folder",
            (advice(f"put the file into `{FOLDER}/` and name it from there, such as `parts/footer.html`"),),
        )
    if name in files.refused:
        message = f"the template `{name}` is not read"
        return TemplateFault("E404", message, place, "named here", (note(files.refused[name]),))
    close = near(name, list(files.files))
    some = ", ".join(f"`{each}`" for each in sorted(files.files)[:10])
    notes = [advice(f"did you mean `{close[0]}`?")] if close else []
    notes.append(note(f"templates in `{FOLDER}/`: {some or 'none'}"))
    return TemplateFault("E404", f"there is no template `{name}`", place, f"not in `{FOLDER}/`", tuple(notes))


def unescaped(parsed: Parsed) -> Iterator[TemplateFault]:
    """W413: `| safe` on what is not HTML already."""
    for node in parsed.tree.find_all(nodes.Filter):
        inner = node.node
        while isinstance(inner, nodes.Filter) and inner.name in _KEEPS:
            inner = inner.node
        made = isinstance(inner, nodes.Const) or (isinstance(inner, nodes.Filter) and inner.name in _MAKES_HTML)
        if node.name == "safe" and inner is not None and not made:
            yield TemplateFault(
                "W413",
                "`safe` puts this into the mail as HTML, whatever is in it",
                _word(parsed, node, "safe"),
                "not escaped",
                (
                    note("whoever can write this value can write any link and any picture into the mail"),
                    advice("leave it out, or use `| markdown` for texts with emphasis and links"),
                ),
            )


def structure(parsed: Parsed) -> Iterator[TemplateFault]:
    """Faults in how the tags of a template stand to each other, which Jinja2 finds when it writes the code."""
    seen: set[str] = set()
    for block in parsed.tree.find_all(nodes.Block):
        if block.name in seen:
            place = parsed.tag(block.lineno)
            yield TemplateFault("E401", f"there are two blocks `{block.name}`", place, "the second one")
        seen.add(block.name)
    outside = set(map(id, _outside(parsed.tree.body)))
    for extends in parsed.tree.find_all(nodes.Extends):
        if id(extends) not in outside:
            place = parsed.tag(extends.lineno)
            yield TemplateFault("E401", "`{% extends %}` stands within another tag", place, "put it at the beginning")
    for loop in parsed.tree.find_all(nodes.For):
        for name in (loop.target, *loop.target.find_all(nodes.Name)):
            if isinstance(name, nodes.Name) and name.name == "loop":
                message = "`loop` tells of the loop itself, so no item can have this name"
                yield TemplateFault("E401", message, parsed.place(name), "choose another name")


def _outside(body: Iterable[nodes.Node]) -> list[nodes.Extends]:
    found = []
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, nodes.Extends):
            found.append(node)
        elif isinstance(node, nodes.If):
            waiting += [*node.body, *node.elif_, *node.else_]
    return found


def check(parsed: Parsed, bound: frozenset[str], exports: Mapping[str, frozenset[str]]) -> Iterator[TemplateFault]:
    """Every fault of one template. `bound` are names that it or a template around it sets."""
    for node in parsed.tree.find_all(
        (
            nodes.Filter,
            nodes.Test,
            nodes.Call,
            nodes.Getattr,
            nodes.Getitem,
            nodes.FromImport,
            nodes.ScopedEvalContextModifier,
        )
    ):
        fault = _check(parsed, node, bound, exports)
        if fault is not None:
            yield fault


def _check(
    parsed: Parsed, node: nodes.Node, bound: frozenset[str], exports: Mapping[str, frozenset[str]]
) -> TemplateFault | None:
    match node:
        case nodes.Filter():
            return _table(parsed, node, "filter", node.name) or _named_within(parsed, node)
        case nodes.Test():
            return _table(parsed, node, "test", node.name)
        case nodes.Call(node=nodes.Name(name=name) as function) if name not in bound and name not in FUNCTIONS:
            return _no_function(parsed.place(function), name, bound)
        case nodes.Getattr(attr=str(name)) | nodes.Getitem(arg=nodes.Const(value=str(name))) if name.startswith("__"):
            words = advice("names that begin with two `_` belong to Python")
            return TemplateFault("E406", f"a template cannot reach `{name}`", parsed.place(node), "not here", (words,))
        case nodes.ScopedEvalContextModifier(options=[nodes.Keyword(value=nodes.Const())]):
            return None
        case nodes.ScopedEvalContextModifier(options=[nodes.Keyword(value=value)]):
            words = advice("write `true` or `false`")
            message = "whether HTML is escaped must be known beforehand"
            return TemplateFault("E406", message, parsed.place(value), "worked out when a mail is made", (words,))
        case nodes.FromImport():
            return _imported(parsed, node, exports)
    return None


def _table(parsed: Parsed, node: nodes.Node, kind: str, name: str) -> TemplateFault | None:
    known = FILTERS if kind == "filter" else TESTS
    if name in known:
        return None
    place = _word(parsed, node, name)
    if kind == "filter" and name in REFUSED:
        message = f"the filter `{name}` is not allowed in templates"
        return TemplateFault("E406", message, place, "not allowed", (note(REFUSED[name]),))
    close = near(name, known)
    words = f"did you mean `{close[0]}`?" if close else ""
    if kind == "filter" and name in TESTS:
        words = f"it is a test: `is {name}`"
    elif kind == "test" and name in FILTERS:
        words = f"it is a filter: `| {name}`"
    notes = (advice(words),) if words else ()
    return TemplateFault("E402", f"there is no {kind} `{name}`", place, f"not a {kind}", notes)


def _word(parsed: Parsed, node: nodes.Node, name: str) -> Place:
    """The place of the name of a filter or test, without what it is applied to."""
    index = parsed.at(node.lineno)
    for token in parsed.tokens[index : index + 4]:
        if token.text == name.split(".", maxsplit=1)[0]:
            return Place(parsed.name, token.start, token.end)
    return parsed.place(node)


def _named_within(parsed: Parsed, node: nodes.Filter) -> TemplateFault | None:
    """`map("uper")`, `select("od")`: the name of a filter or test as an argument."""
    kind, position = _TAKES.get(node.name, ("", 0))
    if not kind or len(node.args) <= position:
        return None
    argument = node.args[position]
    if not isinstance(argument, nodes.Const) or not isinstance(argument.value, str):
        return None
    fault = _table(parsed, argument, kind, argument.value)
    return fault and TemplateFault(fault.code, fault.message, parsed.place(argument), fault.label, fault.notes)


def _no_function(place: Place, name: str, bound: frozenset[str]) -> TemplateFault:
    if name == "secret":
        why = note(_ELSEWHERE[name])
        return TemplateFault("E406", "a template cannot read a secret", place, "not allowed", (why,))
    close = near(name, [*FUNCTIONS, *bound])
    notes: tuple[Note, ...] = (advice(f"did you mean `{close[0]}`?"),) if close else ()
    if name in _ELSEWHERE:
        notes = (note(_ELSEWHERE[name]),)
    elif name in FILTERS:
        notes = (advice(f"it is a filter: `{{{{ value | {name} }}}}`"),)
    return TemplateFault("E402", f"there is no function or macro `{name}`", place, "not known", notes)


def _imported(parsed: Parsed, node: nodes.FromImport, exports: Mapping[str, frozenset[str]]) -> TemplateFault | None:
    names = _names(node.template) or ()
    offered = next((exports[name] for name in names if name in exports), None)
    if offered is None:
        return None
    for each in node.names:
        name = each[0] if isinstance(each, tuple) else each
        if name not in offered:
            close = near(name, offered)
            notes = (advice(f"did you mean `{close[0]}`?"),) if close else ()
            message = f"the template `{names[0]}` has no macro `{name}`"
            return TemplateFault("E402", message, parsed.tag(node.lineno), "not in it", notes)
    return None


def bound_names(tree: nodes.Template) -> frozenset[str]:
    """Every name that a template sets somewhere: by `set`, a loop, a macro, an import."""
    found = {"loop", "super", "self", "caller", "varargs", "kwargs"}
    for node in tree.find_all((nodes.Name, nodes.Macro, nodes.Import, nodes.FromImport)):
        match node:
            case nodes.Name(ctx="store" | "param"):
                found.add(node.name)
            case nodes.Macro():
                found.add(node.name)
            case nodes.Import():
                found.add(node.target)
            case nodes.FromImport():
                found |= {each[1] if isinstance(each, tuple) else each for each in node.names}
    return frozenset(found)


def exported_names(tree: nodes.Template) -> frozenset[str]:
    """The macros and names that a template offers to those that import it."""
    found: set[str] = set()
    waiting: list[nodes.Node] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, nodes.If):
            waiting += [*node.body, *node.elif_, *node.else_]
        elif isinstance(node, nodes.Macro):
            found.add(node.name)
        elif isinstance(node, nodes.Assign | nodes.AssignBlock):
            targets = [node.target, *node.target.find_all(nodes.Name)]
            found |= {target.name for target in targets if isinstance(target, nodes.Name)}
    return frozenset(name for name in found if not name.startswith("_"))
