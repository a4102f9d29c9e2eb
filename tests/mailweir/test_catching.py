"""Mail systems with a catcher in place of every server."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from mailweir.catcher import Catcher
from mailweir.catching import CatchingSystems, Place, catcher_near, place_of
from mailweir.running import Asked, Run
from pipeline.config.load import Options, load
from pipeline.receipt import Outcome

TIME = 120


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """The server of the configuration: it listens, and whoever connects is seen."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def untouched(server: socket.socket) -> bool:
    """Whether nobody has connected."""
    try:
        server.accept()
    except BlockingIOError:
        return True
    return False


def project(folder: Path, *systems: dict[str, Any]) -> Path:
    """A project that mails three people through the first of these systems."""
    pipe = {
        "_id": "welcome",
        "type": "pipe",
        "source": {"type": "embedded", "entities": [{"_id": f"c{at}", "to": f"c{at}@example.com"} for at in range(3)]},
        "sink": {
            "type": "mail",
            "system": systems[0]["_id"],
            "mail_from": "hello@example.com",
            "recipients_property": "to",
            "subject_template": "Hi {{ to }}",
            "text_body_template": "Hi",
        },
    }
    (folder / "all.conf.json").write_text(json.dumps([pipe, *systems]))
    return folder


def ways(port: int) -> dict[str, list[dict[str, Any]]]:
    """Systems that would bring mail somewhere."""
    smtp = {"_id": "office", "type": "system:smtp"}
    eml = {"_id": "folder", "type": "system:eml", "folder": "out"}
    return {
        "host": [{**smtp, "smtp_server": "127.0.0.1", "smtp_port": port}],
        "name that does not exist": [{**smtp, "smtp_server": "mail.invalid"}],
        "url": [{**smtp, "url": f"smtp://127.0.0.1:{port}"}],
        "servers": [{**smtp, "servers": [{"url": f"smtp://127.0.0.1:{port}"}, {"smtp_server": "mail.invalid"}]}],
        "login and TLS": [
            {
                **smtp,
                "smtp_server": "127.0.0.1",
                "smtp_port": port,
                "smtp_username": "u",
                "smtp_password": "$SECRET(p)",
                "tls": "implicit",
            }
        ],
        "socket": [{**smtp, "socket": "mail.sock"}],
        "folder": [eml],
        "queue": [
            {"_id": "queue", "type": "system:spool", "system": "office"},
            {**smtp, "smtp_server": "127.0.0.1", "smtp_port": port},
        ],
    }


@pytest.mark.parametrize("way", list(ways(0)))
def test_all_mail_of_every_system_is_caught(tmp_path: Path, server: socket.socket, way: str) -> None:
    """Whatever a system declares, its mail comes to the catcher, and nobody connects to the server or writes a file."""
    root = project(tmp_path, *ways(server.getsockname()[1])[way])
    loaded = load(root, Options(here=root, environ={"MAILWEIR_SECRET_P": "correct horse"}))
    assert loaded.project.errors == []

    async def go() -> tuple[Run, list[str]]:
        async with Catcher() as catcher:
            state = tmp_path / "elsewhere"
            run = Run(loaded, Asked(), systems=CatchingSystems(loaded, Place("127.0.0.1", catcher.port), state))
            await run.go()
            assert (state / "state.db").is_file()
            assert all(mail.login is None for mail in catcher.mails)
            return run, [mail.subject for mail in catcher.mails]

    run, subjects = asyncio.run(asyncio.wait_for(go(), TIME))
    assert subjects == [f"Hi c{at}@example.com" for at in range(3)]
    assert run.done.reports[0].outcomes == {Outcome.SENT: 3}
    assert untouched(server)
    assert sorted(path.name for path in root.iterdir()) == ["all.conf.json", "elsewhere"]


def test_limits_hold_as_declared(tmp_path: Path) -> None:
    """The window is that of the system, counted in the state of the run."""
    root = project(tmp_path, {"_id": "office", "type": "system:smtp", "max_per_hour": 2})
    loaded = load(root, Options(here=root, environ={}))

    async def go() -> Run:
        async with Catcher() as catcher:
            place = Place("127.0.0.1", catcher.port)
            run = Run(loaded, Asked(), systems=CatchingSystems(loaded, place, tmp_path / "s"))
            await run.go()
            assert catcher.count == 2
            return run

    run = asyncio.run(asyncio.wait_for(go(), TIME))
    assert run.done.reports[0].outcomes == {Outcome.SENT: 2, Outcome.DISCARDED: 1}
    assert [(usage.used, usage.limit) for usage in run.done.usage] == [(2, 2)]


def test_text_messages_are_caught_beside_the_mails(tmp_path: Path, server: socket.socket) -> None:
    """Their numbers become addresses that lead nowhere, and the service is not asked."""
    pipe = {
        "_id": "greet",
        "type": "pipe",
        "source": {"type": "embedded", "entities": [{"_id": "a", "recipients": "+4799887766,+4711223344"}]},
        "sink": {"type": "sms", "system": "sms", "from_number": "My Shop", "body_template": "Hei på deg"},
    }
    url = f"http://127.0.0.1:{server.getsockname()[1]}"
    system = {"_id": "sms", "type": "system:twilio", "account": "AC1", "token": "$SECRET(p)", "url": url}
    (tmp_path / "all.conf.json").write_text(json.dumps([pipe, {**system, "allow_private": True}]))
    loaded = load(tmp_path, Options(here=tmp_path, environ={"MAILWEIR_SECRET_P": "correct horse"}))
    assert loaded.project.errors == []

    async def go() -> tuple[Run, list[tuple[tuple[str, ...], str | None]]]:
        async with Catcher() as catcher:
            place = Place("127.0.0.1", catcher.port)
            run = Run(loaded, Asked(), systems=CatchingSystems(loaded, place, tmp_path / "s"))
            await run.go()
            return run, sorted((tuple(mail.recipients), mail.text) for mail in catcher.mails)

    run, caught = asyncio.run(asyncio.wait_for(go(), TIME))
    assert [to for to, _ in caught] == [("+4711223344@sms.invalid",), ("+4799887766@sms.invalid",)]
    assert {(text or "").strip() for _, text in caught} == {"Hei på deg"}
    assert run.done.reports[0].outcomes == {Outcome.SENT: 2}
    assert untouched(server)


def test_a_place_elsewhere_is_refused(tmp_path: Path) -> None:
    """There is no way to build them with an address of another machine."""
    root = project(tmp_path, {"_id": "office", "type": "system:smtp"})
    loaded = load(root, Options(here=root, environ={}))
    with pytest.raises(ValueError, match="not on this machine"):
        CatchingSystems(loaded, Place("192.0.2.1", 25), tmp_path)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("smtp://localhost:2525", Place("127.0.0.1", 2525)),
        ("smtp://127.0.0.1", Place("127.0.0.1", 1025)),
        ("smtp://127.8.8.8:25/", Place("127.8.8.8", 25)),
        ("smtp://[::1]:26", Place("::1", 26)),
    ],
)
def test_a_url_names_a_place_on_this_machine(url: str, place: Place) -> None:
    """`localhost` is an address, so that no name server has a say."""
    assert place_of(url) == place


@pytest.mark.parametrize(
    "url",
    [
        "smtp://mail.example.com:25",
        "smtp://192.0.2.1",
        "smtp://0.0.0.0:25",
        "smtp://localhost.example.com",
        "smtp://x.localhost",
        "smtp://2130706433",
        "smtp://u:p@localhost",
        "smtps://localhost",
        "localhost:25",
        "smtp://localhost:99999",
        "smtp://localhost:x",
        "smtp://[::1",
        "",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    """Other machines, names that only may be this one, other protocols, and what is no URL."""
    with pytest.raises(ValueError, match="."):
        place_of(url)


def test_the_next_free_port_is_taken() -> None:
    """A port that is taken is passed over; with 0 any is taken."""

    async def go() -> None:
        async with AsyncExitStack() as stack:
            first = await catcher_near(stack, 0, lambda _: None)
            second = await catcher_near(stack, first.port, lambda _: None)
            assert second.port != first.port
            last = await catcher_near(stack, 65_535, lambda _: None)
            again = await catcher_near(stack, last.port, lambda _: None)
            assert again.port not in {0, last.port}

    asyncio.run(asyncio.wait_for(go(), TIME))
