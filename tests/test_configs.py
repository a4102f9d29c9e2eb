"""The example projects are right, the faulty one is faulty where it says, and their texts name what exists."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from textwrap import indent
from typing import Final
from xml.etree import ElementTree as ET

import pytest

from mailweir.cli.checking import Checked, check_paths
from mailweir.cli.group import verbs
from mailweir.cli.init import templates
from mailweir.cli.main import main
from mailweir.cli.out import Out
from mailweir.cli.report import write
from pipeline.config.load import Options
from pipeline.config.tree import Lines

ROOT: Final = Path(__file__).parents[1]
CONFIGS: Final = ROOT / "configs"
PROJECTS: Final = sorted(folder.name for folder in CONFIGS.iterdir() if folder.is_dir() and folder.name != "faulty")
FAULTY: Final = CONFIGS / "faulty" / "systems" / "our-smtp-server.conf.json"
WITH_MAIL: Final = [name for name in PROJECTS if name != "empty"]


def check(folder: Path, profile: str | None = None, here: Path = ROOT, **environ: str) -> Checked:
    """Check as on a machine where nothing is set but these variables."""
    nowhere = folder / "no such folder"
    return check_paths([folder], Options(profile=profile, environ=environ, here=here, run_secrets=nowhere))


def test_every_project_is_a_template_of_init() -> None:
    """`init` offers the folders that are here, and no other."""
    assert sorted(templates) == PROJECTS


@pytest.mark.parametrize("name", PROJECTS)
def test_a_fresh_clone_passes_the_check_without_a_warning(name: str) -> None:
    """With no variable and no secret set there is nothing to report."""
    checked = check(CONFIGS / name)
    assert checked.problems == []
    assert bool(checked.files) == (name != "empty")


def test_one_check_reads_every_project_but_the_faulty_one() -> None:
    """The settings in `configs/` leave out what is faulty on purpose, and nothing else."""
    checked = check(CONFIGS)
    assert checked.problems == []
    read = {Path(file).parts[1] for file in checked.files}
    assert read == set(WITH_MAIL)


@pytest.mark.parametrize("name", WITH_MAIL)
def test_in_production_only_the_password_is_missing(name: str) -> None:
    """The profile `prod` asks for the one value that no file may hold, and is complete with it."""
    missing = check(CONFIGS / name, "prod").problems
    assert [(problem.code, problem.message) for problem in missing] == [("E303", "secret `smtp-password` is not set")]
    assert check(CONFIGS / name, "prod", MAILWEIR_SECRET_SMTP_PASSWORD="correct horse").problems == []


@pytest.mark.parametrize("name", PROJECTS)
def test_values_and_state_of_a_machine_stay_out_of_git(name: str) -> None:
    """Every project ignores `.env`, `.secrets.env` and `.mailweir/`."""
    lines = (CONFIGS / name / ".gitignore").read_text().splitlines()
    assert {".env", ".secrets.env", ".mailweir/"} <= set(lines)


def test_texts_name_only_verbs_that_exist() -> None:
    """A person can type every command that a README shows."""
    for page in sorted(CONFIGS.rglob("README.md")):
        named = set(re.findall(r"(?:`|^ +|\$ )mailweir (?:-\S+ \S+ )*([a-z]+)", page.read_text(), re.MULTILINE))
        assert named <= set(verbs), page


@pytest.mark.parametrize("name", WITH_MAIL)
def test_a_page_shows_the_graph_of_its_project(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The picture in the README is the one that `mailweir graph` draws."""
    assert main(["-C", str(CONFIGS / name), "graph"]) == 0
    drawn = indent(f"$ mailweir graph\n{capsys.readouterr().out}", "    ")
    assert drawn in (CONFIGS / name / "README.md").read_text()


def test_the_overview_names_every_folder() -> None:
    """`configs/README.md` has a line for each project."""
    page = (CONFIGS / "README.md").read_text()
    assert set(re.findall(r"\]\(([a-z]+)/\)", page)) == {*PROJECTS, "faulty"}


def test_the_first_files_that_the_empty_project_shows_work(tmp_path: Path) -> None:
    """Written as the texts in its folders show them, a system and a pipe make a project without faults."""
    project = tmp_path / "project"
    shutil.copytree(CONFIGS / "empty", project)
    for page in sorted(project.glob("*/README.md")):
        (block,) = re.findall(r"```json\n(.*?)```", page.read_text(), re.DOTALL)
        (page.parent / f"{json.loads(block)['_id']}.conf.json").write_text(block)
    checked = check(project)
    assert (len(checked.files), checked.problems) == (2, [])


def test_the_faulty_project_has_its_four_faults_where_it_says() -> None:
    """One run tells the missing quotes, the missing comma, the variable and the secret, each at its character."""
    checked = check(CONFIGS / "faulty")
    (file,) = checked.files
    places = Lines(checked.texts[file])
    found = {(problem.code, *places.place(problem.span.start)) for problem in checked.problems}
    assert found == {("E104", 8, 20), ("E102", 8, 46), ("E301", 7, 21), ("E303", 8, 20)}
    assert len(checked.problems) == 4


def test_the_faulty_project_is_repaired_in_two_places_and_no_other_byte(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--fix` writes the quotes and the comma; the two values still have to be set."""
    project = tmp_path / "faulty"
    shutil.copytree(CONFIGS / "faulty", project)
    file = project / "systems" / FAULTY.name
    before = file.read_bytes()
    assert main(["-C", str(project), "check", "--fix"]) == 1
    bare = b"$SECRET(password-variable)"
    assert file.read_bytes() == before.replace(bare, b'"' + bare + b'",')
    assert "\n2 errors, 0 warnings in 1 file." in capsys.readouterr().err
    after = check(project, here=project, USERNAME_VARIABLE="kari", MAILWEIR_SECRET_PASSWORD_VARIABLE="correct horse")
    assert after.problems == []


def test_the_faulty_project_prints_what_its_page_shows() -> None:
    """The text in the README is what `mailweir check configs/faulty` prints, to the letter."""
    checked = check(CONFIGS / "faulty")
    printed = StringIO()
    write(checked, "full", Out(stderr=printed, environ={"NO_COLOR": "1"}))
    shown = (CONFIGS / "faulty" / "README.md").read_text()
    text = printed.getvalue().replace(str(CONFIGS / "faulty" / "no such folder"), "/run/secrets")
    assert f"```\n$ mailweir check configs/faulty\n{text}```\n" in shown


def test_the_tests_of_the_examples_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """What they say of themselves is true; every example with pipes has tests."""
    assert main(["test", "-C", str(CONFIGS), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["passed"] == len(document["tests"])
    assert {one["file"].partition("/")[0] for one in document["tests"]} == set(WITH_MAIL)


@pytest.mark.parametrize("workers", [(), ("-n", "4")])
def test_pytest_runs_the_tests_of_the_examples(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, workers: tuple[str, ...]
) -> None:
    """The same ones under the same names, in one process or in several, whatever the time zone and the hashes are."""
    assert main(["test", "-C", str(CONFIGS), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    report = tmp_path / "report.xml"
    arguments = [*workers, "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", ".", f"--junitxml={report}", "."]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *arguments],
        cwd=CONFIGS,
        env={**inherited, "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    names = [str(case.get("name")) for case in ET.parse(report).iter("testcase")]
    assert sorted(names) == sorted(one["name"] for one in document["tests"])
