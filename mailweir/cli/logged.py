"""What systems log while a verb works, on the way of everything that leaves the process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pipeline.config.glyphs import visible

if TYPE_CHECKING:
    from mailweir.cli.options import Common
    from mailweir.cli.out import Out

# What is said to mail servers is logged only where a configuration asks for it, so it is shown unasked.
TALK: Final = "mailweir.smtp.talk"


class _Teller(logging.Handler):
    """Says what is logged, a line each."""

    def __init__(self, out: Out) -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        """Say it."""
        level = "" if record.name == TALK else f"{record.levelname.lower()}: "
        self._out.fault(visible(f"{level}{record.getMessage()}"))


@contextmanager
def logged(values: Common, *, summed_up: str = "") -> Iterator[None]:
    """Warnings and errors are told, with `-v` more, with `--quiet` less.

    Warnings of `summed_up` come again in the summary of the verb: they are shown only to who wants to see more.
    """
    level = logging.ERROR if values.out.quiet else logging.INFO if values.verbosity else logging.WARNING
    levels = {"mailweir": level, TALK: level if values.out.quiet else logging.INFO}
    before = {name: logging.getLogger(name).level for name in levels}
    handler = _Teller(values.out)
    if summed_up and not values.verbosity:
        handler.addFilter(lambda record: record.name != summed_up or record.levelno > logging.WARNING)
    logging.getLogger("mailweir").addHandler(handler)
    for name, one in levels.items():
        logging.getLogger(name).setLevel(one)
    try:
        yield
    finally:
        logging.getLogger("mailweir").removeHandler(handler)
        for name, one in before.items():
            logging.getLogger(name).setLevel(one)
