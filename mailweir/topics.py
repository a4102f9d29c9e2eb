"""What someone may ask `mailweir explain` about, and the answer as facts. Pure, given a `Registry`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mailweir import codes, words
from mailweir.codes import CodePage
from mailweir.dtl_manual import FunctionManual, functions
from mailweir.manual import SETTINGS, PropertyManual, TypeManual, kinds, manual, manuals, settings_manual
from mailweir.words import Word
from pipeline.component import Kind
from pipeline.config.registry import Registry

# Kinds that have several types, and are a question of their own.
plural: Final[dict[Kind, str]] = {"system": "systems", "source": "sources", "transform": "transforms", "sink": "sinks"}
# Objects that people name as if they were components.
_objects: Final = {"pump": ("pipe", "pump")}
# What stands before the name of a function of the Data Transformation Language.
DTL: Final = "dtl."
_settings_names: Final = (SETTINGS, "settings")


@dataclass(frozen=True, slots=True)
class KindTopic:
    """A kind of component, and its types."""

    kind: Kind
    types: tuple[TypeManual, ...]


@dataclass(frozen=True, slots=True)
class PropertyTopic:
    """A property, and the type that has it."""

    owner: TypeManual
    path: str
    property: PropertyManual


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that can be asked for. `types` are by kind."""

    codes: tuple[str, ...]
    types: Mapping[str, Sequence[str]]
    words: tuple[str, ...]


Topic = CodePage | Word | KindTopic | TypeManual | PropertyTopic | FunctionManual | Overview


class UnknownTopicError(LookupError):
    """Nothing is known by this name. `known` are names of which one may have been meant."""

    def __init__(self, message: str, name: str = "", known: Sequence[str] = ()) -> None:
        """The message is a sentence without its full stop."""
        super().__init__(message)
        self.name = name
        self.known = known


def overview(registry: Registry) -> Overview:
    """Every name, without importing a type."""
    return Overview(
        tuple(page.code for page in codes.codes()),
        {**{kind: registry.names(kind) for kind in kinds}, "settings": [SETTINGS]},
        tuple(word.name for word in words.words()),
    )


def topics(asked: str, registry: Registry) -> Sequence[Topic]:
    """Everything that has this name: a code, a word, a kind, types, a property of types; without one, the overview."""
    asked = " ".join(asked.split())
    if not asked:
        return (overview(registry),)
    if codes.is_code(asked):
        return (_code(asked),)
    word = words.find(asked)
    if word:
        return (word,)
    text = asked.lower()
    if text.startswith(DTL):
        called = list(functions(text.removeprefix(DTL)))
        if called:
            return [*called, *_properties(text, registry)]
    for kind, many in plural.items():
        if text in {kind, many}:
            return (KindTopic(kind, tuple(_types(kind, registry))),)
    return list(_types_named(text, registry)) or list(_properties(text, registry)) or _nothing(asked, registry)


def _code(asked: str) -> CodePage:
    page = codes.find(asked)
    if page is None:
        pages = codes.codes()
        known = f"Codes go {pages[0].code} to {pages[-1].code}: mailweir list codes"
        raise UnknownTopicError(f"no code {asked.upper()}. {known}")
    return page


def _types(kind: Kind, registry: Registry) -> Iterator[TypeManual]:
    for name in registry.names(kind):
        found = manual(registry, kind, name)
        if found:
            yield found


def _spellings(kind: Kind, name: str) -> set[str]:
    """How people ask for a type: `mail`, `sink mail`, `sink:mail`; `smtp`, `system:smtp`."""
    short = name.removeprefix("system:").lower()
    return {short} if kind == short else {short, f"{kind} {short}", f"{kind}:{short}"}


def _types_named(text: str, registry: Registry) -> Iterator[TypeManual]:
    for kind in kinds:
        for name in registry.names(kind):
            if text in _spellings(kind, name) and (found := manual(registry, kind, name)):
                yield found
    if text in _settings_names:
        yield settings_manual()


def _properties(text: str, registry: Registry) -> Iterator[PropertyTopic]:
    """The property at the end of `type.property`, in every type of that name that has it."""
    first, _, rest = text.partition(".")
    if first in _objects:
        text = ".".join([*_objects[first], rest]).rstrip(".")
    for one, path in _owners(text, registry):
        found = one.find(path)
        if found:
            yield PropertyTopic(one, _written(one.properties, path), found)


def _owners(text: str, registry: Registry) -> Iterator[tuple[TypeManual, str]]:
    """Each way to read the text as a type, a dot, and the rest. A type's name may have a dot itself."""
    for at, character in enumerate(text):
        if character == ".":
            for owner in _types_named(text[:at], registry):
                yield owner, text[at + 1 :]


def _written(properties: Sequence[PropertyManual], path: str) -> str:
    """The path in the case in which a configuration writes it."""
    first, _, rest = path.partition(".")
    found = next(one for one in properties if one.name.lower() == first)
    return f"{found.name}.{_written(found.nested, rest)}" if rest else found.name


def _nothing(asked: str, registry: Registry) -> Sequence[Topic]:
    if asked.lower().startswith(DTL):
        name = asked[len(DTL) :]
        raise UnknownTopicError(
            f"no function '{name}': mailweir list functions", name, [one.name for one in functions()]
        )
    owners = list(_owners(asked.lower(), registry))
    if owners:
        path = owners[0][1]
        titles = " and ".join(owner.title for owner, _ in owners)
        known = [name for owner, _ in owners for name in _paths(owner.properties)]
        raise UnknownTopicError(f"{titles} {'has' if len(owners) == 1 else 'have'} no property '{path}'", path, known)
    message = f"nothing is known about '{asked}'"
    homes = [f"{one.title}.{name}" for one in manuals(registry) for name in _paths(one.properties) if name == asked]
    if homes:
        raise UnknownTopicError(f"{message}. A property of this name: mailweir explain {homes[0]}")
    if any(one.name == asked.lower() for one in functions()):
        raise UnknownTopicError(f"{message}. A function of this name: mailweir explain {DTL}{asked.lower()}")
    types = [spelling for kind in kinds for name in registry.names(kind) for spelling in sorted(_spellings(kind, name))]
    known = [*types, *_settings_names, *_objects, *plural.values(), *(word.name for word in words.words())]
    raise UnknownTopicError(message, asked, known)


def _paths(properties: Sequence[PropertyManual], before: str = "") -> Iterator[str]:
    for one in properties:
        yield before + one.name
        yield from _paths(one.nested, f"{before}{one.name}.")
