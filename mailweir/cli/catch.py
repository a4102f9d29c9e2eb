"""`mailweir catch`: a mail server on this machine that keeps what other programs send and delivers nothing."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mailweir.cli.options import Common, common
from mailweir.cli.streams import StreamError

if TYPE_CHECKING:
    from mailweir.catcher import Catcher
    from mailweir.caught import Caught
    from mailweir.rehearsal import Mishap, Step

DEFAULT_PORT: Final = 1025
# Longer than the five minutes that a client waits for an answer (RFC 5321 section 4.5.3.2) rehearses nothing new.
LONGEST_LATENCY: Final = 600.0
_time: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s)")


@click.command(
    "catch",
    epilog="""\b
Examples:
  mailweir catch                                 listen on port 1025, one line a mail
  mailweir catch --dir caught                    keep each mail as an .eml file
  mailweir catch --json | jq .subject            one JSON document a mail and line
  mailweir catch --fail @example.org=550 --fail rcpt=451:10%
  mailweir catch --fail dot=drop --latency 2s    rehearse a server that answers late, and not in the end""",
)
@click.option(
    "--smtp-port",
    "port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    metavar="PORT",
    help="Where to listen; 0 takes a free port.",
)
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), metavar="FOLDER", help="Keep each mail as an .eml file in here."
)
@click.option(
    "--fail",
    "fails",
    multiple=True,
    metavar="WHERE=CODE",
    help="Refuse: an address, @domain or step (connect login mail rcpt data dot) = 400 to 559, or drop to close the"
    " connection. ':10%' after it: only so often. Repeatable.",
)
@click.option("--latency", metavar="TIME", help="Wait before each answer: 2s, 150ms.")
@common
def catch_command(values: Common, *, port: int, folder: Path | None, fails: Sequence[str], latency: str | None) -> int:
    """Catch mail of programs on this machine: keep everything, deliver nothing.

    Listens on 127.0.0.1 and [::1] only. Takes any login and forgets the password. Ctrl-C stops it.
    """
    import asyncio

    from mailweir.catcher import Catcher

    desk = _Desk(values, folder)
    catcher = Catcher(
        port, keep=desk.keep, mishaps=_mishaps(fails), on_mishap=desk.rehearsed, latency=_seconds(latency)
    )
    try:
        asyncio.run(_serve(catcher, desk))
    except OSError as error:
        raise click.UsageError(_cannot_listen(port, error)) from None
    return 0


async def _serve(catcher: Catcher, desk: _Desk) -> None:
    """Catch until a signal comes, or nobody reads any more."""
    import asyncio
    import signal

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, desk.stopped.set)
    async with catcher:
        desk.values.out.say(f"Catching mail on 127.0.0.1:{catcher.port}; nothing leaves this machine. Ctrl-C stops")
        await desk.stopped.wait()
    desk.values.out.say(f"Caught {catcher.count} mail{'' if catcher.count == 1 else 's'}")
    if desk.failed:
        raise desk.failed


class _Desk:
    """Where the mail arrives: a line each, and a file each where there is a folder."""

    def __init__(self, values: Common, folder: Path | None) -> None:
        import asyncio

        self.values = values
        self.stopped = asyncio.Event()
        self.failed: StreamError | None = None
        self._folder = values.here / folder if folder else None
        self._called = folder or Path()
        if self._folder:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise click.UsageError(_cannot_write(self._called, error)) from None

    def keep(self, mail: Caught) -> None:
        """Write the mail down; an `OSError` says that it is not kept."""
        name = self._file(mail)
        try:
            if self.values.json:
                self.values.out.record(mail.document() | ({"file": name} if name else {}))
            else:
                self.values.out.line(mail.line() + (f"  {name}" if name else ""))
        except StreamError as error:
            self.failed = error
            self.stopped.set()
            raise OSError(errno.EIO, str(error)) from error
        if self.values.out.gone:
            self.stopped.set()
            raise BrokenPipeError(errno.EPIPE, "nobody reads the output")

    def rehearsed(self, mishap: Mishap, step: Step, recipient: str) -> None:
        """Say which fault was just rehearsed."""
        from pipeline.config.glyphs import visible

        what = "no answer" if mishap.code is None else str(mishap.code)
        self.values.out.say(
            f"rehearsed: {what} at {step}{f' {visible(recipient)}' if recipient else ''} ({mishap.text})"
        )

    def _file(self, mail: Caught) -> str | None:
        """Write the mail to a file of its own and answer the name; files that are there stay as they are."""
        if self._folder is None:
            return None
        stem = f"{mail.time:%Y%m%dT%H%M%SZ}-{mail.number:05}"
        try:
            for name in chain([f"{stem}.eml"], (f"{stem}-{again}.eml" for again in count(2))):
                with suppress(FileExistsError):
                    _write(self._folder / name, mail.content)
                    return str(self._called / name)
        except OSError as error:
            self.values.out.fault(f"error: {_cannot_write(self._called, error)}. The mail was refused for now (452)")
            raise
        return None


def _write(path: Path, content: bytes) -> None:
    """Write a new file whole, or leave none."""
    with path.open("xb") as file:
        try:
            file.write(content)
            file.flush()
        except OSError:
            path.unlink(missing_ok=True)
            raise


def _mishaps(fails: Sequence[str]) -> Sequence[Mishap]:
    from mailweir.rehearsal import mishap

    read = []
    for text in fails:
        try:
            read.append(mishap(text))
        except ValueError as error:
            raise click.UsageError(f"--fail {text!r}: {error}") from None
    return read


def _seconds(text: str | None) -> float:
    if text is None:
        return 0
    found = _time.fullmatch(text)
    if not found:
        raise click.UsageError(f"--latency {text!r}: write 2s or 150ms")
    seconds = float(found[1]) / (1000 if found[2] == "ms" else 1)
    if seconds > LONGEST_LATENCY:
        raise click.UsageError(f"--latency {text!r}: at most {LONGEST_LATENCY:.0f}s")
    return seconds


def _cannot_listen(port: int, error: OSError) -> str:
    from pipeline.config.files import reason

    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} is taken by another program. Another one: mailweir catch --smtp-port {_next(port)}"
        case errno.EACCES:
            return f"port {port} needs root. Leave the option out for {DEFAULT_PORT}"
        case _:
            return f"cannot listen on port {port}: {reason(error)}"


def _next(port: int) -> int:
    return port + 1 if DEFAULT_PORT <= port < 65535 else DEFAULT_PORT


def _cannot_write(path: Path, error: OSError) -> str:
    from pipeline.config.files import reason

    return f"cannot write {path}: {reason(error)}"
