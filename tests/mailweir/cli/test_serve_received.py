"""What a service took over HTTP outlasts `kill -9` at any moment."""

from __future__ import annotations

import json
import signal
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from threading import Event, Thread

from mailweir.catcher import Catcher
from pipeline.state.sqlite.dataset_look import SqliteReads
from tests.served import PATIENCE, Served

ORDERS = {"_id": "orders", "type": "pipe", "source": {"type": "http_endpoint"}}


class Sender(Thread):
    """Hands in one entity after the other until nobody answers; knows which were taken."""

    def __init__(self, port: int, token: str, name: str) -> None:
        """It begins when it is started."""
        super().__init__(daemon=True)
        self.taken: list[str] = []
        self.some = Event()
        self._port = port
        self._token = token
        self._prefix = name

    def run(self) -> None:
        """Hand in."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            for number in count():
                one = f"{self._prefix}{number}"
                connection.request("POST", "/api/receivers/orders/entities", json.dumps({"_id": one}), headers)
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200
                self.taken.append(one)
                if number == 20:
                    self.some.set()
        except (OSError, HTTPException):
            return
        finally:
            connection.close()


def kept(folder: Path) -> set[str]:
    """The entities of the pipe's dataset."""
    with closing(SqliteReads(folder / ".mailweir")) as reads:
        found = reads.dataset("orders")
        entities = [] if found is None else reads.page(found.number, 0, found.last, 1_000_000).entities
    return {one["_id"] for one in entities}


def test_nothing_that_was_taken_is_lost(tmp_path: Path) -> None:
    """A service that is killed again and again while entities come in has lost none that it said it took."""
    (tmp_path / "all.conf.json").write_text(json.dumps([ORDERS]))
    taken: set[str] = set()
    for life in range(3):
        service = Served(tmp_path)
        try:
            port = int(service.until("serve.listening")["url"].rstrip("/").rpartition(":")[2])
            token = (tmp_path / ".mailweir" / "token").read_text().strip()
            senders = [Sender(port, token, f"{life}-{number}-") for number in range(3)]
            for one in senders:
                one.start()
            for one in senders:
                assert one.some.wait(PATIENCE)
            service.end(signal.SIGKILL)
            for one in senders:
                one.join(PATIENCE)
                taken.update(one.taken)
        finally:
            service.close()
    service = Served(tmp_path)
    try:
        pause = Event()
        for _ in range(PATIENCE * 10):
            if taken <= kept(tmp_path):
                break
            pause.wait(0.1)
        assert taken - kept(tmp_path) == set()
        assert service.end() == 0
    finally:
        service.close()


def post(port: int, token: str, entity: dict[str, str]) -> int:
    """Hand in one entity for the pipe `orders`: the status of the answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        connection.request("POST", "/api/receivers/orders/entities", json.dumps(entity), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def test_a_mail_for_each_that_was_taken(catcher: Catcher, tmp_path: Path) -> None:
    """Whoever hands in an entity has its mail sent at once, and one for each version, but none for the same again."""
    sink = {
        "type": "mail",
        "system": "office",
        "mail_from": "shop@example.com",
        "recipients_property": "email",
        "subject_template": "Order {{ _id }}: {{ state }}",
        "body_template": "Thank you",
    }
    office = {"_id": "office", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": catcher.port}
    (tmp_path / "all.conf.json").write_text(json.dumps([office, {**ORDERS, "sink": sink}]))
    service = Served(tmp_path)
    try:
        port = int(service.until("serve.listening")["url"].rstrip("/").rpartition(":")[2])
        token = (tmp_path / ".mailweir" / "token").read_text().strip()
        order = {"_id": "o1", "email": "kari@example.com", "state": "packed"}
        for state in ("packed", "packed", "sent"):
            assert post(port, token, {**order, "state": state}) == 200
        found: set[str] = set()
        pause = Event()
        for _ in range(PATIENCE * 10):
            found = {str(mail.document()["subject"]) for mail in catcher.mails}
            if len(found) == 2:
                break
            pause.wait(0.1)
        assert found == {"Order o1: packed", "Order o1: sent"}
        assert service.end() == 0
        assert len(catcher.mails) == 2
    finally:
        service.close()
