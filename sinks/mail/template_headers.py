"""What may not stand in a header: control characters, which would end it and begin another one. No I/O.

A subject is rendered first and looked at then, whatever it was made of: nothing is cut out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from jinja2 import nodes

from pipeline.config.faults import naming
from pipeline.config.given import advice
from pipeline.template.faults import Place, TemplateFault
from pipeline.template.syntax import Parsed
from pipeline.template.templates import Template
from pipeline.template.uses import ITEM, uses_of

# C0, DEL, C1 with NEL, and the separators of lines and paragraphs, which some readers take for line breaks.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NAMES: Final = {"\n": "a line break", "\r": "a line break", "\t": "a tab", "\x00": "the character NUL"}


def control_in(text: str) -> tuple[int, str] | None:
    """The first control character: where it stands, and what it is in words."""
    found = _CONTROL.search(text)
    return found and (found.start(), _NAMES.get(found[0]) or naming(found[0]))


def header_fault(rendered: str, template: Template, values: Mapping[str, Any]) -> TemplateFault | None:
    """E412 when the text that a template made of these variables cannot be a header, with what brought it in."""
    found = control_in(rendered)
    if found is None:
        return None
    _, what = found
    for use in uses_of(template.parsed, template.files).all:
        if any(isinstance(value, str) and control_in(value) for value in _at(values, use.path)):
            written = ".".join("…" if step == ITEM else step for step in use.path)
            return TemplateFault(
                "E412",
                f"`{written}` brings {what} into a header",
                use.place,
                "from here",
                (advice('take it out: `{{ … | replace("\\n", " ") }}`'),),
            )
    place = _data(template.parsed) or Place("", 0, max(1, len(template.parsed.text)))
    return TemplateFault("E412", f"{what} stands in a header", place, "here", (advice("a header is one line of text"),))


def _at(values: Mapping[str, Any], path: Sequence[str]) -> list[Any]:
    found: list[Any] = [values]
    for step in path:
        following: list[Any] = []
        for owner in found:
            if step == ITEM and isinstance(owner, list | tuple):
                following += owner
            elif isinstance(owner, Mapping) and step in owner:
                following.append(owner[step])
        found = following
    return found


def _data(parsed: Parsed) -> Place | None:
    """The first control character that stands in the template itself, beyond blanks at its ends."""
    for data in parsed.tree.find_all(nodes.TemplateData):
        found = _CONTROL.search(data.data)
        if found:
            return Place(parsed.name, data.lineno + found.start(), data.lineno + found.end())
    return None
