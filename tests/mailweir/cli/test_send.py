"""`mailweir send` and `mailweir send-test`, as processes of their own."""

from __future__ import annotations

import base64
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailweir.catcher import Catcher


def run(*arguments: str, given: bytes = b"", folder: Path | None = None, **environ: str) -> Any:
    """The command; its exit code and what it wrote."""
    return subprocess.run(
        [sys.executable, "-m", "mailweir", *arguments],
        input=given,
        capture_output=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[3]), **environ},
        check=False,
        timeout=120,
    )


def test_a_first_mail_takes_one_line(catcher: Catcher) -> None:
    """The mail arrives, each recipient has a line, and with `--json` its status."""
    url = f"smtp://127.0.0.1:{catcher.port}"
    parts = ("--from", "a@example.com", "--to", "b@example.com", "--subject", "Hi", "--body", "Hello")
    done = run("send", url, *parts)
    assert (done.returncode, done.stdout) == (0, b"b@example.com  sent  250 caught as number 1\n")
    done = run("send", url, *parts, "--json")
    assert json.loads(done.stdout) == {
        "status": "ok",
        "deliveryStatus": [{"recipient": "b@example.com", "status": "Ok", "response": "250 caught as number 2"}],
    }
    assert [mail.document()["subject"] for mail in catcher.mails] == ["Hi", "Hi"]


def test_text_and_files_come_from_anywhere(catcher: Catcher, tmp_path: Path) -> None:
    """The text from standard input, a file along, and a whole mail instead."""
    (tmp_path / "a.txt").write_text("file")
    (tmp_path / "mail.eml").write_bytes(b"Subject: whole\r\n\r\nx\r\n")
    url = f"smtp://127.0.0.1:{catcher.port}"
    parts = ("--from", "a@example.com", "--to", "b@example.com")
    done = run("send", url, *parts, "--body-file", "-", "--attach", "a.txt", given=b"Hei\n", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert run("send", url, *parts, "--message", "mail.eml", folder=tmp_path).returncode == 0
    first, second = catcher.mails
    assert first.document()["text"] == "Hei\n"
    assert second.document()["subject"] == "whole"


def test_a_request_comes_as_json(catcher: Catcher) -> None:
    """Programs of other languages hand over one object with the message in base64."""
    request = {
        "host": "127.0.0.1",
        "port": catcher.port,
        "helo": "client.example.com",
        "pipelining": "NO",
        "connection_timeout": 20,
        "sender": None,
        "recipients": ["b@example.com", "c@example.com"],
        "message": base64.b64encode(b"Subject: x\r\n\r\ny\r\n").decode(),
    }
    done = run("send", "-", "--json", given=json.dumps(request).encode())
    assert done.returncode == 0, done.stderr
    assert [one["status"] for one in json.loads(done.stdout)["deliveryStatus"]] == ["Ok", "Ok"]
    assert catcher.mails[0].document()["sender"] == ""


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (b"", "standard input is empty"),
        (b"{", "not JSON: expecting property name enclosed in double quotes at line 1, column 2"),
        (b"[]", "an object was expected"),
        (b'{"hots": 1}', "Did you mean 'host'?"),
        (b'{"host": "h", "port": 0}', "`port`"),
        (b'{"host": "h", "recipients": []}', "`recipients`"),
        (b'{"host": "h", "recipients": ["b@example.com"]}', "`message` is missing"),
        (b'{"host": "h", "recipients": ["b@example.com"], "message": "*"}', "base64"),
        (b'{"host": "h", "recipients": ["b@example.com"], "message": "", "pipelining": "MAYBE"}', "TRY, DEPEND or NO"),
    ],
)
def test_a_wrong_request_is_told_in_its_own_form(request_: bytes, words: str) -> None:
    """With `--json` a wrong request is answered with a document too, and exit code 2."""
    done = run("send", "-", "--json", given=request_)
    document = json.loads(done.stdout)
    assert done.returncode == 2
    assert document["status"] == "error"
    assert words in document["message"]


def test_a_refusal_is_exit_code_1() -> None:
    """A server that is not there is no wrong use."""
    parts = ("--from", "a@example.com", "--to", "b@example.com", "--body", "x", "--json")
    done = run("send", "smtp://127.0.0.1:1", *parts)
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["status"] == "error"
    assert "cannot be reached" in document["message"]


def test_a_password_is_never_an_argument(catcher: Catcher) -> None:
    """It comes from the environment; without it and without a terminal the call is wrong."""
    url = f"smtp://127.0.0.1:{catcher.port}"
    parts = ("--from", "a@example.com", "--to", "b@example.com", "--body", "x", "--username", "kari", "--talk")
    done = run("send", url, *parts)
    assert (done.returncode, b"MAILWEIR_SMTP_PASSWORD" in done.stderr) == (2, True)
    done = run("send", url, *parts, MAILWEIR_SMTP_PASSWORD="hemmelig-canary")
    assert done.returncode == 0, done.stderr
    assert b"> AUTH PLAIN ********" in done.stderr
    assert b"hemmelig" not in done.stdout + done.stderr


def project(folder: Path, port: int) -> Path:
    """A project with a mail system."""
    mail = {"_id": "mail", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": port}
    (folder / "mailweir.json").write_text("{}")
    (folder / "mail.conf.json").write_text(json.dumps(mail))
    return folder


def test_send_test_shows_the_talk(catcher: Catcher, tmp_path: Path) -> None:
    """What is said to the server is on the screen, and then what became of the mail."""
    folder = project(tmp_path, catcher.port)
    done = run("send-test", "mail", "--to", "b@example.com", "--from", "a@example.com", folder=folder)
    assert done.returncode == 0, done.stderr
    assert b"> MAIL FROM:<a@example.com>" in done.stdout
    assert done.stdout.endswith(b"\nsent   b@example.com: 250 caught as number 1\n")
    assert len(catcher.mails) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("mial", "--to", "b@example.com"), 2, "no mail system 'mial'. Did you mean 'mail'?"),
        (("mail", "--to", "b@"), 2, "'b@' is not an address: no domain after `@`"),
        (("mail", "--to", "b@example.com"), 2, "give --from"),
        (("mail", "--to", "b@example.com", "--from", "a@example.com"), 1, ""),
    ],
)
def test_send_test_says_what_is_wrong(arguments: tuple[str, ...], code: int, words: str, tmp_path: Path) -> None:
    """A wrong call is 2, a mail that is not taken 1."""
    done = run("send-test", *arguments, folder=project(tmp_path, 1))
    assert done.returncode == code
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_the_samples_of_the_page_run(catcher: Catcher) -> None:
    """What docs/smtp.md shows of the shell and of Python sends a mail each."""
    page = (Path(__file__).parents[3] / "docs" / "smtp.md").read_text().replace("1025", str(catcher.port))
    command = next(line for line in page.splitlines() if line.startswith("$ mailweir send "))
    done = run(*shlex.split(command.removeprefix("$ mailweir ")))
    assert json.loads(done.stdout)["deliveryStatus"][0]["response"] == "250 caught as number 1"
    code = page.partition("```python\n")[2].partition("```")[0]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=120)
    assert done.stdout.startswith(b"True 250 Ok\nb@example.com accepted 250 ")


@pytest.mark.parametrize(
    ("server", "more", "words"),
    [
        ("smtp://127.0.0.1:1", ("--body", "x", "--ca-file", "ca.pem"), "--ca-file is for TLS"),
        ("smtp://127.0.0.1:1", ("--message", "mail.eml", "--html"), "--html is for --body"),
        ("127.0.0.1:1", ("--body", "x"), "A server without a system is a URL: smtp://127.0.0.1:1"),
        ("outt", ("--body", "x"), "Did you mean 'out'?"),
        ("out", ("--body", "x", "--tls", "required"), "--tls is for URLs"),
        ("-", (), "--from cannot stand beside `-`: the request says it"),
    ],
)
def test_a_wrong_call_names_the_option(server: str, more: tuple[str, ...], words: str, tmp_path: Path) -> None:
    """An option that would do nothing is refused, under the name that was written."""
    (tmp_path / "mailweir.json").write_text("{}")
    (tmp_path / "out.conf.json").write_text('{"_id": "out", "type": "system:eml", "folder": "mail"}')
    done = run("send", server, "--from", "a@example.com", "--to", "b@example.com", *more, folder=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr.decode()


def test_the_talk_is_shown_whatever_is_sent_to(catcher: Catcher, tmp_path: Path) -> None:
    """Also with a system of the project, and for a request on standard input."""
    (tmp_path / "mailweir.json").write_text("{}")
    system = {"_id": "out", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": catcher.port}
    (tmp_path / "out.conf.json").write_text(json.dumps(system))
    parts = ("--from", "a@example.com", "--to", "b@example.com", "--body", "x")
    assert b"> DATA" in run("send", "out", *parts, "--talk", folder=tmp_path).stderr
    request = {"host": "127.0.0.1", "port": catcher.port, "recipients": ["b@example.com"], "message": ""}
    assert b"> DATA" in run("send", "-", "--talk", given=json.dumps(request).encode()).stderr


def test_what_no_server_took_is_not_called_sent(tmp_path: Path) -> None:
    """A folder keeps it, and the line says where."""
    (tmp_path / "mailweir.json").write_text("{}")
    (tmp_path / "out.conf.json").write_text('{"_id": "out", "type": "system:eml", "folder": "mail"}')
    done = run("send", "out", "--from", "a@example.com", "--to", "b@example.com", "--body", "x", folder=tmp_path)
    assert done.stdout.decode().startswith("b@example.com  kept  written to ")


def test_a_system_that_is_verbose_shows_its_talk(catcher: Catcher, tmp_path: Path) -> None:
    """`verbose` in the configuration is enough; the login is masked, and `--quiet` is quiet."""
    (tmp_path / "mailweir.json").write_text("{}")
    system = {"_id": "out", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": catcher.port}
    login = {"smtp_username": "kari", "smtp_password": "$SECRET(pw)", "verbose": True}
    (tmp_path / "out.conf.json").write_text(json.dumps(system | login))
    parts = ("send", "out", "--from", "a@example.com", "--to", "b@example.com", "--body", "x")
    done = run(*parts, folder=tmp_path, MAILWEIR_SECRET_PW="hemmelig-canary")
    assert done.returncode == 0, done.stderr
    assert b"> AUTH PLAIN ********\n" in done.stderr
    assert b"hemmelig" not in done.stderr + done.stdout
    assert run(*parts, "--quiet", folder=tmp_path, MAILWEIR_SECRET_PW="hemmelig-canary").stderr == b""


@pytest.mark.parametrize("verb", [("send",), ("send-test",)])
def test_a_queue_that_others_can_use_is_told(verb: tuple[str, ...], tmp_path: Path) -> None:
    """Nothing is put there, and the line to mend it is shown."""
    (tmp_path / "mailweir.json").write_text("{}")
    folder = tmp_path / "queue"
    folder.mkdir()
    folder.chmod(0o755)
    queue = {"_id": "out", "type": "system:spool", "system": "mails", "queue_path": "queue"}
    (tmp_path / "out.conf.json").write_text(json.dumps([queue, {"_id": "mails", "type": "system:eml"}]))
    body = ("--body", "x") if verb == ("send",) else ()
    done = run(*verb, "out", "--from", "a@example.com", "--to", "b@example.com", *body, folder=tmp_path)
    assert done.returncode == 2, done.stderr
    assert f"the system `out` cannot be used: {folder}: others can use it (mode 0755)" in done.stderr.decode()
    assert f"chmod 700 {folder}" in done.stderr.decode()
