"""Text messages by the whole program: from a pipe to a server that plays Twilio, and what the verbs say of them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.web import answer, body_of, serving

TOKEN = "tw1lio-canary-token"
PEOPLE = [
    {"_id": "kari", "name": "Kari", "phone": "+47 998 87 766"},
    {"_id": "ola", "name": "Ola", "phone": "+4711223344"},
    {"_id": "none", "name": "None", "phone": "n/a"},
    {"_id": "off", "name": "Off", "phone": "+4700000000"},
]


class Phones:
    """A server that plays Twilio, and the texts that it took."""

    def __init__(self) -> None:
        """It is in order."""
        self.taken: list[tuple[str, str, str]] = []
        self.lock = threading.Lock()
        self.loses = False
        self.url = ""

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Take a message, and perhaps never say so."""
        form = {name: values[0] for name, values in parse_qs(body_of(handler).decode()).items()}
        if form["To"] == "+4700000000":
            answer(handler, b'{"code": 21610, "message": "Attempt to send to unsubscribed recipient"}', 400)
            return
        with self.lock:
            self.taken.append((form["From"], form["To"], form["Body"]))
            number = len(self.taken)
        if self.loses:
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        answer(handler, json.dumps({"sid": f"SM{number}", "status": "queued"}).encode(), 201)


@pytest.fixture
def phones() -> Iterator[Phones]:
    """One that listens."""
    found = Phones()
    with serving(found) as url:
        found.url = url
        yield found


@pytest.fixture
def project(tmp_path: Path, phones: Phones) -> Path:
    """A pipe that greets people on their telephones."""
    return declare(tmp_path, phones)


def declare(folder: Path, phones: Phones, system: dict[str, Any] | None = None, **sink: Any) -> Path:
    """Write the project."""
    declared = {"_id": "our-twilio", "type": "system:twilio", "account": "AC1", "token": "$SECRET(twilio-token)"}
    pipe = {
        "_id": "greet",
        "type": "pipe",
        "source": {"type": "embedded", "entities": PEOPLE},
        "sink": {
            "type": "sms",
            "system": "our-twilio",
            "from_number": "+4766554433",
            "recipients_property": "phone",
            "body_template": "Hei {{ name }}, velkommen på laget!",
            **sink,
        },
    }
    located = {**declared, "url": phones.url, "allow_private": True, **(system or {})}
    (folder / "twilio.conf.json").write_text(json.dumps(located))
    (folder / "greet.conf.json").write_text(json.dumps(pipe))
    (folder / ".secrets.env").write_text(f"twilio-token={TOKEN}\n")
    (folder / ".secrets.env").chmod(0o600)
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, as a user starts it; its token is in nothing that it says."""
    done = subprocess.run(
        [sys.executable, "-m", "mailweir", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert TOKEN not in done.stdout + done.stderr
    return done


def test_people_get_their_messages_once(project: Path, phones: Phones) -> None:
    """What is refused touches no other, and a second run sends nothing again."""
    done = run(project, "run", "--yes")
    assert done.returncode == 4, done.stderr
    assert sorted(phones.taken) == [
        ("+4766554433", "+4711223344", "Hei Ola, velkommen på laget!"),
        ("+4766554433", "+4799887766", "Hei Kari, velkommen på laget!"),
    ]
    said = done.stdout + done.stderr
    assert "2 sent" in said
    assert "1 dead" in said
    assert "1 rejected" in said
    assert "21610 Attempt to send to unsubscribed recipient" in said
    assert '"n/a": not a telephone number' in said
    again = run(project, "run", "--yes")
    assert len(phones.taken) == 2
    assert "sent" not in again.stdout.replace("0 sent", "")


def test_over_the_limit_messages_are_discarded_and_kept(tmp_path: Path, phones: Phones) -> None:
    """The window counts them as it counts mail, and they can go later."""
    folder = declare(tmp_path, phones, {"max_per_hour": 1, "connections": 1})
    done = run(folder, "run", "greet", "--id", "kari", "--yes")
    assert done.returncode == 0, done.stderr
    done = run(folder, "run", "greet", "--id", "ola", "--yes")
    assert "1 discarded" in done.stdout + done.stderr
    assert len(phones.taken) == 1
    assert run(folder, "limits").stdout.startswith("our-twilio  1 of 1 in the last hour")
    listed = run(folder, "discarded", "list")
    assert "ola" in listed.stdout
    declare(tmp_path, phones, {"max_per_hour": 5})
    sent = run(folder, "discarded", "send", "--yes")
    assert sent.returncode == 0, sent.stderr
    assert phones.taken[-1][1] == "+4711223344"


def test_a_lost_answer_is_in_doubt_and_sent_again_by_the_rules_of_mail(tmp_path: Path, phones: Phones) -> None:
    """At most once: it is listed, and never sent again."""
    folder = declare(tmp_path, phones, delivery="at_most_once")
    phones.loses = True
    done = run(folder, "run", "greet", "--id", "kari", "--yes")
    assert "1 in_doubt" in (done.stdout + done.stderr).replace("in doubt", "in_doubt")
    phones.loses = False
    run(folder, "run", "greet", "--id", "kari", "--yes")
    assert len(phones.taken) == 1
    listed = run(folder, "outbox", "list", "--json")
    assert '"in_doubt"' in listed.stdout


def test_nothing_goes_when_it_is_only_looked_at(project: Path, phones: Phones) -> None:
    """A dry run counts, a preview shows the text, and both open no connection."""
    done = run(project, "run", "--dry-run")
    assert "3 would be sent" in done.stdout + done.stderr
    shown = run(project, "preview", "greet", "--id", "kari")
    assert shown.returncode == 0, shown.stderr
    assert "Hei Kari, velkommen på laget!" in shown.stdout
    assert "+4799887766" in shown.stdout
    assert phones.taken == []


def test_the_outbox_shows_a_message_as_it_went(project: Path) -> None:
    """Its text is read, not its coding."""
    run(project, "run", "greet", "--id", "kari", "--yes")
    rows = json.loads(run(project, "outbox", "list", "--state", "sent", "--json").stdout)
    (row,) = rows["messages"]
    shown = run(project, "outbox", "show", str(row["id"]), "--body")
    assert "velkommen på laget!" in shown.stdout


def test_a_test_message_goes_through_the_system(project: Path, phones: Phones) -> None:
    """From the number of its sink; only to a number."""
    done = run(project, "send-test", "our-twilio", "--to", "+47 99 88 77 66")
    assert done.returncode == 0, done.stderr
    assert phones.taken == [("+4766554433", "+4799887766", "Sent by `mailweir send-test our-twilio`.")]
    assert "queued as SM1" in done.stdout
    wrong = run(project, "send-test", "our-twilio", "--to", "me@example.com")
    assert wrong.returncode == 2
    assert "'me@example.com' is no telephone number" in wrong.stderr


def test_a_run_to_somebody_else_needs_a_number(project: Path, phones: Phones) -> None:
    """An address is refused before anything is sent; a number gets all."""
    done = run(project, "run", "--to", "me@example.com", "--yes")
    assert done.returncode == 2
    assert "sends text messages" in done.stderr
    assert phones.taken == []
    run(project, "run", "greet", "--to", "+4755555555", "--id", "kari", "--yes")
    assert phones.taken == [("+4766554433", "+4755555555", "[to +4799887766] Hei Kari, velkommen på laget!")]


def test_tests_look_at_messages_without_a_network(project: Path, phones: Phones) -> None:
    """As at mails, with the limit of the system."""
    expected = {
        "_id": "kari",
        "from": "+4766554433",
        "to": ["+4799887766"],
        "subject": "",
        "text": "Hei Kari, velkommen på laget!",
        "system": "our-twilio",
        "outcome": "sent",
    }
    cases = [
        {"name": "a greeting", "given": PEOPLE[:1], "expect": [expected]},
        {
            "name": "the second of an hour is discarded",
            "given": PEOPLE[:2],
            "system": {"max_per_hour": 1},
            "expect": {"outcomes": ["sent", "discarded"]},
        },
    ]
    (project / "expected").mkdir()
    case = {"pipe": "greet", "stage": "mail", "cases": cases}
    (project / "expected" / "greet.test.json").write_text(json.dumps(case))
    done = run(project, "test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert phones.taken == []


def test_lists_show_no_number_in_full_unless_it_is_wanted(project: Path) -> None:
    """As they do with addresses."""
    run(project, "run", "greet", "--id", "off", "--yes")
    short = run(project, "outbox", "list").stdout
    assert "+47…00" in short
    assert "+4700000000" not in short
    assert "+4700000000" in run(project, "outbox", "list", "--full").stdout
