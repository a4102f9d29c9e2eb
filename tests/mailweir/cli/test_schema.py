"""`mailweir schema`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mailweir.cli.main import main


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project without files of an editor."""
    folder = tmp_path / "my-mail"
    (folder / "systems").mkdir(parents=True)
    (folder / "mailweir.json").write_text("{}")
    return folder


def schema(folder: Path, *arguments: str) -> int:
    """Run the verb in a folder."""
    return main(["-C", str(folder), "schema", *arguments])


def test_the_schemas_are_written_and_mapped(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All are schemas where the settings of VS Code say; run again nothing changes."""
    assert schema(project) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "Wrote .mailweir/schema/component.schema.json and .mailweir/schema/project.schema.json"
        " and .mailweir/schema/test.schema.json\n"
        ".vscode/settings.json maps *.conf.json, nodeconfig.json, mailweir.json, expected/*.test.json to them\n"
    )
    settings = project / ".vscode" / "settings.json"
    entries = json.loads(settings.read_text())["json.schemas"]
    for entry in entries:
        Draft202012Validator.check_schema(json.loads((project / entry["url"]).read_text()))
    assert [entry["fileMatch"] for entry in entries] == [
        ["*.conf.json", "nodeconfig.json"],
        ["mailweir.json"],
        ["expected/*.test.json"],
    ]

    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in project.rglob("*") if path.is_file()}
    assert schema(project) == 0
    assert capsys.readouterr().err.endswith("\n.vscode/settings.json maps them already\n")
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in project.rglob("*") if path.is_file()}
    assert after == before


def test_the_project_is_found_from_below(project: Path) -> None:
    """Started in a folder of the project, it writes where the project begins."""
    assert schema(project / "systems") == 0
    assert (project / ".mailweir" / "schema" / "project.schema.json").is_file()
    assert (project / ".vscode" / "settings.json").is_file()


def test_settings_keep_their_content_and_mode(project: Path) -> None:
    """Settings that are there are added to; who may read them does not change."""
    settings = project / ".vscode" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{\n\t"editor.fontSize": 13\n}\n')
    settings.chmod(0o600)
    assert schema(project) == 0
    assert settings.read_text().startswith('{\n\t"editor.fontSize": 13,\n\t"json.schemas": [\n')
    assert settings.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"{ // a comment\n}", b"\xff\xfe{}", None], ids=["comment", "encoding", "folder"])
def test_settings_that_cannot_be_merged_are_left_and_the_text_to_add_is_shown(
    project: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    """Nothing of a person's is lost: they are told what to add, and the schemas are there."""
    settings = project / ".vscode" / "settings.json"
    if content is None:
        settings.mkdir(parents=True)
    else:
        settings.parent.mkdir()
        settings.write_bytes(content)
    assert schema(project) == 0
    said = capsys.readouterr().err
    assert ".vscode/settings.json is left as it is: it " in said
    shown = json.loads(said.partition("Add this to it:\n\n")[2])
    assert [Path(entry["url"]).name for entry in shown["json.schemas"]] == [
        "component.schema.json",
        "project.schema.json",
        "test.schema.json",
    ]
    assert content is None or settings.read_bytes() == content


def test_jetbrains_has_its_own_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--editor jetbrains` the mapping is in .idea, and VS Code's settings are not touched."""
    assert schema(project, "--editor", "jetbrains") == 0
    assert '<option name="path" value="*.conf.json" />' in (project / ".idea" / "jsonSchemas.xml").read_text()
    assert not (project / ".vscode").exists()
    assert ".idea/jsonSchemas.xml maps *.conf.json" in capsys.readouterr().err


@pytest.mark.parametrize(("out", "url"), [("schemas", "./schemas/"), ("../elsewhere", "/")])
def test_schemas_may_be_elsewhere(project: Path, out: str, url: str) -> None:
    """A folder in the project is mapped from there; one outside by its whole path."""
    assert schema(project, "--out", out) == 0
    entry = json.loads((project / ".vscode" / "settings.json").read_text())["json.schemas"][0]
    folder = (project / out).resolve()
    wanted = f"{url}component.schema.json" if url != "/" else f"{folder}/component.schema.json"
    assert entry["url"] == wanted
    assert (folder / "component.schema.json").is_file()
    assert not (project / ".mailweir").exists()


def test_no_editor_means_no_settings(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--editor none` writes the schemas alone."""
    assert schema(project, "--editor", "none") == 0
    assert sorted(path.name for path in project.iterdir()) == [".mailweir", "mailweir.json", "systems"]
    assert capsys.readouterr().err.count("\n") == 1


def test_a_place_that_cannot_be_written_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder as it was given, and why; exit code 2, and no part of a file is left."""
    (project / "file").write_text("")
    assert schema(project, "--out", "file/below") == 2
    assert capsys.readouterr().err == "error: cannot write file/below: not a directory\n"
    assert not (project / ".vscode").exists()


def test_the_outcome_as_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One document that names every file; what was to be added by hand is in it."""
    (project / ".vscode").mkdir()
    (project / ".vscode" / "settings.json").write_text("// mine")
    assert schema(project, "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (found["schema_version"], found["command"], found["ok"], found["exit_code"]) == (1, "schema", True, 0)
    assert found["files"] == [
        ".mailweir/schema/component.schema.json",
        ".mailweir/schema/project.schema.json",
        ".mailweir/schema/test.schema.json",
    ]
    assert (found["editor"], found["settings"], found["mapped"]) == ("vscode", ".vscode/settings.json", False)
    assert len(found["add"]["json.schemas"]) == 3
