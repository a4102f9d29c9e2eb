"""A real MariaDB: what comes from its tables, what goes into them, and what is told when it cannot be reached."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mariadb import MariaDb, root, running

TABLE = """
CREATE TABLE customers (
  id INT PRIMARY KEY, name VARCHAR(50) NOT NULL, spent DECIMAL(20, 4), photo BLOB, born DATE,
  seen DATETIME(6), changed TIMESTAMP(6) NULL, big BIGINT UNSIGNED, quota DOUBLE
)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    """A server; where there is none, the tests are skipped."""
    folder = root()
    if folder is None:
        pytest.skip("MariaDB is not there: .ci/mail-servers unpacks it")
    with running(folder) as found:
        yield found


@pytest.fixture
def database(server: MariaDb) -> Iterator[str]:
    """A database with customers."""
    with server.database() as name:
        server.query(TABLE, name)
        yield name


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, as a user starts it."""
    return subprocess.run(
        [sys.executable, "-m", "mailweir", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def declare(folder: Path, system: dict[str, Any], *pipes: dict[str, Any]) -> None:
    """Write a project."""
    password = system.pop("password")
    (folder / "shop.conf.json").write_text(json.dumps({**system, "password": "$SECRET(db)"}))
    (folder / "pipes.conf.json").write_text(json.dumps([{"type": "pipe", **pipe} for pipe in pipes]))
    (folder / ".secrets.env").write_text(f"db={password}\n")
    (folder / ".secrets.env").chmod(0o600)


def test_rows_become_entities_with_types(tmp_path: Path, server: MariaDb, database: str) -> None:
    """Numbers are exact, times without a zone are in that of the system, and signs of every language come through."""
    server.query(
        "INSERT INTO customers VALUES (1, 'Kåre 🎉', 12345678901234.5678, X'00FF', '1980-01-23',"
        " '2026-07-01 12:00:00.250000', '2026-07-01 10:00:00', 18446744073709551615, 0.5)",
        database,
    )
    source = {"type": "sql", "system": "shop", "table": "customers"}
    declare(tmp_path, server.system(database), {"_id": "p", "source": source, "sink": {"type": "print"}})
    done = run(tmp_path, "transform", "p")
    assert json.loads(done.stdout) == {
        "_id": "1",
        "id": 1,
        "name": "Kåre 🎉",
        "spent": "~f12345678901234.5678",
        "photo": "~bAP8=",
        "born": "~t1980-01-23",
        "seen": "~t2026-07-01T12:00:00.25Z",
        "changed": server_time(server),
        "big": 18446744073709551615,
        "quota": 0.5,
    }


def server_time(server: MariaDb) -> str:
    """The moment that the server keeps for the row: its own zone says which one the text meant."""
    ((text,),) = server.query(
        "SELECT DATE_FORMAT(CONVERT_TZ('2026-07-01 10:00:00', @@session.time_zone, '+00:00'), '%Y-%m-%dT%H:%i:%s')"
    )
    return f"~t{text}Z"


def test_times_are_in_the_zone_of_the_system(tmp_path: Path, server: MariaDb, database: str) -> None:
    """They become times in UTC."""
    server.query("INSERT INTO customers (id, name, seen) VALUES (1, 'Kari', '2026-07-01 12:00:00')", database)
    source = {"type": "sql", "system": "shop", "query": "SELECT id, seen FROM customers", "primary_key": "id"}
    pipe = {"_id": "p", "source": source, "sink": {"type": "print"}}
    declare(tmp_path, server.system(database, timezone="Europe/Oslo"), pipe)
    assert json.loads(run(tmp_path, "transform", "p").stdout)["seen"] == "~t2026-07-01T10:00:00Z"


def test_only_what_changed_is_read_again(tmp_path: Path, server: MariaDb, database: str) -> None:
    """By the column that says so."""
    for number in range(3):
        server.query(f"INSERT INTO customers (id, name, big) VALUES ({number}, 'A', {number})", database)
    source = {"type": "sql", "system": "shop", "table": "customers", "updated_column": "big"}
    declare(tmp_path, server.system(database), {"_id": "p", "source": source})
    assert run(tmp_path, "run").returncode == 0
    server.query("INSERT INTO customers (id, name, big) VALUES (7, 'B', 9)", database)
    server.query("UPDATE customers SET name = 'C' WHERE id = 0", database)
    assert run(tmp_path, "run").returncode == 0
    listed = run(tmp_path, "datasets", "entities", "p")
    names = {one["_id"]: one["name"] for one in map(json.loads, listed.stdout.splitlines())}
    assert names == {"0": "A", "1": "A", "2": "A", "7": "B"}


def test_a_source_changes_nothing(tmp_path: Path, server: MariaDb, database: str) -> None:
    """Even where the user may."""
    source = {"type": "sql", "system": "shop", "query": "DELETE FROM customers RETURNING id", "primary_key": "id"}
    server.query("INSERT INTO customers (id, name) VALUES (1, 'Kari')", database)
    declare(tmp_path, server.system(database), {"_id": "p", "source": source})
    done = run(tmp_path, "run")
    assert done.returncode != 0
    assert "READ ONLY" in done.stdout + done.stderr
    assert server.query("SELECT count(*) FROM customers", database) == [(1,)]


def test_entities_become_rows_and_deleted_ones_go(tmp_path: Path, server: MariaDb, database: str) -> None:
    """New rows, new versions, and what the database refuses by itself."""
    entities = [
        {"_id": "1", "id": 1, "name": "Kåre 🎉", "seen": "~t2026-07-01T12:00:00.25Z", "spent": "~f1.5"},
        {"_id": "2", "id": 2, "name": None},
        {"_id": "3", "id": 3, "name": "Ola"},
    ]
    (tmp_path / "data.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in entities))
    pipe = {
        "_id": "p",
        "source": {"type": "json", "path": "data.jsonl"},
        "sink": {"type": "sql", "system": "shop", "table": "customers"},
        "pump": {"max_consecutive_write_errors": 10},
    }
    declare(tmp_path, server.system(database), pipe)
    done = run(tmp_path, "run")
    assert "1 rejected" in done.stdout + done.stderr, done.stderr
    found = "SELECT id, name, DATE_FORMAT(seen, '%H:%i:%s.%f'), spent FROM customers ORDER BY id"
    rows = server.query(found, database)
    assert [(id_, name, seen) for id_, name, seen, _ in rows] == [
        (1, "Kåre 🎉", "12:00:00.250000"),
        (3, "Ola", None),
    ]
    changed = [{**entities[0], "name": "Kåre"}, {"_id": "3", "id": 3, "_deleted": True}]
    (tmp_path / "data.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in changed))
    assert run(tmp_path, "run").returncode == 0
    assert [row[:2] for row in server.query(found, database)] == [(1, "Kåre")]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password": "s3cret-but-wrong"}, "Access denied"),
        ({"database": "nowhere"}, "Unknown database"),
        ({"sslmode": "required"}, "SSL"),
    ],
)
def test_what_is_wrong_with_a_login_is_told(
    tmp_path: Path, server: MariaDb, database: str, wrong: dict[str, Any], words: str
) -> None:
    """In the words of the server, and without the password."""
    source = {"type": "sql", "system": "shop", "table": "customers"}
    declare(tmp_path, {**server.system(database), **wrong}, {"_id": "p", "source": source})
    done = run(tmp_path, "run")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert words in said
    assert "s3cret" not in said
    assert "Traceback" not in said


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With the reason."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        there = MariaDb(free.getsockname()[1], "shop", "pw")
        source = {"type": "sql", "system": "shop", "table": "customers"}
        declare(tmp_path, there.system("shop"), {"_id": "p", "source": source})
        done = run(tmp_path, "run")
    assert done.returncode != 0
    assert "Can't connect to MySQL server on '127.0.0.1'" in done.stdout + done.stderr
