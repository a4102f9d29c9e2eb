"""Systems for people: what each is, what stands in its configuration, how full its window is. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from mailweir.ledger.windows import Gate
from mailweir.listing.components import address
from pipeline.secret import Secret
from systems.address import split

if TYPE_CHECKING:
    from mailweir.serving.pauses import Pause
    from pipeline.config.typed import Component
    from pipeline.state.views import Usage

# The properties that every component has say nothing more here.
_everywhere: Final = frozenset({"_id", "id", "type", "comment", "description"})
_MOST: Final = 200


class Fact(NamedTuple):
    """A property: its value, or that a secret is set."""

    name: str
    value: str


class SystemRow(NamedTuple):
    """A system in the list. `usage` is that of its window, if it carries mail."""

    id: str
    type: str
    address: str
    pipes: Sequence[str]
    usage: Usage | None
    pause: Pause | None


def system_rows(
    components: Sequence[Component],
    gates: Iterable[Gate],
    usages: Mapping[str, Usage],
    pauses: Mapping[str, Pause],
) -> list[SystemRow]:
    """All of them; `usages` are by gate, `pauses` by system."""
    gate_of = {system: gate.name for gate in gates for system in gate.systems}
    return [
        SystemRow(
            one.id,
            one.type,
            address(one),
            users(components, one.id),
            usages.get(gate_of.get(one.id, "")),
            pauses.get(one.id),
        )
        for one in components
        if one.kind == "system"
    ]


def users(components: Iterable[Component], system: str) -> list[str]:
    """The pipes that use a system, anywhere in them."""
    return [
        pipe.id
        for pipe in components
        if pipe.kind == "pipe" and any(part.given.get("system") == system for part in pipe.walk())
    ]


def facts(system: Component) -> list[Fact]:
    """What is declared of it. Of secrets no more than that there are some; parts within it are counted."""
    config = system.config
    if config is None:
        return []
    return [
        Fact(name, _value(getattr(config, name)))
        for name in type(config).model_fields
        if name in config.model_fields_set and name not in _everywhere
    ]


def _value(value: object) -> str:
    match value:
        case Secret():
            return "●●●●●●●● set"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value:g}"
        case str():
            # What stands before an @ in a URL is a login, and behind a question mark there are tokens.
            start, sign, rest = value.partition("://")
            shown = f"{start}://{rest.partition('?')[0].rpartition('@')[2]}" if sign else value
            return shown if len(shown) <= _MOST else f"{shown[:_MOST]}…"
        case None:
            return "null"
        case _:
            return "set"


def senders(components: Iterable[Component], system: str) -> list[str]:
    """The fixed senders of sinks for a system."""
    return list(dict.fromkeys(_addresses(components, system, ("mail_from",))))


def test_addresses(components: Iterable[Component], system: str) -> list[str]:
    """The addresses that the configuration names for a system: a test mail goes to these and to no strangers."""
    return list(dict.fromkeys(_addresses(components, system, ("redirect_to", "mail_from", "recipients", "bcc"))))


def _addresses(components: Iterable[Component], system: str, names: Sequence[str]) -> Iterator[str]:
    for pipe in components:
        for sink in pipe.walk():
            if sink.kind != "sink" or sink.given.get("system") != system:
                continue
            for name in names:
                yield from (one.address for one in split(sink.given.text(name) or "") if one.fault is None)
