"""A real PostgreSQL for tests, in a folder of its own, on loopback and a Unix socket."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from tests.servers import PATIENCE, free_ports, nobody, started


@dataclass(frozen=True)
class Postgres:
    """A server that is running."""

    folder: Path
    port: int
    user: str
    password: str

    def query(self, text: str, database: str = "postgres", **values: Any) -> list[tuple[Any, ...]]:
        """What a statement gives."""
        with closing(self.connect(database)) as connection:
            cursor = connection.execute(text.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection that commits each statement."""
        return psycopg.connect(
            host=str(self.folder),
            port=self.port,
            user=self.user,
            dbname=database,
            password=self.password,
            autocommit=True,
        )

    def system(self, database: str, **properties: Any) -> dict[str, Any]:
        """It as a system of a project."""
        return {
            "_id": "shop",
            "type": "system:postgresql",
            "host": "127.0.0.1",
            "port": self.port,
            "database": database,
            "username": self.user,
            "password": self.password,
            **properties,
        }

    @contextmanager
    def database(self) -> Iterator[str]:
        """A new database, which is gone afterwards."""
        name = f"t{secrets.token_hex(6)}"
        with closing(self.connect()) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        yield name
        with closing(self.connect()) as connection:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def programs() -> Path | None:
    """The folder with `initdb` and `postgres`."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    named = shutil.which("initdb")
    return found[-1].parent if found else Path(named).resolve().parent if named else None


@contextmanager
def running(bin_: Path) -> Iterator[Postgres]:
    """A server; it runs as somebody who may do nothing, as it refuses to be root."""
    environ = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    with TemporaryDirectory(prefix="postgres-") as text:
        folder = Path(text)
        folder.chmod(0o777)
        password = secrets.token_hex(8)
        (folder / "password").write_text(password)
        (folder / "password").chmod(0o644)
        subprocess.run(
            [
                *(bin_ / "initdb", "-D", folder / "data", "-U", "shop", "-A", "scram-sha-256", "--no-sync"),
                f"--pwfile={folder / 'password'}",
            ],
            env=environ,
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=PATIENCE,
            **nobody(),
        )

        def make() -> tuple[Postgres, list[str | Path]]:
            there = Postgres(folder, free_ports(), "shop", password)
            place: list[str | Path] = ["-D", folder / "data", "-k", folder]
            return there, [bin_ / "postgres", *place, "-p", str(there.port), "-h", "127.0.0.1", "-F"]

        with started(folder, make, _answers, env=environ, **nobody()) as there:
            yield there


def _answers(there: Postgres) -> bool:
    try:
        there.connect().close()
    except psycopg.OperationalError:
        return False
    return True
