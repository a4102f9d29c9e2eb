"""Entities are checked against a JSON Schema, and say what came of it. No I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from pipeline.component import Context, TransformConfig
from pipeline.config.given import advice
from pipeline.config.tree import Array, Node, Object
from pipeline.entity import Entity, transit, typed
from pipeline.errors import TransformError, UnusableError

if TYPE_CHECKING:
    from jsonschema_rs import Validator

    from pipeline.config.given import Given
    from pipeline.errors import Problem

# So many faults of an entity say enough, and each in so many characters: what is wrong may be as large as the entity.
_MOST_FAULTS: Final = 100
_LONGEST: Final = 300


class JsonSchemaConfig(TransformConfig):
    """Says of each entity whether it is as a JSON Schema wants it, and if not, why.

    It goes on with `valid`, and with `errors` if it is not; a deleted one goes on as it is. What the schema sees is the
    `_id` and all that is not the engine's. Typed values are their texts to it, and decimal numbers are numbers.
    """

    type: Literal["json_schema"]
    """`json_schema`."""
    declared: dict[str, object] = Field(alias="schema")
    """The schema, of any draft that `$schema` names; 2020-12 by itself. What `format` says is checked. A `$ref` leads
    to places within it only."""
    key_valid: str = "valid"
    """The property that gets true or false."""
    key_errors: str = "errors"
    """The property that gets the list of what is wrong; a valid entity does not have it."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The schema is one, and the two properties are of the entity."""
        for name in ("key_valid", "key_errors"):
            text = given.text(name)
            if text is not None and (not text or text.startswith("_")):
                help_ = advice("choose a name that does not begin with `_`: those are the engine's")
                yield given.problem("E203", "no entity can have this property", name, notes=(help_,))
        if given.get("key_valid", "valid") == given.get("key_errors", "errors"):
            at = "key_errors" if given.written("key_errors") else "key_valid"
            yield given.problem("E209", "`key_valid` and `key_errors` are the same property", at)
        if find_spec("jsonschema_rs") is None:
            help_ = advice("`pip install 'mailweir[jsonschema]'`")
            yield given.problem("E203", "this transform needs the package `jsonschema_rs`", "type", notes=(help_,))
            return
        schema = given.get("schema")
        if isinstance(schema, Mapping) and (wrong := _fault(schema)):
            words, path = wrong
            node = _node_at(given.node.members["schema"].value, path)
            at_ = given.document.span(node)
            yield given.problem("E203", "this is no JSON Schema", "schema", at=at_, label=words)

    def build(self, context: Context) -> ChecksSchema:
        """The transform itself."""
        if find_spec("jsonschema_rs") is None:
            raise UnusableError(f"pipe `{context.pipe}`: `json_schema` needs `pip install 'mailweir[jsonschema]'`")
        return ChecksSchema(_validator(self.declared), self.key_valid, self.key_errors)


class ChecksSchema:
    """Makes one entity of one."""

    def __init__(self, validator: Validator, valid: str, errors: str) -> None:
        """Take the names of the properties to set."""
        self._validator = validator
        self._valid = valid
        self._errors = errors

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """A new entity; the old one stays as it is."""
        if entity.get("_deleted") is True:
            return (entity,)
        seen = {name: value for name, value in entity.items() if name == "_id" or not name.startswith("_")}
        try:
            found = [_told(each) for each in islice(self._validator.iter_errors(_seen(seen)), _MOST_FAULTS)]
        except (ValueError, RecursionError) as error:
            raise TransformError(f"the schema cannot be asked of this entity: {error}") from None
        made = {name: value for name, value in entity.items() if name != self._errors}
        made[self._valid] = not found
        if found:
            made[self._errors] = found
        return (made,)


def _seen(value: Any) -> Any:  # noqa: ANN401 - JSON values
    """A value as a schema sees it: texts for what JSON has no form for."""
    kind = type(value)
    if kind is dict:
        return {name: _seen(inner) for name, inner in value.items()}
    if kind is list:
        return [_seen(inner) for inner in value]
    if kind is str:
        other = typed(value) if value[:1] == "~" else value
        return value if other is value else _seen(other)
    text = transit(value)
    if isinstance(text, str):
        # `~` and a tag stand before the text; numbers stay numbers.
        return value if text[:2] == "~f" else text[2:]
    return value


def _told(error: Any) -> str:  # noqa: ANN401 - as the library has it
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
    text = error.message if len(error.message) <= _LONGEST else f"{error.message[: _LONGEST - 1]}…"
    return f"{path.removeprefix('.')}: {text}" if path else text


def _refused(uri: str) -> Any:  # noqa: ANN401 - as the library wants it
    raise ValueError(f"{uri} is not asked for a schema")


def _validator(schema: Mapping[str, object], retriever: Callable[[str], Any] = _refused) -> Validator:
    """What checks; ValidationError of the library for what is no schema. Patterns take time as texts are long, only."""
    import jsonschema_rs  # noqa: PLC0415 - it may not be installed

    plain = json.loads(json.dumps(schema))
    return jsonschema_rs.validator_for(
        plain, retriever=retriever, validate_formats=True, pattern_options=jsonschema_rs.RegexOptions()
    )


def _fault(schema: Mapping[str, object]) -> tuple[str, Sequence[str | int]] | None:
    """Why this is no schema, and where in it."""
    import jsonschema_rs  # noqa: PLC0415 - as above

    sought: list[str] = []

    def refused(uri: str) -> Any:  # noqa: ANN401 - as the library wants it
        sought.append(uri)
        return _refused(uri)

    try:
        _validator(schema, refused)
    except jsonschema_rs.ValidationError as error:
        if sought:
            text, path = _outwards(schema, sought[0]) or (sought[0], ())
            return f"`{text}` is outside of the schema, and nothing is fetched", path
        words = " ".join(error.message.split())
        words = words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
        return words, tuple(error.instance_path)
    except (ValueError, TypeError, RecursionError) as error:
        return str(error) or "it is nested too deep", ()
    return None


def _outwards(value: Any, uri: str) -> tuple[str, tuple[str | int, ...]] | None:  # noqa: ANN401 - JSON values
    """The reference that leads to an address, and where it stands."""
    parts: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, Mapping):
        parts = value.items()
    elif isinstance(value, list | tuple):
        parts = enumerate(value)
    for part, inner in parts:
        if part in {"$ref", "$dynamicRef"} and isinstance(inner, str):
            to = inner.partition("#")[0]
            if to and uri.endswith(to):
                return inner, (part,)
        elif (below := _outwards(inner, uri)) is not None:
            return below[0], (part, *below[1])
    return None


def _node_at(node: Node, path: Sequence[str | int]) -> Node:
    for part in path:
        if isinstance(node, Object) and part in node.members:
            node = node.members[str(part)].value
        elif isinstance(node, Array) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
    return node
