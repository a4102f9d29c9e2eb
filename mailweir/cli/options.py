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
        return self.project or Path.cwd()

    @property
    def asks(self) -> bool:
        """Whether a question may be asked at all."""
        return not (self.no_input or os.environ.get("CI")) and os.isatty(0)

    def loading(self, **more: Any) -> Options:  # noqa: ANN401 - passed on to Options
        """How to load a project under these options."""
        from pipeline.config.load import Options

        command = os.environ.get("MAILWEIR_SECRETS_COMMAND")
        return Options(
            profile=self.profile,
            env_files=self.env_files,
            here=self.here,
            secrets_command=shlex.split(command) if command else None,
            **more,
        )


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
]


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the common options; its first argument becomes a `Common`."""

    @wraps(function)
    def command(*args: Any, **values: Any) -> Any:  # noqa: ANN401 - click's own types
        context = click.get_current_context()
        mine = {name: values.pop(name) for name in _names}
        base: Common | None = context.find_object(Common)
        merged = merge(base, mine)
        if merged.project and not merged.project.is_dir():
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
        (values["project"].absolute() if values["project"] else base.project),
        values["profile"] or base.profile,
        tuple(path.absolute() for path in values["env_file"]) or base.env_files,
        values["json"] or base.json,
        values["verbose"] or base.verbosity,
        values["no_input"] or base.no_input,
    )
