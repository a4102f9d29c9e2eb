"""Namespaces that stand for the beginnings of addresses: `foaf:name` is `http://xmlns.com/foaf/0.1/name`. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# Those of the vocabularies that are in general use, and one for what has no other.
BUILT_IN: Final[Mapping[str, str]] = {
    "_": "http://example.org/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "wgs84": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "gs": "http://www.opengis.net/ont/geosparql#",
}


def prefixes_of(namespaces: object) -> Mapping[str, str]:
    """The prefixes by namespace that the metadata declares as `namespaces.default`, with the built-in ones."""
    declared = namespaces.get("default") if isinstance(namespaces, Mapping) else None
    return {**BUILT_IN, **_texts(declared)}


def _texts(declared: object) -> dict[str, str]:
    if not isinstance(declared, Mapping):
        return {}
    return {name: prefix for name, prefix in declared.items() if isinstance(name, str) and isinstance(prefix, str)}


def collapsed(address: str, prefixes: Mapping[str, str]) -> str:
    """An address as an identifier, by the longest prefix; with none it is its own: `https` is a namespace then."""
    fitting = [(prefix, name) for name, prefix in prefixes.items() if prefix and address.startswith(prefix)]
    if not fitting:
        return address
    prefix, name = max(fitting, key=lambda one: (len(one[0]), one[1]))
    return f"{name}:{address.removeprefix(prefix)}"


def expanded(identifier: str, prefixes: Mapping[str, str]) -> str:
    """The address that was collapsed; an identifier in another namespace stays as it is."""
    name, colon, rest = identifier.partition(":")
    return prefixes[name] + rest if colon and name in prefixes else identifier


def registered(registry: Mapping[str, Any], key: str) -> dict[str, str]:
    """The prefixes of an entry of the registry `rdf`, of those that it includes, and the built-in ones."""
    found: dict[str, str] = {}
    waiting, seen = [key], set[str]()
    while waiting:
        name = waiting.pop()
        entry = registry.get(name)
        if name in seen or not isinstance(entry, Mapping):
            continue
        seen.add(name)
        # What an entry says itself goes before what it includes.
        found = {**_texts(entry.get("prefixes")), **found}
        includes = entry.get("prefix_includes")
        waiting += [one for one in includes if isinstance(one, str)] if isinstance(includes, list) else []
    return {**BUILT_IN, **found}
