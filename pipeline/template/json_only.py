"""Templates that write JSON: what they show must be written as JSON, whatever it is. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from jinja2 import nodes

from pipeline.config.given import advice, note
from pipeline.template.faults import TemplateFault
from pipeline.template.syntax import Parsed

WRITES: Final = "tojson"
# What they give was written by a part of a template that is looked at by itself.
_OF_TEMPLATES: Final = frozenset({"caller", "super"})


def unwritten(parsed: Parsed) -> Iterator[TemplateFault]:
    """E415 for what is shown as it stands: a quote in it would end a text of JSON, and what follows be read as JSON."""
    macros = _macros(parsed)
    for output in parsed.tree.find_all(nodes.Output):
        for node in output.nodes:
            if not isinstance(node, nodes.TemplateData) and not _is_written(node, macros):
                yield TemplateFault(
                    "E415",
                    "this is not written as JSON",
                    parsed.place(node),
                    "shown as it stands",
                    (
                        note("a quote in the value would end a text, and what follows it would be read as JSON"),
                        advice("let `tojson` write it, with its quotes: `{{ name | tojson }}`"),
                        advice('several values in one text: `{{ (first ~ " " ~ last) | tojson }}`'),
                    ),
                )


def _macros(parsed: Parsed) -> frozenset[str]:
    """The names under which macros are called."""
    found = {node.name for node in parsed.tree.find_all(nodes.Macro)} | _OF_TEMPLATES
    for node in parsed.tree.find_all(nodes.FromImport):
        found |= {name if isinstance(name, str) else name[1] for name in node.names}
    return frozenset(found | {node.target for node in parsed.tree.find_all(nodes.Import)})


def _is_written(node: nodes.Node, macros: frozenset[str]) -> bool:
    if isinstance(node, nodes.Filter):
        return node.name == WRITES
    if not isinstance(node, nodes.Call):
        return False
    called = node.node
    while isinstance(called, nodes.Getattr):
        called = called.node
    return isinstance(called, nodes.Name) and called.name in macros
