"""Where values of `$ENV()` and `$SECRET()` are looked for, as values. No I/O.

`pipeline.config.places` builds the places from the outside world; a place may read only when it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from pipeline.errors import Problem, Span

SECRET_PREFIX: Final = "MAILWEIR_SECRET_"  # noqa: S105 - a name
"""Variables of the process that begin so hold secrets; no other program gets them."""

# A name may become a file in a folder or an argument of a command: never a parent folder, a hidden file, an option.
_plain = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.-]*")
_foreign_to_shells = re.compile("[^A-Za-z0-9_]")
_unset: Final = object()


class Unread:
    """Names that may stand in what could not be read. A place that reads when asked adds to it then."""

    def __init__(self, names: Iterable[str] = (), *, everything: bool = False) -> None:
        """`everything`: any name may."""
        self.names = set(names)
        self.everything = everything

    def __contains__(self, name: object) -> bool:
        """Whether this name may."""
        return self.everything or name in self.names


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere that has values by name."""

    label: str | Callable[[str], str]
    """As the list of places that were searched shows it; it may depend on the name that was looked for."""
    name: str
    """A short one, for "it is set in .env"."""
    values: Mapping[str, object] = field(repr=False)
    names: Sequence[str] = ()
    """The names that may be shown: offered for one that is near, or reported as never used."""
    file: str | None = None
    """The name of the document, when the place is one of the project's own files."""
    exact: bool = False
    """Only the name as it is written is looked for, not its spelling for shells."""
    problems: Sequence[Problem] = ()
    """Why the place, or a part of it, could not be read; a place that reads when asked finds them then."""
    unread: Container[str] = field(default=(), repr=False)
    """Names that may stand in what could not be read."""
    at: Mapping[str, Span] = field(default_factory=dict, repr=False)
    """Where the names stand, when the place is a file."""
    profile: str = ""
    """The profile that the place belongs to."""

    def label_for(self, name: str) -> str:
        """The line for this place in the list of places that were searched for `name`."""
        return self.label if isinstance(self.label, str) else self.label(name)


@dataclass(frozen=True, slots=True)
class Found:
    """A value, the place that has it, and how its name is spelled there."""

    value: object = field(repr=False)
    place: Place
    spelling: str


def shell_name(name: str) -> str:
    """The name as a shell can set it: `smtp-password` is `SMTP_PASSWORD`."""
    return _foreign_to_shells.sub("_", name).upper()


@lru_cache(maxsize=4096)
def spellings(name: str) -> tuple[str, ...]:
    """The names that a value may have: as it is written, and for shells, which have no hyphens in names."""
    return tuple(dict.fromkeys((name, shell_name(name))))


def is_plain(name: str) -> bool:
    """Whether a name can be a file in a folder, or an argument of a command, and nothing else."""
    return _plain.fullmatch(name) is not None


def find(places: Iterable[Place], name: str) -> Found | None:
    """The value in the first place that has it; None when no place has."""
    for place in places:
        for spelling in (name,) if place.exact else spellings(name):
            value = place.values.get(spelling, _unset)
            if value is not _unset:
                return Found(value, place, spelling)
    return None


def hidden(places: Iterable[Place], name: str) -> bool:
    """Whether a name that was not found may stand in what could not be read: that fault is reported already."""
    return any(spelling in place.unread for place in places for spelling in spellings(name))
