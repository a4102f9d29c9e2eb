"""`mailweir graph` as people call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

import pytest

from mailweir.cli.group import run

SYSTEM = {"_id": "our-smtp-server", "type": "system:smtp", "smtp_server": "$ENV(host)"}
CUSTOMERS = {"_id": "customers", "type": "pipe", "source": {"type": "embedded", "entities": []}}
WELCOME = {
    "_id": "welcome-mail",
    "type": "pipe",
    "source": {"type": "dataset", "dataset": "customers"},
    "sink": {
        "type": "mail",
        "system": "our-smtp-server",
        "mail_from": "post@example.com",
        "recipients": "kari@example.com",
        "subject_template": "Hello",
        "body_template": "Hello",
    },
}
OTHER = {"_id": "other", "type": "pipe", "source": {"type": "dataset", "dataset": "customers"}}
PICTURE = """\
embedded ─▶ customers ─▶ welcome-mail ─✉▶ our-smtp-server   1000/h
                     └▶ other
"""


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a mail system and three pipes."""
    (tmp_path / "pipes").mkdir()
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "mail.conf.json").write_text(json.dumps(SYSTEM))
    (tmp_path / "pipes" / "all.conf.json").write_text(json.dumps([CUSTOMERS, WELCOME, OTHER]))
    return tmp_path


class Mailweir(NamedTuple):
    """Calls the command in a folder."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Done:
        """Run it and take what it wrote."""
        with chdir(self.folder):
            code = run(arguments)
        return Done(code, *self.capsys.readouterr())


@pytest.fixture
def mailweir(project: Path, capsys: pytest.CaptureFixture[str]) -> Mailweir:
    """The command, called in the project."""
    return Mailweir(project, capsys)


def test_the_picture_needs_no_values(mailweir: Mailweir) -> None:
    """`$ENV(host)` is not set, and nothing of it is in the picture."""
    assert mailweir("graph") == (0, PICTURE, "")


def test_only_what_flows_into_a_pipe_and_out_of_it(mailweir: Mailweir) -> None:
    """A pipe by name leaves its neighbours out."""
    assert mailweir("graph", "other") == (0, "embedded ─▶ customers ─▶ other\n", "")


def test_an_unknown_pipe_is_wrong_use(mailweir: Mailweir) -> None:
    """A near name is offered; systems are no pipes."""
    assert mailweir("graph", "welcom-mail") == (2, "", "error: no pipe 'welcom-mail'. Did you mean 'welcome-mail'?\n")
    assert mailweir("graph", "our-smtp-server") == (2, "", "error: no pipe 'our-smtp-server'\n")


def test_every_format(mailweir: Mailweir) -> None:
    """Each is what its readers expect, with three pipes in it."""
    assert mailweir("graph", "--format", "text").out == PICTURE
    assert mailweir("graph", "--format", "mermaid").out.startswith("flowchart LR\n")
    assert mailweir("graph", "--format", "dot").out.startswith("digraph mailweir {\n")
    assert ET.fromstring(mailweir("graph", "--format", "svg").out).tag == "{http://www.w3.org/2000/svg}svg"
    found = json.loads(mailweir("graph", "--format", "json").out)
    head = {key: found[key] for key in ("schema_version", "command", "ok", "exit_code")}
    assert head == {"schema_version": 1, "command": "graph", "ok": True, "exit_code": 0}
    assert [node["name"] for node in found["nodes"] if node["kind"] == "pipe"] == ["customers", "welcome-mail", "other"]
    assert found["nodes"][-1]["file"] == "pipes/all.conf.json"
    assert json.loads(mailweir("graph", "--json").out) == found


def test_with_errors_nothing_is_drawn(mailweir: Mailweir) -> None:
    """The picture would be wrong: exit code 3, with the way to the errors and round them."""
    (mailweir.folder / "pipes" / "bad.conf.json").write_text('{"_id": "x", "type": "tube", "a": }')
    head = "error: the config has 2 errors, so the picture would be wrong. See: mailweir check\n"
    assert mailweir("graph") == (3, "", head + "  help: `--partial` draws what loads\n")
    done = mailweir("graph", "--json")
    assert (done.code, done.err) == (3, head + "  help: `--partial` draws what loads\n")
    document = json.loads(done.out)
    told = [(one["code"], one["file"], one["line"], one["column"]) for one in document.pop("diagnostics")]
    assert told == [("E108", "pipes/bad.conf.json", 1, 34), ("E205", "pipes/bad.conf.json", 1, 22)]
    assert document == {"schema_version": 1, "command": "graph", "ok": False, "exit_code": 3, "errors": 2}


def test_partial_draws_what_loads(mailweir: Mailweir) -> None:
    """The rest of the project is drawn, and that something is missing is said beside it."""
    (mailweir.folder / "pipes" / "bad.conf.json").write_text("{")
    err = "the config has 1 error; this is what loads. See: mailweir check\n"
    assert mailweir("graph", "--partial") == (0, PICTURE, err)
    assert mailweir("graph", "--partial", "--quiet") == (0, PICTURE, "")


def test_an_unset_condition_of_properties_is_an_error(mailweir: Mailweir) -> None:
    """Which properties hold is not known then, so the picture could be wrong."""
    choice = {"condition": "$ENV(node-env)", "alternatives": {"prod": {"source": CUSTOMERS["source"]}}}
    pipe = {"_id": "x", "type": "pipe", "$conditional_properties": choice}
    (mailweir.folder / "pipes" / "x.conf.json").write_text(json.dumps(pipe))
    assert mailweir("graph").code == 3
    (mailweir.folder / ".env").write_text("node-env=prod\n")
    assert "embedded ─▶ x" in mailweir("graph").out


def test_codes_that_the_project_ignores_do_not_count(mailweir: Mailweir) -> None:
    """As many errors as `mailweir check` reports."""
    (mailweir.folder / "pipes" / "x.conf.json").write_text(json.dumps(OTHER | {"_id": "y", "wrong": 1}))
    assert mailweir("graph").code == 3
    (mailweir.folder / "mailweir.json").write_text('{"ignore": {"E201": "read by another tool"}}')
    assert mailweir("graph").code == 0


def test_without_a_configuration(mailweir: Mailweir, tmp_path: Path) -> None:
    """A folder without a project is wrong use; a project without pipes and systems has an empty picture."""
    (tmp_path / "systems" / "mail.conf.json").unlink()
    (tmp_path / "pipes" / "all.conf.json").write_text('{"_id": "node", "type": "metadata"}')
    assert mailweir("graph") == (0, "", "nothing flows here: no pipes and no systems\n")
    (tmp_path / "pipes" / "all.conf.json").unlink()
    err = "error: no configuration in this folder (looked for *.conf.json)\n"
    assert mailweir("graph") == (2, "", err)


def test_a_terminal_without_the_characters_gets_ascii(project: Path) -> None:
    """The same picture, in signs that every encoding has."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mailweir")), "graph"],
        cwd=project,
        capture_output=True,
        check=True,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "latin-1"},
    )
    assert done.stdout.decode("ascii") == (
        "embedded -> customers -> welcome-mail -@> our-smtp-server   1000/h\n                     `> other\n"
    )
