"""From a checked configuration to a queue at work."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

from systems.mail import MailSystem, MailSystemConfig
from systems.spool.drain import Drain
from systems.spool.gate import Gate, of_this_machine
from systems.spool.policy import Policy
from systems.spool.store import Store
from systems.spool.system import Spool

if TYPE_CHECKING:
    from pipeline.component import Context
    from systems.spool.config import SpoolConfig


def build(config: SpoolConfig, context: Context) -> Spool:
    """The system of a configuration. The one behind it is asked for only if the queue is worked on."""
    store = Store(folder(config, context.root, context.state), config.id)
    return Spool(config.id, store, drain_of(config, context, store) if config.process else None, context.now)


def drain_of(config: SpoolConfig, context: Context, store: Store) -> Drain:
    """What works on the queue."""
    behind = context.config(config.system, MailSystemConfig)
    return Drain(
        store,
        context.system(config.system, MailSystem),
        policy(config),
        lambda: Gate(store.folder / "hour", behind.max_per_hour, of_this_machine()),
        context.now,
        random.random,
        count_by=behind.count_by,
        verp=config.verp,
        xverp=config.xverp,
    )


def folder(config: SpoolConfig, root: str, state: str) -> Path:
    """Where the queue of a configuration is."""
    return Path(root, config.queue_path) if config.queue_path else Path(state, "spool", config.id)


def policy(config: SpoolConfig) -> Policy:
    """When it tries again, and when it gives up."""
    return Policy(config.delivery, config.max_tries, config.retry_first, config.retry_longest, config.give_up_after)
