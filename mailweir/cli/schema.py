"""`mailweir schema`: JSON Schemas of the configuration, and the settings that make an editor use them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mailweir.cli.loading import registry_here
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from mailweir.editors import Use
    from pipeline.config.registry import Registry

DEFAULT_OUT: Final = Path(".mailweir/schema")
_uses: Final = (
    ("component.schema.json", "Mailweir components", ("*.conf.json", "nodeconfig.json")),
    ("project.schema.json", "Mailweir project", ("mailweir.json",)),
    ("test.schema.json", "Mailweir tests", ("expected/*.test.json",)),
)


@click.command(
    "schema",
    epilog="""\b
Examples:
  mailweir schema                       write the schemas, and map them in .vscode/settings.json
  mailweir schema --editor jetbrains    map them in .idea/jsonSchemas.xml
  mailweir schema --out schemas --editor none""",
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to write. Default: .mailweir/schema."
)
@click.option(
    "--editor",
    type=click.Choice(["vscode", "jetbrains", "none"]),
    default="vscode",
    show_default=True,
    help="Whose settings to change.",
)
@common
def schema_command(values: Common, *, out: Path | None, editor: str) -> int:
    """Write JSON Schemas for the configuration, and tell an editor to use them.

    The editor then offers properties and values, shows what they mean, and marks what is wrong while it is typed.
    """
    from pipeline.config.files import shown
    from pipeline.config.load import project_root

    root = project_root(values.here)
    folder = Path(os.path.normpath(values.here / out)) if out else root / DEFAULT_OUT
    written = []
    for name, text in schema_files(registry_here(values.here)).items():
        written.append(shown(folder / name, values.here))
        write(folder / name, text, str(out or DEFAULT_OUT))
    report: dict[str, object] = {"files": written, "editor": editor}
    said = [f"Wrote {' and '.join(written)}"]
    if editor != "none":
        said += _map(editor, root, folder, values.here, report)
    if values.json:
        values.out.document({"schema_version": 1, "command": "schema", "ok": True, "exit_code": 0, **report})
    for line in said:
        values.out.say(line)
    return 0


def schema_files(registry: Registry) -> Mapping[str, str]:
    """The schemas: file name → text."""
    from mailweir.json_schema import component_schema, project_schema, schema_of_tests

    schemas = (component_schema(registry), project_schema(), schema_of_tests())
    return {
        name: json.dumps(schema, ensure_ascii=False, indent=1) + "\n"
        for (name, _, _), schema in zip(_uses, schemas, strict=True)
    }


def uses(folder: Path, root: Path) -> list[Use]:
    """Which schema in `folder` is for which files of the project in `root`."""
    from mailweir.editors import Use

    inside = folder.is_relative_to(root)
    place = folder.relative_to(root).as_posix() if inside else folder.as_posix()
    return [Use(title, f"{place}/{name}", patterns) for name, title, patterns in _uses]


def _map(editor: str, root: Path, folder: Path, here: Path, report: dict[str, object]) -> list[str]:
    """Change the editor's settings, or say what to add to them."""
    from mailweir import editors
    from pipeline.config.files import shown

    path = root / (editors.VSCODE if editor == "vscode" else editors.JETBRAINS)
    name = shown(path, here)
    merge: editors.Merge = editors.vscode if editor == "vscode" else editors.jetbrains
    wanted = uses(folder, root)
    report["settings"] = name
    try:
        before = _text(path)
        after = merge(before, wanted)
    except editors.UnmergeableError as reason:
        alone = merge(None, wanted)
        report |= {"mapped": False, "add": json.loads(alone) if editor == "vscode" else alone}
        return [f"{name} is left as it is: {reason}. Add this to it:", "", alone.rstrip("\n")]
    report["mapped"] = True
    if after == before:
        return [f"{name} maps them already"]
    write(path, after, name)
    return [f"{name} maps {', '.join(pattern for use in wanted for pattern in use.patterns)} to them"]


def _text(path: Path) -> str | None:
    from mailweir.editors import UnmergeableError
    from pipeline.config.files import reason

    try:
        # Line ends are kept: `read_text` would lose them.
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise UnmergeableError("it is not UTF-8") from None
    except OSError as error:
        raise UnmergeableError(f"it cannot be read ({reason(error)})") from None


def write(path: Path, text: str, name: str) -> None:
    """Write a whole file or nothing; `name` is what a refusal speaks of."""
    from pipeline.config.files import reason

    data = text.encode()
    try:
        if path.is_file() and path.read_bytes() == data:
            return
        target = Path(os.path.realpath(path))  # unlike `resolve`, it ends in a circle of links
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            temporary.write_bytes(data)
            if target.exists():
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise click.UsageError(f"cannot write {name}: {reason(error)}") from None
