"""Whether a program runs where no person looks on. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# `false` and `0` are how people say no in a variable.
_NO: Final = frozenset({"", "0", "false"})


def in_ci(environ: Mapping[str, str]) -> bool:
    """Whether `CI` is set: colours, questions, the browser and what writes expected files all go by this."""
    return environ.get("CI", "").strip().lower() not in _NO
