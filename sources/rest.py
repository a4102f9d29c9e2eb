"""An operation of a service as a source: the entities in its answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.component import Context, Refers
from pipeline.errors import UnusableError
from sources.dataset import ContinuationConfig
from sources.parts import OnError
from systems.http.operations import RestReader, operation_faults
from systems.http.rest import RestConfig, call_of, service_of

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.rest_read import RestSource


class RestSourceConfig(RestReader, ContinuationConfig):
    """Entities that a service gives, page by page."""

    type: Literal["rest"]
    """`rest`."""
    system: Annotated[str, Refers("system", RestConfig, "serve operations")]
    """The `_id` of the service."""
    since_property_name: str | None = None
    """The parameter or header with the position from which on entities are wanted. Default: as the operation says,
    `since`."""
    since_property_location: Literal["query", "header", "manual"] | None = None
    """Where that is written. Default: as the operation says, `query`."""
    on_error: OnError = "stop"
    """What is done with a value that is no entity. `stop`: the run ends there. `skip`: it is logged, counted and left
    out."""
    if_source_empty: Literal["accept", "fail"] = "accept"
    """What a run that reads from the start does when there is no entity."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Its own operations and templates can be read."""
        return operation_faults(given)

    def build(self, context: Context) -> RestSource:
        """The source itself."""
        from sources.rest_read import RestSource  # noqa: PLC0415 - sockets are for those who ask

        call = call_of(context, self.system, self, self.operation or "")
        if call is None:
            raise UnusableError(f"the system `{self.system}` has no operation `{self.operation}`")
        return RestSource(
            service_of(context, self.system),
            call,
            self.on_error,
            lasting=self.supports_since is True and self.is_since_comparable is not False,
            chronological=self.is_chronological is True,
            initial=self.initial_since_value,
            fails=self.if_source_empty == "fail",
        )
