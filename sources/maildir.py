"""Mail that came in, as a source."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipeline.component import SourceConfig, SourceContext
from systems.forms import file_faults

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.maildir_read import Maildir


class MaildirConfig(SourceConfig):
    """The mails of a Maildir of the project, each once: headers, text, HTML and attachments.

    A mail moves from `new` to `cur` in the run that follows the one that read it, when all of it is stored.
    """

    type: Literal["maildir"]
    """`maildir`."""
    path: str
    """The Maildir: a path from the project's folder to the one with `new`, `cur` and `tmp` in it."""
    read_cur: bool = False
    """Whether mails in `cur` are read too, where another program moves them, each once. Up to 10,000 of them."""
    raw: bool = False
    """Whether an entity has all bytes of its mail too, as `raw`."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The path stays in the project."""
        return file_faults(given, "path")

    def build(self, context: SourceContext) -> Maildir:
        """The source itself."""
        from sources.maildir_read import Maildir  # noqa: PLC0415 - the parser is for those who read

        root, path = Path(context.root), self.path.rstrip("/")
        return Maildir(root, path, current=self.read_cur, raw=self.raw, runs=context.runs)
