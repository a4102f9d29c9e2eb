"""Run something again after every change of the files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import click
from watchfiles import watch

from mailweir.cli.out import Out
from pipeline.config.load import project_root
from pipeline.config.stored import store_of

# Folders of a project whose files are no configuration, and part of what it makes.
_folders: Final = frozenset({"templates", "attachments"})
# Configuration, values, what sources read, and functions.
_data: Final = frozenset({".json", ".jsonl", ".ndjson", ".csv", ".py"})

# Milliseconds until the watcher says that nothing has changed, which is how it is known to be at work.
_PATIENCE: Final = 250


def watching(once: Callable[[], int], paths: Sequence[Path], out: Out) -> int:
    """Run `once` now and after each batch of changes, until the person stops it or nobody reads what it says."""
    # That it was stopped is no news to the person who did it.
    logging.getLogger("watchfiles").setLevel(logging.ERROR)
    roots = {project_root(path) for path in paths}
    watched = watch(
        *roots,
        watch_filter=lambda _, path: matters(Path(path), roots),
        raise_interrupt=False,
        rust_timeout=_PATIENCE,
        yield_on_timeout=True,
    )
    # Watched before it is read: what is saved in between would be missed.
    next(watched, None)
    code = once()
    out.say("Watching for changes. Stop: Ctrl-C")
    for changes in watched:
        if not changes:
            continue
        names = sorted({Path(path).name for _, path in changes})
        out.say(f"\n{datetime.now().astimezone():%H:%M:%S}  {', '.join(names)}")
        try:
            code = once()
        except click.UsageError as error:
            # The last file was moved away, most likely on its way to being replaced.
            out.fault(f"error: {error.format_message()}")
            code = error.exit_code
        if out.gone:
            break
    return code


def matters(path: Path, roots: Collection[Path]) -> bool:
    """Whether a change of this file can change what the projects in these folders say or send."""
    inside = next((path.relative_to(root) for root in roots if path.is_relative_to(root)), path)
    name, folders = inside.name, inside.parts[:-1]
    if inside == store_of(Path()):
        return True
    if "__pycache__" in folders or any(folder.startswith(".") for folder in folders):
        return False
    if name in {".env", ".secrets.env"}:
        return True
    draft = name.startswith(".") or name.endswith("~")
    return not draft and (inside.suffix in _data or not _folders.isdisjoint(folders))
