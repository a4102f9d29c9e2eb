"""From a checked configuration to a database at work."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from pipeline.secret import Secret
from systems.sql.system import Sql

if TYPE_CHECKING:
    from systems.sql.config import PostgresqlConfig, SqliteConfig, SqlSystemConfig

on_this_machine = frozenset({"localhost", "127.0.0.1", "::1"})


def sqlite(config: SqliteConfig, root: str) -> Sql:
    """A file. It is made by a sink only, when it makes its table."""
    path = Path(root, config.path)

    def engine(*, makes: bool) -> Engine:
        # Without a mode a missing file would be made by who only reads.
        uri = f"file:{quote(str(path))}?mode={'rwc' if makes else 'rw'}"

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(uri, uri=True, timeout=config.busy_timeout, check_same_thread=False)

        return create_engine("sqlite://", creator=connect, poolclass=NullPool)

    return Sql(config.id, engine, config.zone)


def postgresql(config: PostgresqlConfig, root: str) -> Sql:
    """A server."""
    local = config.host.startswith("/") or config.host in on_this_machine
    mode = config.sslmode or ("prefer" if local else "verify-full")
    arguments: dict[str, Any] = {"sslmode": mode, "connect_timeout": max(1, round(config.connection_timeout))}
    if config.ca_file is not None:
        arguments["sslrootcert"] = str(Path(root, config.ca_file))
    elif mode == "verify-full":
        arguments["sslrootcert"] = "system"

    def engine(*, makes: bool) -> Engine:  # noqa: ARG001 - a database is never made
        url = URL.create(
            "postgresql+psycopg",
            revealed(config.username),
            revealed(config.password),
            port=config.port,
            database=config.database,
            query={"host": config.host},
        )
        return create_engine(url, connect_args=arguments, poolclass=NullPool)

    return Sql(config.id, engine, config.zone)


def by_url(config: SqlSystemConfig) -> Sql:
    """Whatever the URL names."""

    def engine(*, makes: bool) -> Engine:  # noqa: ARG001 - as above
        return create_engine(revealed(config.connection_string) or "", poolclass=NullPool)

    return Sql(config.id, engine, config.zone)


def revealed(value: Secret | str | None) -> str | None:
    """The text that goes on the wire."""
    return value.reveal() if isinstance(value, Secret) else value


def url_fault(text: str) -> tuple[str, str] | None:
    """Why this is no URL of a database that can be used, and what to do. Nothing of the text is repeated."""
    try:
        url = make_url(text)
        url.get_dialect().import_dbapi()
    except NoSuchModuleError:
        return "`connection_string` names a kind of database that is not known", "see the list of SQLAlchemy's dialects"
    except ArgumentError:
        return (
            "`connection_string` is no URL of a database",
            'such as "mysql+pymysql://user:password@db.example.com/shop"',
        )
    except ImportError as error:
        name = error.name or "of this database"
        return f"`connection_string` needs the driver `{name}`", f"`pip install {name}`"
    return None
