"""`system:spool` as declared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Advice, Refers
from systems.mail import MailSystemConfig
from systems.spool.rules import faults

if TYPE_CHECKING:
    from pipeline.component import Context
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from systems.spool.system import Spool

Seconds = Annotated[float, Advice("not a time", ("write seconds: 300 or 0.5",)), Field(gt=0, le=86_400)]


class SpoolConfig(MailSystemConfig):
    """A queue on disk in front of another mail system: mail is safe once it is written, and is sent from there."""

    type: Literal["system:spool"]
    """`system:spool`."""
    system: Annotated[str, Refers("system", MailSystemConfig, "carry mail")]
    """The `_id` of the system that sends what is queued. Its `max_per_hour` holds for what leaves the queue; what is
    over it waits."""
    queue_path: str | None = None
    """The folder of the queue, a Maildir with a record beside each message; a relative path starts in the project.
    Default: `.mailweir/spool/` and the `_id`. It must be this user's alone."""
    process: bool = True
    """Whether the queue is worked on. false: mail is only queued and nothing leaves: for tests."""
    delivery: Literal["at_least_once", "at_most_once"] = "at_least_once"
    """What happens to a message that was handed over and of which no answer came: it is sent again after a minute or
    more, three times at most, or never."""
    verp: bool = False
    """Whether each recipient gets a return path of its own, so that a report names whom it is about:
    `news+kari=example.org@example.com`. A message to several is sent to each apart. A return path that would be too
    long stays as it was."""
    xverp: bool = False
    """Ask the server for such return paths (XVERP), if it can make them."""

    max_tries: int = Field(default=40, ge=1)
    """How often a message is tried before it is `dead`."""
    retry_first: Seconds = 300
    """Seconds until the second try; the waits grow from here."""
    retry_longest: Seconds = 4000
    """The longest wait between two tries."""
    give_up_after: Annotated[float, Advice("not a time", ("write seconds: 432000 is five days",))] = Field(
        default=432_000, gt=0
    )
    """Seconds after which a message that still gets temporary answers is `dead`."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """What two properties say together."""
        return faults(given)

    def build(self, context: Context) -> Spool:
        """The system at work."""
        from systems.spool.build import build  # noqa: PLC0415 - files and locks are for those who use the queue

        return build(self, context)
