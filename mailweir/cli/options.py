"""The options that every verb takes, before or after its name."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailweir.cli.out import Out
from mailweir.in_ci import in_ci

if TYPE_CHECKING:
    from pipeline.config.load import Options


@dataclass(slots=True)
class Common:
    """The values of the common options, and the way out."""

    out: Out
    project: Path | None = None
    profile: str | None = None
    env_files: tuple[Path, ...] = ()
    json: bool = False
    verbosity: int = 0
    no_input: bool = False

    @property
    def here(self) -> Path:
        """The folder the command works in: `-C`, or the current one."""
        return self.project or current_folder()

    @property
    def asks(self) -> bool:
        """Whether a question may be asked at all."""
        return not (self.no_input or in_ci(os.environ)) and os.isatty(0)

    def loading(self, **more: Any) -> Options:  # noqa: ANN401 - passed on to Options
        """How to load a project under these options."""
        from mailweir.codes import names
        from pipeline.config.load import Options
        from pipeline.config.secrets_command import VARIABLE

        command = os.environ.get(VARIABLE)
        return Options(
            profile=self.profile,
            env_files=self.env_files,
            here=self.here,
            secrets_command=shlex.split(command) if command else None,
            codes=names(),
            **more,
        )


def current_folder() -> Path:
    """Where the command was started. Another program may have removed that folder meanwhile."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise click.UsageError("the current folder does not exist any more\n  help: go to another one") from None


def _absolute(path: Path) -> Path:
    whole = path if path.is_absolute() else current_folder() / path
    # The folders above are looked at by name: `..` has to be gone, and through a link it leads elsewhere.
    return Path(os.path.realpath(whole)) if ".." in whole.parts else whole


def _help(context: click.Context, _: click.Parameter, asked: bool) -> None:
    """Print the page of a verb by our own way out: it knows what to do when nobody reads."""
    if asked and not context.resilient_parsing:
        base = context.find_object(Common)
        (base.out if base else Out()).line(context.get_help())
        context.exit()


_options: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (
        ("-C", "--project"),
        {"metavar": "DIR", "type": click.Path(path_type=Path), "help": "Work as if started in DIR."},
    ),
    (("--profile",), {"metavar": "NAME", "help": "Which <NAME>-env.json gives values (default: test)."}),
    (
        ("-e", "--env-file"),
        {"metavar": "FILE", "multiple": True, "type": click.Path(path_type=Path), "help": "Read instead of .env."},
    ),
    (("--json",), {"is_flag": True, "help": "One JSON document on standard output."}),
    (
        ("--color",),
        {"type": click.Choice(["auto", "always", "never"]), "help": "NO_COLOR and FORCE_COLOR are obeyed."},
    ),
    (("-q", "--quiet"), {"is_flag": True, "help": "Say faults only."}),
    (("-v", "--verbose"), {"count": True, "help": "Say more; twice for everything."}),
    (("--no-input",), {"is_flag": True, "help": "Never ask. Also on without a terminal and in CI."}),
    (
        ("-h", "--help"),
        {
            "is_flag": True,
            "is_eager": True,
            "expose_value": False,
            "callback": _help,
            "help": "Show this message and exit.",
        },
    ),
]


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the common options; its first argument becomes a `Common`."""

    @wraps(function)
    def command(*args: Any, **values: Any) -> Any:  # noqa: ANN401 - click's own types
        context = click.get_current_context()
        mine = {name: values.pop(name) for name in _names}
        base: Common | None = context.find_object(Common)
        merged = merge(base, mine)
        if merged.project:
            from pipeline.config.files import is_folder

            if not is_folder(merged.project):
                raise click.UsageError(f"no folder '{merged.project}'")
        context.obj = merged
        return function(merged, *args, **values)

    for names, settings in reversed(_options):
        command = click.option(*names, **settings)(command)
    return command


_names = ("project", "profile", "env_file", "json", "color", "quiet", "verbose", "no_input")


def merge(base: Common | None, values: dict[str, Any]) -> Common:
    """The options after the verb win over those before it."""
    base = base or Common(Out())
    out = base.out
    out.color = values["color"] or out.color
    out.quiet = values["quiet"] or out.quiet
    return Common(
        out,
        (_absolute(values["project"]) if values["project"] else base.project),
        values["profile"] or base.profile,
        tuple(_absolute(path) for path in values["env_file"]) or base.env_files,
        values["json"] or base.json,
        values["verbose"] or base.verbosity,
        values["no_input"] or base.no_input,
    )
