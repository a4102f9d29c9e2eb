"""`mailweir run` where something changes that entities are joined with, as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from mailweir.catcher import Catcher
from pipeline.entity import Entity
from pipeline.state.sqlite.dataset_look import SqliteReads

Command = Callable[..., Any]

ORDERS: Sequence[Entity] = [{"_id": "o1", "of": "c1"}, {"_id": "o2", "of": "c2"}, {"_id": "o3", "of": ["c1", "c2"]}]
RULES = {
    "default": [
        ["add", "customers", ["hops", {"datasets": ["customers c"], "where": ["eq", "_S.of", "c._id"]}]],
        ["add", "names", ["sorted", "_T.customers.name"]],
        ["remove", "customers"],
    ]
}


def project(
    folder: Path, customers: Mapping[str, str], orders: Sequence[Entity] = ORDERS, port: int | None = None
) -> None:
    """Orders with the names of their customers, by mail or in a dataset."""
    entities = [{"_id": id_, "name": name} for id_, name in customers.items()]
    read = {"type": "dataset", "dataset": "orders"}
    joined: dict[str, Any] = {"_id": "joined", "source": read, "transform": {"type": "dtl", "rules": RULES}}
    if port is not None:
        joined["sink"] = {
            "type": "mail",
            "system": "office",
            "mail_from": "shop@example.com",
            "subject_template": "{{ entity._id }} of {{ entity.names|join(' and ') }}",
            "body_template": "Thanks",
            "recipients": "shop@example.com",
        }
    pipes = [
        joined,
        {"_id": "orders", "source": {"type": "embedded", "entities": orders}},
        {"_id": "customers", "source": {"type": "embedded", "entities": entities}},
    ]
    office = {"_id": "office", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": port or 25}
    parts = [office, *({"type": "pipe", **pipe} for pipe in pipes)]
    (folder / "all.conf.json").write_text(json.dumps(parts))


def versions(folder: Path) -> dict[str, tuple[int, Any]]:
    """The number of the latest change of each entity of the dataset, and the names in it."""
    with closing(SqliteReads(folder / ".mailweir")) as reads:
        found = reads.dataset("joined")
        if found is None:
            return {}
        entities = reads.page(found.number, 0, found.last, 100_000).entities
    return {one["_id"]: (one["_updated"], one["names"]) for one in entities}


def test_a_customer_that_changes_has_its_orders_mailed_again(
    catcher: Catcher, command: Command, tmp_path: Path
) -> None:
    """And no others; one that is deleted has them mailed too; a run without news mails nothing."""

    def mailed(customers: Mapping[str, str]) -> list[str]:
        project(tmp_path, customers, port=catcher.port)
        before = len(catcher.mails)
        done = command(tmp_path, "run", "--yes")
        assert done.returncode == 0, done.stderr
        return sorted(str(mail.document()["subject"]) for mail in catcher.mails[before:])

    both = {"c1": "Kari", "c2": "Ola"}
    assert mailed(both) == ["o1 of Kari", "o2 of Ola", "o3 of Kari and Ola"]
    assert mailed(both) == []
    assert mailed({"c1": "Karin", "c2": "Ola"}) == ["o1 of Karin", "o3 of Karin and Ola"]
    assert mailed({"c1": "Karin"}) == ["o2 of", "o3 of Karin"]
    assert mailed({"c1": "Karin"}) == []


def test_only_orders_that_are_concerned_are_read_again(command: Command, tmp_path: Path) -> None:
    """Of the others there is no new version, and the report does not count them."""
    project(tmp_path, {"c1": "Kari", "c2": "Ola"})
    command(tmp_path, "run")
    before = versions(tmp_path)
    project(tmp_path, {"c1": "Kari", "c2": "Olaf"})
    looked = json.loads(command(tmp_path, "run", "--dry-run", "--json").stdout)
    done = command(tmp_path, "run", "--json")
    assert done.returncode == 0, done.stderr
    for document in (looked, json.loads(done.stdout)):
        assert [pipe["read"] for pipe in document["pipes"] if pipe["id"] == "joined"] == [2]
    # What would be joined is what would be there.
    assert [pipe["would"] for pipe in looked["pipes"] if pipe["id"] == "joined"] == [{"written": 2}]
    after = versions(tmp_path)
    assert after["o1"] == before["o1"]
    assert [after[id_][1] for id_ in ("o2", "o3")] == [["Olaf"], ["Kari", "Olaf"]]
    with closing(SqliteReads(tmp_path / ".mailweir")) as reads:
        found = reads.dataset("orders")
        assert found is not None
        assert reads.measured(found).indexes == ("of",)


def test_a_run_that_is_killed_leaves_no_order_behind(command: Command, tmp_path: Path) -> None:
    """The next one goes on: each order has the name that its customer has now."""
    orders = [{"_id": f"o{number}", "of": f"c{number % 100}"} for number in range(4000)]

    def customers(name: str) -> dict[str, str]:
        return {f"c{number}": f"{name} {number}" for number in range(100)}

    project(tmp_path, customers("old"), orders)
    assert command(tmp_path, "run").returncode == 0
    with closing(SqliteReads(tmp_path / ".mailweir")) as reads:

        def last() -> int:
            found = reads.dataset("joined")
            return 0 if found is None else found.last

        project(tmp_path, customers("new"), orders)
        for _ in range(3):
            before, end = last(), time.monotonic() + 300
            process = subprocess.Popen(
                [sys.executable, "-m", "mailweir", "run"],
                cwd=tmp_path,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            while last() == before and process.poll() is None and time.monotonic() < end:
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert command(tmp_path, "run").returncode == 0
    found = versions(tmp_path)
    assert len(found) == 4000
    assert {id_: names for id_, (_, names) in found.items()} == {
        f"o{number}": [f"new {number % 100}"] for number in range(4000)
    }
