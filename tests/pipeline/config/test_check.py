"""Faults between components: names, references, and the flow."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.flow import circles
from pipeline.config.installed import installed
from pipeline.config.project import Project, compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read

registry = installed()
smtp = {"_id": "smtp", "type": "system:smtp"}
mail = {"type": "mail", "system": "smtp", "mail_from": "a@example.com", "recipients": "b@example.com"}


def project(*components: dict[str, Any] | str) -> Project:
    """Each component in a file of its own."""
    texts = [c if isinstance(c, str) else json.dumps(c) for c in components]
    documents = [read(text.encode(), f"{number}.conf.json") for number, text in enumerate(texts)]
    return compile_project(documents, registry, Lookup(take_env=False, take_secrets=False))


def codes(*components: dict[str, Any] | str) -> list[str]:
    """The codes of all problems."""
    return [problem.code for problem in project(*components).problems]


def reading(name: str, *datasets: str, **more: Any) -> dict[str, Any]:
    """A pipe that reads these datasets."""
    source: dict[str, Any] = {"type": "union_datasets", "datasets": list(datasets)}
    return {"_id": name, "type": "pipe", "source": source if datasets else {"type": "empty"}, **more}


def test_references_to_systems_lead_to_one_that_can_do_it() -> None:
    """A missing system and one that cannot carry mail are told apart."""
    assert codes(smtp, reading("a", sink=mail)) == []
    assert codes(reading("a", sink=mail)) == ["E304"]
    other = reading("smtp")
    assert codes(other, reading("a", sink=mail)) == ["E306"]


def queue(name: str, system: str) -> dict[str, Any]:
    """A system in front of another."""
    return {"_id": name, "type": "system:spool", "system": system}


@pytest.mark.parametrize(
    ("components", "message", "others"),
    [
        ([queue("a", "a")], "`a` stands in front of itself", 0),
        ([queue("a", "b"), queue("b", "a")], "systems stand in front of each other: `a` → `b` → `a`", 1),
        (
            [queue("x", "a"), queue("a", "b"), queue("b", "c"), queue("c", "a")],
            "systems stand in front of each other: `a` → `b` → `c` → `a`",
            2,
        ),
    ],
)
def test_systems_in_a_circle(components: list[dict[str, Any]], message: str, others: int) -> None:
    """One error for a circle, at its first reference, with the others beside it; what leads into it is right."""
    (found,) = [problem for problem in project(*components).problems if problem.code == "E316"]
    assert (found.message, len(found.related)) == (message, others)
    assert found.path == ("a", "system")


def test_systems_in_a_row_are_no_circle() -> None:
    """Also when two lead to the same one."""
    assert "E316" not in codes(queue("a", "b"), queue("b", "smtp"), queue("c", "smtp"), smtp)
    assert codes(queue("a", "b"), queue("b", "smtp"), smtp) == []


def test_two_ways_to_a_system_are_told() -> None:
    """Directly and behind a queue, or behind two; several pipes are one way."""
    assert codes(smtp, queue("q", "smtp"), reading("a", sink=mail)) == ["W319"]
    assert codes(smtp, queue("q", "smtp"), queue("r", "smtp")) == ["W319"]
    assert codes(smtp, reading("a", sink=mail), reading("b", sink=mail)) == []
    assert codes(smtp, queue("q", "smtp") | {"process": False}, reading("a", sink=mail)) == []
    assert codes(smtp, queue("q", "smtp"), reading("a", sink=mail | {"system": "q"})) == []


def test_a_system_in_a_file_with_faults_is_not_reported_as_missing() -> None:
    """One fault, one error: the file that declares it has been told."""
    broken = '{"_id": "smtp" "type": "system:smtp"'
    assert "E304" not in codes(broken, reading("a", sink=mail))
    nothing = '"_id": "smtp", "type": "system:smtp"'
    assert "E304" not in codes(nothing, reading("a", sink=mail))


def test_a_pipe_with_faults_still_writes_its_dataset() -> None:
    """A wrong property of a pipe does not make its readers wrong."""
    assert codes(reading("a", nonsense=1), reading("b", "a", sink=mail), smtp) == ["E201"]


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        ([reading("a"), reading("b", "a", sink=mail), smtp], []),
        ([reading("b", "aa", sink=mail), reading("a"), reading("c", "a", sink=mail), smtp], ["E305"]),
        ([reading("a", sink={"type": "null"}), reading("b", "a", sink=mail), smtp], ["E602"]),
        ([reading("a", sink={"dataset": "x"}), reading("b", sink={"dataset": "x"})], ["E603"]),
        ([reading("a", "a")], ["E601"]),
        ([reading("a", "b"), reading("b", "a")], ["E601"]),
        ([reading("a", "b"), reading("b", "a", allow_cycle=True)], []),
        ([reading("a"), reading("b", "a", sink=mail), reading("c"), smtp], ["W604"]),
        ([{"_id": "a", "type": "pipe", "sink": mail}, smtp], ["E605"]),
        ([smtp, {**smtp, "_id": "SMTP"}], ["E208"]),
    ],
)
def test_the_flow_is_checked(components: list[dict[str, Any]], expected: list[str]) -> None:
    """Datasets are written once and read by someone; circles are meant or faults."""
    assert codes(*components) == expected


def test_joined_datasets_are_read() -> None:
    """A dataset in `hops` counts as read, and must exist."""

    def joining(dataset: str) -> dict[str, Any]:
        hops = ["hops", {"datasets": [f"{dataset} c"], "where": ["eq", "_S.a", "c._id"]}]
        rules = {"default": [["add", "x", hops]]}
        return reading("b", transform={"type": "dtl", "rules": rules}, sink=mail)

    assert codes(reading("customers"), joining("customers"), smtp) == []
    assert codes(reading("customers"), joining("custmers"), smtp) == ["E305"]


def test_many_pipes_in_a_row_are_walked_without_recursion() -> None:
    """Ten thousand pipes that read each other end in one circle, not in a stack overflow."""
    edges = {str(number): [str((number + 1) % 10_000)] for number in range(10_000)}
    (circle,) = circles(edges)
    assert len(circle) == 10_000


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=4)))
def test_every_circle_is_one(edges: dict[str, list[str]]) -> None:
    """Each circle follows edges and returns; there is one exactly when some node reaches itself."""
    found = circles(edges)
    for circle in found:
        for reader, writer in zip(circle, [*circle[1:], circle[0]], strict=True):
            assert writer in edges.get(reader, [])

    def reaches(start: str) -> bool:
        seen: set[str] = set()
        level = list(edges.get(start, []))
        while level:
            node = level.pop()
            if node == start:
                return True
            if node not in seen:
                seen.add(node)
                level += edges.get(node, [])
        return False

    assert bool(found) == any(reaches(node) for node in edges)


def test_a_circle_of_thousands_is_told_with_a_few_of_them() -> None:
    """The count says how many there are; the middle of the way is left out."""
    pipes = [reading(f"a{number}", f"a{(number + 1) % 3000}") for number in range(3000)]
    checked = project(json.dumps(pipes))
    (problem,) = [problem for problem in checked.problems if problem.code == "E601"]
    assert problem.message == "3000 pipes feed each other in a circle"
    assert len(problem.related) < 50
    (way,) = [note.text for note in problem.notes if note.text.startswith("data flows")]
    assert "… 2981 more …" in way


def test_a_dataset_that_thousands_write_is_told_with_a_few_of_them() -> None:
    """The message says how many there are."""
    sink = {"type": "dataset", "dataset": "x"}
    checked = project(json.dumps([reading(f"a{number}", sink=sink) for number in range(1000)]))
    (problem,) = [problem for problem in checked.problems if problem.code == "E603"]
    assert problem.message == "1000 pipes write the dataset `x`"
    assert 2 <= len(problem.related) < 50
