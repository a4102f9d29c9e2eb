"""What tests reach of their pipes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from mailweir.testing.coverage import Coverage, document, lines, too_little
from mailweir.testing.reached import Reached
from mailweir.testing.suite import Suite
from pipeline.config.load import Options

if TYPE_CHECKING:
    from tests.mailweir.testing.conftest import Project

ANN = {"_id": "a", "email": "ann@example.com", "name": "Ann", "kind": "k1"}


def measured(project: Project, *cases: Any, more: Reached | None = None) -> Coverage:
    """What these cases of the pipe reach."""
    named = [{"name": f"case {number}", **case} for number, case in enumerate(cases)]
    project.write("expected/welcome.test.json", {"cases": named})
    suite = Suite(Options(here=project.root), reached=Reached())

    async def every() -> set[tuple[str, str]]:
        found = list(suite.collect([project.root]))
        for each in found:
            for test in each.file.planned.tests:
                assert (await suite.run(each, test)).state == "passed"
        return {(str(each.loaded.root), test.pipe) for each in found for test in each.file.planned.tests}

    try:
        tested = asyncio.run(every())
        assert suite.reached is not None
        if more is not None:
            more.add(suite.reached.document())
        return suite.coverage(tested)
    finally:
        suite.close()


def told(coverage: Coverage) -> list[str]:
    """The table."""
    return list(lines(coverage))


def test_what_no_test_reaches_is_named_with_its_place(project: Project) -> None:
    """Rules by file and line, templates by property and line, outcomes in words; a pipe without a test is told."""
    project.pipe["sink"] = {**project.pipe["sink"], "text_body_template": "Hello\n{% if vip %}!{% endif %}\n"}
    project.write("pipes/a.conf.json", [project.pipe, project.people])
    found = told(measured(project, {"given": [ANN], "expect": [{"_id": "a"}]}))
    assert found == [
        "coverage  rules         templates     outcomes",
        "welcome   4/5   80%     0/4    0%     0/2    0%",
        "  pipes/a.conf.json:1 default[0] filter: nothing was ever dropped",
        "  subject_template line 1: was never rendered",
        "  text_body_template line 1: was never rendered",
        "  text_body_template line 2: the condition never held",
        "  text_body_template line 2: the condition always held",
        "  no mail was ever sent",
        "  no mail was ever rejected",
        "people    no test    mailweir test --new people",
        "all       4 of 11, 36%",
    ]


def test_all_of_it_can_be_reached(project: Project) -> None:
    """With an entity that is dropped, one that is mailed, and one that is no mail."""
    given = [ANN, {**ANN, "_id": "b", "left": True}, {**ANN, "_id": "c", "email": ""}]
    expect = {"outcomes": ["sent", "rejected"]}
    coverage = measured(project, {"given": given, "stage": "mail", "expect": expect})
    welcome = next(one for one in coverage.pipes if one.pipe == "welcome")
    assert (welcome.tested, welcome.never) == (True, [])
    assert {kind: tuple(share) for kind, share in welcome.shares.items()} == {
        "rules": (5, 5),
        "templates": (2, 2),
        "outcomes": (2, 2),
    }
    assert coverage.share.percent == 100
    assert too_little(coverage, 100) == ""


def test_a_stage_that_ends_early_reaches_less(project: Project) -> None:
    """Nobody looks at rules in a test of the source; what runs upstream is not under test."""
    coverage = measured(project, {"stage": "source", "given": [ANN], "expect": [ANN]})
    assert coverage.share.reached == 0
    assert too_little(coverage, 0) == ""
    assert too_little(coverage, 0.1) == "coverage is 0%, under the 0.1% it has to be"


def test_what_several_processes_reach_is_put_together(project: Project) -> None:
    """As values of JSON on the way."""
    both = Reached()
    one = measured(project, {"given": [ANN], "expect": [{"_id": "a"}]}, more=both)
    other = measured(project, {"given": [{**ANN, "left": True}], "expect": []}, more=both)
    reached = [next(each for each in some.pipes if each.pipe == "welcome").shares["rules"] for some in (one, other)]
    assert [tuple(each) for each in reached] == [(4, 5), (1, 5)]
    ((_, _, keys),) = both.document()
    assert len(keys) == 5


def test_a_function_in_python_counts_as_one(project: Project) -> None:
    """It is reached when an entity comes to it."""
    project.write("shapes.py", "def shape(entity):\n    return entity\n")
    pipe = {**project.pipe, "transform": {"type": "python", "function": "shapes:shape"}, "sink": {"type": "null"}}
    project.write("pipes/a.conf.json", [pipe, project.people])
    coverage = measured(project, {"given": [], "expect": []})
    (never,) = coverage.pipes[0].never
    assert (never.kind, never.where, never.never) == ("rules", "pipes/a.conf.json:1 python", "was never reached")
    assert measured(project, {"given": [ANN], "expect": [ANN]}).pipes[0].never == []


def test_figures_for_machines(project: Project) -> None:
    """The same, with every name."""
    found = document(measured(project, {"given": [ANN], "expect": [{"_id": "a"}]}))
    assert (found["reached"], found["of"], found["percent"]) == (4, 9, 44.44)
    assert found["pipes"][0]["rules"] == {"reached": 4, "of": 5}
    assert found["pipes"][0]["never"][0] == {
        "kind": "rules",
        "where": "pipes/a.conf.json:1 default[0] filter",
        "message": "nothing was ever dropped",
    }
