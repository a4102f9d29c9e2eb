from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dtl.prefixes import BUILT_IN, collapsed, expanded, prefixes_of, registered

PEOPLE = {
    "shop": "https://shop.example.com/",
    "men": "https://shop.example.com/men/",
    "rdf": "https://rdf.example.com/",
}


@pytest.mark.parametrize(
    ("address", "identifier"),
    [
        ("https://shop.example.com/kari", "shop:kari"),
        ("https://shop.example.com/men/ola", "men:ola"),
        ("https://shop.example.com/", "shop:"),
        ("https://rdf.example.com/type", "rdf:type"),
        ("http://example.org/a:b", "_:a:b"),
        ("https://elsewhere.example.com/", "https://elsewhere.example.com/"),
    ],
)
def test_the_longest_prefix_counts(address: str, identifier: str) -> None:
    """What is declared goes before what is built in; an address without a prefix stays one."""
    prefixes = prefixes_of({"default": PEOPLE})
    assert collapsed(address, prefixes) == identifier
    assert expanded(identifier, prefixes) == address


@given(st.sampled_from([*BUILT_IN.values(), *PEOPLE.values(), "tel:", "https://"]), st.text())
def test_what_was_collapsed_expands_to_the_same(prefix: str, rest: str) -> None:
    """Whatever is behind a prefix."""
    prefixes = prefixes_of({"default": PEOPLE})
    assert expanded(collapsed(prefix + rest, prefixes), prefixes) == prefix + rest


@pytest.mark.parametrize("namespaces", [None, 5, {}, {"default": []}, {"default": {"a": 5}}])
def test_metadata_without_prefixes(namespaces: object) -> None:
    """Only the built-in ones are left."""
    assert prefixes_of(namespaces) == BUILT_IN


def test_entries_that_include_each_other_end() -> None:
    """Each is taken once; what an entry says itself goes before what it includes."""
    registry = {
        "a": {"prefixes": {"x": "https://a/", "n": 5}, "prefix_includes": ["b", "none", 7]},
        "b": {"prefixes": {"x": "https://b/", "y": "https://b/y/"}, "prefix_includes": ["a"]},
    }
    assert registered(registry, "a") == {**BUILT_IN, "x": "https://a/", "y": "https://b/y/"}
