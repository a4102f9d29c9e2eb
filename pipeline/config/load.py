"""Loading a project from disk: the outside world is read here, then everything is decided by pure code."""

from __future__ import annotations

import gc
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.config.files import SETTINGS, Found, below, is_folder, read_document, root_of, search, shown
from pipeline.config.given import advice
from pipeline.config.installed import installed
from pipeline.config.modules import Modules
from pipeline.config.others import is_other, read_other
from pipeline.config.places import TYPED, gather
from pipeline.config.places_invented import Invented, invent
from pipeline.config.project import Project, compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.selection import right, selection_faults
from pipeline.config.settings import Settings, settings_of
from pipeline.config.stored import is_store, passed_by, stored_documents
from pipeline.config.templates import read_templates
from pipeline.config.text import read
from pipeline.config.tree import Document
from pipeline.errors import Problem, Span
from pipeline.scrub import Scrubber


@dataclass(frozen=True, slots=True)
class Options:
    """How to load: what the command line and the environment say."""

    profile: str | None = None
    env_files: Sequence[Path] = ()
    take_env: bool = True
    take_secrets: bool = True
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    here: Path = field(default_factory=Path.cwd)
    replaced: Mapping[Path, bytes] = field(default_factory=dict)
    """Files whose text comes from elsewhere (standard input)."""
    run_secrets: Path = Path("/run/secrets")
    secrets_command: Sequence[str] | None = None
    default_profile: str = "test"
    codes: Collection[str] = ()
    """The codes that there are; without them those that the settings name are not looked at."""
    invented: Invented | None = None
    """Values for a test, in place of all that this machine has but the profile and files that were named."""
    stored: Mapping[str, bytes] | None = None
    """The components of a project, by `_id`, in place of what is kept in its database or in files."""
    stored_as: Mapping[str, str] = field(default_factory=dict)
    """What messages call some of them."""


@dataclass(slots=True)
class Loaded:
    """A project and where it comes from: its files by name, and the names of those that were asked for."""

    root: Path
    settings: Settings
    project: Project
    files: Mapping[str, Path]
    others: Mapping[str, Path]
    """The settings, the values of the profile, and files of values and tests that were asked for by name."""
    selected: Sequence[str]
    nested: Sequence[Path]
    profile: str
    lookup: Lookup

    @property
    def problems(self) -> list[Problem]:
        """All problems but those of configuration files that were not asked for."""
        others = self.files.keys() - set(self.selected)
        return [problem for problem in self.project.problems if problem.span.file not in others]


def load(root: Path, options: Options, paths: Sequence[Path] = ()) -> Loaded:
    """The project in `root`. `paths` select files and folders of it whose problems are wanted."""
    collecting = gc.isenabled()
    # Looking for garbage takes a third of the time of a large project and finds none: a tree has no circles.
    gc.disable()
    try:
        return _load(root, options, paths)
    finally:
        if collecting:
            gc.enable()


def _load(root: Path, options: Options, paths: Sequence[Path]) -> Loaded:
    more: dict[str, Document] = {}
    scrubber = Scrubber()
    settings = Settings()
    problems: list[Problem] = []
    if os.path.lexists(root / SETTINGS) or root / SETTINGS in options.replaced:
        document = _document(root / SETTINGS, options)
        more[document.name] = document
        settings, problems = settings_of(document)
        if options.codes:
            problems += selection_faults(document, options.codes)
            settings = right(settings, options.codes)
    # Files that belong to no project are read alone: what lies beside them may be anything.
    alone = paths and root_of(root) is None
    found = Found() if alone else search(root, settings.exclude, follow=settings.follow_links)
    asked = [path for path in paths if path not in found.files and not is_folder(path)]
    others = {path for path in asked if is_other(path, options.env_files)}
    if options.stored is not None or (settings.config_source == "database" and not alone):
        by_path = stored_documents(root, options.here, options.stored, options.stored_as, options.replaced)
        lying = [path for path in (*found.files, *asked) if path not in others and not is_store(root, path)]
        if options.stored is None:
            problems += passed_by(more[shown(root / SETTINGS, options.here)], lying, paths, options.here)
    else:
        by_path = {path: _document(path, options) for path in (*found.files, *asked) if path not in others}
    paths_read, documents = list(by_path), list(by_path.values())
    problems += [_leaving(path, options.here) for path in found.leaving if not paths or below(paths, path)]
    problems += [_closed(path, why, options.here) for path, why in found.closed if not paths or below(paths, path)]
    profile = options.profile or settings.profile or options.default_profile
    directory = settings.secrets.directory
    if options.invented is not None:
        places = invent(options.invented, root, profile, options.env_files, here=options.here, scrubber=scrubber)
    else:
        places = gather(
            root,
            profile=profile,
            environ=options.environ,
            env_files=options.env_files,
            run_secrets=options.run_secrets,
            secrets_directory=Path(directory) if directory else None,
            secrets_command=options.secrets_command,
            allow_readable=settings.secrets.allow_readable,
            here=options.here,
            scrubber=scrubber,
            replaced=options.replaced,
        )
    lookup = Lookup(places.env, places.secrets, take_env=options.take_env, take_secrets=options.take_secrets)
    places.texts.update(more)
    for path in sorted(others):
        if shown(path, options.here) not in places.texts:
            texts, faults = read_other(path, options.replaced.get(path), options.here, scrubber)
            places.texts.update(texts)
            problems += faults
    templates = {} if alone else read_templates(root, options.here)
    places.texts.update({document.name: document for document in templates.values()})
    plugins = installed(settings.plugins)
    modules = None if alone else Modules(root, options.here)
    project = compile_project(documents, plugins, lookup, places.texts, problems, scrubber, templates, modules)
    files = {document.name: path for document, path in zip(documents, paths_read, strict=True)}
    beside = (*others, root / SETTINGS, root / f"{profile}{TYPED}")
    by_name = {name: path for path in beside if (name := shown(path, options.here)) in places.texts}
    selected = [name for name, path in files.items() if not paths or below(paths, path)]
    selected += [shown(path, options.here) for path in sorted(others)]
    return Loaded(root, settings, project, files, by_name, selected, found.projects, profile, lookup)


def project_root(start: Path) -> Path:
    """The project that a file or folder belongs to; by itself when there is none."""
    folder = start if is_folder(start) else start.parent
    return root_of(folder) or folder


def _document(path: Path, options: Options) -> Document:
    name = shown(path, options.here)
    if path in options.replaced:
        return read(options.replaced[path], name)
    return read_document(path, name)


def _leaving(path: Path, here: Path) -> Problem:
    name = shown(path, here)
    return Problem(
        "E115",
        "this symbolic link leads out of the project and is not read",
        Span(name, 0, 0),
        notes=(advice('put the file into the project, or add `"follow_links": true` to mailweir.json'),),
    )


def _closed(path: Path, why: str, here: Path) -> Problem:
    return Problem(
        "E115",
        f"cannot read this folder: {why}",
        Span(shown(path, here), 0, 0),
        notes=(advice(f'if it holds no configuration, write `"exclude": ["{path.name}"]` in mailweir.json'),),
    )
