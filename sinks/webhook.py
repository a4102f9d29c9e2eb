"""Entities are posted to a webhook: a request for each, with the entity or what a template makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Refers, SinkConfig, SinkContext
from sinks.batches import BatchSink
from systems.http.config import HttpSystemConfig
from systems.http.operations import OperationConfig, relative_faults

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.entity import Entity
    from pipeline.errors import Problem

_NAME = "webhook"
# Of what belongs to the engine only this is for others.
_told = frozenset({"_id", "_deleted"})


class WebhookConfig(SinkConfig):
    """Posts each entity to a webhook."""

    type: Literal["webhook"]
    """`webhook`."""
    system: Annotated[str, Refers("system", HttpSystemConfig, "be asked over HTTP")]
    """The `_id` of the service. The part of its URL that is a key is its `secret_path`."""
    url: str = ""
    """Where: a URL relative to that of the system, a template."""
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    """The method."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of the request, each a template."""
    payload: str | dict[str, object] | list[object] | None = None
    """What is posted, as JSON; its texts are templates. Default: the entity, without what belongs to the engine."""
    idempotency_header: str | None = "Idempotency-Key"
    """The header with a key that is the same whenever the same version of an entity is posted."""
    batch_size: int = Field(default=1, ge=1, le=10_000)
    """How many entities go in one request, as a list. If it is refused (4xx) they go one by one."""
    skip_deleted: bool = False
    """Whether deleted entities are left out."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Its templates can be read."""
        from pipeline.template.templates import Templates  # noqa: PLC0415 - only those who have some
        from systems.http.templated import faults  # noqa: PLC0415 - as above

        yield from faults(given, ("url", "headers", "payload"), Templates())
        yield from relative_faults(given, "url")

    def build(self, context: SinkContext) -> BatchSink:
        """The sink itself."""
        from sinks.rest_write import RestWriter  # noqa: PLC0415 - sockets are for those who ask
        from systems.http.call import Call  # noqa: PLC0415 - as above
        from systems.http.rest import service_of  # noqa: PLC0415 - as above

        call = Call(
            OperationConfig(
                url=self.url,
                method=self.method,
                headers={**self.headers},
                payload=self.payload,
                idempotency_header=self.idempotency_header,
            )
        )
        writer = RestWriter(
            service_of(context, self.system),
            lambda _: call,
            context.pipe,
            operation=_NAME,
            lists=self.batch_size > 1,
            skip_deleted=self.skip_deleted,
            own=_whole if self.payload is None else lambda _: None,
        )
        return BatchSink(context.pipe, lambda: writer, self.batch_size, context.run)


def _whole(entity: Entity) -> object:
    return {name: value for name, value in entity.items() if name[:1] != "_" or name in _told}
