"""`mailweir preview`: the mails of a pipe as they would be. Nothing is sent and nothing is stored."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from mailweir.cli.loading import counted, errors, load_here, look_for_pipes
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from pathlib import Path

    from mailweir.previewing import Shown
    from pipeline.component import Source
    from pipeline.config.load import Loaded

formats = ("text", "html", "eml", "json")


@click.command(
    "preview",
    epilog="""\b
Examples:
  mailweir preview welcome-mail
  mailweir preview welcome-mail --id c2 --open
  mailweir preview welcome-mail --n 3 --format json
  echo '{"_id": "x", "email": "a@example.com"}' | mailweir preview welcome-mail --entity -""",
)
@click.argument("pipe")
@click.option("--entity", metavar="FILE", help="Entities for the pipe, JSON or JSON Lines; `-` is standard input.")
@click.option("--id", "wanted", metavar="ID", help="The mail of this entity of the source.")
@click.option("--n", "most", type=click.IntRange(1, 1000), default=1, metavar="N", help="How many mails. Default: 1.")
@click.option("--format", "style", type=click.Choice(formats), default="text", help="How to show them. Default: text.")
@click.option("--open", "opens", is_flag=True, help="Write a page and open it in the browser.")
@click.option("--watch", is_flag=True, help="Show them again after every change.")
@click.option("--strict", is_flag=True, help="Exit with 1 also when there is a warning.")
@common
def preview_command(
    values: Common,
    pipe: str,
    *,
    entity: str | None,
    wanted: str | None,
    most: int,
    style: str,
    opens: bool,
    watch: bool,
    strict: bool,
) -> int:
    """Show the mails of PIPE as they would be, made by the real sink. Opens no connection and changes no state.

    Entities come from --entity, from testdata/PIPE.json, or from the pipe's source. Exits with 0; 1 when a mail would
    be rejected; 2 for wrong use; 3 when the configuration does not load.
    """
    if values.json:
        style = "json"
    if style == "eml" and most > 1:
        raise click.UsageError("--format eml shows one mail")
    if watch and entity == "-":
        raise click.UsageError("--watch cannot read standard input again")

    from mailweir.cli.logged import logged

    def once() -> int:
        loaded = load_here(values, take_secrets=True)
        look_for_pipes(loaded, (pipe,))
        faults = errors(loaded)
        if faults:
            values.out.fault(f"error: the configuration has {counted(len(faults), 'error')}. See: mailweir check")
            return 3
        with logged(values):
            shown = _shown(loaded, pipe, entity, wanted, most)
        if opens:
            _open(values, loaded, pipe, shown)
        return _tell(values, loaded, pipe, shown, style, strict=strict, quiet=opens)

    if watch:
        from mailweir.cli.watch import watching

        return watching(once, [values.here], values.out)
    return once()


def _shown(loaded: Loaded, pipe: str, entity: str | None, wanted: str | None, most: int) -> Shown:
    from mailweir.previewing import CannotPreviewError, preview
    from mailweir.systems_of import Systems
    from pipeline.errors import SourceError, UnusableError
    from pipeline.run import FlowError, Wanted

    try:
        source = None if entity is None else source_of(entity)
        return preview(loaded, Systems(loaded), pipe, source, Wanted(wanted), most)
    except (CannotPreviewError, UnusableError) as error:
        raise click.UsageError(str(error)) from None
    except FlowError as error:
        raise click.UsageError(f"entity `{error.entity_id}`: {error.text}") from None
    except SourceError as error:
        raise click.UsageError(f"the source cannot be read: {error}") from None


def source_of(entity: str) -> Source:
    """Entities of a file or of standard input."""
    import sys
    from io import BytesIO
    from pathlib import Path

    from sources.json_file import JsonStream

    if entity == "-":
        return JsonStream(sys.stdin.buffer, "standard input")
    try:
        return JsonStream(BytesIO(Path(entity).read_bytes()), entity)
    except OSError as error:
        raise click.UsageError(f"--entity: {entity}: {error.strerror}") from None


def _tell(values: Common, loaded: Loaded, pipe: str, shown: Shown, style: str, *, strict: bool, quiet: bool) -> int:
    from mailweir.cli import preview_show as show
    from mailweir.located import located

    out, mails = values.out, shown.mails
    refused = any(show.is_rejected(one) for one in mails)
    warned = any(one.notes for one in mails) or bool(shown.warnings)
    code = 1 if refused or (strict and warned) else 0
    if style == "json":
        head = {"schema_version": 1, "command": "preview", "ok": code == 0, "exit_code": code, "pipe": pipe}
        out.document({**head, "mails": [show.facts(one, shown.warnings) for one in mails]})
        return code
    for place, one in enumerate(mails):
        if one.problem is not None:
            out.fault(show.rejected(one))
            for line in located(loaded, one.problem, width=out.width(out.stderr), color=out.colors(out.stderr)):
                out.fault(line)
        elif quiet:
            continue
        elif style == "eml":
            out.data(one.new.content)
        elif style == "html":
            out.line(show.body_html(one))
        else:
            if place:
                out.line()
            for line in show.text(one, shown.warnings):
                out.line(line)
    return code


def _open(values: Common, loaded: Loaded, pipe: str, shown: Shown) -> None:
    """Write a page for the browser, readable by its owner alone, and open it."""
    import webbrowser

    from mailweir.cli.preview_show import page

    path = _written(loaded.root, pipe, page(pipe, shown.mails, shown.warnings))
    values.out.say(f"Page: {path}")
    with suppress(webbrowser.Error, OSError):
        webbrowser.open(path.as_uri())


def _written(root: Path, pipe: str, text: str) -> Path:
    import os

    folder = root / ".mailweir" / "preview"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{pipe.replace(':', '_')}.html"
    partial = folder / f".{path.name}.{os.getpid()}"
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode("utf-8", "replace"))
    partial.replace(path)
    return path
