"""A page in the browser of the person, where there is one."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from mailweir.in_ci import in_ci

if TYPE_CHECKING:
    from pathlib import Path

    from mailweir.cli.options import Common

# Seconds in which a browser is started on a machine that is busy.
LONGEST_WAIT: Final = 3.0


def opened(values: Common, page: Path, *, wanted: bool | None) -> bool:
    """Open the page if that is wanted, or where nothing was said if a person sits at a desktop; whether it was."""
    if wanted is None:
        wanted = not values.json and values.out.stdout.isatty() and not in_ci(os.environ) and _has_desktop()
    if not wanted:
        return False
    import webbrowser
    from threading import Thread

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    # Some browsers come back only when they are closed: nobody waits for that.
    opening = Thread(target=browser.open, args=(page.absolute().as_uri(),), daemon=True)
    opening.start()
    opening.join(LONGEST_WAIT)
    return True


def _has_desktop() -> bool:
    """Whether a browser gets a window of its own: one that works in this terminal would take it."""
    if sys.platform in {"darwin", "win32"}:
        return not os.environ.get("SSH_CONNECTION")
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
