"""A function of the project that shapes entities, loaded from its file and called.

A file is run under a name that no `import` can reach, so that it stands in the place of no installed package, and no
other file of the project is imported by chance.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from traceback import walk_tb
from types import GeneratorType, ModuleType
from typing import Any, Final
from uuid import UUID

from msgspec import to_builtins

from pipeline.config.modules import Modules
from pipeline.entity import Entity
from pipeline.errors import TransformError, UnusableError
from pipeline.transforms.python import FORM, file_of, split

_MUTABLE: Final = frozenset({dict, list})
# What the library would make text of, if it were not told to leave it.
_IMMUTABLE: Final = (bytes, date, datetime, time, timedelta, Decimal, UUID)

# With the text that was run: a file is run again when it is another one.
_run: Final[dict[str, tuple[str, ModuleType]]] = {}


class PythonFunction:
    """Calls a function for each entity."""

    def __init__(self, function: Callable[[Entity], Any], name: str, file: str, path: str) -> None:
        """`file` is what messages call the file at `path`, in which a fault is looked for."""
        self._function = function
        self._name = name
        self._file = file
        self._path = path

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """What the function makes of a copy, filtered out if that is nothing; `TransformError` if it fails."""
        try:
            made = self._function(_copied(entity))
            if type(made) is dict:  # most functions
                return (made,)
            many = [] if made is None else made
            found = list(many) if isinstance(many, (list, tuple, GeneratorType)) else [many]
        except (Exception, SystemExit) as error:
            raise TransformError(f"`{self._name}` failed at {_where(error, self._file, self._path)}") from error
        for one in found:
            if not isinstance(one, dict):
                what = f"{type(one).__name__}, not an entity, a list of them or None"
                raise TransformError(f"`{self._name}` in {self._file} gave {what}")
        # What it was before is deleted where the pipe writes to.
        return found or ([{"_id": entity["_id"], "_filtered": True}] if "_id" in entity else [])


def _copied(entity: Entity) -> Entity:
    """The same, with lists and objects of its own; all other values cannot be changed."""
    try:
        copied: Entity = to_builtins(entity, builtin_types=_IMMUTABLE)  # Three times as fast as the other way.
    except TypeError:  # a value of a class that is ours
        copied = _copied_value(entity)
    return copied


def _copied_value(value: Any) -> Any:  # noqa: ANN401 - what an entity has
    if type(value) is dict:
        return {name: _copied_value(one) if type(one) in _MUTABLE else one for name, one in value.items()}
    if type(value) is list:
        return [_copied_value(one) if type(one) in _MUTABLE else one for one in value]
    return value


def function_of(root: str, pipe: str, name: str) -> PythonFunction:
    """The function `module:function` of the project in `root`, or `UnusableError`."""
    parts = split(name)
    if parts is None:
        raise UnusableError(f"pipe `{pipe}`: `{name}` names no function: {FORM}")
    module, function = parts
    file = file_of(module)
    modules = Modules(Path(root), Path(root))
    document = modules.get(module)
    if document is None:
        raise UnusableError(f"pipe `{pipe}`: there is no file `{file}` in the project's folder")
    if document.problems:
        raise UnusableError(f"pipe `{pipe}`: {file}: {document.problems[0].message}")
    path = str(modules.path(module))
    try:
        found = getattr(_module(path, document.text), function, None)
    except (Exception, SystemExit) as error:
        raise UnusableError(f"pipe `{pipe}`: {_where(error, file, path)}") from error
    if not callable(found):
        what = "no function" if found is None else "something else than a function called"
        raise UnusableError(f"pipe `{pipe}`: `{file}` has {what} `{function}`")
    return PythonFunction(found, function, file, path)


def _module(path: str, text: str) -> ModuleType:
    kept = _run.get(path)
    if kept is not None and kept[0] == text:
        return kept[1]
    code = compile(text, path, "exec", dont_inherit=True)
    # With a blank in its name no `import` finds it; what defines classes looks for their module by name.
    module = ModuleType(f"functions of {path}")
    module.__file__ = path
    sys.modules[module.__name__] = module
    exec(code, module.__dict__)  # noqa: S102 - that is what the project asks for
    _run[path] = (text, module)
    return module


def _where(error: BaseException, file: str, path: str) -> str:
    """The last line of the file that the error went through, and what it says."""
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == path]
    if isinstance(error, SyntaxError) and error.filename == path and not lines:
        return f"{file}:{error.lineno}: {error.msg}"
    place = f"{file}:{lines[-1]}" if lines else file
    return f"{place}: {type(error).__name__}: {error}"
