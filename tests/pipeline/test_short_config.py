"""A source in a few words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.load import Loaded, Options, load
from pipeline.pipe import PipeConfig

SHOP = {"_id": "shop", "type": "system:sqlite", "path": "shop.db"}


def project(folder: Path, **pipe: Any) -> Loaded:
    """With one system and one pipe."""
    pipe = {"_id": "customers", "type": "pipe", **pipe}
    (folder / "all.conf.json").write_text(json.dumps([SHOP, pipe]))
    return load(folder, Options(environ={"table": "orders"}, here=folder))


@pytest.mark.parametrize(
    ("text", "table"), [("sql://shop/customers", "customers"), ("sql://shop/$ENV(table)", "orders")]
)
def test_it_means_a_table_of_a_system(tmp_path: Path, text: str, table: str) -> None:
    """The pipe has the source, as if it were spelt out."""
    loaded = project(tmp_path, short_config=text)
    pipe = next(one.config for one in loaded.project.components if isinstance(one.config, PipeConfig))
    assert pipe.source is not None
    assert pipe.source.model_dump(include={"type", "system", "table"}) == {
        "type": "sql",
        "system": "shop",
        "table": table,
    }


@pytest.mark.parametrize(
    ("pipe", "code", "place", "words"),
    [
        ({"short_config": "sql://shopp/customers"}, "E304", "shopp", 'no system has the `_id` "shopp"'),
        ({"short_config": "sql:/shop/customers"}, "E203", '"sql:/shop/customers"', "names the system and the table"),
        ({"short_config": "csv://shop/customers"}, "E203", '"csv://shop/customers"', "names the system and the table"),
        ({"short_config": "sql://shop/a", "source": {"type": "empty"}}, "E203", '"short_config"', "a `source` and a"),
        ({"short_config": 3}, "E202", "3", "must be a string"),
    ],
)
def test_what_it_cannot_mean_is_told_once(
    tmp_path: Path, pipe: dict[str, Any], code: str, place: str, words: str
) -> None:
    """At its character, and with no other fault beside it."""
    loaded = project(tmp_path, **pipe)
    errors = [problem for problem in loaded.project.problems if problem.level == "error"]
    assert [problem.code for problem in errors] == [code]
    span = errors[0].span
    assert (tmp_path / "all.conf.json").read_text()[span.start : span.end] == place
    assert words in errors[0].message
    assert not errors[0].fix or code == "E202"
