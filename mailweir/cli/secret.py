"""`mailweir secret`: passwords for `$SECRET()`, kept in `.secrets.env`. None is ever shown or taken as an argument."""

from __future__ import annotations

import getpass
import os
import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from mailweir.cli.group import meant
from mailweir.cli.options import Common, common
from mailweir.cli.streams import taken

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.config.load import Loaded
    from pipeline.config.places import Places
    from pipeline.errors import ConfigError
    from pipeline.secret import Secret

FILE: Final = ".secrets.env"
# As much as a mounted secret may have; a PEM key fits many times.
MOST_BYTES: Final = 64_000
_name: Final = re.compile(r"[A-Za-z0-9_.-]+")


@click.group(
    "secret",
    invoke_without_command=True,
    epilog="""\b
Examples:
  mailweir secret set smtp-password              asks; the input is hidden
  pass show smtp | mailweir secret set smtp-password
  mailweir secret list                           names and places, never values
  mailweir secret remove smtp-password""",
)
@common
def secret_command(_: Common) -> None:
    """Store, list and remove secrets of this project, in .secrets.env."""
    if click.get_current_context().invoked_subcommand is None:
        raise click.UsageError(
            "say what to do: mailweir secret set NAME, mailweir secret list, mailweir secret remove NAME"
        )


@secret_command.command("set")
@click.argument("name")
@click.argument("rest", nargs=-1, metavar="")
@common
def set_command(values: Common, name: str, rest: Sequence[str]) -> int:
    """Store a secret. The value is typed without echo, or comes from a pipe; never from an argument."""
    # What was written there may be the secret itself, so no message repeats it.
    if rest or "=" in name:
        raise click.UsageError(
            "a value on the command line stays in the shell history. Leave it out: the input is hidden\n"
            "       (change this password, it has been written to the history now)"
        )
    if not _name.fullmatch(name):
        raise click.UsageError("the name of a secret has letters, digits, `-`, `_` and `.`")
    from pipeline.config.secrets_file import store_secret
    from pipeline.errors import ConfigError

    path = _file(values)
    secret = _value(values, name)
    values.out.scrubber.add(secret)
    try:
        store_secret(path, name, secret)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except ConfigError as error:
        raise _cannot(error) from None
    except OSError as error:
        raise _cannot_write(path, error) from None
    if values.json:
        _document(values, name=name, place=FILE)
    values.out.say(f"Stored {name} in {FILE}, which only you can read and git ignores")
    elsewhere = _found_in(_places(values, _load(values)), name)
    if elsewhere not in {None, FILE}:
        values.out.say(f"note: `$SECRET({name})` is taken from {elsewhere}, which comes before {FILE}")
    return 0


@secret_command.command("list")
@common
def list_command(values: Common) -> int:
    """List the names, where each is found, and what uses it. Values are never shown."""
    from mailweir.cli.lines import table
    from mailweir.listing.secrets import mentioned

    loaded = _load(values)
    places = _places(values, loaded)
    used = mentioned(loaded.project.documents[name] for name in loaded.files)
    own = next((place.names for place in places.secrets if place.name == FILE), ())
    found = [(name, _found_in(places, name), used.get(name, ())) for name in dict.fromkeys([*used, *own])]
    if values.json:
        _document(values, secrets=[{"name": name, "place": place, "used_by": list(by)} for name, place, by in found])
    elif found:
        rows = [
            (name, place or "not set", f"used by {', '.join(by)}" if by else "not used") for name, place, by in found
        ]
        for line in table([("NAME", "PLACE", "USE"), *rows]):
            values.out.line(line)
    else:
        values.out.say("no secrets in this project: `mailweir secret set NAME` stores one")
    return _tell(values, places)


@secret_command.command("remove")
@click.argument("name")
@common
def remove_command(values: Common, name: str) -> int:
    """Remove a secret from .secrets.env. Asks nothing."""
    from pipeline.config.secrets_file import remove_secret, secret_names
    from pipeline.errors import ConfigError

    path = _file(values)
    try:
        known = secret_names(path)
        if not remove_secret(path, name):
            elsewhere = _found_in(_places(values, _load(values), ask=False), name)
            note = f"\n  note: it is set in {elsewhere}; remove it there" if elsewhere else ""
            raise click.UsageError(f"no secret '{name}' in {FILE}.{meant(name, known)}{note}")
    except ConfigError as error:
        raise _cannot(error) from None
    except OSError as error:
        raise _cannot_write(path, error) from None
    if values.json:
        _document(values, name=name, place=FILE)
    values.out.say(f"Removed {name} from {FILE}")
    return 0


def _file(values: Common) -> Path:
    from pipeline.config.load import project_root

    return project_root(values.here) / FILE


def _value(values: Common, name: str) -> Secret:
    """What was typed or piped."""
    from pipeline.secret import Secret

    if values.asks:
        typed = _typed(f"Value of {name} (hidden): ")
        if not typed:
            raise click.UsageError("the value is empty. Nothing was stored")
        return Secret(typed)
    how = f"it in: some-command | mailweir secret set {name}"
    if os.isatty(0):
        raise click.UsageError(f"a value is needed, and nothing may be asked here. Pipe {how}")
    data = taken(MOST_BYTES + 3)
    for end in (b"\r\n", b"\n"):
        if data.endswith(end):
            data = data.removesuffix(end)
            break
    if not data:
        raise click.UsageError(f"no value came in. Type it in a terminal, or pipe {how}")
    if len(data) > MOST_BYTES:
        raise click.UsageError(f"the value is larger than {MOST_BYTES // 1000} kB. Nothing was stored")
    try:
        return Secret(data.decode())
    except UnicodeDecodeError:
        raise click.UsageError("the value is not UTF-8. Nothing was stored") from None


def _typed(prompt: str) -> str:
    """A line from the terminal, which must not show it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt)
        except getpass.GetPassWarning:
            raise click.UsageError("this terminal cannot hide what is typed. Pipe the value in") from None
        except EOFError:
            raise click.Abort from None


def _load(values: Common) -> Loaded:
    """The project, without looking for any value."""
    from pipeline.config.load import load, project_root

    return load(project_root(values.here), values.loading(take_env=False, take_secrets=False))


def _places(values: Common, loaded: Loaded, *, ask: bool = True) -> Places:
    """Where secrets are looked for; `ask` the command too that the person may have set."""
    from pathlib import Path

    from pipeline.config.places import gather

    options = values.loading()
    settings = loaded.settings.secrets
    return gather(
        loaded.root,
        profile=loaded.profile,
        environ=options.environ,
        run_secrets=options.run_secrets,
        secrets_directory=Path(settings.directory) if settings.directory else None,
        secrets_command=options.secrets_command if ask else None,
        allow_readable=settings.allow_readable,
        here=options.here,
        scrubber=values.out.scrubber,
    )


def _found_in(places: Places, name: str) -> str | None:
    """The place that gives a secret."""
    from pipeline.config.lookup import find

    found = find(places.secrets, name)
    return found.place.name if found else None


def _tell(values: Common, places: Places) -> int:
    """Places that could not be read: what stands in them is missing in the list."""
    from pipeline.config.show import render

    problems = [problem for place in places.secrets for problem in place.problems]
    if not problems:
        return 0
    stream = values.out.stderr
    texts = {name: document.text for name, document in places.texts.items()}
    width, color = values.out.width(stream), values.out.colors(stream)
    values.out.fault(render(problems, texts, width=width, color=color, scrubber=values.out.scrubber).rstrip())
    return int(any(problem.level == "error" for problem in problems))


def _cannot(error: ConfigError) -> click.UsageError:
    problem = error.problems[0]
    notes = "".join(f"\n  {note.kind}: {note.text}" for note in problem.notes)
    return click.UsageError(f"{problem.message}{notes}")


def _cannot_write(path: Path, error: OSError) -> click.UsageError:
    from pipeline.config.files import reason

    return click.UsageError(f"cannot write {path.name}: {reason(error)}")


def _document(values: Common, **facts: object) -> None:
    values.out.document({"schema_version": 1, "command": "secret", "ok": True, "exit_code": 0, **facts})
