"""Which pipes are run, in which order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from mailweir.flows import CannotRunError, _unready, pipes_of
from pipeline.component import SourceConfig
from pipeline.config.load import Loaded, Options, load
from pipeline.pipe import PipeConfig


class DeclaredConfig(SourceConfig):
    """A source that can only be declared."""

    type: Literal["declared"]


def project(folder: Path, *pipes: dict[str, Any]) -> Loaded:
    """A project of these pipes."""
    office = {"_id": "office", "type": "system:smtp", "smtp_server": "mail.example.com"}
    (folder / "all.conf.json").write_text(json.dumps([office, *({"type": "pipe", **pipe} for pipe in pipes)]))
    return load(folder, Options(here=folder))


def reading(name: str, dataset: str, **more: Any) -> dict[str, Any]:
    """A pipe that reads a dataset."""
    return {"_id": name, "source": {"type": "dataset", "dataset": dataset}, **more}


MAIL = {
    "type": "mail",
    "system": "office",
    "mail_from": "a@example.com",
    "subject_template": "a",
    "body_template": "a",
    "recipients": "b@example.com",
}


def test_what_can_only_be_declared_is_named() -> None:
    """It is no crash in the middle of a run: a plugin may have such a part."""
    pipe = PipeConfig.model_construct(id="p", source=DeclaredConfig(type="declared"), transform=(), sink=None)
    assert list(_unready(pipe)) == [
        "the pipe `p` has a source of type `declared`, which can be checked and not be run yet"
    ]
    assert list(_unready(PipeConfig.model_construct(id="p", source=None, transform=(), sink=None))) == [
        "the pipe `p` has no source"
    ]


def test_pipes_run_upstream_first_and_mail_at_the_end(tmp_path: Path) -> None:
    """Whatever the order of the files; a pipe that is off only where it is named."""
    loaded = project(
        tmp_path,
        reading("mail", "shaped", sink=MAIL),
        reading("late", "shaped"),
        reading("shaped", "people"),
        reading("off", "people", pump={"mode": "off"}),
        {"_id": "people", "source": {"type": "embedded", "entities": []}},
        {"_id": "news", "source": {"type": "embedded", "entities": []}, "sink": MAIL},
    )
    assert [pipe.id for pipe in pipes_of(loaded)] == ["people", "shaped", "late", "mail", "news"]
    assert [pipe.id for pipe in pipes_of(loaded, ["mail", "off", "people"])] == ["people", "off", "mail"]


def test_nothing_to_run_is_told(tmp_path: Path) -> None:
    """Where all pipes are off."""
    with pytest.raises(CannotRunError, match="there is no pipe to run"):
        pipes_of(project(tmp_path, reading("off", "off", pump={"mode": "off"})))
