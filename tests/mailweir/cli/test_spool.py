"""`mailweir spool` as people call it."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import chdir, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mailweir.cli.group import run
from mailweir.systems_of import Systems
from pipeline.config.load import Options, load
from systems.file_names import own_name
from systems.mail import Envelope, Message
from systems.spool.build import build
from systems.spool.config import SpoolConfig
from systems.spool.store import Store

SYSTEMS = """[
  {"_id": "outbox", "type": "system:spool", "system": "mails"},
  {"_id": "mails", "type": "system:eml", "folder": "mails"},
  {"_id": "relay", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": $PORT},
  {"_id": "out", "type": "system:spool", "system": "relay", "queue_path": "queue"},
  {"_id": "test", "type": "system:spool", "system": "mails", "process": false},
  {"_id": "wrong", "type": "system:spool", "system": "mails", "max_tries": 0}
]
"""
PATIENCE = 120.0


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


class Mailweir(NamedTuple):
    """Calls the command in a folder."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Done:
        """Run it and take what it wrote."""
        with chdir(self.folder):
            code = run(["spool", *arguments])
        return Done(code, *self.capsys.readouterr())

    def document(self, *arguments: str) -> dict[str, Any]:
        """The JSON document that it gives."""
        done = self(*arguments, "--json")
        found: dict[str, Any] = json.loads(done.out)
        assert (found["exit_code"], found["ok"]) == (done.code, done.code == 0)
        assert (found["schema_version"], found["command"], found.get("verb", arguments[0])) == (
            1,
            "spool",
            arguments[0],
        )
        return found

    def put(self, system: str, *messages: Message) -> list[str]:
        """Queue messages; their ids."""
        systems = Systems(load(self.folder, Options(here=self.folder, environ={})))
        config = systems.config(system, SpoolConfig).model_copy(update={"process": False})

        async def queue() -> None:
            async with build(config, systems) as spool:
                async for _ in spool.send(messages, lambda _: None):
                    pass

        asyncio.run(queue())
        return [own_name(message) for message in messages]

    def ids(self, system: str = "outbox") -> list[str]:
        """What is in the queue."""
        return [one["id"] for one in self.document("list", system)["messages"]]


@pytest.fixture
def mailweir(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Mailweir:
    """The command, in a project with queues; no server listens for one of them."""
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "a.conf.json").write_text(SYSTEMS.replace("$PORT", "9"))
    return Mailweir(tmp_path, capsys)


def mail(key: str = "k", *recipients: str, content: bytes = b"Subject: Hi\r\n\r\nHello\r\n") -> Message:
    """A message."""
    return Message(key, Envelope("post@example.com", recipients or ("kari@example.org",)), content)


def refuse(mailweir: Mailweir, name: str) -> None:
    """A server says no to a queued message, and it is put aside."""
    store = Store(mailweir.folder / ".mailweir" / "spool" / "outbox", "outbox")
    entry = store.entry(name)
    said = {"to": 0, "status": "permanent", "phase": "recipient", "server": "mx", "code": 550, "text": "no such user"}
    entry.append({"what": "answered", "at": 1, "answers": [{**said, "enhanced": "5.1.1", "due": None}]})
    store.bury(entry, {"kari@example.org": "550 5.1.1 no such user"}, 1)
    entry.close()


def hand(mailweir: Mailweir, name: str) -> None:
    """A process dies with a message handed over."""
    entry = Store(mailweir.folder / ".mailweir" / "spool" / "outbox", "outbox").entry(name)
    entry.append({"what": "handed", "at": 1, "to": [0]})
    entry.close()


def test_nothing_waits_in_a_queue_that_nobody_used(mailweir: Mailweir) -> None:
    """Looking does not make its folder."""
    assert mailweir("list", "outbox") == (0, "", "nothing waits in this queue\n")
    assert mailweir.document("list", "outbox")["messages"] == []
    assert not (mailweir.folder / ".mailweir").exists()


def test_what_waits_is_listed(mailweir: Mailweir) -> None:
    """The oldest first; addresses short unless they are wanted; and how many of each state there are."""
    first, second, third = mailweir.put(
        "outbox", mail("a"), mail("b", "kari@example.org", "ola@example.org"), mail("c")
    )
    refuse(mailweir, third)
    done = mailweir("list", "outbox")
    assert done.code == 0
    head, *rows = done.out.splitlines()
    assert head.split() == ["ID", "STATE", "KEY", "TO", "SINCE", "NEXT", "TRY", "LAST", "ANSWER"]
    assert sorted(row.split()[:3] for row in rows) == sorted(
        [[first[:8], "queued", "a"], [second[:8], "queued", "b"], [third[:8], "dead", "c"]]
    )
    assert "kari" not in done.out
    assert "550 5.1.1 no such user" in done.out
    assert done.err == "3 messages: 2 queued, 1 dead\n"
    assert "kari@example.org" in mailweir("list", "outbox", "--full").out
    found = mailweir.document("list", "outbox", "--state", "dead")
    assert [one["id"] for one in found["messages"]] == [third]
    assert found["counts"] == {"queued": 2, "retrying": 0, "in_doubt": 0, "held": 0, "dead": 1}
    assert (found["system"], found["process"]) == ("outbox", True)


def test_a_long_list_is_cut(mailweir: Mailweir) -> None:
    """It says how much more there is."""
    mailweir.put("outbox", *[mail(str(number)) for number in range(5)])
    done = mailweir("list", "outbox", "--limit", "2")
    assert len(done.out.splitlines()) == 3
    assert done.err == "… 3 more: --limit 0 shows all\n5 messages: 5 queued\n"
    assert len(mailweir("list", "outbox", "--limit", "0").out.splitlines()) == 6


def test_a_message_is_shown(mailweir: Mailweir) -> None:
    """Who got it, what happened, its header, and with `--body` all of it; nothing in it moves the cursor."""
    (name,) = mailweir.put("outbox", mail("k", content=b"Subject: Hi\x1b[2J\r\n\r\nHello \xff\r\n"))
    done = mailweir("show", "outbox", name[:6])
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{name}  queued\nk, from p…@example.com, 28 bytes, queued ")
    assert "\nk…@example.org  waiting\n" in done.out
    assert "  queued for k…@example.org\n" in done.out
    assert done.out.endswith("\nSubject: Hi␛[2J\n")
    assert "Hello" not in done.out
    assert "Hello \N{REPLACEMENT CHARACTER}\n" in mailweir("show", "outbox", name, "--body").out
    found = mailweir.document("show", "outbox", name, "--full")["message"]
    assert (found["sender"], found["text"]) == ("post@example.com", "Subject: Hi\x1b[2J")
    assert [one["what"] for one in found["history"]] == ["queued for kari@example.org"]


def test_a_message_that_was_put_aside_is_shown_with_its_reason(mailweir: Mailweir) -> None:
    """And its content."""
    (name,) = mailweir.put("outbox", mail())
    refuse(mailweir, name)
    done = mailweir("show", "outbox", name)
    assert "  dead\n" in done.out
    assert "k…@example.org  refused  550 5.1.1 no such user\n" in done.out
    assert done.out.endswith("Subject: Hi\n")


def test_a_message_that_was_changed_is_shown_as_that(mailweir: Mailweir) -> None:
    """It is held, and can only be deleted."""
    one, other = mailweir.put("outbox", mail("a"), mail("b"))
    folder = mailweir.folder / ".mailweir" / "spool" / "outbox"
    record = folder / "record" / one
    record.write_bytes(record.read_bytes().replace(b"kari", b"carl"))
    (folder / "new" / other).write_bytes(b"other")
    done = mailweir("show", "outbox", one)
    assert done.out == f"{one}  held\nnot sent: line 1 is not as it was written\n"
    assert mailweir("show", "outbox", other).out.endswith("its content is not as it was written\n")
    done = mailweir("retry", "outbox", one)
    assert (done.code, done.err.splitlines()[0]) == (
        4,
        f"error: {one[:8]}: it cannot be sent: line 1 is not as it was written",
    )
    assert mailweir("delete", "outbox", one, "--yes").err == "1 message deleted\n"
    assert mailweir.ids() == [other]
    assert not (folder / "new" / one).exists()


def test_a_reason_that_was_changed_is_shown_as_that(mailweir: Mailweir) -> None:
    """The message is held, cannot be tried again, and can be deleted."""
    (name,) = mailweir.put("outbox", mail())
    refuse(mailweir, name)
    reason = mailweir.folder / ".mailweir" / "spool" / "outbox" / "rejected" / f"{name}.json"
    reason.write_text("words")
    assert "held" in mailweir("list", "outbox").out
    assert mailweir("show", "outbox", name).out.startswith(f"{name}  held\nnot sent: its reason cannot be read: ")
    reason.chmod(0o644)
    assert mailweir("show", "outbox", name).out == f"{name}  held\nnot sent: others can use it (mode 0644)\n"
    assert mailweir("retry", "outbox", name).code == 4
    assert mailweir("delete", "outbox", "--state", "held", "--yes").err == "1 message deleted\n"
    assert mailweir.ids() == []


def test_a_rejected_message_whose_content_is_gone_cannot_be_tried_again(mailweir: Mailweir) -> None:
    """It says why, and stays."""
    (name,) = mailweir.put("outbox", mail())
    refuse(mailweir, name)
    (mailweir.folder / ".mailweir" / "spool" / "outbox" / "rejected" / f"{name}.eml").unlink()
    done = mailweir("retry", "outbox", name, "--yes")
    assert (done.code, done.err.splitlines()[0]) == (4, f"error: {name[:8]}: its content is missing")
    assert mailweir.ids() == [name]


def test_a_system_behind_that_cannot_be_used_is_told(mailweir: Mailweir) -> None:
    """Its configuration has errors, or a file that it names is not there; exit code 3."""
    path = mailweir.folder / "systems" / "a.conf.json"
    path.write_text(SYSTEMS.replace("$PORT", "0"))
    done = mailweir("drain", "out")
    assert (done.code, done.err.splitlines()[-1]) == (3, "error: the system `relay` has errors: see `mailweir check`")
    path.write_text(SYSTEMS.replace("$PORT", '25, "use_tls": true, "ca_file": "no-such.pem"'))
    done = mailweir("drain", "out")
    assert (done.code, done.err.splitlines()[-1].startswith("error: the system `relay` cannot be used: ")) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list", "outbx"], "no system 'outbx'. Did you mean 'outbox' or 'out'?"),
        (["list", "mails"], "'mails' is system:eml, which has no queue  (systems with one: outbox, out, test, wrong)"),
        (["show", "outbox", "ff"], "no message begins with 'ff'  (mailweir spool list outbox)"),
        (["retry", "outbox"], "name messages by their ids, or choose them with `--state`"),
        (["delete", "outbox", "ff", "--state", "dead"], "name messages by their ids, or choose them with `--state`"),
        (
            ["delete", "outbox", "--state", "dead", "--older", "1 month"],
            "--older '1 month': write 30d, 12h, 5min or 90s",
        ),
        (
            ["drain", "test"],
            """`process` of 'test' is false: it only queues, and sends nothing
  help: to send what it holds: mailweir spool drain test --anyway""",
        ),
        (
            [],
            "say what to do: mailweir spool list SYSTEM, or show, drain, retry, delete\n  help: mailweir spool --help",
        ),
    ],
)
def test_wrong_use_is_told(mailweir: Mailweir, arguments: Sequence[str], message: str) -> None:
    """With what to do instead; exit code 2."""
    assert mailweir(*arguments) == (2, "", f"error: {message}\n")


def test_an_id_must_be_of_one_message(mailweir: Mailweir) -> None:
    """An ambiguous beginning names those that have it."""
    mailweir.put("outbox", *[mail(str(number)) for number in range(20)])
    names = mailweir.ids()
    first = next(name[0] for name in names if sum(other.startswith(name[0]) for other in names) > 1)
    done = mailweir("show", "outbox", first)
    assert done.code == 2
    assert f"messages begin with '{first}': " in done.err


@pytest.mark.parametrize("verb", [["list"], ["drain"], ["delete", "--state", "dead"]])
def test_a_configuration_with_errors_is_told(mailweir: Mailweir, verb: list[str]) -> None:
    """Nothing is done; exit code 3, in JSON too."""
    done = mailweir(*verb[:1], "wrong", *verb[1:])
    assert done == (3, "", "error: the configuration of 'wrong' has errors. See: mailweir check\n")
    assert mailweir.document(*verb[:1], "wrong", *verb[1:])["error"].startswith("the configuration of 'wrong'")


@pytest.mark.parametrize("verb", ["list", "drain"])
def test_a_folder_that_cannot_be_used_is_told_where_it_is_named(mailweir: Mailweir, verb: str) -> None:
    """With the place in the configuration, the folder, and what to do; exit code 3."""
    (mailweir.folder / "queue").mkdir()
    (mailweir.folder / "queue").chmod(0o755)
    done = mailweir(verb, "out")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith(
        "error: the folder of `out` cannot be used: others can use it (mode 0755)\n --> systems/a."
    )
    assert ".conf.json:5:75 (out → queue_path)\n" in done.err
    assert f"= help: chmod 700 {mailweir.folder}/queue" in " ".join(done.err.split())
    assert mailweir.document(verb, "out")["error"].endswith("queue: others can use it (mode 0755)")


def test_the_folder_of_the_system_behind_can_be_at_fault_too(mailweir: Mailweir) -> None:
    """Then it is the one that is told."""
    mailweir.put("outbox", mail())
    (mailweir.folder / "mails").write_text("")
    done = mailweir("drain", "outbox")
    assert done.code == 3
    assert "error: the folder of `mails` cannot be used: it is not a folder\n" in done.err
    assert "(mails → folder)" in done.err


def test_what_is_due_is_sent(mailweir: Mailweir) -> None:
    """Where it goes is said first, what it came to last."""
    mailweir.put("outbox", mail("a"), mail("b", "kari@example.org", "ola@example.org"))
    done = mailweir("drain", "outbox")
    assert done == (0, "", "outbox → mails (mails), profile test\n2 sent, 0 dead; recipients: 3 accepted\n")
    assert len([*(mailweir.folder / "mails").glob("*.eml")]) == 2
    found = mailweir.document("drain", "outbox")
    assert (found["sent"], found["left"], found["stopped_because"]) == (0, {}, None)
    assert found["delivery"] == {"mode": "real", "systems": ["mails"]}


def test_a_queue_that_only_queues_is_sent_when_somebody_insists(mailweir: Mailweir) -> None:
    """With `--anyway`."""
    mailweir.put("test", mail())
    assert mailweir("drain", "test").code == 2
    assert mailweir("drain", "test", "--anyway").code == 0
    assert len([*(mailweir.folder / "mails").glob("*.eml")]) == 1


def test_a_server_that_is_not_there_is_told(mailweir: Mailweir) -> None:
    """Everything stays queued; exit code 4."""
    mailweir.put("out", mail())
    done = mailweir("drain", "out")
    assert done.code == 4
    assert done.err.splitlines()[0] == "out → relay (127.0.0.1:9), profile test"
    assert "stopped: relay: 127.0.0.1:9 cannot be reached: connection refused; it is tried again in " in done.err
    assert mailweir.ids("out") == [own_name(mail())]
    found = mailweir.document("drain", "out")
    assert (found["left"], found["sent"]) == ({"queued": 1}, 0)
    assert found["stopped_because"].startswith("stopped: relay: ")


def test_the_limit_is_told(mailweir: Mailweir) -> None:
    """And when there is room again; what waits for that is no fault."""
    path = mailweir.folder / "systems" / "a.conf.json"
    path.write_text(path.read_text().replace('"folder": "mails"', '"folder": "mails", "max_per_hour": 2'))
    mailweir.put("outbox", *[mail(str(number)) for number in range(3)])
    done = mailweir("drain", "outbox")
    assert done.code == 0
    _, why, last = done.err.splitlines()
    assert re.fullmatch("stopped: `mails` lets 2 through in an hour; a place frees in (1 h|5. min)", why)
    assert last == "2 sent, 0 dead; recipients: 2 accepted; in the queue: 1 queued"


def test_what_was_in_doubt_is_told(mailweir: Mailweir) -> None:
    """By a warning, and exit code 4; `-q` leaves it at faults."""
    (name,) = mailweir.put("outbox", mail())
    hand(mailweir, name)
    done = mailweir("drain", "outbox")
    assert done.code == 4
    assert "warning: k: handed over, and nobody heard the answer: in doubt\n" in done.err
    assert done.err.endswith("0 sent, 0 dead; in the queue: 1 in_doubt\n")
    assert mailweir("drain", "outbox", "-q") == (4, "", "")


def test_a_message_is_tried_again_when_a_person_says_so(mailweir: Mailweir) -> None:
    """What was refused, or may have been taken, only with `--yes`."""
    refused, doubtful, waiting = mailweir.put("outbox", mail("a"), mail("b"), mail("c"))
    refuse(mailweir, refused)
    hand(mailweir, doubtful)
    done = mailweir("retry", "outbox", refused)
    assert done == (2, "", "error: 1 recipient refused for good; add --yes\n")
    done = mailweir("retry", "outbox", "--state", "in_doubt")
    assert done == (2, "", "error: 1 recipient who may have the mail already, and could get it twice; add --yes\n")
    assert mailweir("retry", "outbox", waiting).code == 0
    done = mailweir("retry", "outbox", refused[:8], doubtful[:8], "--yes")
    assert done == (0, "", "2 messages will be tried again: mailweir spool drain outbox\n")
    assert mailweir("drain", "outbox").code == 0
    assert len([*(mailweir.folder / "mails").glob("*.eml")]) == 3
    assert mailweir.document("retry", "outbox", "--state", "dead")["messages"] == []


def test_messages_are_deleted_when_a_person_says_so(mailweir: Mailweir) -> None:
    """One by its id, many by their state, old ones by their age; never without `--yes` where nobody can be asked."""
    names = mailweir.put("outbox", *[mail(str(number)) for number in range(4)])
    refuse(mailweir, names[0])
    done = mailweir("delete", "outbox", "--state", "queued", "--state", "dead")
    assert done == (2, "", "error: 4 messages would be deleted; add --yes\n")
    assert mailweir("delete", "outbox", "--state", "queued", "--older", "1h", "--yes").err == "0 messages deleted\n"
    assert mailweir.document("delete", "outbox", names[0], names[1], "--yes")["messages"] == [names[0], names[1]]
    assert sorted(mailweir.ids()) == sorted(names[2:])
    assert mailweir("delete", "outbox", "--state", "queued", "--yes").err == "2 messages deleted\n"
    folder = mailweir.folder / ".mailweir" / "spool" / "outbox"
    assert [path for name in ("new", "record", "rejected", "tmp") for path in (folder / name).iterdir()] == []


def test_a_message_that_is_being_sent_is_left_alone(mailweir: Mailweir) -> None:
    """It can be seen, and not be changed."""
    (name,) = mailweir.put("outbox", mail())
    store = Store(mailweir.folder / ".mailweir" / "spool" / "outbox", "outbox")
    entry = store.entry(name)
    entry.append({"what": "handed", "at": 1, "to": [0]})
    assert "being sent" in mailweir("list", "outbox").out
    assert f"{name}  queued, being sent\n" in mailweir("show", "outbox", name).out
    for verb in ("retry", "delete"):
        done = mailweir(verb, "outbox", name, "--yes")
        assert (done.code, done.err.splitlines()[0]) == (4, f"error: {name[:8]}: it is being sent just now")
    entry.close()


def test_a_queue_that_another_process_works_on_is_left_to_it(mailweir: Mailweir) -> None:
    """It is told which one."""
    mailweir.put("outbox", mail())
    store = Store(mailweir.folder / ".mailweir" / "spool" / "outbox", "outbox")
    right = store.draining()
    for more in ([], ["--follow"]):
        done = mailweir("drain", "outbox", *more)
        assert done.code == 2
        assert done.err.endswith(f"error: process {os.getpid()} works on this queue already\n")
    os.close(right)


def process(folder: Path, *arguments: str, **more: Any) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("mailweir")), "spool", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"]},
        **more,
    )


def test_what_comes_in_is_sent_until_a_signal_comes(mailweir: Mailweir) -> None:
    """`--follow` goes on; a signal ends it when what is on its way has come home."""
    mailweir.put("outbox", mail("before"))
    with process(mailweir.folder, "drain", "outbox", "--follow") as follower:
        timer = threading.Timer(PATIENCE, follower.kill)
        timer.start()
        assert follower.stderr is not None
        assert follower.stderr.readline() == "outbox → mails (mails), profile test\n"
        assert follower.stderr.readline() == "Sending what comes in. Ctrl-C stops\n"
        mailweir.put("outbox", mail("after"))
        while len([*(mailweir.folder / "mails").glob("*.eml")]) < 2:
            assert follower.poll() is None
            with suppress(subprocess.TimeoutExpired):
                follower.wait(0.05)
        follower.send_signal(signal.SIGTERM)
        assert follower.wait() == 0
        timer.cancel()
    assert mailweir.ids() == []


@pytest.mark.parametrize("more", [[], ["--follow"]])
def test_a_second_signal_does_not_wait(mailweir: Mailweir, more: list[str]) -> None:
    """The first one waits for a server that never speaks; the mail stays in the queue."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        path = mailweir.folder / "systems" / "a.conf.json"
        path.write_text(SYSTEMS.replace("$PORT", str(server.getsockname()[1])))
        mailweir.put("out", mail())
        with process(mailweir.folder, "drain", "out", *more) as drain:
            timer = threading.Timer(PATIENCE, drain.kill)
            timer.start()
            connection, _ = server.accept()
            drain.send_signal(signal.SIGINT)
            assert drain.stderr is not None
            while "Ctrl-C again does not wait" not in drain.stderr.readline():
                assert drain.poll() is None
            drain.send_signal(signal.SIGINT)
            assert drain.wait() == 130
            timer.cancel()
            connection.close()
    assert mailweir.ids("out") == [own_name(mail())]


@pytest.mark.parametrize(("typed", "code", "left"), [(b"y\n", 0, 0), (b"n\n", 2, 1), (b"\n", 2, 1)])
def test_a_person_is_asked(mailweir: Mailweir, typed: bytes, code: int, left: int) -> None:
    """On a terminal, and no is what an empty line means."""
    (name,) = mailweir.put("outbox", mail())
    ours, theirs = pty.openpty()
    with process(mailweir.folder, "delete", "outbox", name, stdin=theirs, start_new_session=True) as asking:
        os.close(theirs)
        os.write(ours, typed)
        _, err = asking.communicate()
    os.close(ours)
    assert "1 message would be deleted. Delete? [y/N]: " in err
    assert (asking.returncode, len(mailweir.ids())) == (code, left)
