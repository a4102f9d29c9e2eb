"""The fault of a mail as it is shown: where in a template it failed, with the characters and what to do. No I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.config.show import render
from pipeline.errors import Problem, Span

if TYPE_CHECKING:
    from pipeline.config.load import Loaded


def located(loaded: Loaded, problem: Problem, *, width: int, color: bool) -> list[str]:
    """The lines; none where there is nothing to say but the fault itself."""
    if not (problem.span.file or problem.notes):
        return []
    if not problem.span.file:
        return [f"  {note.kind}: {note.text}" for note in problem.notes]
    project = loaded.project
    texts = dict(project.texts)
    decoded = problem.decoded
    if decoded is not None and problem.span.file not in texts:
        # What has no file is shown by itself, as if it had one.
        name = problem.span.file
        texts[name] = decoded.text
        problem = replace(problem, span=Span(name, decoded.start, decoded.end), decoded=None)
    shown = render([problem], texts, width=width, color=color, masks=project.masks, scrubber=project.scrubber)
    return shown.splitlines()
