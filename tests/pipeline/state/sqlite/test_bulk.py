"""Many rows with few statements."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from pipeline.state.sqlite.bulk import Bulk

PUT = Bulk("INSERT INTO thing (kind, size, colour, id, name) VALUES", 2, 2, "ON CONFLICT DO NOTHING", between="'red', ")
NAME = Bulk("UPDATE thing SET name = v.column2 FROM (VALUES", 0, 2, ") AS v WHERE id = v.column1 AND kind = ?")


@pytest.mark.parametrize("many", [0, 1, 7, 8, 9, 63, 64, 65, 73, 200])
def test_each_row_is_written_once(many: int) -> None:
    """However many there are: with what all share, what it has of its own, and in its order."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY, name, kind, size, colour)")
        rows = [(number, f"n{number}", "a", 4, "red") for number in range(many)]
        values = [value for row in rows for value in row[:2]]
        assert PUT.write(connection, values, ("a", 4)) == many
        assert connection.execute("SELECT id, name, kind, size, colour FROM thing ORDER BY rowid").fetchall() == rows
        assert PUT.write(connection, [*values, many, "new"], ("b", 5)) == 1
        changed = [value for number in range(many + 5) for value in (number, f"m{number}")]
        assert NAME.write(connection, changed, last=("a",)) == many
        assert connection.execute("SELECT name FROM thing ORDER BY id").fetchall() == [
            *((f"m{number}",) for number in range(many)),
            ("new",),
        ]
