"""`mailweir serve`, as a process of its own, with signals, kills, changed files and real servers on loopback."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from mailweir.catcher import Catcher
from pipeline.state.sqlite.dataset_look import SqliteReads
from tests.served import PATIENCE, TOP, Served

Command = Callable[..., Any]
SOON = {"schedule_interval": 0.1}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Begin a service in the folder."""
    begun: list[Served] = []

    def begin(*arguments: str) -> Served:
        begun.append(Served(tmp_path, *arguments))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


class Slow:
    """A mail server that answers the end of a mail when it may, or never; it says when the end has come."""

    def __init__(self) -> None:
        """It listens."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.ended, self.may = Event(), Event()
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                talk, _ = self._socket.accept()
                with talk, talk.makefile("rb") as lines:
                    talk.sendall(b"220 mx\r\n")
                    for line in lines:
                        if line == b".\r\n":
                            self.ended.set()
                            self.may.wait(PATIENCE)
                            talk.sendall(b"250 ok\r\n")
                        elif line.startswith((b"EHLO", b"MAIL", b"RCPT", b"QUIT", b"RSET")):
                            talk.sendall(b"250 ok\r\n")
                        elif line.startswith(b"DATA"):
                            talk.sendall(b"354 go\r\n")

    def close(self) -> None:
        """Listen no more."""
        self.may.set()
        self._socket.close()


@pytest.fixture
def slow() -> Iterator[Slow]:
    """Such a server."""
    server = Slow()
    yield server
    server.close()


def people(folder: Path, *ids: str) -> None:
    """More lines in the file that pipes read."""
    with (folder / "people.jsonl").open("a") as file:
        file.writelines(json.dumps({"_id": one, "email": f"{one}@example.com"}) + "\n" for one in ids)


def reading(id: str = "people", **more: Any) -> dict[str, Any]:
    """A pipe from the file into its dataset."""
    return {"_id": id, "type": "pipe", "source": {"type": "json", "path": "people.jsonl"}, "pump": SOON, **more}


def mailing(port: int, **pump: Any) -> list[dict[str, Any]]:
    """A pipe from the file into mails, and its system."""
    sink = {
        "type": "mail",
        "system": "office",
        "mail_from": "hello@example.com",
        "recipients_property": "email",
        "subject_template": "Hi {{ _id }}",
        "body_template": "Hi",
    }
    office = {"_id": "office", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": port, "connections": 1}
    return [office, reading("welcome", sink=sink, pump=pump or SOON)]


def configured(folder: Path, *parts: dict[str, Any]) -> None:
    """The project, written at once, as editors do."""
    (folder / "all.part").write_text(json.dumps(parts))
    (folder / "all.part").rename(folder / "all.conf.json")


def kept(folder: Path, name: str = "people") -> list[str]:
    """The entities of a dataset."""
    reads = SqliteReads(folder / ".mailweir")
    found = reads.dataset(name)
    entities = [] if found is None else reads.page(found.number, 0, found.last, 1_000_000).entities
    reads.close()
    return sorted(one["_id"] for one in entities)


def test_pipes_run_by_the_clock(serve: Callable[..., Served], catcher: Catcher, tmp_path: Path) -> None:
    """What comes into a source is mailed by the next run; SIGTERM ends it with 0, and all it said is on record."""
    people(tmp_path, "ann")
    configured(tmp_path, *mailing(catcher.port))
    service = serve()
    start = service.until("serve.started")
    assert (list(start["pipes"]), start["profile"], start["level"]) == (["welcome"], "prod", "info")
    assert start["pipes"]["welcome"].endswith("Z")
    first = service.until("run.ended", pipe="welcome")
    assert (first["read"], first["outcomes"]) == (1, {"sent": 1})
    people(tmp_path, "bob")
    assert service.until("run.ended", pipe="welcome")["outcomes"] == {"sent": 1}
    assert service.end() == 0
    assert service.lines[-1]["event"] == "serve.stopped"
    assert sorted(str(mail.document()["subject"]) for mail in catcher.mails) == ["Hi ann", "Hi bob"]


def test_sigterm_waits_for_an_answer(
    serve: Callable[..., Served], slow: Slow, command: Command, tmp_path: Path
) -> None:
    """Of a mail whose end has gone out the answer is waited for, so that it is sent and not in doubt."""
    people(tmp_path, "ann")
    configured(tmp_path, *mailing(slow.port))
    service = serve()
    assert slow.ended.wait(PATIENCE)
    service.process.send_signal(signal.SIGTERM)
    service.until("serve.stopping", running=1)
    slow.may.set()
    assert service.ended() == 0
    assert service.lines[-1]["left"] == 0
    states = json.loads(command(tmp_path, "outbox", "list", "--state", "sent", "--json").stdout)
    assert [one["outcome"] for one in states["messages"]] == ["sent"]


def test_sigterm_does_not_wait_for_ever(
    serve: Callable[..., Served], slow: Slow, command: Command, tmp_path: Path
) -> None:
    """A server that never answers holds it up as long as it may; its mail is in doubt then."""
    people(tmp_path, "ann")
    configured(tmp_path, *mailing(slow.port))
    service = serve("--drain-timeout", "1s")
    assert slow.ended.wait(PATIENCE)
    assert service.end() == 0
    # Who opens the state next to change something takes over what was left.
    command(tmp_path, "pause", "office", "--reason", "it does not answer")
    told = json.loads(command(tmp_path, "status", "--offline", "--json").stdout)
    assert (told["outbox"], told["exit_code"]) == ({"in_doubt": 1}, 1)


def test_the_second_signal_waits_for_nothing(serve: Callable[..., Served], slow: Slow, tmp_path: Path) -> None:
    """It ends as a kill does, at once."""
    people(tmp_path, "ann")
    configured(tmp_path, *mailing(slow.port))
    service = serve("--drain-timeout", "1h")
    assert slow.ended.wait(PATIENCE)
    service.process.send_signal(signal.SIGTERM)
    service.until("serve.stopping")
    assert service.end() == 128 + signal.SIGTERM


def test_kill_and_start_again(serve: Callable[..., Served], tmp_path: Path) -> None:
    """After a kill in the middle of a load the next service goes on at once, and nothing is missing or twice."""
    ids = [f"c{at:05}" for at in range(20_000)]
    people(tmp_path, *ids)
    configured(tmp_path, reading(pump={"cron_expression": "0 0 1 1 *", "run_at_startup_if_not_populated": True}))
    service = serve("--log-level", "debug")
    service.until("run.started", pipe="people")
    service.end(signal.SIGKILL)
    again = serve("--log-level", "debug")
    ended = again.until("run.ended", pipe="people")
    assert ended["read"] == sum(ended["outcomes"].values())
    assert kept(tmp_path) == ids
    assert again.end() == 0


def test_reload(serve: Callable[..., Served], tmp_path: Path) -> None:
    """A good change is served; a bad one is told once, and what was served before goes on until it is mended."""
    people(tmp_path, "ann")
    configured(tmp_path, reading())
    service = serve()
    service.until("run.ended", pipe="people")
    configured(tmp_path, reading(), reading("copy"))
    assert service.until("config.loaded")["pipes"] == ["copy", "people"]
    service.until("run.ended", pipe="copy")
    configured(tmp_path, reading(), {"_id": "bad", "type": "pip"})
    bad = service.until("config.bad")
    assert "all.conf.json:1:" in bad["message"]
    assert bad["level"] == "error"
    people(tmp_path, "bob")
    service.until("run.ended", pipe="copy", read=1)
    configured(tmp_path, reading())
    service.until("config.loaded", pipes=["people"])
    assert service.end() == 0


def test_sighup_reloads(serve: Callable[..., Served], tmp_path: Path) -> None:
    """Where files are not watched, a signal has the configuration read again."""
    people(tmp_path, "ann")
    configured(tmp_path, reading())
    service = serve("--no-reload")
    service.until("run.ended", pipe="people")
    configured(tmp_path, reading("other"))
    service.process.send_signal(signal.SIGHUP)
    service.until("run.ended", pipe="other")
    assert service.end() == 0


BUSY = """
import os, time
from pathlib import Path

def alone(entity):
    path = Path(__file__).parent / "busy"
    os.close(os.open(path, os.O_CREAT | os.O_EXCL))  # two at once: the second one fails
    time.sleep(0.02)
    path.unlink()
    return entity
"""


def test_two_services_on_one_state(serve: Callable[..., Served], command: Command, tmp_path: Path) -> None:
    """Both run the pipe in turn, and never at the same time."""
    (tmp_path / "busy.py").write_text(BUSY)
    people(tmp_path, *(f"c{at}" for at in range(5)))
    transform = {"type": "python", "function": "busy:alone"}
    configured(tmp_path, reading(transform=transform, disable_set_last_seen=True, pump={"schedule_interval": 0}))
    both = [serve(), serve()]
    for one in both:
        for _ in range(4):
            one.until("run.ended", pipe="people")
    told = json.loads(command(tmp_path, "status", "--json").stdout)
    assert len(told["services"]) == 2
    assert [one.end() for one in both] == [0, 0]
    assert json.loads(command(tmp_path, "failed", "--json").stdout)["entities"] == []


def test_pause_and_resume(serve: Callable[..., Served], command: Command, tmp_path: Path) -> None:
    """A paused pipe begins no run, and is shown with who and why; resumed, it makes up for what it missed."""
    people(tmp_path, "ann")
    configured(tmp_path, reading(), reading("other"))
    service = serve()
    waiting = {"people", "other"}
    while waiting:
        waiting.discard(service.until("run.ended", read=1)["pipe"])
    assert command(tmp_path, "pause", "people", "--reason", "the moon").returncode == 0
    (paused,) = [one for one in status(command, tmp_path)["pipes"] if one["id"] == "people"]
    assert (paused["paused"]["reason"], paused["next_run_at"]) == ("the moon", None)
    # A run of before the pause may still have seen the first of these.
    for name in ("bob", "eve", "joe"):
        people(tmp_path, name)
        service.until("run.ended", pipe="other", read=1)
    assert "joe" not in kept(tmp_path)
    refused = command(tmp_path, "run", "people")
    assert (refused.returncode, "people is paused by" in refused.stderr) == (2, True)
    assert "note: people is paused by" in command(tmp_path, "run").stderr
    assert command(tmp_path, "resume", "people").returncode == 0
    service.until("run.ended", pipe="people")
    assert kept(tmp_path) == ["ann", "bob", "eve", "joe"]
    assert service.end() == 0


def status(command: Command, folder: Path) -> dict[str, Any]:
    """What `mailweir status` tells programs."""
    told: dict[str, Any] = json.loads(command(folder, "status", "--json").stdout)
    return told


def test_status_and_health(serve: Callable[..., Served], command: Command, tmp_path: Path) -> None:
    """While it runs, what it does; before and after, that nothing runs; the exit codes say the same."""
    people(tmp_path, "ann")
    configured(tmp_path, reading(pump={"schedule_interval": 3600}))
    before = command(tmp_path, "status")
    assert (before.returncode, "no service runs here (none ever ran here)" in before.stderr) == (7, True)
    assert command(tmp_path, "health").returncode == 7
    service = serve()
    service.until("run.ended", pipe="people")
    shown = command(tmp_path, "status")
    assert shown.returncode == 0
    assert f"(process {service.process.pid})" in shown.stdout
    assert "1 written" in shown.stdout
    assert command(tmp_path, "health").stdout == "alive\n"
    assert command(tmp_path, "health", "--ready").stdout == "ready\n"
    configured(tmp_path, {"_id": "bad", "type": "pip"})
    service.until("config.bad")
    # Yellow, not red.
    configured(tmp_path, reading(pump={"schedule_interval": 3600}))
    service.until("config.loaded")
    assert service.end(signal.SIGINT) == 0
    after = command(tmp_path, "status")
    assert (after.returncode, "and stopped)" in after.stderr) == (7, True)
    assert command(tmp_path, "status", "--offline").returncode == 0


def test_killed_services_are_not_alive(serve: Callable[..., Served], command: Command, tmp_path: Path) -> None:
    """The lock of one that was killed is gone with it."""
    people(tmp_path, "ann")
    configured(tmp_path, reading())
    service = serve()
    service.until("run.ended", pipe="people")
    service.end(signal.SIGKILL)
    told = command(tmp_path, "status")
    assert (told.returncode, "did not stop by itself" in told.stderr) == (7, True)


def test_tap(serve: Callable[..., Served], command: Command, tmp_path: Path) -> None:
    """Entities are shown as they pass, with addresses shortened, and kept in a file as test data."""
    people(tmp_path, "ann")
    configured(tmp_path, reading())
    service = serve()
    service.until("run.ended", pipe="people")
    call = [
        sys.executable,
        "-m",
        "mailweir",
        "tap",
        "people@source",
        "--where",
        "_id is not eve",
        "--save",
        "seen.json",
    ]
    tap = subprocess.Popen(
        [*call, "--limit", "2"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with tap:
        assert tap.stdout is not None
        assert tap.stderr is not None
        assert tap.stderr.readline() == "Waiting for entities of people. Stop: Ctrl-C\n"
        people(tmp_path, "bob", "eve", "joe")
        shown = [json.loads(line) for line in tap.stdout]
        assert tap.wait(PATIENCE) == 0
    assert shown == [{"_id": "bob", "email": "b…@example.com"}, {"_id": "joe", "email": "j…@example.com"}]
    kept = [{"_id": name, "email": f"{name}@example.com"} for name in ("bob", "joe")]
    assert json.loads((tmp_path / "seen.json").read_text()) == kept
    assert service.end() == 0
    assert "no stage 'snik'. Did you mean 'sink'?" in command(tmp_path, "tap", "people@snik").stderr
    assert "no pipe 'peple'. Did you mean 'people'?" in command(tmp_path, "tap", "peple").stderr
    assert command(tmp_path, "tap", "people", "--duration", "0s").returncode == 0


def test_logs(serve: Callable[..., Served], command: Command, tmp_path: Path) -> None:
    """What was logged is shown after its end too, chosen by pipe, level and text, without secrets."""
    (tmp_path / ".secrets.env").write_text("password=hunter-2-hunter\n")
    os.chmod(tmp_path / ".secrets.env", 0o600)  # noqa: PTH101 - as people do it
    people(tmp_path, "ann")
    office, welcome = mailing(9)
    configured(
        tmp_path,
        {**office, "smtp_username": "ann", "smtp_password": "$SECRET(password)", "allow_plaintext_auth": True},
        welcome,
        reading(),
    )
    service = serve()
    service.until("run.ended", pipe="people")
    service.until("system.trouble", system="office")
    assert service.end() == 0
    every = [json.loads(line) for line in command(tmp_path, "logs", "--json").stdout.splitlines()]
    assert [one["event"] for one in every] == [one["event"] for one in service.lines]
    only = command(tmp_path, "logs", "--level", "error", "--system", "office").stdout
    assert only
    assert all("error: office: " in line for line in only.splitlines())
    assert "serving" in command(tmp_path, "logs", "--grep", "SERVING").stdout
    assert command(tmp_path, "logs", "--pipe", "welcome", "--until", "1h").stdout == ""
    for path in (tmp_path / ".mailweir").rglob("*"):
        if path.is_file():
            assert b"hunter-2" not in path.read_bytes()


def test_mail_of_the_outbox_goes_between_runs(serve: Callable[..., Served], catcher: Catcher, tmp_path: Path) -> None:
    """A mail that was put back is sent when it is due, though its pipe runs once a year."""
    people(tmp_path, "ann")
    configured(tmp_path, *mailing(9, cron_expression="0 0 1 1 *", run_at_startup_if_not_populated=True))
    service = serve()
    service.until("system.trouble", system="office")
    configured(tmp_path, *mailing(catcher.port, cron_expression="0 0 1 1 *"))
    service.until("config.loaded")
    assert service.until("run.ended", pipe="welcome")["earlier"] == {"sent": 1}
    assert len(catcher.mails) == 1
    assert service.end() == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--tls-cert", "cert.pem"), 2, "--tls-cert FILE --tls-key FILE"),
        (("--no-ui", "--drain-timeout", "soon"), 2, "--drain-timeout 'soon'"),
        (("--no-http",), 3, "2 errors: all.conf.json:1:"),
    ],
)
def test_what_cannot_be_served(
    arguments: tuple[str, ...], code: int, words: str, command: Command, tmp_path: Path
) -> None:
    """Wrong use, and a configuration with faults: nothing begins."""
    configured(tmp_path, {"_id": "bad", "type": "pip"})
    done = command(tmp_path, "serve", *arguments)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr


def test_http_beside_the_pipes(serve: Callable[..., Served], tmp_path: Path) -> None:
    """It is said where it listens, what is asked there is answered, and SIGTERM closes it."""
    people(tmp_path, "ann")
    configured(tmp_path, reading())
    service = serve()
    url = service.until("serve.listening")["url"]
    port = int(url.rstrip("/").rpartition(":")[2])
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (200, {"status": "ready"})
    connection.close()
    assert service.end() == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), PATIENCE).close()


def test_a_terminal_is_told_what_opens_the_pages(
    serve: Callable[..., Served], command: Command, tmp_path: Path
) -> None:
    """`status` gives a terminal an address that lets a browser in once, and programs where the pages are."""
    people(tmp_path, "ann")
    configured(tmp_path, reading())
    service = serve()
    url = service.until("serve.listening")["url"]
    service.until("run.ended", pipe="people")
    assert f"Pages {url}\n" in command(tmp_path, "status").stdout
    assert [one["url"] for one in status(command, tmp_path)["services"]] == [url]
    shown = on_a_terminal(tmp_path, "status")
    found = re.search(re.escape(f"Pages {url}") + r"(open\?code=[0-9a-f.]+)", shown)
    assert found is not None, shown
    port = int(url.rstrip("/").rpartition(":")[2])
    statuses = []
    for _ in range(2):
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", f"/{found[1]}")
        statuses.append(connection.getresponse().status)
        connection.close()
    assert statuses == [303, 401]
    assert not [line for line in service.lines if found[1] in json.dumps(line)]


def test_without_pages(serve: Callable[..., Served], command: Command, tmp_path: Path) -> None:
    """With `--no-ui` there are none, and nobody is led to them."""
    people(tmp_path, "ann")
    configured(tmp_path, reading())
    service = serve("--no-ui")
    service.until("run.ended", pipe="people")
    assert "Pages" not in command(tmp_path, "status").stdout
    assert [one["url"] for one in status(command, tmp_path)["services"]] == [None]


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """What a command shows a person."""
    master, slave = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "mailweir", *arguments],
            cwd=folder,
            stdout=slave,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
        ):
            os.close(slave)
            found = b""
            # The other end is gone when the command is.
            with suppress(OSError):
                while part := os.read(master, 65536):
                    found += part
    finally:
        os.close(master)
    return found.decode()


def test_listening_for_others_is_refused(command: Command, tmp_path: Path) -> None:
    """Without TLS nothing is listened to but this machine, and it is said what to do."""
    people(tmp_path, "ann")
    configured(tmp_path, reading())
    done = command(tmp_path, "serve", "--host", "0.0.0.0", "--port", "0")
    assert (done.returncode, "--behind-proxy" in done.stderr) == (3, True), done.stderr
