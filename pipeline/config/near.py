"""Did you mean: names near to a name. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

# Below this difflib's ratio offers names that merely share letters; ux tests settled on it.
CUTOFF = 0.6


def near(name: str, candidates: Iterable[str], most: int = 1) -> list[str]:
    """Up to `most` candidates that someone who wrote `name` may have meant, the best first.

    Case, `-` against `_` and a plural `s` are ignored first; then spelling is compared.
    """
    known: dict[str, list[str]] = {}
    for candidate in dict.fromkeys(candidates):
        known.setdefault(_folded(candidate), []).append(candidate)
    folded = _folded(name)
    same = [
        candidate for other, spelled in known.items() if _singular(other) == _singular(folded) for candidate in spelled
    ]
    if same:
        return same[:most]
    found = [c for match in get_close_matches(folded, known, n=most, cutoff=CUTOFF) for c in known[match]]
    return found[:most]


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")


def _singular(folded: str) -> str:
    return folded[:-1] if folded.endswith("s") and len(folded) > 1 else folded
