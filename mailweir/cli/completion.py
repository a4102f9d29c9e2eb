"""`mailweir completion`: the script that makes a shell complete verbs, options, ids and codes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import click

from mailweir.cli.options import Common, common

FOLDER: Final = Path(__file__).parents[1] / "completions"


class Shell(NamedTuple):
    """The file of the script, and what a person has to do after it was installed."""

    file: str
    then: str


shells: Final[Mapping[str, Shell]] = {
    "bash": Shell("mailweir.bash", "bash-completion loads it in new shells; without that, in ~/.bashrc: source {path}"),
    "zsh": Shell("_mailweir", "In ~/.zshrc, before compinit: fpath+=({folder})"),
    "fish": Shell("mailweir.fish", "fish loads it in new shells"),
    "powershell": Shell("mailweir.ps1", "In $PROFILE: . '{path}'"),
}


@click.command(
    "completion",
    epilog="""\b
Examples:
  eval "$(mailweir completion bash)"        this shell; in ~/.bashrc: every shell
  mailweir completion fish | source
  mailweir completion zsh --install         writes the file and says what is left to do""",
)
@click.argument("shell", metavar=f"[{'|'.join(shells)}]")
@click.option("--install", is_flag=True, help="Write the script to the shell's folder for this user.")
@common
def completion_command(values: Common, shell: str, *, install: bool) -> int:
    """Print the completion script for a shell. It completes verbs, options, ids of the project, and codes."""
    if shell not in shells:
        raise click.UsageError(f"no completion for '{shell}' ({' '.join(shells)})")
    script = (FOLDER / shells[shell].file).read_text(encoding="utf-8")
    path = target(shell, os.environ) if install else None
    if path:
        write(path, script)
    if values.json:
        facts = {"shell": shell, "script": script, "path": str(path) if path else None}
        values.out.document({"schema_version": 1, "command": "completion", "ok": True, "exit_code": 0, **facts})
    elif path is None:
        values.out.line(script.rstrip("\n"))
    if path:
        values.out.say(f"Wrote {path}\n{shells[shell].then.format(path=path, folder=path.parent)}")
    return 0


def target(shell: str, environ: Mapping[str, str]) -> Path:
    """Where a shell, or its completion package, looks for a user's own scripts."""
    home = Path(environ.get("HOME") or Path.home())
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    folders = {
        "bash": Path(environ.get("BASH_COMPLETION_USER_DIR") or data / "bash-completion") / "completions",
        "zsh": Path(environ.get("ZDOTDIR") or home) / ".zfunc",
        "fish": config / "fish" / "completions",
        "powershell": config / "powershell",
    }
    # bash-completion looks for a file with the name of the command.
    return folders[shell] / ("mailweir" if shell == "bash" else shells[shell].file)


def write(path: Path, script: str) -> None:
    """Write the script, with the folders that it needs."""
    from pipeline.config.files import reason

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"cannot write {path}: {reason(error)}") from None
