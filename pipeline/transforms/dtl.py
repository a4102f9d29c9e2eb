"""The Data Transformation Language, as a transform. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.component import Part, Reference, Refers, SecretArguments, TransformConfig, TransformContext
from pipeline.config.comments import is_comment
from pipeline.config.given import advice
from pipeline.config.tree import Array, Broken, Node, Object, Scalar, plain, walk
from pipeline.dtl.functions import REGISTRY
from pipeline.dtl.namespaces import Namespaces
from pipeline.dtl.parse import DEFAULT, parse, unused
from pipeline.dtl.paths import variable_of
from pipeline.dtl.prefixes import prefixes_of
from pipeline.dtl.program import Program, Trigger
from pipeline.dtl.scope import Host
from pipeline.dtl.suspects import suspects
from pipeline.dtl.told import as_json, node_at, problem_of
from pipeline.dtl.tree import Block, Place
from pipeline.errors import Problem

if TYPE_CHECKING:
    from pipeline.config.given import Given

# Keys, and the passphrase of a PGP key: the only arguments that may be secrets.
encryption = SecretArguments(
    {
        "encrypt": (1,),
        "decrypt": (1,),
        "encrypt-pki": (1,),
        "decrypt-pki": (1,),
        "encrypt-pgp": (1,),
        "decrypt-pgp": (1, 2),
    }
)
joins = frozenset({"hops", "apply-hops"})


class TriggerConfig(Part):
    """Which entities the rules are for."""

    key: str = "_trigger"
    """The property that says so, or a path to it."""
    value: str | bool | int | float
    """What it has there; `*` in a text stands for any characters."""


class DtlConfig(TransformConfig):
    """Rules in the Data Transformation Language.

    An entity enters at the rule `default`, as `_S`; what comes out is `_T`, which begins with the `_id` of the source,
    and is deleted if the source is.
    """

    type: Literal["dtl"]
    """`dtl`."""
    rules: Annotated[dict[str, list[object]] | None, encryption] = None
    """Rules by name; `default` is where an entity enters."""
    transforms: Annotated[dict[str, list[object]] | None, encryption] = None
    """The old name of `rules`."""
    id_required: bool = True
    """Whether an entity without `_id` fails the run."""
    trigger_on: TriggerConfig | None = None
    """Only entities that have a value are shaped; all others go on as they are."""
    name: str | None = None
    """A name for people."""
    description: str | None = None
    """What the rules are for."""

    def build(self, context: TransformContext) -> Program:
        """The rules, compiled. That they are right was checked with the configuration."""
        spaces, rdf = context.namespaces(), context.metadata("rdf")
        return Program(
            self.parsed,
            Host(
                context.now,
                context.uuid,
                context.joinable(),
                context.source(),
                prefixes=prefixes_of(context.metadata("namespaces")),
                rdf=rdf if isinstance(rdf, Mapping) else {},
            ),
            None if spaces is None else Namespaces(*spaces),
            id_required=self.id_required,
            trigger=None if self.trigger_on is None else Trigger(self.trigger_on.key, self.trigger_on.value),
        )

    @cached_property
    def parsed(self) -> Mapping[str, Block]:
        """The rules by name, as they were read."""
        written = self.rules or self.transforms or {}
        return parse(as_json({name: rule for name, rule in written.items() if _is_rule(name, rule)}), REGISTRY).rules

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """There is a `default` rule, under one name, and the rules are right."""
        names = [name for name in ("rules", "transforms") if given.has(name)]
        if not names and given.node.whole:
            yield given.problem("E204", "a dtl transform needs `rules`", "type", at="key")
        if len(names) > 1:
            yield given.problem("E209", "`rules` and `transforms` are both set", "transforms", at="key")
        for name in names:
            rules = given.node.members[name].value if given.written(name) else None
            if isinstance(rules, Object) and rules.whole and "default" not in rules.members:
                yield given.problem(
                    "E204",
                    "`default` is missing in the rules",
                    name,
                    at="key",
                    notes=(advice("an entity enters at the rule `default`"),),
                )
            if isinstance(rules, Object) and not given.document.torn and all(map(_is_whole, walk(rules))):
                yield from _Rules(given, name, rules).faults()

    @classmethod
    def references(cls, given: Given) -> Iterator[Reference]:
        """The datasets that the rules join."""
        for name in ("rules", "transforms"):
            member = given.node.members.get(name)
            if member is not None:
                yield from datasets_in(member.value)


def _is_whole(node: Node) -> bool:
    """Whether nothing of it had to be guessed: what is told of the syntax is enough then."""
    return not isinstance(node, Broken) and (not isinstance(node, Array | Object) or node.whole)


def _is_rule(name: str, rule: object) -> bool:
    return not is_comment(name, rule)


class _Rules:
    """The rules of one transform as they are written."""

    def __init__(self, given: Given, name: str, node: Object) -> None:
        self._given = given
        self._name = name
        self._node = node

    def faults(self) -> Iterator[Problem]:
        known = self._given.values.get(self._name)
        # Where a reference is unset, the rules are looked at as they are written.
        rules = known if isinstance(known, Mapping) else plain(self._node)
        if not isinstance(rules, Mapping):
            return
        rules = as_json({name: rule for name, rule in rules.items() if _is_rule(name, rule) and isinstance(rule, list)})
        parsed = parse(rules, REGISTRY)
        faults = parsed.faults or list(suspects(parsed.rules))
        for fault in faults:
            if not self._referred(fault.place) and (fault.code != "W808" or not self._is_chosen(fault.place)):
                path = (*self._given.path, self._name, *map(str, fault.place[:1]))
                yield problem_of(fault, self._given.document, self._node, path)
        # A rule whose name is misspelt where it is applied is no second fault.
        if DEFAULT in rules and not any(fault.code == "E804" for fault in faults):
            for name in unused(rules):
                key = self._node.members[name].key if name in self._node.members else self._node
                yield Problem(
                    "W807",
                    f"nothing applies the rule `{name}`",
                    self._given.document.span(key),
                    "not used",
                    (*self._given.path, self._name, name),
                    notes=(advice('call it with ["apply", "' + name + '", …], or take it out'),),
                )

    def _is_chosen(self, place: Place) -> bool:
        """Whether a condition has a reference: it is the same for all entities, and another one elsewhere."""
        texts = (node.value for node in walk(node_at(self._node, place)) if isinstance(node, Scalar))
        return any(isinstance(text, str) and ("$ENV(" in text or "$SECRET(" in text) for text in texts)

    def _referred(self, place: Place) -> bool:
        """Whether a value is a reference, of which nothing can be said before it is replaced."""
        node = node_at(self._node, place)
        text = node.value if isinstance(node, Scalar) else None
        unset = not isinstance(self._given.values.get(self._name), Mapping)
        return unset and isinstance(text, str) and ("$ENV(" in text or "$SECRET(" in text)


def datasets_in(rules: Node) -> Iterator[Reference]:
    """The datasets that rules, or an expression, join."""
    for node in walk(rules):
        if not isinstance(node, Array) or not node.items:
            continue
        function = getattr(node.items[0], "value", None)
        if function in joins:
            yield from _joined(node)
        elif function == "lookup-entity":
            yield from _looked_up(node.items[1:2])


def _joined(call: Array) -> Iterator[Reference]:
    for spec in call.items[1:]:
        datasets = spec.members.get("datasets") if isinstance(spec, Object) else None
        if datasets is None or not isinstance(datasets.value, Array):
            continue
        for item in datasets.value.items:
            if isinstance(item, Scalar) and isinstance(item.value, str) and item.value.split():
                # "dataset alias": the name ends at the first blank.
                yield Reference(Refers("dataset"), item.value.split()[0], item.start, item.end)


def _looked_up(dataset: Sequence[Node]) -> Iterator[Reference]:
    for node in dataset:
        if isinstance(node, Scalar) and isinstance(node.value, str) and variable_of(node.value) is None:
            yield Reference(Refers("dataset"), node.value, node.start, node.end)
