"""Entities that are handed in to a real service, kept before the answer, and read by their pipe."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from mailweir.web.access import digest_of
from mailweir.web.open import Wanted
from pipeline.state.sqlite.dataset_look import SqliteReads

Serve = Callable[..., Any]
PATH = "/api/receivers/orders/entities"
ORDERS = {"_id": "orders", "type": "pipe", "source": {"type": "http_endpoint"}}
OTHER = {"_id": "other", "type": "pipe", "source": {"type": "embedded", "entities": []}}


def dataset(folder: Path, name: str = "orders", *, history: bool = False) -> list[dict[str, Any]]:
    """The entities of a dataset without what the state says of them, in the order of changes."""
    with closing(SqliteReads(folder / ".mailweir")) as reads:
        found = reads.dataset(name)
        entities = [] if found is None else reads.page(found.number, 0, found.last, 1_000_000, history=history).entities
    state = ("_updated", "_previous", "_hash", "_ts")
    return [{key: value for key, value in one.items() if key not in state} for one in entities]


def test_entities_reach_the_pipe(serve: Serve) -> None:
    """One entity and a list of them are kept, and the pipe runs because of them."""
    service = serve(ORDERS)
    assert service.post(PATH, {"_id": "a", "n": 1}).json == {"received": 1}
    assert service.post(PATH, [{"_id": "b"}, {"_id": "c"}]).json == {"received": 2}
    assert service.post(PATH, []).json == {"received": 0}
    service.until(lambda: len(dataset(service.folder)) == 3)
    assert service.post(PATH, {"_id": "a", "_deleted": True}).status == 200
    service.until(lambda: {"_id": "a", "_deleted": True} in dataset(service.folder))


def test_every_version_reaches_the_pipe(serve: Serve) -> None:
    """Of an entity that is handed in twice before its pipe runs both versions are read, in their order."""
    service = serve({**ORDERS, "pump": {"mode": "manual"}})
    for number in range(3):
        assert service.post(PATH, {"_id": "a", "n": number}).status == 200
    assert service.post(PATH, {"_id": "a", "n": 0}).status == 200
    assert dataset(service.folder) == []
    service.inside(lambda: service.service.ask("orders"))
    service.until(lambda: len(dataset(service.folder, history=True)) == 4)
    assert [one["n"] for one in dataset(service.folder, history=True)] == [0, 1, 2, 0]


def test_what_is_wrong_is_not_kept(serve: Serve) -> None:
    """Of a list with one fault nothing is kept, and the fault is told at its place."""
    service = serve(ORDERS)
    refused = service.post(PATH, b'[{"_id": "a"},\n {"id": "b"}]')
    assert refused.status == 400
    assert refused.json["detail"] == "body:2:2: E218 this entity has no `_id`"
    assert dataset(service.folder, "system:received:orders") == []


def test_pipes_that_take_nothing(serve: Serve) -> None:
    """Only a pipe with this source takes entities, and a name that is nearly right is understood."""
    service = serve(ORDERS, OTHER)
    assert "takes no entities" in service.post("/api/receivers/other/entities", {"_id": "a"}).json["detail"]
    missing = service.post("/api/receivers/order/entities", {"_id": "a"})
    assert missing.status == 404
    assert missing.json["detail"].endswith("Did you mean `orders`?")


def test_too_long(serve: Serve) -> None:
    """A request has as many bytes as its source takes, at most."""
    service = serve({**ORDERS, "source": {"type": "http_endpoint", "max_request_bytes": 2000}})
    assert service.post(PATH, {"_id": "a", "x": "y" * 1900}).status == 200
    assert service.post(PATH, {"_id": "b", "x": "y" * 3000}).status == 413
    assert service.post(PATH, b" ", Content_Length=str(17 * 2**20)).status == 413


def test_only_json(serve: Serve) -> None:
    """What a form can send, and what is packed, is not read."""
    service = serve(ORDERS)
    assert service.post(PATH, {"_id": "a"}, Content_Type="text/plain").status == 415
    assert service.post(PATH, {"_id": "a"}, Content_Encoding="gzip").status == 415
    assert service.post(PATH, {"_id": "a"}, Origin="https://evil.test").status == 403
    assert dataset(service.folder, "system:received:orders") == []


def test_a_key_is_used_once(serve: Serve) -> None:
    """A request that comes again with its key has no effect, also behind a newer one; another one is refused."""
    service = serve({**ORDERS, "pump": {"mode": "manual"}})
    first = {"_id": "a", "n": 1}
    assert service.post(PATH, first, Idempotency_Key="k1").json == {"received": 1}
    assert service.post(PATH, {"_id": "a", "n": 2}, Idempotency_Key="k2").status == 200
    assert service.post(PATH, first, Idempotency_Key="k1").json == {"received": 1}
    assert dataset(service.folder, "system:received:orders") == [{"_id": "a", "n": 2}]
    assert service.post(PATH, {"_id": "b"}, Idempotency_Key="k1").status == 409
    assert service.post(PATH, {"_id": "b"}, Idempotency_Key="").status == 400
    assert len(dataset(service.folder, "system:received:orders", history=True)) == 2


def test_a_token_for_one_pipe(serve: Serve, tmp_path: Path) -> None:
    """Who may hand in entities for one pipe may do nothing else."""
    tokens = tmp_path / "tokens.json"
    erp = {"name": "erp", "sha256": digest_of("e" * 32), "roles": ["send"], "pipes": ["orders"]}
    tokens.write_text(json.dumps({"tokens": [erp]}))
    service = serve(ORDERS, {**ORDERS, "_id": "secret"}, wanted=Wanted(port=0, tokens=tokens))
    assert service.post(PATH, {"_id": "a"}, token="e" * 32).status == 200
    assert service.post("/api/receivers/secret/entities", {"_id": "a"}, token="e" * 32).status == 403
    assert service.get("/metrics", token="e" * 32).status == 403


def full(service: Any, ids: list[str], sequence: str, **parameters: str) -> Any:
    """One request of a full sync."""
    words = "&".join(f"{name}={value}" for name, value in {"sequence_id": sequence, **parameters}.items())
    return service.post(f"{PATH}?is_full=true&{words}", [{"_id": one} for one in ids])


def living(folder: Path) -> list[str]:
    """The `_id`s of what is not deleted in what was handed in."""
    return sorted(one["_id"] for one in dataset(folder, "system:received:orders") if "_deleted" not in one)


def test_a_full_sync_deletes_what_it_has_not(serve: Serve) -> None:
    """Behind its last request, and not before, what none of its requests had is deleted, down to the pipe's dataset."""
    service = serve(ORDERS)
    assert full(service, ["a", "b", "c"], "s1", is_first="true", is_last="true").json == {"received": 3}
    assert full(service, ["a"], "s2", is_first="true", request_id="r1").status == 200
    assert service.post(PATH, {"_id": "new"}).status == 200
    assert living(service.folder) == ["a", "b", "c", "new"]
    assert full(service, ["d"], "s2", is_last="true", request_id="r2", previous_request_id="r1").status == 200
    assert living(service.folder) == ["a", "d", "new"]
    service.until(lambda: {"_id": "c", "_deleted": True} in dataset(service.folder))


def test_a_full_sync_that_is_broken_off(serve: Serve) -> None:
    """A request of another sync, out of its order, or behind the end is refused, and deletes nothing."""
    service = serve(ORDERS)
    assert full(service, ["a", "b"], "s1", is_first="true", is_last="true").status == 200
    assert full(service, ["c"], "s2").status == 409
    assert full(service, ["c"], "s1").status == 409
    assert full(service, ["a"], "s2", is_first="true", request_id="r1").status == 200
    assert full(service, [], "s2", is_last="true", request_id="r3", previous_request_id="r2").status == 409
    assert full(service, [], "s3", is_first="true", request_id="r1").status == 200
    assert full(service, [], "s2", is_last="true", request_id="r2", previous_request_id="r1").status == 409
    assert living(service.folder) == ["a", "b"]
    assert service.post(f"{PATH}?is_full=true", []).status == 400
    assert service.post(f"{PATH}?is_last=true", []).status == 400


def test_a_request_of_a_full_sync_that_comes_again(serve: Serve) -> None:
    """A sender that got no answer sends its request again, the last one too, and it is as if it came once."""
    service = serve(ORDERS)
    full(service, ["a", "b", "z"], "s1", is_first="true", is_last="true")
    for _ in range(2):
        assert full(service, ["a"], "s2", is_first="true", request_id="r1").status == 200
    for _ in range(2):
        last = full(service, ["b"], "s2", is_last="true", request_id="r2", previous_request_id="r1")
        assert last.json == {"received": 1}
    assert living(service.folder) == ["a", "b"]


def test_many_at_once(serve: Serve) -> None:
    """What several hand in at the same time is all there."""
    service = serve(ORDERS)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: service.post(PATH, {"_id": f"e{number}"}), range(100)))
    assert {answer.status for answer in answers} == {200}
    service.until(lambda: len(dataset(service.folder)) == 100)


def test_who_served_before(serve: Serve) -> None:
    """What was handed in to a service that has ended is read by the next one."""
    first = serve({**ORDERS, "pump": {"mode": "manual"}})
    assert first.post(PATH, {"_id": "a"}).status == 200
    first.end()
    second = serve({**ORDERS, "pump": {"cron_expression": "0 0 1 1 *"}})
    second.until(lambda: dataset(second.folder) == [{"_id": "a"}])


def test_a_full_disk(serve: Serve) -> None:
    """With too little room nothing is taken, and it is said when to come again; who only looks is answered."""
    service = serve(ORDERS, wanted=Wanted(port=0, floor=2**60))
    refused = service.post(PATH, {"_id": "a"})
    assert (refused.status, refused.headers["retry-after"]) == (503, "30")
    assert "left on its disk" in refused.json["detail"]
    assert dataset(service.folder, "system:received:orders") == []
    assert service.get("/api/status").status == 200
