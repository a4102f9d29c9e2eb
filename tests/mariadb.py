"""A real MariaDB for tests, in a folder of its own, on loopback."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from platform import machine
from tempfile import TemporaryDirectory
from typing import Any

import pymysql  # type: ignore[import-untyped]

from tests.servers import PATIENCE, free_ports, nobody, started, unpacked


@dataclass(frozen=True)
class MariaDb:
    """A server that is running."""

    port: int
    user: str
    password: str

    def query(self, text: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """What a statement gives."""
        with closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(text)
            return [*cursor.fetchall()]

    def connect(self, database: str | None = None) -> Any:
        """A connection that commits each statement."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=self.user,
            password=self.password,
            database=database,
            autocommit=True,
            ssl_disabled=True,
        )

    def system(self, database: str, **properties: Any) -> dict[str, Any]:
        """It as a system of a project."""
        return {
            "_id": "shop",
            "type": "system:mysql",
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
        self.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        yield name
        self.query(f"DROP DATABASE {name}")


def root() -> Path | None:
    """The folder into which `.ci/mail-servers` unpacks it."""
    folder = unpacked() / "mariadb"
    return folder if (folder / "usr/sbin/mariadbd").is_file() else None


@contextmanager
def running(root: Path) -> Iterator[MariaDb]:
    """A server; it runs as somebody who may do nothing, as it refuses to be root."""
    share = root / "usr/share/mysql"
    environ = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": str(root / f"usr/lib/{machine()}-linux-gnu")}
    with TemporaryDirectory(prefix="mariadb-") as text:
        folder = Path(text)
        folder.chmod(0o777)
        data = folder / "data"
        data.mkdir()
        data.chmod(0o777)
        password = secrets.token_hex(8)
        command = [
            str(root / "usr/sbin/mariadbd"),
            "--no-defaults",
            f"--basedir={root / 'usr'}",
            f"--datadir={data}",
            f"--lc-messages-dir={share}",
            f"--tmpdir={folder}",
            "--skip-log-bin",
        ]
        tables = [(share / f"mysql_system_tables{part}.sql").read_text(encoding="utf-8") for part in ("", "_data")]
        before = ["CREATE DATABASE mysql;", "USE mysql;", "SET @auth_root_socket=NULL;", "SET @skip_auth_anonymous=1;"]
        before.append('SET @current_hostname="localhost";')
        after = [
            "FLUSH PRIVILEGES;",
            f"CREATE USER 'shop'@'%' IDENTIFIED BY '{password}';",
            "GRANT ALL ON *.* TO 'shop'@'%';",
        ]
        subprocess.run(
            [*command, "--bootstrap"],
            input="\n".join([*before, *tables, *after, ""]).encode(),
            env=environ,
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=PATIENCE,
            **nobody(),
        )

        def make() -> tuple[MariaDb, list[str]]:
            there = MariaDb(free_ports(), "shop", password)
            own = [f"--port={there.port}", f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}"]
            return there, [*command, "--bind-address=127.0.0.1", *own]

        with started(folder, make, _answers, env=environ, **nobody()) as there:
            yield there


def _answers(there: MariaDb) -> bool:
    try:
        there.connect().close()
    except pymysql.err.OperationalError:
        return False
    return True
