"""`mailweir config`: the configuration that is kept in a database: taken in, given out, what it was, and back to it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailweir.cli.group import meant
from mailweir.cli.ledgers import now, zone
from mailweir.cli.lines import table
from mailweir.cli.loading import counted
from mailweir.cli.options import Common, common
from mailweir.cli.queues import NotUsableError

if TYPE_CHECKING:
    from mailweir.configuration.desk import Desk, RefusedChangeError, Wanted
    from pipeline.config.settings import Settings
    from pipeline.config.store import ConfigStore

_SETTING = '{"config_source": "database"}'


@click.group(
    "config",
    invoke_without_command=True,
    epilog="""\b
Examples:
  mailweir config import                         the files of this project, as one change
  mailweir config history                        who changed what, and when
  mailweir config diff 3                         what has changed since change 3
  mailweir config rollback 3                     as it was after change 3
  mailweir config export backup                  files again""",
)
@common
def config_command(_: Common) -> None:
    """Look after a configuration that is kept in a database (`"config_source": "database"` in mailweir.json)."""
    if click.get_current_context().invoked_subcommand is None:
        raise click.UsageError("say what to do: mailweir config import, export, history, diff or rollback")


@config_command.command(
    "import",
    epilog="""\b
Examples:
  mailweir config import                         all systems and pipes of this project
  mailweir config import pipes/welcome.conf.json -m "Write to new customers too"
  mailweir config import --prune                 and remove what no file has
  mailweir config import --dry-run               what would change""",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--prune", is_flag=True, help="Remove components that are in none of these files.")
@click.option("-m", "--message", default="", metavar="TEXT", help="Why, for the history.")
@click.option("--dry-run", is_flag=True, help="Check it and show what would change.")
@common
def import_command(values: Common, paths: Sequence[str], *, prune: bool, message: str, dry_run: bool) -> int:
    """Take components out of files into the database, as one change.

    They are checked as files are, together with what is there already; with an error nothing is stored. Texts are kept
    byte for byte, and references stay references. Exits with 1 when it is refused.
    """
    from mailweir.configuration.desk import Wanted, who
    from mailweir.configuration.texts import Part, parts_of
    from pipeline.config.files import is_file, is_folder, read_document, search, shown

    desk = _desk(values)
    given = [_path(values.here, text) for text in paths] or [desk.root]
    exclude = _settings(desk.root).exclude
    files = [path for one in given for path in (search(one, exclude).files if is_folder(one) else [one])]
    parts: dict[str, Part] = {}
    for path in dict.fromkeys(files):
        if not is_file(path):
            raise click.UsageError(f"no file or folder '{shown(path, values.here)}'")
        document = read_document(path, shown(path, values.here))
        for part in parts_of(document, path.read_bytes()):
            if part.id in parts:
                raise click.UsageError(f"'{part.id}' is in {parts[part.id].name} and in {part.name}")
            parts[part.id] = part
    if not parts:
        raise click.UsageError("no configuration in these files (looked for *.conf.json)")
    edits: dict[str, bytes | None] = {part.id: part.data for part in parts.values()}
    if prune:
        edits |= dict.fromkeys(desk.now().components.keys() - parts.keys())
    wanted = Wanted(edits, who(), message, names={part.id: part.name for part in parts.values()})
    return _carried_out(values, desk, wanted, "import", dry_run=dry_run)


@config_command.command(
    "export",
    epilog="""\b
Examples:
  mailweir config export backup                  systems/ and pipes/ in the folder backup
  mailweir config export old --at 3              as it was after change 3
  mailweir config export --json                  for a program, with everything in it""",
)
@click.argument("folder", required=False, metavar="[FOLDER]", type=click.Path(path_type=Path))
@click.option("--at", type=click.IntRange(min=0), metavar="CHANGE", help="As it was after this change.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@common
def export_command(values: Common, folder: Path | None, *, at: int | None, force: bool) -> int:
    """Write the components of the database to files, byte for byte as they were given."""
    from mailweir.configuration.texts import file_of
    from pipeline.config.files import reason
    from pipeline.config.mask import masked, secret_spans
    from pipeline.config.text import read

    with _look(values) as store:
        found = _at(store, at)
    texts = {file_of(data, ident): data for ident, data in found.items()}
    if values.json:
        documents = {name: read(data, name) for name, data in texts.items()}
        shown = {name: masked(one.text, secret_spans(one)) for name, one in documents.items()}
        _document(values, "export", change=at, files=shown)
        return 0
    if folder is None:
        raise click.UsageError("name the folder to write to: mailweir config export FOLDER")
    target = values.here / folder
    there = [name for name, data in texts.items() if _other(target / name, data)]
    if there and not force:
        raise click.UsageError(f"{', '.join(there[:3])} in {folder} would be changed; add --force")
    for name, data in texts.items():
        try:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(data)
        except OSError as error:
            raise click.UsageError(f"cannot write {folder / name}: {reason(error)}") from None
    values.out.say(f"Wrote {counted(len(texts), 'file')} to {folder}")
    return 0


@config_command.command(
    "history",
    epilog="""\b
Examples:
  mailweir config history                        the latest changes
  mailweir config history our-smtp-server        the versions of one component
  mailweir config history --json""",
)
@click.argument("component", required=False, metavar="[COMPONENT]")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="The latest N.")
@common
def history_command(values: Common, component: str | None, limit: int) -> int:
    """Show who changed what, and when, the latest first. Changes nothing."""
    from mailweir.configuration.texts import change_facts, words
    from mailweir.shown import time_of

    with _look(values) as store:
        if component is not None:
            _known(store, [component])
        found = store.history(limit, id=component)
    if values.json:
        _document(values, "history", changes=[change_facts(one) for one in found])
        return 0
    at, here = now(), zone()
    rows = [(str(one.number), time_of(one.at, at, here), one.who, words(one), one.about) for one in found]
    for line in table([("CHANGE", "WHEN", "WHO", "WHAT", "WHY"), *rows]):
        values.out.line(line)
    return 0


@config_command.command(
    "diff",
    epilog="""\b
Examples:
  mailweir config diff                           the last change
  mailweir config diff 3                         all that has changed since change 3
  mailweir config diff 3 5                       from change 3 to change 5
  mailweir config diff --files                   what files of this project say otherwise""",
)
@click.argument("first", required=False, type=click.IntRange(min=0), metavar="[FROM]")
@click.argument("last", required=False, type=click.IntRange(min=0), metavar="[TO]")
@click.option("--files", is_flag=True, help="From the database to the files of this project.")
@common
def diff_command(values: Common, first: int | None, last: int | None, *, files: bool) -> int:
    """Show what changed, as a unified diff in which secrets are masked. Changes nothing."""
    from mailweir.configuration.texts import diff, parts_of
    from pipeline.config.files import read_document, search

    if files and first is not None:
        raise click.UsageError("`--files` looks at how it is now: leave the numbers out")
    with _look(values) as store:
        newest = store.snapshot().number
        upto = newest if last is None else last
        before = _at(store, newest if files else max(0, upto - 1) if first is None else first)
        after = _at(store, upto)
    if files:
        root = _root(values)
        paths = search(root, _settings(root).exclude).files
        after = {
            one.id: one.data for path in paths for one in parts_of(read_document(path, path.name), path.read_bytes())
        }
    text = diff(before, after)
    if values.json:
        _document(values, "diff", diff=text)
    elif text:
        values.out.line(text)
    else:
        values.out.say("No difference")
    return 0


@config_command.command(
    "rollback",
    epilog="""\b
Examples:
  mailweir config rollback 3                     everything, as it was after change 3
  mailweir config rollback 3 our-smtp-server     this component alone
  mailweir config rollback 3 --dry-run           what would change""",
)
@click.argument("number", type=click.IntRange(min=0), metavar="CHANGE")
@click.argument("components", nargs=-1, metavar="[COMPONENT]...")
@click.option("-m", "--message", default="", metavar="TEXT", help="Why, for the history.")
@click.option("--dry-run", is_flag=True, help="Check it and show what would change.")
@common
def rollback_command(values: Common, number: int, components: Sequence[str], *, message: str, dry_run: bool) -> int:
    """Make the configuration what it was after a change: as a new change, which is checked as any other.

    Exits with 1 when it is refused.
    """
    from mailweir.configuration.desk import who

    desk = _desk(values)
    with _look(values) as store:
        _known(store, components)
        _at(store, number)
        wanted = desk.back_to(store, number, components, who(), message)
    return _carried_out(values, desk, wanted, "rollback", dry_run=dry_run)


def _carried_out(values: Common, desk: Desk, wanted: Wanted, verb: str, *, dry_run: bool) -> int:
    """Store a change, or say why not."""
    from mailweir.configuration.desk import ConflictError, RefusedChangeError
    from mailweir.configuration.texts import change_facts, diff, words
    from pipeline.config.store import StoreError

    try:
        if dry_run:
            made = desk.candidate(wanted)
            values.out.scrubber = made.loaded.project.scrubber
            before = made.based.texts
            after = {ident: data for ident, data in {**before, **made.edits}.items() if data is not None}
            text = diff(before, after)
            if values.json:
                _document(values, verb, dry_run=True, diff=text)
            elif text:
                values.out.line(text)
            else:
                values.out.say("Nothing would change")
            return 0
        change = desk.change(wanted)
    except RefusedChangeError as error:
        return _refused(values, verb, error)
    except ConflictError as error:
        raise click.UsageError(f"somebody else changed it meanwhile: {error}") from None
    except StoreError as error:
        raise NotUsableError(str(error)) from None
    if values.json:
        _document(values, verb, dry_run=False, change=None if change is None else change_facts(change))
    if change is None:
        values.out.say("Nothing to change: the database says the same")
    else:
        values.out.say(f"Change {change.number}: {words(change)}")
    if _settings(desk.root).config_source != "database":
        values.out.say(f"note: files are read until mailweir.json says {_SETTING}")
    return 0


def _refused(values: Common, verb: str, error: RefusedChangeError) -> int:
    """What is wrong with what was wanted, as `check` tells it."""
    from pipeline.config.formats import as_json
    from pipeline.config.show import render

    project = error.loaded.project
    values.out.scrubber = project.scrubber
    if values.json:
        report = as_json(error.problems, project.texts, masks=project.masks, scrubber=project.scrubber)
        _document(values, verb, 1, diagnostics=report["diagnostics"])
        return 1
    stream = values.out.stderr
    width, color = values.out.width(stream), values.out.colors(stream)
    shown = render(
        error.problems, project.texts, width=width, color=color, masks=project.masks, scrubber=project.scrubber
    )
    values.out.fault(shown.rstrip())
    values.out.fault(f"\n{counted(len(error.problems), 'error')}. Nothing was stored")
    return 1


def _root(values: Common) -> Path:
    from pipeline.config.load import project_root

    return project_root(values.here)


def _desk(values: Common) -> Desk:
    from mailweir.configuration.desk import Desk
    from pipeline.clock import MachineClock

    return Desk(_root(values), values.loading, MachineClock())


def _look(values: Common) -> _Store:
    return _Store(_desk(values))


class _Store:
    """The database for as long as a verb looks into it; what is wrong with it is told as the verbs do."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __enter__(self) -> ConfigStore:
        from pipeline.config.store import StoreError

        try:
            self._open = self._desk.look()
        except StoreError as error:
            raise NotUsableError(f"{error}\n  help: mailweir config import") from None
        return self._open

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        from pipeline.config.store import StoreError

        self._open.__exit__()
        if isinstance(error, StoreError):
            raise NotUsableError(str(error)) from None


def _settings(root: Path) -> Settings:
    from pipeline.config.files import SETTINGS, is_file, read_document
    from pipeline.config.settings import Settings, settings_of

    # Faults of the file are for `check` to tell.
    return settings_of(read_document(root / SETTINGS, SETTINGS))[0] if is_file(root / SETTINGS) else Settings()


def _at(store: ConfigStore, number: int | None) -> dict[str, bytes]:
    """The components after a change."""
    found = store.snapshot(number)
    if number is not None and number > found.number:
        raise click.UsageError(f"there is no change {number}; the last one is {found.number}")
    return found.texts


def _known(store: ConfigStore, names: Sequence[str]) -> None:
    known = list(store.versions())
    for name in names:
        if name not in known:
            raise click.UsageError(f"no component '{name}' was ever in the database.{meant(name, known)}")


def _path(here: Path, text: str) -> Path:
    return Path(os.path.normpath(here / text))


def _other(path: Path, data: bytes) -> bool:
    """Whether a file is there and has something else in it."""
    try:
        return path.read_bytes() != data
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _document(values: Common, verb: str, code: int = 0, **facts: object) -> None:
    head = {"schema_version": 1, "command": "config", "verb": verb, "ok": code == 0, "exit_code": code}
    if values.json:
        values.out.document({**head, **facts})
