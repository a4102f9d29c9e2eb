"""Mail as files that other programs read. No I/O."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_from: Final = re.compile(rb"^(>*From )", re.MULTILINE)
_days: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_months: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def mbox(sender: str, at: float, content: bytes) -> bytes:
    """A message of a file in the mbox format as RFC 4155 has it, with `>` before lines that look like the next message.

    That is what others call mboxrd: the quoting can be undone whatever a line begins with.
    """
    time = datetime.fromtimestamp(int(at), UTC)
    # asctime, in no language but that of the format.
    stamp = f"{_days[time.weekday()]} {_months[time.month - 1]} {time.day:2} {time:%H:%M:%S %Y}"
    who = sender.replace(" ", "_") or "MAILER-DAEMON"
    text = _from.sub(rb">\1", content.replace(b"\r\n", b"\n"))
    return f"From {who} {stamp}\n".encode() + text.removesuffix(b"\n") + b"\n\n"
