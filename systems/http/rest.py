"""Services whose requests have names, as declared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pipeline.component import Context, Many
from systems.http.config import HttpSystemConfig
from systems.http.operations import OperationConfig, operation_faults, unknown_operation

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from systems.http.call import Call
    from systems.http.client import Http
    from systems.http.operations import RestUser


class RestConfig(HttpSystemConfig):
    """A service that is asked over HTTP, with operations that sources, transforms and sinks call by name."""

    type: Literal["system:rest"]
    """`system:rest`."""
    operations: dict[str, OperationConfig] = Field(default_factory=dict)
    """What can be asked of it, by name."""
    json_content_types: Many[str] = ()
    """Types of answers that are JSON too, besides `application/json` and those that end with `+json`."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """As of every service; templates can be read."""
        yield from super().faults(given)
        yield from operation_faults(given)

    @classmethod
    def named_by(cls, given: Given, user: Given) -> Iterable[Problem]:
        """Its users ask for operations that there are."""
        if "operation" in user.values or "operations" in user.values or user.get("type") == "rest":
            yield from unknown_operation(given, user)


def call_of(context: Context, system: str, user: RestUser, name: str) -> Call | None:
    """An operation by name, as its user wants it; None if there is none."""
    from systems.http.call import Call  # noqa: PLC0415 - the templates are for those who ask
    from systems.http.operations import settled  # noqa: PLC0415 - as above

    config = context.config(system, RestConfig)
    operation = user.operations.get(name) or config.operations.get(name)
    return None if operation is None else Call(settled(operation, user), config.json_content_types)


def service_of(context: Context, system: str) -> Http:
    """The service at work."""
    from systems.http.client import Http  # noqa: PLC0415 - sockets are for those who ask

    return context.system(system, Http)
