"""What `mailweir check` does: check, repair, report, watch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from mailweir.cli.checking import Checked, check_paths
from mailweir.cli.options import Common
from mailweir.cli.repairing import Plan, diff, plan, write_files
from mailweir.cli.report import write
from mailweir.cli.streams import taken
from mailweir.codes import names
from pipeline.config.load import Options, project_root
from pipeline.config.others import holds_values
from pipeline.config.selection import meant, names_codes


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for, as on the command line."""

    paths: Sequence[str]
    fix: bool
    show_diff: bool
    style: str | None
    take_env: bool
    take_secrets: bool
    strict: bool
    select: Sequence[str]
    ignore: Sequence[str]
    watch: bool
    stdin_name: Path | None

    @property
    def codes(self) -> tuple[Sequence[str], Sequence[str]]:
        """The codes to report, and those to leave out."""
        return _codes(self.select), _codes(self.ignore)


def run_check(values: Common, wish: Wish) -> int:
    """Carry it out and answer the exit code."""
    style = _style(values, wish)
    options = values.loading(take_env=wish.take_env, take_secrets=wish.take_secrets)
    if "-" in wish.paths:
        if len(wish.paths) > 1 or wish.watch:
            raise click.UsageError("`-` stands alone: standard input is one file")
        return _standard_input(values, options, wish, style)
    wanted = _paths(wish.paths, values.here) if wish.paths else [_project(values)]

    def again(repaired: Mapping[Path, bytes]) -> Checked:
        checked = check_paths(wanted, replace(options, replaced=repaired), *wish.codes)
        values.out.scrubber = checked.scrubber
        return checked

    def once() -> int:
        checked = again({})
        if not checked.files and any(one.settings.config_source == "database" for one in checked.loaded):
            raise click.UsageError("the database of the configuration is empty\n  help: mailweir config import PATH")
        if not checked.files:
            raise click.UsageError(f"no configuration in {_here(wish.paths)} (looked for *.conf.json)")
        made = plan(checked, again) if wish.fix or wish.show_diff else None
        if made and not wish.show_diff:
            write_files(made, values.out)
            checked = made.checked
        return _report(checked, made, values, wish, style)

    if not wish.watch:
        return once()
    from mailweir.cli.watch import watching  # watchfiles is needed here only

    return watching(once, wanted, values.out)


def _style(values: Common, wish: Wish) -> str:
    """The format; the one for annotations is not taken by itself where something else goes to standard output."""
    given = "json" if values.json else wish.style
    if values.json and wish.style not in {None, "json"}:
        raise click.UsageError(f"`--json` and `--format {wish.style}` are two formats: ask for one")
    if wish.watch and given in {"junit", "sarif"}:
        raise click.UsageError(f"`--watch` reports again and again, and {given} is one report: use json or concise")
    if "-" in wish.paths and wish.fix and not wish.show_diff and given not in {None, "full"}:
        raise click.UsageError(
            "`check - --fix` writes the repaired text to standard output, so it goes without a format"
        )
    if wish.show_diff and given not in {None, "full", "json"}:
        raise click.UsageError("`--diff` is for the formats full and json")
    alone = not wish.show_diff and not ("-" in wish.paths and wish.fix)
    return given or ("github" if alone and os.environ.get("GITHUB_ACTIONS") else "full")


def _report(checked: Checked, made: Plan | None, values: Common, wish: Wish, style: str) -> int:
    if made and wish.show_diff and style == "full" and made.after:
        values.out.line(diff(made))
    write(checked, style, values.out, strict=wish.strict, made=made, many=wish.watch)
    return checked.exit_code(strict=wish.strict)


def _project(values: Common) -> Path:
    """The whole project around this folder; said when it begins elsewhere."""
    root = project_root(values.here)
    if root != values.here:
        values.out.say(f"the project begins in {root}")
    return root


def _here(paths: Sequence[str]) -> str:
    return ", ".join(paths) if paths else "this folder"


def _codes(given: Sequence[str]) -> tuple[str, ...]:
    """The codes in an option; one that is none would have no effect in silence."""
    wanted = [code.strip().upper() for codes in given for code in codes.split(",") if code.strip()]
    for code in wanted:
        if not names_codes(code, names()):
            close = meant(code, names())
            what = f"Did you mean {' or '.join(repr(one) for one in close)}?" if close else "Codes: mailweir list codes"
            raise click.UsageError(f"no code '{code}'. {what}")
    return tuple(wanted)


def _paths(given: Iterable[str], here: Path) -> list[Path]:
    found: list[Path] = []
    for text in given:
        path = Path(os.path.normpath(here / text))
        if os.path.lexists(path):
            found.append(path)
        elif any(sign in text for sign in "*?["):
            matched = sorted(here.glob(text)) if not Path(text).is_absolute() else []
            if not matched:
                raise click.UsageError(f"nothing matches '{text}'")
            found += matched
        else:
            raise click.UsageError(f"no file or folder '{text}'")
    return found


def _standard_input(values: Common, options: Options, wish: Wish, style: str) -> int:
    path = Path(os.path.normpath(values.here / (wish.stdin_name or "<stdin>")))
    if holds_values(path):
        raise click.UsageError(f"standard input cannot stand for values: check the file {path.name}")
    given = taken()

    def again(repaired: Mapping[Path, bytes]) -> Checked:
        checked = check_paths([path], replace(options, replaced={path: given, **repaired}), *wish.codes)
        # Only this text is ours to change; what else has faults stands in files.
        checked.repair_only(checked.files)
        values.out.scrubber = checked.scrubber
        return checked

    checked = again({})
    made = plan(checked, again) if wish.fix or wish.show_diff else None
    if made and not wish.show_diff:
        values.out.data(made.after.get(checked.files[0], given))
        checked = made.checked
    return _report(checked, made, values, wish, style)
