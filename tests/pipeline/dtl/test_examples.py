"""The examples of the public documentation of the language, where they are at hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pipeline.dtl.errors import DtlError
from pipeline.dtl.scope import Host
from pipeline.dtl.trial import RulesError, evaluated, namespaces_of, transformed
from pipeline.entity import transit

PLACES = [folder / "shared" / "reference" / "dtl" / "examples.jsonl" for folder in Path(__file__).parents[4:6]]
EXAMPLES = next((place for place in PLACES if place.is_file()), PLACES[0])
COUNT = Path(__file__).with_name("examples.count")

# What the documentation says and contradicts itself.
WRONG = {
    '["round", 2.299]': "it says 3; rounding half to even, as everywhere else in it, gives 2",
}


def lines() -> list[dict[str, Any]]:
    """The examples; none where they are not at hand."""
    if not EXAMPLES.is_file():
        return []
    return [json.loads(line) for line in EXAMPLES.read_text(encoding="utf-8").splitlines()]


def outcome(line: dict[str, Any]) -> Any:
    """What an example gives here, as JSON; a text that begins with `fails:` where it fails."""
    tried = evaluated if line["kind"] == "expr" else transformed
    host = Host(lambda: 1_767_268_800_000_000_000, lambda: UUID(int=1))
    spaces = namespaces_of(line.get("pipe", {}))
    try:
        return transit(tried(line["expr"], line["source"], line.get("target"), host, spaces))
    except (RulesError, DtlError) as error:
        return f"fails: {error}"


def alike(found: Any, expected: Any, *, near: bool) -> bool:
    """Whether two values are the same to the type; where the documentation rounds, nearly the same."""
    if near and isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(
            math.isclose(one, other, abs_tol=1e-6) for one, other in zip(found, expected, strict=True)
        )
    return json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)


@pytest.mark.skipif(not EXAMPLES.is_file(), reason="the documentation's examples are not at hand")
def test_the_documentation_is_followed() -> None:
    """As many examples as ever give what the documentation says, and none that is not excused gives something else."""
    passed, wrong, unknown = 0, [], 0
    for line in lines():
        found = outcome(line)
        name = json.dumps(line["expr"])
        if alike(found, line["expected"], near=line["origin"] == "docs-approx"):
            passed += 1
        elif isinstance(found, str) and "unknown function" in found:
            unknown += 1
        elif name not in WRONG:
            wrong.append(f"{name}: {json.dumps(found)}, not {json.dumps(line['expected'])}")
    assert wrong == []
    assert passed >= int(COUNT.read_text()), "fewer than before"
    assert passed + unknown + len(WRONG) >= len(lines())
