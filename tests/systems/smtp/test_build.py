"""From a configuration to what is opened."""

from __future__ import annotations

import pytest

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
