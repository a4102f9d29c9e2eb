"""Which changes of a project's folder matter."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from mailweir.cli.out import Out
from mailweir.cli.watch import matters, watching

ROOT = Path("/home/kari/.work/templates/my-mail")


@pytest.mark.parametrize(
    "name",
    [
        "pipes/welcome.conf.json",
        "mailweir.json",
        "prod-env.json",
        ".env",
        ".secrets.env",
        "templates/welcome.html",
        "templates/parts/foot.txt",
        "attachments/terms.pdf",
        "data/people.jsonl",
        "data/people.ndjson",
        "people.csv",
        "shapes.py",
    ],
)
def test_what_a_project_reads_matters(name: str) -> None:
    """Configuration, values, templates and attachments of any name, and data."""
    assert matters(ROOT / name, {ROOT})


@pytest.mark.parametrize(
    "name",
    [
        ".mailweir/state.db",
        ".mailweir/dev/1025/0001.html",
        ".mailweir/spool/office/new/a.json",
        ".git/config.json",
        "caught/0001.html",
        "caught/0001.eml",
        "README.md",
        "templates/.welcome.html.swp",
        "templates/welcome.html~",
        "plugin/__pycache__/a.json",
    ],
)
def test_what_it_writes_does_not(name: str) -> None:
    """Neither state nor caught mail nor what editors leave beside a file, wherever the project stands."""
    assert not matters(ROOT / name, {ROOT})


def test_a_file_of_no_project_is_judged_by_its_name() -> None:
    """A path that is told in another spelling is no reason to miss a change."""
    assert matters(Path("/private/my-mail/a.conf.json"), {ROOT})


def test_a_change_during_the_first_run_is_not_missed(tmp_path: Path) -> None:
    """What is saved while the first report is made brings a second one."""
    file = tmp_path / "a.conf.json"
    file.write_text("{}")
    out = Out(stdout=io.StringIO(), stderr=io.StringIO(), environ={})
    runs = []

    def once() -> int:
        runs.append(file.read_text())
        file.write_text("[]")
        out.gone = len(runs) == 2
        return len(runs)

    assert watching(once, [tmp_path], out) == 2
    assert runs == ["{}", "[]"]
