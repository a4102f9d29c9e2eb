"""`mailweir init`: a project to begin from. Asks nothing and overwrites nothing."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from mailweir.cli.options import Common, common, current_folder

templates: Final = ("welcome", "alerts", "digest", "shop", "mailer", "demo", "empty")
deployments: Final = ("systemd", "docker", "compose", "k8s", "monitoring")
# What a person keeps beside an example in a source checkout is not part of the example.
_private: Final = frozenset({".env", ".secrets.env", ".mailweir", ".vscode", ".idea"})
# A fresh repository is as good as an empty folder.
_in_nobodys_way: Final = frozenset({".git"})
MOST_NAMED: Final = 5
_elsewhere_or_force: Final = "choose another folder, or `--force` to add only the files that are missing"

_steps: Final = {
    "mailweir check": "check the config",
    "mailweir test": "run its tests",
    "mailweir graph": "see what flows where",
    "mailweir list": "see what is in it",
}
_first_steps: Final = {
    "mailweir explain system:smtp": "what a mail server may say",
    "mailweir explain pipe": "what a pipe may say",
    "mailweir check": "check the config",
}


@click.command(
    "init",
    epilog="""\b
Examples:
  mailweir init my-mail                    a mail to each new customer
  mailweir init my-mail --template digest  another project: mailweir init --list
  mailweir init my-mail --from-demo        what `mailweir demo` shows, to keep
  mailweir init --force                    add what is missing to this folder
  mailweir init --deploy systemd           files to run this project as a service""",
)
@click.argument("folder", metavar="[DIR]", default=".")
@click.option("--template", type=click.Choice(templates), default="welcome", show_default=True, help="Which project.")
@click.option("--from-demo", "template", flag_value="demo", help="What `mailweir demo` shows: --template demo.")
@click.option("--force", is_flag=True, help="Into a folder that is not empty: add only the files that are missing.")
@click.option("--list", "list_them", is_flag=True, help="List the templates.")
@click.option("--deploy", type=click.Choice(deployments), help="Add files to the project to run it as a service.")
@common
def init_command(
    values: Common, folder: str, *, template: str, force: bool, list_them: bool, deploy: str | None
) -> int:
    """Make a project in DIR, or in this folder. Asks nothing and overwrites nothing."""
    if list_them:
        return _list(values)
    if deploy is not None:
        return _deploy(values, folder, deploy)
    start = current_folder()
    name = folder.rstrip("/") or folder
    here = Path(name) == Path()
    target = Path(os.path.normpath(values.here / name))
    called = "this folder" if here else f"{name}/"
    files = project_files(projects() / template)
    refuse_what_is_there(target, called, force=force)
    from pipeline.config.files import reason, shown

    try:
        written = add(target, files) if target.is_dir() else make(target, files)
    except OSError as error:
        raise click.UsageError(f"cannot write {called.rstrip('/')}: {reason(error)}. Nothing was written.") from None
    if values.json:
        kept = [path for path in files if path not in written]
        report = {"folder": str(target), "template": template, "written": written, "kept": kept}
        values.out.document({"schema_version": 1, "command": "init", "ok": True, "exit_code": 0, **report})
    for line in _made(called, None if here else shown(target, start), files, written):
        values.out.say(line)
    return 0


def _deploy(values: Common, folder: str, kind: str) -> int:
    """Add files of a kind to a project; those that are there stay as they are."""
    from mailweir import __version__
    from mailweir.deployments import FOLDER, files_for
    from pipeline.config.files import reason

    target = Path(os.path.normpath(values.here / folder))
    if not (target / "mailweir.json").exists() and not any(target.rglob("*.conf.json")):
        raise click.UsageError(f"there is no project in {target}\n  help: mailweir init makes one")
    files = files_for(kind, __version__)
    try:
        written = add(target, files)
    except OSError as error:
        raise click.UsageError(f"cannot write {FOLDER}/: {reason(error)}. Nothing was written.") from None
    kept = [path for path in files if path not in written]
    if values.json:
        report = {"folder": str(target), "deploy": kind, "written": written, "kept": kept}
        values.out.document({"schema_version": 1, "command": "init", "ok": True, "exit_code": 0, **report})
    for path in written:
        values.out.say(f"Wrote {path}")
    for path in kept:
        values.out.say(f"{path} was there and is as it was")
    values.out.say(f"Next: {FOLDER}/{kind}/README.md")
    return 0


def _list(values: Common) -> int:
    found = [(name, _title(name)) for name in templates]
    if values.json:
        listed = [{"name": name, "description": title} for name, title in found]
        values.out.document({"schema_version": 1, "command": "init", "ok": True, "exit_code": 0, "templates": listed})
    else:
        for name, title in found:
            values.out.line(f"{name:<9} {title}")
    return 0


def projects() -> Path:
    """The folder of the example projects: in the installed package, or in the source checkout."""
    package = Path(__file__).parents[1]
    installed = package / "projects"
    return installed if installed.is_dir() else package.parent / "configs"


def _title(template: str) -> str:
    first, *_ = (projects() / template / "README.md").read_text(encoding="utf-8").splitlines()
    return first.removeprefix("# ")


def project_files(example: Path) -> dict[str, bytes]:
    """The files of a new project: path → content. With what makes an editor know the configuration."""
    from mailweir.cli.schema import DEFAULT_OUT, schema_files, uses
    from mailweir.editors import VSCODE, vscode
    from pipeline.config.installed import installed

    found = {
        path.relative_to(example).as_posix(): path.read_bytes()
        for path in sorted(example.rglob("*"))
        if path.is_file() and not _private & set(path.relative_to(example).parts)
    }
    found |= {(DEFAULT_OUT / name).as_posix(): text.encode() for name, text in schema_files(installed()).items()}
    found[VSCODE] = vscode(None, uses(example / DEFAULT_OUT, example)).encode()
    return found


def refuse_what_is_there(target: Path, called: str, *, force: bool = False, advice: str = _elsewhere_or_force) -> None:
    """Wrong use where a new project would meet something."""
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise click.UsageError(f"{called.rstrip('/')} is there and is no folder. Nothing was written.")
    with os.scandir(target) as entries:
        names = [f"{e.name}/" if e.is_dir() else e.name for e in entries if e.name not in _in_nobodys_way]
    there = sorted(names, key=lambda name: (name.startswith("."), name))
    if there and not force:
        named = ", ".join(there[:MOST_NAMED])
        more = f" and {len(there) - MOST_NAMED} more" if len(there) > MOST_NAMED else ""
        raise click.UsageError(f"{called} is not empty ({named}{more}). Nothing was written.\n  help: {advice}")


def make(target: Path, files: Mapping[str, bytes]) -> list[str]:
    """A new folder with the files, whole or not at all; the files written."""
    parents = [folder for folder in target.parents if not folder.exists()]
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.mkdir(parents=True)
        written = add(temporary, files)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        for folder in parents:
            with suppress(OSError):
                folder.rmdir()
        raise
    return written


def add(target: Path, files: Mapping[str, bytes]) -> list[str]:
    """Those of the files that are not there, all of them or none; the files written."""
    written: list[str] = []
    made: list[Path] = []
    try:
        for name, content in files.items():
            path = target / name
            if os.path.lexists(path):
                continue
            missing = [folder for folder in path.parents if not folder.is_dir()]
            for folder in reversed(missing):
                folder.mkdir()
                made.append(folder)
            with path.open("xb") as file:
                made.append(path)
                file.write(content)
            written.append(name)
    except BaseException:
        for path in reversed(made):
            path.rmdir() if path.is_dir() else path.unlink()
        raise
    return written


def _made(called: str, folder: str | None, files: Mapping[str, bytes], written: Sequence[str]) -> list[str]:
    counts = _counts(files)
    what = ", ".join(f"{count} {kind if count == 1 else f'{kind}s'}" for kind, count in counts.items())
    if len(written) < len(files):
        number = f"{len(written)} file{'' if len(written) == 1 else 's'}"
        first = f"Added {number} to {called}; {len(files) - len(written)} were there and are as they were."
    else:
        where = "a project in this folder" if folder is None else called
        first = f"Made {where} with {what}." if what else f"Made {where}: a project to begin from."
    steps = _steps if counts else _first_steps
    width = max(map(len, steps)) + 4
    lines = [first, ""]
    if folder is not None:
        lines.append(f"  cd {shlex.quote(folder)}")
    return [*lines, *(f"  {command:<{width}}{purpose}" for command, purpose in steps.items())]


def _counts(files: Mapping[str, bytes]) -> Counter[str]:
    types = [json.loads(content)["type"] for name, content in files.items() if name.endswith(".conf.json")]
    found = Counter(type_name.split(":")[0] for type_name in types)
    return Counter({kind: found[kind] for kind in ("system", "pipe") if found[kind]})
