"""Entities as XML in a property of their own. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from pipeline.component import TransformConfig, TransformContext
from pipeline.config.comments import is_comment, without_comments
from pipeline.config.given import advice
from pipeline.config.near import near
from pipeline.config.tree import Object, plain
from pipeline.dtl.namespaces import Namespaces, is_own
from pipeline.dtl.program import Trigger
from pipeline.entity import Entity, typing
from pipeline.errors import TransformError
from pipeline.transforms.dtl import TriggerConfig
from pipeline.transforms.xml_tags import declared, element, is_qualified, read_again
from pipeline.xml_text import is_name, record

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


class XmlTransformConfig(TransformConfig):
    """Writes an entity, or what it holds, as XML into a property.

    Without `element` the entity has the form of one: of `{"id": "7", "<order>": {"<sku>": "cup"}}` comes
    `<order id="7"><sku>cup</sku></order>`.
    """

    type: Literal["xml"]
    """`xml`."""
    xml_property: str = Field(alias="xml-property")
    """The property that gets the XML."""
    element: str | None = None
    """The name of an element in which each property is an element, as in the sink `xml_endpoint`. Without it, what is
    written has exactly one property `<name>`, and its other ones are attributes."""
    property: str | None = None
    """The property that is written, an object; an entity without it goes on as it is. Default: the entity."""
    root_attributes: dict[str, str] = Field(default_factory=dict, alias="root-attributes")
    """Attributes of the first element, such as `xmlns` and `xmlns:x`; those of the entity go before them."""
    include_xml_decl: bool = Field(default=False, alias="include-xml-decl")
    """Whether the text begins with `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`."""
    skip_deleted_entities: bool = Field(default=True, alias="skip-deleted-entities")
    """Whether deleted entities go on as they are, without XML."""
    trigger_on: TriggerConfig | None = None
    """Only entities that have a value are written; all others go on as they are."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Names are names, and namespaces are declared."""
        for name in ("xml-property", "xml_property"):
            text = given.text(name)
            if text is not None and (not text or is_own(text)):
                help_ = advice("choose a name that begins with neither `_` nor `$`: those are the engine's")
                yield given.problem("E203", "the XML cannot go to this property", name, notes=(help_,))
        text = given.text("element")
        if text is not None and not is_name(text):
            help_ = advice("letters, digits, `_`, `-` and `.`, a letter first, and not `xml`")
            yield given.problem("E203", f"`{text}` is no name of an element", "element", notes=(help_,))
        for name in ("root-attributes", "root_attributes"):
            yield from _attribute_faults(given, name)

    def build(self, context: TransformContext) -> XmlTransform:
        """The transform itself."""
        spaces = context.namespaces()
        trigger = None if self.trigger_on is None else Trigger(self.trigger_on.key, self.trigger_on.value)
        is_meant = None if trigger is None else trigger.compiled(None if spaces is None else Namespaces(*spaces))
        return XmlTransform(self, is_meant)


class XmlTransform:
    """Makes one entity of one."""

    def __init__(self, config: XmlTransformConfig, is_meant: Callable[[Entity], bool] | None = None) -> None:
        """Take what was declared and checked, and what says which entities are meant; all, without it."""
        self._config = config
        self._attributes = {name: str(value) for name, value in without_comments(config.root_attributes).items()}
        self._is_meant = is_meant
        self._typed = typing()

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """A new entity with the XML, whatever that property held. `TransformError` for what XML cannot hold."""
        config = self._config
        if config.skip_deleted_entities and entity.get("_deleted") is True:
            return (entity,)
        if self._is_meant is not None and not self._is_meant(entity):
            return (entity,)
        found: Any = self._typed(entity)
        if config.property is not None:
            found = found.get(config.property)
            if found is None:
                return (entity,)
            if not isinstance(found, dict):
                raise TransformError(f"`{config.property}` is no object, of which XML has one element")
        else:
            found = {name: value for name, value in found.items() if name != config.xml_property}
        try:
            text = read_again(self._written(found))
        except ValueError as error:
            raise TransformError(f"this cannot be written as XML: {error}") from None
        return [{**entity, config.xml_property: (_DECLARATION if config.include_xml_decl else "") + text}]

    def _written(self, found: Mapping[str, Any]) -> str:
        config = self._config
        if config.element is None:
            return element(found, self._attributes)
        own: dict[str, str] = {}
        if isinstance(found.get("_id"), str):
            own["id"] = found["_id"]
        if found.get("_deleted") is True:
            own["deleted"] = "true"
        return record(config.element, {**self._attributes, **own}, found)


def _attribute_faults(given: Given, name: str) -> Iterable[Problem]:
    written = given.node.members[name].value if given.written(name) else None
    if not isinstance(written, Object):
        return
    known = declared(written.members)
    for each, member in written.members.items():
        if is_comment(each, plain(member.value)):
            continue
        prefix, colon, _ = each.partition(":")
        if not is_qualified(each):
            message = f"`{each}` is no name of an attribute"
            help_ = advice("such as `xmlns`, `xmlns:x` or `x:schemaLocation`")
        elif colon and prefix not in known:
            message = f"the prefix `{prefix}` of `{each}` is not declared"
            close = near(prefix, sorted(known))
            slip = f"did you mean `{close[0]}{each.removeprefix(prefix)}`?" if close else ""
            help_ = advice(slip or f'add `"xmlns:{prefix}"` with the address of the namespace')
        else:
            continue
        yield given.problem("E203", message, name, at=given.document.span(member.key), notes=(help_,))
