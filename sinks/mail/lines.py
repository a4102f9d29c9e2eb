"""Headers of a mail that are templates: further ones, and where to unsubscribe. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipeline.errors import Problem
from pipeline.template.faults import TemplateFault, Where
from pipeline.template.templates import Template, Templates
from sinks.mail.template_headers import header_fault

is_template: Final = re.compile(r"\{[{%#]").search


@dataclass(frozen=True, slots=True)
class Line:
    """A header, or one of its values, as written; `where` finds its characters."""

    name: str
    source: str
    where: Where


class Lines:
    """Headers for each mail."""

    def __init__(self, templates: Templates, lines: tuple[Line, ...]) -> None:
        """Compile them; a fault in one is one of every mail."""
        self._lines = [(line.name, _compiled(templates, line)) for line in lines]

    def write(self, values: Mapping[str, Any]) -> tuple[tuple[str, str], ...] | Problem:
        """Name and value of each, for these variables. A value that comes out empty is left out."""
        found = []
        for name, template in self._lines:
            if isinstance(template, Problem):
                return template
            text = template.render(values)
            if not isinstance(text, TemplateFault):
                fault = header_fault(text, template, values)
                if fault is None:
                    if text:
                        found.append((name, text))
                    continue
                text = fault
            return text.problem(template.where)
        return tuple(found)


def _compiled(templates: Templates, line: Line) -> Template | Problem:
    found = templates.compile(line.source, "subject", line.where)
    return found if isinstance(found, Template) else found[0].problem(line.where)
