"""Writes docs/reference/ from the models: `python docs/build.py`; with `--check` it says what is not fresh."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from mailweir.codes import codes
from mailweir.dtl_manual import FunctionManual, subjects
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
function in the terminal, `mailweir dtl '["upper", "a"]'` tries one. Each has a page, with examples that the tests run.

An argument in brackets may be left out; `…` stands for more of what is before it. In an argument that is called
FUNCTION, KEY or CONDITION beside VALUES, `_` is the value that is looked at.
{% for subject in subjects %}

## {{ subject.title }}

{{ subject.doc }}

| function | |
|---|---|
{% for one in subject.functions -%}
| [`{{ one.name }}`](dtl/{{ one.name | file_name }}) | {{ one.doc | sentence | cell }} |
{% endfor -%}
{% endfor %}"""

FUNCTION = """\
{{ comment }}
# {{ name }}
{% for one in ways %}

## {{ "As a transform" if one.kind == "transform" else "As an expression" }}

{% for call in one.calls %}`{{ call }}`{% if not loop.last %} or {% endif %}{% endfor %}

{{ one.doc }}{% if one.deprecated %} Old: use [`{{ one.deprecated }}`]({{ one.deprecated | file_name }}).{% endif %}

{% for example in one.examples -%}
- `{{ example.expression }}`
{%- for title in ("source", "before", "target", "rules", "datasets", "rdf") if example[title] -%}
, {{ title }} `{{ example[title] }}`
{%- endfor %}: `{{ example.result }}`
{% endfor -%}
{% endfor %}

See also
{%- for title, at in subjects.items() %} [{{ title }}](../dtl.md#{{ at }}){{ "" if loop.last else "," }}{% endfor %}.
"""

# Functions whose names are no names of files.
SIGNS = {"%": "percent", "*": "asterisk", "+": "plus-sign", "-": "minus-sign", "/": "slash", "^": "caret"}


def file_name(name: str) -> str:
    """That of the page of a function."""
    return f"{SIGNS.get(name, name.removesuffix('!'))}.md"


def sentence(text: str) -> str:
    """The first one."""
    return text.partition(". ")[0].removesuffix(".") + "."


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
    environment.filters.update(cell=cell, default_cell=default_cell, file_name=file_name, sentence=sentence)
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
    texts |= functions(environment)
    texts["welcome.svg"] = picture()
    texts["openapi.json"] = interface()
    texts["codes.md"] = environment.from_string(CODES).render(comment=COMMENT, codes=codes()).rstrip() + "\n"
    return texts


def functions(environment: Environment) -> Iterator[tuple[str, str]]:
    """A page for every function. One that is a transform too has both on it."""
    page = environment.from_string(FUNCTION)
    ways: defaultdict[str, list[FunctionManual]] = defaultdict(list)
    for subject in subjects():
        for one in subject.functions:
            ways[one.name].append(one)
    for name, found in ways.items():
        titles = {one.title: one.title.lower().replace(" ", "-") for one in found}
        text = page.render(comment=COMMENT, name=name, ways=found, subjects=titles)
        yield f"dtl/{file_name(name)}", text.rstrip() + "\n"


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
    texts = build()
    for path in FOLDER.glob("dtl/*.md"):
        if f"dtl/{path.name}" not in texts:
            stale += 1
            sys.stdout.write(f"docs/reference/dtl/{path.name} is of no function\n")
            if "--check" not in arguments:
                path.unlink()
    for name, text in texts.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        sys.stdout.write(f"docs/reference/{name} {'is not fresh' if '--check' in arguments else 'written'}\n")
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    return int("--check" in arguments and stale > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
