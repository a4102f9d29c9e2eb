"""What a template may reach: the items of lists and objects, and a list of attributes and methods. No I/O.

Nothing of Python is reached because it happens to be there. An attribute is in one of the tables here or does not
exist, and whatever is called is one of the few things that a template can call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Undefined
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, TemplateReference
from jinja2.utils import Cycler, Joiner, Namespace, missing

from pipeline.template.limits import Failed, NotAllowed
from pipeline.template.methods import ATTRIBUTES, METHODS, Function, meter_of
from pipeline.template.values import Absent, Missing, Strict, a_kind, plain


class Method:
    """A method of a value, on its way to be called: `function(context, value, …)`."""

    __slots__ = ("function", "name", "value")

    def __init__(self, function: Function, value: Any, name: str) -> None:
        """Keep the three."""
        self.function = function
        self.value = value
        self.name = name

    def __call__(self, context: Context, /, *args: Any, **named: Any) -> Any:
        """Run it."""
        return self.function(context, self.value, *args, **named)


class Module:
    """What an imported template offers: its macros and the names that it sets."""

    def __init__(self, name: str, exported: Mapping[str, Any]) -> None:
        """Keep them."""
        self.__name__ = name
        self.exported = exported

    def __getattr__(self, name: str) -> Any:
        """What the compiled code asks for by name."""
        try:
            return self.exported[name]
        except KeyError:
            raise AttributeError(name) from None


def attribute(environment: Any, value: Any, name: str) -> Any:
    """`value.name`: an item of an object before a method of it."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
        other = bare_name(value, name)
        if other is not None:
            return value[other]
    return _member(environment, value, name)


def method(environment: Any, value: Any, name: str) -> Any:
    """`value.name` where it is called at once: a method before an item."""
    methods = _methods(value)
    if name in methods:
        return Method(methods[name], value, name)
    return attribute(environment, value, name)


def item(environment: Any, value: Any, wanted: Any) -> Any:
    """`value[wanted]`."""
    if isinstance(wanted, Undefined):
        raise Missing(wanted)
    if isinstance(value, dict):
        if isinstance(wanted, str | int | float | None):
            return value[wanted] if wanted in value else environment.undefined(obj=value, name=wanted)
    elif isinstance(value, list | tuple | str) and isinstance(wanted, int):
        return value[wanted] if -len(value) <= wanted < len(value) else environment.undefined(obj=value, name=wanted)
    elif isinstance(wanted, str):
        return _member(environment, value, wanted)
    raise Failed(f"{a_kind(wanted)} cannot be the name of a part")


def cut(context: Context, value: Any, first: Any, last: Any, step: Any) -> Any:
    """`value[first:last:step]`."""
    if isinstance(value, Undefined):
        raise Missing(value)
    if not isinstance(value, str | list | tuple):
        raise Failed(f"{a_kind(value)} has no part from one place to another")
    if not all(each is None or isinstance(each, int) for each in (first, last, step)) or step == 0:
        raise Failed("the places of a part are whole numbers, and its step is not 0")
    meter_of(context).make(len(value))
    return value[first:last:step]


def bare_name(value: Mapping[str, Any], name: str) -> str | None:
    """The one name with a namespace (`crm:name`) whose part after it is `name`."""
    ending = f":{name}"
    found = [each for each in value if isinstance(each, str) and each.endswith(ending) and each.count(":") == 1]
    return found[0] if len(found) == 1 else None


def _methods(value: Any) -> Mapping[str, Function]:
    return next((METHODS[kind] for kind in type(value).__mro__ if kind in METHODS), {})


def _member(environment: Any, value: Any, name: str) -> Any:
    if isinstance(value, Undefined):
        # In a template that shows holes, a part of a hole is a hole.
        return value.refuse() if isinstance(value, Strict) else value
    methods = _methods(value)
    if name in methods:
        return Method(methods[name], value, name)
    for kind in type(value).__mro__:
        if name in ATTRIBUTES.get(kind, ()):
            return getattr(value, name)
    found = missing
    if isinstance(value, Namespace):
        # These two names lead to what is behind it.
        found = missing if name in {"__class__", "_Namespace__attrs"} else getattr(value, name, missing)
    elif isinstance(value, Module):
        found = value.exported.get(name, missing)
    elif isinstance(value, TemplateReference):
        try:
            found = value[name]
        except KeyError:
            found = missing
    if found is missing:
        if name.startswith("__"):
            raise NotAllowed(f"a template cannot reach `{name[:40]}`", "names that begin with two `_` belong to Python")
        return environment.undefined(obj=value, name=name)
    return found


def call(context: Context, function: Any, /, *args: Any, **named: Any) -> Any:
    """`function(…)`, for what a template can call."""
    meter = meter_of(context)
    meter.step(1 + len(args) + len(named))
    if isinstance(function, Method | TemplateFunction):
        try:
            return function(context, *args, **named)
        except TypeError:
            raise Failed(f"`{function.name}` does not take these arguments") from None
        except (ValueError, LookupError):
            raise Failed(f"`{function.name}` finds nothing for these arguments") from None
    if isinstance(function, Joiner):
        return function()
    if isinstance(function, Absent):
        name = function.name
        if function.owner is not missing:
            raise Missing(function)
        raise Missing(type(function)(hint=f"there is no function or macro `{name}`", name=name))
    if not isinstance(function, Macro | BlockReference | LoopContext):
        raise Failed(f"{a_kind(function)} cannot be called", "leave out the brackets")
    meter.enter()
    try:
        if isinstance(function, Macro):
            return function(context.eval_ctx, *args, **named)
        if isinstance(function, LoopContext):
            return function(*(meter.each(each, 1) for each in args), **named)
        return function(*args, **named)
    finally:
        meter.leave()


class TemplateFunction:
    """A function that every template has: `run(context, …)`."""

    __slots__ = ("name", "run")

    def __init__(self, name: str, run: Function) -> None:
        """Keep both."""
        self.name = name
        self.run = run

    def __call__(self, context: Context, /, *args: Any, **named: Any) -> Any:
        """Run it."""
        return self.run(context, *args, **named)


def _range(_: Context, *args: Any) -> range:
    if not all(isinstance(each, int) for each in args):
        raise Failed("`range` takes whole numbers")
    return range(*args)


def _dict(_: Context, /, *args: Any, **named: Any) -> dict[Any, Any]:
    if args:
        raise Failed("`dict` takes names with values: `dict(name=value)`")
    return named


def _namespace(_: Context, /, *args: Any, **named: Any) -> Namespace:
    if args:
        raise Failed("`namespace` takes names with values: `namespace(total=0)`")
    return Namespace(**named)


def _cycler(_: Context, *args: Any) -> Cycler:
    if not args:
        raise Failed("`cycler` needs at least one value")
    return Cycler(*args)


def _joiner(context: Context, sep: Any = ", ") -> Joiner:
    return Joiner(plain(sep, context))


FUNCTIONS: Final[Mapping[str, TemplateFunction]] = {
    name: TemplateFunction(name, run)
    for name, run in (
        ("range", _range),
        ("dict", _dict),
        ("namespace", _namespace),
        ("cycler", _cycler),
        ("joiner", _joiner),
    )
}
