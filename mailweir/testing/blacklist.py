"""Properties that a test leaves out, by patterns over their dotted paths. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

Path = tuple[str, ...]
"""Names of properties from the entity inward; what stands in a list has the path of the list."""

_piece: Final = re.compile(r"\\(.)|(\*)|(\?)|(\[\])|(.)", re.DOTALL)


class Blacklist:
    """Patterns such as `a.*.b` and `items[].price`; a dot in the name of a property has a backslash before it."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        """`*` stands for any text, dots among it; `?` for one character; `[]` is free to be left out."""
        self._found = re.compile("|".join(map(_translated, patterns)), re.DOTALL) if patterns else None

    def __contains__(self, path: Path) -> bool:
        """Whether a property is left out."""
        return self._found is not None and self._found.fullmatch(".".join(map(_escaped, path))) is not None

    def __bool__(self) -> bool:
        """Whether there are any patterns."""
        return self._found is not None


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace(".", "\\.")


def _translated(pattern: str) -> str:
    made = []
    for escaped, star, mark, brackets, plain in _piece.findall(pattern):
        if escaped:
            made.append(re.escape(_escaped(escaped)))
        elif star:
            made.append(".*")
        elif mark:
            made.append(".")
        elif not brackets:
            made.append(re.escape(plain))
    return f"(?:{''.join(made)})"
