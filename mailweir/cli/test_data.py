"""`mailweir test --from-embedded`: made-up entities move from the configuration to files of their own."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click

from mailweir.testing.declared import made_up
from mailweir.testing.given import TESTDATA
from pipeline.config.files import reason, shown
from pipeline.config.load import project_root

if TYPE_CHECKING:
    from mailweir.cli.options import Common
    from mailweir.testing.suite import Suite


def write_embedded(values: Common, suite: Suite) -> int:
    """Write `testdata/<pipe>.json` for each pipe whose source has a `test` alternative of its own; the exit code.

    A file that is there stays as it is. The configuration is not changed.
    """
    root = project_root(values.here)
    written, there = [], []
    for component in suite.loaded(root).project.components:
        entities = made_up(component) if component.kind == "pipe" else None
        if entities is None:
            continue
        path = root / TESTDATA / f"{component.id}.json"
        name = shown(path, values.here)
        if os.path.lexists(path):
            there.append(name)
            continue
        text = json.dumps(list(entities), ensure_ascii=False, indent=2) + "\n"
        try:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        except OSError as error:
            raise click.UsageError(f"cannot write {name}: {reason(error)}") from None
        written.append(name)
        values.out.line(f"{name}  {len(entities)} {'entity' if len(entities) == 1 else 'entities'}")
    if values.json:
        report = {"ok": True, "exit_code": 0, "written": written, "unchanged": there}
        values.out.document({"schema_version": 1, "command": "test", **report})
        return 0
    for name in there:
        values.out.line(f"{name}  is there, and stays")
    if not written and not there:
        values.out.line("no source has an alternative `test` with entities in the configuration")
    elif written:
        values.out.say("Tests read these files from now on; `mailweir run` reads the alternatives as before")
    return 0
