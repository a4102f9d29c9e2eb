"""What a case would have to expect of what came: a value to paste into the test. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mailweir.testing.compare import Rules, pairs, value_differences
from mailweir.testing.matchers import ABSENT


def renewed(
    expected: Mapping[str, Any], lists: Mapping[str, Sequence[Any]], others: Mapping[str, Any], rules: Rules
) -> dict[str, Any]:
    """The same properties with what came: of `lists` by their names entities or mails, of `others` plain values.

    What holds stays as it is written, so matchers are kept, and of an entity no more is named than before.
    """
    found = dict(expected)
    for name, actual in lists.items():
        if expected.get(name) is not None:
            some = pairs(expected[name], actual, rules)
            found[name] = [
                _value(one, other, rules) for one, other in some if other is not ABSENT and _stays(one, rules)
            ]
    return {**found, **others}


def lines(value: Any) -> list[str]:
    """The lines that are to be pasted."""
    return ["paste it as `expect`:", *json.dumps(value, ensure_ascii=False, indent=2).split("\n")]


def _stays(one: Any, rules: Rules) -> bool:
    """Whether an entity belongs there: one that nobody named does not where further ones are welcome."""
    return one is not ABSENT or not rules.extra


def _value(expected: Any, actual: Any, rules: Rules) -> Any:
    if expected is ABSENT or not any(value_differences("", (), expected, actual, rules)):
        return actual if expected is ABSENT else expected
    if isinstance(expected, dict) and isinstance(actual, dict):
        names = [name for name in expected if name in actual]
        more = [name for name in actual if name not in expected] if rules.whole else []
        return {name: _value(expected.get(name, ABSENT), actual[name], rules) for name in (*names, *more)}
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [_value(one, other, rules) for one, other in zip(expected, actual, strict=True)]
    return actual
