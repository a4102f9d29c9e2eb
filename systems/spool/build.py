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
    drain = None
    if config.process:
        behind = context.config(config.system, MailSystemConfig)
        drain = Drain(
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
    return Spool(config.id, store, drain, context.now)


def folder(config: SpoolConfig, root: str, state: str) -> Path:
    """Where the queue of a configuration is."""
    return Path(root, config.queue_path) if config.queue_path else Path(state, "spool", config.id)


def policy(config: SpoolConfig) -> Policy:
    """When it tries again, and when it gives up."""
    return Policy(config.delivery, config.max_tries, config.retry_first, config.retry_longest, config.give_up_after)
