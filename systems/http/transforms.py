"""Services that shape entities, as declared: the transforms `rest` and `http`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Refers, Transform, TransformConfig, TransformContext
from pipeline.transforms.dtl import TriggerConfig
from systems.http.config import HttpSystemConfig
from systems.http.operations import RestReader, Statuses, operation_faults, relative_faults
from systems.http.rest import RestConfig, call_of, service_of

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem


class RestTransformConfig(RestReader, TransformConfig):
    """Asks a service for each entity, and puts what it answers into it or in its place."""

    type: Literal["rest"]
    """`rest`."""
    system: Annotated[str, Refers("system", RestConfig, "serve operations")]
    """The `_id` of the service."""
    operation: str | None = None
    """The operation of entities that name none."""
    response_property: str | None = None
    """The property for what was answered. Default: that of the operation, `response`."""
    response_status_property: str | None = None
    """The property for the status of the answer."""
    replace_entity: bool = False
    """Whether the entities in the answer take the place of this one."""
    allowed_status_codes: Statuses | None = None
    """Which answers are none of a fault: `200-299,404`. Default: as the operation says."""
    ignored_status_codes: Statuses | None = None
    """Which answers take the entity out. Default: as the operation says."""
    side_effects: bool = True
    """Whether asking changes something. Then a preview or a dry run does not ask."""
    trigger_on: TriggerConfig | None = None
    """Only entities that have a value are asked for; all others go on as they are."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Its own operations and templates can be read."""
        return operation_faults(given)

    def build(self, context: TransformContext) -> Transform:
        """The transform itself."""
        from pipeline.dtl.program import Trigger  # noqa: PLC0415 - sockets and rules are for those who ask
        from systems.http.asking import AskRest  # noqa: PLC0415 - as above

        trigger = self.trigger_on
        return AskRest(
            service_of(context, self.system),
            lambda name: call_of(context, self.system, self, name),
            self.operation,
            replaces=self.replace_entity,
            allowed=context.acts or not self.side_effects,
            meant=None if trigger is None else Trigger(trigger.key, trigger.value).compiled(None),
        )


class HttpTransformConfig(TransformConfig):
    """Posts each entity to a service as a list of one, and takes the list of entities that it answers with."""

    type: Literal["http"]
    """`http`."""
    system: Annotated[str, Refers("system", HttpSystemConfig, "be asked over HTTP")]
    """The `_id` of the service."""
    url: str = ""
    """Where: a URL relative to that of the system."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of the request."""
    batch_size: int | None = Field(default=None, ge=1)
    """Read from Sesam configurations and ignored: entities are posted one by one, so that none stops another."""
    side_effects: bool = True
    """Whether asking changes something. Then a preview or a dry run does not ask."""
    trigger_on: TriggerConfig | None = None
    """Only entities that have a value are posted; all others go on as they are."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The URL is relative."""
        return relative_faults(given, "url")

    def build(self, context: TransformContext) -> Transform:
        """The transform itself."""
        from pipeline.dtl.program import Trigger  # noqa: PLC0415 - as above
        from systems.http.asking import AskHttp  # noqa: PLC0415 - as above

        trigger = self.trigger_on
        return AskHttp(
            service_of(context, self.system),
            self.url,
            self.headers,
            allowed=context.acts or not self.side_effects,
            meant=None if trigger is None else Trigger(trigger.key, trigger.value).compiled(None),
        )
