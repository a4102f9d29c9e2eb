"""Twilio at work, against a real server on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from base64 import b64encode
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

import pytest

from pipeline.secret import Secret
from systems.mail import Answer, Envelope, Message, Reason, Status
from systems.sms import frozen
from systems.twilio.config import TwilioConfig
from systems.twilio.system import Twilio
from tests.web import answer, body_of, serving

CONTEXT: Any = None
ACCOUNT = "AC0123"


def twilio(url: str, **properties: Any) -> Twilio:
    """The system as a project declares it."""
    declared = {
        "_id": "sms",
        "type": "system:twilio",
        "account": ACCOUNT,
        "token": Secret("s3cret-token"),
        "url": url,
        "allow_private": True,
        **properties,
    }
    return TwilioConfig.model_validate(declared).build(CONTEXT)


def message(key: str, number: str = "+4799887766", text: str = "Hi", sender: str = "+4766554433") -> Message:
    """A message to a number."""
    return Message(key, Envelope(sender, (number,)), frozen(sender, number, text))


def sent(system: Twilio, messages: Sequence[Message]) -> tuple[dict[str, Answer], list[str]]:
    """The answers by key, and what was handed over, in order."""
    over: list[str] = []

    async def go() -> dict[str, Answer]:
        found = {}
        async with system:
            async for group in system.send(messages, lambda group: over.extend(one.key for one in group)):
                for one, (said,) in group:
                    found[one.key] = said
        return found

    return asyncio.run(go()), over


class Account:
    """A server that does as Twilio's documentation says, and keeps what it got."""

    def __init__(self) -> None:
        """It has taken nothing yet."""
        self.taken: list[dict[str, str]] = []
        self.heads: list[tuple[str, str | None]] = []
        self.lock = threading.Lock()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Take a message."""
        form = {name: values[0] for name, values in parse_qs(body_of(handler).decode(), keep_blank_values=True).items()}
        with self.lock:
            self.heads.append((handler.path, handler.headers["Authorization"]))
        if form["To"] == "+4700000000":
            refusal = {"code": 21211, "message": "The 'To' number is not valid.", "status": 400}
            answer(handler, json.dumps(refusal).encode(), 400, Content_Type="application/json")
            return
        with self.lock:
            self.taken.append(form)
            sid = f"SM{len(self.taken)}"
        answer(handler, json.dumps({"sid": sid, "status": "queued"}).encode(), 201, Content_Type="application/json")


def test_a_message_is_one_request_as_twilio_wants_it() -> None:
    """With the login of the account, and every character of the text."""
    account = Account()
    text = "Hei Kåre & co=1+1\n🎉 100%"
    with serving(account) as url:
        found, over = sent(twilio(url), [message("a", text=text)])
    assert over == ["a"]
    assert found["a"] == Answer("+4799887766", Status.ACCEPTED, found["a"].phase, "sms", 201, text="queued as SM1")
    assert account.taken == [{"To": "+4799887766", "From": "+4766554433", "Body": text}]
    login = b64encode(f"{ACCOUNT}:s3cret-token".encode()).decode()
    assert account.heads == [(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", f"Basic {login}")]


def test_a_service_sends_in_the_place_of_a_number() -> None:
    """By its id."""
    account, service = Account(), "MG" + "0a" * 16
    with serving(account) as url:
        sent(twilio(url), [message("a", sender=service)])
    assert account.taken == [{"To": "+4799887766", "MessagingServiceSid": service, "Body": "Hi"}]


def test_a_refused_number_stops_no_other() -> None:
    """Each has its own answer."""
    account = Account()
    with serving(account) as url:
        system = twilio(url, connections=1)
        found, _ = sent(system, [message("a"), message("b", "+4700000000"), message("c")])
        assert system.trouble is None
    assert [found[key].status for key in "abc"] == [Status.ACCEPTED, Status.PERMANENT, Status.ACCEPTED]
    assert found["b"].text == "21211 The 'To' number is not valid."


def test_a_wrong_token_stops_sending_and_blames_no_message() -> None:
    """What comes behind is not even handed over; the token is in no word of it."""

    def refuse(handler: BaseHTTPRequestHandler) -> None:
        body_of(handler)
        answer(handler, b'{"code": 20003, "message": "Authenticate", "status": 401}', 401)

    with serving(refuse) as url:
        system = twilio(url, connections=2)
        found, over = sent(system, [message(str(number)) for number in range(6)])
    assert over == ["0", "1"]
    assert {one.status for one in found.values()} == {Status.NOT_TRIED}
    assert system.trouble is not None
    assert (system.trouble.fault.reason, system.trouble.fault.retryable) == (Reason.LOGIN_REFUSED, False)
    assert "s3cret" not in f"{found}{system.trouble}"


def test_too_many_requests_are_waited_for_as_long_as_the_answer_says() -> None:
    """Nothing was taken, and nothing is charged."""

    def later(handler: BaseHTTPRequestHandler) -> None:
        body_of(handler)
        answer(handler, b'{"code": 20429, "message": "Too Many Requests"}', 429, Retry_After="120")

    with serving(later) as url:
        system = twilio(url)
        found, _ = sent(system, [message("a")])
    assert found["a"].status is Status.NOT_TRIED
    assert system.trouble is not None
    assert 100 < system.trouble.seconds <= 120


def test_a_lost_answer_leaves_the_message_in_doubt() -> None:
    """The server may have taken it."""
    taken = []

    def vanish(handler: BaseHTTPRequestHandler) -> None:
        taken.append(body_of(handler))
        handler.connection.shutdown(socket.SHUT_RDWR)

    with serving(vanish) as url:
        system = twilio(url)
        found, over = sent(system, [message("a")])
    assert (len(taken), over) == (1, ["a"])
    assert found["a"].status is Status.IN_DOUBT
    assert system.trouble is not None
    assert system.trouble.fault.reason is Reason.DISCONNECTED


def test_an_answer_that_never_comes_leaves_the_message_in_doubt() -> None:
    """After as long as was declared."""
    go = threading.Event()

    def wait(handler: BaseHTTPRequestHandler) -> None:
        body_of(handler)
        go.wait(120)

    with serving(wait) as url:
        try:
            found, _ = sent(twilio(url, read_timeout=0.3), [message("a")])
        finally:
            go.set()
    assert found["a"].status is Status.IN_DOUBT
    assert "takes too long" in found["a"].text


def test_a_server_that_cannot_be_reached_has_certainly_taken_nothing() -> None:
    """Nothing is charged, and it is tried again."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        system = twilio(url)
        found, _ = sent(system, [message("a")])
    assert found["a"].status is Status.NOT_TRIED
    assert system.trouble is not None
    assert (system.trouble.fault.reason, system.trouble.fault.retryable) == (Reason.UNREACHABLE, True)


def test_an_address_of_this_machine_needs_leave() -> None:
    """A project cannot be led where it has no business."""
    account = Account()
    with serving(account) as url:
        found, _ = sent(twilio(url, allow_private=False), [message("a")])
    assert found["a"].status is Status.NOT_TRIED
    assert "allow_private" in found["a"].text
    assert account.taken == []


def test_a_message_that_is_taken_is_so_though_its_answer_breaks_off() -> None:
    """Without the name of the message nobody can be sure, so it is in doubt."""

    def cut(handler: BaseHTTPRequestHandler) -> None:
        body_of(handler)
        handler.send_response(201)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b'{"sid": "SM1"')

    with serving(cut) as url:
        found, _ = sent(twilio(url), [message("a")])
    assert found["a"].status is Status.IN_DOUBT


def test_what_cannot_be_put_on_record_is_not_handed_over() -> None:
    """A message goes only when the state knows that it may have gone."""
    account = Account()

    async def go(system: Twilio) -> None:
        def full(_: Sequence[Message]) -> None:
            raise OSError("the disk is full")

        async with system:
            async for _ in system.send([message("a")], full):
                pass

    with serving(account) as url, pytest.raises(OSError, match="the disk is full"):
        asyncio.run(go(twilio(url)))
    assert account.taken == []
