"""How published entities are written, and what is wrong in their declarations."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.installed import installed
from pipeline.config.project import compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read
from pipeline.entity import NI
from sinks.csv_endpoint import CsvEndpointConfig
from sinks.http_endpoint import HttpEndpointSinkConfig
from sinks.null import NullConfig
from sinks.published import published, url_of, wanted
from sinks.xml_endpoint import Elements, XmlEndpointConfig


def whole(form: Any, *entities: dict[str, Any]) -> bytes:
    """A text with these entities."""
    texts = form.between().join(form.text(one) for one in entities)
    return bytes(form.head() + texts + form.tail())


def problems(sink: str) -> list[str]:
    """What is wrong with a pipe that has this sink."""
    text = f'{{"_id": "p", "type": "pipe", "source": {{"type": "empty"}}, "sink": {sink}}}'
    project = compile_project([read(text.encode(), "p.conf.json")], installed(), Lookup())
    return [problem.code for problem in project.problems]


def test_json() -> None:
    """A list with what is for others: the `_id`, deletes, and where to go on."""
    form = HttpEndpointSinkConfig(type="http_endpoint").form()
    told = whole(form, {"_id": "a", "_updated": 3, "_hash": "x", "n": Decimal("1.50")}, {"_id": "b", "_deleted": True})
    assert told == b'[\n{"_id":"a","_updated":3,"n":"~f1.50"},\n{"_id":"b","_deleted":true}\n]\n'
    assert whole(form) == b"[\n\n]\n"


def test_csv() -> None:
    """Rows with the columns that are declared."""
    sink = CsvEndpointConfig.model_validate({"type": "csv_endpoint", "columns": ["_id", "a"], "delimiter": ";"})
    assert whole(sink.form(), {"_id": "1", "a": "x;y", "b": 1}) == b'_id;a\r\n1;"x;y"\r\n'
    assert sink.leaves_out_deleted
    kept = {"type": "csv_endpoint", "columns": ["_id"], "skip-deleted-entities": False}
    assert not CsvEndpointConfig.model_validate(kept).leaves_out_deleted


def test_xml() -> None:
    """Properties are elements, lists several, objects nested; a name that XML has no way for is an attribute."""
    form = XmlEndpointConfig(type="xml_endpoint").form()
    entity = {
        "_id": 'a"<',
        "name": "Kari & co <x>",
        "tags": ["a", "b"],
        "home": {"city": "Oslo", "no": None},
        "first name": NI("crm:1"),
        "grid": [[1, 2]],
        "xmlns": True,
    }
    root = ET.fromstring(whole(form, entity, {"_id": "b", "_deleted": True}))
    first, second = root
    assert (root.tag, first.tag, first.get("id"), second.get("deleted")) == ("entities", "entity", 'a"<', "true")
    assert first.findtext("name") == "Kari & co <x>"
    assert [one.text for one in first.findall("tags")] == ["a", "b"]
    assert first.findtext("home/city") == "Oslo"
    assert [one.get("name") for one in first.findall("property")] == ["first name", "xmlns"]
    assert [one.text for one in first.findall("grid/item")] == ["1", "2"]


@pytest.mark.parametrize("value", ["\x00", "\x1b", "\ud800", "\uffff"])
def test_what_xml_cannot_write(value: str) -> None:
    """A character that XML has no way for is told, not lost."""
    with pytest.raises(ValueError, match="cannot write"):
        Elements("entities", "entity").text({"_id": "a", "x": value})
    with pytest.raises(ValueError, match="cannot write"):
        Elements("entities", "entity").text({"_id": value})


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), _values, max_size=5), st.text(min_size=1))
def test_properties_of_xml(entity: dict[str, Any], id_: str) -> None:
    """Whatever an entity holds is refused with words, or is XML with its `_id`."""
    try:
        text = whole(Elements("r", "e"), {**entity, "_id": id_})
    except ValueError:
        return
    (element,) = ET.fromstring(text)
    # A parser makes one of every kind of white space in an attribute.
    assert "".join((element.get("id") or "").split()) == "".join(id_.split())


@pytest.mark.parametrize(
    ("sink", "codes"),
    [
        ('{"type": "http_endpoint"}', []),
        ('{"type": "csv_endpoint", "columns": ["a"]}', []),
        ('{"type": "csv_endpoint", "columns": []}', ["E203"]),
        ('{"type": "csv_endpoint", "columns": ["a"], "delimiter": "ab"}', ["E203"]),
        ('{"type": "xml_endpoint", "element": "a b"}', ["E203"]),
        ('{"type": "xml_endpoint", "root_element": "xmlthing"}', ["E203"]),
    ],
)
def test_declarations(sink: str, codes: list[str]) -> None:
    """What is wrong in a declaration is told by `check`."""
    assert problems(sink) == codes


def test_what_is_given() -> None:
    """Nothing that was filtered out, and deleted ones where they are wanted."""
    entities: list[dict[str, Any]] = [{"_id": "a"}, {"_id": "b", "_deleted": True}, {"_id": "c", "_filtered": True}]
    assert [one["_id"] for one in wanted(entities, deleted=True)] == ["a", "b"]
    assert [one["_id"] for one in wanted(entities, deleted=False)] == ["a"]


def test_which_sinks_publish() -> None:
    """These do, and others do not."""
    sink = CsvEndpointConfig.model_validate({"type": "csv_endpoint", "columns": ["a"]})
    assert published(sink) is sink
    assert url_of("people", sink) == "/api/publishers/people/csv"
    assert published(NullConfig(type="null")) is None
    assert published(None) is None
