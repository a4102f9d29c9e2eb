"""One of several transforms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.transforms.conditional import ConditionalTransformConfig
from pipeline.transforms.lower_keys import LowerKeysConfig, Renamed


def test_the_chosen_transform_is_built() -> None:
    """The one that the condition names."""
    chosen = ConditionalTransformConfig.model_validate(
        {
            "type": "conditional",
            "condition": "low",
            "alternatives": {"low": LowerKeysConfig.model_validate({"type": "lower_keys"})},
        }
    )
    context: Any = None
    built = chosen.build(context)
    assert isinstance(built, Renamed)
    assert built({"Name": "Ann"}) == [{"name": "Ann"}]


@pytest.mark.parametrize(
    ("transform", "codes"),
    [
        ({"condition": "a", "alternatives": {"a": {"type": "lower_keys"}, "b": {"type": "emit_children"}}}, []),
        ({"condition": "c", "alternatives": {"a": {"type": "lower_keys"}}}, ["E313"]),
        ({"condition": "a", "alternatives": {"a": {"type": "lowerkeys"}}}, ["E205"]),
        ({"condition": "a", "alternatives": {"a": {"type": "lower_keys"}, "b": {"typ": "lower_keys"}}}, ["E201"]),
    ],
)
def test_every_alternative_is_checked(tmp_path: Path, transform: dict[str, Any], codes: list[str]) -> None:
    """A condition without an alternative, and faults in those that are not chosen."""
    pipe = {
        "_id": "people",
        "type": "pipe",
        "source": {"type": "empty"},
        "transform": {"type": "conditional", **transform},
        "sink": {"type": "null"},
    }
    (tmp_path / "people.conf.json").write_text(json.dumps(pipe))
    found = check_paths([tmp_path], Options(environ={}, here=tmp_path, run_secrets=tmp_path / "none")).problems
    assert [problem.code for problem in found] == codes
