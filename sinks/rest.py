"""Entities as requests to a service, as declared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Refers, SinkConfig, SinkContext
from sinks.batches import BatchSink
from systems.http.operations import RestUser, operation_faults
from systems.http.rest import RestConfig, call_of, service_of

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem


class RestSinkConfig(RestUser, SinkConfig):
    """Each entity is a request to a service: its `operation`, `properties` and `payload` say which."""

    type: Literal["rest"]
    """`rest`."""
    system: Annotated[str, Refers("system", RestConfig, "serve operations")]
    """The `_id` of the service."""
    operation: str | None = None
    """The operation of entities that name none."""
    properties: dict[str, object] | None = None
    """The `properties` of entities that have none."""
    payload: str | dict[str, object] | list[object] | None = None
    """What is sent for entities that have no `payload`, in place of what the operation says."""
    batch_size: int = Field(default=1, ge=1, le=10_000)
    """How many entities go in one request, as a list of their payloads. If the service refuses it (4xx) they go one by
    one, and only those that it refuses are `rejected`."""
    skip_deleted: bool = False
    """Whether deleted entities are left out."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Its own operations and templates can be read."""
        return operation_faults(given)

    def build(self, context: SinkContext) -> BatchSink:
        """The sink itself."""
        from sinks.rest_write import Named, RestWriter  # noqa: PLC0415 - sockets are for those who ask

        calls = Named(lambda name: call_of(context, self.system, self, name))
        if self.operation is not None:
            calls(self.operation)
        service = service_of(context, self.system)
        writer = RestWriter(
            service,
            calls,
            context.pipe,
            operation=self.operation,
            lists=self.batch_size > 1,
            skip_deleted=self.skip_deleted,
        )
        return BatchSink(context.pipe, lambda: writer, self.batch_size, context.run)
