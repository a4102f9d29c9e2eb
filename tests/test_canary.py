"""No secret leaves by any way out: every verb, format and level is driven with canaries in every place for secrets."""

import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

CANARIES = {
    "credentials": "canary/A-3f9c+one",
    "variable": "canary B 7d20&two",
    "file": "canary-C-\\u00e5-91ab",
    "literal": "canary-D-literal-55e1",
}
SYSTEM = f"""{{
  "_id": "smtp", "type": "system:smtp", "smtp_server": "mail.example.com", "use_tls": true,
  "smtp_username": "post@example.com", "smtp_password": "$SECRET(variable)",
  "oauth": {{"client_secret": "$SECRET(credentials)", "refresh_token": "x-$SECRET(file)",
            "token": "{CANARIES["literal"]}"}},
  "smtp_prot": 25, "verify_peer": "$SECRET(variable)", "helo": "$SECRET(file)", "smtp_port": "$ENV(unset)"
}}
"""
PIPE = """{
  "_id": "mails", "type": "pipe", "source": {"type": "embedded", "entities": []},
  "sink": {"type": "mail", "system": "smpt", "mail_from": "$SECRET(variable)", "recipients": "a",
           "body_template": "$SECRET(credentials) {% if %}"}
}
"""

ways = [
    ["check"],
    ["check", "--color", "always"],
    ["check", "--format", "concise"],
    ["check", "--format", "github"],
    ["check", "--format", "junit"],
    ["check", "--format", "sarif"],
    ["check", "--json"],
    ["check", "--diff"],
    ["check", "-vv"],
    ["check", "-"],
    ["config", "import"],
    ["config", "import", "--json"],
    ["list"],
    ["list", "--json"],
    ["list", "--values"],
    ["list", "--values", "--json"],
    ["list", "--refs", "smtp"],
    ["graph", "--partial"],
    ["graph", "--partial", "--format", "svg"],
    ["graph", "--partial", "--format", "json"],
    ["secret", "list"],
    ["secret", "list", "--json"],
    ["spool", "list", "smtp"],
    ["limits"],
    ["limits", "--json"],
    ["outbox"],
    ["outbox", "list", "--json"],
    ["discarded"],
    ["schema", "--editor", "none"],
    ["explain", "system:smtp.smtp_password"],
    ["--complete", "bash", "mailweir", "secret", "remove", ""],
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with faults on every line that names a secret."""
    (tmp_path / "systems").mkdir()
    (tmp_path / "pipes").mkdir()
    (tmp_path / "systems" / "a.conf.json").write_text(SYSTEM, encoding="utf-8")
    (tmp_path / "pipes" / "b.conf.json").write_text(PIPE, encoding="utf-8")
    store = tmp_path / ".secrets.env"
    store.write_text(f"file='{CANARIES['file']}'\nunused=canary-E-unused\nbroken line canary-F\n", encoding="utf-8")
    store.chmod(0o600)
    credentials = tmp_path / ".credentials"
    credentials.mkdir()
    (credentials / "credentials").write_text(CANARIES["credentials"] + "\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("arguments", ways, ids=" ".join)
def test_no_canary_comes_out(project: Path, arguments: list[str]) -> None:
    """Not raw, not in base64, not in a URL; the command still says something."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mailweir")), *arguments],
        cwd=project,
        input=SYSTEM.encode(),
        capture_output=True,
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "CREDENTIALS_DIRECTORY": str(project / ".credentials"),
            "MAILWEIR_SECRET_VARIABLE": CANARIES["variable"],
        },
    )
    text = (done.stdout + done.stderr).decode()
    assert done.returncode in {0, 1, 2, 3}
    assert "Traceback" not in text
    for canary in CANARIES.values():
        for form in (canary, quote(canary), b64encode(canary.encode()).decode(), canary.encode().hex()):
            assert form not in text
    assert "canary" not in text
    assert text or arguments[0] == "--complete"


def test_repairs_leave_secrets_where_they_are(project: Path) -> None:
    """`--fix` writes the file with its literal, and shows it nowhere."""
    file = project / "systems" / "a.conf.json"
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mailweir")), "check", "--fix"],
        cwd=project,
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert b"canary" not in done.stdout + done.stderr
    assert '"system": "smtp"' in (project / "pipes" / "b.conf.json").read_text(encoding="utf-8")
    assert CANARIES["literal"] in file.read_text(encoding="utf-8")
