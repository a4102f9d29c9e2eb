"""`mailweir serve`: pipes by the clock, until a signal ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from mailweir.cli.asking import seconds_of
from mailweir.cli.loading import counted as number_of
from mailweir.cli.loading import errors, load_here
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from pipeline.config.load import Loaded

LEVELS = ("debug", "info", "warning", "error")


@click.command(
    "serve",
    epilog="""\b
Examples:
  mailweir serve --no-ui                         until Ctrl-C or SIGTERM
  mailweir serve --no-ui --log-format json       for a program that collects logs
  mailweir status                                how it is, from another terminal""",
)
@click.option("--no-ui", is_flag=True, help="Serve without pages; there are none yet, so it must be said.")
@click.option("--drain-timeout", default="30s", show_default=True, metavar="SPAN",
              help="How long runs may take to come to their end when it is stopped.")  # fmt: skip
@click.option("--no-reload", is_flag=True, help="Read the configuration again at SIGHUP only, not when a file changes.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", help="Lines for people or programs.")
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True, help="The least to tell.")
@common
def serve_command(
    values: Common,
    *,
    no_ui: bool,
    drain_timeout: str,
    no_reload: bool,
    log_format: Literal["text", "json"],
    log_level: str,
) -> int:
    """Run pipes when their pumps say so, and send what waits in the outbox, until SIGTERM or Ctrl-C.

    The first signal lets what is on its way come home; a second one ends it at once, which loses nothing. A changed
    configuration is served as soon as it has no errors; until then the last good one goes on. The profile is `prod`
    unless --profile says otherwise. Exits with 0 when it was stopped; 2 for wrong use; 3 when it cannot be served.
    """
    import asyncio
    import logging
    import random
    from pathlib import Path

    from mailweir.cli.queues import NotUsableError
    from mailweir.destination import banner
    from mailweir.running import Asked, Run
    from mailweir.serving.config import BadConfigError
    from mailweir.serving.log import logging_to
    from mailweir.serving.process import attended, end_now
    from mailweir.serving.service import Options, Service
    from mailweir.systems_of import NoSystemError
    from pipeline.clock import MachineClock
    from pipeline.state import place
    from pipeline.state.faults import StateError

    if not no_ui:
        raise click.UsageError("there are no pages to serve yet\n  help: write `mailweir serve --no-ui`")
    drain = seconds_of("--drain-timeout", drain_timeout)
    out = values.out

    def load() -> Loaded:
        return _loaded(values)

    try:
        first = load()
        options = Options(Path(first.root) / ".mailweir", MachineClock(), random.random, drain)
        service = Service(load, options)
        if log_format == "text":
            for line in banner(first, Run(first, Asked())):
                out.say(line)
        place.prepare(options.state)
        level = logging.getLevelNamesMapping()[log_level.upper()]
        with logging_to(options.state, options.name, out.fault, lambda: out.scrubber, style=log_format, level=level):
            left = asyncio.run(attended(service, None if no_reload else Path(first.root)))
    except (BadConfigError, NoSystemError) as error:
        raise NotUsableError(str(error)) from None
    except StateError as error:
        raise NotUsableError(error.text + (f"\n  help: {error.advice}" if error.advice else "")) from None
    if left:
        end_now(0)
    return 0


def _loaded(values: Common) -> Loaded:
    from mailweir.serving.config import BadConfigError
    from pipeline.config.show import concise

    before = values.out.scrubber
    try:
        loaded = load_here(values, take_secrets=True, default_profile="prod")
    except click.UsageError as error:
        # The last file was moved away, most likely on its way to being replaced.
        raise BadConfigError(error.format_message()) from None
    finally:
        # What was secret stays so: runs that go on may tell of it.
        values.out.scrubber.update(before)
    faults = errors(loaded)
    if faults:
        project = loaded.project
        shown = concise(faults[:1], project.texts, masks=project.masks, scrubber=project.scrubber)
        raise BadConfigError(f"the configuration has {number_of(len(faults), 'error')}: {shown}. See: mailweir check")
    return loaded
