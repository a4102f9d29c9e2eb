"""`system:spool` as declared, and the system that is built of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pipeline.component import SystemConfig
from pipeline.config.installed import installed
from pipeline.config.project import Project, compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read
from systems.smtp.config import SmtpConfig
from systems.spool.build import build
from systems.spool.config import SpoolConfig
from systems.spool.policy import Policy

S = TypeVar("S")
C = TypeVar("C", bound=SystemConfig)
SMTP = {"_id": "smtp", "type": "system:smtp", "max_per_hour": 7, "count_by": "recipient"}


def project(**properties: Any) -> Project:
    """A queue with these properties, in front of a mail server."""
    spool = {"_id": "out", "type": "system:spool", "system": "smtp", **properties}
    document = read(json.dumps([SMTP, spool], indent=2).encode(), "s.conf.json")
    return compile_project([document], installed(), Lookup(take_env=False, take_secrets=False))


def declared(**properties: Any) -> SpoolConfig:
    """The same, without a fault."""
    config = project(**properties).components[1].config
    assert isinstance(config, SpoolConfig)
    return config


@pytest.mark.parametrize(
    ("properties", "code", "words"),
    [
        ({"system": "smpt"}, "E304", 'no system has the `_id` "smpt"'),
        ({"system": None}, "E202", "`system` must be"),
        ({"verp": True, "xverp": True}, "E209", "`verp` and `xverp` are both set"),
        ({"retry_first": 5000}, "E203", "the first wait of 5000 s is longer than the longest of 4000 s"),
        ({"retry_longest": 200}, "E203", "the first wait of 300 s is longer than the longest of 200 s"),
        ({"delivery": "exactly_once"}, "E203", "delivery"),
        ({"queue_paht": "q"}, "E201", "unknown property `queue_paht`"),
        ({"max_tries": 0}, "E203", "max_tries"),
        ({"queue_path": "~/queue"}, "E203", "`queue_path` begins with `~`"),
    ],
)
def test_bad_input_is_told_at_its_place(properties: dict[str, Any], code: str, words: str) -> None:
    """One error, at the property."""
    (found,) = project(**properties).problems
    assert (found.code, found.path) == (code, ("out", [*properties][-1]))
    assert words in found.message


def test_waits_that_fit_are_right() -> None:
    """Both may be given, and equal."""
    assert project(retry_first=10, retry_longest=10, verp=True).problems == []
    assert project(verp=False, xverp=True).problems == []


class Around:
    """A context with one system behind."""

    pipe = ""

    def __init__(self, root: Path) -> None:
        """In a project's folder."""
        self.root = str(root)
        self.state = str(root / ".mailweir")
        self.behind = object()

    def system(self, id: str, port: type[S]) -> S:
        """The system behind."""
        assert id == "smtp"
        return self.behind  # type: ignore[return-value]

    def config(self, id: str, base: type[C]) -> C:
        """What is declared of it."""
        found = project().components[0].config
        assert id == "smtp"
        assert isinstance(found, SmtpConfig)
        return found  # type: ignore[return-value]

    def now(self) -> int:
        """The start of the clock."""
        return 0


def test_what_is_built_knows_what_was_declared(tmp_path: Path) -> None:
    """The folder, the policy, and the limit of the system behind."""
    around = Around(tmp_path)
    built = build(declared(delivery="at_most_once", max_tries=3, verp=True), around)
    assert (built.name, built.store.folder) == ("out", tmp_path / ".mailweir" / "spool" / "out")
    drain = built.drain
    assert drain is not None
    assert drain._policy == Policy("at_most_once", 3)
    assert (drain._target, drain._count_by, drain._verp, drain._xverp) == (around.behind, "recipient", True, False)
    built.store.open()
    drain.open()
    full = drain._gate.take(8)
    assert (type(full).__name__, full[1]) == ("Full", 7)
    drain.close()


@pytest.mark.parametrize("queue_path", ["queue", "./a/../queue"])
def test_a_path_starts_in_the_project(tmp_path: Path, queue_path: str) -> None:
    """A whole one is taken as it is."""
    folder = build(declared(queue_path=queue_path), Around(tmp_path)).store.folder
    assert folder.resolve() == tmp_path / "queue"
    assert build(declared(queue_path="/var/q"), Around(tmp_path)).store.folder == Path("/var/q")


def test_a_queue_that_is_not_worked_on_asks_for_no_system(tmp_path: Path) -> None:
    """So none is opened."""

    class Alone(Around):
        """A context without any."""

        def system(self, id: str, port: type[S]) -> S:
            """There is none."""
            raise AssertionError(id)

    assert build(declared(process=False), Alone(tmp_path)).drain is None
