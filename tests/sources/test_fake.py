"""Invented entities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.entity import Entity, from_json, to_json
from pipeline.errors import UnusableError
from sources.fake import FakeConfig
from sources.fake_data import KINDS, Draw
from sources.fake_read import Fake, Pool
from sources.parts import BATCH
from systems.fake import FakeSystemConfig

TEMPLATE = {
    "_id": "sequence",
    "name": "name",
    "kind": ["private", "business", None],
    "vip": True,
    "home": {"city": "city", "firm": "system:firms"},
}
POOLS = {"firms": Pool(100, 7, 3)}


def read(source: Fake, since: str | None = None) -> tuple[list[Entity], str | None]:
    """All that it gives, and the position that is reached."""
    found: list[Entity] = []
    for entities, reached in source.read(since):
        found += entities
        since = reached
    return found, since


def test_the_same_entities_are_invented_in_every_run() -> None:
    """After the template; another seed gives others."""
    found, _ = read(Fake(TEMPLATE, 600, 1, POOLS))
    assert found == read(Fake(TEMPLATE, 600, 1, POOLS))[0]
    assert found != read(Fake(TEMPLATE, 600, 2, POOLS))[0]
    assert [one["_id"] for one in found] == [str(number) for number in range(1, 601)]
    assert {one["kind"] for one in found} == {"private", "business", None}
    assert all(one["vip"] is True and " " in one["name"] for one in found)
    assert {one["home"]["firm"] for one in found} == {str(number) for number in range(100, 107)}
    assert found[0] == {
        "_id": "1",
        "name": found[0]["name"],
        "kind": found[0]["kind"],
        "vip": True,
        "home": {"city": found[0]["home"]["city"], "firm": found[0]["home"]["firm"]},
    }


def test_later_runs_give_what_was_added() -> None:
    """All of it, if the template is another one or there are fewer."""
    source = Fake(TEMPLATE, BATCH + 1, 1, POOLS)
    assert [len(batch) for batch, _ in source.read(None)] == [BATCH, 1]
    assert source.afresh
    _, since = read(source)
    more = Fake(TEMPLATE, BATCH + 3, 1, POOLS)
    assert ([one["_id"] for one in read(more, since)[0]], more.afresh) == ([str(BATCH + 2), str(BATCH + 3)], False)
    for other in (Fake(TEMPLATE, 5, 1, POOLS), Fake({**TEMPLATE, "x": "word"}, 300, 1, POOLS)):
        assert len(read(other, since)[0]) >= 5
        assert other.afresh
        assert not other.knows(since or "")
    assert more.knows(since or "")


@pytest.mark.parametrize("size", [1, 2, 7, 10, 360, 1000])
def test_a_pool_names_each_entity_otherwise(size: int) -> None:
    """As long as it has enough names."""
    found, _ = read(Fake({"_id": "system:p"}, size, 0, {"p": Pool(5, size, 12)}))
    assert {one["_id"] for one in found} == {str(number) for number in range(5, 5 + size)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_data_goes_through_json(kind: str) -> None:
    """And what an entity is called by fits together."""
    for number in range(1, 40):
        value = KINDS[kind](Draw(0, number), "a")
        assert from_json(to_json({"a": value})) == {"a": value}


def test_no_address_of_mail_is_real() -> None:
    """All are of domains for examples, and of no two entities the same."""
    found = [KINDS[kind](Draw(0, number), "a") for kind in ("email", "company_email") for number in range(1, 200)]
    assert len(set(found)) == len(found)
    assert all(one.endswith((".example", "@example.com", "@example.net", "@example.org")) for one in found)


def check(folder: Path, source: dict[str, Any], pool: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    """The codes of what is wrong, with the text where it stands."""
    pools = {"_id": "pools", "type": "system:fake", "id_pools": {"firms": pool or {"max": 5}}}
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "fake", **source}, "sink": {"type": "null"}}
    text = json.dumps([pools, pipe])
    (folder / "all.conf.json").write_text(text)
    found = check_paths([folder], Options(environ={}, here=folder)).problems
    return [(one.code, text[one.span.start : one.span.end]) for one in found if one.code.startswith("E")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"entities": 1, "template": {"_id": "uuid5"}}, [("E203", '"uuid5"')]),
        ({"entities": 1, "template": {"_id": "uuid4", "a": {"b": ["x", 1], "c": "nam"}}}, [("E203", '"nam"')]),
        ({"entities": 1, "template": {"_id": "uuid4", "a": []}}, [("E203", "[]")]),
        ({"entities": 1, "template": {"_id": "uuid4", "a": "system:firms"}}, [("E204", '"system:firms"')]),
        ({"entities": 1, "system": "pools", "template": {"_id": "system:firms"}}, []),
        ({"entities": -1, "template": {"_id": "uuid4"}}, [("E203", "-1")]),
    ],
)
def test_what_is_wrong_with_a_template_is_told_at_its_place(
    tmp_path: Path, source: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """However deep it stands."""
    assert check(tmp_path, source) == expected


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    """An `_id` of the template, and the numbers of a pool."""
    assert [code for code, _ in check(tmp_path, {"entities": 1, "template": {"a": "word"}})] == ["E204"]
    whole = {"entities": 1, "template": {"_id": "word"}}
    assert check(tmp_path, whole, {"min": 9, "max": 3}) == [("E203", "3")]
    assert check(tmp_path, whole, {"mx": 9}) == [("E204", '{"mx": 9}'), ("E201", '"mx"')]
    assert check(tmp_path, whole, {"max": "9", "min": -1}) == [("E202", '"9"'), ("E202", "-1")]


def test_pools_are_those_of_the_system() -> None:
    """One that is not there, or too small, is told before anything is invented."""

    class Context:
        def config(self, id_: str, base: type[object]) -> object:
            assert (id_, base) == ("pools", FakeSystemConfig)
            declared = {"_id": id_, "type": "system:fake", "id_pools": {"firms": {"min": 5, "max": 6}}}
            return FakeSystemConfig.model_validate(declared)

    context: Any = Context()

    def built(template: dict[str, object], entities: int) -> Fake:
        declared = {"type": "fake", "system": "pools", "entities": entities, "template": template}
        return FakeConfig.model_validate(declared).build(context)

    assert {one["_id"] for one in read(built({"_id": "system:firms"}, 2))[0]} == {"5", "6"}
    with pytest.raises(UnusableError, match="the pool `firms` has 2 names for 3 entities"):
        built({"_id": "system:firms"}, 3)
    with pytest.raises(UnusableError, match="the system `pools` has no pool `people`"):
        built({"_id": "uuid4", "a": ["x"], "b": {"c": "system:people"}}, 3)
