"""A Jinja2 template that writes JSON, as a transform."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pipeline.component import Context, TransformConfig
from pipeline.config.given import advice
from pipeline.entity import Entity, typed, typing
from pipeline.errors import Problem, TransformError, UnusableError

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.template.faults import TemplateFault
    from pipeline.template.templates import Template

# So much of what is no JSON is shown.
_MOST_SHOWN: Final = 40


class TemplateConfig(TransformConfig):
    """A Jinja2 template writes the entity, as JSON.

    It sees the properties by their names, and `entity`, the whole. What it writes is an entity, a list of entities, or
    nothing; an entity without an `_id` gets that of its source. Every value is written by `tojson`.
    """

    type: Literal["template"]
    """`template`."""
    template: str | None = None
    """The template: `{"name": {{ name | tojson }}}`."""
    template_file: str | None = None
    """A file in the project's `templates` folder with the template."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """There is one template, without a fault, and it writes JSON whatever the values are."""
        from pipeline.template.json_only import unwritten  # noqa: PLC0415 - Jinja2 is for those who use it
        from pipeline.template.written import source_of, templates_of  # noqa: PLC0415 - as above

        if given.node.whole and not given.has("template") and not given.has("template_file"):
            help_ = advice('add `"template": "{\\"name\\": {{ name | tojson }}}"`')
            yield given.problem("E204", "there is no `template`", "type", notes=(help_,))
        if given.has("template") and given.has("template_file"):
            notes = (advice("keep one of them"),)
            yield given.problem(
                "E209", "`template` and `template_file` are both set", "template_file", at="key", notes=notes
            )
            return
        templates = templates_of(given)
        found = source_of(given, "template", templates)
        if isinstance(found, Problem):
            yield found
        elif found is not None:
            source, where = found
            faults = templates.faults(source)
            faults = faults or tuple(fault for parsed in templates.every(source) for fault in unwritten(parsed))
            yield from (fault.problem(where) for fault in faults)
            if not faults and "{{" not in source and "{%" not in source and (why := _read(source)[1]):
                name = "template" if given.has("template") else "template_file"
                yield given.problem("E415", f"this template writes no JSON: {why}", name)

    def build(self, context: Context) -> WritesJson:
        """The transform itself."""
        from pipeline.config.templates import read_templates  # noqa: PLC0415 - files are for those who run
        from pipeline.template.templates import Options, Template, Templates  # noqa: PLC0415 - as above

        documents = read_templates(Path(context.root), Path(context.root))
        options = Options(
            files={name: document.text for name, document in documents.items() if not document.problems},
            refused={name: document.problems[0].message for name, document in documents.items() if document.problems},
        )
        templates = Templates(options)
        if self.template is None:
            made = templates.compile_file(self.template_file or "", "text")
        else:
            made = templates.compile(self.template, "text")
        if not isinstance(made, Template):
            raise UnusableError(f"pipe `{context.pipe}`: {made[0].code} {made[0].message}")
        return WritesJson(made, self.template_file or "template")


class WritesJson:
    """Renders the template for each entity, and reads what it wrote."""

    def __init__(self, template: Template, name: str) -> None:
        """`name` is what faults call the template."""
        self._template = template
        self._name = name
        self._typed = typing()

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """The entities that it writes. `TransformError` with the place in the template, or in what it wrote."""
        from pipeline.template.templates import variables  # noqa: PLC0415 - it is there already

        text = self._template.render(variables(self._typed(entity)))
        if not isinstance(text, str):
            raise TransformError(f"{self._where(text)}: {text.code} {text.message}")
        if not text.strip():
            return ()
        made, why = _read(text)
        if why:
            raise TransformError(f"{self._name}: what it writes is no JSON: {why}")
        if made is None:
            return ()
        if isinstance(made, list):
            return [self._one(one, f"the entity {place} of its list") for place, one in enumerate(made, 1)]
        if isinstance(made, dict) and "_id" not in made and "_id" in entity:
            made = {"_id": entity["_id"], **made}
        found = self._one(made, "what it writes")
        if entity.get("_deleted") is True and "_deleted" not in found:
            found["_deleted"] = True
        return (found,)

    def _one(self, found: object, what: str) -> Entity:
        if not isinstance(found, dict):
            raise TransformError(f"{self._name}: {what} is no object")
        if not isinstance(found.get("_id"), str):
            raise TransformError(f"{self._name}: {what} has no `_id` that is a text")
        return found

    def _where(self, fault: TemplateFault) -> str:
        """File or name of the template, line and column."""
        parsed = self._template.files.get(fault.place.template) or self._template.parsed
        before = parsed.text[: fault.place.start]
        column = len(before) - (before.rfind("\n") + 1) + 1
        return f"{fault.place.template or self._name}:{before.count(chr(10)) + 1}:{column}"


def _read(text: str) -> tuple[Any, str]:
    """What a text of JSON stands for; or why it is none, and where."""
    try:
        return typed(json.loads(text, parse_constant=_refuse)), ""
    except json.JSONDecodeError as error:
        near = " ".join(text[max(0, error.pos - 10) : error.pos + _MOST_SHOWN].split())
        return None, f"{error.msg.lower()} at line {error.lineno}, column {error.colno}, near `{near}`"
    except (ValueError, RecursionError) as error:
        return None, str(error) if isinstance(error, ValueError) else "it is nested too deep"


def _refuse(name: str) -> object:
    raise ValueError(f"`{name}` is no number of JSON")
