"""Entities are published to the topics of a bus, a batch at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Final

from pipeline.entity import Entity
from pipeline.receipt import Outcome, Receipt
from sinks.broker_write import BrokerWriter
from systems.bus.config import is_topic
from systems.bus.system import Topics

# Each has a connection of its own. Topics that entities name may be many: whose turn was longest ago is closed.
_MOST_OPEN: Final = 16


class BusWriter:
    """Publishes batches, each entity to its topic."""

    def __init__(self, topics: Topics, topic: str, named_by: str | None, *, skip_deleted: bool) -> None:
        """`named_by` is the property that names the topic of an entity; without it that is `topic`."""
        self._topics = topics
        self._topic = topic
        self._named_by = named_by
        self._skip_deleted = skip_deleted
        self._writers: dict[str, BrokerWriter] = {}

    def write(self, entities: Sequence[Entity]) -> list[Receipt]:
        """Those that were refused."""
        told: list[Receipt] = []
        by_topic: defaultdict[str, list[Entity]] = defaultdict(list)
        for entity in entities:
            topic = None if self._named_by is None else entity.get(self._named_by)
            topic = self._topic if topic is None else topic
            if isinstance(topic, str) and is_topic(topic):
                by_topic[topic].append(entity)
            else:
                words = f"`{self._named_by}` is no name of a topic"
                told.append(Receipt(str(entity.get("_id", "")), "", Outcome.REJECTED, words))
        for topic, some in by_topic.items():
            told += self._writer(topic).write(some)
        return told

    def close(self) -> None:
        """Leave."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _writer(self, topic: str) -> BrokerWriter:
        writer = self._writers.pop(topic, None)
        if writer is None:
            if len(self._writers) >= _MOST_OPEN:
                self._writers.pop(next(iter(self._writers))).close()
            opened = partial(self._topics.publisher, topic)
            writer = BrokerWriter(self._topics.settings, opened, skip_deleted=self._skip_deleted)
        self._writers[topic] = writer
        return writer
