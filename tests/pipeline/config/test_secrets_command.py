"""A command is run when a secret is asked for, without a shell, and tells nothing but its failure."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.secrets_command import ATTEMPTS, VARIABLE, CommandSecrets, Run, without_line_end
from pipeline.errors import Span
from pipeline.scrub import Scrubber
from pipeline.secret import Secret

NAMED = "the variable of this name in the environment names the command"
LOG = "import sys; open('runs', 'a').write('+'); "


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., CommandSecrets]:
    """Secrets of a Python program that is given as text, with arguments behind it."""

    def make(
        program: str,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        scrubber: Scrubber | None = None,
        run: Run = subprocess.run,
        timeout: float = 60,
    ) -> CommandSecrets:
        return CommandSecrets(
            [sys.executable, "-c", program, *arguments],
            root=tmp_path,
            environ=environ or {},
            scrubber=scrubber or Scrubber(),
            run=run,
            timeout=timeout,
        )

    return make


Make = Callable[..., CommandSecrets]


def fault(secrets: CommandSecrets, name: str = "smtp-password") -> tuple[str, list[str]]:
    """What is said when the command gives no secret: the message, without the path of Python, and the notes."""
    assert secrets.get(name) is None
    [problem] = secrets.problems
    assert problem.code == "E315"
    assert problem.span == Span(VARIABLE, 0, 0)
    *notes, named = [note.text for note in problem.notes]
    assert named == NAMED
    return problem.message.replace(sys.executable, "python"), notes


@pytest.mark.parametrize(
    ("output", "values"),
    [
        ("smtp-password=hunter2\nKEY='a\nb'\n", {"smtp-password": "hunter2", "KEY": "a\nb"}),
        (
            '{"smtp-password": "hunter2", "port": 25, "on": true, "rate": 0.5}',
            {"smtp-password": "hunter2", "port": "25"},
        ),
        (
            ' \n{"on": true, "rate": 0.5, "none": null, "more": {"a": "b"}, "list": ["a"]}',
            {"on": "true", "rate": "0.5"},
        ),
        ("", {}),
        ("{}", {}),
    ],
)
def test_a_command_for_all_names(command: Make, output: str, values: dict[str, str]) -> None:
    """Its output is `NAME=value` lines or a JSON object; what is no text or number in it is passed over."""
    secrets = command(f"import sys; sys.stdout.write({output!r})")
    assert {name: secrets[name].reveal() for name in values} == values
    assert secrets.get("none") is None
    assert secrets.get("more") is None
    assert not secrets.problems
    assert list(secrets) == secrets.names
    assert len(secrets) == len(secrets.names)


def test_it_runs_once_and_only_when_asked(command: Make, tmp_path: Path) -> None:
    """Making the place runs nothing; many names run it once, also when it gives none of them."""
    secrets = command(LOG + "print('a=1')")
    assert secrets.state == "not run"
    assert list(secrets) == []
    assert not (tmp_path / "runs").exists()
    assert secrets["a"] == Secret("1")
    assert secrets.get("b") is None
    assert secrets.get("-x") is None
    assert secrets["a"] == Secret("1")
    assert (tmp_path / "runs").read_text() == "+"
    assert secrets.state == "1 name"
    assert secrets.names == ["a"]


def test_a_command_for_each_name(command: Make, tmp_path: Path) -> None:
    """It gets the name as an argument and writes the secret, of which one line end is dropped; once a name."""
    secrets = command(LOG + "print(sys.argv[1:])", "mail/{name}", "{name}", "--")
    assert secrets.state == "run for each name"
    assert secrets["a-b"].reveal() == "['mail/a-b', 'a-b', '--']"
    assert secrets["a-b"] == secrets["a-b"]
    assert secrets["c"].reveal() == "['mail/c', 'c', '--']"
    assert (tmp_path / "runs").read_text() == "++"
    assert list(secrets) == ["a-b", "c"]
    assert secrets.names == []


@pytest.mark.parametrize("name", ["-rf", "../x", "a/b", "..", "$(id)", "a b", ""])
def test_names_that_are_no_plain_argument_are_not_passed_on(command: Make, tmp_path: Path, name: str) -> None:
    """An option, a path, and what a shell would read are no names for a command."""
    secrets = command(LOG, "{name}")
    assert secrets.get(name) is None
    assert not (tmp_path / "runs").exists()
    assert not secrets.problems


def test_there_is_no_shell(command: Make) -> None:
    """Arguments arrive as they are written."""
    assert command("import sys; print(sys.argv[1])", "$HOME `id` {name}; true")["x"].reveal() == "$HOME `id` x; true"


def test_where_and_with_what_it_runs(command: Make, tmp_path: Path) -> None:
    """In the project's folder, with nothing to read, and with the variables but those that hold secrets."""
    environ = {"PATH": os.defpath, "SOPS_KEY": "k", "MAILWEIR_SECRET_X": "hunter2"}
    program = "import os, sys; print(os.getcwd(), repr(sys.stdin.read()), sorted(os.environ), '{name}')"
    shown = command(program, environ=environ)["x"].reveal()
    assert shown.startswith(f"{os.path.realpath(tmp_path)} ''")
    assert "SOPS_KEY" in shown
    assert "MAILWEIR_SECRET_X" not in shown


def test_every_secret_is_registered(command: Make) -> None:
    """What comes in is known to the scrubber at once, also names that were not asked for."""
    scrubber = Scrubber()
    assert command("print('a=hunter2hunter2\\nb=swordfish')", scrubber=scrubber)["a"]
    assert scrubber.scrub("hunter2hunter2 swordfish") == "******** ********"


def test_a_command_that_ends_with_an_error(command: Make, tmp_path: Path) -> None:
    """The code and the end of what it says are told, without control characters; it is not run again."""
    program = LOG + "print('one\\n\\n\\x1b[31mtwo\\x07\\r\\nthree\\n' + 'x' * 999, file=sys.stderr); sys.exit(3)"
    secrets = command(program)
    assert fault(secrets) == ("the command `python` ended with 3", [f"it says: two / three / {'x' * 200}"])
    assert secrets.state == "failed"
    assert secrets.get("other") is None
    assert "other" in secrets.unread
    assert len(secrets.problems) == 1
    assert (tmp_path / "runs").read_text() == "+"


def test_an_error_for_one_name_says_nothing_of_others(command: Make) -> None:
    """Each name has its own fault, with the name in it, or its secret."""
    secrets = command("import sys; sys.exit(f'no {sys.argv[1]}') if 'bad' in sys.argv[1] else print('ok')", "{name}")
    assert fault(secrets, "bad-1") == (
        "the command `python` for the secret `bad-1` ended with 1",
        ["it says: no bad-1"],
    )
    assert secrets["good"].reveal() == "ok"
    assert secrets.get("bad-2") is None
    assert len(secrets.problems) == 2
    assert "bad-1" in secrets.unread
    assert "never-asked" not in secrets.unread


@pytest.mark.parametrize(
    "program",
    [
        "print('a=c4nary-1\\nb c4nary-1'); sys.stderr.write('cannot use c4nary-1'); sys.exit(1)",
        "print('{\"a\": \"c4nary-1\"}'); sys.stderr.write('cannot use c4nary-1'); sys.exit(1)",
        "print('c4nary-1'); sys.stderr.write('the value is \"c4nary-1\", known-secret-2'); sys.exit(1)",
        "print('a=c4nary-1\\nb c4nary-1')",
        'print(\'{"a": "c4nary-1"\')',
        "sys.stdout.buffer.write(b'a=c4nary-1\\xff')",
    ],
)
def test_no_secret_is_in_a_fault(command: Make, program: str) -> None:
    """Neither what it wrote as output, nor where it repeats that or a known secret for people."""
    scrubber = Scrubber()
    scrubber.add("known-secret-2")
    for arguments in ((), ("{name}",)):
        secrets = command("import sys; " + program, *arguments, scrubber=scrubber)
        secrets.get("a")
        assert "c4nary" not in repr(secrets.problems)
        assert "known-secret" not in repr(secrets.problems)
        assert "c4nary" not in repr(dict(secrets))


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("print('a b c')", "wrote something that is neither `NAME=value` lines nor a JSON object"),
        ("print('{\"a\": ')", "wrote JSON that cannot be read"),
        ("print('{\"a\": ' * 100_000)", "wrote JSON that cannot be read"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", "wrote something that is not UTF-8"),
        ("print('x' * 1_000_000)", "wrote more than 1000 kB"),
    ],
)
def test_output_that_cannot_be_used(command: Make, program: str, message: str) -> None:
    """It is a fault of the command, and any name may stand in it."""
    secrets = command(program)
    assert fault(secrets)[0] == f"the command `python` {message}"
    assert secrets.unread.everything


def test_a_command_that_hangs(command: Make, tmp_path: Path) -> None:
    """It is stopped, and run neither again nor for another name."""
    program = LOG + "sys.stdout.write('c4nary'); sys.stdout.flush(); import time; time.sleep(600)"
    secrets = command(program, "{name}", timeout=2)
    message, [help_] = fault(secrets)
    assert message == "the command `python` has not ended after 2 seconds"
    assert help_ == "it has nothing to read on standard input; can it answer without a question?"
    assert secrets.get("other") is None
    assert len(secrets.problems) == 1
    assert (tmp_path / "runs").read_text() == "+"


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    """The fault says so and is not repeated; nothing is tried again."""
    ran: list[Sequence[str]] = []

    def run(arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        ran.append(arguments)
        return passed_on(arguments, **options)

    secrets = CommandSecrets(
        ["no-such-program-here", "{name}"],
        root=tmp_path,
        environ={},
        scrubber=Scrubber(),
        run=run,
        timeout=60,
    )
    message, notes = fault(secrets)
    assert message == "the command `no-such-program-here` cannot be started: no such file or directory"
    assert notes == ["install it, or write its whole path"]
    assert secrets.get("other") is None
    assert ran == [["no-such-program-here", "smtp-password"]]
    assert "other" in secrets.unread


def passed_on(arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run a command as it was asked for; the options say that no exit code raises."""
    assert options.pop("check") is False
    return subprocess.run(arguments, check=False, **options)


def starting_at(attempt: int, code: int) -> tuple[Run, list[int]]:
    """A way to run commands that fails to start them before this attempt; and the attempts made."""
    attempts: list[int] = []

    def run(arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        attempts.append(len(attempts) + 1)
        if len(attempts) < attempt:
            raise OSError(code, os.strerror(code))
        return passed_on(arguments, **options)

    return run, attempts


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.ENOMEM, errno.ETXTBSY])
def test_no_room_for_a_process_is_tried_again(command: Make, code: int) -> None:
    """A machine that is full for a moment is asked three times in all."""
    run, attempts = starting_at(ATTEMPTS, code)
    assert command("print('a=1')", run=run)["a"] == Secret("1")
    assert attempts == [1, 2, 3]
    run, attempts = starting_at(ATTEMPTS + 1, code)
    secrets = command("print('a=1')", run=run)
    assert fault(secrets)[0] == f"the command `python` cannot be started: {os.strerror(code).lower()}"
    assert attempts == [1, 2, 3]


def test_what_may_not_be_run_is_not_tried_again(command: Make) -> None:
    """Waiting does not change who may run a program."""
    run, attempts = starting_at(2, errno.EACCES)
    secrets = command("print('a=1')", run=run)
    assert fault(secrets) == ("the command `python` cannot be started: permission denied", [])
    assert attempts == [1]


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("a", "a"),
        ("a\n", "a"),
        ("a\r\n", "a"),
        ("a\n\n", "a\n"),
        ("a\r", "a\r"),
        ("\n", ""),
        ("", ""),
        (" a \n", " a "),
    ],
)
def test_one_line_end_is_dropped(text: str, without: str) -> None:
    """The one that editors and `echo` add; everything else belongs to the secret."""
    assert without_line_end(text) == without
