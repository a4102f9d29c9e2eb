"""The front door: command line, web and test tools. Knows everything below it; nothing below knows it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailweir.sending import asend as asend
    from mailweir.sending import send as send
    from mailweir.sent import Sent as Sent

__version__ = "0.1.0"

# Imported when they are used: the command starts without them.
_homes = {"send": "mailweir.sending", "asend": "mailweir.sending", "Sent": "mailweir.sent"}


def __getattr__(name: str) -> object:
    """What people import who just send."""
    if name not in _homes:
        raise AttributeError(f"module 'mailweir' has no attribute '{name}'")
    return getattr(import_module(_homes[name]), name)
