"""Files that hold no components, read because someone names them: files of values, and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pipeline.config.files import SETTINGS, read_document, shown
from pipeline.config.places import ENV_FILE, SECRETS_FILE, TYPED, values_in
from pipeline.config.text import read
from pipeline.config.tree import Document
from pipeline.errors import Problem
from pipeline.scrub import Scrubber

TEST: Final = ".test.json"


def is_other(path: Path, env_files: Sequence[Path] = ()) -> bool:
    """Whether a file is something else than configuration, by its name or because it was named as a file of values."""
    return path.name == SETTINGS or path.name.endswith(TEST) or holds_values(path) or path in env_files


def holds_values(path: Path) -> bool:
    """Whether a file is one of values, by its name."""
    return path.name in {ENV_FILE, SECRETS_FILE} or path.name.endswith(TYPED)


def read_other(
    path: Path, data: bytes | None, here: Path, scrubber: Scrubber
) -> tuple[Mapping[str, Document], Sequence[Problem]]:
    """Its text and its problems; `data` is what stands for it, if it is not the file on disk."""
    name = shown(path, here)
    if data is None and not path.name.endswith(TEST):
        place, texts = values_in(path, here, scrubber)
        if name in texts:
            return texts, place.problems
    document = read_document(path, name) if data is None else read(data, name)
    return {name: document}, document.problems
