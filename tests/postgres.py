"""A real PostgreSQL for tests, in a folder of its own, on loopback and a Unix socket."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Identifier

# For anything that it does, on a machine that is busy with other things.
PATIENCE: Final = 120.0
# Ports are free when they are chosen and may be taken a moment later.
MOST_STARTS: Final = 5


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
    somebody: Any = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
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
            **somebody,
        )
        for attempt in range(MOST_STARTS):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            with (folder / f"log{attempt}").open("wb") as log:
                server = subprocess.Popen(
                    [bin_ / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder, "-h", "127.0.0.1", "-F"],
                    env=environ,
                    cwd=folder,
                    stdout=log,
                    stderr=log,
                    **somebody,
                )
            there = Postgres(folder, port, "shop", password)
            if _answers(there, server):
                break
        else:
            raise RuntimeError((folder / f"log{attempt}").read_text())
        try:
            yield there
        finally:
            server.terminate()
            try:
                server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _answers(there: Postgres, server: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < end:
        try:
            there.connect().close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return True
    return False
