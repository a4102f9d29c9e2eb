"""`mailweir.json`: what a project says about itself. No I/O."""

from __future__ import annotations

from typing import Final, Literal, TypeVar

from pydantic import Field

from pipeline.component import Many, Part
from pipeline.config.resolve import Resolver
from pipeline.config.strangers import settle
from pipeline.config.tree import Document, Object
from pipeline.config.validate import describe, not_taken_up, on_top, validate
from pipeline.errors import Problem

P = TypeVar("P", bound=Part)

NOUN: Final = "mailweir.json"
NO_SECRETS: Final = frozenset({"secrets"})
"""Settings that sound as if they held secrets."""


class SecretsSettings(Part):
    """Where secrets are looked for beyond the usual places."""

    directory: str | None = Field(default=None, min_length=1)
    """A folder with one file a secret, beside the project or absolute."""
    allow_readable: bool = False
    """Read `.secrets.env` even when other users of this machine can read it."""


class Settings(Part):
    """The settings of one project; all of them may be left out."""

    profile: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]+$")
    """Which `<profile>-env.json` gives values. Default: `test` offline, `prod` for `serve`."""
    config_source: Literal["files", "database"] = "files"
    """Where systems and pipes are kept: in files below this folder, or in `.mailweir/config.db`."""
    exclude: Many[str] = ()
    """Files and folders that are not read: names or patterns, from the project's folder."""
    select: Many[str] = ()
    """Report only these codes, or families (`E3`)."""
    ignore: dict[str, str] = Field(default_factory=dict)
    """Codes that are not reported, each with the reason."""
    plugins: Many[str] = ()
    """Installed packages whose component types may be used."""
    follow_links: bool = False
    """Read configuration through symbolic links that lead out of the project."""
    secrets: SecretsSettings = Field(default_factory=SecretsSettings)
    """Where secrets are looked for."""


def settings_of(document: Document) -> tuple[Settings, list[Problem]]:
    """The settings in a document, and what is wrong with it; faulty ones count as left out."""
    settings, problems = part_of(document, Settings, NOUN)
    return settings or Settings(), problems


def part_of(document: Document, model: type[P], noun: str) -> tuple[P | None, list[Problem]]:
    """A file that is one object: its value without what is faulty, if that is one, and what is wrong with it."""
    if not isinstance(document.root, Object):
        if document.root is None:
            return None, document.problems
        kind = describe(Resolver(document).value(document.root))
        wrong = Problem("E202", f"{document.name} holds one object, not {kind}", document.span(document.root))
        return None, _all(document, [on_top(wrong, document)])
    resolver = Resolver(document)
    resolved = resolver.value(document.root)
    given = resolved if isinstance(resolved, dict) else {}
    strangers = settle(document, document.root, given, model, noun, ())
    usable = {key: item for key, item in strangers.value.items() if key not in strangers.names}
    found, bad, faults = validate(model, usable, strangers.unsure, document, strangers.node, (), noun)
    if found is None:
        good = {key: item for key, item in usable.items() if key not in bad}
        found, _, _ = validate(model, good, set(), document, strangers.node, (), noun)
    told = [*resolver.problems, *strangers.problems, *strangers.told(), *faults]
    return found, _all(document, told)


def _all(document: Document, shape: list[Problem]) -> list[Problem]:
    return [*not_taken_up(document.problems, shape), *shape]
