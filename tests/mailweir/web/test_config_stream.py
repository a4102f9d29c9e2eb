"""The websocket of a configuration in a database: who is let in, what is told, and what may be changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from mailweir.web.open import Wanted
from mailweir.web.sockets import EACH_SECOND, MOST_AT_ONCE, Pace
from pipeline.config.store_sqlite import SqliteConfig
from pipeline.config.stored import store_of
from tests.websocket import WebSocket

Serve = Callable[..., Any]
OFFICE: dict[str, Any] = {"_id": "office", "type": "system:smtp", "smtp_server": "127.0.0.1", "max_per_hour": 5}


def opened(service: Any, query: str = "", *, token: str | None = "", host: str = "", **headers: str) -> WebSocket:
    """The websocket, with the token of the project unless another one is given."""
    given = {} if token is None else {"Authorization": f"Bearer {token or service.token}"}
    return WebSocket(service.port, f"/api/config/stream{query}", given | headers, host=host)


def text(**more: Any) -> str:
    """Of the system."""
    return json.dumps(OFFICE | more)


def changing(version: int, **more: Any) -> Mapping[str, Any]:
    """A request to change the system of which a version was read."""
    return {"do": "change", "components": {"office": {"text": text(**more), "version": version}}}


def test_changes_are_told_and_made(serve: Serve) -> None:
    """Whoever listens hears of a change by whom and with its difference, and then that it is served."""
    service = serve(OFFICE, stored=True)
    with opened(service) as one, opened(service) as other:
        assert one.next() == {"event": "hello", "change": 1}
        assert one.event("served")["change"] == 1
        made = one.answer({**changing(1, max_per_hour=7), "about": "faster"})
        assert (made["ok"], made["re"], made["change"]) == (True, "x", 2)
        heard = other.event("change")
        assert (heard["change"], heard["about"], heard["who"]) == (2, "faster", "the token of the project")
        assert '"max_per_hour": 7' in heard["diff"]
        assert other.event("served", change=2)["hash"] == service.service.config.hash
        read = other.answer({"do": "read", "component": "office"})
        assert (read["version"], json.loads(read["text"])["max_per_hour"]) == (2, 7)
        assert other.answer({"do": "rollback", "change": 1})["change"] == 3
        assert one.event("served", change=3)


def test_changes_of_others_and_those_that_were_missed_are_told(serve: Serve) -> None:
    """Also those of another process; who comes back says which one is known, and hears the rest in order."""
    service = serve(OFFICE, stored=True)
    with opened(service) as one:
        one.next()
        with SqliteConfig.open(store_of(service.folder)) as store:
            store.commit({"office": text(max_per_hour=8).encode()}, 1, 1.0, "kari", "by hand")
            store.commit({"office": text(max_per_hour=9).encode()}, 2, 2.0, "kari", "")
        assert one.event("change")["about"] == "by hand"
        service.inside(service.service.reload)
        assert one.event("served", change=3)
    with opened(service, "?since=1") as late:
        assert late.next() == {"event": "hello", "change": 1}
        assert [late.event("change")["change"], late.event("change")["change"]] == [2, 3]
    for query in ("?since=9", "?since=-1", "?since=x", "?other=1"):
        assert opened(service, query).status == 400
    with SqliteConfig.open(store_of(service.folder)) as store:
        for number in range(3, 240):
            store.commit({"office": text(max_per_hour=number).encode()}, number, 1.0, "kari", "")
    with opened(service, "?since=1") as late:
        assert late.event("gap") == {"event": "gap", "change": 240}


def test_what_is_wrong_is_told_and_changes_nothing(serve: Serve) -> None:
    """Errors with their places, versions that are no more, and messages that are none; it stays open."""
    service = serve(OFFICE, stored=True)
    with opened(service) as one:
        wrong = one.answer(changing(1, max_per_hour="many"))
        assert (wrong["ok"], wrong["status"]) == (False, 422)
        (fault,) = wrong["diagnostics"]
        column = text(max_per_hour="many").index('"many"') + 1
        assert (fault["code"], fault["line"], fault["column"]) == ("E202", 1, column)
        assert one.answer(changing(7))["status"] == 409
        assert one.answer({"do": "dance"})["status"] == 400
        assert one.answer({"do": "read", "component": "none"})["status"] == 404
        assert one.answer({"do": "rollback", "change": 7})["status"] == 404
        assert one.answer({"do": "change", "nonsense": 1})["re"] is None
        for message in ("{", "[]", "[" * 100_000):
            one.send(message)
            assert one.until(lambda told: "re" in told)["status"] == 400
        dry = one.answer({**changing(1, max_per_hour=7), "dry_run": True})
        assert (dry["ok"], dry["change"]) == (True, None)
    with SqliteConfig.open(store_of(service.folder), make=False) as store:
        assert store.last() == 1


def test_no_secret_is_told(serve: Serve) -> None:
    """Neither when a component is read, nor in a difference, nor in an error; and asterisks stay the secret."""
    login = {"smtp_username": "kari", "smtp_password": "canary-hunter2-hunter2"}
    service = serve(OFFICE | login, stored=True)
    heard = []
    with opened(service) as one:
        heard.append(one.answer({"do": "read", "component": "office"}))
        masked = {"smtp_username": "kari", "smtp_password": "********"}
        heard.append(one.answer(changing(1, max_per_hour="x", **masked)))
        heard.append(one.answer(changing(1, max_per_hour=6, **masked)))
        assert [found["ok"] for found in heard] == [True, False, True]
        heard.append(one.event("served", change=2))
    with opened(service, "?since=0") as one:
        heard += [one.event("change"), one.event("change")]
    assert "canary" not in json.dumps(heard)
    with SqliteConfig.open(store_of(service.folder), make=False) as store:
        assert json.loads(store.snapshot().texts["office"]) == OFFICE | login | {"max_per_hour": 6}


def test_pages_of_others_are_not_let_in(serve: Serve) -> None:
    """Another origin, another host, no token and a wrong one are refused at the handshake, with a token or without."""
    service = serve(OFFICE, stored=True)
    own_origin = f"http://127.0.0.1:{service.port}"
    refused: list[tuple[int, dict[str, Any]]] = [
        (403, {"Origin": "https://evil.example"}),
        (403, {"Origin": "null"}),
        (403, {"Origin": f"http://127.0.0.1:{service.port + 1}"}),
        (403, {"Origin": own_origin, "Sec_Fetch_Site": "cross-site"}),
        (403, {"Sec_Fetch_Site": "same-site"}),
        (401, {"token": None}),
        (401, {"token": None, "Origin": own_origin}),
        (401, {"token": "no-token-of-this-project-at-all-0000"}),
        (401, {"token": None, "Cookie": "mailweir-00000000=x", "Origin": own_origin}),
        (421, {"host": "evil.example"}),
        (421, {"host": "127.0.0.1:1"}),
    ]
    for status, given in refused:
        with opened(service, **given) as one:
            assert (one.status, json.loads(one.refusal)["status"]) == (status, status), given
    with opened(service, Origin=own_origin) as one:
        assert one.status == 101
    with opened(service, f"?token={service.token}", token=None) as one:
        assert one.status == 401


def test_the_session_of_a_browser_is_let_in_from_its_own_pages(serve: Serve) -> None:
    """With the cookie and the origin of the service; the cookie alone is refused."""
    service = serve(OFFICE, stored=True)
    form = {"Content_Type": "application/x-www-form-urlencoded", "Accept": "text/html", "Sec_Fetch_Site": "same-origin"}
    entered = service.ask("POST", "/open", f"token={service.token}".encode(), token=None, **form)
    cookie = entered.headers["set-cookie"].partition(";")[0]
    with opened(service, token=None, Cookie=cookie) as one:
        assert one.status == 403
    with opened(service, token=None, Cookie=cookie, Origin="https://evil.example") as one:
        assert one.status == 403
    with opened(service, token=None, Cookie=cookie, Origin=f"http://127.0.0.1:{service.port}") as one:
        assert one.status == 101
        assert one.answer(changing(1, max_per_hour=7))["ok"]


def test_who_may_only_look_changes_nothing(serve: Serve, tmp_path: Path) -> None:
    """The role `view` hears and reads; a token for some pipes, or without the role, is not let in."""
    roles: dict[str, dict[str, Any]] = {
        "looks": {"roles": ["view"]},
        "sends": {"roles": ["send"]},
        "some": {"roles": ["view", "configure"], "pipes": ["p"]},
    }
    tokens = [{"name": name, "sha256": sha256(name.encode() * 8).hexdigest(), **more} for name, more in roles.items()]
    (tmp_path / "tokens.json").write_text(json.dumps({"tokens": tokens}))
    service = serve(OFFICE, wanted=Wanted(port=0, tokens=tmp_path / "tokens.json"), stored=True)
    with opened(service, token="looks" * 8) as one:
        assert one.answer({"do": "read", "component": "office"})["ok"]
        assert one.answer(changing(1, max_per_hour=7))["status"] == 403
        assert one.answer({"do": "rollback", "change": 0})["status"] == 403
    assert [opened(service, token=name * 8).status for name in ("sends", "some")] == [403, 403]


def test_too_much_ends_it(serve: Serve) -> None:
    """Messages that are too large, too many or no texts; the service goes on."""
    service = serve(OFFICE, stored=True)
    with opened(service) as one:
        one.send(" " * (2**20 + 1))
        assert one.until_closed() == 1009
    with opened(service) as one:
        one.send(b"{}")
        assert one.until_closed() == 1003
    with opened(service) as one:
        for _ in range(400):
            one.send("{}")
        assert one.until_closed() == 1008
    many = [opened(service) for _ in range(21)]
    assert {one.status for one in many[:20]} == {101}
    assert many[20].status == 503
    for one in many:
        one.__exit__()
    assert service.get("/livez").status == 200


def test_other_paths_and_plain_requests_are_no_websockets(serve: Serve) -> None:
    """A handshake elsewhere is refused, and so is a request without one."""
    service = serve(OFFICE, stored=True)
    given = {"Authorization": f"Bearer {service.token}"}
    for path in ("/", "/livez", "/api/config", "/api/nothing"):
        with WebSocket(service.port, path, given) as one:
            assert one.status in {404, 405}
    assert service.get("/api/config/stream").status == 404
    assert service.ask("WEBSOCKET", "/api/config/stream").status == 404


def test_files_have_no_stream(serve: Serve) -> None:
    """Where the configuration is in files, the handshake is refused with words."""
    service = serve(OFFICE)
    with opened(service) as one:
        assert (one.status, "in files" in json.loads(one.refusal)["detail"]) == (409, True)


def test_the_end_of_the_service_ends_it(serve: Serve) -> None:
    """Who listens is told, and nothing is waited for."""
    service = serve(OFFICE, stored=True)
    with opened(service) as one:
        one.next()
        service.end()
        assert one.until_closed() in {1001, 1012}


@pytest.mark.parametrize("seconds", [0.0, 1000.0])
def test_the_pace_lets_so_many_through(seconds: float) -> None:
    """Some at once, then as many as time brings; long silence brings no more than that."""
    pace = Pace(0.0)
    assert sum(pace.may(seconds) for _ in range(100)) == MOST_AT_ONCE
    assert sum(pace.may(seconds + 1.0) for _ in range(100)) == EACH_SECOND
