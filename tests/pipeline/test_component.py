"""The seam between what is declared and what runs."""

import json
from typing import TypeVar

import pytest

from pipeline.config.installed import installed
from pipeline.config.project import compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read
from pipeline.entity import is_reserved

S = TypeVar("S")


class Bare:
    """A context for components that ask for nothing."""

    pipe = "p"

    def system(self, id: str, port: type[S]) -> S:
        """There is none."""
        raise LookupError(id, port)

    def now(self) -> int:
        """The start of the clock."""
        return 0


@pytest.mark.parametrize(
    ("slot", "declared"),
    [
        ("source", {"type": "embedded", "entities": [{"_id": "a"}]}),
        ("source", {"type": "empty"}),
        ("transform", {"type": "lower_keys"}),
        ("transform", {"type": "emit_children"}),
        ("sink", {"type": "null"}),
    ],
)
def test_a_declared_component_builds_its_runtime_from_plain_values(slot: str, declared: dict[str, object]) -> None:
    """The built object knows neither pydantic nor JSON."""
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "empty"}, slot: declared}
    component = compile_project([read(json.dumps(pipe), "p.conf.json")], installed(), Lookup()).components[0]
    config = next(child.config for name, child in component.children if name == slot)
    build = getattr(config, "build")
    built = build(Bare())
    assert "pydantic" not in {type(value).__module__.split(".")[0] for value in vars(built).values()}
    assert any(hasattr(built, method) for method in ("read", "write", "__call__"))


def test_names_that_begin_with_an_underscore_belong_to_the_engine() -> None:
    """`_id` and its kind are not data."""
    assert is_reserved("_id")
    assert not is_reserved("id")
