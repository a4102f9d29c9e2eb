"""Values are looked for in the places that the manual names, in its order, and in files that can be trusted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.lookup import find, hidden
from pipeline.config.places import MOST_BYTES_OF_A_SECRET, Places, gather
from pipeline.config.tree import Lines
from pipeline.errors import Problem, Span
from pipeline.scrub import Scrubber
from pipeline.secret import Secret

T = TypeVar("T")

CANARY = "c4nary-5f1e0b7d9a"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a project, with nothing in it."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def look(root: Path, environ: Mapping[str, str] | None = None, **more: Any) -> Places:
    """The places of a project on a machine without `/run/secrets`."""
    options = {"profile": "test", "environ": environ or {}, "run_secrets": root.parent / "run-secrets", **more}
    return gather(root, **options)


def write(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    """A file with this text and mode, in folders that are made for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def env(places: Places, name: str) -> tuple[object, str] | None:
    """The value of a variable and the place that has it."""
    found = find(places.env, name)
    return (found.value, found.place.name) if found else None


def secret(places: Places, name: str) -> tuple[str, str] | None:
    """The value of a secret and the place that has it."""
    found = find(places.secrets, name)
    if found is None:
        return None
    assert isinstance(found.value, Secret)
    return found.value.reveal(), found.place.name


def only(places: Places) -> Problem:
    """The one problem, which points into a text that is there."""
    [problem] = places.problems
    assert problem.span.file in places.texts
    assert problem.span.end <= len(places.texts[problem.span.file].text)
    return problem


def labels(places: Places, name: str = "x") -> tuple[list[str], list[str]]:
    """The places as a list of them shows them, for variables and for secrets."""
    return [place.label_for(name) for place in places.env], [place.label_for(name) for place in places.secrets]


def test_labels_of_a_project_without_values(root: Path) -> None:
    """Every place is named, with what is known of it."""
    assert labels(gather(root, profile="prod", environ={}, run_secrets=Path("/nowhere/secrets")), "smtp-password") == (
        ["the process environment", ".env (not found)", "prod-env.json (not found)"],
        [
            "$CREDENTIALS_DIRECTORY (not set)",
            "/nowhere/secrets (not found)",
            "the process environment, as MAILWEIR_SECRET_SMTP_PASSWORD",
            ".secrets.env (not found)",
        ],
    )


def test_labels_of_a_project_with_values(root: Path) -> None:
    """Files and folders that are there say how many names they have."""
    write(root / ".env", "a=1\nb=2\nc=\n")
    write(root / "test-env.json", '{"a": 1}')
    write(root / ".secrets.env", "smtp-password=x\n")
    write(root / "vault" / "one", "1")
    write(root.parent / "credentials" / "one", "1")
    write(root.parent / "credentials" / "two", "2")
    places = look(
        root,
        {"CREDENTIALS_DIRECTORY": str(root.parent / "credentials")},
        secrets_directory=Path("vault"),
        secrets_command=[sys.executable, "-c", "print('a=1')"],
        run_secrets=root / "empty",
    )
    (root / "empty").mkdir()
    assert labels(places) == (
        ["the process environment", ".env (found, 3 names)", "test-env.json (found, 1 name)"],
        [
            "$CREDENTIALS_DIRECTORY (found, 2 names)",
            f"{root / 'empty'} (not found)",
            "the process environment, as MAILWEIR_SECRET_X",
            ".secrets.env (found, 1 name)",
            "vault (found, 1 name)",
            f"the command `{sys.executable}` (not run)",
        ],
    )
    assert secret(places, "a") == ("1", f"the command `{sys.executable}`")
    assert labels(places)[1][-1] == f"the command `{sys.executable}` (1 name)"
    assert places.secrets[-1].names == ["a"]
    assert not places.problems


def test_the_order_of_places_for_variables(root: Path) -> None:
    """The process, then `.env`, then the file of the profile; an empty value is a value."""
    write(root / "test-env.json", '{"a": 1, "b": 2, "c": 3}')
    write(root / ".env", "a=file\nb=\n")
    places = look(root, {"a": "process"})
    assert env(places, "a") == ("process", "the process environment")
    assert env(places, "b") == ("", ".env")
    assert env(places, "c") == (3, "test-env.json")
    assert env(places, "d") is None


def test_the_spelling_for_shells_is_tried_in_every_place(root: Path) -> None:
    """`smtp-port` is found as `SMTP_PORT` in the process, in files and among secrets."""
    write(root / ".env", "SMTP_HOST=file\n")
    write(root / "test-env.json", '{"SMTP_USER": "typed"}')
    write(root / ".secrets.env", "SMTP_PASSWORD=s\n")
    write(root.parent / "run-secrets" / "SMTP_TOKEN", "t")
    places = look(root, {"SMTP_PORT": "25"})
    assert env(places, "smtp-port") == ("25", "the process environment")
    assert env(places, "smtp-host") == ("file", ".env")
    assert env(places, "smtp-user") == ("typed", "test-env.json")
    assert secret(places, "smtp-password") == ("s", ".secrets.env")
    assert secret(places, "smtp-token") == ("t", str(root.parent / "run-secrets"))


def test_named_files_take_the_place_of_dotenv(root: Path) -> None:
    """With `--env-file` the `.env` of the project is not read; of several files the last wins."""
    write(root / ".env", "a=dotenv\nb=dotenv\n")
    one = write(root.parent / "one.env", "a=one\nc=one\n")
    two = write(root.parent / "two.env", "a=two\n")
    places = look(root, env_files=[one, two])
    assert env(places, "a") == ("two", str(two))
    assert env(places, "c") == ("one", str(one))
    assert env(places, "b") is None
    assert labels(places)[0][1:3] == [f"{two} (found, 1 name)", f"{one} (found, 2 names)"]
    assert [place.file for place in places.env] == [None] * 4


def test_a_named_file_must_be_there(root: Path) -> None:
    """It may be a link to anywhere; when there is none, that is a problem, and names may be in it."""
    target = write(root.parent / "real.env", "a=1\n")
    (root.parent / "link.env").symlink_to(target)
    assert env(look(root, env_files=[root.parent / "link.env"]), "a") == ("1", str(root.parent / "link.env"))
    gone = root.parent / "gone.env"
    places = look(root, env_files=[gone])
    assert (only(places).code, only(places).message) == ("E312", f"there is no file `{gone}`")
    assert hidden(places.env, "anything")


def test_folders_above_and_the_current_folder_are_not_searched(root: Path) -> None:
    """`.env` and `.secrets.env` are read beside the project's files only."""
    write(root.parent / ".env", "a=above\n")
    write(root.parent / ".secrets.env", "a=above\n")
    write(root / "pipes" / ".env", "a=below\n")
    before = Path.cwd()
    os.chdir(root / "pipes")
    try:
        places = look(root)
    finally:
        os.chdir(before)
    assert env(places, "a") is None
    assert secret(places, "a") is None


def test_typed_values_keep_their_types(root: Path) -> None:
    """A number, a truth, a list, an object and null in the file of the profile stay what they are."""
    write(root / "prod-env.json", '{"n": 587, "t": true, "l": [1, "a"], "o": {"a": 1}, "x": null, "s": "$ENV(n)"}')
    places = look(root, profile="prod")
    values = {name: env(places, name) for name in "ntloxs"}
    wanted: dict[str, object] = {"n": 587, "t": True, "l": [1, "a"], "o": {"a": 1}, "x": None, "s": "$ENV(n)"}
    assert values == {name: (value, "prod-env.json") for name, value in wanted.items()}
    assert not places.problems


def test_faults_in_the_file_of_the_profile(root: Path) -> None:
    """Its faults of syntax are reported where they are, and what can be read is used."""
    write(root / "test-env.json", '{"a": 1,\n "b": ,\n "c": 3,}')
    places = look(root)
    assert [problem.code for problem in places.problems] == ["E108", "E101"]
    assert {problem.span.file for problem in places.problems} == {"test-env.json"}
    assert env(places, "c") == (3, "test-env.json")
    assert hidden(places.env, "b")
    assert not hidden(places.env, "d")


@pytest.mark.parametrize("text", ["[1]", '"a"', "5"])
def test_the_file_of_the_profile_holds_an_object(root: Path, text: str) -> None:
    """Anything else has no names."""
    write(root / "test-env.json", text)
    places = look(root)
    assert only(places).code == "E312"
    assert only(places).message == "`test-env.json` holds one object of names and values"
    assert labels(places)[0][2] == "test-env.json (cannot be used)"
    assert hidden(places.env, "x")


def test_the_file_of_the_profile_may_be_unreadable(root: Path) -> None:
    """Nothing in it, no end, a folder in its place: a problem, never a fall, and any name may stand in it."""
    for text in ("", '{"a": 1', "\xff"):
        write(root / "test-env.json", text.encode("latin-1"))
        places = look(root)
        assert places.problems
        assert hidden(places.env, "x")
    (root / "test-env.json").unlink()
    (root / "test-env.json").mkdir()
    assert only(look(root)).message == "`test-env.json` is a folder, not a file"


@pytest.mark.parametrize("profile", ["../other", "a/b", "..", "", "-x", "a\nb"])
def test_a_profile_is_a_name(root: Path, profile: str) -> None:
    """It cannot lead to a file elsewhere."""
    write(root.parent / "other-env.json", '{"a": 1}')
    places = look(root, profile=profile)
    assert only(places).code == "E312"
    assert env(places, "a") is None


def test_a_variable_may_be_spelt_as_the_configuration_has_it(root: Path) -> None:
    """Not only shells set variables: a name with a hyphen is found, and of two spellings the one for shells holds."""
    scrubber = Scrubber()
    environ = {"MAILWEIR_SECRET_smtp-password": "as-written", "MAILWEIR_SECRET_api_key": "small-letters"}
    places = look(root, environ, scrubber=scrubber)
    assert secret(places, "smtp-password") == ("as-written", "the process environment")
    assert secret(places, "api-key") == ("small-letters", "the process environment")
    assert scrubber.scrub("as-written, small-letters") == "********, ********"
    for both in (
        {**environ, "MAILWEIR_SECRET_SMTP_PASSWORD": "x1"},
        {"MAILWEIR_SECRET_SMTP_PASSWORD": "x1", **environ},
    ):
        assert secret(look(root, both), "smtp-password") == ("x1", "the process environment")


@pytest.mark.parametrize("first", range(6))
def test_the_order_of_places_for_secrets(root: Path, first: int) -> None:
    """systemd, the mounted folder, the process, `.secrets.env`, the project's folder, the command."""
    credentials, mounted = root.parent / "credentials", root.parent / "run-secrets"
    variable = "MAILWEIR_SECRET_SMTP_PASSWORD"
    environ: dict[str, str] = {"CREDENTIALS_DIRECTORY": str(credentials)}
    setters: list[Callable[[], object]] = [
        lambda: write(credentials / "smtp-password", "0"),
        lambda: write(mounted / "smtp-password", "1"),
        lambda: environ.update({variable: "2"}),
        lambda: write(root / ".secrets.env", "smtp-password=3\n"),
        lambda: write(root / "vault" / "smtp-password", "4"),
    ]
    for put in setters[first:]:
        put()
    command = [sys.executable, "-c", "print('smtp-password=5')"]
    places = look(root, environ, secrets_directory=Path("vault"), secrets_command=command)
    names = [
        "$CREDENTIALS_DIRECTORY",
        str(mounted),
        "the process environment",
        ".secrets.env",
        "vault",
        f"the command `{sys.executable}`",
    ]
    assert [place.name for place in places.secrets] == names
    assert secret(places, "smtp-password") == (str(first), names[first])


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"hunter2", "hunter2"),
        (b"hunter2\n", "hunter2"),
        (b"hunter2\r\n", "hunter2"),
        (b"hunter2\n\n", "hunter2\n"),
        (b" a b \n", " a b "),
        (b"", ""),
        ("ключ=$ENV(x)${HOME}".encode(), "ключ=$ENV(x)${HOME}"),
        (b"x" * MOST_BYTES_OF_A_SECRET, "x" * MOST_BYTES_OF_A_SECRET),
    ],
    ids=["plain", "LF", "CRLF", "two LF", "blanks", "empty", "not expanded", "largest"],
)
def test_the_text_of_a_secret_file(root: Path, data: bytes, value: str) -> None:
    """One line end at its end is dropped; nothing else is changed."""
    write(root.parent / "run-secrets" / "smtp-password", data, 0o444)
    places = look(root)
    assert secret(places, "smtp-password") == (value, str(root.parent / "run-secrets"))
    assert not places.problems


def test_secret_files_that_are_refused(root: Path) -> None:
    """A pipe, a folder, what is too large, no UTF-8, or a link out of the folder: one problem each, told once."""
    folder = root.parent / "run-secrets"
    write(folder / "large", "x" * (MOST_BYTES_OF_A_SECRET + 1))
    write(folder / "bytes", CANARY.encode() + b"\xff")
    write(root.parent / "outside", CANARY)
    (folder / "link").symlink_to(root.parent / "outside")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    places = look(root)
    for name in ("large", "bytes", "link", "folder", "pipe") * 2:
        assert secret(places, name) is None
        assert hidden(places.secrets, name)
    assert [(problem.code, problem.message) for problem in places.problems] == [
        ("E312", f"`{folder / 'large'}` is larger than 64 kB"),
        ("E312", f"`{folder / 'bytes'}` is not UTF-8"),
        ("E312", f"`{folder / 'link'}` is a link that leads out of its folder"),
        ("E312", f"`{folder / 'folder'}` is a folder, not a file"),
        ("E312", f"`{folder / 'pipe'}` is a pipe, not a file"),
    ]
    assert all(problem.span.file in places.texts for problem in places.problems)
    assert not hidden(places.secrets, "other")
    assert CANARY not in repr(places.problems)


def test_the_links_of_kubernetes(root: Path) -> None:
    """Names are links to files in a folder that is a link itself, all inside the mounted folder."""
    folder = root.parent / "run-secrets"
    write(folder / "..2026_01_02" / "smtp-password", "hunter2\n")
    (folder / "..data").symlink_to("..2026_01_02")
    (folder / "smtp-password").symlink_to("..data/smtp-password")
    places = look(root)
    assert secret(places, "smtp-password") == ("hunter2", str(folder))
    assert places.secrets[1].names == tuple(places.secrets[1].values) == ("smtp-password",)
    assert not places.problems


@pytest.mark.parametrize("name", ["..", ".", "../outside", "a/b", "/etc/passwd", "..data", "", "a\0b", "-x"])
def test_names_stay_in_the_folder(root: Path, name: str) -> None:
    """What is no plain name is not looked for in folders."""
    write(root.parent / "outside", CANARY)
    write(root.parent / "run-secrets" / "a" / "b", CANARY)
    places = look(root, {"CREDENTIALS_DIRECTORY": str(root.parent / "run-secrets")})
    assert secret(places, name) is None
    assert not places.problems


def test_a_folder_that_is_closed_to_this_user(root: Path) -> None:
    """It says so in the list of places, and the next places are asked."""
    closed = root.parent / "run-secrets"
    write(closed / "smtp-password", "closed")
    write(root / ".secrets.env", "smtp-password=open\n")
    places = _as_other_user(lambda: look(root), closed)
    assert places.secrets[1].label_for("x") == f"{closed} (permission denied)"
    assert places.secrets[1].names == ()
    assert _as_other_user(lambda: places.secrets[1].values.get("smtp-password"), closed) is None
    assert not places.secrets[1].problems


def _as_other_user(ask: Callable[[], T], closed: Path) -> T:
    """What is answered to a user who may not enter a folder: root may always, so it becomes another for a moment."""
    closed.chmod(0)
    if os.geteuid():
        try:
            return ask()
        finally:
            closed.chmod(0o700)
    os.seteuid(65534)
    try:
        return ask()
    finally:
        os.seteuid(0)


def test_a_folder_that_is_a_file(root: Path) -> None:
    """A file where the folder should be is no folder."""
    write(root.parent / "run-secrets", "x")
    assert look(root).secrets[1].label_for("x") == f"{root.parent / 'run-secrets'} (not found)"


def test_secrets_of_the_process(root: Path) -> None:
    """They are read by their own names, not offered, and no variable for `$ENV()`."""
    places = look(root, {"MAILWEIR_SECRET_SMTP_PASSWORD": CANARY, "HOME": "/home/kari"})
    assert secret(places, "smtp-password") == (CANARY, "the process environment")
    assert secret(places, "SMTP_PASSWORD") == (CANARY, "the process environment")
    assert env(places, "MAILWEIR_SECRET_SMTP_PASSWORD") is None
    assert places.secrets[2].names == ()
    assert places.env[0].names == ()
    assert len(places.secrets[2].values) == 1
    assert len(places.secrets[1].values) == 0


def test_names_that_may_be_shown(root: Path) -> None:
    """Names of files of the project and of mounted secrets; `file` is set for the project's own files."""
    write(root / ".env", "a=1\n")
    write(root / "test-env.json", '{"b": 1}')
    write(root / ".secrets.env", "c=1\n")
    write(root.parent / "run-secrets" / "d", "1")
    places = look(root)
    assert [(place.file, list(place.names)) for place in (*places.env, *places.secrets)] == [
        (None, []),
        (".env", ["a"]),
        ("test-env.json", ["b"]),
        (None, []),
        (None, ["d"]),
        (None, []),
        (".secrets.env", ["c"]),
    ]
    assert list(places.texts) == [".env", "test-env.json", ".secrets.env"]


def test_files_are_named_from_the_current_folder(root: Path) -> None:
    """Problems name files as the user sees them from where the command was started."""
    write(root / ".env", "a b\n")
    write(root / ".secrets.env", "a b\n")
    write(root / "test-env.json", "[]")
    places = look(root, here=root.parent)
    wanted = ["project/.env", "project/test-env.json", "project/.secrets.env"]
    assert [problem.span.file for problem in places.problems] == wanted
    assert list(places.texts) == wanted
    assert places.env[1].label_for("x") == ".env (found, 0 names)"


@pytest.mark.parametrize("name", [".env", ".secrets.env", "test-env.json"])
def test_files_of_the_project_that_cannot_be_trusted(root: Path, name: str) -> None:
    """A link out of the project, a file that everyone can change, a pipe: refused, and nothing of it is used."""
    outside = write(root.parent / "outside", "a=1\n")
    (root / name).symlink_to(outside)
    assert only(look(root)).message == f"`{name}` is a link that leads out of the project"
    (root / name).unlink()
    os.mkfifo(root / name)
    assert only(look(root)).message == f"`{name}` is a pipe, not a file"
    (root / name).unlink()
    write(root / name, '{"a": 1}' if name.endswith("json") else "a=1\n", 0o666)
    places = look(root, allow_readable=True)
    assert only(places).message == f"everyone on this machine can change `{name}`"
    assert only(places).notes[-1].text == f"`chmod o-w {name}`"
    assert env(places, "a") is None
    assert secret(places, "a") is None
    place = next(place for place in (*places.env, *places.secrets) if place.name == name)
    assert place.label_for("x") == f"{name} (not used)"
    assert "x" in place.unread


def test_a_link_inside_the_project_is_followed(root: Path) -> None:
    """`.env` may be a link to one of several files beside it."""
    write(root / "env" / "kari", "a=1\n")
    (root / ".env").symlink_to("env/kari")
    assert env(look(root), "a") == ("1", ".env")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_secrets_that_others_can_read(root: Path, mode: int) -> None:
    """The file is refused with the command that mends it, unless the project allows it; `.env` is not secret."""
    write(root / ".secrets.env", f"a={CANARY}\n", mode)
    write(root / ".env", "b=1\n", 0o644)
    places = look(root)
    problem = only(places)
    assert problem.code == "E312"
    assert problem.message == "others on this machine can read `.secrets.env`"
    assert [note.text for note in problem.notes] == [f"its mode is {mode:04o}", "`chmod 600 .secrets.env`"]
    assert secret(places, "a") is None
    assert env(places, "b") == ("1", ".env")
    places = look(root, allow_readable=True)
    assert secret(places, "a") == (CANARY, ".secrets.env")
    assert not places.problems


def test_lines_that_cannot_be_read(root: Path) -> None:
    """They are problems at their line and column, the other lines count, and no value is in a problem or a text."""
    write(root / ".env", f"a=1\n\n  b {CANARY}\nc=3\n")
    write(root / ".secrets.env", f"d='{CANARY}\n# x\n")
    places = look(root)
    found = []
    for problem in places.problems:
        line, column = Lines(places.texts[problem.span.file].text).place(problem.span.start)
        found.append((problem.code, problem.span.file, line, column, problem.label))
    assert found == [
        ("E314", ".env", 3, 3, "a `=` is missing after the name"),
        ("E314", ".secrets.env", 1, 1, "the `'` before the value is never closed"),
    ]
    assert env(places, "c") == ("3", ".env")
    assert hidden(places.env, "b")
    assert hidden(places.secrets, "d")
    assert not hidden(places.env, "e")
    shown = repr(places) + repr(places.problems) + "".join(document.text for document in places.texts.values())
    assert CANARY not in shown


def test_files_that_are_no_utf_8(root: Path) -> None:
    """They are refused as a whole."""
    write(root / ".env", b"a=\xff\n")
    assert only(look(root)).message == "`.env` is not UTF-8"
    write(root / ".env", "a=1\n")
    write(root / ".secrets.env", CANARY.encode() + b"=\xff\n")
    assert only(look(root)).message == "`.secrets.env` is not UTF-8"


def test_a_failing_command_is_one_problem(root: Path) -> None:
    """It stands under the variable that names the command, and hides the names that were asked for."""
    command = [sys.executable, "-c", "import sys; sys.exit('sealed')"]
    places = look(root, secrets_command=command)
    assert not places.problems
    assert secret(places, "a") is None
    assert secret(places, "b") is None
    problem = only(places)
    assert (problem.code, problem.span) == ("E315", Span("MAILWEIR_SECRETS_COMMAND", 0, 0))
    assert [note.text for note in problem.notes] == [
        "it says: sealed",
        "the variable of this name in the environment names the command",
    ]
    assert hidden(places.secrets, "a")


def test_a_command_for_each_name_gets_the_name_as_it_is_written(root: Path) -> None:
    """The spelling for shells is for shells."""
    places = look(root, secrets_command=[sys.executable, "-c", "import sys; print(sys.argv[1])", "{name}"])
    assert secret(places, "smtp-password") == ("smtp-password", f"the command `{sys.executable}`")


def test_a_command_is_stopped(root: Path) -> None:
    """The time that it may take is an argument."""
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    places = look(root, secrets_command=command, command_seconds=1)
    assert secret(places, "a") is None
    assert places.problems[0].message.endswith("has not ended after 1 seconds")


def test_every_secret_that_is_read_is_registered(root: Path) -> None:
    """The scrubber knows secrets of files and of the process at once, those of folders when they are read."""
    write(root / ".secrets.env", "a=file-secret\n")
    write(root.parent / "run-secrets" / "b", "folder-secret\n")
    scrubber = Scrubber()
    places = look(root, {"MAILWEIR_SECRET_C": "process-secret"}, scrubber=scrubber)
    assert scrubber.scrub("file-secret process-secret") == "******** ********"
    secret(places, "b")
    assert scrubber.scrub("folder-secret") == "********"


def test_nothing_of_the_places_prints_a_value(root: Path) -> None:
    """Printed with everything in it, the result shows neither secrets nor variables that nobody named."""
    write(root / ".env", f"a={CANARY}\n")
    write(root / "test-env.json", f'{{"a": "{CANARY}"}}')
    write(root / ".secrets.env", f"a={CANARY}\n")
    write(root.parent / "run-secrets" / "b", CANARY)
    places = look(root, {"HOME": CANARY, "MAILWEIR_SECRET_C": CANARY})
    found = [find(places.env, "a"), find(places.secrets, "a"), find(places.secrets, "b"), find(places.secrets, "c")]
    assert CANARY not in repr(places) + repr(found)


@given(name=st.text(max_size=12), data=st.binary(max_size=60))
def test_no_bytes_make_it_fall(tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes) -> None:
    """Whatever is in the files and whatever is asked for, there are values or problems."""
    root = tmp_path_factory.mktemp("any") / "project"
    for file in (".env", ".secrets.env", "test-env.json", "../run-secrets/a"):
        write(root / file, data)
    places = look(root)
    for asked in (name, "a"):
        find(places.env, asked)
        find(places.secrets, asked)
    assert all(problem.span.file in places.texts for problem in places.problems)
