"""The places of values in a test: what the test says, and what belongs to the project. No secret of anybody is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.config.lookup import Place
from pipeline.config.places import TYPED, Places, values_in
from pipeline.scrub import Scrubber
from pipeline.secret import Secret

PREFIX: Final = "secret:"
"""What stands before the name of a secret in the place of its value."""


@dataclass(frozen=True, slots=True)
class Invented:
    """Values of variables, and of secrets; those of other secrets are made of their names."""

    env: Mapping[str, object] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


def invent(
    invented: Invented, root: Path, profile: str, env_files: Sequence[Path], *, here: Path, scrubber: Scrubber
) -> Places:
    """The places of the project in `root`: the test's own, files that were named, and those of the profile."""
    name = "the test"
    found = [values_in(path, here, scrubber) for path in reversed(env_files)]
    typed = root / f"{profile}{TYPED}"
    if typed.is_file():
        found.append(values_in(typed, here, scrubber))
    texts = {file: text for _, some in found for file, text in some.items()}
    env = (Place(name, name, dict(invented.env)), *(place for place, _ in found))
    return Places(env, (Place(name, name, _Secrets(invented.secrets), exact=True),), texts)


class _Secrets(Mapping[str, object]):
    """A secret for every name."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given

    def __getitem__(self, name: str) -> Secret:
        return Secret(self._given.get(name, f"{PREFIX}{name}"))

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)
