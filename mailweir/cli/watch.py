"""Run something again after every change of the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import click
from watchfiles import watch

from mailweir.cli.out import Out
from pipeline.config.load import project_root

# Folders of a project whose files are no configuration, and part of what it makes.
_FOLDERS: Final = frozenset({"templates", "attachments"})


def watching(once: Callable[[], int], paths: Sequence[Path], out: Out) -> int:
    """Run `once` now and after each batch of changes, until the person stops it or nobody reads what it says."""
    code = once()
    roots = {project_root(path) for path in paths}
    out.say("Watching for changes. Stop: Ctrl-C")
    for changes in watch(*roots, watch_filter=lambda _, path: _matters(path), raise_interrupt=False):
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


def _matters(path: str) -> bool:
    parts = Path(path).parts
    name = parts[-1]
    hidden = any(part.startswith(".") for part in parts[-3:-1]) or "__pycache__" in parts
    shown = name.endswith(".json") or name in {".env", ".secrets.env"} or not _FOLDERS.isdisjoint(parts[:-1])
    return not hidden and shown
