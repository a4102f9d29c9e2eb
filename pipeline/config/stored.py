"""The configuration of a project whose components are in a database, as documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pipeline.config.files import SETTINGS, below, is_file, shown, unreadable
from pipeline.config.given import advice
from pipeline.config.store import StoreError
from pipeline.config.text import read
from pipeline.config.tree import Document, Object
from pipeline.errors import Note, Problem, Span

FOLDER: Final = ".mailweir"
FILE: Final = "config.db"
# So many are named of the files that nobody reads.
_named: Final = 3


def store_of(root: Path) -> Path:
    """The file of the database of a project."""
    return root / FOLDER / FILE


def path_of(root: Path, ident: str) -> Path:
    """What stands for the file of a component, which is in the database."""
    return store_of(root) / ident.replace("/", "%2F")


def is_store(root: Path, path: Path) -> bool:
    """Whether a path is that of the database, or of a component in it."""
    return path.is_relative_to(store_of(root))


def kept(root: Path) -> dict[str, bytes]:
    """What is in the database, by `_id`; nothing if it was not made yet. `StoreError` if it cannot be read."""
    path = store_of(root)
    if not is_file(path):
        return {}
    from pipeline.config.store_sqlite import SqliteConfig  # noqa: PLC0415 - most projects have files

    with SqliteConfig.open(path, make=False) as store:
        return store.snapshot().texts


def stored_documents(
    root: Path,
    here: Path,
    given: Mapping[str, bytes] | None,
    names: Mapping[str, str],
    replaced: Mapping[Path, bytes],
) -> dict[Path, Document]:
    """The documents of the database, by what stands for their files.

    `given` are texts in place of what is kept, `names` what messages call some of them.
    """
    try:
        texts = kept(root) if given is None else given
    except StoreError as error:
        return {store_of(root): unreadable(shown(store_of(root), here), str(error))}
    paths = {ident: path_of(root, ident) for ident in sorted(texts)}
    return {
        path: read(replaced.get(path, texts[ident]), names.get(ident) or shown(path, here))
        for ident, path in paths.items()
    }


def passed_by(settings: Document, files: Sequence[Path], asked: Sequence[Path], here: Path) -> Iterator[Problem]:
    """W118 where the settings choose the database, if files of configuration lie beside it that nobody reads."""
    wanted = list(dict.fromkeys(path for path in files if not asked or below(asked, path)))
    if not wanted or not isinstance(settings.root, Object):
        return
    member = settings.root.members.get("config_source")
    span = Span(settings.name, 0, 0) if member is None else settings.span(member.value)
    names = [f"`{shown(path, here)}`" for path in wanted[:_named]]
    more = f" and {len(wanted) - _named} more" if len(wanted) > _named else ""
    verb = "is" if len(wanted) == 1 else "are"
    yield Problem(
        "W118",
        f"{', '.join(names)}{more} {verb} not read, because the configuration is in the database",
        span,
        "instead of files",
        ("config_source",),
        notes=(_way(),),
    )


def _way() -> Note:
    return advice(f"`mailweir config import` takes them in; then move them away, or `exclude` them in {SETTINGS}")
