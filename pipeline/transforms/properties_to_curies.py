"""Names of properties as short addresses, `<namespace:name>`. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pipeline.component import Many, TransformConfig, TransformContext
from pipeline.config.given import advice
from pipeline.dtl.rdf import Expander
from pipeline.entity import Entity
from pipeline.errors import UnusableError

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem


class PropertiesToCuriesConfig(TransformConfig):
    """Gives properties and the `_id` names with a namespace, for data that is to become RDF: `<foaf:name>`."""

    type: Literal["properties_to_curies"]
    """`properties_to_curies`."""
    rule: str | None = None
    """The entry of the registry `rdf` in the metadata whose `prefix_rules` say which namespace a name gets. With it
    `id` and `properties` are ignored."""
    id: str | None = None
    """The namespace of `_id`."""
    properties: Many[object] | None = None
    """Namespaces, each with the pattern of the names that get it: `["t", ["t_*"], "x", ["**"]]`. A pattern is the end
    of a path of names with `*` and `?`; `**` is any number of names. The first that fits is taken."""
    quote_safe_characters: str | None = None
    """Characters of a name that stay as they are, beside letters, digits and `-._~`; all others are written as in a
    URL. Default: as the registry says, or `/`."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """There is a rule, or what stands in one; and that is well formed."""
        if given.node.whole and not any(map(given.has, ("rule", "id", "properties"))):
            help_ = advice('add `"rule"`, or `"id": "x"` and `"properties": ["x", ["**"]]`')
            yield given.problem("E204", "there is no `rule`, and no `id` and `properties`", "type", notes=(help_,))
        elif given.node.whole and not given.has("rule"):
            for name in ("id", "properties"):
                if not given.has(name):
                    other = "properties" if name == "id" else "id"
                    yield given.problem("E204", f"`{other}` needs `{name}`", other, at="key")
        pairs = given.get("properties")
        if isinstance(pairs, list | tuple) and not _is_pairs(pairs):
            help_ = advice('such as ["t", ["t_*"], "x", ["**"]]')
            message = "`properties` is not a list of namespaces, each with its pattern"
            yield given.problem("E203", message, "properties", notes=(help_,))

    def build(self, context: TransformContext) -> PropertiesToCuries:
        """The transform itself."""
        registry, key = context.metadata("rdf"), self.rule or ""
        if self.rule is None:
            registry = {key: {"prefix_rules": {"id": self.id, "properties": list(self.properties or ())}}}
        expander = Expander.of(registry, key) if isinstance(registry, Mapping) else None
        if expander is None:
            raise UnusableError(f"pipe `{context.pipe}`: the registry `rdf` of the metadata has no `{key}`")
        # Without what namespaces stand for they stay as they are.
        expander = expander._replace(prefixes={})
        if self.quote_safe_characters is not None:
            expander = expander._replace(safe=self.quote_safe_characters)
        return PropertiesToCuries(expander)


class PropertiesToCuries:
    """Makes one entity of one."""

    def __init__(self, expander: Expander) -> None:
        """One that knows no addresses of namespaces."""
        self._expander = expander

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """A new entity; the old one stays as it is. A name in `<>` has its namespace already."""
        return [self._expander.entity(entity)]


def _is_pairs(found: Sequence[object]) -> bool:
    return len(found) % 2 == 0 and all(
        isinstance(prefix, str) and isinstance(pattern, list) and all(isinstance(one, str) for one in pattern)
        for prefix, pattern in zip(found[::2], found[1::2], strict=True)
    )
