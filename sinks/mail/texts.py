"""Subject, text and HTML of a mail, of templates that the configuration fixes or each entity brings. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pipeline.errors import Problem, Span
from pipeline.template.faults import TemplateFault, Where, plain_lines
from pipeline.template.runtime import Part
from pipeline.template.templates import MOST_KEPT, Faults, Template, Templates
from sinks.mail.people import wrong
from sinks.mail.template_headers import header_fault


@dataclass(frozen=True, slots=True)
class Way:
    """How a part comes by its template: one that is `fixed`, or the one that the `property` of an entity holds.

    With `names_file` the property holds the name of a file in the folder of templates.
    """

    fixed: str | None = None
    where: Where = field(default_factory=Where)
    property: str = ""
    names_file: bool = False


class Texts(NamedTuple):
    """What people read. HTML without a text gets one when the mail is composed."""

    subject: str
    text: str | None
    html: str | None


class _Ways:
    """Gets templates in the ways that there are."""

    def __init__(self, templates: Templates) -> None:
        """Those of the project."""
        self._templates = templates
        self._compiled = lru_cache(MOST_KEPT)(self._compile)

    def _fixed(self, way: Way, part: Part | None, *, beside: bool = False) -> Template | Problem:
        source = way.fixed or ""
        kind = part or self._templates.body_part(source, beside_text=beside)
        return _one(self._templates.compile(source, kind, way.where), way.where)

    def _brought(
        self, way: Way, values: Mapping[str, Any], part: Part | None, *, beside: bool = False
    ) -> Template | Problem | None:
        """The template that an entity brings, if it does."""
        value = values.get(way.property)
        if value is None:
            return None
        if not isinstance(value, str):
            return wrong("E414", f"`{way.property}` is not the text of a template", way.property)
        return self._compiled(way.property, value, part, beside, way.names_file)

    def _compile(
        self,
        property: str,
        value: str,
        part: Part | None,
        beside: bool,
        names_file: bool,
    ) -> Template | Problem:
        if names_file:
            source = self._templates.options.files.get(value)
            # A fault of the name stands in the name, one of the file in the file.
            where = Where(plain_lines(value), (property,), whole=Span(f"`{property}` of the entity", 0, 0))
            if source is None:
                return _one(self._templates.compile_file(value, part or "text", where), where)
            where = Where(plain_lines(source), (property,), whole=Span(value, 0, 0))
        else:
            source = value
            where = Where(plain_lines(source), (property,), whole=Span(f"`{property}` of the entity", 0, 0))
        kind = part or self._templates.body_part(source, beside_text=beside)
        return _one(self._templates.compile(source, kind, where), where)


class Writing(_Ways):
    """Writes the texts of the mails of a sink."""

    def __init__(self, templates: Templates, subject: Way, body: Way, text: Way) -> None:
        """Compile what is fixed; a fault in it is one of every mail."""
        super().__init__(templates)
        self._subject_way, self._body_way, self._text_way = subject, body, text
        self._subject = None if subject.fixed is None else self._fixed(subject, "subject")
        self._text = None if text.fixed is None else self._fixed(text, "text")
        self._bodies = [
            None if body.fixed is None else self._fixed(body, None, beside=beside) for beside in (False, True)
        ]

    def write(self, values: Mapping[str, Any]) -> Texts | Problem:
        """The texts for these variables, or why there are none."""
        subject = self._subject or self._brought(self._subject_way, values, "subject")
        if isinstance(subject, Problem):
            return subject
        text = self._text or self._brought(self._text_way, values, "text")
        if isinstance(text, Problem):
            return text
        body = self._bodies[text is not None] or self._brought(self._body_way, values, None, beside=text is not None)
        if isinstance(body, Problem):
            return body
        if subject is None:
            return _missing(self._subject_way, values, "subject")
        if body is None and text is None:
            return _missing(self._body_way, values, "body")
        return self._written(values, subject, body, text)

    def _written(
        self, values: Mapping[str, Any], subject: Template, body: Template | None, text: Template | None
    ) -> Texts | Problem:
        title = subject.render(values)
        if isinstance(title, TemplateFault):
            return _problem(title, subject)
        if not title.isprintable() and (fault := header_fault(title, subject, values)):
            return _problem(fault, subject)
        plain: str | None = None
        if text is not None:
            rendered = text.render(values)
            if isinstance(rendered, TemplateFault):
                return _problem(rendered, text)
            plain = rendered
        if body is None:
            return Texts(title, plain, None)
        shown = body.render(values)
        if isinstance(shown, TemplateFault):
            return _problem(shown, body)
        return Texts(title, plain, shown) if body.part == "html" else Texts(title, shown, None)


class Writes(_Ways):
    """Writes the one text of a message that has nothing else."""

    def __init__(self, templates: Templates, way: Way) -> None:
        """Compile what is fixed; a fault in it is one of every message."""
        super().__init__(templates)
        self._way = way
        self._one = None if way.fixed is None else self._fixed(way, "text")

    def write(self, values: Mapping[str, Any]) -> str | Problem:
        """The text for these variables, or why there is none."""
        template = self._one or self._brought(self._way, values, "text")
        if template is None:
            return _missing(self._way, values, "body")
        if isinstance(template, Problem):
            return template
        text = template.render(values)
        return _problem(text, template) if isinstance(text, TemplateFault) else text


_NAMES: Final = {"subject": "a subject", "body": "a body"}


def _missing(way: Way, values: Mapping[str, Any], name: str) -> Problem:
    if way.property in values:
        return wrong("E414", f"no template for {_NAMES[name]}: `{way.property}` is null", way.property)
    how = f"give the entity the property, or the sink a `{name}_template`"
    return wrong("E414", f"no template for {_NAMES[name]}: the entity has no `{way.property}`", way.property, how)


def _one(found: Template | Faults, where: Where) -> Template | Problem:
    return found if isinstance(found, Template) else found[0].problem(where)


def _problem(fault: TemplateFault, template: Template) -> Problem:
    return fault.problem(template.where)
