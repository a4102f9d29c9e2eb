"""XML as portions of bytes: what becomes of it, and where it is wrong."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.codes import find
from sources.parts import BATCH, MOST_BYTES, Fault
from sources.xml_text import Shape, batches

BY_ID = Shape(("id",))


def read(text: str | bytes, shape: Shape = BY_ID, size: int = 1 << 20) -> tuple[list[dict[str, Any]], list[Fault]]:
    """All entities and all faults of a text."""
    data = text if isinstance(text, bytes) else text.encode()
    entities: list[dict[str, Any]] = []
    faults: list[Fault] = []
    pieces = (data[start : start + size] for start in range(0, len(data), size))
    for batch in batches(pieces, "in.xml", shape):
        assert len(batch.entities) <= BATCH
        entities += batch.entities
        faults += [batch.fault] if batch.fault else []
    return entities, faults


def test_elements_become_entities() -> None:
    """Attributes and elements are properties, several of one name are a list, what is empty is nothing."""
    entities, faults = read(
        '<orders><order id="1"><item>Tea</item><item n="2">Cups</item><to><city> Oslo\n</city></to><note/></order>'
        '<order id="2" x="">please <b>hurry</b></order></orders>'
    )
    assert not faults
    assert entities == [
        {"_id": "1", "id": "1", "item": ["Tea", {"n": "2", "text": "Cups"}], "to": {"city": "Oslo"}},
        {"_id": "2", "id": "2", "b": "hurry", "text": "please"},
    ]


def test_entities_are_chosen_by_name_or_way() -> None:
    """A name at any depth, a way from the root; the outermost of nested ones is the entity."""
    text = '<s><o id="1"><o id="3"/></o><q><o id="2"/></q></s>'
    assert [one["_id"] for one in read(text, Shape(("id",), "o"))[0]] == ["1", "2"]
    assert [one["_id"] for one in read(text, Shape(("id",), "/s/q/o"))[0]] == ["2"]
    assert read(text, Shape(("id",), "none")) == ([], [])


def test_names_keep_their_prefixes_if_that_is_wanted() -> None:
    """Attributes have a sign of their own; declarations of namespaces are no properties; what is empty can be kept."""
    text = '<s xmlns:x="u"><x:o xmlns="v" x:id="1" e=""><x:id>2</x:id></x:o></s>'
    assert read(text, Shape(("id",)))[1][0].problem.label == "it is not one text"
    shape = Shape(("@x:id",), "x:o", attribute_prefix="@", prefixes=True, keep_empty=True)
    assert read(text, shape)[0] == [{"_id": "1", "@x:id": "1", "@e": "", "x:id": "2"}]
    assert read("<s><o a='1:2' b='3'><_id>x</_id></o></s>", Shape(("a", "b")))[0] == [
        {"_id": "1%3A2:3", "a": "1:2", "b": "3"}
    ]


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"))


@given(st.lists(st.tuples(words, words)), st.integers(1, 50), st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]))
def test_another_parser_reads_the_same(pairs: list[tuple[str, str]], size: int, encoding: str) -> None:
    """Attributes and texts are those that the standard library finds, however the bytes are cut."""
    text = "".join(
        f'<o id="{at}" a={quoteattr(one)}><t>{escape(other)}</t></o>\n' for at, (one, other) in enumerate(pairs)
    )
    data = f"<r>{text}</r>".encode(encoding)
    entities, faults = read(data, Shape(("id",), keep_empty=True), size)
    assert not faults
    expected = [(one.get("a"), (one.findtext("t") or "").strip()) for one in ET.fromstring(data)]
    assert [(one["a"], one["t"]) for one in entities] == expected


@given(st.text("<>/abo\"'= &;!-[]\n\0é", max_size=60), st.integers(1, 9))
def test_no_text_breaks_the_reader(text: str, size: int) -> None:
    """Any text gives entities and at most one fault that ends it; how it is cut makes no difference."""
    data = f"<r><a id='1'/>{text}</r>"
    whole, faults = read(data)
    parts, again = read(data, size=size)
    assert whole == parts
    assert [(one.problem.code, one.place[:2]) for one in faults] == [(one.problem.code, one.place[:2]) for one in again]


@pytest.mark.parametrize(
    ("text", "code", "line", "at", "resumes"),
    [
        ('<r>\n<o id="1"><b></o></r>', "E220", 2, 16, False),
        ("<r>\n\n &tea;</r>", "E220", 3, 2, False),
        ('<r><o id="1"/>', "E220", 1, 15, False),
        ('<r>\n  <o ID="1"/></r>', "E218", 2, 3, True),
        ('<r>\n  <o id=""/></r>', "E218", 2, 3, True),
        ('<r><o id="1"><id>1</id></o></r>', "E218", 1, 4, True),
        ("<r>" * 70, "E113", 1, 193, False),
        ('<r><o id="1">' + "<b>" * 70, "E113", 1, 200, False),
        ("<!DOCTYPE r [<!ENTITY a 'b'>]><r/>", "E220", 1, 13, False),
        ("<?xml version='1.0'?>\n<!DOCTYPE r SYSTEM 'file:///etc/passwd'><r/>", "E220", 2, 40, False),
    ],
)
def test_faults_have_their_place(text: str, code: str, line: int, at: int, resumes: bool) -> None:
    """Code, line and column; what cannot be trusted behind it is not read."""
    _, (fault,) = read(text)
    column = fault.place.column + fault.problem.span.start
    assert (fault.problem.code, fault.place.line, column, fault.resumes) == (code, line, at, resumes)


def test_what_stands_around_an_element_without_key_is_given() -> None:
    """It alone is missing."""
    text = "".join(f'<o {"no" if number % 300 == 0 else "id"}="{number}"/>\n' for number in range(1000))
    entities, faults = read(f"<r>\n{text}</r>")
    assert [int(one["_id"]) for one in entities] == [number for number in range(1000) if number % 300]
    assert [one.place.line for one in faults] == [2, 302, 602, 902]


def test_bytes_are_read_as_their_declaration_says() -> None:
    """Latin-1 is what it says it is; without a word it is UTF-8 and wrong."""
    text = '<r><o id="Bj\xf8rn"/></r>'.encode("latin-1")
    assert read(b"<?xml version='1.0' encoding='iso-8859-1'?>" + text)[0][0]["_id"] == "Bj\xf8rn"
    assert [one.problem.code for one in read(text)[1]] == ["E220"]


def test_declared_entities_are_never_expanded() -> None:
    """Of a text that would expand to gigabytes nothing is kept, and it is refused at its beginning."""
    lines = "".join(f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 12))
    text = f'<!DOCTYPE r [<!ENTITY a0 "ha">{lines}]><r><o id="1">&a11;</o></r>'
    entities, (fault,) = read(text)
    assert not entities
    assert fault.problem.message == "a document type is not read"


@pytest.mark.parametrize("text", ['<r><o id="1">', '<r><o id="1" a="', "<r><!-- "])
def test_what_is_not_whole_after_the_limit_ends_the_text(text: str) -> None:
    """A text, an attribute, and something between entities."""
    _, (fault,) = read(text + "x" * (MOST_BYTES + 100))
    assert (fault.problem.code, fault.resumes) == ("E113", False)


def test_nothing_is_no_entities() -> None:
    """An empty file is none, a root alone neither."""
    assert read("") == read("<r/>") == ([], [])


def test_the_page_of_the_code_is_right() -> None:
    """Its wrong example gives the code, its right one an entity."""
    page = find("E220")
    assert page is not None
    shape = Shape(("no",))
    assert [one.problem.code for one in read(page.wrong[0].text, shape)[1]] == ["E220"]
    assert read(page.right[0].text, shape) == ([{"_id": "1", "no": "1", "item": "Tea"}], [])
