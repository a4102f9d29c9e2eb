"""Twilio as declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.checked import marks


@pytest.mark.parametrize(
    ("declared", "marked"),
    [
        ({}, []),
        ({"proxy": "socks5://user@proxy.example.com:1080"}, []),
        ({"url": "https://api.dublin.ie1.twilio.com"}, []),
        ({"url": "http://localhost:8080"}, []),
        ({"url": "http://gateway.example.com", "allow_plaintext_auth": True}, []),
        ({"url": "http://gateway.example.com"}, [("E212", '"http://gateway.example.com"')]),
        ({"url": "api.twilio.com"}, [("E203", '"api.twilio.com"')]),
        ({"url": "https://"}, [("E203", '"https://"')]),
        ({"url": "https://me:pw@api.twilio.com"}, [("E203", '"https://me:pw@api.twilio.com"')]),
        ({"url": "https://api.twilio.com/?x=1"}, [("E203", '"https://api.twilio.com/?x=1"')]),
        ({"url": "https://api.twilio.com:99999"}, [("E203", '"https://api.twilio.com:99999"')]),
        ({"account": "../Accounts/AC1"}, [("E203", '"../Accounts/AC1"')]),
        ({"proxy": "proxy.example.com"}, [("E203", '"proxy.example.com"')]),
        ({"max_per_hour": -1}, [("E203", "-1")]),
        ({"connections": 0}, [("E203", "0")]),
        ({"on_limit": "wait"}, [("E203", '"wait"')]),
    ],
)
def test_what_cannot_be_is_found_by_a_check(
    tmp_path: Path, declared: dict[str, Any], marked: list[tuple[str, str]]
) -> None:
    """At its place."""
    system = {"_id": "sms", "type": "system:twilio", "account": "AC1", "token": "$SECRET(token)", **declared}
    made = marks(tmp_path, system, MAILWEIR_SECRET_token="x")
    assert [(code, at) for code, at in made if code not in {"E305", "W302"}] == marked
