"""The verbs, each imported when it is called, and what happens to faults."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any, Final

import click

from mailweir.cli.options import Common, common
from mailweir.cli.out import Out
from mailweir.cli.streams import StreamError

# Verb → module in this package; the command has the verb's name there. Several verbs may share a module.
verbs: Final = {
    "catch": "catch",
    "check": "check",
    "completion": "completion",
    "config": "config",
    "datasets": "datasets",
    "demo": "demo",
    "dev": "dev",
    "discarded": "discarded",
    "doctor": "doctor",
    "dtl": "dtl",
    "explain": "explain",
    "failed": "failed",
    "graph": "graph",
    "health": "status",
    "init": "init",
    "limits": "limits",
    "list": "list",
    "logs": "logs",
    "outbox": "outbox",
    "pause": "pause",
    "preview": "preview",
    "resume": "pause",
    "run": "run",
    "schema": "schema",
    "secret": "secret",
    "send": "send",
    "serve": "serve",
    "send-test": "send_test",
    "spool": "spool",
    "status": "status",
    "tap": "tap",
    "transform": "transform",
    "test": "test",
}
aliases: Final = {"lint": "check", "validate": "check"}


class Verbs(click.Group):
    """A group that imports a verb's module only when the verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs."""
        return sorted(verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb or of an alias."""
        name = aliases.get(cmd_name, cmd_name)
        if name not in verbs:
            return None
        command: click.Command = getattr(
            import_module(f"mailweir.cli.{verbs[name]}"), f"{name.replace('-', '_')}_command"
        )
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but with the near names."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(f"no command '{args[0]}'.{meant(args[0], [*verbs, *aliases])}")
        return super().resolve_command(ctx, args)


def meant(name: str, known: Sequence[str]) -> str:
    """` Did you mean 'x'?`, or nothing."""
    from pipeline.config.near import near

    close = near(name, known, most=3)
    return f" Did you mean {' or '.join(repr(c) for c in close)}?" if close else ""


@click.group(
    cls=Verbs,
    context_settings={"max_content_width": 100},
    invoke_without_command=False,
)
@common
def root(values: Common) -> None:
    """Read entities, transform them, send mail."""


def run(arguments: Sequence[str]) -> int:
    """Run the command; every fault becomes a line and an exit code, and a document where one was asked for."""
    out = Out()
    try:
        return _run(arguments, out)
    except StreamError as error:
        out.fault(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        return 130


def _run(arguments: Sequence[str], out: Out) -> int:
    from pipeline.errors import ConfigError

    try:
        result: Any = root.main(list(arguments), prog_name="mailweir", standalone_mode=False, obj=Common(out))
    except click.exceptions.Abort:
        return 130
    except click.NoSuchOption as error:
        # The command itself knows one option more, which is answered before anything is loaded.
        alone = ["--version"] if error.ctx and error.ctx.parent is None else []
        close = meant(error.option_name, [*alone, *(error.possibilities or [])])
        return _refuse(arguments, out, 2, f"no option '{error.option_name}'.{close}")
    except click.UsageError as error:
        return _refuse(arguments, out, error.exit_code, _sentence(error))
    except click.ClickException as error:
        return _refuse(arguments, out, error.exit_code, error.format_message())
    except ConfigError as error:
        return _refuse(arguments, out, 3, str(error))
    except StreamError:
        raise
    except Exception as error:  # noqa: BLE001 - no traceback may reach a person
        from mailweir.cli.crash import report

        code, text = report(error, out, folder=Path(), verbose=any(a in {"-vv", "--debug"} for a in arguments))
        _document(arguments, out, code, text)
        return code
    return result if isinstance(result, int) else 0


def _refuse(arguments: Sequence[str], out: Out, code: int, text: str) -> int:
    out.fault(f"error: {text}")
    _document(arguments, out, code, text)
    return code


def _document(arguments: Sequence[str], out: Out, code: int, text: str) -> None:
    """The same for programs, if they asked: whoever reads documents gets one whatever happens."""
    words = list(takewhile(lambda word: word != "--", arguments))
    if not {"--json", "--format=json"} & {*words} and ("--format", "json") not in pairwise(words):
        return
    message, *more = (line.strip() for line in text.split("\n"))
    notes = [line.split(": ", 1) for line in more if line.startswith(("help: ", "note: "))]
    rest = [line for line in more if line and not line.startswith(("help: ", "note: "))]
    head = {"schema_version": 1, "command": _command(words), "ok": False, "exit_code": code}
    told = [{"kind": kind, "text": words} for kind, words in notes]
    out.record({**head, "error": " ".join([message, *rest]), "notes": told})


def _command(words: Sequence[str]) -> str | None:
    """The verb among the words of the command line, which may not have been understood."""
    from mailweir.cli.grammar import common as options

    waiting = iter(words)
    for word in waiting:
        if options.get(word) is not None:
            next(waiting, None)
        elif not word.startswith("-"):
            name = aliases.get(word, word)
            return name if name in verbs else None
    return None


def _sentence(error: click.UsageError) -> str:
    text = error.format_message().rstrip(".")
    text = text[0].lower() + text[1:] if text[:1].isupper() and not text[:2].isupper() else text
    # What a verb refuses names its own way out; what click refuses is explained by the page of the verb.
    by_click = type(error) is not click.UsageError and error.ctx is not None and error.ctx.parent is not None
    return f"{text}\n  help: {error.ctx.command_path} --help" if by_click and error.ctx else text
