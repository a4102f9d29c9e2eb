"""The words that choose messages. No I/O."""

from __future__ import annotations

from typing import Final

WORDS: Final = ("queued", "retrying", "in_doubt", "held", "dead", "rejected", "discarded", "sent")
"""What may have become of a message."""
USUAL: Final = WORDS[:6]
"""What waits, and what a person may want to act on."""
