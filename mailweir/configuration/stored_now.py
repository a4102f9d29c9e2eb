"""How a configuration that is served stands to what files or the database say now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from mailweir.configuration.desk import errors_of
from mailweir.configuration.texts import diff
from pipeline.config.edits import encode
from pipeline.config.files import read_document, search, shown
from pipeline.config.show import concise
from pipeline.config.store import StoreError
from pipeline.config.stored import kept, path_of

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.config.load import Loaded

Standing = Literal["same", "changed", "gone"]


class Stands(NamedTuple):
    """How each document stands, all differences, and the errors that keep what is stored from being served."""

    by_name: Mapping[str, Standing]
    difference: str
    errors: Sequence[str]


def stands_of(loaded: Loaded, load: Callable[[], Loaded] | None) -> Stands:
    """Look. `load` loads what is stored now; it is called only if something differs."""
    names = {path: name for name, path in loaded.files.items()}
    documents = loaded.project.documents
    served = {path: encode(documents[name], documents[name].text) for path, name in names.items()}
    try:
        now = _now(loaded)
    except StoreError as error:
        return Stands(dict.fromkeys(loaded.files, "gone"), "", [str(error)])
    by_name: dict[str, Standing] = {
        name: "gone" if path not in now else "same" if now[path] == served[path] else "changed"
        for path, name in names.items()
    }
    every = {path: names.get(path) or shown(path, loaded.root) for path in {**served, **now}}
    before = {every[path]: data for path, data in served.items()}
    after = {every[path]: data for path, data in now.items()}
    if before == after:
        return Stands(by_name, "", ())
    return Stands(by_name, diff(before, after), _errors(load) if load is not None else ())


def _now(loaded: Loaded) -> dict[Path, bytes]:
    """What is stored, by path."""
    root, settings = loaded.root, loaded.settings
    if settings.config_source == "database":
        return {path_of(root, name): data for name, data in kept(root).items()}
    found = {}
    for path in search(root, settings.exclude, follow=settings.follow_links).files:
        document = read_document(path, path.name)
        found[path] = encode(document, document.text)
    return found


def _errors(load: Callable[[], Loaded]) -> list[str]:
    """Each on a line, at its place."""
    loaded = load()
    errors, project = errors_of(loaded), loaded.project
    if not errors:
        return []
    return concise(errors, project.texts, masks=project.masks, scrubber=project.scrubber).splitlines()
