"""The files for those who run a service, against the command itself and the tools that read them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from mailweir.cli.init import deployments
from mailweir.cli.main import main
from mailweir.cli.serve import serve_command
from mailweir.deployments import KINDS, files_for

PROGRAM: Final = Path(sys.executable).with_name("mailweir")
HERE: Final = Path(__file__).parents[2] / "mailweir" / "deployments"


def test_kinds_are_folders() -> None:
    """What can be written is what is there, and each has a page that says what to do."""
    folders = {path.name for path in HERE.iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert folders == set(KINDS) == set(deployments)
    for kind in KINDS:
        files = files_for(kind, "1.2.3")
        assert f"deploy/{kind}/README.md" in files
        assert not [name for name, content in files.items() if b"@VERSION@" in content]


def test_files_are_added_and_none_is_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They stand beside the project; what a person has changed stays as it is."""
    assert main(["-C", str(tmp_path), "init", "my-mail"]) == 0
    project = tmp_path / "my-mail"
    assert main(["-C", str(project), "init", "--deploy", "compose", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["written"] == sorted(told["written"], key=lambda name: "docker" in name)
    assert {"deploy/compose/compose.yaml", "deploy/docker/Dockerfile"} <= set(told["written"])
    unit = project / "deploy" / "docker" / "Dockerfile"
    unit.write_text("FROM scratch\n")
    assert main(["-C", str(project), "init", "--deploy", "docker"]) == 0
    assert unit.read_text() == "FROM scratch\n"
    assert "deploy/docker/Dockerfile was there and is as it was" in capsys.readouterr().err
    assert main(["-C", str(project), "check"]) == 0


def test_only_a_project_is_deployed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is none, nothing is written, and it is said how to make one."""
    assert main(["-C", str(tmp_path), "init", "--deploy", "systemd"]) == 2
    assert "mailweir init makes one" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def commands() -> list[list[str]]:
    """What is run as a service, word by word."""
    unit = (HERE / "systemd" / "mailweir.service").read_text()
    image = (HERE / "docker" / "Dockerfile").read_text()
    pod = (HERE / "k8s" / "mailweir.yaml").read_text()
    found = [shlex.split(line)[1:] for line in re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)]
    found += [json.loads(line) for line in re.findall(r"^CMD (\[.*\])$", image, re.MULTILINE)]
    found += [line.split(", ") for line in re.findall(r"args: \[(.*)\]", pod)]
    assert len(found) == 3
    return found


def test_the_command_takes_what_it_is_given() -> None:
    """Each option in the files is one of `mailweir serve`, and its value is one that it takes."""
    for verb, *given in commands():
        assert verb == "serve"
        serve_command.make_context("serve", given)


def test_the_image_checks_what_it_has(tmp_path: Path) -> None:
    """What is run while the image is built is a command that finds a fault in a project and passes a good one."""
    image = (HERE / "docker" / "Dockerfile").read_text()
    (found,) = [json.loads(line) for line in re.findall(r"^RUN (\[\"mailweir\".*\])$", image, re.MULTILINE)]
    assert main(["-C", str(tmp_path), "init", "my-mail"]) == 0
    project = tmp_path / "my-mail"
    assert main(["-C", str(project), *found[1:]]) == 0
    (project / "bad.conf.json").write_text('{"_id": "bad", "type": "pipe", "sorce": {}}')
    assert main(["-C", str(project), *found[1:]]) == 1


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not at hand")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Its own tool finds nothing wrong with the unit, and finds a slip when there is one."""
    unit = tmp_path / "mailweir.service"
    text = (HERE / "systemd" / unit.name).read_text().replace("/opt/mailweir/bin/mailweir", str(PROGRAM))

    def verified(text: str) -> str:
        unit.write_text(text)
        told = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return "".join(line for line in told.stderr.splitlines(keepends=True) if "mailweir" in line)

    assert verified(text) == ""
    assert "ProtectSytem" in verified(text.replace("ProtectSystem", "ProtectSytem"))
