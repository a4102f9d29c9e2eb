"""The Data Transformation Language, as declared. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.component import Reference, Refers, SecretArguments, TransformConfig
from pipeline.config.given import advice
from pipeline.config.tree import Array, Object, Scalar, walk

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

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


class DtlConfig(TransformConfig):
    """Rules in the Data Transformation Language."""

    type: Literal["dtl"]
    """`dtl`."""
    rules: Annotated[dict[str, list[object]] | None, encryption] = None
    """Rules by name; `default` is where an entity enters."""
    transforms: Annotated[dict[str, list[object]] | None, encryption] = None
    """The old name of `rules`."""
    id_required: bool = True
    """Whether an entity without `_id` fails the run."""
    name: str | None = None
    """A name for people."""
    description: str | None = None
    """What the rules are for."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """There is a `default` rule, under one name."""
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

    @classmethod
    def references(cls, given: Given) -> Iterator[Reference]:
        """The datasets that the rules join."""
        for name in ("rules", "transforms"):
            member = given.node.members.get(name)
            if member is None:
                continue
            for node in walk(member.value):
                if isinstance(node, Array) and node.items and getattr(node.items[0], "value", None) in joins:
                    yield from _joined(node)


def _joined(call: Array) -> Iterator[Reference]:
    for spec in call.items[1:]:
        datasets = spec.members.get("datasets") if isinstance(spec, Object) else None
        if datasets is None or not isinstance(datasets.value, Array):
            continue
        for item in datasets.value.items:
            if isinstance(item, Scalar) and isinstance(item.value, str) and item.value.split():
                # "dataset alias": the name ends at the first blank.
                yield Reference(Refers("dataset"), item.value.split()[0], item.start, item.end)
