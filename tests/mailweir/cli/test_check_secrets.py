"""Secrets in what `mailweir check` prints: masked before anything is placed or cut, and no format is spoilt by them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

SYSTEM = {"_id": "s", "type": "system:smtp"}
formats = ("full", "concise", "json", "github", "junit", "sarif")


def check(folder: Path, *arguments: str, **environ: str) -> str:
    """All that is printed in this folder, with nothing but these variables set."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mailweir")), "check", *arguments],
        cwd=folder,
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"], **environ},
    )
    return (done.stdout + done.stderr).decode()


def written(folder: Path, properties: Mapping[str, object], name: str = "systems/a.conf.json") -> Path:
    """The folder, with a system in it."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(SYSTEM | dict(properties)), encoding="utf-8")
    return folder


def secrets(folder: Path, text: str) -> None:
    """A file of secrets."""
    (folder / ".secrets.env").write_text(text, encoding="utf-8")
    (folder / ".secrets.env").chmod(0o600)


@pytest.mark.parametrize("style", formats)
def test_a_login_in_a_url_is_masked(tmp_path: Path, style: str) -> None:
    """The line is shown with the server and without the login, and the password is told to be in the file."""
    text = check(written(tmp_path, {"url": "smtp://me:c4nary@mail.example.com:25"}), "--format", style)
    assert "c4nary" not in text
    assert "W302" in text
    assert "E203" in text
    assert style not in {"full", "junit"} or "smtp://********@mail.example.com:25" in text


@pytest.mark.parametrize("style", formats)
def test_a_login_in_the_values_of_a_profile_is_masked(tmp_path: Path, style: str) -> None:
    """A value that nothing uses is told without the login in it, or in the one beside it."""
    written(tmp_path, {})
    values = '{"feed": "https://me:c4nary@example.com", "spare": 1}'
    (tmp_path / "test-env.json").write_text(values, encoding="utf-8")
    text = check(tmp_path, "--format", style)
    assert "c4nary" not in text
    assert text.count("W309") >= 2


def test_the_secret_of_another_project_moves_no_caret(tmp_path: Path) -> None:
    """What a project below knows as a secret is masked in this one before the caret is placed."""
    written(tmp_path, {"helo": "sixteen-chars-pw", "smtp_prot": 25})
    (tmp_path / "mailweir.json").write_text("{}")
    below = written(tmp_path / "sub", {"smtp_username": "u", "smtp_password": "$SECRET(x)"})
    (below / "mailweir.json").write_text("{}")
    secrets(below, "x=sixteen-chars-pw\n")
    lines = check(tmp_path).splitlines()
    assert lines[3] == '1 | {"_id": "s", "type": "system:smtp", "helo": "********", "smtp_prot": 25}'
    assert lines[4] == f"  | {' ' * 56}^^^^^^^^^^^ not a property of system:smtp"


@pytest.mark.parametrize("style", ["json", "sarif"])
def test_a_secret_that_is_a_number_spoils_no_document(tmp_path: Path, style: str) -> None:
    """A password `1` is masked in texts, and leaves the numbers of a document what they are."""
    written(tmp_path, {"smtp_username": "u", "smtp_password": "$SECRET(x)", "smtp_prot": 1})
    secrets(tmp_path, "x=1\n")
    assert json.loads(check(tmp_path, "--format", style))


@pytest.mark.parametrize(
    ("values", "environ"),
    [('{"port": "25", "many": 5}', {}), ("{}", {"port": "x25", "many": "NO"})],
)
def test_no_repair_is_offered_for_a_value_that_a_reference_gave(
    tmp_path: Path, values: str, environ: dict[str, str]
) -> None:
    """What is wrong stands elsewhere: the reference stays as it is written."""
    written(tmp_path, {"helo": "$ENV(many)", "smtp_port": "$ENV(port)", "tls": "$ENV(many)"})
    (tmp_path / "test-env.json").write_text(values, encoding="utf-8")
    before = (tmp_path / "systems" / "a.conf.json").read_bytes()
    report = json.loads(check(tmp_path, "--json", **environ))
    assert report["diagnostics"]
    assert all(problem["fix"] == [] for problem in report["diagnostics"])
    check(tmp_path, "--fix", **environ)
    assert (tmp_path / "systems" / "a.conf.json").read_bytes() == before
