"""`mailweir serve`: pipes by the clock, until a signal ends it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from mailweir.cli.asking import seconds_of
from mailweir.cli.loading import counted as number_of
from mailweir.cli.loading import errors, load_here
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from mailweir.web.open import Opening
    from pipeline.config.load import Loaded
    from pipeline.config.load import Options as Loading

ROLES = ("all", "scheduler", "sender", "web")
LEVELS = ("debug", "info", "warning", "error")


@click.command(
    "serve",
    epilog="""\b
Examples:
  mailweir serve                         until Ctrl-C or SIGTERM
  mailweir serve --no-http               pipes and mail only, nothing listens
  mailweir serve --role web              pages and HTTP; another process on this machine runs the pipes
  mailweir serve --log-format json       for a program that collects logs
  mailweir status                        how it is, from another terminal
  curl -H "Authorization: Bearer $(cat .mailweir/token)" http://127.0.0.1:8420/metrics""",
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where HTTP is answered.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8420, show_default=True, help="0 takes a free one.")
@click.option("--allowed-host", "hosts", multiple=True, metavar="NAME",
              help="A further name that requests may ask for; may be repeated.")  # fmt: skip
@click.option("--auth-file", type=click.Path(path_type=Path), metavar="FILE",
              help="Tokens of others, with their roles and pipes.")  # fmt: skip
@click.option("--tls-cert", type=click.Path(path_type=Path), metavar="FILE", help="The certificate, with its chain.")
@click.option("--tls-key", type=click.Path(path_type=Path), metavar="FILE", help="Its key.")
@click.option(
    "--behind-proxy", is_flag=True, help="A proxy in front of it speaks TLS, so any address may be listened on."
)
@click.option("--no-http", is_flag=True, help="Listen nowhere.")
@click.option("--no-ui", is_flag=True, help="Without pages for browsers.")
@click.option("--drain-timeout", default="30s", show_default=True, metavar="SPAN",
              help="How long runs may take to come to their end when it is stopped.")  # fmt: skip
@click.option("--role", "roles", multiple=True, type=click.Choice(ROLES), default=["all"], show_default=True,
              help="What it does: runs pipes, sends what waits, answers HTTP. Repeatable.")  # fmt: skip
@click.option("--reload/--no-reload", "reloads", default=True, show_default=True,
              help="Read the configuration again when a file changes; at SIGHUP it is read in any case.")  # fmt: skip
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", help="Lines for people or programs.")
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True, help="The least to tell.")
@common
def serve_command(
    values: Common,
    *,
    host: str,
    port: int,
    hosts: tuple[str, ...],
    auth_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    behind_proxy: bool,
    no_http: bool,
    no_ui: bool,
    drain_timeout: str,
    roles: tuple[str, ...],
    reloads: bool,
    log_format: Literal["text", "json"],
    log_level: str,
) -> int:
    """Run pipes when their pumps say so, send what waits in the outbox, and answer HTTP, until SIGTERM or Ctrl-C.

    The first signal lets what is on its way come home; a second one ends it at once, which loses nothing. A changed
    configuration is served as soon as it has no errors; until then the last good one goes on. The profile is `prod`
    unless --profile says otherwise. Requests need the token in .mailweir/token, or one of --auth-file; only this
    machine is listened to unless --host says otherwise. Exits with 0 when it was stopped; 2 for wrong use; 3 when it
    cannot be served.
    """
    import asyncio
    import logging
    import os
    import random

    from mailweir.cli.queues import NotUsableError
    from mailweir.destination import banner
    from mailweir.running import Asked, Run
    from mailweir.serving.config import BadConfigError
    from mailweir.serving.log import logging_to
    from mailweir.serving.process import attended, end_now
    from mailweir.serving.service import ROLES as ALL_ROLES
    from mailweir.serving.service import Options, Service
    from mailweir.serving.supervised import Supervisor
    from mailweir.systems_of import NoSystemError
    from mailweir.web.faults import CannotListenError
    from pipeline.clock import MachineClock
    from pipeline.state import place
    from pipeline.state.faults import StateError

    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("a certificate and its key come together: --tls-cert FILE --tls-key FILE")
    wanted_roles = ALL_ROLES if "all" in roles else ALL_ROLES & frozenset(roles)
    if no_http and wanted_roles == {"web"}:
        raise click.UsageError("--role web does nothing but answer HTTP, and --no-http listens nowhere")
    drain = seconds_of("--drain-timeout", drain_timeout)
    out = values.out

    def load() -> Loaded:
        return _loaded(values)

    try:
        first = load()
        options = Options(Path(first.root) / ".mailweir", MachineClock(), random.random, drain, roles=wanted_roles)
        service = Service(load, options)
        place.prepare(options.state)
        web: Opening | None = None
        if not no_http and "web" in wanted_roles:
            from mailweir.configuration.desk import Desk
            from mailweir.web.listening import Tls
            from mailweir.web.open import Opening, Wanted

            tls = None if tls_cert is None or tls_key is None else Tls(tls_cert, tls_key)
            wanted = Wanted(host, port, hosts, auth_file, tls, behind_proxy, pages=not no_ui)
            desk = Desk(first.root, lambda: loading_of(values), options.clock)
            web = Opening(wanted, options.state, options.clock, lambda: out.scrubber, desk)
        if log_format == "text":
            for line in banner(first, Run(first, Asked())):
                out.say(line)
            if web is not None:
                out.say(f"HTTP          {web.url}   token in .mailweir/token")
            if web is not None and not no_ui:
                # What opens a session is for who looks at the terminal, not for what collects logs.
                here = web.address() if out.stderr.isatty() else "`mailweir status` prints an address that opens them"
                out.say(f"Pages         {here}")
        level = logging.getLevelNamesMapping()[log_level.upper()]
        with logging_to(options.state, options.name, out.fault, lambda: out.scrubber, style=log_format, level=level):
            beside = None if web is None else web.serving(service)
            supervisor = Supervisor(os.environ)
            left = asyncio.run(attended(service, Path(first.root) if reloads else None, beside, supervisor=supervisor))
    except (BadConfigError, NoSystemError, CannotListenError) as error:
        raise NotUsableError(str(error)) from None
    except StateError as error:
        raise NotUsableError(error.text + (f"\n  help: {error.advice}" if error.advice else "")) from None
    if left:
        end_now(0)
    return 0


def loading_of(values: Common) -> Loading:
    """How a service loads its project."""
    return values.loading(take_secrets=True, default_profile="prod")


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
