"""Tables of real databases as sinks."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from mailweir.cli.checking import check_paths
from pipeline.clock import MachineClock
from pipeline.config.load import Options
from pipeline.entity import NI, Date, Datetime
from pipeline.receipt import Outcome, Receipt, Tally
from pipeline.run import Portion, StoppedError
from pipeline.state.sqlite.store import SqliteState
from sinks.mail import outbound
from sinks.sql import SqlSinkConfig
from systems.sql.config import PostgresqlConfig, SqliteConfig
from systems.sql.system import Sql
from tests.postgres import Postgres

TOP = Path(__file__).parents[2]
TABLE = "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT, seen INTEGER DEFAULT 7)"


class Shop:
    """A database, and a sink that writes it."""

    def __init__(
        self, config: SqliteConfig | PostgresqlConfig, root: Path, query: Callable[[str], list[tuple[Any, ...]]]
    ) -> None:
        """`query` carries out a statement, as another program does."""
        self.root = str(root)
        self.pipe = "p"
        self.query = query
        context: Any = self
        self._built = config.build(context)
        self.run: Any = None

    def system(self, id: str, port: type[Sql]) -> Sql:
        """What a context gives."""
        assert isinstance(self._built, port)
        return self._built

    def write(self, *entities: dict[str, Any], **properties: Any) -> tuple[int, dict[str, str]]:
        """How many entities were written, and why others were not."""
        return asyncio.run(self._write(entities, properties))

    async def _write(self, entities: Any, properties: dict[str, Any]) -> tuple[int, dict[str, str]]:
        given = {"type": "sql", "system": "shop", "table": "customers", **properties}
        context: Any = self
        count, refused = 0, {}
        async with SqliteState.open(Path(self.root, ".mailweir"), MachineClock(), outbound.stranded) as state:
            self.run = type("Running", (), {"state": state, "stopping": asyncio.Event()})()
            sink = SqlSinkConfig.model_validate(given).build(context)
            async for group in sink.write([Portion(entities, "7", len(entities), 0)]):
                if isinstance(group, Tally):
                    count += group.counts[Outcome.WRITTEN]
                    continue
                for receipt in group:
                    assert isinstance(receipt, Receipt)
                    assert receipt.outcome is Outcome.REJECTED
                    refused[receipt.entity_id] = receipt.detail
            assert await state.offset("p") == "7"
        return count, refused


@pytest.fixture
def postgresql(postgres: Postgres, tmp_path: Path) -> Iterator[Shop]:
    """A database of a server, whose times without a zone are those of Oslo."""
    with postgres.database() as name:
        config = PostgresqlConfig.model_validate(postgres.system(name, timezone="Europe/Oslo"))
        yield Shop(config, tmp_path, lambda text: postgres.query(text, name))


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """Each kind of database in turn."""
    if request.param == "postgresql":
        yield request.getfixturevalue("postgresql")
        return
    with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as connection:
        file = SqliteConfig.model_validate({"_id": "shop", "type": "system:sqlite", "path": "shop.db"})
        yield Shop(file, tmp_path, lambda text: connection.execute(text).fetchall())


def test_entities_become_rows(shop: Shop) -> None:
    """New ones come, known ones are replaced, deleted ones go; what is lacking is empty, or the database's own."""
    shop.query(TABLE)
    shop.query("INSERT INTO customers VALUES (1, 'old', 'old@example.com', 1), (2, 'gone', NULL, 1)")
    done = shop.write(
        {"_id": "1", "id": 1, "name": "Ada", "other": "x"},
        {"_id": "2", "id": 2, "_deleted": True},
        {"_id": "3", "name": "Bo", "email": "bo@example.com", "seen": 3},
        {"_id": "9", "_deleted": True},
    )
    assert done == (4, {})
    assert shop.query("SELECT * FROM customers ORDER BY id") == [
        (1, "Ada", None, 1),
        (3, "Bo", "bo@example.com", 3),
    ]
    shop.write({"_id": "4", "id": 4, "name": "new"})
    assert shop.query("SELECT seen FROM customers WHERE id = 4") == [(7,)]


def test_of_one_row_the_last_version_counts(shop: Shop) -> None:
    """Also within a batch, and when it is that it is deleted."""
    shop.query(TABLE)
    one, gone = {"_id": "1", "id": 1, "name": "a"}, {"_id": "2", "id": 2, "name": "b"}
    assert shop.write(one, gone, {**one, "name": "A"}, {**gone, "_deleted": True}) == (4, {})
    assert shop.query("SELECT id, name FROM customers") == [(1, "A")]


def test_only_what_the_database_refuses_is_rejected(shop: Shop) -> None:
    """Its neighbours in the batch are written; the reason is the database's own, without the data of others."""
    shop.query(TABLE)
    people = [{"_id": str(at), "id": at, "name": None if at == 3 else "s3cr3t"} for at in range(7)]
    count, refused = shop.write(*people, batch_size=5)
    assert count == 6
    assert set(refused) == {"3"}
    assert "name" in refused["3"]
    assert "s3cr3t" not in refused["3"]
    assert len(shop.query("SELECT * FROM customers")) == 6


def test_keys_of_several_columns(shop: Shop) -> None:
    """All of them must be there; a table without other columns keeps its rows."""
    shop.query("CREATE TABLE likes (who TEXT, what TEXT, PRIMARY KEY (who, what))")
    likes = [{"_id": "1", "who": "a", "what": "b"}, {"_id": "2", "who": "a"}, {"_id": "3", "who": "a", "what": "b"}]
    count, refused = shop.write(*likes, table="likes")
    assert count == 2
    assert refused == {"2": "it has nothing for `what`, which is a part of the primary key"}
    assert shop.write({"_id": "1", "who": "a", "what": "b"}, table="likes") == (1, {})
    assert shop.query("SELECT * FROM likes") == [("a", "b")]


def test_a_table_is_made_if_that_is_wanted(shop: Shop) -> None:
    """By its definition; it is there for the next run."""
    columns: list[dict[str, Any]] = [
        {"name": "id", "source_property": "_id", "primary_key": True, "max_size": 20},
        {"name": "price", "type": "decimal", "precision": 9, "scale": 2, "index": True},
        {"name": "kind", "default": "tea", "allow_null": False},
        {"name": "made", "type": "datetime"},
        {"name": "day", "type": "date"},
        {"name": "raw", "type": "binary"},
        {"name": "sold", "type": "boolean"},
    ]
    wanted: dict[str, Any] = {"table": "goods", "create_table_if_missing": True, "schema_definition": columns}
    moment = Datetime.of(datetime(2026, 7, 1, 10, tzinfo=UTC))
    full = {"price": 1, "made": moment, "day": Date.of(datetime(2026, 7, 1, tzinfo=UTC)), "raw": b"x", "sold": True}
    assert shop.write({"_id": "a", **full}, **wanted) == (1, {})
    assert shop.write({"_id": "b", "made": "2026-07-01T10:00:00Z", "day": "2026-07-01"}, **wanted) == (1, {})
    (a, b) = shop.query("SELECT id, kind, made, day, raw, sold FROM goods ORDER BY id")
    assert (a[0], a[1], b[0], b[1]) == ("a", "tea", "b", "tea")
    assert (a[2:4], a[4:]) == (b[2:4], (b"x", 1))


def test_what_cannot_be_written_to_stops_the_run(shop: Shop) -> None:
    """A table that is not there, has no key, or lacks a column; nothing is written."""
    shop.query("CREATE TABLE keyless (id INTEGER)")
    shop.query(TABLE)
    for properties, words in (
        ({"table": "none"}, "there is no table `none`: make it, or write `create_table_if_missing`"),
        ({"table": "keyless"}, "the table `keyless` has no primary key"),
        ({"primary_key": "Id"}, "has no column `Id`: did you mean `id`"),
        ({"schema_definition": [{"name": "e-mail"}]}, "has no column `e-mail`: did you mean `email`"),
    ):
        with pytest.raises(StoppedError, match=words):
            shop.write({"_id": "1", "id": 1, "name": "a"}, **properties)
    assert shop.query("SELECT * FROM customers") == []


def test_values_of_all_types_are_kept(postgresql: Shop) -> None:
    """Times in the zone of the database, exact numbers, objects as JSON, what has no column type as text."""
    postgresql.query(
        "CREATE TABLE v (id uuid PRIMARY KEY, local timestamp, zoned timestamptz, day date, n numeric, j jsonb, t text,"
        " l int[], i int, ni text, made text GENERATED ALWAYS AS ('x') STORED)"
    )
    moment = Datetime.of(datetime(2026, 7, 1, 10, tzinfo=UTC))
    entity = {"_id": "1", "id": UUID(int=7), "local": moment, "zoned": moment, "day": moment, "n": Decimal("1.50")}
    entity |= {"j": {"a": [1, None]}, "t": {"b": 1}, "l": [1, 2], "i": "5", "ni": NI("x:1"), "made": "y"}
    assert postgresql.write(entity, table="v") == (1, {})
    assert postgresql.query("SELECT local, zoned AT TIME ZONE 'UTC', day::text, n, j, t, l, i, ni, made FROM v") == [
        (
            datetime(2026, 7, 1, 12),  # noqa: DTZ001 - it has none
            datetime(2026, 7, 1, 10),  # noqa: DTZ001 - it has none
            "2026-07-01",
            Decimal("1.50"),
            {"a": [1, None]},
            '{"b":1}',
            [1, 2],
            5,
            "x:1",
            "x",
        )
    ]


def test_a_server_that_is_gone_stops_the_run(postgres: Postgres, tmp_path: Path) -> None:
    """With its own words."""
    config = PostgresqlConfig.model_validate(postgres.system("postgres", port=1))
    with pytest.raises(StoppedError, match="the database `shop` cannot be reached: .*refused"):
        Shop(config, tmp_path, lambda _: []).write({"_id": "1"})


SQLITE = {"_id": "shop", "type": "system:sqlite", "path": "shop.db"}


def project(folder: Path, sink: dict[str, Any], entities: list[dict[str, Any]] | None = None) -> Path:
    """A project with one pipe into a database."""
    pipe = {
        "_id": "p",
        "type": "pipe",
        "source": {"type": "embedded", "entities": entities or []},
        "sink": {"type": "sql", "system": "shop", "table": "t", **sink},
    }
    (folder / "p.conf.json").write_text(json.dumps([pipe, SQLITE]))
    return folder


@pytest.mark.parametrize(
    ("sink", "words"),
    [
        ({"create_table_if_missing": True}, "needs a `schema_definition`"),
        ({"create_table_if_missing": True, "schema_definition": [{"name": "id"}]}, "has no primary key"),
    ],
)
def test_what_cannot_be_is_told_by_check(tmp_path: Path, sink: dict[str, Any], words: str) -> None:
    """Before anything is run, at the property."""
    problems = check_paths([project(tmp_path, sink)], Options(environ={}, here=tmp_path)).problems
    assert [problem.code for problem in problems] == ["E204"]
    assert words in problems[0].message


def test_a_column_with_a_fault_is_told_alone(tmp_path: Path) -> None:
    """It does not make the columns missing, nor the key."""
    for column in ({"name": "id", "type": "text", "primary_key": True}, {"name": "id", "primary_key": "yes"}):
        sink = {"create_table_if_missing": True, "schema_definition": [column]}
        problems = check_paths([project(tmp_path, sink)], Options(environ={}, here=tmp_path)).problems
        assert [problem.code[:3] for problem in problems] == ["E20"]
        assert "E204" not in {problem.code for problem in problems}


def test_the_key_of_a_table_that_is_made(shop: Shop) -> None:
    """Is what `primary_key` names, where no column says that it is one."""
    columns = [{"name": "id", "source_property": "_id"}, {"name": "price", "type": "integer"}]
    wanted: dict[str, Any] = {"create_table_if_missing": True, "schema_definition": columns, "primary_key": "id"}
    for price in (1, 2):
        assert shop.write({"_id": "a", "price": price}, table="keyed", **wanted) == (1, {})
    assert shop.query("SELECT id, price FROM keyed") == [("a", 2)]


def test_a_run_writes_a_database(tmp_path: Path) -> None:
    """The file is made with its table; what is refused is told, and fails the run."""
    columns = [{"name": "id", "primary_key": True}, {"name": "n", "allow_null": False}]
    sink = {"create_table_if_missing": True, "schema_definition": columns}
    done = subprocess.run(
        [sys.executable, "-m", "mailweir", "run"],
        capture_output=True,
        text=True,
        cwd=project(tmp_path, sink, [{"_id": "1", "n": "x"}, {"_id": "2"}]),
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
        check=False,
        timeout=300,
    )
    assert done.returncode == 4
    assert "2 read   1 written   1 rejected" in done.stdout
    assert "2  NOT NULL constraint failed: t.n" in done.stdout
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == [("1", "x")]
