"""The command as a whole: pages, versions, and the folder that it is started in."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).with_name("mailweir"))


def mailweir(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    return subprocess.run([COMMAND, *arguments], cwd=folder, capture_output=True, check=False, text=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["graph"],
        ["list"],
        ["list", "sinks"],
        ["explain", "E101"],
        ["schema"],
        ["init", "new"],
        ["secret", "list"],
        ["-C", ".", "check"],
        ["-e", "values.env", "list"],
    ],
    ids=" ".join,
)
def test_a_folder_that_is_gone_is_named_as_the_cause(tmp_path: Path, arguments: list[str]) -> None:
    """A verb that needs the current folder says that it does not exist any more: wrong use, no fault of ours."""
    gone = tmp_path / "gone"
    gone.mkdir()
    removing = 'rmdir "$PWD" && exec "$0" "$@"'
    shell = ["/bin/sh", "-c", removing, COMMAND, *arguments]
    done = subprocess.run(shell, cwd=gone, capture_output=True, check=False, text=True)
    words = "error: the current folder does not exist any more\n  help: go to another one\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", words)


def test_a_folder_that_is_gone_is_not_missed_where_another_is_named(tmp_path: Path) -> None:
    """With `-C` and a whole path the current folder does not matter."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "a.conf.json").write_text('{"_id": "a", "type": "system:smtp"}')
    (tmp_path / "gone").mkdir()
    for verb in ("check", "list", "graph"):
        shell = ["/bin/sh", "-c", 'rmdir "$PWD"; exec "$0" "$@"', COMMAND, "-C", str(tmp_path / "project"), verb]
        (tmp_path / "gone").mkdir(exist_ok=True)
        assert subprocess.run(shell, cwd=tmp_path / "gone", capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("words", "page"),
    [
        (["help", "check"], ["check", "--help"]),
        (["help", "secret", "set"], ["secret", "set", "-h"]),
        (["help"], ["--help"]),
        ([], ["-h"]),
    ],
    ids=str,
)
def test_help_before_a_verb_is_help_after_it(tmp_path: Path, words: list[str], page: list[str]) -> None:
    """Both print the page of the verb and end well."""
    asked, known = mailweir(*words, folder=tmp_path), mailweir(*page, folder=tmp_path)
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, known.stdout, "")
    assert asked.stdout


def test_help_for_no_verb_says_what_was_meant(tmp_path: Path) -> None:
    """As without `help`."""
    done = mailweir("help", "chekc", folder=tmp_path)
    assert (done.returncode, done.stderr) == (2, "error: no command 'chekc'. Did you mean 'check'?\n")


@pytest.mark.parametrize("arguments", [["--version", "--json"], ["--json", "--version"]], ids=" ".join)
def test_the_version_is_a_document_for_programs(tmp_path: Path, arguments: list[str]) -> None:
    """With the same head as any other, in either order."""
    document = json.loads(mailweir(*arguments, folder=tmp_path).stdout)
    plain = mailweir("--version", folder=tmp_path).stdout
    assert document == {
        "schema_version": 1,
        "command": "version",
        "ok": True,
        "exit_code": 0,
        "version": plain.removeprefix("mailweir ").strip(),
    }


@pytest.mark.parametrize(
    ("arguments", "command", "error"),
    [
        (["check", "nowhere", "--json"], "check", "no file or folder 'nowhere'"),
        (["--json", "lint", "nowhere"], "check", "no file or folder 'nowhere'"),
        (["check", "--format", "json", "nowhere"], "check", "no file or folder 'nowhere'"),
        (["graph", "--format=json"], "graph", "no configuration in this folder (looked for *.conf.json)"),
        (["list", "--json"], "list", "no configuration in this folder (looked for *.conf.json)"),
        (["--color", "never", "list", "--json", "--xyz"], "list", "no option '--xyz'."),
        (["--json", "chekc"], None, "no command 'chekc'. Did you mean 'check'?"),
        (["--json"], None, "missing command"),
        (
            ["check", "--json", "--format", "sarif"],
            "check",
            "`--json` and `--format sarif` are two formats: ask for one",
        ),
        (["graph", "--json", "--format", "dot"], "graph", "`--json` and `--format dot` are two formats: ask for one"),
    ],
    ids=str,
)
def test_wrong_use_is_a_document_where_one_was_asked_for(
    tmp_path: Path, arguments: list[str], command: str | None, error: str
) -> None:
    """Whoever reads documents gets one, and the person still the line."""
    done = mailweir(*arguments, folder=tmp_path)
    document = json.loads(done.stdout)
    head = {"schema_version": 1, "command": command, "ok": False, "exit_code": 2, "error": error}
    assert document == {**head, "notes": document["notes"]}
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {error}")


def test_what_to_do_is_in_the_document(tmp_path: Path) -> None:
    """Help and notes have their kind; other lines belong to the sentence."""
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "y").touch()
    document = json.loads(mailweir("init", "x", "--json", folder=tmp_path).stdout)
    assert document["error"] == "x/ is not empty (y). Nothing was written."
    help_ = "choose another folder, or `--force` to add only the files that are missing"
    assert document["notes"] == [{"kind": "help", "text": help_}]
    document = json.loads(mailweir("secret", "set", "a", "b", "--json", folder=tmp_path).stdout)
    assert document["error"].endswith(
        "the input is hidden (change this password, it has been written to the history now)"
    )
    assert document["notes"] == []


def test_a_word_after_two_dashes_is_no_option(tmp_path: Path) -> None:
    """A file may be called `--json`."""
    done = mailweir("check", "--", "--json", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
