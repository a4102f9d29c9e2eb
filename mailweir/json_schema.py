"""JSON Schemas (2020-12) for editors, computed from the config classes: what is checked is what is offered. No I/O.

The schema accepts everything that `check` accepts; it refuses what can be seen in one file without values: unknown
properties, wrong types, values out of range. `if`/`then` on `type` rather than `oneOf`, so that an editor names the
property that is wrong instead of every type that does not fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind

from mailweir import __version__
from mailweir.prototypes import prototype
from mailweir.testing.spec import Expected, Spec
from pipeline.component import Kind, Slot
from pipeline.config.check import LONGEST_ID
from pipeline.config.conditional import CONDITIONAL
from pipeline.config.registry import Registry
from pipeline.config.settings import Settings
from pipeline.config.shape import Shape, shapes

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_WHOLE: Final[Schema] = {
    "type": "string",
    "pattern": r"^\$ENV\([A-Za-z0-9_.-]+\)$",
    "patternErrorMessage": 'write the value without quotes, or a whole reference: "$ENV(name)"',
}
_WITHIN: Final[Schema] = {
    "type": "string",
    "pattern": r"\$ENV\([A-Za-z0-9_.-]+\)",
    "patternErrorMessage": 'write one of the values, or a reference: "$ENV(name)"',
}
_ID: Final[Schema] = {
    "type": "string",
    "pattern": r"^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9_.:-]*$",
    "patternErrorMessage": "an `_id` has letters, digits, `-`, `_`, `.` and `:`, and begins with a letter or digit",
    "maxLength": LONGEST_ID,
}
_FREE: Final[Schema] = {"comment": {"description": "Free words."}, "$schema": {"description": "Ignored."}}
_top_kinds: Final[tuple[Kind, ...]] = ("pipe", "system", "metadata")
_slot_kinds: Final[tuple[Kind, ...]] = ("source", "transform", "sink")


def component_schema(registry: Registry) -> Schema:
    """The schema of `*.conf.json`: one component, or a list of them."""
    return _Builder(registry).build()


def project_schema() -> Schema:
    """The schema of `mailweir.json`. Nothing in it may be a reference."""
    schema = Settings.model_json_schema(by_alias=True, schema_generator=_Lenient)
    return _head("project", "The settings of a Mailweir project.") | _tidied(schema)


def schema_of_tests() -> Schema:
    """The schema of `*.test.json`. Nothing in it may be a reference."""
    made = _tidied(Spec.model_json_schema(by_alias=True, schema_generator=_Lenient))
    made["$defs"]["Expected"] = _tidied(Expected.model_json_schema(by_alias=True, schema_generator=_Lenient))
    # An object with a name that begins with `$` is a matcher.
    plain = {"type": "object", "propertyNames": {"pattern": "^[^$]"}}
    made["$defs"]["Case"]["properties"]["expect"] |= {
        "type": ["array", "object"],
        "if": plain,
        "then": _ref("Expected"),
    }
    return _head("test", "Tests of a pipe of a Mailweir project.") | made


def _head(name: str, description: str) -> Schema:
    return {
        "$schema": DIALECT,
        "$id": f"urn:mailweir:schema:{name}:{__version__}",
        "x-mailweir-version": __version__,
        "title": f"Mailweir {name}",
        "description": description,
    }


class _Lenient(GenerateJsonSchema):
    """A plugin's type that JSON Schema has no words for accepts everything."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - pydantic's own

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:  # noqa: ANN401 - pydantic's own
        """Anything."""
        return {}


class _Builder:
    """Collects the definitions: `system:smtp`, `source:dataset`, `source` (any of them) and the objects within."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.defs: Schema = {}

    def build(self) -> Schema:
        """The whole schema."""
        top: dict[str, str] = {}
        for kind in _top_kinds:
            top |= self._components(kind)
        self.defs["component"] = self._choice("component", top)
        for kind in _slot_kinds:
            types = self._components(kind)
            for default in self._defaults(kind):
                self.defs[_choice_name(kind, default)] = self._choice(kind, types, default) | _or_whole("object")
        root: Schema = {
            "type": ["object", "array"],
            "items": _ref("component"),
            "if": {"type": "object"},
            "then": _ref("component"),
            "defaultSnippets": self._snippets("component", top),
            "$defs": dict(sorted(self.defs.items())),
        }
        return _head("component", "A system, a pipe or metadata of a Mailweir project, or a list of them.") | root

    def _defaults(self, kind: Kind) -> list[str | None]:
        """The defaults that the slots of a kind have anywhere."""
        models = [
            self.registry.find(owner, name) for owner in self.registry.types for name in self.registry.names(owner)
        ]
        slots = [shape.slot for model in models if model for shape in shapes(model).values() if shape.slot]
        return list(dict.fromkeys(slot.default for slot in slots if slot.kind == kind))

    def _components(self, kind: Kind) -> dict[str, str]:
        """Define every type of a kind: type → definition."""
        found = {}
        for type_name in self.registry.names(kind):
            model = self.registry.find(kind, type_name)
            if model:
                found[type_name] = type_name if kind in _top_kinds else f"{kind}:{type_name}"
                self._component(found[type_name], kind, model)
        return found

    def _component(self, name: str, kind: Kind, model: type[BaseModel]) -> None:
        raw = model.model_json_schema(
            by_alias=True, schema_generator=_Lenient, ref_template=f"#/$defs/{name}.{{model}}"
        )
        parts = raw.pop("$defs", {})
        # Rules are data: in a transform `$conditional_properties` is an unknown property.
        conditional = kind != "transform"
        words = {"description": _line(raw.get("description", ""))}
        self.defs[name] = words | self._object(name, raw, shapes(model), conditional=conditional)
        waiting = _named(self.defs[name])
        while waiting:
            key = waiting.pop()
            part = key.removeprefix(f"{name}.")
            if part in parts and key not in self.defs:
                made = parts[part]
                if "properties" in made:
                    self.defs[key] = self._object(key, made, {}, conditional=conditional) | _or_whole("object")
                else:
                    self.defs[key] = _or_env(made, conditional=conditional)
                waiting |= _named(self.defs[key])

    def _object(self, key: str, raw: Schema, fields: Mapping[str, Shape], *, conditional: bool) -> Schema:
        """An object whose properties may be references, and may depend on a condition."""
        properties = {
            name: self._property(name, schema, fields.get(name), conditional=conditional)
            for name, schema in raw.get("properties", {}).items()
        }
        made: Schema = {"type": "object", "properties": properties}
        if raw.get("additionalProperties") is False:
            made["additionalProperties"] = False
        # The `type` is asked for where it is chosen by: there it may have a default.
        required = [name for name in raw.get("required", ()) if name != "type"]
        if not conditional:
            return made | {"required": required}
        self.defs[f"{key}.alternative"] = _alternative(key, properties, closed="additionalProperties" in made)
        properties[CONDITIONAL] = _conditional(_ref(f"{key}.alternative"))
        made["required"] = [name for name in required if name == "_id"]
        moving = [name for name in required if name != "_id"]
        return made | ({"if": {"not": {"required": [CONDITIONAL]}}, "then": {"required": moving}} if moving else {})

    def _property(self, name: str, raw: Schema, shape: Shape | None, *, conditional: bool) -> Schema:
        words = {"description": _line(raw["description"])} if "description" in raw else {}
        if name == "_id":
            return words | _ID
        if shape and shape.slot:
            return words | _slot(shape.slot, optional=type(None) in shape.leaves)
        if raw.get("default") is not None:
            words["default"] = raw["default"]
        made = words | _or_env(_commented(raw) if shape and shape.names_values else raw, conditional=conditional)
        examples = _examples(name, raw)
        return made | ({"examples": examples} if examples else {})

    def _choice(self, kind: str, types: Mapping[str, str], default: str | None = None) -> Schema:
        """Any component of a kind: `type` decides which definition holds."""
        depends = {"required": [CONDITIONAL]}
        branches = []
        for type_name, definition in types.items():
            says: Schema = {"properties": {"type": {"const": type_name}}, "required": ["type"]}
            if type_name == default:
                says = {"anyOf": [says, {"not": {"anyOf": [{"required": ["type"]}, depends]}}]}
            branches.append({"if": {"type": "object", **says}, "then": _ref(definition)})
        names = {"enum": list(types), "enumDescriptions": [self.defs[key]["description"] for key in types.values()]}
        made: Schema = {
            "type": "object",
            "properties": {"type": {"description": f"What kind of {kind} this is.", "anyOf": [names, _WITHIN]}},
            "allOf": branches,
            "defaultSnippets": self._snippets(kind, types),
        }
        if kind == "transform":
            return made | {"required": ["type"]}
        made["properties"][CONDITIONAL] = _conditional({"type": "object"})
        return made | ({"if": {"not": depends}, "then": {"required": ["type"]}} if default is None else {})

    def _snippets(self, kind: str, types: Mapping[str, str]) -> list[Schema]:
        return [
            {
                "label": type_name,
                "description": f"A {kind} of type {type_name}",
                "body": prototype(definition, type_name, self.defs[definition]),
            }
            for type_name, definition in types.items()
        ]


def _slot(slot: Slot, *, optional: bool) -> Schema:
    one = _ref(_choice_name(slot.kind, slot.default))
    if slot.many == "list":
        return {"type": ["object", "array", "string"], "items": one, "if": {"not": {"type": "array"}}, "then": one}
    if slot.many == "object":
        return {"additionalProperties": one} | _or_whole("object") | _may_depend()
    return {"anyOf": [one, {"type": "null"}]} if optional else one


def _choice_name(kind: str, default: str | None) -> str:
    return kind if default is None else f"{kind}.{default}"


def _ref(name: str, *more: str) -> Schema:
    steps = ["$defs", name, *more]
    pointer = "/".join(quote(step.replace("~", "~0").replace("/", "~1"), safe="$:.~") for step in steps)
    return {"$ref": f"#/{pointer}"}


def _conditional(alternative: Schema) -> Schema:
    return {
        "description": "Properties that depend on a value: those of the alternative that the condition names count.",
        "type": "object",
        "properties": {
            "condition": {
                "description": 'The name of an alternative; normally "$ENV(node-env)".',
                "type": ["string", "number", "boolean", "null"],
                "examples": ["$ENV(node-env)"],
            },
            "alternatives": {
                "description": "Properties by name; one for every value that the condition can have.",
                "type": "object",
                "properties": _FREE,
                "additionalProperties": alternative,
            },
            **_FREE,
        },
        "required": ["condition", "alternatives"],
    }


def _may_depend() -> Schema:
    return {"properties": {CONDITIONAL: _conditional({"type": "object"}), **_FREE}}


def _commented(raw: Schema) -> Schema:
    """The schema of an object whose names are the user's own, with free words among them."""
    if "anyOf" in raw:
        return raw | {"anyOf": [_commented(branch) for branch in raw["anyOf"]]}
    return raw | {"properties": _FREE} if raw.get("type") == "object" else raw


def _alternative(key: str, properties: Iterable[str], *, closed: bool) -> Schema:
    """Some of an object's properties. One that changes the `type` is checked when it is chosen, not here."""
    chosen = {name: _ref(key, "properties", name) for name in properties if name not in {"_id", "type"}}
    chosen[CONDITIONAL] = _ref(key, "properties", CONDITIONAL)
    rest = {"additionalProperties": False} if closed else {}
    return {"type": "object", "if": {"not": {"required": ["type"]}}, "then": {"properties": chosen, **rest}}


def _or_whole(kind: str) -> Schema:
    """A value of this type, or a whole reference."""
    return _WHOLE | {"type": [kind, "string"]}


def _or_env(raw: Schema, *, conditional: bool = True) -> Schema:
    """The schema of a value that may come from `$ENV()`, at every depth."""
    branches = [_deep(branch, conditional=conditional) for branch in _branches(raw)]
    # A definition that is referred to takes references by itself.
    if any(_takes_any_text(branch) or "$ref" in branch for branch in branches):
        return _merged(branches)
    texts = any(branch.get("type") == "string" or "enum" in branch or "const" in branch for branch in branches)
    return _merged([*branches, _WITHIN if texts else _WHOLE])


def _deep(branch: Schema, *, conditional: bool) -> Schema:
    made = dict(branch)
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict) and made[key]:
            made[key] = _or_env(made[key], conditional=conditional)
            if key == "additionalProperties" and conditional:
                made |= _may_depend()
    return made


def _branches(raw: Schema) -> list[Schema]:
    """The alternatives of a value, without the words around them."""
    if "anyOf" in raw:
        return [found for branch in raw["anyOf"] for found in _branches(branch)]
    return [{key: value for key, value in raw.items() if key not in {"title", "description", "default"}}]


def _takes_any_text(branch: Schema) -> bool:
    limits = {"enum", "const", "pattern", "format", "minLength", "maxLength"}
    return not branch or (branch.get("type") == "string" and not limits & branch.keys())


def _merged(branches: Iterable[Schema]) -> Schema:
    """One schema of all branches: a list of types as far as every keyword speaks of one type only, else `anyOf`.

    Editors tell a wrong value against a list of types far better than against `anyOf`.
    """
    plain: Schema = {"type": []}
    choices: list[Schema] = []
    others: list[Schema] = []
    for branch in branches:
        kind = branch.get("type")
        rest = {key: value for key, value in branch.items() if key != "type"}
        if branch.keys() & {"enum", "const", "$ref"}:
            choices.append(branch)
        elif isinstance(kind, str) and kind not in plain["type"] and not rest.keys() & plain.keys():
            plain |= rest | {"type": [*plain["type"], kind]}
        elif isinstance(kind, str) and kind in plain["type"] and _takes_any_text(branch):
            plain |= rest
        else:
            others.append(branch)
    if len(plain["type"]) == 1:
        plain["type"] = plain["type"][0]
    # Choices first: an editor offers and names the first alternative that comes near.
    found = [*choices, *([plain] if plain["type"] else []), *others]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _examples(name: str, raw: Schema) -> list[str]:
    """For what may be a secret: the references, in the order in which the property takes text."""
    branches = [branch for branch in _branches(raw) if branch.get("type") == "string"]
    if not any(branch.get("writeOnly") for branch in branches):
        return []
    name = name.replace("_", "-")
    return list(dict.fromkeys(f"${'SECRET' if branch.get('writeOnly') else 'ENV'}({name})" for branch in branches))


def _named(schema: object) -> set[str]:
    """The definitions that a schema refers to directly."""
    if isinstance(schema, list):
        return {name for item in schema for name in _named(item)}
    if not isinstance(schema, dict):
        return set()
    found = {name for value in schema.values() for name in _named(value)}
    reference = schema.get("$ref")
    return found | ({reference.removeprefix("#/$defs/")} if isinstance(reference, str) else set())


def _line(text: str) -> str:
    return " ".join(text.split())


def _tidied(schema: Schema) -> Schema:
    """Without the titles that repeat the names, and without defaults that say nothing."""
    made: Schema = {}
    for key, value in schema.items():
        if key in {"properties", "$defs"}:
            made[key] = {name: _tidied(inner) for name, inner in value.items()}
        elif key == "description":
            made[key] = _line(value)
        elif key == "title" or (key == "default" and value is None):
            continue
        elif isinstance(value, dict):
            made[key] = _tidied(value)
        elif key == "anyOf":
            made |= _merged([_tidied(branch) for branch in value])
        else:
            made[key] = value
    return made
