"""Settings of editors get the mappings and lose nothing."""

from __future__ import annotations

import json
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.editors import UnmergeableError, Use, jetbrains, vscode

USES: Final = (
    Use("Mailweir components", ".mailweir/schema/component.schema.json", ("*.conf.json", "nodeconfig.json")),
    Use("Mailweir project", ".mailweir/schema/project.schema.json", ("mailweir.json",)),
)
ENTRIES: Final = [
    {"fileMatch": ["*.conf.json", "nodeconfig.json"], "url": "./.mailweir/schema/component.schema.json"},
    {"fileMatch": ["mailweir.json"], "url": "./.mailweir/schema/project.schema.json"},
]
MOVED: Final = tuple(Use(use.title, f"/srv/schemas/{use.path.rpartition('/')[2]}", use.patterns) for use in USES)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


@pytest.mark.parametrize("text", [None, "", " \n", "{}"])
def test_new_settings_of_vscode_hold_the_mappings(text: str | None) -> None:
    """A file that is not there, empty, or without settings gets the mappings alone."""
    made = vscode(text, USES)
    assert json.loads(made) == {"json.schemas": ENTRIES}
    assert made.endswith("}\n")


@given(
    st.dictionaries(st.text(max_size=5).filter(lambda key: key != "json.schemas"), json_values, max_size=3),
    st.lists(
        json_values.filter(lambda value: not isinstance(value, dict)) | st.just({"url": "./other.json"}), max_size=3
    ),
    st.sampled_from([None, 2, 4, "\t"]),
)
def test_other_settings_of_vscode_stay(settings: dict[str, Any], others: list[Any], indent: int | str | None) -> None:
    """Every other setting and every other schema is there afterwards, in its order; a second time changes nothing."""
    before = json.dumps({**settings, "json.schemas": others}, indent=indent)
    after = vscode(before, USES)
    assert json.loads(after) == {**settings, "json.schemas": [*others, *ENTRIES]}
    assert list(json.loads(after)) == [*settings, "json.schemas"]
    assert vscode(after, USES) == after


def test_layout_of_vscode_settings_stays() -> None:
    """Indentation and line ends are those of the file."""
    before = '{\r\n    "a": "Åse"\r\n}\r\n'
    after = vscode(before, USES)
    assert after.startswith('{\r\n    "a": "Åse",\r\n    "json.schemas": [\r\n        {\r\n')
    assert after.count("\n") == after.count("\r\n")


def test_schemas_that_moved_are_mapped_once() -> None:
    """A mapping to an earlier place gives way to the new one."""
    after = json.loads(vscode(vscode(None, USES), MOVED))
    assert [entry["url"] for entry in after["json.schemas"]] == [use.path for use in MOVED]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{\n  // fonts\n  "a": 1\n}', "it has comments, or is not JSON"),
        ('{"a": 1,}', "it has comments, or is not JSON"),
        ('{"a": 1, "a": 2}', "it has comments, or is not JSON"),
        ("[" * 100_000, "it has comments, or is not JSON"),
        ("[]", "it does not hold an object"),
        ('{"json.schemas": {}}', 'its "json.schemas" is not a list'),
    ],
)
def test_settings_of_vscode_that_would_lose_something_are_left(text: str, why: str) -> None:
    """Comments, keys given twice and other things that JSON cannot carry through."""
    with pytest.raises(UnmergeableError) as refused:
        vscode(text, USES)
    assert str(refused.value) == why


def mapped(text: str) -> dict[str, tuple[str, list[str]]]:
    """The mappings in a file of JetBrains: title → schema and patterns."""
    found = {}
    for info in ET.fromstring(text).iterfind("component/state/map/entry/value/SchemaInfo"):
        options = {option.get("name"): option.get("value") for option in info.iterfind("option")}
        paths = [str(option.get("value")) for option in info.iterfind("option/list/Item/option[@name='path']")]
        found[str(options["name"])] = (str(options["relativePathToSchema"]), paths)
    return found


EXPECTED: Final = {use.title: (use.path, list(use.patterns)) for use in USES}


@pytest.mark.parametrize("text", [None, "", '<project version="4"/>'])
def test_new_settings_of_jetbrains_hold_the_mappings(text: str | None) -> None:
    """A file that is not there, empty, or without mappings."""
    made = jetbrains(text, USES)
    assert made.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<project version="4">\n')
    assert mapped(made) == EXPECTED
    assert jetbrains(made, USES) == made


def test_other_mappings_of_jetbrains_stay() -> None:
    """Those of other schemas, other components and comments are there afterwards; ours are there once."""
    before = """<?xml version="1.0" encoding="UTF-8"?>
<project version="4">
  <!-- kept -->
  <component name="Other"><option name="a" value="b" /></component>
  <component name="JsonSchemaMappingsProjectConfiguration">
    <state>
      <map>
        <entry key="theirs">
          <value>
            <SchemaInfo>
              <option name="name" value="theirs" />
              <option name="relativePathToSchema" value="their.schema.json" />
            </SchemaInfo>
          </value>
        </entry>
      </map>
    </state>
  </component>
</project>
"""
    after = jetbrains(jetbrains(before, MOVED), USES)
    assert mapped(after) == {"theirs": ("their.schema.json", []), **EXPECTED}
    assert "<!-- kept -->" in after
    assert '<component name="Other">' in after
    assert jetbrains(after, USES) == after


@pytest.mark.parametrize(
    ("text", "why"), [("<project>", "it is not XML"), ("<module/>", "it does not hold a `project`")]
)
def test_settings_of_jetbrains_that_cannot_be_read_are_left(text: str, why: str) -> None:
    """What is no project file is not written over."""
    with pytest.raises(UnmergeableError) as refused:
        jetbrains(text, USES)
    assert str(refused.value) == why
