"""Writes docs/reference/ from the models: `python docs/build.py`; with `--check` it says what is not fresh."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from mailweir.codes import codes
from mailweir.dtl_manual import subjects
from mailweir.flow_graph import svg
from mailweir.flow_graph.build import build as graph_of
from mailweir.manual import PropertyManual, manuals
from mailweir.web.open import routes_of
from mailweir.web.openapi import document_of
from pipeline.config.installed import installed
from pipeline.config.load import Options, load

FOLDER = Path(__file__).parent / "reference"
COMMENT = "<!-- Written by docs/build.py from the models: change the docstrings there. -->"

pages = {
    "systems": ("Systems", ("system",)),
    "sources": ("Sources", ("source",)),
    "transforms": ("Transforms", ("transform",)),
    "sinks": ("Sinks", ("sink",)),
    "pipes": ("Pipes and projects", ("pipe", "metadata", "settings")),
}

TYPES = """\
{{ comment }}
# {{ title }}
{% for manual in manuals %}

## {{ manual.title }}

{{ manual.summary }}

| property | type | default | |
|---|---|---|---|
{% for name, one in manual.rows -%}
| `{{ name }}` | {{ one.type_words | cell }} | {{ one | default_cell }} | {{ one.description | cell }} |
{% endfor -%}
{% endfor %}"""

CODES = """\
{{ comment }}
# Codes

`mailweir explain E201` shows the page of a code, with a wrong and a right example. W stands for a warning.
Reserved codes belong to parts of Mailweir that have not arrived; nothing reports them.

| code | |
|---|---|
{% for page in codes -%}
| {{ page.code }} | {{ page.title | cell }}{% if page.reserved %} (reserved){% endif %} |
{% endfor %}"""


FUNCTIONS = """\
{{ comment }}
# Functions of the Data Transformation Language

Rules are lists of transforms, in JSON; what a transform takes is an expression. `mailweir explain dtl.concat` shows a
function in the terminal, `mailweir dtl '["upper", "a"]'` tries one.

An argument in brackets may be left out; `…` stands for more of what is before it. In an argument that is called
FUNCTION, KEY or CONDITION beside VALUES, `_` is the value that is looked at. Every example is run by the tests.
{% for subject in subjects %}

## {{ subject.title }}

{{ subject.doc }}
{% for one in subject.functions %}
### {{ one.name }}

{% for call in one.calls %}`{{ call }}`{% if not loop.last %} or {% endif %}{% endfor %}

{{ one.doc }}{% if one.deprecated %} Old: use `{{ one.deprecated }}`.{% endif %}

{% for example in one.examples -%}
- `{{ example.expression }}`
{%- for title in ("source", "before", "target", "rules", "datasets") if example[title] -%}
, {{ title }} `{{ example[title] }}`
{%- endfor %}: `{{ example.result }}`
{% endfor -%}
{% endfor -%}
{% endfor %}"""


def cell(text: str) -> str:
    """Text for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def default_cell(one: PropertyManual) -> str:
    """The default, or that there is none."""
    if one.required:
        return "required"
    return f"`{cell(one.default)}`" if one.default is not None else ""


def rows(properties: Iterable[PropertyManual], prefix: str = "") -> Iterator[tuple[str, PropertyManual]]:
    """Every property by its full name, those of objects below their own."""
    for one in properties:
        if one.name == "$schema" or (prefix and one.name == "comment"):
            continue
        yield prefix + one.name, one
        yield from rows(one.nested, f"{prefix}{one.name}.")


def build() -> dict[str, str]:
    """File name → text of every page."""
    environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    environment.filters.update(cell=cell, default_cell=default_cell)
    types = environment.from_string(TYPES)
    known = list(manuals(installed()))
    texts = {}
    for name, (title, kinds) in pages.items():
        chosen = [
            {"title": manual.title, "summary": manual.summary, "rows": list(rows(manual.properties))}
            for manual in known
            if manual.kind in kinds
        ]
        texts[f"{name}.md"] = types.render(comment=COMMENT, title=title, manuals=chosen).rstrip() + "\n"
    texts["dtl.md"] = environment.from_string(FUNCTIONS).render(comment=COMMENT, subjects=subjects()).rstrip() + "\n"
    texts["welcome.svg"] = picture()
    texts["openapi.json"] = interface()
    texts["codes.md"] = environment.from_string(CODES).render(comment=COMMENT, codes=codes()).rstrip() + "\n"
    return texts


def interface() -> str:
    """What `mailweir serve` answers, as OpenAPI has it."""
    site: Any = None  # routes are declared before anything answers them
    return json.dumps(document_of(routes_of(site)), indent=1, ensure_ascii=False) + "\n"


def picture() -> str:
    """The flow of configs/welcome, for the README."""
    root = FOLDER.parent.parent / "configs" / "welcome"
    project = load(root, Options(environ={}, here=root)).project
    return svg.draw(graph_of(project.components))


def main(arguments: list[str]) -> int:
    """Write the pages, or only compare."""
    stale = 0
    FOLDER.mkdir(exist_ok=True)
    for name, text in build().items():
        path = FOLDER / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        sys.stdout.write(f"docs/reference/{name} {'is not fresh' if '--check' in arguments else 'written'}\n")
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    return int("--check" in arguments and stale > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
