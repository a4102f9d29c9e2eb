"""Filters for lists and objects. No I/O.

They do what Jinja2's do under the same names. Those that give one item after the other count each as it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from jinja2 import Undefined
from jinja2.runtime import Context

from pipeline.template.limits import Failed
from pipeline.template.methods import Group, meter_of, width_of
from pipeline.template.operators import calculate, key
from pipeline.template.sandbox import attribute as reach
from pipeline.template.sandbox import item as item_of
from pipeline.template.values import Missing, a_kind, weigh

Getter = Callable[[Any], Any]

# More columns than a table for people has.
_MOST_COLUMNS: Final = 1000


def getter(context: Context, path: Any, default: Any = None) -> Getter:
    """What follows `customer.address.0` from an item."""
    if path is None:
        return lambda item: item
    if not isinstance(path, str | int):
        raise Failed(f"an attribute is a name, not {a_kind(path)}")
    steps = [int(step) if step.isdigit() else step for step in path.split(".")] if isinstance(path, str) else [path]
    environment = context.environment

    def get(item: Any) -> Any:
        for step in steps:
            if isinstance(item, Undefined) and default is not None:
                return default
            item = reach(environment, item, step) if isinstance(step, str) else item_of(environment, item, step)
        return default if default is not None and isinstance(item, Undefined) else item

    return get


def items(context: Context, value: Any) -> list[Any]:
    """All items, counted."""
    return list(meter_of(context).each(value, 1))


def _sortable(context: Context, *, case_sensitive: bool, path: Any) -> Getter:
    paths = path.split(",") if isinstance(path, str) else [path]
    getters = [getter(context, each) for each in paths]
    meter = meter_of(context)

    def get(item: Any) -> Any:
        found = [each(item) for each in getters]
        for index, value in enumerate(found):
            if isinstance(value, Undefined):
                raise Missing(value)
            weigh(value, meter)
            if isinstance(value, str) and not case_sensitive:
                found[index] = value.lower()
        return found[0] if len(found) == 1 else found

    return get


def _in_order(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except TypeError:
        raise Failed("these items have no order among themselves", 'name what to sort by: `attribute="name"`') from None


def sort(
    context: Context,
    value: Any,
    reverse: bool = False,
    case_sensitive: bool = False,
    attribute: Any = None,
) -> list[Any]:
    """In order."""
    found = items(context, value)
    meter_of(context).step(len(found) * len(found).bit_length())
    by = _sortable(context, case_sensitive=case_sensitive, path=attribute)
    return _in_order(lambda: sorted(found, key=by, reverse=reverse))  # type: ignore[no-any-return]


def unique(context: Context, value: Any, case_sensitive: bool = False, attribute: Any = None) -> Iterator[Any]:
    """The first of those that are the same."""
    by = _sortable(context, case_sensitive=case_sensitive, path=attribute)
    seen = set()
    for item in meter_of(context).each(value, 2):
        found = key(meter_of(context), by(item))
        if found not in seen:
            seen.add(found)
            yield item


def _extreme(context: Context, choose: Callable[..., Any], value: Any, case_sensitive: bool, path: Any) -> Any:
    found = items(context, value)
    if not found:
        return context.environment.undefined("there is no item, the list is empty")
    by = _sortable(context, case_sensitive=case_sensitive, path=path)
    return _in_order(lambda: choose(found, key=by))


def least(context: Context, value: Any, case_sensitive: bool = False, attribute: Any = None) -> Any:
    """The first in order."""
    return _extreme(context, min, value, case_sensitive, attribute)


def most(context: Context, value: Any, case_sensitive: bool = False, attribute: Any = None) -> Any:
    """The last in order."""
    return _extreme(context, max, value, case_sensitive, attribute)


def total(context: Context, value: Any, attribute: Any = None, start: Any = 0) -> Any:
    """The sum of numbers."""
    get = getter(context, attribute)
    result = start
    for item in meter_of(context).each(value, 2):
        number = get(item)
        if isinstance(number, str | list | tuple):
            raise Failed(f"`sum` adds numbers, not {a_kind(number)}", "make numbers of texts: `| map('float') | sum`")
        result = calculate(context, "+", result, number)
    return result


def length(context: Context, value: Any) -> int:
    """How many items, or characters."""
    try:
        return len(value)
    except TypeError:
        return len(items(context, value))


def first(context: Context, value: Any) -> Any:
    """The first item."""
    for item in meter_of(context).counted(value):
        return item
    return context.environment.undefined("there is no first item, the list is empty")


def last(context: Context, value: Any) -> Any:
    """The last item."""
    found = value if isinstance(value, list | tuple | str) else items(context, value)
    return found[-1] if found else context.environment.undefined("there is no last item, the list is empty")


def reverse(context: Context, value: Any) -> Any:
    """From the end to the beginning."""
    if isinstance(value, str):
        meter_of(context).make(len(value))
        return value[::-1]
    return items(context, value)[::-1]


def batch(context: Context, value: Any, linecount: int, fill_with: Any = None) -> Iterator[list[Any]]:
    """Rows of so many items."""
    if not 0 < width_of(linecount) <= _MOST_COLUMNS:
        raise Failed("`batch` makes rows of at least one item")
    row: list[Any] = []
    for item in meter_of(context).each(value, 1):
        row.append(item)
        if len(row) == linecount:
            yield row
            row = []
    if row:
        yield row + [fill_with] * (linecount - len(row) if fill_with is not None else 0)


def slices(context: Context, value: Any, slices: int, fill_with: Any = None) -> Iterator[list[Any]]:
    """So many columns of items."""
    if not 0 < width_of(slices) <= _MOST_COLUMNS:
        raise Failed("`slice` makes at least one column")
    found = items(context, value)
    size, longer = divmod(len(found), slices)
    start = 0
    for number in range(slices):
        end = start + size + (number < longer)
        column = found[start:end]
        if fill_with is not None and number >= longer:
            column.append(fill_with)
        yield column
        start = end


def groupby(
    context: Context,
    value: Any,
    attribute: Any,
    default: Any = None,
    case_sensitive: bool = False,
) -> list[Group]:
    """The items that share a value, in the order of those values."""
    get = getter(context, attribute, default)
    groups: dict[Any, Group] = {}
    for item in meter_of(context).each(value, 2):
        found = get(item)
        if isinstance(found, Undefined):
            raise Missing(found)
        by = key(meter_of(context), found.lower() if isinstance(found, str) and not case_sensitive else found)
        groups.setdefault(by, Group(found, [])).list.append(item)
    return _in_order(lambda: [groups[by] for by in sorted(groups)])  # type: ignore[no-any-return]


def pairs(context: Context, value: Any) -> list[Any]:
    """The names and values of an object."""
    if isinstance(value, Undefined):
        return list(value)
    if not isinstance(value, dict):
        raise Failed(f"`items` takes an object, not {a_kind(value)}")
    return items(context, value.items())


def dictsort(
    context: Context,
    value: Any,
    case_sensitive: bool = False,
    by: str = "key",
    reverse: bool = False,
) -> list[Any]:
    """The names and values of an object, in order."""
    if by not in {"key", "value"}:
        raise Failed('`dictsort` sorts by "key" or by "value"')
    return sort(context, pairs(context, value), reverse, case_sensitive, 0 if by == "key" else 1)


def map_(context: Context, value: Any, *args: Any, **named: Any) -> Iterator[Any]:
    """An attribute of each item, or each item through another filter."""
    work: Getter
    if not args and "attribute" in named:
        work = getter(context, named["attribute"], named.get("default"))
    elif args and isinstance(args[0], str):
        function = context.environment.filters.get(args[0])
        if function is None:
            raise Failed(f"there is no filter `{args[0][:40]}`")

        def work(item: Any) -> Any:
            return function(context, item, *args[1:], **named)

    else:
        raise Failed("`map` takes the name of a filter, or `attribute=`")
    for item in meter_of(context).each(value, 2):
        yield work(item)


def _tested(function: Any, context: Context, args: Sequence[Any], item: Any) -> Any:
    return function(context, item, *args)


def _chosen(context: Context, value: Any, args: Any, *, attribute: bool, wanted: bool) -> Iterator[Any]:
    get = getter(context, None)
    if attribute:
        if not args:
            raise Failed("this filter needs the name of an attribute")
        get, args = getter(context, args[0]), args[1:]
    test: Getter = bool
    if args:
        if args[0] not in context.environment.tests:
            raise Failed(f"there is no test `{str(args[0])[:40]}`")
        test = partial(_tested, context.environment.tests[args[0]], context, args[1:])

    for item in meter_of(context).each(value, 2):
        if bool(test(get(item))) is wanted:
            yield item


def select(context: Context, value: Any, *args: Any) -> Iterator[Any]:
    """The items that pass a test."""
    return _chosen(context, value, args, attribute=False, wanted=True)


def reject(context: Context, value: Any, *args: Any) -> Iterator[Any]:
    """The items that do not pass a test."""
    return _chosen(context, value, args, attribute=False, wanted=False)


def selectattr(context: Context, value: Any, *args: Any) -> Iterator[Any]:
    """The items of which an attribute passes a test."""
    return _chosen(context, value, args, attribute=True, wanted=True)


def rejectattr(context: Context, value: Any, *args: Any) -> Iterator[Any]:
    """The items of which an attribute does not pass a test."""
    return _chosen(context, value, args, attribute=True, wanted=False)
