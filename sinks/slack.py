"""Entities as messages in Slack: through a webhook of a channel, or through the API with a token."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from pipeline.component import Refers, SinkConfig, SinkContext
from pipeline.config.given import advice
from pipeline.entity import NI, URI
from sinks.batches import BatchSink
from systems.http.config import HttpSystemConfig
from systems.http.operations import OperationConfig

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.entity import Entity
    from pipeline.errors import Problem
    from systems.http.replies import Reply

# Slack takes a message a second for each channel and webhook.
_APART: Final = 1.0
_RETRIES: Final = 5
# What the API says of one message; anything else it says is of the login or of Slack itself.
_REFUSALS: Final = frozenset(
    {
        *("channel_not_found", "not_in_channel", "is_archived", "restricted_action", "cannot_reply_to_message"),
        *("msg_too_long", "msg_blocks_too_long", "no_text", "too_many_attachments", "invalid_arguments"),
        *("invalid_blocks", "invalid_blocks_format"),
    }
)
_word: Final = re.compile(r"[a-z_]{1,60}\Z")
_marks: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class SlackConfig(SinkConfig):
    """Posts a message to Slack for each entity, one a second."""

    type: Literal["slack"]
    """`slack`."""
    system: Annotated[str, Refers("system", HttpSystemConfig, "be asked over HTTP")]
    """The `_id` of the service: `https://hooks.slack.com/services` with the rest of the webhook's URL as `secret_path`,
    or, for messages to any `channel`, `https://slack.com/api` with a `jwt_token`."""
    text: str | None = None
    """The message, a template. Signs in values that mean something to Slack (`<!here>`) are shown as they are."""
    blocks: list[object] | None = None
    """Blocks of the message; their texts are templates. Beside them `text` is what notifications show."""
    channel: str | None = None
    """The channel, a template: a name or an id. Without one the message goes where the webhook leads."""
    seconds_between: float = Field(default=_APART, ge=0, le=3600)
    """Seconds from one message to the next."""
    rate_limiting_retries: int = Field(default=_RETRIES, ge=0, le=100)
    """How often a message is repeated that Slack wants later."""
    skip_deleted: bool = True
    """Whether deleted entities are left out."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """There is something to say, and its templates can be read."""
        from pipeline.template.templates import Templates  # noqa: PLC0415 - only those who have some
        from systems.http.templated import faults  # noqa: PLC0415 - as above

        if given.node.whole and not given.has("text") and not given.has("blocks"):
            help_ = advice('add `"text": "…"`, a template')
            yield given.problem("E204", "there is no `text` and no `blocks`", "text", notes=(help_,))
        yield from faults(given, ("text", "blocks", "channel"), Templates())

    def build(self, context: SinkContext) -> BatchSink:
        """The sink itself."""
        from sinks.rest_write import RestWriter  # noqa: PLC0415 - sockets are for those who ask
        from systems.http.call import Call  # noqa: PLC0415 - as above
        from systems.http.rest import service_of  # noqa: PLC0415 - as above

        message = {"channel": self.channel, "text": self.text, "blocks": self.blocks}
        call = Call(
            OperationConfig(
                url="" if self.channel is None else "chat.postMessage",
                method="POST",
                headers={"Content-Type": "application/json; charset=utf-8"},
                payload={name: value for name, value in message.items() if value is not None},
                rate_limiting_retries=self.rate_limiting_retries,
            )
        )
        writer = RestWriter(
            service_of(context, self.system),
            lambda _: call,
            context.pipe,
            operation="slack",
            skip_deleted=self.skip_deleted,
            own=lambda _: None,
            seen=_seen,
            judge=_judge,
            apart=self.seconds_between,
        )
        return BatchSink(context.pipe, lambda: writer, 1, context.run)


def _seen(entity: Entity) -> Mapping[str, Any]:
    """What templates see: entities bring no signs that would call people or hide a link."""
    shown = _escaped(entity)
    return {**shown, "entity": shown}


def _escaped(value: Any) -> Any:  # noqa: ANN401 - any value of an entity
    if isinstance(value, str | NI | URI):
        return str(value).translate(_marks)
    if isinstance(value, Mapping):
        return {name: _escaped(inner) for name, inner in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list) else value


def _judge(reply: Reply) -> None:
    """The API says 200 to everything; what went wrong is a word in the answer."""
    from sinks.rest_write import RefusedError  # noqa: PLC0415 - as above
    from systems.http.exchange import HttpError  # noqa: PLC0415 - as above

    body = reply.body
    if not isinstance(body, Mapping) or body.get("ok") is not False:
        return
    said = body.get("error")
    word = said if isinstance(said, str) and _word.match(said) else "an error"
    if word in _REFUSALS:
        raise RefusedError(f"{reply.place} answers {word}")
    raise HttpError(f"{reply.place} answers {word}")
