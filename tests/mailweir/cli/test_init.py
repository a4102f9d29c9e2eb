"""`mailweir init`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from mailweir.cli.checking import check_paths
from mailweir.cli.init import add, make, project_files, projects, templates
from mailweir.cli.main import main
from pipeline.config.load import Options


def init(folder: Path, *arguments: str) -> int:
    """Run the verb in a folder."""
    return main(["-C", str(folder), "init", *arguments])


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_new_project_says_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it has, and the first commands."""
    assert init(tmp_path, "my-mail") == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "Made my-mail/ with 1 system, 3 pipes.\n"
        "\n"
        f"  cd {tmp_path / 'my-mail'}\n"
        "  mailweir check    check the config\n"
        "  mailweir test     run its tests\n"
        "  mailweir graph    see what flows where\n"
        "  mailweir list     see what is in it\n"
    )


@pytest.mark.parametrize("template", templates)
def test_a_new_project_passes_its_check(tmp_path: Path, template: str) -> None:
    """Every template, on a machine where nothing is set; the example is in it byte for byte."""
    project = tmp_path / "my-mail"
    assert init(tmp_path, "my-mail", "--template", template) == 0
    checked = check_paths([project], Options(environ={}, here=tmp_path, run_secrets=tmp_path / "none"))
    assert checked.problems == []
    made = content(project)
    example = projects() / template
    assert {name: made[name] for name in content(example)} == content(example)
    settings = json.loads(made[".vscode/settings.json"])
    for entry in settings["json.schemas"]:
        assert str(Path(entry["url"])) in made


def test_this_folder_is_the_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without DIR the project is made here, and nothing is said of `cd`."""
    assert init(tmp_path, "--template", "empty") == 0
    assert (tmp_path / "mailweir.json").is_file()
    assert capsys.readouterr().err.startswith("Made a project in this folder: a project to begin from.\n\n  mailweir ")


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    """A path of several names needs no `mkdir -p`."""
    assert init(tmp_path, "a/b c/d/") == 0
    assert (tmp_path / "a" / "b c" / "d" / "mailweir.json").is_file()


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what is in the way and what to do, and writes nothing."""
    project = tmp_path / "my-mail"
    for name in ("pipes", "systems", ".hidden"):
        (project / name).mkdir(parents=True)
    assert init(tmp_path, "my-mail") == 2
    assert capsys.readouterr().err == (
        "error: my-mail/ is not empty (pipes/, systems/, .hidden/). Nothing was written.\n"
        "  help: choose another folder, or `--force` to add only the files that are missing\n"
    )
    assert content(project) == {}


def test_of_many_files_in_the_way_some_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message stays one line."""
    for number in range(9):
        (tmp_path / f"{number}.txt").write_text("")
    assert init(tmp_path) == 2
    assert "this folder is not empty (0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 4 more)." in capsys.readouterr().err


@pytest.mark.parametrize("dangling", [False, True])
def test_a_file_in_the_place_of_the_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, dangling: bool
) -> None:
    """A file or a link that leads nowhere is not replaced, with `--force` neither."""
    target = tmp_path / "my-mail"
    target.symlink_to("nowhere") if dangling else target.write_text("mine")
    for more in ((), ("--force",)):
        assert init(tmp_path, "my-mail", *more) == 2
        assert capsys.readouterr().err == "error: my-mail is there and is no folder. Nothing was written\n"
    assert target.is_symlink() if dangling else target.read_text() == "mine"


def test_a_fresh_repository_counts_as_empty(tmp_path: Path) -> None:
    """`git init` before `mailweir init` is no obstacle, and is left alone."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    assert init(tmp_path) == 0
    assert (tmp_path / ".git" / "HEAD").read_text() == "ref: refs/heads/main\n"
    assert (tmp_path / "pipes").is_dir()


def test_force_adds_what_is_missing_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files that are there keep every byte."""
    assert init(tmp_path, "my-mail") == 0
    capsys.readouterr()
    project = tmp_path / "my-mail"
    whole = content(project)
    (project / "mailweir.json").write_text("{}")
    (project / "test-env.json").unlink()
    (project / ".vscode" / "settings.json").write_text("// mine")
    assert init(tmp_path, "my-mail", "--force") == 0
    count = len(whole) - 1
    assert capsys.readouterr().err.startswith(f"Added 1 file to my-mail/; {count} were there and are as they were.\n")
    assert content(project) == whole | {"mailweir.json": b"{}", ".vscode/settings.json": b"// mine"}


# Longer than any file system takes: the write fails after others went well.
FAILING = {"a.txt": b"a", "b/c.txt": b"c", "x" * 300: b""}


def test_a_write_that_fails_leaves_no_new_folder(tmp_path: Path) -> None:
    """The project is there whole or not at all, and so are the folders on the way to it."""
    with pytest.raises(OSError, match="too long"):
        make(tmp_path / "new" / "my-mail", FAILING)
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_takes_back_what_it_added(tmp_path: Path) -> None:
    """In a folder that was there, everything is as before."""
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "b").mkdir()
    with pytest.raises(OSError, match="too long"):
        add(tmp_path, FAILING)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["b", "mine.txt"]


def test_a_write_that_fails_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file stands where a folder of the project belongs."""
    (tmp_path / "pipes").write_text("mine")
    assert init(tmp_path, "--force") == 2
    assert capsys.readouterr().err == "error: cannot write this folder: file exists. Nothing was written\n"
    assert content(tmp_path) == {"pipes": b"mine"}


def test_values_that_lie_beside_an_example_stay_there(tmp_path: Path) -> None:
    """Passwords and state in a source checkout are never copied into a project."""
    for name in (".env", ".secrets.env", ".mailweir/state.db", ".vscode/settings.json", "pipes/.env"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("theirs")
    (tmp_path / ".gitignore").write_text("kept")
    files: Mapping[str, bytes] = project_files(tmp_path)
    assert b"theirs" not in files.values()
    assert files[".gitignore"] == b"kept"


def test_files_have_the_modes_of_this_user(tmp_path: Path) -> None:
    """A package that was installed read-only does not make a project that cannot be edited."""
    assert init(tmp_path, "my-mail") == 0
    usual = tmp_path / "usual"
    usual.write_text("")
    for path in (tmp_path / "my-mail").rglob("*"):
        assert path.is_dir() or path.stat().st_mode == usual.stat().st_mode


def test_the_templates_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with what it is, as lines and as JSON; nothing is written."""
    assert init(tmp_path, "--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "welcome   A mail to each new customer"
    assert init(tmp_path, "--list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["templates"]
    assert [f"{one['name']:<9} {one['description']}" for one in listed] == lines
    assert [one["name"] for one in listed] == list(templates)
    assert list(tmp_path.iterdir()) == []


def test_the_outcome_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One document on standard output that names what was written and what was kept."""
    (tmp_path / "mailweir.json").write_text("{}")
    assert init(tmp_path, "--force", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["command"], found["ok"], found["exit_code"]) == ("init", True, 0)
    assert found["kept"] == ["mailweir.json"]
    assert {*found["written"], "mailweir.json"} == set(content(tmp_path))
