"""What a check finds in one component."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options


def marks(folder: Path, component: Mapping[str, Any], **environ: str) -> list[tuple[str, str]]:
    """The codes in their order, each with the text at its place."""
    text = json.dumps(component)
    (folder / "one.conf.json").write_text(text)
    problems = check_paths([folder], Options(environ=environ, here=folder, run_secrets=folder / "none")).problems
    return [(each.code, text[each.span.start : each.span.end]) for each in problems]


def marks_of_transform(folder: Path, transform: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The same of a transform, in a pipe around it."""
    around = {"_id": "one", "type": "pipe", "source": {"type": "empty"}, "sink": {"type": "null"}}
    return marks(folder, {**around, "transform": transform})
