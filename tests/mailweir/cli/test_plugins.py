"""A component type from another installed package."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = '''
"""A source of another package."""

import sys
from typing import Literal

from pipeline import Context, Many, SourceConfig

sys.stderr.write("imported\\n")


class CrmConfig(SourceConfig):
    """Customers of the CRM."""

    type: Literal["crm"]
    """`crm`."""
    tables: Many[str]
    """The tables to read."""
'''
PIPE = {"_id": "a", "type": "pipe", "source": {"type": "crm", "tables": ["x"]}}


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with an installed plugin package."""
    folder = tmp_path / "site"
    info = folder / "mailweir_crm-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mailweir-crm\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mailweir.sources]\ncrm = mailweir_crm:CrmConfig\n")
    (folder / "mailweir_crm.py").write_text(PLUGIN)
    return folder


def check(folder: Path, packages: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Check the project with the package installed."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("mailweir")), "check", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(packages)},
    )


def test_a_plugin_is_imported_only_when_the_project_allows_it(tmp_path: Path, packages: Path) -> None:
    """Not allowed, it is named and left alone; allowed, its type is checked like any other."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.conf.json").write_text(json.dumps(PIPE))
    refused = check(project, packages)
    assert "E205" in refused.stderr
    assert "the installed package `mailweir-crm` brings it" in refused.stderr
    assert "imported" not in refused.stderr
    (project / "mailweir.json").write_text('{"plugins": ["mailweir-crm"]}')
    allowed = check(project, packages)
    assert (allowed.returncode, allowed.stderr) == (0, "imported\nAll checks passed: 1 pipe in 1 file.\n")
    (project / "a.conf.json").write_text(json.dumps({**PIPE, "source": {"type": "crm", "tabels": ["x"]}}))
    faulty = check(project, packages, "--format", "concise")
    assert "E201 unknown property `tabels` in source crm (did you mean `tables`?)" in faulty.stdout
