"""A configuration in a file of SQLite: versions, changes, and what is refused."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.config.store import StaleError, StoreError
from pipeline.config.store_sqlite import SCHEMA, SqliteConfig

ODD = '\ufeff{"_id":"a", "x": "$SECRET(y)",\r\n\t"å": 1.0e+2 }\n\n'.encode()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteConfig]:
    """An empty one."""
    with SqliteConfig.open(tmp_path / ".mailweir" / "config.db") as opened:
        yield opened


def test_a_text_is_kept_byte_for_byte(store: SqliteConfig) -> None:
    """Marks, ends of lines, blanks and references come back as they were given."""
    store.commit({"a": ODD}, 0, 1.0, "kari", "")
    assert store.snapshot().texts == {"a": ODD}


def test_each_change_makes_versions_and_forgets_none(store: SqliteConfig) -> None:
    """What a component was after any change can be had, also when it was removed and given again."""
    store.commit({"a": b"1", "b": b"1"}, 0, 10.0, "kari", "begin")
    store.commit({"a": b"2"}, 1, 20.0, "ola", "")
    store.commit({"a": None}, 2, 30.0, "kari", "")
    store.commit({"a": b"4"}, 3, 40.0, "kari", "back")
    seen = [store.snapshot(number).texts for number in range(5)]
    assert seen == [{}, {"a": b"1", "b": b"1"}, {"a": b"2", "b": b"1"}, {"b": b"1"}, {"a": b"4", "b": b"1"}]
    assert {one.id: one.version for one in store.snapshot().components.values()} == {"a": 4, "b": 1}
    assert [(one.number, one.at, one.who, one.about) for one in store.history(2)] == [
        (4, 40.0, "kari", "back"),
        (3, 30.0, "kari", ""),
    ]
    assert [one.number for one in store.history(9, id="b")] == [1]
    assert [one.number for one in store.history(9, before=3)] == [2, 1]
    assert store.versions() == {"a": 4, "b": 1}


def test_a_change_of_what_somebody_else_has_changed_is_not_stored(store: SqliteConfig) -> None:
    """Whoever looked at change 0 does not overwrite change 1."""
    store.commit({"a": b"1"}, 0, 1.0, "kari", "")
    with pytest.raises(StaleError):
        store.commit({"a": b"2"}, 0, 2.0, "ola", "")
    assert store.snapshot().texts == {"a": b"1"}


def test_of_many_that_change_at_once_each_is_stored_once(tmp_path: Path) -> None:
    """Eight writers that try again when they are late leave eight changes, none over another."""
    path = tmp_path / ".mailweir" / "config.db"

    def write(name: str) -> None:
        with SqliteConfig.open(path) as store:
            while True:
                try:
                    store.commit({name: b"x"}, store.snapshot().number, 1.0, name, "")
                except StaleError:
                    continue
                return

    threads = [threading.Thread(target=write, args=(f"c{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with SqliteConfig.open(path, make=False) as store:
        assert [one.number for one in store.history(99)] == list(range(8, 0, -1))
        assert store.snapshot().texts.keys() == {f"c{number}" for number in range(8)}


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Others read neither the file nor its folder."""
    path = tmp_path / ".mailweir" / "config.db"
    SqliteConfig.open(path).__exit__()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_is_not_made_yet_is_empty_and_looking_makes_nothing(tmp_path: Path) -> None:
    """A file without tables, as a kill in the first moment leaves it, is an empty configuration; none is a fault."""
    path = tmp_path / "config.db"
    with pytest.raises(StoreError):
        SqliteConfig.open(path, make=False)
    assert not path.exists()
    path.touch()
    with SqliteConfig.open(path, make=False) as store:
        assert (store.snapshot().texts, store.history(9), store.change(1), store.versions()) == ({}, [], None, {})


@pytest.mark.parametrize("script", [f"PRAGMA user_version = {SCHEMA + 1}", "PRAGMA user_version = 1"])
def test_a_newer_or_a_strange_database_is_refused(tmp_path: Path, script: str) -> None:
    """It is not taken for one that this version understands."""
    path = tmp_path / "config.db"
    with closing(sqlite3.connect(path)) as other:
        other.executescript(f"CREATE TABLE x(y); {script}")
    with pytest.raises(StoreError, match=r"newer Mailweir|another program"):
        SqliteConfig.open(path, make=False)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """With words, not with an exception of SQLite."""
    path = tmp_path / "config.db"
    path.write_bytes(b"{}" * 4000)
    with pytest.raises(StoreError, match="not a database"):
        SqliteConfig.open(path, make=False)
