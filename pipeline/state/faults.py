"""What is wrong with the state itself. No I/O."""

from __future__ import annotations

from enum import StrEnum


class StateReason(StrEnum):
    """Why the state cannot be used, in one word for programs."""

    FULL = "full"  # the disk, or what is left above the floor
    BUSY = "busy"  # another program holds the file
    FAILED = "failed"  # the disk did not keep what was written
    DAMAGED = "damaged"
    GONE = "gone"  # the file was removed or replaced while it was in use
    FOREIGN = "foreign"  # it is something else
    NEWER = "newer"  # a later version of Mailweir wrote it
    OLDER = "older"  # a backup that does not know what was sent since
    REFUSED = "refused"  # the folder or the file may not be used
    NETWORK = "network"  # it lies on a network file system
    CLOSED = "closed"


class StateError(Exception):
    """The state cannot be used, so nothing is sent. Nothing that was admitted is lost.

    `passing` says that it may heal by itself, a full disk for one; otherwise the state has to be opened anew, when
    somebody has done what `advice` says.
    """

    def __init__(self, reason: StateReason, text: str, advice: str = "", *, passing: bool = False) -> None:
        """`text` says what is wrong and where."""
        super().__init__(f"{text} ({advice})" if advice else text)
        self.reason = reason
        self.text = text
        self.advice = advice
        self.passing = passing
