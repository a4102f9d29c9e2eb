"""`mailweir dev`, as a process of its own."""

from __future__ import annotations

import json
import re
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, Any, Final

import pytest

from mailweir.catcher import Catcher
from mailweir.cli.main import main

COMMAND: Final = str(Path(sys.executable).with_name("mailweir"))
PATIENCE: Final = 120
PIPE: Final = "pipes/welcome-mail.conf.json"
SYSTEM: Final = "systems/our-smtp-server.conf.json"
Command = Callable[..., Any]


class Working:
    """The verb while it goes on; what it writes is read by threads."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Begin to read."""
        self.process = process
        self.seen = ""
        self._lines: Queue[str] = Queue()
        self._readers = [Thread(target=self._read, args=(stream,)) for stream in (process.stdout, process.stderr)]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._lines.put(line)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read until the words come, and forget what came up to them."""
        while True:
            found = re.search(pattern, self.seen)
            if found:
                self.seen = self.seen[found.end() :]
                return found
            try:
                self.seen += self._lines.get(timeout=PATIENCE)
            except Empty:
                raise AssertionError(self.seen) from None

    def end(self, number: int = signal.SIGINT) -> int:
        """Stop it; the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        while not self._lines.empty():
            self.seen += self._lines.get()
        return code


@contextmanager
def working(root: Path, *arguments: str, port: str = "0", **environ: str) -> Iterator[Working]:
    """`mailweir dev` in a project."""
    whole = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **environ}
    call = [COMMAND, "dev", "--smtp-port", port, *arguments]
    with subprocess.Popen(
        call,
        cwd=root,
        env=whole,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield Working(process)
        finally:
            process.kill()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The project of the demo."""
    assert main(["-C", str(tmp_path), "init", "my-mail", "--from-demo"]) == 0
    return tmp_path / "my-mail"


def save(root: Path, name: str, old: str, new: str) -> None:
    """Change a file, as editors do: whole."""
    path = root / name
    text = path.read_text()
    assert old in text
    fresh = path.with_name(f"{path.name}~")
    fresh.write_text(text.replace(old, new))
    fresh.rename(path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_and_stays_until_a_signal(root: Path, number: int) -> None:
    """Where mail goes, what became of it, where to look; a signal ends it with 0, and only the mail is left."""
    with working(root) as dev:
        dev.wait_for(r"Mail goes to  the local catcher; nothing leaves this machine   profile test\n")
        index = dev.wait_for(r"Mail +(\S+)\n")[1]
        dev.wait_for(r"rejected  c2  E502 no recipient")
        pages = root / Path(index).parent
        assert "Welcome, Kari Moe" in (root / index).read_text()
        assert dev.end(number) == 0
    assert [path.name for path in (root / ".mailweir" / "dev").iterdir()] == [pages.name]
    assert not (root / ".mailweir" / "state.db").exists()


def test_a_save_runs_it_again(root: Path) -> None:
    """Templates and configuration are watched; nothing counts as sent before, and the pages show the new text."""
    with working(root) as dev:
        index = root / dev.wait_for(r"Mail +(\S+)\n")[1]
        dev.wait_for(r"3 read   2 sent   1 rejected")
        save(root, "templates/welcome.txt", "nice to have you", "good to have you")
        dev.wait_for(r"changed templates/welcome\.txt")
        dev.wait_for(r"3 read   2 sent   1 rejected")
        assert "good to have you" in index.with_name("0001.html").read_text()
        save(root, SYSTEM, '"max_per_hour": 100', '"max_per_hour": 1')
        dev.wait_for(r"3 read   1 sent   1 rejected   1 discarded")
        dev.wait_for(r"our-smtp-server  1 of 1 in the last hour  █+  next free")
        assert dev.end() == 0


def test_a_fault_is_told_and_the_mail_before_stays(root: Path) -> None:
    """As `check` tells it; after the repair it says so and runs again."""
    with working(root) as dev:
        index = root / dev.wait_for(r"Mail +(\S+)\n")[1]
        dev.wait_for(r"3 read   2 sent")
        save(root, PIPE, '"subject_template"', '"subject_templat"')
        dev.wait_for(r"error\[E201\]: unknown property `subject_templat` in sink mail")
        dev.wait_for(r"nothing was run: the mail of the last good configuration stays")
        assert "Welcome, Kari Moe" in index.read_text()
        save(root, PIPE, '"subject_templat"', '"subject_template"')
        dev.wait_for(r"config ok again")
        dev.wait_for(r"3 read   2 sent")
        assert dev.end() == 0


def test_the_configured_server_is_never_called(root: Path) -> None:
    """With the profile and the values of production, and a login: nobody connects, and all mail is caught."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        values = {"node-env": "prod", "smtp-server": "127.0.0.1", "smtp-port": server.getsockname()[1]}
        (root / "prod-env.json").write_text(json.dumps({**values, "smtp-username": "u"}))
        with working(root, "--profile", "prod") as dev:
            dev.wait_for(r"profile prod\n")
            dev.wait_for(r"3 read   2 sent   1 rejected")
            save(root, PIPE, "Welcome, ", "Hi, ")
            dev.wait_for(r"3 read   2 sent   1 rejected")
            assert dev.end() == 0
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_key_that_is_not_set_is_told(command: Command, root: Path) -> None:
    """A secret that the mail itself needs is no login: it is missed, as `check` says it."""
    save(
        root,
        PIPE,
        '"mail_from"',
        '"dkim": [{"domain": "example.com", "selector": "s", "key": "$SECRET(k)"}], "mail_from"',
    )
    done = command(root, "dev")
    assert (done.returncode, done.stdout) == (3, "")
    assert "error[E303]: secret `k` is not set" in done.stderr


def test_mail_into_another_catcher(root: Path, catcher: Catcher) -> None:
    """With `--catch-to` it arrives there, and no folder is made for it."""
    with working(root, "--catch-to", f"smtp://localhost:{catcher.port}") as dev:
        dev.wait_for(rf"Mail goes to  the catcher at 127\.0\.0\.1:{catcher.port}; nothing leaves this machine")
        dev.wait_for(r"3 read   2 sent")
        assert dev.end() == 0
    assert [mail.subject for mail in catcher.mails] == ["Welcome, Kari Moe", "Welcome, Åse Lie"]
    assert list((root / ".mailweir" / "dev").iterdir()) == []


def test_a_catcher_that_is_not_there(root: Path) -> None:
    """It is told, and a save tries again."""
    with working(root, "--catch-to", "smtp://127.0.0.1:9") as dev:
        dev.wait_for(r"error: our-smtp-server: 127\.0\.0\.1:9 cannot be reached")
        save(root, PIPE, "Welcome, ", "Hi, ")
        dev.wait_for(r"error: our-smtp-server: 127\.0\.0\.1:9 cannot be reached")
        assert dev.end() == 0


def test_mail_of_other_programs_is_caught_too(root: Path) -> None:
    """What they send to the port is in the list."""
    with working(root) as dev:
        port = int(dev.wait_for(r"SMTP +127\.0\.0\.1:(\d+)\n")[1])
        index = root / dev.wait_for(r"Mail +(\S+)\n")[1]
        dev.wait_for(r"rejected  c2")
        with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
            client.sendmail("a@example.com", ["b@example.org"], b"Subject: From outside\r\n\r\nHi\r\n")
        assert "From outside" in index.read_text()
        assert dev.end() == 0


def test_a_port_that_is_taken(root: Path) -> None:
    """The next free one is used, and said."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with working(root, port=str(port)) as dev:
            dev.wait_for(rf"SMTP +127\.0\.0\.1:\d+ \({port} is taken\)\n")
            dev.wait_for(r"3 read")
            assert dev.end() == 0


def test_the_browser_is_opened_where_that_is_wanted(root: Path, tmp_path: Path) -> None:
    """The list is shown by the browser of the person."""
    browser = tmp_path / "browser"
    browser.write_text(
        '#!/bin/sh\nread line < "${1#file://}"; echo "$line" > "$0.seen.new"; mv "$0.seen.new" "$0.seen"\n'
    )
    browser.chmod(0o755)
    with working(root, "--open", BROWSER=str(browser)) as dev:
        dev.wait_for(r"3 read")
        save(root, PIPE, "Welcome, ", "Hi, ")
        dev.wait_for(r"3 read")
        assert dev.end() == 0
    assert (tmp_path / "browser.seen").read_text() == "<!doctype html>\n"


def test_one_document_a_run(root: Path) -> None:
    """With `--json` each run is a line, and a fault is the report of `check`."""
    with working(root, "--json") as dev:
        first = json.loads(dev.wait_for(r'\{"schema_version.*\n')[0])
        assert (first["command"], first["delivery"]["mode"], first["delivery"]["caught"]) == ("dev", "catch", 2)
        assert first["pipes"][0]["mail"]["sent"] == 2
        save(root, PIPE, '"subject_template"', '"subject_templat"')
        fault = json.loads(dev.wait_for(r'\{"schema_version.*\n')[0])
        assert (fault["command"], fault["exit_code"]) == ("check", 1)
        assert dev.end() == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("welcom-mail",), 2, "no pipe 'welcom-mail'. Did you mean 'welcome-mail'?"),
        (("--catch-to", "smtp://mail.example.com:25"), 2, "mail.example.com is not this machine"),
        (("--catch-to", "mail.example.com"), 2, "write smtp://127.0.0.1:1025"),
        (("--smtp-port", "65536"), 2, "65536 is not in the range"),
    ],
)
def test_wrong_use_is_told(command: Command, root: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    """Nothing is run, and the way out is named."""
    done = command(root, "dev", *arguments)
    assert (done.returncode, words in done.stderr, done.stdout) == (code, True, ""), done.stderr


def test_a_faulty_start(command: Command, root: Path, tmp_path: Path) -> None:
    """Exit code 3 with the report of `check`; 2 where there is no project."""
    save(root, PIPE, '"subject_template"', '"subject_templat"')
    done = command(root, "dev")
    assert done.returncode == 3
    assert "error[E201]" in done.stderr
    (tmp_path / "nothing").mkdir()
    done = command(tmp_path / "nothing", "dev")
    assert (done.returncode, "no configuration in this folder" in done.stderr) == (2, True)
