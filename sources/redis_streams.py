"""Streams of Redis as a source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Advice, Refers, SourceContext
from pipeline.config.given import advice
from sources.messages import PREFETCH, MessagesConfig, Prefetch
from systems.brokers.config import RedisConfig

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.broker_read import LogSource, QueueSource


class RedisStreamsConfig(MessagesConfig):
    """Entities from the entries of a stream. The state keeps the id up to which they were read."""

    type: Literal["redis_streams"]
    """`redis_streams`."""
    system: Annotated[str, Refers("system", RedisConfig, "speak to Redis")]
    """The `_id` of the server."""
    stream: str = Field(min_length=1)
    """The key of the stream."""
    field: str | None = "entity"
    """The field of an entry that holds the entity as JSON. `null`: each field is a property, as text."""
    start: Literal["first", "new"] = "first"
    """Where the first run begins: with the first entry that is there, or with those that are added later."""
    group: str | None = None
    """A group of consumers that share the entries: each goes to one of them, and is acknowledged when it is on record.
    It is made if it is not there. Default: none, every entry is read."""
    consumer: str | None = None
    """The name of this consumer in its group. Default: the `_id` of the pipe."""
    prefetch: Prefetch = PREFETCH
    """How many entries of a group may be on their way to the sink."""
    claim_after: Annotated[float | None, Advice("not a time", ("write seconds: 300",)), Field(gt=0)] = None
    """After how many seconds entries are taken over that another consumer of the group got and did not acknowledge:
    more than any of them ever needs. Default: they stay with it."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """What is said of a consumer needs a group; a key among fields needs none of JSON."""
        for name in ("consumer", "prefetch", "claim_after"):
            if given.has(name) and not given.has("group"):
                help_ = advice('add `"group": "…"`')
                yield given.problem("E206", f"`{name}` without `group`", name, at="key", notes=(help_,))

    def build(self, context: SourceContext) -> LogSource | QueueSource:
        """The source itself."""
        from sources.broker_read import LogSource, QueueSource  # noqa: PLC0415 - clients are for those who connect
        from systems.brokers.redis import Group, Redis  # noqa: PLC0415 - as above

        system = context.system(self.system, Redis)
        taking = self.taking(f"{self.system}/{self.stream}", fields=self.field is None, window=self.prefetch)
        if self.group is None:
            begin = None if self.start == "new" else "0"
            return LogSource(system.settings, taking, lambda since: system.log(self.stream, self.field, since or begin))
        group = Group(self.group, self.consumer or context.pipe, "$" if self.start == "new" else "0", self.claim_after)
        return QueueSource(
            system.settings,
            taking,
            lambda: system.queue(self.stream, self.field, group),
            context.on_record,
            f"{context.now():x}",
        )
