"""How editors are told which schema belongs to which files. Texts in, texts out; no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from xml.etree import ElementTree as ET

VSCODE: Final = ".vscode/settings.json"
JETBRAINS: Final = ".idea/jsonSchemas.xml"
COMPONENT: Final = "JsonSchemaMappingsProjectConfiguration"


class UnmergeableError(Exception):
    """The settings of a person that cannot be changed without losing something; says why."""


@dataclass(frozen=True, slots=True)
class Use:
    """A schema file and the patterns of the files that it is for. `path` is relative to the project, or absolute."""

    title: str
    path: str
    patterns: tuple[str, ...]


class Merge(Protocol):
    """Changes the text of a settings file."""

    def __call__(self, text: str | None, uses: Sequence[Use]) -> str:
        """The new text; the same one when there is nothing to change. `None` is a file that is not there."""
        ...


def vscode(text: str | None, uses: Sequence[Use]) -> str:
    """`.vscode/settings.json` with the mappings; everything else in it stays, in its order."""
    settings = _settings(text)
    schemas = settings.get("json.schemas", [])
    if not isinstance(schemas, list):
        raise UnmergeableError('its "json.schemas" is not a list')
    entries = vscode_entries(uses)
    files = [entry["fileMatch"] for entry in entries]
    kept = [entry for entry in schemas if not isinstance(entry, dict) or entry.get("fileMatch") not in files]
    if [entry for entry in schemas if entry not in kept] == entries and text is not None:
        return text
    found = re.search(r'\n([ \t]+)"', text or "")
    made = json.dumps(settings | {"json.schemas": kept + entries}, ensure_ascii=False, indent=found[1] if found else 2)
    return made.replace("\n", "\r\n") + "\r\n" if "\r\n" in (text or "") else made + "\n"


def vscode_entries(uses: Sequence[Use]) -> list[dict[str, Any]]:
    """What belongs into `json.schemas`."""
    return [
        {"fileMatch": list(use.patterns), "url": use.path if use.path.startswith("/") else f"./{use.path}"}
        for use in uses
    ]


def _settings(text: str | None) -> dict[str, Any]:
    if text is None or not text.strip():
        return {}
    try:
        settings = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise UnmergeableError("it has comments, or is not JSON") from None
    if not isinstance(settings, dict):
        raise UnmergeableError("it does not hold an object")
    return settings


def _once(pairs: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def jetbrains(text: str | None, uses: Sequence[Use]) -> str:
    """`.idea/jsonSchemas.xml` with the mappings; those of other schemas stay."""
    root = _project(text)
    before = ET.tostring(root)
    component = root.find(f"component[@name='{COMPONENT}']")
    if component is None:
        component = ET.SubElement(root, "component", name=COMPONENT)
    entries = _below(_below(component, "state"), "map")
    for use in uses:
        entry = next((entry for entry in entries if entry.get("key") == use.title), None)
        fresh = _entry(use)
        if entry is None:
            entries.append(fresh)
        elif ET.canonicalize(ET.tostring(entry), strip_text=True) != ET.canonicalize(ET.tostring(fresh)):
            entries[list(entries).index(entry)] = fresh
    if text is not None and ET.tostring(root) == before:
        return text
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _project(text: str | None) -> ET.Element:
    if text is None or not text.strip():
        return ET.Element("project", version="4")
    try:
        # The file is the person's own; nobody else's XML is read here.
        parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))  # noqa: S314
        root = ET.fromstring(text.encode(), parser)  # noqa: S314
    except ET.ParseError:
        raise UnmergeableError("it is not XML") from None
    if root.tag != "project":
        raise UnmergeableError("it does not hold a `project`")
    return root


def _below(element: ET.Element, tag: str) -> ET.Element:
    found = element.find(tag)
    return ET.SubElement(element, tag) if found is None else found


def _entry(use: Use) -> ET.Element:
    entry = ET.Element("entry", key=use.title)
    info = ET.SubElement(ET.SubElement(entry, "value"), "SchemaInfo")
    for name, value in (
        ("name", use.title),
        ("relativePathToSchema", use.path),
        ("schemaVersion", "JSON Schema version 2020-12"),
    ):
        ET.SubElement(info, "option", name=name, value=value)
    patterns = ET.SubElement(ET.SubElement(info, "option", name="patterns"), "list")
    for pattern in use.patterns:
        item = ET.SubElement(patterns, "Item")
        for name, value in (("pattern", "true"), ("path", pattern), ("mappingKind", "Pattern")):
            ET.SubElement(item, "option", name=name, value=value)
    return entry
