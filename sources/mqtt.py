"""Topics of MQTT as a source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Advice, Many, Refers, SourceContext
from pipeline.config.given import advice
from sources.messages import PREFETCH, MessagesConfig, Prefetch
from systems.brokers.config import MqttConfig

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.broker_read import QueueSource


class MqttSourceConfig(MessagesConfig):
    """Entities from what is published to topics. The broker keeps a session; each is acknowledged when on record."""

    type: Literal["mqtt"]
    """`mqtt`."""
    system: Annotated[str, Refers("system", MqttConfig, "speak MQTT")]
    """The `_id` of the broker."""
    topics: str | Annotated[Many[str], Field(min_length=1)]
    """The topic, or a list of topics, with `+` and `#` for parts of them: `sensors/+/alarms`. With `$share/GROUP/`
    before it a group shares its messages."""
    client_id: str | None = Field(default=None, min_length=1, max_length=65_535)
    """The name of the session. Nobody else may have it. Default: `mailweir-` and the `_id` of the pipe."""
    session_expiry: Annotated[int, Advice("not a time", ("write seconds: 604800",)), Field(ge=60, le=0xFFFFFFFF)] = (
        604_800
    )
    """For how many seconds the broker keeps the session when nobody reads it; after that what was published is lost."""
    prefetch: Prefetch = PREFETCH
    """How many messages may be on their way to the sink. Many brokers let fewer."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Topics are such as one can subscribe to."""
        value = given.get("topics")
        several = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
        for topic in several:
            if isinstance(topic, str) and (wrong := filter_fault(topic)):
                help_ = advice(
                    "`+` stands for one whole part, `#` for all the last ones: `sensors/+/alarms`, `sensors/#`"
                )
                yield given.problem("E203", f"`topics` has one that {wrong}", "topics", notes=(help_,))

    def build(self, context: SourceContext) -> QueueSource:
        """The source itself."""
        from sources.broker_read import QueueSource  # noqa: PLC0415 - clients are for those who connect
        from systems.brokers.mqtt import Mqtt, Session  # noqa: PLC0415 - as above

        system = context.system(self.system, Mqtt)
        topics = (self.topics,) if isinstance(self.topics, str) else self.topics
        client = self.client_id or f"mailweir-{context.pipe}"
        session = Session(client, topics, self.session_expiry, self.prefetch)
        return QueueSource(
            system.settings,
            self.taking(f"{self.system}/{','.join(topics)}", window=self.prefetch),
            lambda: system.queue(session),
            context.on_record,
            f"{context.now():x}",
        )


def filter_fault(topic: str) -> str | None:
    """Why one cannot subscribe to this (MQTT 5 section 4.7.1), as the rest of a sentence."""
    if not topic or "\0" in topic:
        return "is empty" if not topic else "has a character that no topic has"
    parts = topic.split("/")
    if any("#" in part and (part != "#" or at < len(parts) - 1) for at, part in enumerate(parts)):
        return "has a `#` that is not the whole last part"
    if any("+" in part and part != "+" for part in parts):
        return "has a `+` that is not a whole part"
    return None
