"""`mailweir discarded send`, as a process of its own, with a real server on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailweir.catcher import Catcher

Command = Callable[..., Any]
SINK = {
    "type": "mail",
    "system": "office",
    "mail_from": "hello@example.com",
    "recipients_property": "email",
    "subject_template": "{{ _id }}",
    "body_template": "Hello",
}


class Shop:
    """A project whose limit lets two mails an hour through, and five orders."""

    def __init__(self, folder: Path, catcher: Catcher, command: Command) -> None:
        """Nothing is sent yet."""
        self.folder, self.catcher, self.command = folder, catcher, command
        (folder / "systems").mkdir()
        (folder / "pipes").mkdir()
        self.system(max_per_hour=2)
        self.pipe()

    def system(self, **facts: Any) -> None:
        """Write the system."""
        office = {"_id": "office", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": self.catcher.port}
        (self.folder / "systems/office.conf.json").write_text(json.dumps(office | facts))

    def pipe(self, name: str = "orders", **sink: Any) -> None:
        """Write a pipe: each customer of one entity becomes an entity of its own."""
        customers = [{"_id": f"{name}-{at}", "email": f"c{at}@example.com"} for at in range(5)]
        pipe = {
            "_id": name,
            "type": "pipe",
            "source": {"type": "embedded", "entities": [{"_id": "all", "$children": customers}]},
            "transform": [{"type": "emit_children"}],
            "sink": SINK | sink,
        }
        (self.folder / f"pipes/{name}.conf.json").write_text(json.dumps(pipe))

    def __call__(self, *words: str) -> Any:
        """The command."""
        return self.command(self.folder, *words)

    def discarded(self) -> list[str]:
        """The entities whose mail is discarded."""
        found = json.loads(self("discarded", "--json").stdout)["messages"]
        return [one["entity"] for one in found]

    def arrived(self) -> list[str]:
        """The subjects of what arrived."""
        return sorted(str(mail.document()["subject"]) for mail in self.catcher.mails)


@pytest.fixture
def shop(tmp_path: Path, catcher: Catcher, command: Command) -> Shop:
    """A project that mails to a catcher."""
    return Shop(tmp_path, catcher, command)


def test_what_was_discarded_is_sent_after_all(shop: Shop) -> None:
    """Once, when there is place; it went through the transforms before, and does not again."""
    shop("run")
    assert shop.discarded() == ["orders-4", "orders-3", "orders-2"]
    full = shop("discarded", "send")
    assert (full.returncode, full.stdout) == (0, "")
    assert full.stderr == "note: 3 messages without a place in this hour: mailweir limits\nnothing to send\n"
    shop.system(max_per_hour=4)
    done = shop("discarded", "send")
    assert done.returncode == 0
    assert "note: 1 message without a place in this hour" in done.stderr
    assert "orders  2 read   2 sent" in done.stdout
    assert shop.discarded() == ["orders-4"]
    shop.system(max_per_hour=100)
    document = json.loads(shop("discarded", "send", "--pipe", "orders", "--json").stdout)
    assert (document["command"], document["verb"], document["pipes"][0]["mail"]["sent"]) == ("discarded", "send", 1)
    assert shop.discarded() == []
    assert shop.arrived() == [f"orders-{at}" for at in range(5)]
    assert shop("discarded", "send").stderr == "nothing to send\n"


def test_the_oldest_of_a_run_go_first(shop: Shop) -> None:
    """As many as are wanted, of the run that is named."""
    run = json.loads(shop("run", "--json").stdout)["run"]
    shop.system(max_per_hour=100)
    assert shop("discarded", "send", "--run", "other").stderr == "nothing to send\n"
    assert shop("discarded", "send", "--run", run, "--limit", "2").returncode == 0
    assert shop.discarded() == ["orders-4"]
    assert shop.arrived() == [f"orders-{at}" for at in range(4)]


def test_mail_that_was_sent_elsewhere_does_not_go_to_the_first_recipients(shop: Shop) -> None:
    """It would be other mail: what was tried with `--to` reaches no customer."""
    shop("run", "--to", "me@example.com")
    assert len(shop.discarded()) == 3
    shop.system(max_per_hour=100)
    done = shop("discarded", "send")
    assert (done.returncode, done.stderr.splitlines()) == (
        0,
        ["note: 3 messages would be other mail now, with other recipients, and not sent", "nothing to send"],
    )
    assert len(shop.discarded()) == 3


def test_with_a_limit_that_queues_all_go_into_the_outbox(shop: Shop) -> None:
    """Nothing of it is discarded again."""
    shop("run")
    shop.system(max_per_hour=2, on_limit="queue")
    shop("discarded", "send")
    assert shop.discarded() == []
    waiting = json.loads(shop("outbox", "list", "--state", "queued", "--json").stdout)["messages"]
    assert [one["entity"] for one in waiting] == ["orders-4", "orders-3", "orders-2"]


def test_mail_of_several_pipes_is_sent_pipe_by_pipe(shop: Shop) -> None:
    """One has to be named, and it has to be there."""
    shop.pipe("digest")
    shop("run")
    done = shop("discarded", "send")
    assert (done.returncode, done.stderr) == (
        2,
        "error: this is mail of 2 pipes: choose one with --pipe  (digest orders)\n",
    )
    (shop.folder / "pipes/digest.conf.json").unlink()
    done = shop("discarded", "send", "--pipe", "digest")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error: there is no pipe 'digest' any more")
    assert "  help: mailweir discarded export --pipe digest" in done.stderr


def test_a_configuration_with_errors_sends_nothing(shop: Shop) -> None:
    """Exit code 3, as of a run."""
    shop("run")
    shop.pipe(subject_template="{{ ")
    done = shop("discarded", "send")
    assert (done.returncode, done.stderr) == (3, "error: the configuration has 1 error. See: mailweir check\n")


def test_a_pipe_that_mails_no_more(shop: Shop) -> None:
    """Says so."""
    shop("run")
    path = shop.folder / "pipes/orders.conf.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"sink": {"type": "null"}}))
    done = shop("discarded", "send")
    assert (done.returncode, done.stderr) == (2, "error: the pipe `orders` sends no mail any more\n")


def test_a_sink_that_a_condition_names_sends_it_too(shop: Shop) -> None:
    """The one that is named."""
    path = shop.folder / "pipes/orders.conf.json"
    sink = {"type": "conditional", "condition": "real", "alternatives": {"real": SINK, "none": {"type": "null"}}}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"sink": sink}))
    shop("run")
    shop.system(max_per_hour=100)
    assert shop("discarded", "send").returncode == 0
    assert shop.arrived() == [f"orders-{at}" for at in range(5)]
