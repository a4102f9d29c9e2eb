"""Entities as RDF in a property."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.entity import NI, URI, Datetime, Entity
from pipeline.errors import TransformError
from pipeline.transforms.rdf import RdfConfig
from tests.checked import marks_of_transform

NAMESPACES = {"default": {"x": "http://x.example/", "foo": "http://foo.example/#"}}
S = "<http://x.example/1>"
NODE = r"_:x[0-9a-f]{16}n[0-9]+"
XSD = "http://www.w3.org/2001/XMLSchema#"


class Place:
    """What a transform may ask for: the metadata of a project."""

    def __init__(self, namespaces: object) -> None:
        """Take what stands there of namespaces."""
        self._namespaces = namespaces

    def metadata(self, name: str) -> object:
        """What stands under a name."""
        return self._namespaces if name == "namespaces" else None


def shaped(entity: Entity, namespaces: object = NAMESPACES) -> Entity:
    """What becomes of an entity."""
    place: Any = Place(namespaces)
    (made,) = RdfConfig.model_validate({"type": "rdf", "rdf-property": "rdf"}).build(place)(entity)
    return dict(made)


def lines(entity: Entity) -> list[str]:
    """The statements on an entity `x:1`."""
    text: str = shaped({"_id": "x:1", **entity})["rdf"]
    assert not text or text.endswith(" .\n")
    return [line.removesuffix(" .") for line in text.splitlines()]


def test_an_entity_gets_its_statements() -> None:
    """With addresses for the namespaces of the metadata; it stays as it is."""
    entity = {"_id": "x:1", "_hash": "h", "$ids": [1], "x:name": "Entity 1", "x:id": "entity-1"}
    made = shaped(entity)
    assert made == {
        **entity,
        "rdf": f'{S} <http://x.example/name> "Entity 1" .\n{S} <http://x.example/id> "entity-1" .\n',
    }
    assert "rdf" not in entity
    assert shaped(made) == made


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("x:name", "http://x.example/name"),
        ("<x:name>", "http://x.example/name"),
        ("rdf:type", "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"),
        ("https://y.example/a", "https://y.example/a"),
        ("<urn:isbn:1>", "urn:isbn:1"),
        ("name", "http://example.org/name"),
        ("x:first name>", "http://x.example/first%20name%3E"),
        ("x:å", "http://x.example/å"),
        ("foo:a:b", "http://foo.example/#a:b"),
    ],
)
def test_names_are_addresses(name: str, address: str) -> None:
    """Whether they stand in `<>` or not; one without a namespace has that of `_`."""
    assert lines({name: "v"}) == [f'{S} <{address}> "v"']
    assert str(shaped({"_id": name, "x:v": ""})["rdf"]).startswith(f"<{address}> ")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a", '"a"'),
        ('"\\\n\r\t\b\f\x00\x7få', '"\\"\\\\\\n\\r\\t\\b\\f\\u0000\\u007Få"'),
        ("~not a tag", '"~not a tag"'),
        (1, f'"1"^^<{XSD}integer>'),
        (True, f'"true"^^<{XSD}boolean>'),
        (1.5, f'"1.5"^^<{XSD}double>'),
        (float("inf"), f'"INF"^^<{XSD}double>'),
        (float("-inf"), f'"-INF"^^<{XSD}double>'),
        (float("nan"), f'"NaN"^^<{XSD}double>'),
        (Decimal("1.50"), f'"1.50"^^<{XSD}decimal>'),
        (Decimal("1e3"), f'"1000"^^<{XSD}decimal>'),
        (Decimal("0e999999999"), f'"0"^^<{XSD}decimal>'),
        ("~f-.5", f'"-0.5"^^<{XSD}decimal>'),
        (Datetime.of(datetime(2026, 1, 2, 3, tzinfo=UTC)), f'"2026-01-02T03:00:00Z"^^<{XSD}dateTime>'),
        ("~t2026-01-02", f'"2026-01-02"^^<{XSD}date>'),
        (b"\x00", f'"AA=="^^<{XSD}base64Binary>'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (NI("foo:7"), "<http://foo.example/#7>"),
        ("~:https://y.example/7", "<https://y.example/7>"),
        (URI("https://y.example/a b"), "<https://y.example/a%20b>"),
        ("~rmailto:kari@example.com", "<mailto:kari@example.com>"),
    ],
)
def test_values_have_the_datatypes_of_their_types(value: object, written: str) -> None:
    """Texts have none; an address or an identifier is what it names."""
    assert lines({"x:v": value}) == [f"{S} <http://x.example/v> {written}"]


def test_a_list_is_several_statements() -> None:
    """Each once, and null is none."""
    assert lines({"x:v": ["a", None, "b", "a"]}) == [f'{S} <http://x.example/v> "{each}"' for each in "ab"]
    assert lines({"x:v": None, "x:w": [], "x:u": [None]}) == []


def test_an_object_is_a_node_without_a_name() -> None:
    """At every depth, and alone or in a list; what is the engine's in it is not told."""
    first, second, *rest = lines({"foo:child": [{"_id": "c", "x:id": "child", "x:in": {}}, {}]})
    found = re.fullmatch(rf"{S} <http://foo.example/#child> ({NODE})", first)
    other = re.fullmatch(rf"{S} <http://foo.example/#child> ({NODE})", second)
    assert found is not None
    assert other is not None
    assert found[1] != other[1]
    inner = rest.pop()
    assert rest == [f'{found[1]} <http://x.example/id> "child"']
    assert re.fullmatch(rf"{found[1]} <http://x.example/in> {NODE}", inner)


def test_nodes_of_several_entities_are_not_the_same() -> None:
    """So that their statements can stand in one file; those of the same entity are the same in each run."""
    one, other = (shaped({"_id": id_, "x:c": {}})["rdf"] for id_ in ("x:1", "x:2"))
    assert not set(re.findall(NODE, one)) & set(re.findall(NODE, other))
    assert shaped({"_id": "x:1", "x:c": {}})["rdf"] == one


def test_a_deleted_entity_goes_on_as_it_is() -> None:
    """No statement on it is true."""
    gone = {"_id": "x:1", "_deleted": True, "x:v": 1}
    assert shaped(gone) == gone


def deep() -> dict[str, Any]:
    """Objects within each other."""
    found: dict[str, Any] = {}
    for _ in range(65):
        found = {"x:d": found}
    return found


@pytest.mark.parametrize(
    ("entity", "why"),
    [
        ({"crm:name": 1}, "`crm:name`: the namespace `crm` has no address"),
        ({"x:a": {"crm:b": 1}}, "`x:a.crm:b`: the namespace `crm` has no address"),
        ({"_id": "crm:1"}, "`_id`: the namespace `crm` has no address"),
        ({"_id": None}, "without `_id`"),
        ({"_id": ""}, "without `_id`"),
        ({"x:a": ["b", NI("crm:1")]}, "`x:a[1]`: the namespace `crm` has no address"),
        ({"x:a": URI("relative")}, "`x:a` holds an address that is not absolute"),
        ({"x:a": ["b", ["c"]]}, "`x:a[1]` is a list within a list"),
        ({"x:a": "\ud800"}, "`x:a` cannot be written: it has half a character"),
        ({"x:\ud800": 1}, "cannot be written: it has half a character"),
        ({"x:a": URI("urn:\ud800")}, "`x:a` cannot be written: it has half a character"),
        ({"x:a": Decimal("1e999999999")}, "`x:a` cannot be written: a decimal number with more than 1,000 digits"),
        ({"x:a": Decimal("1e-999999999")}, "more than 1,000 digits"),
        (deep(), "nested deeper than 64 levels"),
    ],
)
def test_what_rdf_cannot_hold_fails_the_entity(entity: Entity, why: str) -> None:
    """With the property and what is wrong."""
    with pytest.raises(TransformError, match=".*") as raised:
        shaped({"_id": "x:1", **entity})
    assert why in str(raised.value)


def test_namespaces_need_not_be_declared() -> None:
    """Those in general use have their addresses."""
    made = shaped({"_id": "https://x.example/7", "foaf:name": "Kari"}, None)
    assert made["rdf"] == '<https://x.example/7> <http://xmlns.com/foaf/0.1/name> "Kari" .\n'


# The grammar of N-Triples, as far as there are such things here.
_IRI = r'<(?:[^\x00-\x20<>"{}|^`\\])*>'
_STATEMENT = re.compile(
    rf'(?:{_IRI}|{NODE}) {_IRI} (?:{_IRI}|{NODE}|"(?:[^"\\\n\r]|\\[tbnrf"\\]|\\u[0-9A-F]{{4}})*"(?:\^\^{_IRI})?) \.'
)
_names = st.text(max_size=4).map("x:".__add__) | st.text(max_size=4)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text().map(URI) | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=2),
    max_leaves=8,
)


@given(st.dictionaries(_names, _values, max_size=4), _names)
def test_properties_of_the_transform(entity: dict[str, Any], id_: str) -> None:
    """Whatever an entity holds is refused with words, or is statements on lines of their own, none twice."""
    try:
        text: str = shaped({**entity, "_id": id_, "_deleted": False})["rdf"]
    except TransformError:
        return
    found = text.split("\n")
    assert found.pop() == ""
    assert [line for line in found if _STATEMENT.fullmatch(line) is None] == []
    assert len(set(found)) == len(found)
    text.encode()


@pytest.mark.parametrize(
    ("declared", "marked"),
    [
        ({"rdf-property": "rdf"}, []),
        ({}, [("E204", "{")]),
        ({"rdf-property": ""}, [("E203", '""')]),
        ({"rdf-property": "$rdf"}, [("E203", '"$rdf"')]),
        ({"rdf-property": ["rdf"]}, [("E202", '["rdf"]')]),
    ],
)
def test_what_cannot_be_is_found_by_a_check(
    tmp_path: Path, declared: dict[str, Any], marked: list[tuple[str, str]]
) -> None:
    """At its place."""
    assert marks_of_transform(tmp_path, {"type": "rdf", **declared}) == marked
