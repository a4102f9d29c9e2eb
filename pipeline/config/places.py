"""The places where values of `$ENV()` and `$SECRET()` are looked for, built from the world outside.

Files of the project are read at once. What the system mounts, and commands, are read when a secret is asked for.
Every secret is registered with the scrubber as soon as it is in memory.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.config.comments import FREE
from pipeline.config.dotenv_file import DotenvFile, read_dotenv
from pipeline.config.files import reason, shown
from pipeline.config.given import advice
from pipeline.config.lookup import SECRET_PREFIX, Place, Unread, is_plain, shell_name
from pipeline.config.secrets_command import VARIABLE, CommandSecrets, Run, without_line_end
from pipeline.config.text import read
from pipeline.config.tree import Broken, Document, Object, plain
from pipeline.config.trusted import Care, RefusedError, Rules, read_trusted, text_of
from pipeline.errors import Problem, Span
from pipeline.scrub import Scrubber
from pipeline.secret import Secret

MOST_BYTES: Final = 1_000_000
MOST_BYTES_OF_A_SECRET: Final = 64_000
COMMAND_SECONDS: Final = 30.0
ENV_FILE: Final = ".env"
SECRETS_FILE: Final = ".secrets.env"
# What follows the name of a profile.
TYPED: Final = "-env.json"
_about_the_file: Final = FREE | {"description"}


@dataclass(frozen=True, slots=True)
class Places:
    """Where variables and where secrets are looked for, each in its order."""

    env: tuple[Place, ...]
    secrets: tuple[Place, ...]
    texts: dict[str, Document] = field(default_factory=dict, repr=False)
    """The files that problems may point into, as they may be shown."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be read. Complete only after the last value was asked for."""
        return tuple(problem for place in (*self.env, *self.secrets) for problem in place.problems)


def gather(
    root: Path,
    *,
    profile: str,
    environ: Mapping[str, str],
    env_files: Sequence[Path] = (),
    run_secrets: Path = Path("/run/secrets"),
    secrets_directory: Path | None = None,
    secrets_command: Sequence[str] | None = None,
    allow_readable: bool = False,
    run: Run = subprocess.run,
    here: Path | None = None,
    scrubber: Scrubber | None = None,
    command_seconds: float = COMMAND_SECONDS,
    replaced: Mapping[Path, bytes] | None = None,
) -> Places:
    """The places of the project in `root`. Files are named in problems from `here`; by itself `root`.

    Of several `env_files` the last that has a name gives its value. `replaced` has what `<profile>-env.json` shall say
    instead of what it says.
    """
    world = _World(root, here or root, scrubber or Scrubber(), replaced=replaced or {})
    files = [world.env_file(path, str(path)) for path in reversed(env_files)]
    env = (
        world.process(environ),
        *(files or [world.env_file(root / ENV_FILE, ENV_FILE, own=True)]),
        world.typed_file(profile),
    )
    secrets = [
        world.credentials(environ),
        world.folder(run_secrets, str(run_secrets)),
        world.variables(environ),
        world.secrets_file("unchanged" if allow_readable else "private"),
    ]
    if secrets_directory is not None:
        secrets.append(world.folder(root / secrets_directory, str(secrets_directory)))
    if secrets_command:
        secrets.append(world.command(secrets_command, environ, run, command_seconds))
    return Places(env, tuple(secrets), world.texts)


def values_in(path: Path, here: Path, scrubber: Scrubber) -> tuple[Place, Mapping[str, Document]]:
    """One file of values, read for itself, and the texts that its problems may point into."""
    world = _World(path.parent, here, scrubber)
    if path.name == SECRETS_FILE:
        place = world.secrets_file("private")
    elif path.name.endswith(TYPED):
        place = world.typed_file(path.name.removesuffix(TYPED))
    else:
        place = world.env_file(path, path.name)
    return place, world.texts


@dataclass(slots=True)
class _World:
    """Makes the places, and collects the texts that problems may point into."""

    root: Path
    here: Path
    scrubber: Scrubber
    texts: dict[str, Document] = field(default_factory=dict)
    replaced: Mapping[Path, bytes] = field(default_factory=dict)

    def process(self, environ: Mapping[str, str]) -> Place:
        """Variables of the process, without those that hold secrets. Their names are not ours to show."""
        name = "the process environment"
        return Place(name, name, {key: value for key, value in environ.items() if not key.startswith(SECRET_PREFIX)})

    def env_file(self, path: Path, label: str, *, own: bool = False) -> Place:
        """A file of variables: the project's own, or one that was named for this run and so must be there."""
        name = shown(path, self.here)
        try:
            rules = Rules(MOST_BYTES, "unchanged", self.root if own else None, required=not own)
            file = self._dotenv(read_trusted(path, name, rules), name)
        except RefusedError as refused:
            return self._refused(label, name, refused.problem)
        if file is None:
            return Place(f"{label} (not found)", label, {})
        return Place(
            f"{label} (found, {_names(file.values)})",
            label,
            file.values,
            file.names,
            name if own else None,
            problems=file.problems,
            unread=file.unread,
            at=file.at,
        )

    def secrets_file(self, care: Care) -> Place:
        """`.secrets.env`."""
        name = shown(self.root / SECRETS_FILE, self.here)
        try:
            data = read_trusted(self.root / SECRETS_FILE, name, Rules(MOST_BYTES, care, self.root))
            file = self._dotenv(data, name, secret=True)
        except RefusedError as refused:
            return self._refused(SECRETS_FILE, name, refused.problem)
        if file is None:
            return Place(f"{SECRETS_FILE} (not found)", SECRETS_FILE, {})
        values = {key: self._secret(value) for key, value in file.values.items()}
        return Place(
            f"{SECRETS_FILE} (found, {_names(values)})",
            SECRETS_FILE,
            values,
            file.names,
            name,
            problems=file.problems,
            unread=file.unread,
            at=file.at,
        )

    def typed_file(self, profile: str) -> Place:
        """`<profile>-env.json`: an object of values that keep their types."""
        label = f"{profile}{TYPED}"
        path = self.root / label
        name = shown(path, self.here)
        if not is_plain(profile):
            problem = Problem("E312", f"the profile `{profile}` is no name of a file", Span(name, 0, 0))
            return self._refused(label, name, problem)
        try:
            data = read_trusted(path, name, Rules(MOST_BYTES, "unchanged", self.root))
        except RefusedError as refused:
            return self._refused(label, name, refused.problem)
        if data is None:
            return Place(f"{label} (not found)", label, {})
        document = read(self.replaced.get(path, data), name)
        self.texts[name] = document
        if not isinstance(document.root, Object):
            problems = list(document.problems)
            if document.root is not None and not isinstance(document.root, Broken):
                problems.append(_no_object(document, document.span(document.root)))
            return Place(f"{label} (cannot be used)", label, {}, problems=problems, unread=Unread(everything=True))
        members = document.root.members
        values = {key: plain(member.value) for key, member in members.items() if not isinstance(member.value, Broken)}
        return Place(
            f"{label} (found, {_names(values)})",
            label,
            values,
            # What explains the file is not reported as a variable that nothing uses.
            tuple(key for key in values if key not in _about_the_file),
            name,
            problems=document.problems,
            unread=Unread(members.keys() - values.keys(), everything=not document.root.whole),
            at={key: Span(name, member.key.start + 1, member.key.end - 1) for key, member in members.items()},
            profile=profile,
        )

    def credentials(self, environ: Mapping[str, str]) -> Place:
        """The folder that systemd makes for one service."""
        folder = environ.get("CREDENTIALS_DIRECTORY")
        label = "$CREDENTIALS_DIRECTORY"
        return self.folder(Path(folder), label) if folder else Place(f"{label} (not set)", label, {})

    def folder(self, path: Path, label: str) -> Place:
        """A folder with one file a secret."""
        values = FolderSecrets(path, self.scrubber, self.texts)
        state = f"{label} ({values.state})"
        return Place(state, label, values, values.names, problems=values.problems, unread=values.unread)

    def variables(self, environ: Mapping[str, str]) -> Place:
        """Variables of the process that hold secrets."""
        values = VariableSecrets(environ)
        for name in values:
            self.scrubber.add(values[name])
        name = "the process environment"
        return Place(lambda wanted: f"{name}, as {SECRET_PREFIX}{shell_name(wanted)}", name, values, exact=True)

    def command(self, command: Sequence[str], environ: Mapping[str, str], run: Run, seconds: float) -> Place:
        """What a command gives."""
        self.texts[VARIABLE] = Document(VARIABLE, "", None, [])
        values = CommandSecrets(
            command, root=self.root, environ=environ, scrubber=self.scrubber, run=run, timeout=seconds
        )
        name = f"the command `{values.program}`"
        return Place(
            lambda _: f"{name} ({values.state})",
            name,
            values,
            values.names,
            exact=values.each,
            problems=values.problems,
            unread=values.unread,
        )

    def _dotenv(self, data: bytes | None, name: str, *, secret: bool = False) -> DotenvFile | None:
        if data is None:
            return None
        text_of(data, name)
        file = read_dotenv(data, name, secret=secret)
        self.texts[name] = file.document
        return file

    def _refused(self, label: str, name: str, problem: Problem) -> Place:
        self.texts[name] = Document(name, "", None, [])
        return Place(f"{label} (not used)", label, {}, problems=[problem], unread=Unread(everything=True))

    def _secret(self, value: str) -> Secret:
        secret = Secret(value)
        self.scrubber.add(secret)
        return secret


class FolderSecrets(Mapping[str, Secret]):
    """A folder with one file a secret; a file is read when it is asked for, and once."""

    def __init__(self, folder: Path, scrubber: Scrubber, texts: dict[str, Document]) -> None:
        """Files that are refused get a document in `texts`."""
        self.names: tuple[str, ...] = ()
        self.problems: list[Problem] = []
        self.unread = Unread()
        self._folder = folder
        self._scrubber = scrubber
        self._texts = texts
        self._read: dict[str, Secret | None] = {}
        self._listed = True
        try:
            with os.scandir(folder) as entries:
                files = [entry.name for entry in entries if is_plain(entry.name) and os.path.isfile(entry.path)]  # noqa: PTH113 - `Path.is_file` raises
            self.names = tuple(sorted(files))
            self.state = f"found, {_names(self.names)}"
        except (FileNotFoundError, NotADirectoryError):
            self.state = "not found"
        except OSError as error:
            self._listed = False
            self.state = reason(error)

    def __getitem__(self, name: str) -> Secret:
        """Read the file, if it has not been read."""
        if name not in self._read:
            self._read[name] = self._secret(name) if is_plain(name) else None
        secret = self._read[name]
        if secret is None:
            raise KeyError(name)
        return secret

    def __iter__(self) -> Iterator[str]:
        """The names of the files, as the folder was listed."""
        return iter(self.names)

    def __len__(self) -> int:
        """How many files were listed."""
        return len(self.names)

    def _secret(self, name: str) -> Secret | None:
        file = str(self._folder / name)
        try:
            data = read_trusted(self._folder / name, file, Rules(MOST_BYTES_OF_A_SECRET, within=self._folder))
            if data is None:
                return None
            secret = Secret(without_line_end(text_of(data, file)))
        except RefusedError as refused:
            # A folder that is closed to this user is not for it: a secret may well be in the next place.
            if self._listed:
                self.problems.append(refused.problem)
                self.unread.names.add(name)
                self._texts[file] = Document(file, "", None, [])
            return None
        self._scrubber.add(secret)
        return secret


class VariableSecrets(Mapping[str, Secret]):
    """The secrets among the variables of the process, by the names that `$SECRET()` gives them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Hide the values. Not only shells set variables: the name may be spelt as the configuration has it."""
        given = {name.removeprefix(SECRET_PREFIX): name for name in environ if name.startswith(SECRET_PREFIX)}
        # Of two spellings the one for shells holds.
        ordered = sorted(given, key=lambda name: name == shell_name(name))
        self._found = {shell_name(name): Secret(environ[given[name]]) for name in ordered}

    def __getitem__(self, name: str) -> Secret:
        """By its spelling for shells."""
        return self._found[shell_name(name)]

    def __iter__(self) -> Iterator[str]:
        """The names, in their spelling for shells."""
        return iter(self._found)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._found)


def _names(names: Iterable[str]) -> str:
    count = sum(1 for _ in names)
    return f"{count} name{'' if count == 1 else 's'}"


def _no_object(document: Document, span: Span) -> Problem:
    help_ = advice('write {"smtp-server": "mail.example.com", "smtp-port": 587}')
    return Problem("E312", f"`{document.name}` holds one object of names and values", span, notes=(help_,))
