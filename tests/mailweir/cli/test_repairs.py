"""`mailweir check --fix` and `--diff`: what is written, what is shown, and what is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from mailweir.cli.checking import Checked, check_paths
from mailweir.cli.out import Out
from mailweir.cli.repairing import Plan, diff, plan, write_files
from pipeline.config.load import Options

SYSTEM = """{
  "_id": "mail",
  "type": "system:smtp",
  "smtp_server": "$ENV(host)",
  "smtp_port": "25",
}
"""
FIXED = SYSTEM.replace('"25",', "25")
PIPE = '{"_id": "a", "type": "pipe", "source": {"type": "empty"}, "sink": {"type": "null"}, "pmp": {"mode": "Off"}}\n'
SETTINGS = '{"exclud": ["x"]}\n'
VALUES = '{"host": "localhost",}\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a fault in each of its files that a repair can mend."""
    for name, text in {
        "systems/a.conf.json": SYSTEM,
        "pipes/b.conf.json": PIPE,
        "mailweir.json": SETTINGS,
        "test-env.json": VALUES,
    }.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return tmp_path


def mailweir(*arguments: str, folder: Path, given: str = "", **environ: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mailweir")), *arguments],
        cwd=folder,
        input=given.encode(),
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"], **environ},
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def contents(folder: Path) -> dict[str, str]:
    """The text of every file."""
    return {path.name: path.read_text() for path in folder.rglob("*.json")}


def checked(folder: Path, replaced: Mapping[Path, bytes] | None = None) -> Checked:
    """A check of the project."""
    options = Options(environ={}, here=folder, run_secrets=folder / "none", replaced=replaced or {})
    return check_paths([folder], options)


def planned(folder: Path) -> Plan:
    """The repairs of the project, not written yet."""
    return plan(checked(folder), lambda replaced: checked(folder, replaced))


def test_repairs_are_written_to_every_file_of_the_project(project: Path) -> None:
    """Settings and values too: as many as were announced, and a second run finds nothing to do."""
    code, _, told = mailweir("check", folder=project)
    assert (code, told.splitlines()[-1]) == (
        1,
        "6 errors, 0 warnings in 4 files. 6 fixable with `mailweir check --fix`.",
    )
    code, _, told = mailweir("check", "--fix", folder=project)
    assert (code, told.splitlines()) == (
        0,
        [
            "mailweir.json  1 repaired",
            "pipes/b.conf.json  2 repaired",
            "systems/a.conf.json  2 repaired",
            "test-env.json  1 repaired",
            "All checks passed: 1 system, 1 pipe in 2 files.",
        ],
    )
    assert contents(project) == {
        "a.conf.json": FIXED,
        "b.conf.json": PIPE.replace("pmp", "pump").replace("Off", "off"),
        "mailweir.json": SETTINGS.replace("exclud", "exclude"),
        "test-env.json": VALUES.replace(",", ""),
    }
    code, _, told = mailweir("check", "--fix", folder=project)
    assert (code, told) == (0, "All checks passed: 1 system, 1 pipe in 2 files.\n")


def test_a_diff_is_what_would_be_written(project: Path) -> None:
    """The same lines in the file as in the diff, and nothing is touched."""
    before = contents(project)
    code, shown, _ = mailweir("check", "--diff", folder=project)
    assert code == 1
    assert contents(project) == before
    assert shown == diff(planned(project)) + "\n"
    assert [line for line in shown.splitlines() if line.startswith(("+", "-"))][:4] == [
        "--- mailweir.json",
        "+++ mailweir.json",
        '-{"exclud": ["x"]}',
        '+{"exclude": ["x"]}',
    ]
    mailweir("check", "--fix", folder=project)
    assert mailweir("check", "--diff", folder=project)[:2] == (0, "")


@pytest.mark.parametrize("option", ["--fix", "--diff"])
def test_json_tells_the_repairs(project: Path, option: str) -> None:
    """One document: each repaired fault with its place, the diff, and the faults of the files as they are then."""
    code, out, _ = mailweir("check", option, "--json", folder=project)
    report = json.loads(out)
    assert report["exit_code"] == code == (option == "--diff")
    assert report["repairs"][0] == {
        "file": "mailweir.json",
        "code": "E201",
        "message": "unknown property `exclud` in mailweir.json",
        "line": 1,
        "column": 2,
    }
    assert [repair["code"] for repair in report["repairs"]] == ["E201", "E201", "E203", "E202", "E101", "E101"]
    assert report["diff"].startswith("--- mailweir.json\n+++ mailweir.json\n@@ -1 +1 @@\n")
    assert len(report["diagnostics"]) == (6 if option == "--diff" else 0)
    assert (contents(project)["a.conf.json"] == FIXED) == (option == "--fix")


def test_json_without_either_has_no_word_of_repairs(project: Path) -> None:
    """The edits stand with each fault."""
    report = json.loads(mailweir("check", "--json", folder=project)[1])
    assert not {"repairs", "diff"} & report.keys()
    assert report["diagnostics"][0]["fix"]


def test_standard_input_is_shown_and_repaired_as_a_file_is(project: Path) -> None:
    """A diff of the text alone; other files of the project are neither changed nor announced."""
    before = contents(project)
    stands_for = ("--stdin-name", "systems/a.conf.json")
    _, shown, told = mailweir("check", "-", "--diff", *stands_for, folder=project, given=SYSTEM)
    assert shown.splitlines()[0] == "--- systems/a.conf.json"
    assert [line for line in shown.splitlines()[2:] if line[0] in "+-"] == [
        '-  "smtp_port": "25",',
        '+  "smtp_port": 25',
    ]
    assert told.splitlines()[-1].endswith("2 fixable with `mailweir check --fix`.")
    _, out, _ = mailweir("check", "-", "--diff", "--json", *stands_for, folder=project, given=SYSTEM)
    assert [repair["file"] for repair in json.loads(out)["repairs"]] == ["systems/a.conf.json"] * 2
    _, text, _ = mailweir("check", "-", "--fix", *stands_for, folder=project, given=SYSTEM, GITHUB_ACTIONS="true")
    assert text == FIXED
    _, text, _ = mailweir("check", "-", "--fix", "--stdin-name", "mailweir.json", folder=project, given=SETTINGS)
    assert text == SETTINGS.replace("exclud", "exclude")
    assert contents(project) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("--diff", "--format", "sarif"),
        ("--diff", "--format", "concise"),
        ("-", "--fix", "--json"),
        ("-", "--fix", "--format", "github"),
    ],
)
def test_what_would_mix_two_texts_on_one_stream_is_wrong_use(project: Path, arguments: tuple[str, ...]) -> None:
    """Exit code 2; on standard output stands nothing, or the document that says so."""
    code, out, told = mailweir("check", *arguments, folder=project, given=SYSTEM)
    assert code == 2
    assert told.startswith("error: ")
    assert json.loads(out)["exit_code"] == 2 if "--json" in arguments else out == ""


def test_a_diff_goes_before_annotations(project: Path) -> None:
    """In a workflow the format is chosen by itself, but not where a diff is asked for."""
    assert mailweir("check", "--diff", folder=project, GITHUB_ACTIONS="true")[1].startswith("--- mailweir.json\n")


def test_settings_and_values_can_be_asked_for_by_name(project: Path) -> None:
    """They are not taken for components."""
    for name in ("mailweir.json", "test-env.json"):
        code, _, told = mailweir("check", name, "--fix", folder=project)
        assert (code, "E204" in told) == (0, False)
    assert "a.conf.json" in contents(project)
    assert contents(project)["a.conf.json"] == SYSTEM


def test_a_file_that_changed_meanwhile_is_not_overwritten(project: Path) -> None:
    """What a person saved in between stays; the other files are repaired."""
    made = planned(project)
    (project / "pipes" / "b.conf.json").write_text("mine")
    with pytest.raises(click.UsageError, match="pipes/b.conf.json was changed meanwhile"):
        write_files(made, Out(quiet=True))
    assert contents(project)["b.conf.json"] == "mine"
    assert contents(project)["a.conf.json"] == FIXED


def test_a_file_that_cannot_be_written_is_named(project: Path) -> None:
    """The reason in a few words, no trace."""
    made = planned(project)
    (project / "mailweir.json").unlink()
    (project / "mailweir.json").mkdir()
    with pytest.raises(click.UsageError, match=r"cannot write mailweir\.json: is a directory"):
        write_files(made, Out(quiet=True))


def test_repairs_that_would_bring_more_errors_are_not_made(project: Path) -> None:
    """The file that is the cause stays as it is and is named, the others are repaired."""

    def again(replaced: Mapping[Path, bytes]) -> Checked:
        result = checked(project, replaced)
        if project / "pipes" / "b.conf.json" in replaced:
            result.problems += checked(project).problems * 2
        return result

    made = plan(checked(project), again)
    assert made.left == ["pipes/b.conf.json"]
    assert sorted(made.after) == ["mailweir.json", "systems/a.conf.json", "test-env.json"]


def test_a_secret_is_masked_in_a_diff(project: Path) -> None:
    """Also where its line changes."""
    text = FIXED.replace('"smtp_port"', '"smtp_username": "a", "smtp_pasword": "canary-51", "smtp_port"')
    (project / "systems" / "a.conf.json").write_text(text)
    code, out, told = mailweir("check", "--diff", folder=project)
    assert code == 1
    assert '+  "smtp_username": "a", "smtp_password": "********", "smtp_port": 25' in out.splitlines()
    assert "canary" not in out + told
    assert "canary" not in mailweir("check", "--diff", "--json", folder=project)[1]


def test_only_chosen_codes_are_repaired(project: Path) -> None:
    """What is not reported is not repaired."""
    mailweir("check", "--fix", "--select", "E101", folder=project)
    assert contents(project)["a.conf.json"] == SYSTEM.replace('"25",', '"25"')
    assert contents(project)["mailweir.json"] == SETTINGS


def test_a_repair_that_brings_the_next_one_to_light_is_followed(project: Path) -> None:
    """The rounds are told as one."""
    (project / "systems" / "a.conf.json").write_text(SYSTEM.replace('"25"', "'25'"))
    made = planned(project)
    found: list[Any] = [(repair.problem.code, repair.problem.span.file) for repair in made.repairs]
    assert found.count(("E202", "systems/a.conf.json")) == 1
    assert made.after["systems/a.conf.json"].decode() == FIXED
    assert made.checked.problems == []
