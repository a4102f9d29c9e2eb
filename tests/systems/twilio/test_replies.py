"""What Twilio's answers mean."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.mail import Reason, Status
from systems.twilio.replies import verdict


def told(status: int, **facts: object) -> tuple[Status, Reason | None, bool | None]:
    """What an answer makes of a message, and of those after it."""
    found = verdict(status, json.dumps(facts).encode())
    fault = found.fault
    return found.status, None if fault is None else fault.reason, None if fault is None else fault.retryable


def test_a_message_that_is_taken_has_a_name() -> None:
    """It is shown, so that it can be found at Twilio."""
    found = verdict(201, b'{"sid": "SM1", "status": "queued"}')
    assert (found.status, found.text, found.code, found.fault) == (Status.ACCEPTED, "queued as SM1", 201, None)


def test_one_that_failed_at_once_is_refused() -> None:
    """With the reason."""
    content = b'{"sid": "SM1", "status": "failed", "error_code": 30007, "error_message": "Filtered"}'
    assert verdict(201, content)[:2] == (Status.PERMANENT, "30007 Filtered")


@pytest.mark.parametrize("code", [21211, 21610, 21614, 21408, 21617])
def test_what_is_wrong_with_a_message_is_its_own_fault(code: int) -> None:
    """Its neighbours go on."""
    assert told(400, code=code, message="no") == (Status.PERMANENT, None, None)


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (401, 20003, Reason.LOGIN_REFUSED),
        (403, 20005, Reason.LOGIN_REFUSED),
        (404, 20404, Reason.LOGIN_REFUSED),
        (400, 21606, Reason.UNAVAILABLE),
        (400, 21212, Reason.UNAVAILABLE),
    ],
)
def test_no_message_is_to_blame_for_its_account_or_sender(status: int, code: int, reason: Reason) -> None:
    """None is charged, and nothing more goes until somebody has mended it."""
    assert told(status, code=code, message="no") == (Status.NOT_TRIED, reason, False)


@pytest.mark.parametrize("status", [429, 503])
def test_what_is_wanted_later_was_not_taken(status: int) -> None:
    """It waits as long as the answer says."""
    assert told(status, code=20429, message="Too Many Requests") == (Status.NOT_TRIED, Reason.UNAVAILABLE, True)
    assert verdict(status, b"", "7").seconds == 7.0
    assert verdict(status, b"", "99999").seconds == 3600.0
    assert verdict(status, b"", "soon").seconds is None


@pytest.mark.parametrize("status", [500, 502, 504, 599])
def test_of_a_broken_server_nobody_knows_what_it_took(status: int) -> None:
    """The message is in doubt, and the others wait."""
    assert told(status) == (Status.IN_DOUBT, Reason.UNAVAILABLE, True)


@pytest.mark.parametrize(
    ("status", "content", "outcome"),
    [
        (200, b"<html>Welcome to the hotel</html>", Status.IN_DOUBT),
        (201, b'["sid"]', Status.IN_DOUBT),
        (302, b"", Status.NOT_TRIED),
        (400, b"<html>Bad</html>", Status.NOT_TRIED),
        (407, b"", Status.NOT_TRIED),
    ],
)
def test_who_is_not_twilio_stops_everything(status: int, content: bytes, outcome: Status) -> None:
    """A hotel's login page takes no message, and refuses none either."""
    found = verdict(status, content)
    assert found.status is outcome
    assert found.fault is not None
    assert (found.fault.reason, found.fault.retryable) == (Reason.VIOLATION, False)


@given(
    st.integers(100, 599), st.binary() | st.from_regex(rb'\{"(sid|code|message|status)": .*\}'), st.none() | st.text()
)
def test_properties_any_answer_has_a_meaning(status: int, content: bytes, later: str | None) -> None:
    """With a text that can be shown."""
    found = verdict(status, content, later)
    assert not any(sign < " " for sign in found.text)
    assert len(found.text) <= 400
    assert (found.status is Status.ACCEPTED) <= (200 <= status < 300)
