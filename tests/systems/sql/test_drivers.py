"""Servers that are not there, of kinds that no test can start: what is told of them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    "system",
    [
        {"type": "system:mssql", "database": "shop"},
        {"type": "system:mssql", "database": "shop", "tds_version": "7.4", "encryption": "off"},
        {"type": "system:oracle", "service_name": "shop"},
        {"type": "system:oracle", "database": "SHOP"},
        {"type": "system:oracle", "service_name": "shop", "tls": True},
        {"type": "system:oracle_tns"},
    ],
)
def test_a_server_that_is_not_there_is_told(tmp_path: Path, system: dict[str, Any]) -> None:
    """In a line, without the password."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        if system["type"] == "system:oracle_tns":
            place = f"(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT={port}))"
            where = {"tns_name": f"(DESCRIPTION={place}(CONNECT_DATA=(SERVICE_NAME=shop)))"}
        else:
            where = {"host": "127.0.0.1", "port": port}
        declared = {"_id": "shop", "username": "me", "password": "$SECRET(db)", "connection_timeout": 5}
        (tmp_path / "shop.conf.json").write_text(json.dumps({**declared, **system, **where}))
        (tmp_path / ".secrets.env").write_text("db=s3cret-word\n")
        (tmp_path / ".secrets.env").chmod(0o600)
        pipe = {"_id": "p", "type": "pipe", "source": {"type": "sql", "system": "shop", "table": "customers"}}
        (tmp_path / "p.conf.json").write_text(json.dumps(pipe))
        done = subprocess.run(
            [sys.executable, "-m", "mailweir", "run"],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "shop" in said
    assert "s3cret" not in said
    assert "Traceback" not in said
