"""Secrets that a command gives, such as `sops -d secrets.env` or `pass show mail/{name}`. Runs processes.

A command with `{name}` in an argument is run for each secret that is asked for, and its output is the secret.
Any other is run once, when the first secret is asked for, and its output is `NAME=value` lines or a JSON object.

There is no shell, nothing to read on standard input, and an end after `timeout` seconds. A command is tried again,
twice, only when the machine had no room to start it: what hangs would hang again, three times as long, and what
ends with an error may be a vault that counts wrong logins.
"""

from __future__ import annotations

import errno
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pipeline.config.dotenv_file import read_dotenv
from pipeline.config.files import reason
from pipeline.config.given import advice, note
from pipeline.config.lookup import SECRET_PREFIX, Unread, is_plain
from pipeline.errors import Note, Problem, Span
from pipeline.scrub import Scrubber
from pipeline.secret import Secret

Run = Callable[..., subprocess.CompletedProcess[bytes]]

VARIABLE: Final = "MAILWEIR_SECRETS_COMMAND"
"""The variable of the process that names the command; no file of a project does."""
MOST_BYTES: Final = 1_000_000
ATTEMPTS: Final = 3
_no_room: Final = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY, errno.EINTR})

_between_words = re.compile(r"[\s='\":,{}\[\]]+")
_unprintable = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[^\x20-\x7e\u00a0-\U0010ffff]")


class FailedError(Exception):
    """The command gave no usable output. `everything`: nor will it for another name."""

    def __init__(self, what: str, *notes: Note, everything: bool = False) -> None:
        """`what` follows the name of the command in the message."""
        super().__init__(what)
        self.what = what
        self.notes = notes
        self.everything = everything


class CommandSecrets(Mapping[str, Secret]):
    """The secrets that a command gives; it runs when one is asked for. Walking over them gives those known by then."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        root: Path,
        environ: Mapping[str, str],
        scrubber: Scrubber,
        run: Run,
        timeout: float,
    ) -> None:
        """Keep what it needs to run; nothing is run yet."""
        self.program = command[0]
        self.each = any("{name}" in argument for argument in command)
        self.names: list[str] = []
        self.problems: list[Problem] = []
        self.unread = Unread()
        self._command = tuple(command)
        self._root = root
        self._environ = {key: value for key, value in environ.items() if not key.startswith(SECRET_PREFIX)}
        self._scrubber = scrubber
        self._run = run
        self._timeout = timeout
        self._known: dict[str, Secret] = {}
        self._asked: set[str] = set()

    @property
    def state(self) -> str:
        """What is known of it, for the list of places that were searched."""
        if self.problems:
            return "failed"
        if self.each:
            return "run for each name"
        return f"{len(self._known)} name{'' if len(self._known) == 1 else 's'}" if self._asked else "not run"

    def __getitem__(self, name: str) -> Secret:
        """Run the command, if it has not been run for this name."""
        key = name if self.each else ""
        if key not in self._asked and not self.unread.everything and (is_plain(name) or not self.each):
            self._asked.add(key)
            self._ask(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        """The names known so far."""
        return iter(self._known)

    def __len__(self) -> int:
        """How many are known so far."""
        return len(self._known)

    def _ask(self, name: str) -> None:
        try:
            output = self._output([argument.replace("{name}", name) for argument in self._command])
            values = {name: without_line_end(_text(output))} if self.each else _values(output)
        except FailedError as failed:
            self.unread.names.add(name)
            self.unread.everything = failed.everything or not self.each
            wanted = f"for the secret `{name}` " if self.each and not failed.everything else ""
            message = f"the command `{self.program}` {wanted}{failed.what}"
            named = note("the variable of this name in the environment names the command")
            self.problems.append(Problem("E315", message, Span(VARIABLE, 0, 0), notes=(*failed.notes, named)))
            return
        for key, value in values.items():
            self._known[key] = Secret(value)
            self._scrubber.add(self._known[key])
        if not self.each:
            self.names += values

    def _output(self, arguments: Sequence[str]) -> bytes:
        try:
            done = self._started(arguments)
        except subprocess.TimeoutExpired:
            help_ = advice("it has nothing to read on standard input; can it answer without a question?")
            raise FailedError(f"has not ended after {self._timeout:g} seconds", help_, everything=True) from None
        except OSError as error:
            message = f"cannot be started: {reason(error)}"
            raise FailedError(message, *_about_start(error), everything=True) from None
        if done.returncode:
            raise FailedError(f"ended with {done.returncode}", *self._said(done))
        if len(done.stdout) > MOST_BYTES:
            raise FailedError(f"wrote more than {MOST_BYTES // 1000} kB")
        return done.stdout

    def _started(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential  # noqa: PLC0415

        # Imported here: few projects have a command, and it takes longer to load than most projects to check.
        tries = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, OSError) and error.errno in _no_room),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.1, max=0.5),
            reraise=True,
        )
        return tries(
            self._run,
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._root,
            env=self._environ,
            timeout=self._timeout,
            check=False,
        )

    def _said(self, done: subprocess.CompletedProcess[bytes]) -> Iterable[Note]:
        """The end of what a failed command wrote for people; of its output not a word, nor where it is repeated."""
        output = done.stdout.decode("utf-8", "replace")
        scrubber = Scrubber()
        scrubber.update(self._scrubber)
        for word in (*output.splitlines(), *_between_words.split(output)):
            scrubber.add(word)
        lines = scrubber.scrub(done.stderr.decode("utf-8", "replace")).splitlines()
        said = [line for line in (_unprintable.sub("", line).strip() for line in lines) if line][-3:]
        return [note("it says: " + " / ".join(line[:200] for line in said))] if said else []


def without_line_end(text: str) -> str:
    """The text without one line end, LF or CRLF, at its end: editors and `echo` add it."""
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


def _about_start(error: OSError) -> Iterable[Note]:
    return [advice("install it, or write its whole path")] if isinstance(error, FileNotFoundError) else []


def _text(output: bytes) -> str:
    try:
        return output.decode("utf-8")
    except UnicodeDecodeError:
        raise FailedError("wrote something that is not UTF-8") from None


def _values(output: bytes) -> dict[str, str]:
    text = _text(output)
    if not text.lstrip().startswith("{"):
        read = read_dotenv(output, "", secret=True)
        if any(problem.level == "error" for problem in read.problems):
            raise FailedError("wrote something that is neither `NAME=value` lines nor a JSON object")
        return dict(read.values)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise FailedError("wrote JSON that cannot be read") from None
    return {key: _as_text(value) for key, value in found.items() if isinstance(value, str | int | float)}


def _as_text(value: str | float) -> str:
    return value if isinstance(value, str) else json.dumps(value)
