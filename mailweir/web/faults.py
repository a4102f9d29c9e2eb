"""Why a service cannot listen. No I/O."""

from __future__ import annotations


class CannotListenError(ValueError):
    """It cannot listen there, or tokens cannot be read. The text says why, and where."""
