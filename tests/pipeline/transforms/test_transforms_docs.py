"""The page on transforms: what stands below an example comes out of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).parents[3] / "docs" / "transforms.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```json\n(.*?)^```\n\n```json entity\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_every_example_has_what_comes_out_of_it() -> None:
    """None stands there without."""
    assert len(EXAMPLES) == len(re.findall(r"^```json\n", PAGE, re.MULTILINE)) > 0


@pytest.mark.parametrize(("pipe", "gives"), EXAMPLES, ids=[json.loads(pipe)["_id"] for pipe, _ in EXAMPLES])
def test_an_example_gives_what_stands_below_it(pipe: str, gives: str, tmp_path: Path) -> None:
    """Run as a user does."""
    (tmp_path / "p.conf.json").write_text(pipe)
    done = subprocess.run(
        [sys.executable, "-m", "mailweir", "transform", json.loads(pipe)["_id"]],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    made: list[Any] = [json.loads(line) for line in done.stdout.splitlines()]
    assert made == json.loads(gives)
