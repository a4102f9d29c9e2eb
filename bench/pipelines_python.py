"""As people load JSON Lines without an engine: the standard library, a table, `executemany`, one commit a batch.

Called as `pipelines_python.py load|reload FILE DATABASE`; `reload` looks each line up and writes what differs.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from itertools import islice

BATCH = 2048


def main(verb: str, file: str, database: str) -> None:
    """Load a file, or load it once more."""
    store = sqlite3.connect(database, isolation_level=None)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("CREATE TABLE IF NOT EXISTS entity (id TEXT PRIMARY KEY, data TEXT NOT NULL)")
    with open(file, encoding="utf-8") as lines:  # noqa: PTH123 - as people write it
        while part := list(islice(lines, BATCH)):
            rows = [(entity["_id"], json.dumps(entity, sort_keys=True)) for entity in map(json.loads, part)]
            store.execute("BEGIN")
            if verb == "reload":
                look = "SELECT data FROM entity WHERE id = ?"
                rows = [row for row in rows if store.execute(look, row[:1]).fetchone() != row[1:]]
            store.executemany("INSERT OR REPLACE INTO entity VALUES (?, ?)", rows)
            store.execute("COMMIT")


if __name__ == "__main__":
    main(*sys.argv[1:])
