"""The tables of outcomes, and the triggers that fill them: no way to settle a message can forget it."""

from __future__ import annotations

from typing import Final

COLUMNS: Final = "pipe, message, entity_id, recipients, state, result, detail, at"
MESSAGE: Final = (
    "{0}pipe, {0}id, {0}entity_id, {0}recipients, {0}state, {0}result, {0}detail, {0}admitted + {0}moved - {0}since"
)
_KEEP: Final = f"""
    INSERT INTO outcome (reader, {COLUMNS})
    SELECT reader, {MESSAGE.format("NEW.")} FROM outcome_reader WHERE pipe = NEW.pipe;
"""  # noqa: S608 - constants

TABLES: Final = (
    # Who passes on what becomes of the messages of a pipe.
    "CREATE TABLE outcome_reader (pipe TEXT NOT NULL, reader TEXT NOT NULL, PRIMARY KEY (pipe, reader)) WITHOUT ROWID",
    # What each of them has not passed on yet. `at` is a wall time.
    """
    CREATE TABLE outcome (
        number INTEGER PRIMARY KEY AUTOINCREMENT, reader TEXT NOT NULL, pipe TEXT NOT NULL, message INTEGER NOT NULL,
        entity_id TEXT NOT NULL, recipients TEXT NOT NULL, state TEXT NOT NULL, result TEXT NOT NULL,
        detail TEXT NOT NULL, at REAL NOT NULL
    )
    """,
    "CREATE INDEX outcome_of_reader ON outcome (reader, number)",
    f"""
    CREATE TRIGGER outcome_admitted AFTER INSERT ON message WHEN NEW.due IS NULL AND NEW.owner IS NULL
    BEGIN {_KEEP} END
    """,
    f"""
    CREATE TRIGGER outcome_settled AFTER UPDATE OF due, owner ON message
    WHEN NEW.due IS NULL AND NEW.owner IS NULL AND (OLD.due IS NOT NULL OR OLD.owner IS NOT NULL)
    BEGIN {_KEEP} END
    """,
)
