"""How a signal ends a run: one lets what is on its way come home, two wait for no answer."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

TOP = Path(__file__).parents[3]


class Silent:
    """A server that takes a mail and never answers its end; it says when the end has come."""

    def __init__(self) -> None:
        """It listens."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.ended = Event()
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        talk, _ = self._socket.accept()
        with talk, talk.makefile("rb") as lines:
            talk.sendall(b"220 mx\r\n")
            for line in lines:
                if line == b".\r\n":
                    self.ended.set()
                elif line.startswith((b"EHLO", b"MAIL", b"RCPT", b"QUIT")):
                    talk.sendall(b"250 ok\r\n")
                elif line.startswith(b"DATA"):
                    talk.sendall(b"354 go\r\n")

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


def begun(folder: Path, server: Silent, people: int) -> subprocess.Popen[str]:
    """A run that mails so many over one connection."""
    office = {"_id": "office", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": server.port}
    sink = {
        "type": "mail",
        "system": "office",
        "mail_from": "hello@example.com",
        "recipients_property": "email",
        "subject_template": "Hi",
        "body_template": "Hi",
    }
    entities = [{"_id": f"c{at}", "email": f"c{at}@example.com"} for at in range(people)]
    pipe = {"_id": "welcome", "type": "pipe", "source": {"type": "embedded", "entities": entities}, "sink": sink}
    (folder / "all.conf.json").write_text(json.dumps([{**office, "connections": 1}, pipe]))
    return subprocess.Popen(
        [sys.executable, "-m", "mailweir", "run"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_answers_the_question(tmp_path: Path) -> None:
    """At the question whether to send, a signal ends the run with 130, and nothing was sent."""
    sink = {
        "type": "mail",
        "system": "office",
        "mail_from": "hello@example.com",
        "recipients_property": "email",
        "subject_template": "Hi",
        "body_template": "Hi",
    }
    people = [{"_id": f"c{at}", "email": f"c{at}@example.com"} for at in range(11)]
    parts = [
        {"_id": "office", "type": "system:smtp", "smtp_server": "mail.example.invalid"},
        {"_id": "welcome", "type": "pipe", "source": {"type": "embedded", "entities": people}, "sink": sink},
    ]
    (tmp_path / "all.conf.json").write_text(json.dumps(parts))
    person, terminal = os.openpty()
    run = subprocess.Popen(
        [sys.executable, "-m", "mailweir", "run"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
    )
    os.close(terminal)
    seen = b""
    while b"Send? [y/N]" not in seen:
        seen += os.read(person, 1000)
    run.send_signal(signal.SIGINT)
    try:
        out, _ = run.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        # In the instant before the interpreter reads it notes a signal and looks at it with the next one.
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=120)
    os.close(person)
    assert (run.returncode, out) == (130, b"Nothing was sent.\n")


def test_who_does_not_wait_is_told_what_is_in_doubt(tmp_path: Path) -> None:
    """After two signals the run ends with 130, and the summary names the mail that nobody knows of."""
    server = Silent()
    run = begun(tmp_path, server, 3)
    assert run.stderr is not None
    assert server.ended.wait(60)
    run.send_signal(signal.SIGINT)
    while "Waiting for what is on its way" not in run.stderr.readline():
        assert run.poll() is None
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate(timeout=120)
    server.close()
    assert run.returncode == 130
    assert "3 read   2 queued   1 in doubt" in out
    assert "nobody waited for the answer" in out


def test_what_a_killed_run_left_in_doubt_is_not_passed_over(tmp_path: Path) -> None:
    """The next run has nothing to do yet, says what it found, and ends with 4."""
    server = Silent()
    run = begun(tmp_path, server, 1)
    assert server.ended.wait(60)
    run.kill()
    run.communicate(timeout=60)
    again = begun(tmp_path, server, 1)
    _, err = again.communicate(timeout=120)
    server.close()
    assert again.returncode == 4
    assert "a run before this one did not end: 0 answers were on record, 0 mails go on, 1 in doubt" in err
