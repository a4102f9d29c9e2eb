"""Tables and queries of real databases as sources."""

from __future__ import annotations

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
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.config.show import render
from pipeline.entity import Date, Datetime
from pipeline.errors import SourceError
from sources.sql import SqlSourceConfig
from sources.sql_rows import Position, SqlSource
from systems.sql.config import PostgresqlConfig, SqliteConfig, SqlSystemConfig
from systems.sql.system import Sql
from tests.postgres import Postgres

TOP = Path(__file__).parents[2]
Rows = list[dict[str, Any]]


class Shop:
    """A database, and sources that read it."""

    def __init__(self, config: SqliteConfig | PostgresqlConfig, root: Path, execute: Callable[[str], Any]) -> None:
        """`execute` carries out a statement, as another program does."""
        self.root = str(root)
        self.execute = execute
        context: Any = self
        self._built = config.build(context)

    def system(self, id: str, port: type[Sql]) -> Sql:
        """What a context gives."""
        assert isinstance(self._built, port)
        return self._built

    def source(self, **properties: Any) -> SqlSource:
        """A source as it is declared."""
        context: Any = self
        return SqlSourceConfig.model_validate({"type": "sql", "system": "shop", **properties}).build(context)

    def read(self, since: str | None = None, **properties: Any) -> tuple[Rows, str | None]:
        """All entities, and the last position."""
        found: Rows = []
        for entities, reached in self.source(**properties).read(since):
            found += entities
            since = reached if reached is not None else since
        return found, since


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """Each kind of database in turn."""
    if request.param == "sqlite":
        with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as connection:
            file = SqliteConfig.model_validate({"_id": "shop", "type": "system:sqlite", "path": "shop.db"})
            yield Shop(file, tmp_path, connection.execute)
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as name, closing(server.connect(name)) as connection:
        config = PostgresqlConfig.model_validate(server.system(name))
        yield Shop(config, tmp_path, connection.execute)


CUSTOMERS = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT, changed TIMESTAMP)
"""


def test_rows_of_a_table_become_entities(shop: Shop) -> None:
    """The primary key makes the `_id`; what is null is no property, unless that is wanted; columns are chosen."""
    shop.execute(CUSTOMERS)
    shop.execute("INSERT INTO customers VALUES (1, 'Ada', 'ada@example.com', NULL), (2, 'B\u00f8', NULL, NULL)")
    assert shop.read(table="customers") == (
        [
            {"_id": "1", "id": 1, "name": "Ada", "email": "ada@example.com"},
            {"_id": "2", "id": 2, "name": "B\u00f8"},
        ],
        None,
    )
    chosen: dict[str, Any] = {"whitelist": ["name", "email"], "blacklist": ["name"], "preserve_null_values": True}
    assert shop.read(table="customers", primary_key=["name", "id"], **chosen)[0] == [
        {"_id": "Ada:1", "email": "ada@example.com"},
        {"_id": "B\u00f8:2", "email": None},
    ]


def test_a_query_goes_to_the_database_as_it_stands(shop: Shop) -> None:
    """Colons, percent signs and casts mean what they mean there; a list is several lines."""
    shop.execute(CUSTOMERS)
    shop.execute("INSERT INTO customers VALUES (1, 'A%b :c', NULL, NULL)")
    query = ["SELECT id, name, '12:30 :x' AS at -- :since", "FROM customers WHERE name LIKE 'A%' AND id % 2 = 1"]
    assert shop.read(query=query, primary_key="id")[0] == [{"_id": "1", "id": 1, "name": "A%b :c", "at": "12:30 :x"}]


def test_a_later_run_reads_what_has_changed(shop: Shop) -> None:
    """From the last time that was seen on, with what has that time too; the position holds when nothing is new."""
    shop.execute(CUSTOMERS)
    shop.execute(
        "INSERT INTO customers VALUES (1, 'a', NULL, '2026-01-01 10:00:00.000001'),"
        " (2, 'b', NULL, '2026-01-01 10:00:00.000002'), (3, 'c', NULL, NULL)"
    )
    wanted: dict[str, Any] = {"table": "customers", "updated_column": "changed"}
    found, since = shop.read(**wanted)
    assert sorted(entity["_id"] for entity in found) == ["1", "2", "3"]
    assert [entity["_id"] for entity in shop.read(since, **wanted)[0]] == ["2"]
    shop.execute("UPDATE customers SET name = 'A', changed = '2026-01-01 10:00:00.000003' WHERE id = 1")
    found, since = shop.read(since, **wanted)
    assert [(entity["_id"], entity["name"]) for entity in found] == [("2", "b"), ("1", "A")]
    assert [entity["_id"] for entity in shop.read(since, **wanted)[0]] == ["1"]
    assert len(shop.read(since, **wanted, supports_since=False)[0]) == 3


def test_every_batch_of_a_table_has_a_position(shop: Shop) -> None:
    """Stopped after any batch, the next run leaves nothing out."""
    shop.execute("CREATE TABLE numbers (id INTEGER PRIMARY KEY, n INTEGER)")
    values = ", ".join(f"({at}, {at // 3})" for at in range(1000))
    shop.execute(f"INSERT INTO numbers VALUES {values}")
    wanted: dict[str, Any] = {"table": "numbers", "updated_column": "n", "fetch_size": 300}
    before: set[str] = set()
    for entities, since in shop.source(**wanted).read(None):
        before |= {entity["_id"] for entity in entities}
        later = {entity["_id"] for entity in shop.read(since, **wanted)[0]}
        assert len(before | later) == 1000
        assert len(before & later) <= 3


def test_a_query_goes_on_with_one_of_its_own(shop: Shop) -> None:
    """The largest value is `:since`, told at the end, as rows come in no order; or at each batch, if they do."""
    shop.execute(CUSTOMERS)
    shop.execute(
        "INSERT INTO customers VALUES (1, 'a', NULL, '2026-01-03 10:00:00'), (2, 'b', NULL, '2026-01-02 10:00:00')"
    )
    wanted: dict[str, Any] = {"query": "SELECT * FROM customers", "primary_key": "id", "updated_column": "changed"}
    wanted["updated_query"] = ["SELECT * FROM customers", "WHERE changed > :since ORDER BY changed"]
    given = list(shop.source(**wanted).read(None))
    assert [position is None for _, position in given] == [True, False]
    found, since = shop.read(None, **wanted)
    assert len(found) == 2
    shop.execute("UPDATE customers SET changed = '2026-01-03 10:00:00.5' WHERE id = 2")
    assert [entity["_id"] for entity in shop.read(since, **wanted)[0]] == ["2"]
    ((_, position),) = shop.source(**wanted, is_chronological=True).read(since)
    assert position is not None


def test_the_first_run_may_begin_somewhere(shop: Shop) -> None:
    """`initial_since_value` is where it reads from."""
    shop.execute("CREATE TABLE numbers (id INTEGER PRIMARY KEY)")
    shop.execute("INSERT INTO numbers VALUES (1), (2), (3)")
    found, _ = shop.read(table="numbers", updated_column="id", initial_since_value=2)
    assert [entity["id"] for entity in found] == [2, 3]


def told(shop: Shop, **properties: Any) -> tuple[str, str]:
    """What is said of a source that cannot be read: in a line, and drawn."""
    with pytest.raises(SourceError) as raised:
        shop.read(**properties)
    problem, texts = raised.value.shown()
    return str(raised.value), render([problem], texts)


def test_what_the_database_refuses_is_told(shop: Shop) -> None:
    """In its own words; in a query at the place."""
    shop.execute(CUSTOMERS)
    line, drawn = told(shop, query=["SELECT id", "FORM customers"], primary_key="id")
    assert line.startswith("shop/query:2:")
    assert "E606 the database refuses this query" in line
    assert "2 | FORM customers\n  |" in drawn
    assert "E606 the database refuses this: " in told(shop, table="none", primary_key="id")[0]
    line, drawn = told(shop, table="customers", primary_key="Email")
    assert line == "shop/customers:1:1: E606 there is no column `Email`"
    assert "did you mean `email`?" in drawn
    shop.execute("CREATE TABLE keyless (id INTEGER)")
    assert told(shop, table="keyless")[0] == "shop/keyless:1:1: E606 this table has no primary key"
    assert "no such table: gone" in told(shop, table="gone")[0]


def test_a_row_without_key_stops_the_source_or_is_left_out(shop: Shop) -> None:
    """What stands before it is given, with a position that does not pass it."""
    shop.execute("CREATE TABLE people (name TEXT, n INTEGER)")
    shop.execute("INSERT INTO people VALUES ('a', 1), (NULL, 2), ('', 3), ('d', 4)")
    wanted: dict[str, Any] = {"table": "people", "primary_key": "name", "updated_column": "n"}
    reading = shop.source(**wanted).read(None)
    assert next(reading) == ([{"_id": "a", "name": "a", "n": 1}], "[1]")
    with pytest.raises(SourceError, match=r"E218 the `_id` of this entity is empty: row 2 has no value in `name`"):
        next(reading)
    source = shop.source(**wanted, on_error="skip")
    assert [one["_id"] for entities, _ in source.read(None) for one in entities] == ["a", "d"]
    assert source.skipped == 2


def test_a_source_changes_nothing(shop: Shop) -> None:
    """Neither by its query."""
    shop.execute(CUSTOMERS)
    shop.execute("INSERT INTO customers VALUES (1, 'a', NULL, NULL)")
    assert "E606" in told(shop, query="DELETE FROM customers RETURNING id", primary_key="id")[0]
    assert len(shop.read(table="customers")[0]) == 1


@pytest.fixture
def postgresql(postgres: Postgres, tmp_path: Path) -> Iterator[Shop]:
    """A database of a server, whose times without a zone are those of Oslo."""
    with postgres.database() as name, closing(postgres.connect(name)) as connection:
        config = PostgresqlConfig.model_validate(postgres.system(name, timezone="Europe/Oslo"))
        yield Shop(config, tmp_path, connection.execute)


def test_values_of_postgresql_have_our_types(postgresql: Shop) -> None:
    """Numbers are exact, times are in UTC, what has no type of ours is text."""
    query = """
    SELECT 12345678901234567890.50::numeric AS dec, 'NaN'::numeric AS nan, 0.5::float8 AS f, 'inf'::float8 AS inf,
      timestamp '2026-07-01 12:00:00.000001' AS local, timestamptz '2026-07-01 12:00:00+02' AS zoned,
      date '2026-07-01' AS day,
      time '12:30' AS at, interval '1 day' AS wait, '00000000-0000-0000-0000-000000000007'::uuid AS id,
      'ab'::bytea AS raw, '{"a": [1, null]}'::jsonb AS json, ARRAY[1.5, 2] AS list, inet '10.0.0.1' AS host, true AS yes
    """
    (found,), _ = postgresql.read(query=query, primary_key="id")
    assert found == {
        "_id": "00000000-0000-0000-0000-000000000007",
        "dec": Decimal("12345678901234567890.50"),
        "nan": "NaN",
        "f": 0.5,
        "inf": "inf",
        "local": Datetime.of(datetime(2026, 7, 1, 10, 0, 0, 1, tzinfo=UTC)),
        "zoned": Datetime.of(datetime(2026, 7, 1, 10, tzinfo=UTC)),
        "day": Date.of(datetime(2026, 7, 1, tzinfo=UTC)),
        "at": "12:30:00",
        "wait": "1 day, 0:00:00",
        "id": UUID(int=7),
        "raw": b"ab",
        "json": {"a": [1, None]},
        "list": [Decimal("1.5"), Decimal(2)],
        "host": "10.0.0.1",
        "yes": True,
    }
    assert type(found["day"]) is Date


def test_a_time_without_zone_goes_on_in_its_zone(postgresql: Shop) -> None:
    """The position means the same moment to the database as to us."""
    postgresql.execute("CREATE TABLE t (id int PRIMARY KEY, at timestamp, zoned timestamptz)")
    postgresql.execute(
        "INSERT INTO t VALUES (1, '2026-07-01 12:00', '2026-07-01 12:00+02'), (2, '2026-07-01 13:00', now())"
    )
    for column in ("at", "zoned"):
        wanted = {"table": "t", "updated_column": column}
        assert [one["id"] for one in postgresql.read(postgresql.read(**wanted)[1], **wanted)[0]] == [2]
    assert postgresql.read(table="t", updated_column="at")[1] == '["~t2026-07-01T11:00:00Z","local"]'


def test_names_are_those_of_the_database(postgresql: Shop) -> None:
    """Capitals, blanks and schemas are as they were made."""
    postgresql.execute('CREATE SCHEMA "My Shop"')
    postgresql.execute('CREATE TABLE "My Shop"."Order Lines" ("Order No" int PRIMARY KEY, "Changed" int)')
    postgresql.execute('INSERT INTO "My Shop"."Order Lines" VALUES (7, 1)')
    found, since = postgresql.read(table="Order Lines", schema="My Shop", updated_column="Changed")
    assert found == [{"_id": "7", "Order No": 7, "Changed": 1}]
    assert postgresql.read(since, table="Order Lines", schema="My Shop", updated_column="Changed")[0] == found


def test_a_large_table_is_never_held_whole(postgresql: Shop) -> None:
    """The first rows come from a cursor of the server; the rest of a reading that is given up is never sent."""
    reading = postgresql.source(query="SELECT generate_series(1, 1000000000) AS id", primary_key="id").read(None)
    assert next(reading)[0][0] == {"_id": "1", "id": 1}
    reading.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password": "s3cr3t"}, "password authentication failed"),
        ({"port": 1}, "Connection refused"),
        ({"sslmode": "require"}, "does not support SSL"),
    ],
)
def test_a_server_that_cannot_be_used_is_told(
    postgres: Postgres, tmp_path: Path, wrong: dict[str, Any], words: str
) -> None:
    """Why, and never the password."""
    config = PostgresqlConfig.model_validate(postgres.system("postgres", **wrong))
    line, _ = told(Shop(config, tmp_path, print), table="t")
    assert line.startswith("shop/t:1:1: E606 the database cannot be reached: ")
    assert words in line
    assert "s3cr3t" not in line


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """It is told, and there is still none."""
    config = SqliteConfig.model_validate({"_id": "shop", "type": "system:sqlite", "path": "no ne%?.db"})
    assert "unable to open database file" in told(Shop(config, tmp_path, print), table="t")[0]
    assert not list(tmp_path.iterdir())


values = st.one_of(
    st.text(st.characters(codec="utf-8")).filter(lambda text: not text.startswith("~")),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(9000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)


@given(values)
def test_a_position_comes_back_as_it_was(value: Any) -> None:
    """Whatever type the column has; a time without a zone, in a zone that has summer time, too."""
    zone = ZoneInfo("Europe/Oslo")
    for one in (value, value.astimezone(zone).replace(tzinfo=None)) if isinstance(value, datetime) else (value,):
        position = Position(zone)
        position.see([None, one])
        back = position.value(position.text or "")
        if isinstance(one, datetime) and one.tzinfo is None:
            # The second of the two hours at the end of summer time is read from the first one on.
            assert back in (one, one.replace(fold=1))
        else:
            assert (type(back), back) == (type(one), one)


@pytest.mark.parametrize("text", ["", "7", "{}", "[1, 2, 3]", "[", "\ud800"])
def test_a_position_of_others_is_none(text: str) -> None:
    """What was not written by this source means reading all."""
    assert Position(ZoneInfo("UTC")).value(text) is None


SQLITE = {"_id": "shop", "type": "system:sqlite", "path": "shop.db"}


def project(folder: Path, source: dict[str, Any], system: dict[str, Any] = SQLITE) -> Path:
    """A project with one pipe that swallows what it reads."""
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "sql", "system": "shop", **source}, "sink": {"type": "null"}}
    (folder / "p.conf.json").write_text(json.dumps([pipe, system]))
    return folder


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ({}, "E204", "there is no `table` and no `query`"),
        ({"table": "t", "query": "q", "primary_key": "id"}, "E209", "exclude each other"),
        ({"query": "q"}, "E204", "a `query` needs a `primary_key`"),
        ({"query": "q", "primary_key": "id", "updated_query": "q", "updated_column": "n"}, "E203", "no `:since`"),
        ({"query": "q", "primary_key": "id", "updated_query": ":since"}, "E204", "needs an `updated_column`"),
        ({"table": "t", "updated_query": ":since", "updated_column": "n"}, "E209", "is for a `query`"),
        ({"table": "t", "fetch_size": 0}, "E203", "fetch_size"),
    ],
)
def test_what_cannot_be_is_told_by_check(tmp_path: Path, source: dict[str, Any], code: str, words: str) -> None:
    """Before anything is run, at the property."""
    problems = check_paths([project(tmp_path, source)], Options(environ={}, here=tmp_path)).problems
    assert [problem.code for problem in problems] == [code]
    assert words in problems[0].message


def test_only_a_database_can_be_read(tmp_path: Path) -> None:
    """Another system is the wrong kind."""
    office = {"_id": "shop", "type": "system:smtp", "smtp_server": "mail.example.com"}
    problems = check_paths([project(tmp_path, {"table": "t"}, office)], Options(environ={}, here=tmp_path)).problems
    assert [problem.code for problem in problems] == ["E306"]


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """`mailweir run` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mailweir", "run"],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
        check=False,
        timeout=300,
    )


def test_a_run_reads_a_database_and_draws_what_is_wrong(tmp_path: Path) -> None:
    """The summary counts rows; a query that is refused is shown with a caret, and fails the run."""
    with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as connection:
        connection.execute(CUSTOMERS)
        connection.execute("INSERT INTO customers VALUES (1, 'a', NULL, NULL), (2, 'b', NULL, NULL)")
    done = run(project(tmp_path, {"table": "customers"}))
    assert (done.returncode, "2 read" in done.stdout) == (0, True), done.stderr
    done = run(project(tmp_path, {"query": "SELECT * FORM customers", "primary_key": "id"}))
    assert done.returncode == 4
    assert '1 | SELECT * FORM customers\n  |          ^^^^ near "FORM": syntax error\n' in done.stderr


def test_a_url_names_any_database(tmp_path: Path) -> None:
    """`system:sql` reads what SQLAlchemy knows."""
    with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO t VALUES (1)")
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    config: Any = SqlSystemConfig.model_validate({"_id": "shop", "type": "system:sql", "connection_string": url})
    assert Shop(config, tmp_path, print).read(table="t")[0] == [{"_id": "1", "id": 1}]
