"""From a checked configuration to a bus at work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.clock import MachineClock
from pipeline.state.sqlite.bus import SqliteBus
from systems.brokers.config import AmqpConfig, BusBrokerConfig, NatsConfig
from systems.bus.carried import AmqpTopics, NatsTopics, RedisTopics
from systems.bus.local import LocalTopics
from systems.bus.system import Bus, Topics

if TYPE_CHECKING:
    from pipeline.component import Context
    from pipeline.state.bus import Store
    from systems.bus.config import BusConfig


def build(config: BusConfig, context: Context) -> Bus:
    """The system of a configuration."""
    store = SqliteBus(Path(context.state), MachineClock())
    return Bus(config.id, _topics(config, context, store), store)


def _topics(config: BusConfig, context: Context, store: Store) -> Topics:
    if config.system is None:
        return LocalTopics(config.id, store)
    broker = context.config(config.system, BusBrokerConfig)
    # Only the client of the broker that is used is imported: the others may not be installed.
    if isinstance(broker, AmqpConfig):
        from systems.brokers.amqp import Amqp  # noqa: PLC0415 - as above

        return AmqpTopics(context.system(config.system, Amqp))
    if isinstance(broker, NatsConfig):
        from systems.brokers.nats import Nats  # noqa: PLC0415 - as above

        return NatsTopics(context.system(config.system, Nats))
    from systems.brokers.redis import Redis  # noqa: PLC0415 - as above

    return RedisTopics(context.system(config.system, Redis))
