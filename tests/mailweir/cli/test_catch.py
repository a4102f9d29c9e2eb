"""`mailweir catch`, as a process of its own."""

from __future__ import annotations

import json
import re
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from mailweir.cli.main import main

PATIENCE: Final = 60
HOSTILE: Final = "Subject: a\x1b[2Jb\x9bc\u202ed\x7f\r\n\r\ntext\x1b[31m\x9b\x7f\U000e0001\r\n".encode()


@dataclass
class Running:
    """A catcher that listens, and after its end what it said."""

    process: subprocess.Popen[bytes]
    first: str
    port: int
    out: str = ""
    err: str = ""

    def end(self, number: int = signal.SIGTERM) -> int:
        """Stop it, and answer its exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end, and answer its exit code."""
        out, err = self.process.communicate(timeout=PATIENCE)
        self.out, self.err = out.decode(), err.decode()
        return self.process.returncode


@contextmanager
def catching(folder: Path, *arguments: str) -> Iterator[Running]:
    """The verb on a free port, from the moment it listens."""
    command = [str(Path(sys.executable).with_name("mailweir")), "catch", "--smtp-port", "0", *arguments]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            first = process.stderr.readline().decode()
            found = re.search(r"127\.0\.0\.1:([0-9]+)", first)
            assert found, first
            yield Running(process, first, int(found[1]))
        finally:
            process.kill()


def send(port: int, content: bytes, recipients: Sequence[str] = ("b@example.org",)) -> None:
    """One mail."""
    with smtplib.SMTP("localhost", port, timeout=PATIENCE) as client:
        client.sendmail("a@example.com", list(recipients), content)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_line_for_each_mail(tmp_path: Path, number: int) -> None:
    """Each mail is a line on standard output; a signal ends the verb with 0 and the count."""
    with catching(tmp_path) as catcher:
        assert (
            catcher.first == f"Catching mail on 127.0.0.1:{catcher.port}; nothing leaves this machine. Ctrl-C stops\n"
        )
        send(catcher.port, b"Subject: Welcome\r\n\r\nHi\r\n")
        send(catcher.port, b"\r\nHi\r\n", ["b@example.org", "c@example.org"])
        assert catcher.end(number) == 0
    one, two = catcher.out.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d  a@example\.com → b@example\.org  24 B  Welcome", one)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  a@example\.com → b@example\.org, c@example\.org  6 B  \(no subject\)", two)
    assert catcher.err == "Caught 2 mails\n"
    assert list(tmp_path.iterdir()) == []


def test_one_json_document_a_line(tmp_path: Path) -> None:
    """With --json each line is a document with everything that is in the mail, and the file it went to."""
    with catching(tmp_path, "--json", "--dir", "caught") as catcher:
        send(catcher.port, b"Subject: Welcome\r\nTo: b@example.org\r\n\r\nHi\r\n")
        send(catcher.port, b"Subject: Again\r\n\r\n")
        assert catcher.end() == 0
    documents = [json.loads(line) for line in catcher.out.splitlines()]
    assert [d["subject"] for d in documents] == ["Welcome", "Again"]
    first = documents[0]
    assert (first["schema_version"], first["command"], first["number"]) == (1, "catch", 1)
    assert (first["sender"], first["recipients"], first["text"]) == ("a@example.com", ["b@example.org"], "Hi\n")
    assert first["headers"] == {"Subject": ["Welcome"], "To": ["b@example.org"]}
    assert (tmp_path / first["file"]).read_bytes() == b"Subject: Welcome\r\nTo: b@example.org\r\n\r\nHi\r\n"


@pytest.mark.parametrize("style", [[], ["--json"]])
def test_a_hostile_mail_cannot_act_on_the_terminal(tmp_path: Path, style: list[str]) -> None:
    """Whatever a mail holds, every line is printable; JSON still says exactly what came."""
    with catching(tmp_path, *style) as catcher:
        send(catcher.port, HOSTILE)
        assert catcher.end() == 0
    (line,) = catcher.out.splitlines()
    assert line.isprintable()
    if style:
        document = json.loads(line)
        assert document["subject"] == "a\x1b[2Jb\x9bc\u202ed\x7f"
        assert document["text"] == "text\x1b[31m\x9b\x7f\U000e0001\n"


def test_each_mail_is_a_file(tmp_path: Path) -> None:
    """The files hold the bytes that came, have names of their own, and no file that is there is touched."""
    folder = tmp_path / "deep" / "caught"
    for _ in range(2):
        with catching(tmp_path, "--dir", "deep/caught") as catcher:
            for text in (b"one\r\n", b"..\r\n.two\r\n"):
                send(catcher.port, text)
            assert catcher.end() == 0
        names = [line.split()[-1] for line in catcher.out.splitlines()]
        assert [(tmp_path / name).read_bytes() for name in names] == [b"one\r\n", b"..\r\n.two\r\n"]
    assert len(list(folder.glob("*.eml"))) == len(list(folder.iterdir())) == 4


def test_a_mail_that_cannot_be_written_is_not_taken(tmp_path: Path) -> None:
    """When the folder has gone, the client is told to come back, the person is told why, and the verb goes on."""
    folder = tmp_path / "caught"
    with catching(tmp_path, "--dir", "caught") as catcher:
        folder.rmdir()
        with pytest.raises(smtplib.SMTPDataError, match="452"):
            send(catcher.port, b"one\r\n")
        folder.mkdir()
        send(catcher.port, b"two\r\n")
        assert catcher.end() == 0
    assert catcher.err == (
        "error: cannot write caught: no such file or directory. The mail was refused for now (452)\nCaught 1 mail\n"
    )
    assert [path.read_bytes() for path in folder.iterdir()] == [b"two\r\n"]


def test_faults_are_rehearsed_and_told(tmp_path: Path) -> None:
    """A refusal that was asked for comes, and is a line on standard error."""
    with catching(tmp_path, "--fail", "@example.org=550", "--fail", "dot=drop", "--latency", "1ms") as catcher:
        with pytest.raises(smtplib.SMTPRecipientsRefused, match="rehearsed: @example.org=550"):
            send(catcher.port, b"x\r\n")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(catcher.port, b"x\r\n", ["b@example.com"])
        assert catcher.end() == 0
    assert catcher.err == (
        "rehearsed: 550 at rcpt b@example.org (@example.org=550)\n"
        "rehearsed: no answer at dot (dot=drop)\n"
        "Caught 1 mail\n"
    )


def test_it_ends_when_nobody_reads(tmp_path: Path) -> None:
    """When the reader of the lines has gone, the mail is refused for now and the verb ends without a fault."""
    with catching(tmp_path) as catcher:
        assert catcher.process.stdout is not None
        catcher.process.stdout.close()
        with pytest.raises(smtplib.SMTPDataError, match="452"):
            send(catcher.port, b"x\r\n")
        assert catcher.process.wait(PATIENCE) == 0
        assert catcher.process.stderr is not None
        assert catcher.process.stderr.read() == b"Caught 0 mails\n"


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    """A taken port is named, with a way on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["catch", "--smtp-port", str(port)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: port {port} is taken by another program. Another one: mailweir catch --smtp-port ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fail", "rctp=550"], "error: --fail 'rctp=550': 'rctp' is no address, no @domain and no step (connect "),
        (["--latency", "2"], "error: --latency '2': write 2s or 150ms\n"),
        (["--latency", "601s"], "error: --latency '601s': at most 600s\n"),
        (["--smtp-port", "65536"], "error: invalid value for '--smtp-port': 65536 is not in the range 0<=x<=65535\n"),
        (["--dir", "file/within"], "error: cannot write file/within: not a directory\n"),
    ],
)
def test_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    """What cannot be meant is refused with 2 before anything listens."""
    (tmp_path / "file").touch()
    assert main(["-C", str(tmp_path), "catch", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(said)
