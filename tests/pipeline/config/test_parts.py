"""The plain objects within a component."""

from __future__ import annotations

from pipeline.config.given import UNKNOWN
from pipeline.config.parts import objects
from pipeline.config.text import read
from pipeline.config.tree import Object, plain
from pipeline.errors import Problem, Span

TEXT = '{"one": {"a": 1}, "many": [{"a": 1, "b": 2}, 5, {"a": 3}], "text": "x", "none": null}'


def test_objects_are_found_alone_and_in_lists() -> None:
    """Each is at its own place; what is no object is passed over."""
    document = read(TEXT.encode(), "a.conf.json")
    assert isinstance(document.root, Object)
    values = plain(document.root)
    assert isinstance(values, dict)
    found = objects(document, document.root, values, [], ("mail",), "mail")
    assert {name: [part.values for part in parts] for name, parts in found.items()} == {
        "one": [{"a": 1}],
        "many": [{"a": 1, "b": 2}, {"a": 3}],
        "text": [],
        "none": [],
    }
    (one,) = found["one"]
    assert (one.path, one.pipe, TEXT[one.value("a").start]) == (("mail", "one"), "mail", "1")


def test_a_value_with_a_fault_is_unknown() -> None:
    """Its key or its value carries the fault; the object beside it is as it was."""
    document = read(TEXT.encode(), "a.conf.json")
    assert isinstance(document.root, Object)
    values = plain(document.root)
    assert isinstance(values, dict)
    at = TEXT.index('"b"')
    problems = [Problem("E203", "wrong", Span("a.conf.json", at, at + 3)), Problem("E203", "x", Span("b", 0, 90))]
    found = objects(document, document.root, values, problems, (), "")
    assert [part.values for part in found["many"]] == [{"a": 1, "b": UNKNOWN}, {"a": 3}]
