"""What can be asked of a service, as declared: operations by name. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from pipeline.component import Many, Part
from pipeline.config.given import UNKNOWN, advice
from pipeline.config.near import near
from pipeline.config.tree import Object
from pipeline.secret import Secret

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
PayloadType = Literal["json", "json-transit", "form", "multipart-form", "text"]
Strategy = Literal[
    "next-page-link-empty",
    "same-next-page-link",
    "same-next-page-request",
    "same-response",
    "empty-result",
    "not-full-page",
]
# A secret is one only where it was written as a reference: all else stays what it is.
Free = Annotated[object | Secret, Field(union_mode="left_to_right")]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Statuses = Annotated[str, Field(pattern=r"^[1-5][0-9]{2}(-[1-5][0-9]{2})?(,[1-5][0-9]{2}(-[1-5][0-9]{2})?)*$")]

_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")  # RFC 9110 section 5.6.2
_TEMPLATES: Final = (
    *("url", "headers", "params", "payload"),
    *("next_page_link", "id_expression", "updated_expression", "error_expression"),
)


class OperationConfig(Part):
    """One request, with templates where it is different each time."""

    url: str = ""
    """Where: a URL relative to that of the system. It is a template, as are all texts of `headers`, `params` and
    `payload`."""
    method: Method = "GET"
    """The method."""
    headers: dict[str, str | Secret] = Field(default_factory=dict)
    """Further headers, which stand before those of the system."""
    params: dict[str, Free] = Field(default_factory=dict)
    """Parameters of the query. A list has a parameter for each item."""
    payload: str | dict[str, object] | list[object] | Secret | None = None
    """What is sent: a text as it is, anything else as `payload_type` says."""
    payload_type: PayloadType = Field(default="json", alias="payload-type")
    """How it is written: `json`, with texts for times and the like; `json-transit`, with their tags; `form`; `text`."""
    properties: dict[str, object] = Field(default_factory=dict)
    """Values for the templates, as `properties`, where the user of the operation has none."""
    payload_property: str | None = None
    """Where in an answer the entities are: a property, or a way to one with dots."""
    response_property: str | None = None
    """The property under which an entity has what was answered."""
    response_headers_property: str | None = None
    """The property for the headers of the answer."""
    response_status_property: str | None = None
    """The property for the status of the answer."""
    response_include_content_type: bool = False
    """Whether an entity has the type of the answer as `content-type`."""
    id_expression: str | None = None
    """A template that makes the `_id` of what has none."""
    updated_expression: str | None = None
    """A template that makes the `_updated` of what has none."""
    error_expression: str | None = None
    """A template that makes a text if an answer tells of a fault, whatever its status; else nothing."""
    next_page_link: str | None = None
    """A template that makes the URL of the next page of an answer, whole or relative to this page; else nothing."""
    next_page_termination_strategy: Strategy | Many[Strategy] = (
        "next-page-link-empty",
        "same-next-page-request",
        "same-response",
    )
    """When there are no more pages, besides when there is no link: after the same link, request or answer, an answer
    without entities, or one with fewer than `page_size`."""
    page_size: int | None = Field(default=None, ge=1)
    """How many entities a page has; a variable for the templates."""
    since_property_name: str = "since"
    """The parameter or header with the position from which on a source wants to read."""
    since_property_location: Literal["query", "header", "manual"] = "query"
    """Where that is written: `query`, `header`, or `manual`: only where a template has `since`."""
    allowed_status_codes: Statuses | None = None
    """Which answers are none of a fault: `200-299,404`. For transforms."""
    ignored_status_codes: Statuses | None = None
    """Which answers are left out. For transforms."""
    idempotency_header: str | None = None
    """The header with a key that is the same whenever the same version of an entity is sent, such as
    `Idempotency-Key`. With it a request may be sent again."""
    rate_limiting_retries: int | None = Field(default=None, ge=0, le=100)
    """How often the request is repeated that the service wants later. Default: that of the system."""
    rate_limiting_delay: Seconds | None = None
    """Seconds before it is repeated, unless the service says how many. Default: that of the system."""

    @property
    def strategies(self) -> tuple[Strategy, ...]:
        """All of `next_page_termination_strategy`."""
        found = self.next_page_termination_strategy
        return (found,) if isinstance(found, str) else found


class RestUser(Part):
    """What asks for an operation of a service."""

    operation: str | None = None
    """The name of the operation."""
    operations: dict[str, OperationConfig] = Field(default_factory=dict)
    """Operations beside those of the system; of one name this one is meant."""
    properties: dict[str, object] | None = None
    """Values for the templates of the operation, as `properties`."""
    payload: str | dict[str, object] | list[object] | None = None
    """What is sent, in place of what the operation says."""
    rate_limiting_retries: int | None = Field(default=None, ge=0, le=100)
    """How often a request is repeated that the service wants later. Default: that of the operation."""
    rate_limiting_delay: Seconds | None = None
    """Seconds before it is repeated, unless the service says how many. Default: that of the operation."""
    trace: bool | dict[str, object] | None = None
    """Read from Sesam configurations and ignored."""


class RestReader(RestUser):
    """What makes entities of answers."""

    payload_property: str | None = None
    """Where in an answer the entities are: a property, or a way to one with dots. Default: that of the operation."""
    response_property: str | None = None
    """The property under which an entity has what was answered. Default: that of the operation."""
    response_headers_property: str | None = None
    """The property for the headers of the answer. Default: that of the operation."""
    response_include_content_type: bool | None = None
    """Whether an entity has the type of the answer as `content-type`. Default: as the operation says."""
    id_expression: str | None = None
    """A template that makes the `_id` of what has none. Default: that of the operation."""
    updated_expression: str | None = None
    """A template that makes the `_updated` of what has none. Default: that of the operation."""


def settled(operation: OperationConfig, user: RestUser) -> OperationConfig:
    """An operation as its user wants it."""
    own = {
        name: value
        for name in type(user).model_fields
        if name in OperationConfig.model_fields and (value := getattr(user, name)) is not None
    }
    own.pop("comment", None)
    return operation.model_copy(update=own)


def operation_faults(given: Given) -> Iterator[Problem]:
    """What is wrong with the operations in `operations`, and with templates beside them."""
    from pipeline.template.templates import Templates  # noqa: PLC0415 - only those who have some
    from systems.http.templated import faults  # noqa: PLC0415 - as above

    templates = Templates()
    for part in given.parts("operations"):
        yield from faults(part, _TEMPLATES, templates)
        yield from relative_faults(part, "url")
        yield from _header_faults(part)
        if "not-full-page" in _listed(part.get("next_page_termination_strategy")) and not part.has("page_size"):
            help_ = advice('add `"page_size": 100`, as many as the service puts on a page')
            message = "`not-full-page` needs `page_size`"
            yield part.problem("E204", message, "next_page_termination_strategy", notes=(help_,))
        if part.has("idempotency_header") and not _NAME.match(part.text("idempotency_header") or "x"):
            yield part.problem("E203", "`idempotency_header` cannot be the name of a header", "idempotency_header")
    yield from faults(given, ("payload", "id_expression", "updated_expression"), templates)


def unknown_operation(system: Given, user: Given) -> Iterator[Problem]:
    """E204 if a user's operation is neither among its own nor among those of its system."""
    name = user.text("operation")
    own, others = user.get("operations", {}), system.get("operations", {})
    if own is UNKNOWN or others is UNKNOWN or not _whole(user) or not _whole(system):
        return
    names = [*_names(user), *_names(system)]
    if name is None:
        if user.get("operation") is None and _must_name(user) and user.node.whole:
            there = ", ".join(f"`{each}`" for each in names) or "none"
            help_ = advice(f"operations: {there}")
            yield user.problem("E204", "there is no `operation`", "operation", notes=(help_,))
        return
    if name in names:
        return
    close = near(name, names, most=3)
    meant = f"did you mean {' or '.join(f'`{one}`' for one in close)}?" if close else "add it to `operations`"
    listed = advice(meant)
    yield user.problem("E203", f"there is no operation `{name}`", "operation", label="not found", notes=(listed,))


def relative_faults(given: Given, name: str) -> Iterator[Problem]:
    """E203 for a URL of a source or sink that names a server: that is for the system to say."""
    url = given.text(name) or ""
    if "://" in url.partition("{")[0].partition("?")[0] or url.startswith("//"):
        help_ = advice("put the server into `url_pattern` of the system")
        yield given.problem("E203", f"`{name}` is not relative to the system", name, notes=(help_,))


def _must_name(user: Given) -> bool:
    """A source has nobody else who could name one; sinks and transforms have their entities."""
    return "source" in user.path


def _whole(given: Given) -> bool:
    member = given.node.members.get("operations")
    return given.node.whole and (member is None or (isinstance(member.value, Object) and member.value.whole))


def _names(given: Given) -> list[str]:
    found = given.get("operations")
    return list(found) if isinstance(found, dict) else []


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else (value,)


def _header_faults(part: Given) -> Iterator[Problem]:
    headers, member = part.get("headers"), part.node.members.get("headers")
    if not isinstance(headers, dict) or member is None or not isinstance(member.value, Object):
        return
    for name in headers:
        at = member.value.members.get(name)
        if at is not None and not _NAME.match(name) and "{" not in name:
            place = part.document.span(at.key)
            yield part.problem("E203", f"`{name}` cannot be the name of a header", "headers", at=place)
