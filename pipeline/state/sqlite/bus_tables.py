"""The tables of a bus."""

from __future__ import annotations

from typing import Final

TABLES: Final = (
    # Messages of topics that no broker has; numbers are never used again.
    """
    CREATE TABLE bus_message (
        number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, body BLOB NOT NULL, at REAL NOT NULL
    )
    """,
    "CREATE INDEX bus_message_of_topic ON bus_message (topic, number)",
    # Who reads a topic, and up to where it has it. `seen` is steady.
    """
    CREATE TABLE bus_reader (
        topic TEXT NOT NULL, reader TEXT NOT NULL, upto INTEGER NOT NULL, seen REAL NOT NULL,
        PRIMARY KEY (topic, reader)
    ) WITHOUT ROWID
    """,
    # Entities that somebody published a key for, or the digest of one that was taken out. `expires` is steady.
    "CREATE TABLE registry (key TEXT PRIMARY KEY, entity BLOB NOT NULL, expires REAL NOT NULL)",
    "CREATE INDEX registry_expiring ON registry (expires)",
)
