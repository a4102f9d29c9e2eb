"""The schemas for editors say what the check says, as far as one file without values can tell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mailweir import __version__
from mailweir.codes import codes
from mailweir.json_schema import component_schema, project_schema, schema_of_tests
from pipeline.component import Many, SinkConfig, SystemConfig
from pipeline.config.check import id_fault
from pipeline.config.installed import installed
from pipeline.config.lookup import Place
from pipeline.config.project import compile_project
from pipeline.config.registry import Entry, Registry
from pipeline.config.resolve import Lookup
from pipeline.config.text import read
from pipeline.secret import Secret

CONFIGS: Final = Path(__file__).parents[2] / "configs"
COMPONENT: Final = component_schema(installed())
PROJECT: Final = project_schema()
TEST: Final = schema_of_tests()
components: Final = Draft202012Validator(COMPONENT)
projects: Final = Draft202012Validator(PROJECT)

EXAMPLES: Final = sorted(path for path in CONFIGS.rglob("*.conf.json") if "faulty" not in path.parts)
SYSTEM: Final[dict[str, Any]] = {
    "_id": "relay",
    "type": "system:smtp",
    "comment": ["two", "lines"],
    "servers": [
        {"smtp_server": "a.example.com", "smtp_port": 587, "tls": "starttls"},
        {"url": "smtps://b.example.com"},
    ],
    "smtp_username": "$ENV(user)",
    "smtp_password": "$SECRET(password)",
    "xverp": "if_offered",
    "auth": ["PLAIN", "LOGIN"],
    "timeouts": {"greeting": 30.5, "quit": 1},
    "connections": "$ENV(connections)",
    "metadata": {"owner": {"team": "post"}},
}
PIPE: Final[dict[str, Any]] = {
    "_id": "hello",
    "type": "pipe",
    "source": {
        "type": "conditional",
        "condition": "$ENV(node-env)",
        "alternatives": {
            "test": {"type": "embedded", "entities": [{"_id": "1", "any": {"thing": [1, None]}}]},
            "prod": {"type": "union_datasets", "datasets": ["a", "b"]},
        },
    },
    "transform": [{"type": "lower_keys"}, {"type": "dtl", "rules": {"default": [["copy", "*"]]}}],
    "sink": {"deletion_tracking": False},
    "pump": {"mode": "manual"},
    "namespaces": {"identity": "shop", "property": "shop"},
}
DOCUMENTS: Final = [SYSTEM, PIPE, [SYSTEM, PIPE], *(json.loads(path.read_text()) for path in EXAMPLES)]
# The properties under a condition that nobody can evaluate here are not looked at by the check.
UNCONDITIONAL: Final = [document for document in DOCUMENTS if "$conditional_properties" not in document]


SECRETS: Final = Place("given", "given", {name: Secret("correct horse") for name in ("password", "y", "smtp-password")})


def shape_faults(document: object) -> list[str]:
    """What the check says of the shape of a file, with every variable taken as set and of the right type."""
    text = json.dumps(document)
    lookup = Lookup(secrets=[SECRETS], take_env=False)
    project = compile_project([read(text, "a.conf.json")], installed(), lookup)
    return [problem.message for problem in project.problems if problem.code.startswith(("E2", "E31"))]


def test_the_schemas_are_schemas() -> None:
    """All hold against the schema of schemas, and carry the version."""
    for schema in (COMPONENT, PROJECT, TEST):
        Draft202012Validator.check_schema(schema)
        assert schema["x-mailweir-version"] == __version__
        assert schema["$id"].startswith("urn:mailweir:schema:")
        assert schema["$id"].endswith(__version__)


def test_every_reference_leads_to_a_definition() -> None:
    """No `$ref` dangles, and no definition is left that nothing refers to."""
    for schema in (COMPONENT, PROJECT, TEST):
        named = {found.removeprefix("#/$defs/").split("/properties/")[0] for found in references(schema)}
        assert named == set(schema["$defs"])


def references(schema: object) -> Iterator[str]:
    """Every `$ref` within."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        schema = list(schema.values())
    for value in schema if isinstance(schema, list) else ():
        yield from references(value)


def test_no_class_of_the_program_shows() -> None:
    """What an editor shows has words of the configuration: no class name, no title made of one."""
    words = json.dumps([shown for schema in (COMPONENT, PROJECT) for shown in texts(schema)])
    assert not re.search(r"[a-z]Config\b|BaseModel|pydantic", words)


def texts(schema: object) -> Iterator[str]:
    """Everything that is text for people."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in {"title", "description", "patternErrorMessage", "label"} and isinstance(value, str):
                yield value
            yield from texts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from texts(value)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.relative_to(CONFIGS).as_posix())
def test_every_example_project_holds(path: Path) -> None:
    """No editor marks anything in the projects that `init` copies."""
    assert list(components.iter_errors(json.loads(path.read_text()))) == []


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("mailweir.json")), ids=lambda path: path.parent.name)
def test_the_settings_of_every_example_project_hold(path: Path) -> None:
    """Nor in their settings."""
    assert list(projects.iter_errors(json.loads(path.read_text()))) == []


def right_files() -> Iterator[Any]:
    """The files of the right examples of all codes."""
    for page in codes():
        for block in page.right:
            if block.file.endswith((".conf.json", "mailweir.json")):
                yield pytest.param(block.file, block.text, id=f"{page.code}-{block.file}")


@pytest.mark.parametrize(("file", "text"), list(right_files()))
def test_every_right_example_holds(file: str, text: str) -> None:
    """What the page of a code shows as right is right for an editor."""
    validator = projects if file.endswith("mailweir.json") else components
    assert list(validator.iter_errors(json.loads(text))) == []


@pytest.mark.parametrize(
    ("where", "what"),
    [
        (("smtp_prot",), 25),
        (("smtp_port",), "587"),
        (("smtp_port",), True),
        (("smtp_port",), 0),
        (("smtp_port",), 65536),
        (("smtp_port",), "$SECRET(port)"),
        (("use_tls",), "yes"),
        (("max_per_hour",), 1.5),
        (("pipelining",), "MAYBE"),
        (("type",), "system:smpt"),
        (("type",), "pipe"),
        (("_id",), "a/b"),
        (("timeouts", "dto"), 1),
        (("timeouts", "dot"), "10"),
        (("timeouts",), 30),
        (("servers", 0, "smtp_serve"), "x"),
        (("servers", 0, "smtp_port"), []),
        (("servers",), {"smtp_server": "a"}),
        (("auth", 0), "plain"),
    ],
)
def test_a_fault_of_shape_in_a_system_is_refused(where: tuple[str | int, ...], what: object) -> None:
    """Unknown properties, wrong types, values out of range: at the top, in objects and in lists. The check agrees."""
    document = with_value(SYSTEM, where, what)
    assert not components.is_valid(document)
    assert not components.is_valid([document])
    assert shape_faults(document)


@pytest.mark.parametrize(
    ("where", "what"),
    [
        (("sauce",), {}),
        (("source",), "customers"),
        (("source", "type"), "embeded"),
        (("source", "alternatives", "test", "entites"), []),
        (("source", "alternatives", "test", "entities"), {"_id": "1"}),
        (("source", "alternatives", "prod", "type"), "mail"),
        (("transform", 0, "rules"), {}),
        (("transform", 1, "$conditional_properties"), {"condition": "x", "alternatives": {"x": {}}}),
        (("transform",), {"type": "title_keys"}),
        (("sink", "system"), "relay"),
        (("sink",), {"type": "mail", "system": "relay"}),
        (("pump", "mode"), "often"),
        (("pump", "every"), 30),
        (("pump", "$conditional_properties"), {"condition": "x", "alternatives": {"x": {"mod": "off"}}}),
        (("pump", "$conditional_properties"), {"condition": "x", "alternatives": {"x": {"mode": "never"}}}),
        (("pump", "$conditional_properties"), {"condition": "x", "alternatives": {"x": "off"}}),
        (("pump", "$conditional_properties"), {"condition": "x"}),
    ],
)
def test_a_fault_of_shape_in_a_pipe_is_refused(where: tuple[str | int, ...], what: object) -> None:
    """As in a system, and in every part of a pipe."""
    document = with_value(PIPE, where, what)
    assert not components.is_valid(document)
    assert shape_faults(document)


def with_value(document: dict[str, Any], where: tuple[str | int, ...], what: object) -> Any:
    """A copy of the document with another value somewhere."""
    copy: Any = deepcopy(document)
    *way, last = where
    spot = copy
    for step in way:
        spot = spot[step]
    spot[last] = what
    return copy


def test_what_is_written_without_a_fault_is_accepted() -> None:
    """The documents of these tests are right for the check and for an editor."""
    for document in DOCUMENTS:
        assert shape_faults(document) == []
        assert list(components.iter_errors(document)) == []


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 70_000)
    | st.floats(-1, 2)
    | st.sampled_from(["", "25", "off", "dataset", "mail", "system:smtp", "pipe", "starttls", "x$SECRET(y)z", "a/b"])
)
names = st.sampled_from(
    sorted(
        {name for definition in COMPONENT["$defs"].values() for name in definition.get("properties", {})}
        - {"$conditional_properties"}
        | {"nonsense"}
    )
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3), max_leaves=4
)


@given(st.data())
def test_whatever_the_check_accepts_an_editor_accepts(data: st.DataObject) -> None:
    """No false alarm: a file in which the check finds no fault of shape holds against the schema."""
    document = data.draw(st.sampled_from(UNCONDITIONAL).map(deepcopy))
    for _ in range(data.draw(st.integers(1, 3))):
        spot: Any = document
        while True:
            if isinstance(spot, dict):
                key: Any = data.draw(st.sampled_from(sorted(spot)) | names) if spot else data.draw(names)
            elif isinstance(spot, list) and spot:
                key = data.draw(st.integers(0, len(spot) - 1))
            else:
                break
            below = spot.get(key) if isinstance(spot, dict) else spot[key]
            if not isinstance(below, dict | list) or data.draw(st.integers(0, 3)) == 0:
                if isinstance(spot, dict) and key in spot and data.draw(st.booleans()):
                    del spot[key]
                else:
                    spot[key] = data.draw(values)
                break
            spot = below
    errors = [f"{error.json_path}: {error.message}" for error in components.iter_errors(document)]
    note(json.dumps(document))
    note(str(errors))
    assert not errors or shape_faults(document)


@pytest.mark.parametrize(
    "spot",
    [
        {"_id": "relay", "type": "system:smtp"},
        {"type": "pipe", "_id": "p"},
        {"type": "metadata", "_id": "node"},
    ],
    ids=lambda spot: spot["type"],
)
def test_properties_may_depend_on_a_condition(spot: dict[str, Any]) -> None:
    """At the top of each component an alternative holds some of its properties, and nothing that it has not."""

    def depending(properties: object) -> dict[str, Any]:
        return {**spot, "$conditional_properties": {"condition": "$ENV(x)", "alternatives": {"a": properties, "b": {}}}}

    assert components.is_valid(depending({"name": "a name"}))
    assert components.is_valid(depending(depending({"name": "a name"}) | {"type": spot["type"]}))
    assert not components.is_valid(depending({"name": 1}))
    assert not components.is_valid(depending([]))
    assert components.is_valid(depending({"nmae": "x"})) == (spot["type"] == "metadata")


def test_what_an_alternative_may_bring_is_not_missed() -> None:
    """A part that must be there, and the `type` itself, may come from an alternative; otherwise they are missed."""
    for source in ({"dataset": "a"}, {"type": "dataset"}, {}):
        choice = {"condition": "$ENV(x)", "alternatives": {"a": {"type": "dataset", "dataset": "a"}}}
        pipe: dict[str, Any] = {"_id": "p", "type": "pipe", "source": source}
        assert not components.is_valid(pipe)
        pipe["source"] = {**source, "$conditional_properties": choice}
        assert components.is_valid(pipe)


def references_for(definition: str) -> list[str]:
    """The properties of a definition whose value may come from a variable."""
    fixed = {"_id", "type", "comment", "$schema", "$conditional_properties"}
    return [name for name in COMPONENT["$defs"][definition]["properties"] if name not in fixed]


@pytest.mark.parametrize("name", references_for("system:smtp"))
def test_every_property_may_come_from_a_variable(name: str) -> None:
    """A whole `$ENV()` stands for a value of any type."""
    assert components.is_valid({"_id": "relay", "type": "system:smtp", name: "$ENV(value)"})


def test_a_reference_within_a_text_is_text() -> None:
    """It may be one of several words, and is no number."""
    assert components.is_valid({"_id": "relay", "type": "system:smtp", "tls": "start$ENV(rest)"})
    assert not components.is_valid({"_id": "relay", "type": "system:smtp", "smtp_port": "25$ENV(digit)"})


def test_secrets_are_offered_where_secrets_belong() -> None:
    """Completion of a password begins with the reference to a secret; elsewhere none is offered."""
    properties = COMPONENT["$defs"]["system:smtp"]["properties"]
    assert properties["smtp_password"]["examples"] == ["$SECRET(smtp-password)", "$ENV(smtp-password)"]
    assert properties["smtp_username"]["examples"] == ["$ENV(smtp-username)", "$SECRET(smtp-username)"]
    passphrase = "tls_client_key_password"
    assert properties[passphrase]["examples"] == ["$SECRET(tls-client-key-password)"]
    offered = {name for name, schema in properties.items() if "examples" in schema}
    assert offered == {"smtp_username", "smtp_password", passphrase}


def test_words_beside_a_property_are_its_docstring() -> None:
    """What hovers over a property in an editor is what `explain` says."""
    limit = COMPONENT["$defs"]["system:smtp"]["properties"]["max_per_hour"]
    assert limit["description"].startswith(
        "The most messages that leave through this system in any span of 60 minutes."
    )
    assert limit["default"] == 1000


@given(st.text(alphabet="ab1-_.:/ é$()", max_size=6) | st.text(max_size=130))
def test_ids_are_refused_as_the_check_refuses_them(text: str) -> None:
    """The pattern of `_id` and the check say the same of every text."""
    valid = components.is_valid({"_id": text, "type": "system:smtp"})
    # A `$` of Python's patterns stands before a last line break too; that of an editor does not.
    assert valid == (id_fault(text) is None) or text.endswith("\n")


def snippets(schema: object) -> Iterator[dict[str, Any]]:
    """Every prototype in a schema."""
    if isinstance(schema, dict):
        yield from schema.get("defaultSnippets", ())
        schema = list(schema.values())
    for value in schema if isinstance(schema, list) else ():
        yield from snippets(value)


def filled(body: object) -> Any:
    """What an editor puts into the file for a snippet."""
    if isinstance(body, dict):
        return {key: filled(value) for key, value in body.items()}
    if isinstance(body, list):
        return [filled(value) for value in body]
    if not isinstance(body, str):
        return body
    text = re.sub(r"\$\{\d+:((?:\\.|[^\\}])*)\}", r"\1", body)
    text = re.sub(r"\\(.)", r"\1", text)
    return json.loads(text[1:]) if text.startswith("^") else text


def test_prototypes_are_right() -> None:
    """Whatever an editor puts in for a new component is accepted by the check and by the schema."""
    tops = [filled(snippet["body"]) for snippet in COMPONENT["defaultSnippets"]]
    assert {top["type"] for top in tops} == {"pipe", "metadata", *installed().names("system")}
    for top in tops:
        assert components.is_valid(top)
        assert shape_faults(top) == []
    parts = list(snippets(COMPONENT["$defs"]))
    assert len(parts) > len(tops)
    for snippet in parts:
        body = filled(snippet["body"])
        kind = snippet["description"].split()[1]
        if kind == "component":
            continue
        pipe = {"_id": "p", "type": "pipe", "source": {"type": "empty"}, kind: body}
        assert list(components.iter_errors(pipe)) == []
        assert [fault for fault in shape_faults(pipe) if "has none for" not in fault] == []


class Odd:
    """A type that JSON Schema has no words for."""


class Color(Enum):
    """Choices that are a class."""

    RED = "red"


class OddConfig(SystemConfig):
    """Brought by a plugin."""

    type: Literal["system:odd"]
    count: int
    """Must be written."""
    on: bool
    """Must be written."""
    names: Many[str]
    """Must be written."""
    what: Odd | None = None
    """Anything."""
    color: Color | None = None
    """One of some words."""
    level: int | float = 1
    """Two kinds of numbers."""


class ClosedConfig(SinkConfig):
    """Brought by a plugin."""

    type: Literal["closed"]
    by: Mapping[str, int]
    """Numbers by name."""


def test_types_of_plugins_are_in_the_schema() -> None:
    """They are checked as far as JSON Schema can; what it has no words for accepts everything."""
    own = installed()
    types = {kind: dict(entries) for kind, entries in own.types.items()}
    types["system"]["odd"] = Entry("odd", "plugin", lambda: OddConfig)
    types["sink"]["closed"] = Entry("closed", "plugin", lambda: ClosedConfig)
    schema = component_schema(Registry(types))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    (snippet,) = (one for one in schema["defaultSnippets"] if one["label"] == "system:odd")
    odd = filled(snippet["body"])
    assert odd == {"_id": "id", "type": "system:odd", "count": 0, "on": True, "names": ["names"]}
    right = {"what": [1], "level": 1.5, "color": "red", "count": "$ENV(count)"}
    wrong = {"level": "high", "waht": 1, "color": "blue", "names": [1], "on": "yes"}
    assert validator.is_valid({**odd, **right})
    assert validator.is_valid({**odd, "color": "$ENV(color)"})
    assert not [name for name, value in wrong.items() if validator.is_valid({**odd, name: value})]
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "empty"}}
    assert validator.is_valid({**pipe, "sink": {"type": "closed", "by": {"a": 1, "b": "$ENV(b)"}}})
    assert not validator.is_valid({**pipe, "sink": {"type": "closed", "by": {"a": "one"}}})
    assert not components.is_valid({**pipe, "sink": {"type": "closed", "by": {}}})


@pytest.mark.parametrize(
    "settings", [{"exclud": []}, {"exclude": "faulty"}, {"profile": "a b"}, {"secrets": {"dir": "x"}}]
)
def test_faulty_settings_are_refused(settings: object) -> None:
    """Unknown names and wrong types in `mailweir.json`."""
    assert not projects.is_valid(settings)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"$schema": "test.schema.json", "comment": "x", "pipe": "a", "stage": "mail", "endpoint": "eml"},
        {"cases": [{"name": "a", "given": {"a": "a.json"}, "expect": [{"_id": {"$any": True}}]}]},
        {"cases": [{"name": "a", "given": [], "expect": {"outcomes": ["sent"], "error": {"$contains": "x"}}}]},
        {"cases": [{"name": "a", "expect": {"$file": "a.json"}, "system": {"max_per_hour": 0}}]},
        *(json.loads(path.read_text()) for path in sorted(CONFIGS.rglob("*.test.json"))),
    ],
)
def test_what_a_test_file_may_hold(document: Any) -> None:
    """Tests of the example projects, and others that are right."""
    assert list(Draft202012Validator(TEST).iter_errors(document)) == []


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"pip": "a"},
        {"stage": "mial"},
        {"cases": [{"name": "a"}]},
        {"cases": [{"name": "a", "expect": {"mial": []}}]},
        {"cases": [{"name": "a", "expect": "x"}]},
        {"system": {"max_per_hours": 1}},
    ],
)
def test_what_no_test_file_may_hold(document: Any) -> None:
    """A misspelt word, and a case that expects nothing, are marked while they are written."""
    assert list(Draft202012Validator(TEST).iter_errors(document)) != []
