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

# What the documentation prints, where it contradicts itself or JSON, and the examples have been corrected.
PRINTED: dict[str, tuple[Any, str]] = {
    '["base64-decode", "YWJj"]': ("~babc", "bytes are written in base64, as in its next example"),
    '["datetime-parse", "Europe/Oslo", "%Y-%m-%dT%H:%M:%S", "2018-08-18T12:39:01"]': (
        "~t2018-08-08T10:39:01Z",
        "the day is the 18th",
    ),
    '["hash128", "murmur3", ["combine", "abc", 123, "def"]]': (
        [[79267961763742113019008347020647561319, 114697464648834432121201791580882983835]],
        "a list gives a list, not a list in a list",
    ),
    '["hex", ["list", 1, "~rhttp://www.example.org/", 124.4, 12345]]': (
        ["0x1", "0x3039"],
        "1 alone is written with two digits",
    ),
    '["json", ["list", "abc", ["list", 1, 2, 3], {"b": 2, "a": 1}, ["uri", "http://www.example.org/"], 124.4,'
    " 12345]]": (
        ['"abc"', "[1, 2, 3]", '{"a": 1, "b": 2}', "http://www.example.org/", "124.4", "12345"],
        "an address without quotes is no JSON",
    ),
    '["json-transit", ["list", "abc", ["list", 1, 2, 3], {"b": 2, "a": 1}, ["uri", "http://www.example.org/"], 124.4,'
    " 12345]]": (
        ['"abc"', "[1, 2, 3]", '{"a": 1, "b": 2}', "~rhttp://www.example.org/", "124.4", "12345"],
        "an address without quotes is no JSON",
    ),
    '["url-unquote", ["list", 1, "%C3%A5", ["uri", "http://example.com"], "foo%20bar"]]': (
        ["%25C3%25A5", "foo%2520bar"],
        "it calls `url-quote`, which would give this",
    ),
    '["uuid", ["list", "abc98f65-ddf5-1234-a8f5-82f6d8e601a8", 2, "9f598f65-eea5-4906-a8f5-82f6d8e69726"]]': (
        ["~uabc98f65-ddf5-1234-a8f5-82f6d8e69726", "~u9f598f65-eea5-4906-a8f5-82f6d8e69726"],
        "the first is another UUID than the one that goes in",
    ),
}
# What is suspect, and was not corrected.
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


@pytest.mark.skipif(not EXAMPLES.is_file(), reason="the documentation's examples are not at hand")
def test_the_errors_of_the_documentation_are_known() -> None:
    """Each is named with its reason; what is done is what it means, and not what it prints."""
    corrected = {json.dumps(line["expr"]): line for line in lines() if line["origin"] == "docs-corrected"}
    assert set(corrected) == set(PRINTED)
    for name, line in corrected.items():
        found = outcome(line)
        assert alike(found, line["expected"], near=False), name
        assert not alike(found, PRINTED[name][0], near=False), name
    suspects = {
        json.dumps(line["expr"]): line
        for line in lines()
        if line["origin"] == "docs-suspect" or "SUSPECT" in str(line.get("note"))
    }
    assert set(suspects) == set(WRONG)
    for line in suspects.values():
        assert not alike(outcome(line), line["expected"], near=False)
