"""`mailweir secret`: values come in hidden and never come out."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from mailweir.cli.main import main
from pipeline.config.dotenv_file import read_dotenv

VALUE: Final = "correct horse"
SYSTEM: Final = """{
  "_id": "our-smtp-server", "type": "system:smtp", "use_tls": true,
  "$conditional_properties": {
    "condition": "$ENV(node-env)",
    "alternatives": {
      "test": {},
      "prod": {"smtp_username": "kari", "smtp_password": "$SECRET(smtp-password)"}
    }
  }
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose system needs a password, in production only."""
    folder = tmp_path / "project"
    (folder / "systems").mkdir(parents=True)
    (folder / "systems" / "mail.conf.json").write_text(SYSTEM)
    (folder / "test-env.json").write_text('{"node-env": "test"}')
    return folder


def secret(folder: Path, *arguments: str, given: bytes = b"", **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the verb in a folder, with this on standard input and nothing but these variables set."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mailweir")), "secret", *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"], **environ},
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def stored(folder: Path) -> dict[str, str]:
    """What `.secrets.env` sets."""
    return dict(read_dotenv((folder / ".secrets.env").read_bytes(), ".secrets.env", secret=True).values)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"correct horse", "correct horse"),
        (b"correct horse\n", "correct horse"),
        (b"correct horse\r\n", "correct horse"),
        (b"two\nlines\n\n", "two\nlines\n"),
        (b' it\'s \\ "$HOME" # no comment ', ' it\'s \\ "$HOME" # no comment '),
        ("pæssord".encode(), "pæssord"),
    ],
)
def test_a_piped_value_is_stored(project: Path, given: bytes, kept: str) -> None:
    """Only one line end is dropped; the file is for its owner alone and kept out of git."""
    done = secret(project / "systems", "set", "smtp-password", given=given)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Stored smtp-password in .secrets.env, which only you can read and git ignores\n"
    assert stored(project) == {"smtp-password": kept}
    assert (project / ".secrets.env").stat().st_mode & 0o777 == 0o600
    assert ".secrets.env" in (project / ".gitignore").read_text().splitlines()


def test_a_typed_value_is_not_shown(project: Path) -> None:
    """On a terminal the value is asked for, and what is typed does not appear on it."""
    code, shown = on_a_terminal(project, "set", "smtp-password", typed=VALUE.encode() + b"\n")
    assert code == 0
    assert b"Value of smtp-password (hidden): " in shown
    assert VALUE.encode() not in shown
    assert stored(project) == {"smtp-password": VALUE}


@pytest.mark.parametrize(("typed", "code"), [(b"\n", 2), (b"\x04", 130)])
def test_no_value_is_typed(project: Path, typed: bytes, code: int) -> None:
    """An empty line is no value; Ctrl-D gives up."""
    assert on_a_terminal(project, "set", "smtp-password", typed=typed)[0] == code
    assert not (project / ".secrets.env").exists()


def test_nothing_is_asked_where_nothing_may_be_asked(project: Path) -> None:
    """On a terminal with `--no-input` it ends with what to do instead."""
    code, shown = on_a_terminal(project, "set", "x", "--no-input")
    assert code == 2
    assert shown.startswith(b"error: a value is needed, and nothing may be asked here. Pipe it in: ")


def on_a_terminal(folder: Path, *arguments: str, typed: bytes = b"") -> tuple[int, bytes]:
    """Run the verb on a terminal and answer its question; the exit code and what the terminal shows."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("mailweir")), "secret", *arguments],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={"PATH": os.environ["PATH"]},
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    # Linux ends a terminal that nobody holds any more with an error, others with nothing to read.
    with suppress(OSError):
        while read := os.read(ours, 1024):
            shown += read
            if typed and shown.endswith(b"(hidden): "):
                os.write(ours, typed)
                typed = b""
    os.close(ours)
    return process.wait(timeout=60), shown


@pytest.mark.parametrize(
    "arguments",
    [("smtp-password", VALUE), ("smtp-password", "correct", "horse"), (f"smtp-password={VALUE}",)],
)
def test_a_value_on_the_command_line_is_refused(project: Path, arguments: tuple[str, ...]) -> None:
    """The reason and what to do; nothing is stored, and the value is not said again."""
    done = secret(project, "set", *arguments, given=b"other")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: a value on the command line stays in the shell history. Leave it out: the input is hidden\n"
        "       (change this password, it has been written to the history now)\n"
    )
    assert not (project / ".secrets.env").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"", "no value came in. Type it in a terminal, or pipe it in: some-command | mailweir secret set x"),
        (b"\n", "no value came in. Type it in a terminal, or pipe it in: some-command | mailweir secret set x"),
        (b"\xff", "the value is not UTF-8. Nothing was stored"),
        (b"a\0b", "a secret cannot have a NUL character: no login and no variable could carry it"),
        (b"x" * 64_001, "the value is larger than 64 kB. Nothing was stored"),
    ],
)
def test_a_value_that_cannot_be_one_is_refused(project: Path, given: bytes, words: str) -> None:
    """With the reason; nothing is stored."""
    done = secret(project, "set", "x", given=given)
    assert (done.returncode, done.stderr) == (2, f"error: {words}\n")
    assert not (project / ".secrets.env").exists()


@pytest.mark.parametrize("name", ["a b", "a/b", "", "$SECRET(a)", "æ"])
def test_a_name_that_no_configuration_can_write_is_refused(project: Path, name: str) -> None:
    """Whatever stands in its place is not repeated: it may be the password."""
    done = secret(project, "set", name, given=b"x")
    assert done.returncode == 2
    assert done.stderr == "error: the name of a secret has letters, digits, `-`, `_` and `.`\n"


def test_what_is_stored_is_not_taken_from_another_place_without_a_word(project: Path) -> None:
    """A place that comes before the file is named."""
    done = secret(project, "set", "smtp-password", given=b"x", MAILWEIR_SECRET_SMTP_PASSWORD="y")
    assert done.returncode == 0
    assert done.stderr.endswith(
        "note: `$SECRET(smtp-password)` is taken from the process environment, which comes before .secrets.env\n"
    )


def test_names_places_and_users_are_listed_and_no_value(project: Path) -> None:
    """Also what a condition does not choose now, what is not set, and what nothing uses."""
    (project / "systems" / "spare.conf.json").write_text('[{"_id": "spare", "smtp_password": "x$SECRET(spare)"}]')
    for name in ("smtp-password", "old"):
        assert secret(project, "set", name, given=VALUE.encode()).returncode == 0
    done = secret(project, "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "NAME           PLACE         USE\n"
        "smtp-password  .secrets.env  used by our-smtp-server.smtp_password\n"
        "spare          not set       used by spare.smtp_password\n"
        "old            .secrets.env  not used\n"
    )
    listed = secret(project, "list", "--json")
    assert json.loads(listed.stdout)["secrets"] == [
        {"name": "smtp-password", "place": ".secrets.env", "used_by": ["our-smtp-server.smtp_password"]},
        {"name": "spare", "place": None, "used_by": ["spare.smtp_password"]},
        {"name": "old", "place": ".secrets.env", "used_by": []},
    ]
    assert VALUE not in done.stdout + listed.stdout


def test_a_project_without_secrets_says_so(tmp_path: Path) -> None:
    """And how to store one."""
    done = secret(tmp_path, "list")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "no secrets in this project: `mailweir secret set NAME` stores one\n"


def test_a_file_that_others_can_read_is_told(project: Path) -> None:
    """It is not used, so the list says why its secrets are missing, and ends with 1; storing again closes it."""
    assert secret(project, "set", "smtp-password", given=b"x").returncode == 0
    (project / ".secrets.env").chmod(0o644)
    done = secret(project, "list")
    assert done.returncode == 1
    assert "smtp-password  not set" in done.stdout
    assert "error[E312]: others on this machine can read `.secrets.env`" in done.stderr
    assert secret(project, "set", "other", given=b"y").returncode == 0
    assert secret(project, "list").returncode == 0


def test_a_secret_is_removed(project: Path) -> None:
    """Nothing is asked; the others stay."""
    for name in ("smtp-password", "old"):
        assert secret(project, "set", name, given=b"x").returncode == 0
    done = secret(project, "remove", "old")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Removed old from .secrets.env\n")
    assert stored(project) == {"smtp-password": "x"}


def test_a_secret_that_is_not_there_cannot_be_removed(project: Path) -> None:
    """The near name is offered, and another place that has it is named."""
    assert secret(project, "remove", "smtp-password").returncode == 2
    assert secret(project, "set", "smtp-password", given=b"x").returncode == 0
    done = secret(project, "remove", "smtp_passwort")
    assert done.returncode == 2
    assert done.stderr == "error: no secret 'smtp_passwort' in .secrets.env. Did you mean 'smtp-password'?\n"
    done = secret(project, "remove", "token", MAILWEIR_SECRET_TOKEN="y")
    assert done.stderr.endswith("\n  note: it is set in the process environment; remove it there\n")


@pytest.mark.parametrize("arguments", [("set", "x"), ("remove", "x")])
def test_a_file_that_cannot_be_read_is_left(project: Path, arguments: tuple[str, ...]) -> None:
    """A folder in its place, or a quote that is never closed: the reason, and no byte changes."""
    file = project / ".secrets.env"
    file.write_bytes(b"a='never closed\n")
    file.chmod(0o600)
    done = secret(project, *arguments, given=b"y")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "never closed" not in done.stderr.partition("\n")[2]
    assert file.read_bytes() == b"a='never closed\n"
    file.unlink()
    file.mkdir()
    done = secret(project, *arguments, given=b"y")
    assert (done.returncode, done.stderr) == (2, "error: `.secrets.env` is a folder, not a file\n")


def test_the_outcome_as_json_has_no_value(project: Path) -> None:
    """Storing and removing say the name and the place."""
    for arguments in (("set", "x", "--json"), ("remove", "x", "--json")):
        done = secret(project, *arguments, given=VALUE.encode())
        found = json.loads(done.stdout)
        assert (found["command"], found["ok"], found["name"], found["place"]) == ("secret", True, "x", ".secrets.env")
        assert VALUE not in done.stdout + done.stderr


def test_without_a_word_it_says_which_there_are(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`mailweir secret` alone is wrong use."""
    assert main(["-C", str(project), "secret"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: say what to do: mailweir secret set NAME")
