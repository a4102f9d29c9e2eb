"""Functions of true and false. No I/O."""

from __future__ import annotations

from typing import Any, Final

from pipeline.dtl.casts import cast, type_test
from pipeline.dtl.registry import DROP, Subject, shows

booleans: Final = Subject("booleans", "Booleans", "True and false, which are no numbers.")

_WORDS: Final = {"true": True, "false": False}


@cast(
    booleans,
    "boolean",
    'True for "true" and false for "false", in upper or lower case.',
    shows(["boolean", "_S.paid"], True, {"paid": "True"}),
    shows(["boolean", ["list", "FALSE", "yes", True, 1, None]], [False, True]),
    shows(["boolean", ["upper", "_."], ["list", "true", "yes"]], [True, "YES"]),
    shows(["boolean", False, None], None),
)
def _boolean(value: Any) -> Any:
    if type(value) is bool:
        return value
    return _WORDS.get(value.lower(), DROP) if type(value) is str else DROP


type_test(
    booleans,
    "is-boolean",
    frozenset({bool}),
    "Whether the first value is true or false.",
    shows(["is-boolean", "_S.paid"], True, {"paid": False}),
    shows(["is-boolean", ["list", "true", True]], False),
    shows(["is-boolean", None], False),
)
