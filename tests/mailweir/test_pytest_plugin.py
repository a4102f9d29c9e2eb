"""The plugin, in a pytest of its own: the same tests as `mailweir test`, under the same names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

TOP: Final = Path(__file__).parents[2]
PIPE: Final[dict[str, Any]] = {
    "_id": "people",
    "type": "pipe",
    "source": {"type": "embedded", "entities": [{"_id": "a", "name": "Ann"}]},
    "sink": {
        "type": "mail",
        "system": "office",
        "mail_from": "shop@example.com",
        "recipients_property": "email",
        "subject_template": "Hello",
        "text_body_template": "Hello {{ name }}\n",
    },
}
OFFICE: Final = {"_id": "office", "type": "system:smtp", "smtp_server": "mail.example.com"}
GOOD: Final = {"name": "a good one", "given": [{"_id": "a", "x": 1}], "expect": [{"_id": "a"}]}
BAD: Final = {"name": "a bad one", "given": [{"_id": "a", "x": 1}], "expect": [{"_id": "a", "x": 2}]}


def project(folder: Path, **files: Any) -> Path:
    """A project with a pipe, and these test files; `__` in a name is a folder."""
    (folder / "pipes").mkdir(parents=True)
    (folder / "pipes" / "people.conf.json").write_text(json.dumps([PIPE, OFFICE]))
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name, content in files.items():
        path = folder / f"{name.replace('__', '/')}.test.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    return folder


def cases(*found: Any) -> Any:
    """A test file of these cases."""
    return {"pipe": "people", "cases": list(found)}


def run(folder: Path, *arguments: str, **environ: str) -> Any:
    """Run pytest in a folder."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"CI", "PYTEST_ADDOPTS"}}
    inherited = {name: value for name, value in inherited.items() if not name.startswith(("PYTEST_", "COV_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(TOP), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_same_tests_as_those_of_the_command(tmp_path: Path) -> None:
    """By the same names, and a file of another tool is left alone."""
    project(tmp_path, expected__one=cases(GOOD, BAD), two=cases(GOOD), jest={"tests": []})
    names = [line for line in run(tmp_path, "--collect-only", "-q").stdout.splitlines() if "::" in line]
    done = subprocess.run(
        [sys.executable, "-m", "mailweir", "test", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TOP)},
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert sorted(names) == sorted(one["id"] for one in json.loads(done.stdout)["tests"])
    assert len(names) == 3


def test_a_failure_shows_what_differs(tmp_path: Path) -> None:
    """The place of the case, and no traceback; other tests go on, also over several processes."""
    project(tmp_path, expected__one=cases(GOOD, BAD))
    for arguments in (("-q",), ("-q", "-n", "2")):
        done = run(tmp_path, *arguments)
        assert done.returncode == 1
        assert "  a.x\n    - 2\n    + 1\n\nexpected/one.test.json:1\n" in done.stdout
        assert "Traceback" not in done.stdout
        assert "1 failed, 1 passed" in done.stdout
    assert "1 passed, 1 deselected" in run(tmp_path, "-k", "good").stdout
    done = run(tmp_path, "expected/one.test.json::a good one", "--junitxml", "report.xml")
    assert "1 passed" in done.stdout
    assert 'name="a good one"' in (tmp_path / "report.xml").read_text()


def test_a_faulty_file_is_an_error(tmp_path: Path) -> None:
    """It is told as `check` tells it, never left out."""
    done = run(project(tmp_path, expected__one={"pip": "people", "cases": [{"name": "a", "expect": []}]}))
    assert done.returncode == 2
    assert "error[E701]: unknown property `pip` in a test" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "ini"), [(("-p", "no:mailweir"), ""), ((), "mailweir = false"), (("--mailweir-root", "pipes"), "")]
)
def test_where_nothing_is_collected(tmp_path: Path, arguments: tuple[str, ...], ini: str) -> None:
    """It can be turned off, and kept to a folder."""
    project(tmp_path, expected__one=cases(GOOD))
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
    assert run(tmp_path, *arguments).returncode == 5


def test_outside_of_a_project(tmp_path: Path) -> None:
    """A file of the same name is nothing, wherever it lies."""
    (tmp_path / "expected").mkdir()
    (tmp_path / "expected" / "one.test.json").write_text(json.dumps(cases(GOOD)))
    assert run(tmp_path).returncode == 5


def test_files_of_what_is_expected_are_written_by_a_person(tmp_path: Path) -> None:
    """With the option, and never where `CI` is set; what was written is told, also by several processes."""
    project(tmp_path, expected__people={"given": [{"_id": "a"}]})
    refused = run(tmp_path, "--mailweir-update", CI="true")
    assert refused.returncode == 4
    assert "expected files are written by a person" in refused.stderr
    done = run(tmp_path, "--mailweir-update", "-n", "1")
    assert done.returncode == 0, done.stdout
    assert "expected/people.json  +5 -0" in done.stdout
    assert run(tmp_path).returncode == 0


def test_one_that_is_run_alone(tmp_path: Path) -> None:
    """It leaves the others out, and is refused where `CI` is set."""
    project(tmp_path, expected__one=cases(BAD, {**GOOD, "only": "now"}))
    assert "1 passed, 1 deselected" in run(tmp_path).stdout
    assert run(tmp_path, CI="1").returncode != 0


def test_what_is_skipped_and_marked(tmp_path: Path) -> None:
    """As pytest knows it."""
    project(tmp_path, expected__one=cases({**GOOD, "skip": "later"}, {**GOOD, "name": "slow", "marks": ["slow"]}))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  slow: takes long\n")
    done = run(tmp_path, "-rs")
    assert "later" in done.stdout
    assert "1 passed, 1 skipped" in done.stdout
    assert "1 passed, 1 deselected" in run(tmp_path, "-m", "slow").stdout


def test_tests_in_python(tmp_path: Path) -> None:
    """They have the project, its pipes, and a mail server of their own."""
    (project(tmp_path) / "test_mail.py").write_text("""
import mailweir
import pytest

def test_project(mailweir_project, request):
    assert mailweir_project == request.path.parent

def test_mail(mailweir_run):
    people = [{"_id": "a", "name": "Ann", "email": "ann@example.com"}, {"_id": "b", "name": "Bo", "email": ""}]
    out = mailweir_run("people", people, stage="mail")
    assert out.mails[0].text == "Hello Ann"
    assert (out.mails[0].to, out.outcomes) == (["ann@example.com"], ["sent", "rejected"])
    assert mailweir_run("people").entities == [{"_id": "a", "name": "Ann"}]
    assert mailweir_run("people", people * 2, stage="mail", max_per_hour=0).outcomes[0] == "discarded"
    with pytest.raises(AssertionError, match="peple"):
        mailweir_run("peple")

def test_catcher(mail_catcher):
    sent = mailweir.send(
        f"smtp://127.0.0.1:{mail_catcher.port}", sender="a@example.com", recipients="b@example.com", body="Hello"
    )
    assert sent.ok
    assert mail_catcher.mails[0].recipients == ("b@example.com",)
""")
    done = run(tmp_path, "-q")
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_coverage_over_all_workers(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """What all tests reach is put together, told, and has to be enough."""
    sent = {"name": "sent", "stage": "mail", "given": [{"_id": "a", "email": "a@example.com", "name": "A"}]}
    bad = {"name": "bad", "stage": "mail", "given": [{"_id": "a", "email": ""}]}
    tests = [{**sent, "expect": {"outcomes": ["sent"]}}, {**bad, "expect": {"outcomes": ["rejected"]}}]
    project(tmp_path, expected__one=cases(tests[0]), expected__two=cases(tests[1]))
    done = run(tmp_path, "-q", *workers, "--mailweir-coverage", "--mailweir-fail-under", "100")
    assert done.returncode == 0, done.stdout
    assert "people    -             2/2  100%     2/2  100%" in done.stdout.splitlines()
    done = run(tmp_path, "-q", *workers, "--mailweir-fail-under", "100", "-k", "sent")
    assert done.returncode == 1
    assert "error: coverage is 75%, under the 100% it has to be" in done.stdout.splitlines()
