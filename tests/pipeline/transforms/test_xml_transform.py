"""Entities as XML in a property."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.entity import NI, URI, Entity
from pipeline.errors import TransformError
from pipeline.transforms.xml import XmlTransformConfig
from pipeline.xml_text import MOST_DEPTH
from tests.checked import marks_of_transform


class Place:
    """What a transform may ask for: the namespaces of its pipe."""

    def __init__(self, *namespaces: str) -> None:
        """Take those of identities and of properties, or none."""
        self._namespaces = namespaces

    def namespaces(self) -> tuple[str, ...] | None:
        """Both, or None."""
        return self._namespaces or None


def shaped(entity: Entity, *namespaces: str, **declared: Any) -> Entity:
    """What becomes of an entity."""
    place: Any = Place(*namespaces)
    config = XmlTransformConfig.model_validate({"type": "xml", "xml-property": "xml", **declared})
    (made,) = config.build(place)(entity)
    return dict(made)


def written(entity: Entity, **declared: Any) -> object:
    """The XML of an entity."""
    return shaped(entity, **declared).get("xml")


FOO = {"xmlns": "http://a.example/", "xmlns:foo": "http://b.example/"}
ORDER = {
    "_id": "1",
    "$ids": ["x"],
    "name": 'Kari "K" & <co>',
    "note": None,
    "<foo:order>": [{"id": "child", "<section>": [{"<from>": "0"}, {"<to>": 999}]}],
}


def test_an_entity_has_the_form_of_an_element() -> None:
    """Its one property `<name>` is the element, at every depth, and the others are attributes; it stays as it is."""
    made = shaped(ORDER, **{"root-attributes": FOO})
    assert made == {
        **ORDER,
        "xml": '<foo:order xmlns="http://a.example/" xmlns:foo="http://b.example/" name=\'Kari "K" &amp; &lt;co&gt;\'>'
        '<section id="child"><from>0</from><to>999</to></section></foo:order>',
    }
    assert "xml" not in ORDER


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a<b\r", "<t>a&lt;b&#13;</t>"),
        (None, "<t></t>"),
        (True, "<t>true</t>"),
        (1.5, "<t>1.5</t>"),
        ("~:x:1", "<t>x:1</t>"),
        (URI("http://x/"), "<t>http://x/</t>"),
        (b"\x00", "<t>AA==</t>"),
        ([], "<t></t>"),
        ({"<u>": 1}, "<t><u>1</u></t>"),
        ([{"<u>": 1}, 2, None, "x", [{"<u>": 3}], {"a": 4, "<v>": ""}], '<t><u>1</u><v a="4"></v></t>'),
    ],
)
def test_values_of_elements(value: object, text: str) -> None:
    """A single value is text, an object an element, and of a list its objects are."""
    assert written({"_id": "1", "<t>": value}) == text


def test_attributes_of_the_entity_go_before_those_declared() -> None:
    """So that none is there twice; typed values are their texts, and white space is kept."""
    entity = {"_id": "1", "v": NI("x:1"), "lines": "a\nb", "<t>": ""}
    text = written(entity, **{"root-attributes": {"v": "2"}})
    assert text == '<t v="x:1" lines="a&#10;b"></t>'


def test_each_property_can_be_an_element() -> None:
    """As in the sink `xml_endpoint`: with `element`, the `_id` as an attribute and names that are none told."""
    entity = {"_id": "1", "_hash": "h", "a": [1, None], "b": {"c": "~rhttp://x/"}, "<t>": True}
    assert written(entity, element="e", **{"root-attributes": {"xmlns": "http://a.example/"}}) == (
        '<e xmlns="http://a.example/" id="1"><a>1</a><a></a><b><c>http://x/</c></b>'
        '<property name="&lt;t&gt;">true</property></e>'
    )


def test_what_an_entity_holds_is_written_instead() -> None:
    """The object in `property`, in either form; an entity without it goes on as it is."""
    entity = {"_id": "1", "home": {"<zip>": "0150"}}
    assert written(entity, property="home") == "<zip>0150</zip>"
    assert written({"_id": "1", "home": {"zip": "0150"}}, property="home", element="h") == "<h><zip>0150</zip></h>"
    for without in ({"_id": "1"}, {"_id": "1", "home": None}):
        assert shaped(without, property="home") == without


def test_the_declaration_stands_before_the_element() -> None:
    """Where it is wanted."""
    text = written({"_id": "1", "<t>": ""}, **{"include-xml-decl": True})
    assert text == '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><t></t>'


def test_what_the_property_held_is_replaced() -> None:
    """And is not written itself: a second time gives the same."""
    once = shaped({"_id": "1", "a": 1}, element="e")
    assert shaped(once, element="e") == once


def test_deleted_entities_go_on_without_xml() -> None:
    """Unless they are wanted too."""
    gone = {"_id": "1", "_deleted": True, "<t>": ""}
    assert shaped(gone) == gone
    assert written(gone, **{"skip-deleted-entities": False}) == "<t></t>"
    assert written(gone, element="e", **{"skip-deleted-entities": False}) == (
        '<e id="1" deleted="true"><property name="&lt;t&gt;"></property></e>'
    )


def test_only_entities_that_are_meant_are_written() -> None:
    """As `trigger_on` says, in the namespace of the pipe."""
    trigger = {"trigger_on": {"key": ":kind", "value": "ord*"}, "element": "e"}
    order, other = {"_id": "1", "x:kind": "order"}, {"_id": "1", "x:kind": "other"}
    assert "xml" in shaped(order, "x", "x", **trigger)
    assert shaped(other, "x", "x", **trigger) == other
    assert "xml" in shaped({"_id": "1", "_trigger": 7}, element="e", trigger_on={"value": 7})
    assert "xml" not in shaped({"_id": "1"}, element="e", trigger_on={"value": 7})


def deep(depth: int) -> dict[str, Any]:
    """Elements within each other."""
    found: dict[str, Any] = {"<t>": ""}
    for _ in range(depth - 1):
        found = {"<t>": found}
    return found


@pytest.mark.parametrize(
    ("entity", "why"),
    [
        ({"a": 1}, "of properties `<name>` there must be exactly one, but there is none"),
        ({"<a>": 1, "<b>": 2}, "there is `<a>`, `<b>`"),
        ({"<a>": {"<b>": {"c": 1}}}, "exactly one in `<a><b>`, but there is none"),
        ({"<a b>": 1}, "`a b` is no name of an element or attribute"),
        ({"<>": 1}, "`` is no name"),
        ({"<a:b:c>": 1}, "`a:b:c` is no name"),
        ({"a b": 1, "<t>": 1}, "`a b` is no name"),
        ({"tags": ["a"], "<t>": 1}, "`tags` would be an attribute, which holds a single value"),
        ({"<foo:t>": 1}, "unbound prefix"),
        ({"foo:a": 1, "<t>": 1}, "unbound prefix"),
        ({"<t>": "\x00"}, "a character that XML cannot write"),
        ({"a": "\ud800", "<t>": ""}, "a character that XML cannot write"),
        (deep(MOST_DEPTH + 1), f"nested deeper than {MOST_DEPTH} levels"),
    ],
)
def test_what_xml_cannot_hold_fails_the_entity(entity: Entity, why: str) -> None:
    """With what is wrong."""
    with pytest.raises(TransformError, match="cannot be written as XML") as raised:
        shaped({"_id": "1", **entity})
    assert why in str(raised.value)


def test_comments_are_no_attributes() -> None:
    """As everywhere."""
    text = written({"_id": "1", "<t>": ""}, **{"root-attributes": {"comment": "free words", "a": "b"}})
    assert text == '<t a="b"></t>'


@pytest.mark.parametrize("value", ["x", 1, [], [{"<t>": 1}], True])
def test_only_an_object_is_an_element(value: object) -> None:
    """Several would be no document."""
    with pytest.raises(TransformError, match="`home` is no object"):
        shaped({"_id": "1", "home": value}, property="home")


def test_so_many_levels_are_no_fault() -> None:
    """As many as the source `xml` reads."""
    assert str(written({"_id": "1", **deep(MOST_DEPTH)})).count("<t>") == MOST_DEPTH


_names = st.text(alphabet="ab:<> é\x00", max_size=4) | st.sampled_from(["<a>", "<b>", "xmlns", "<xml:c>"])
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=2),
    max_leaves=8,
)


@given(st.dictionaries(_names, _values, max_size=3), st.sampled_from([None, "e"]))
def test_properties_of_the_transform(entity: dict[str, Any], element: str | None) -> None:
    """Whatever an entity holds is refused with words, or is one element that a parser reads."""
    try:
        text = written({**entity, "_id": "1"}, element=element)
    except TransformError:
        return
    ET.fromstring(str(text))


@given(st.text(), st.text())
def test_texts_come_back(attribute: str, text: str) -> None:
    """As they were, whatever characters they have."""
    try:
        made = written({"_id": "1", "a": f"x{attribute}", "<t>": f"x{text}"})
    except TransformError:
        return
    found = ET.fromstring(str(made))
    assert (found.get("a"), found.text) == (f"x{attribute}", f"x{text}")


@pytest.mark.parametrize(
    ("declared", "marked"),
    [
        ({}, []),
        ({"element": "order", "property": "p", "include-xml-decl": True, "skip-deleted-entities": False}, []),
        ({"root-attributes": {**FOO, "foo:a": "", "xml:lang": "no", "$schema": "x"}}, []),
        ({"xml-property": "_xml"}, [("E203", '"_xml"')]),
        ({"xml-property": ""}, [("E203", '""')]),
        ({"xml-property": 1}, [("E202", "1")]),
        ({"element": "a b"}, [("E203", '"a b"')]),
        ({"root-attributes": {"a b": ""}}, [("E203", '"a b"')]),
        ({"root-attributes": {"xmlsn:foo": ""}}, [("E203", '"xmlsn:foo"')]),
        ({"root-attributes": {"foo:a": ""}}, [("E203", '"foo:a"')]),
        ({"root-attributes": {"a": 1}}, [("E202", "1")]),
        ({"trigger_on": {"key": "a"}}, [("E204", "{")]),
        ({"colour": 1}, [("E201", '"colour"')]),
    ],
)
def test_what_cannot_be_is_found_by_a_check(
    tmp_path: Path, declared: dict[str, Any], marked: list[tuple[str, str]]
) -> None:
    """At its place."""
    assert marks_of_transform(tmp_path, {"type": "xml", "xml-property": "xml", **declared}) == marked
