"""What is said of a reference without a value: where it was looked for, and what to do. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config.given import advice, note
from pipeline.config.lookup import Found, Place, spellings
from pipeline.config.near import near
from pipeline.config.references import RefKind
from pipeline.errors import Note, Problem, Span


def unset(
    kind: RefKind, name: str, span: Span, path: tuple[str, ...], places: Sequence[Place], *, guess: bool
) -> Problem:
    """E301 or E303; `guess` whether to look for a name that is near."""
    notes = [_trace(name, places)]
    close = _near(name, places) if guess else None
    if close:
        notes.append(advice(f"did you mean `{close[0]}`? it is set in {close[1]}"))
    if kind == "ENV":
        notes.append(advice(f"add `{name}=…` to .env, or check without values: `mailweir check --no-env`"))
        return Problem("E301", f"environment variable `{name}` is not set", span, path=path, notes=tuple(notes))
    store = f"`mailweir secret set {name}` stores it (input is hidden), or check without values:"
    notes.append(advice(f"{store} `mailweir check --no-secrets`"))
    return Problem("E303", f"secret `{name}` is not set", span, path=path, notes=tuple(notes))


def empty(name: str, span: Span, path: tuple[str, ...], found: Found) -> Problem:
    """E303 for a secret without a character."""
    place = note(f"it is set in {found.place.name}, as `{found.spelling}`")
    store = advice(f"`mailweir secret set {name}` stores it (input is hidden)")
    return Problem("E303", f"secret `{name}` is set but empty", span, path=path, notes=(place, store))


def _trace(name: str, places: Sequence[Place]) -> Note:
    looked = " and ".join(f"`{spelling}`" for spelling in spellings(name))
    lines = [f"{number}. {place.label_for(name)}" for number, place in enumerate(places, 1)]
    return note("\n".join([f"looked for {looked} in", *lines]))


def _near(name: str, places: Sequence[Place]) -> tuple[str, str] | None:
    """The name nearest to one that is not set, and the place that has it."""
    for place in places:
        for candidate in near(name, place.names):
            return candidate, place.name
    return None
