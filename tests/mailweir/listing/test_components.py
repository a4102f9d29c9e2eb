from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailweir.listing.components import address, listed
from pipeline.config.load import Options, load


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, "localhost:25"),
        ({"smtp_server": "mail.example.com", "smtp_port": 587}, "mail.example.com:587"),
        ({"smtp_server": "$ENV(host)", "smtp_port": "$ENV(port)"}, "$ENV(host):$ENV(port)"),
        ({"smtp_server": "$ENV(set)"}, "relay.example.com:25"),
        ({"url": "smtps://mail.example.com:465"}, "mail.example.com:465"),
        ({"url": "smtp://mail.example.com"}, "mail.example.com"),
        ({"url": "$ENV(url)"}, "$ENV(url)"),
        ({"socket": "/run/smtp.sock"}, "/run/smtp.sock"),
        (
            {"servers": [{"smtp_server": "a.example.com", "smtp_port": 25}, {"url": "smtp://b:26"}]},
            "a.example.com:25, b:26",
        ),
    ],
)
def test_where_a_system_is_reached(tmp_path: Path, properties: dict[str, object], expected: str) -> None:
    """Each way to name a server is shown in the same form; what is not set is shown as it is written."""
    assert reached(tmp_path, properties) == expected


@pytest.mark.parametrize(
    "url",
    ["smtp://me:canary@mail.example.com:25/canary?canary#canary", "smtp://canary@[::1", "smtp://h:canary", "canary"],
)
def test_only_host_and_port_of_a_url_are_shown(tmp_path: Path, url: str) -> None:
    """A login, a path and what is no URL stay out, also where the configuration is faulty."""
    assert "canary" not in reached(tmp_path, {"url": url})


def test_where_mail_is_written_or_passed_on(tmp_path: Path) -> None:
    """A folder is the place of a system that writes, and a queue has the system behind it."""
    systems = [
        {"_id": "outbox", "type": "system:spool", "system": "mails"},
        {"_id": "mails", "type": "system:eml", "folder": "out"},
    ]
    (tmp_path / "a.conf.json").write_text(json.dumps(systems))
    found = listed(load(tmp_path, Options(here=tmp_path, environ={})).project.components, {})
    assert [(one.id, one.address, [end.name for end in one.writes]) for one in found] == [
        ("outbox", "", ["mails"]),
        ("mails", "out", []),
    ]


def reached(folder: Path, properties: dict[str, object]) -> str:
    """The address of a mail system with these properties."""
    system = {"_id": "smtp", "type": "system:smtp", **properties}
    (folder / "smtp.conf.json").write_text(json.dumps(system))
    found = load(folder, Options(here=folder, environ={"set": "relay.example.com"})).project.components
    return address(found[0])
