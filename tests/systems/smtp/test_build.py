"""From a configuration to what is opened."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.secret import Secret
from systems.smtp.build import routes
from systems.smtp.config import SmtpConfig


@pytest.mark.parametrize(
    ("written", "opened"), [("run/smtp.sock", "/srv/project/run/smtp.sock"), ("/run/smtp.sock", "/run/smtp.sock")]
)
def test_a_socket_is_looked_for_in_the_project(written: str, opened: str) -> None:
    """Wherever the command was started; a whole path is taken as it is."""
    config = SmtpConfig.model_validate({"_id": "mail", "type": "system:smtp", "socket": written})
    (route,) = routes(config, "/srv/project")
    assert (route.endpoint.socket, route.settings.server) == (opened, written)


LOGIN = {"smtp_username": "ann", "smtp_password": "one"}
ENDPOINT = {"url": "https://example.com/token", "refresh_token": "r"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (LOGIN, {**LOGIN, "smtp_username": "bob"}),
        (LOGIN, {**LOGIN, "smtp_password": "two"}),
        (LOGIN, {**LOGIN, "auth": ["PLAIN"]}),
        ({"smtp_username": "ann", "oauth": {"token": "one"}}, {"smtp_username": "ann", "oauth": {"token": "two"}}),
        ({"oauth": {"command": ["print-token"]}}, {"oauth": {"command": ["print-token", "--mail"]}}),
        ({"oauth": ENDPOINT}, {"oauth": {**ENDPOINT, "refresh_token": "s"}}),
        ({"oauth": ENDPOINT}, {"oauth": {**ENDPOINT, "client_secret": "c"}}),
        ({"oauth": ENDPOINT}, {"oauth": {**ENDPOINT, "scope": "mail"}}),
    ],
)
def test_the_mark_of_a_login_changes_with_all_that_is_declared_of_it(before: Any, after: Any) -> None:
    """So that a login that was refused and mended is tried at once; the same one has the same mark."""
    marks = [mark(login) for login in (before, before, after)]
    assert marks[0] == marks[1] != marks[2]


def mark(login: dict[str, Any]) -> str:
    """That of the one server with this login."""
    values = {"_id": "mail", "type": "system:smtp", **login}
    secrets: dict[str, Any] = {name: Secret(text) for name, text in login.items() if name == "smtp_password"}
    if oauth := login.get("oauth"):
        hidden = {"token", "client_secret", "refresh_token"}
        secrets["oauth"] = {name: Secret(text) if name in hidden else text for name, text in oauth.items()}
    (route,) = routes(SmtpConfig.model_validate({**values, **secrets}), "/srv/project")
    return route.mark
