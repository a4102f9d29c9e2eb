"""`mailweir doctor`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from mailweir.catcher import Catcher
from mailweir.cli.main import main


@contextmanager
def catcher(**options: Any) -> Iterator[Catcher]:
    """A catcher in a thread of its own, because the verb has a loop of its own."""
    there, over = Event(), Event()
    made: list[Catcher] = []

    async def serve() -> None:
        async with Catcher(**options) as caught:
            made.append(caught)
            there.set()
            await asyncio.to_thread(over.wait)

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert there.wait(30)
    try:
        yield made[0]
    finally:
        over.set()
        thread.join(30)


def project(folder: Path, port: int, **system: object) -> Path:
    """A project with one mail system and one pipe that sends through it."""
    mail = {"_id": "mail", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": port, **system}
    pipe = {
        "_id": "welcome",
        "type": "pipe",
        "source": {"type": "embedded", "entities": []},
        "sink": {
            "type": "mail",
            "system": "mail",
            "mail_from": "Shop <a@example.com>",
            "subject_template": "x",
            "text_body_template": "x",
            "recipients": "b@example.com, c@example.com",
        },
    }
    (folder / "mailweir.json").write_text("{}")
    for one in (mail, pipe):
        (folder / f"{one['_id']}.conf.json").write_text(json.dumps(one))
    return folder


def test_without_connect_no_connection_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The local checks need no server."""
    assert main(["doctor", "-C", str(project(tmp_path, 1))]) == 0
    out = capsys.readouterr().out
    assert "Config        ok     2 files, 0 errors, 0 warnings" in out
    assert "\n  connect" not in out
    assert out.endswith("Nothing is wrong.\n")


def test_a_good_server_is_found_good_and_gets_no_mail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each step is ok, the sender is asked about, and no content ever arrives."""
    with catcher() as caught:
        assert main(["doctor", "--connect", "--json", "-C", str(project(tmp_path, caught.port))]) == 0
        assert caught.mails == []
    checks = json.loads(capsys.readouterr().out)["checks"]
    steps = [(one["check"], one["verdict"]) for one in checks if one["area"] == "mail"]
    assert steps == [("name", "ok"), ("connect", "ok"), ("greeting", "ok"), ("sender", "ok")]
    assert checks[-1]["text"] == "a@example.com may send"


def test_live_asks_about_the_fixed_recipients(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--live` each fixed recipient is named to the server."""
    with catcher() as caught:
        assert main(["doctor", "--live", "-C", str(project(tmp_path, caught.port))]) == 0
        assert caught.mails == []
    out = capsys.readouterr().out
    assert "a@example.com may send to b@example.com" in out
    assert "a@example.com may send to c@example.com" in out


def test_a_wrong_password_says_where_it_is_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal, the place of the password and nothing of its value are shown."""
    monkeypatch.delenv("PW", raising=False)
    (tmp_path / ".secrets.env").write_text("pw=hemmelig-canary\n")
    (tmp_path / ".secrets.env").chmod(0o600)
    login = {"smtp_username": "kari", "smtp_password": "$SECRET(pw)"}
    with catcher(logins={"kari": "another"}) as caught:
        assert main(["doctor", "--connect", "-C", str(project(tmp_path, caught.port, **login))]) == 1
    out = capsys.readouterr().out
    assert "  login       FAIL" in out
    assert "Password from .secrets.env: pw" in out
    assert "sender      skip   needs a login" in out
    assert "hemmelig" not in out
    assert out.endswith("1 problem, 0 warnings.\n")


def test_a_dead_server_is_told_with_a_next_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A port on which nobody listens fails at `connect`."""
    assert main(["doctor", "--connect", "mail", "-C", str(project(tmp_path, 1))]) == 1
    assert "connect     FAIL   127.0.0.1:1 cannot be reached: connection refused" in capsys.readouterr().out


def test_a_missing_file_of_tls_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`ca_file` that is not there is the fault of this side."""
    folder = project(tmp_path, 1, use_tls=True, ca_file="missing.pem")
    assert main(["doctor", "--connect", "-C", str(folder)]) == 1
    assert "TLS         FAIL   a file of TLS cannot be used" in capsys.readouterr().out


def test_errors_of_the_configuration_are_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A system with an error is not connected to."""
    assert main(["doctor", "--connect", "-C", str(project(tmp_path, 1, smtp_prt=1))]) == 1
    out = capsys.readouterr().out
    assert "Config        FAIL" in out
    assert "its configuration has errors" in out


def test_an_unknown_system_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt system is answered with the one that was meant."""
    assert main(["doctor", "--connect", "mial", "-C", str(project(tmp_path, 1))]) == 2
    assert "no system 'mial'. Did you mean 'mail'?" in capsys.readouterr().err


def test_a_system_alone_is_looked_at_only_with_a_connection(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that would do nothing is wrong use, and the line to write is shown."""
    assert main(["doctor", "mail", "-C", str(project(tmp_path, 1))]) == 2
    assert "mailweir doctor --connect mail" in capsys.readouterr().err


def test_a_file_of_secrets_that_is_not_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Setting the secret once more would not help: others can read the file."""
    (tmp_path / ".secrets.env").write_text("pw=hemmelig-canary\n")
    (tmp_path / ".secrets.env").chmod(0o644)
    folder = project(tmp_path, 1, smtp_username="kari", smtp_password="$SECRET(pw)")
    assert main(["doctor", "-C", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "others on this machine can read `.secrets.env`: `chmod 600 .secrets.env`" in out
    assert "mailweir secret set" not in out
