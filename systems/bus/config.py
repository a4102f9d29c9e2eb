"""`system:bus` as declared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pipeline.component import Refers, SystemConfig
from pipeline.config.given import advice
from systems.brokers.config import BusBrokerConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.component import Context
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from systems.bus.system import Bus

# What is a name with all brokers: of a queue, a key, and a subject whose parts have points between them.
_topic: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
LONGEST: Final = 120


class BusConfig(SystemConfig):
    """A bus: topics to which programs publish messages, and a registry for what they publish a key of."""

    type: Literal["system:bus"]
    """`system:bus`."""
    system: Annotated[str, Refers("system", BusBrokerConfig, "carry a bus")] | None = None
    """The `_id` of the broker that has the topics: Redis, NATS or AMQP. Default: the state of the project has them."""

    def build(self, context: Context) -> Bus:
        """The system at work."""
        from systems.bus.build import build  # noqa: PLC0415 - brokers and files are for those who use it

        return build(self, context)


def topic_faults(given: Given) -> Iterable[Problem]:
    """What of the property `topic` is no name of a topic."""
    topic = given.text("topic")
    if topic is not None and not is_topic(topic):
        help_ = advice('write letters, digits, `-` and `_`, with points between parts: "SERVICE.MAILER"')
        yield given.problem("E203", "`topic` is no name of a topic", "topic", notes=(help_,))


def is_topic(text: str) -> bool:
    """Whether it is the name of a topic."""
    return len(text) <= LONGEST and _topic.fullmatch(text) is not None
