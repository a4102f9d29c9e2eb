"""Topics of Kafka as a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Refers, SourceContext
from sources.messages import MessagesConfig
from systems.brokers.config import KafkaConfig

if TYPE_CHECKING:
    from sources.broker_read import LogSource


class KafkaSourceConfig(MessagesConfig):
    """Entities from the messages of a topic. The state keeps the offset up to which each partition was read."""

    type: Literal["kafka"]
    """`kafka`."""
    system: Annotated[str, Refers("system", KafkaConfig, "speak to Kafka")]
    """The `_id` of the cluster."""
    topic: str = Field(min_length=1, max_length=249)
    """The name of the topic. It is there already; all of its partitions are read."""
    start: Literal["first", "new"] = "first"
    """Where the first run begins: with the first message that is there, or with those that are published later."""

    def build(self, context: SourceContext) -> LogSource:
        """The source itself."""
        from sources.broker_read import LogSource  # noqa: PLC0415 - clients are for those who connect
        from systems.brokers.kafka import Kafka, Reading  # noqa: PLC0415 - as above

        system = context.system(self.system, Kafka)
        reading = Reading(self.topic, self.start == "new")
        # A key without a value is how a topic that is compacted says that something is gone.
        taking = self.taking(f"{self.system}/{self.topic}", deletes=True)
        return LogSource(system.settings, taking, lambda since: system.log(reading, since))
