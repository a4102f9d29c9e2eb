"""The page on templates: what it shows is what is rendered, and it leaves nothing out."""

import json
import re
from pathlib import Path

import pytest

from pipeline.template.filters import FILTERS, REFUSED, TESTS
from pipeline.template.limits import LIMITS
from pipeline.template.locales import LOCALES
from pipeline.template.runtime import Part
from pipeline.template.sandbox import FUNCTIONS
from pipeline.template.templates import Template, compile_template, variables

PAGE = (Path(__file__).parents[3] / "docs" / "templates.md").read_text(encoding="utf-8")
ENTITY = json.loads(re.findall(r"^```json entity\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0])
SHOWN = re.findall(r"^```jinja (\w+)\n(.*?)^```\n\n```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `([a-z_0-9]+)` \| `(.*?)` \| `(.*?)` \|$", re.MULTILINE)
ROWS = [(name, example.replace("\\|", "|"), gives.replace("\\|", "|")) for name, example, gives in ROW.findall(PAGE)]


def rendered(source: str, part: Part) -> str:
    """What a template gives for the entity of the page."""
    template = compile_template(source, part)
    assert isinstance(template, Template), template
    text = template.render(variables(ENTITY))
    assert isinstance(text, str), text
    return text


@pytest.mark.parametrize(("part", "source", "gives"), SHOWN)
def test_blocks_give_what_stands_below_them(part: Part, source: str, gives: str) -> None:
    """A template in the text and its result."""
    assert rendered(source, part).rstrip("\n") == gives.rstrip("\n")


@pytest.mark.parametrize(("name", "example", "gives"), ROWS)
def test_rows_give_what_they_say(name: str, example: str, gives: str) -> None:
    """Each filter, test and function is shown at work; blanks that hold words together count as blanks here."""
    assert name in example
    assert rendered(example, "text").replace("\u00a0", " ").rstrip(" ") == gives


def test_every_filter_test_and_function_has_a_row() -> None:
    """What is not on the page does not exist, and the other way round."""
    tests = {name for name in TESTS if name.isidentifier()}
    # A name can be that of a filter and of a test, so they are counted.
    assert sorted(name for name, _, _ in ROWS) == sorted([*FILTERS, *tests, *FUNCTIONS])


def test_locales_limits_and_refused_filters_are_those_of_the_code() -> None:
    """The lists and numbers in the text."""
    assert f"`{' '.join(sorted(LOCALES))}`" in PAGE
    assert ", ".join(f"`{name}`" for name in sorted(REFUSED)) in " ".join(PAGE.split())
    for number in (LIMITS.source, LIMITS.tokens, LIMITS.steps, LIMITS.output, LIMITS.text):
        assert f"{number:,}" in PAGE
    assert f"{LIMITS.depth} levels" in PAGE
