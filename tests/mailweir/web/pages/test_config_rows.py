"""Properties as they are loaded, each with where it comes from, and without secrets."""

from __future__ import annotations

import json
from pathlib import Path

from mailweir.web.pages.config_rows import listed, properties, used
from pipeline.config.load import Loaded, Options, load

SYSTEM = """{
  "_id": "office",
  "type": "system:smtp",
  "comment": "words",
  "smtp_server": "$ENV(HOST)",
  "smtp_username": "kari",
  "smtp_password": "$SECRET(PASSWORD)",
  "tls_client_key_password": "canary-in-the-clear",
  "use_tls": true,
  "timeouts": {"login": 7}
}"""
PIPE = """{"_id": "p", "type": "pipe",
 "source": {"type": "embedded", "entities": [{"_id": "c", "email": "c@example.com"}]},
 "sink": {"type": "mail", "system": "office", "mail_from": "a@example.com", "recipients_property": "email",
 "subject_template": "s", "text_body_template": "t"}}"""


def loaded(folder: Path) -> Loaded:
    """The project."""
    (folder / "office.conf.json").write_text(SYSTEM)
    (folder / "p.conf.json").write_text(PIPE)
    (folder / ".env").write_text("HOST=mail.example.com\n")
    (folder / ".secrets.env").write_text("PASSWORD=canary-hunter2\n")
    (folder / ".secrets.env").chmod(0o600)
    return load(folder, Options(environ={}, here=folder, run_secrets=folder / "none"))


def test_each_value_says_where_it_comes_from(tmp_path: Path) -> None:
    """A line of the text, a reference with the place that has it, or a default; secrets are only told to be set."""
    project = loaded(tmp_path).project
    office = next(one for one in project.components if one.id == "office")
    found = {one.name: (one.value, one.origin) for one in properties(office, project)}
    assert found["smtp_server"] == ("mail.example.com", "$ENV(HOST) ← .env")
    assert found["smtp_password"] == ("******** set", "$SECRET(PASSWORD) ← .secrets.env")
    assert found["tls_client_key_password"] == ("********", "line 8")
    assert found["use_tls"] == ("true", "line 9")
    assert found["timeouts"] == ('{"login": 7}', "line 10")
    assert found["max_per_hour"] == ("1000", "default")
    assert "comment" not in found
    assert "canary" not in json.dumps(found)
    assert list(found)[:3] == ["_id", "type", "smtp_server"]


def test_a_component_knows_who_names_it(tmp_path: Path) -> None:
    """And the list says how many do."""
    project = loaded(tmp_path).project
    assert used(project.components)["office"] == ["p"]
    rows = listed(project, {"office.conf.json": "same", "p.conf.json": "changed"})
    assert [(one.id, one.used_by, one.standing) for one in rows] == [("office", 1, "same"), ("p", 0, "changed")]
