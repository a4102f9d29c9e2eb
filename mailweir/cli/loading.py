"""The project around the folder that a verb works in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from mailweir.cli.group import meant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mailweir.cli.options import Common
    from pipeline.config.load import Loaded
    from pipeline.config.registry import Registry
    from pipeline.errors import Problem


def load_here(values: Common, *, take_secrets: bool = False, default_profile: str = "test") -> Loaded:
    """The project, with the secrets in it registered with the way out. Without a configuration: wrong use."""
    from pipeline.config.load import load, project_root

    loaded = load(project_root(values.here), values.loading(take_secrets=take_secrets, default_profile=default_profile))
    values.out.scrubber = loaded.project.scrubber
    if not loaded.files and loaded.settings.config_source == "database":
        raise click.UsageError("the database of the configuration is empty\n  help: mailweir config import PATH")
    if not loaded.files:
        below = ", ".join(folder.name for folder in loaded.nested)
        raise click.UsageError(
            f"no configuration of its own in this folder; projects in it: {below}"
            if below
            else "no configuration in this folder (looked for *.conf.json)"
        )
    return loaded


def registry_here(here: Path) -> Registry:
    """The installed types; those of plugins too, where the project around this folder allows them."""
    from pipeline.config.files import SETTINGS, read_document, root_of
    from pipeline.config.installed import installed
    from pipeline.config.settings import settings_of

    root = root_of(here)
    if root is None or not os.path.lexists(root / SETTINGS):
        return installed()
    # Faults of the file are for `check` to tell.
    settings, _ = settings_of(read_document(root / SETTINGS, SETTINGS))
    return installed(settings.plugins)


def look_for_pipes(loaded: Loaded, names: Iterable[str]) -> None:
    """Wrong use where one of these pipes is not there."""
    known = [one.id for one in loaded.project.components if one.kind == "pipe"]
    for name in names:
        if name not in known:
            raise click.UsageError(f"no pipe '{name}'.{meant(name, known)}")


def errors(loaded: Loaded) -> list[Problem]:
    """The errors that `mailweir check` reports for this project."""
    from mailweir.configuration.desk import errors_of

    return errors_of(loaded)


def counted(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
