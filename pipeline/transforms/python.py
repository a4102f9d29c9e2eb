"""A function of the project, as declared: it is looked for in the text of its file, and nothing of it is run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from keyword import iskeyword
from typing import TYPE_CHECKING, Final, Literal

from pipeline.component import Context, Transform, TransformConfig
from pipeline.config.given import advice
from pipeline.config.near import near
from pipeline.config.tree import Document, Lines
from pipeline.errors import Label, Problem, Span

if TYPE_CHECKING:
    from pipeline.config.given import Given

FORM: Final = 'write the file, a colon and the function: "shapes:greet" is `greet` in the file `shapes.py`'
# What says so much is a program and no file of functions.
MOST_CHARACTERS: Final = 1_000_000

Function = ast.FunctionDef | ast.AsyncFunctionDef


class PythonConfig(TransformConfig):
    """Calls a function of the project for each entity. It gives the entity that goes on, a list of them, or None."""

    type: Literal["python"]
    """`python`."""
    function: str
    """The file and the function in it: `shapes:greet` is `greet` in the file `shapes.py` of the project's folder,
    `parts.shapes:greet` is in `parts/shapes.py`. It is called with a copy of the entity. What it gives goes on: a dict,
    or each dict of a list; after None the entity is filtered out, and deleted from a dataset that had it."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The file is there and can be read, and the function in it takes one entity."""
        text = given.text("function")
        if text is None:
            return
        parts = split(text)
        if parts is None:
            label, help_ = "not `file:function`", (advice(FORM),)
            yield given.problem("E203", "`function` names no function", "function", label=label, notes=help_)
        elif given.modules is not None and (fault := _fault(given, given.modules, *parts)):
            yield fault

    def build(self, context: Context) -> Transform:
        """The transform itself; what stands outside of the functions of the file is run."""
        from pipeline.transforms.python_function import function_of  # noqa: PLC0415 - a check runs nothing

        return function_of(context.root, context.pipe, self.function)


def split(text: str) -> tuple[str, str] | None:
    """The names of a module and of a function in it, of `module:function`."""
    module, colon, function = text.partition(":")
    if colon and all(name.isidentifier() and not iskeyword(name) for name in (*module.split("."), function)):
        return module, function
    return None


def file_of(module: str) -> str:
    """The file of a module, from the project's folder."""
    return f"{module.replace('.', '/')}.py"


def _fault(given: Given, modules: Mapping[str, Document], module: str, name: str) -> Problem | None:
    """Why this function of this file cannot be used; None if it can."""
    file = file_of(module)
    named = given.inside("function", 0, len(module))
    document = modules.get(module)

    def told(message: str, label: str, help_: Iterable[str] = (), at: Span = named) -> Problem:
        notes = [advice(text) for text in help_]
        return given.problem("E320", message, "function", at=at, label=label, notes=notes)

    if document is None:
        return told(f"there is no file `{file}`", "not found", [f"write it into the project's folder: `{file}`"])
    if document.problems:
        return told(f"`{file}` cannot be used", document.problems[0].message)
    tree = _tree(document)
    if isinstance(tree, str):
        return told(f"`{file}` cannot be used", tree)
    if isinstance(tree, SyntaxError):
        at = _span(document, tree.lineno or 1, (tree.offset or 1) - 1)
        path, used = (*given.path, "function"), Label(named, "used here")
        return Problem("E320", "this is not Python", at, tree.msg, path, related=(used,))
    place = given.inside("function", len(module) + 1, len(module) + 1 + len(name))
    found = _names(tree)
    if name not in found and "*" not in found:
        functions = [each for each, node in found.items() if isinstance(node, Function)]
        meant = [f"did you mean `{each}`?" for each in near(name, functions)]
        return told(f"`{file}` has no function `{name}`", "not found", meant, place)
    node = found.get(name)
    if isinstance(node, Function) and (why := _unfit(node)):
        problem = told(f"`{name}` cannot be called with an entity", why, (), place)
        line = document.text.split("\n")[node.lineno - 1]
        start = len(line.encode()[: node.col_offset].decode())
        defined = Label(_span(document, node.lineno, start, len(line) - start), "defined here")
        return replace(problem, related=(defined,))
    return None


def _tree(document: Document) -> ast.Module | SyntaxError | str:
    if len(document.text) > MOST_CHARACTERS:
        return f"it has more than {MOST_CHARACTERS:,} characters"
    if "\0" in document.text:
        return "it holds the character NUL"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are for those who write the function
            return ast.parse(document.text)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError):
        return "it is nested too deep"


def _span(document: Document, line: int, column: int, length: int = 1) -> Span:
    """A place in a file of Python, whose lines can end in other ways too."""
    starts = Lines(document.text).starts
    start = min(starts[min(line, len(starts)) - 1] + max(column, 0), len(document.text))
    return Span(document.name, start, min(start + length, len(document.text)))


def _names(tree: ast.Module) -> dict[str, ast.AST]:
    """What stands under which name when the file has been run; `*` if there may be more."""
    found: dict[str, ast.AST] = {}
    waiting: list[ast.AST] = [*reversed(tree.body)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Function | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0]: node for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = node
        elif not isinstance(node, ast.Lambda):
            waiting += reversed(list(ast.iter_child_nodes(node)))
    return found


def _unfit(function: Function) -> str:
    """Why it cannot be called with one entity; nothing of one that a decorator makes another of."""
    if function.decorator_list:
        return ""
    if isinstance(function, ast.AsyncFunctionDef):
        return "it is asynchronous, and nothing would wait for it"
    given = function.args
    places = len(given.posonlyargs) + len(given.args)
    needed = places - len(given.defaults)
    if needed > 1 or (not places and not given.vararg):
        return f"it takes {f'{needed} arguments' if needed else 'none'}"
    if any(default is None for default in given.kw_defaults):
        return "it needs arguments by name"
    return ""
