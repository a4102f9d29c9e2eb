"""Databases as they are declared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options


@pytest.mark.parametrize(
    ("system", "code", "words"),
    [
        ({"type": "system:sqlite"}, "E204", "path"),
        ({"type": "system:sqlite", "path": ""}, "E203", "`path` is empty"),
        ({"type": "system:sqlite", "path": "a.db", "timezone": "Europe/Olso"}, "E203", "no time zone `Europe/Olso`"),
        ({"type": "system:postgresql", "database": "shop", "host": "a b"}, "E203", "`host` has a space"),
        ({"type": "system:postgresql", "database": "shop", "password": "$SECRET(pw)"}, "E206", "without `username`"),
        ({"type": "system:postgresql", "database": "shop", "port": 0}, "E203", "port"),
        ({"type": "system:mysql", "username": "u"}, "E204", "database"),
        ({"type": "system:mysql", "username": "u", "database": "shop", "host": "a b"}, "E203", "`host` has a space"),
        ({"type": "system:mysql", "username": "u", "database": "shop", "sslmode": "on"}, "E203", "sslmode"),
        ({"type": "system:mysql", "username": "u", "database": "shop", "ca_file": ""}, "E203", "`ca_file` is empty"),
        ({"type": "system:mssql", "username": "u"}, "E204", "database"),
        (
            {"type": "system:mssql", "username": "u", "database": "shop", "instance": "x", "port": 1433},
            "E209",
            "`instance` and `port`",
        ),
        ({"type": "system:oracle", "username": "u"}, "E204", "no `service_name` and no `database`"),
        (
            {"type": "system:oracle", "username": "u", "database": "a", "service_name": "b"},
            "E209",
            "exclude each other",
        ),
        ({"type": "system:oracle_tns", "username": "u"}, "E204", "tns_name"),
        ({"type": "system:sql", "connection_string": "nothing"}, "E203", "is no URL of a database"),
        (
            {"type": "system:sql", "connection_string": "nosql://host/db"},
            "E203",
            "a kind of database that is not known",
        ),
        (
            {"type": "system:sql", "connection_string": "postgresql+psycopg2://host/db"},
            "E203",
            "needs the driver `psycopg2`",
        ),
    ],
)
def test_what_cannot_be_is_told_by_check(tmp_path: Path, system: dict[str, Any], code: str, words: str) -> None:
    """Before anything is connected, at the property."""
    (tmp_path / "shop.conf.json").write_text(json.dumps({"_id": "shop", **system}))
    (tmp_path / ".secrets.env").write_text("pw=s3cr3t")
    (tmp_path / ".secrets.env").chmod(0o600)
    problems = check_paths([tmp_path], Options(environ={}, here=tmp_path)).problems
    (fault,) = [problem for problem in problems if problem.code != "W309"]
    assert fault.code == code
    assert words in fault.message


def test_a_url_with_a_password_is_never_shown(tmp_path: Path) -> None:
    """A warning says that it is in the clear; neither it nor a fault of the URL repeats it."""
    text = json.dumps({"_id": "shop", "type": "system:sql", "connection_string": "nosql://me:s3cr3t-word@host/db"})
    (tmp_path / "shop.conf.json").write_text(text)
    checked = check_paths([tmp_path], Options(environ={}, here=tmp_path))
    assert sorted(problem.code for problem in checked.problems) == ["E203", "W302"]
    assert "s3cr3t" not in " ".join(problem.message for problem in checked.problems)
