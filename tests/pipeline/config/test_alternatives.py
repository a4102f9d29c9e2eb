"""`$conditional_properties`: how it is written, what is chosen, and that every alternative is checked."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from pipeline.config.conditional import misspelt
from pipeline.config.installed import installed
from pipeline.config.lookup import Place
from pipeline.config.project import Project, compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read
from pipeline.errors import Problem
from pipeline.secret import Secret

registry = installed()
WITHOUT = Lookup(take_env=False, take_secrets=False)


def known(**values: object) -> Lookup:
    """A place with these variables, and one with the secret `pw`."""
    return Lookup((Place("here", "here", values),), (Place("there", "there", {"pw": Secret("c4nary-of-pw")}),))


def compiled(components: object, lookup: Lookup = WITHOUT) -> Project:
    """The project of one file."""
    return compile_project([read(json.dumps(components).encode(), "a.conf.json")], registry, lookup)


def at(project: Project, problem: Problem) -> str:
    """What a problem points at."""
    return project.texts[problem.span.file][problem.span.start : problem.span.end]


def found(components: object, lookup: Lookup = WITHOUT) -> list[tuple[str, str]]:
    """Code and underlined text of every problem; warnings of datasets that nobody reads are of no interest here."""
    project = compiled(components, lookup)
    return [(problem.code, at(project, problem)) for problem in project.problems if problem.code != "W604"]


def depends(alternatives: Mapping[str, Any], condition: object = "$ENV(where)", **more: Any) -> dict[str, Any]:
    """The property."""
    return {"$conditional_properties": {"condition": condition, "alternatives": alternatives, **more}}


def system(alternatives: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
    """A mail system with alternatives."""
    return {"_id": "s", "type": "system:smtp", **properties, **depends(alternatives)}


def pipe(id: str = "p", **properties: Any) -> dict[str, Any]:
    """A pipe that has a source unless told otherwise."""
    return {"_id": id, "type": "pipe", "source": {"type": "empty"}, **properties}


FAULTY = {
    "test": {"smtp_server": "localhost"},
    "prod": {"smtp_prt": 25, "smtp_port": "many", "smtp_username": "me", "smtp_password": "in-the-clear"},
}
FAULTS = [("E212", '"smtp_username"'), ("E201", '"smtp_prt"'), ("E202", '"many"'), ("W302", '"in-the-clear"')]


def test_without_values_every_alternative_is_checked() -> None:
    """Faults of shape, what properties say together and passwords in the clear are found in each."""
    expected = [("E201", '"smtp_prt"'), ("E202", '"many"'), ("E212", '"smtp_username"'), ("W302", '"in-the-clear"')]
    assert found(system(FAULTY, smtp_server="mail.example.com")) == expected


def test_an_alternative_that_is_not_chosen_is_checked() -> None:
    """What only production uses is wrong in a test already; it does not keep the test from running."""
    project = compiled(system(FAULTY, smtp_server="mail.example.com"), known(where="test"))
    assert sorted((problem.code, at(project, problem)) for problem in project.problems) == sorted(FAULTS)
    assert project.errors == []
    assert project.components[0].config is not None
    notes = {problem.notes[-1].text for problem in project.problems if problem.level == "error"}
    assert notes == {"with the alternative `prod`, which is not chosen here"}
    assert len(compiled(system(FAULTY), known(where="prod")).errors) == 2


def test_an_alternative_needs_no_values_of_another_place() -> None:
    """A variable or a secret that only production has is not missed in a test, and is checked as far as it goes."""
    alternatives = {
        "test": {},
        "prod": {
            "smtp_server": "$ENV(mail-server)",
            "use_tls": True,
            "smtp_username": "me",
            "smtp_password": "$SECRET(other)",
        },
    }
    assert found(system(alternatives), known(where="test")) == []
    assert found(system(alternatives)) == []
    wrong = {"test": {}, "prod": {"helo": "$SECRET(other)", "smtp_server": "$ENV(a b)"}}
    assert found(system(wrong), known(where="test")) == [("E310", "$SECRET(other)"), ("E311", "$ENV(a b)")]


def test_what_no_alternative_has_is_told_once() -> None:
    """A fault beside the condition is one fault, however many alternatives there are."""
    assert found(system({"a": {}, "b": {}, "c": {}}, smtp_prt=25)) == [("E201", '"smtp_prt"')]
    assert found(system({"a": {}, "b": {}}, smtp_prt=25), known(where="a")) == [("E201", '"smtp_prt"')]


def test_what_an_alternative_may_set_is_not_missing_and_not_wrong() -> None:
    """A login whose password each alternative has is whole, and a value that each replaces counts for nothing."""
    both = {"a": {"smtp_password": "$SECRET(pw)"}, "b": {"smtp_password": "$SECRET(pw)"}}
    assert found(system(both, smtp_username="me")) == []
    one = {"a": {"smtp_password": "$SECRET(pw)"}, "b": {}}
    assert found(system(one, smtp_username="me")) == [("E207", '"smtp_username"')]
    assert found(system({"a": {"smtp_port": 25}, "b": {"smtp_port": 26}}, smtp_port="x")) == []
    assert found(system({"a": {"smtp_port": 25}, "b": {}}, smtp_port="x")) == [("E202", '"x"')]


@pytest.mark.parametrize("lookup", [WITHOUT, known(where="test")])
def test_conditions_at_any_depth_are_checked(lookup: Lookup) -> None:
    """In parts, in lists, in other alternatives; two conditions in one component do not disturb each other."""
    prod = {"type": "dataset", "datset": "system:x"}
    source = depends({"test": {"type": "empty"}, "prod": prod})
    sink = depends({"test": {"type": "null"}, "prod": {"type": "nul"}})
    expected = [("E201", '"datset"'), ("E205", '"nul"')]
    assert found(pipe(source=source, sink=sink), lookup) == expected
    servers = [{"smtp_server": "a"}, {"smtp_server": "b", **depends({"test": {}, "prod": {"smtp_port": 0}})}]
    assert found({"_id": "s", "type": "system:smtp", "servers": servers}, lookup) == [("E203", "0")]
    nested = {"test": {}, "prod": {"helo": "x", **depends({"1": {"verbos": True}, "2": {}}, "$ENV(other)")}}
    assert found(system(nested), lookup) == [("E201", '"verbos"')]


def test_properties_of_two_alternatives_do_not_exclude_each_other() -> None:
    """One has one server and another several; both in one of them is a fault, whichever counts."""
    one, several = {"smtp_server": "localhost"}, {"servers": [{"smtp_server": "a.example.com"}]}
    assert "E209" not in {code for code, _ in found(system({"test": one, "prod": several}))}
    assert ("E209", '"servers"') in found(system({"test": one, "prod": {**one, **several}}))


def test_only_the_condition_of_what_is_chosen_is_asked() -> None:
    """A condition within an alternative that is not chosen needs no value either."""
    inner = depends({"1": {"helo": "one"}, "2": {"helo": "two"}}, "$ENV(other)")
    assert found(system({"test": {}, "prod": inner}), known(where="test")) == []
    assert found(system({"test": {}, "prod": inner}), known(where="prod")) == [("E301", "$ENV(other)")]
    config = compiled(system({"test": {}, "prod": inner}), known(where="prod", other=2)).components[0].config
    assert getattr(config, "helo") == "two"


def test_rules_and_entities_are_left_alone() -> None:
    """What looks like a condition in data is data."""
    data = depends({"test": {"a": 1}}, 5)
    source = {"type": "embedded", "entities": [{"_id": "1", **data}]}
    assert found(pipe(source=source)) == []


def test_names_in_alternatives_are_looked_for() -> None:
    """Systems and datasets that an alternative names are there; what it writes and reads is no surprise."""
    mail = {"type": "mail", "mail_from": "a@example.com", "recipients": "b@example.com"}
    sink = {**mail, "system": "s", **depends({"test": {}, "prod": {"system": "gone"}})}
    system_ = {"_id": "s", "type": "system:smtp"}
    for lookup in (WITHOUT, known(where="test")):
        assert found([system_, pipe(sink=sink)], lookup) == [("E304", '"gone"')]
        other = pipe("q", **depends({"test": {}, "prod": {"source": {"type": "dataset", "dataset": "nowhere"}}}))
        assert found([other], lookup) == [("E305", '"nowhere"')]
    project = compiled([system_, pipe(sink=sink)], known(where="test"))
    assert project.errors == []


def test_an_undecided_writer_is_no_missing_one() -> None:
    """While it is not known where a pipe writes, all of its alternatives count; when it is, the chosen one does."""
    writer = pipe("w", sink=depends({"a": {"type": "dataset", "dataset": "x"}, "b": {"type": "null"}}))
    reader = pipe("r", source={"type": "dataset", "dataset": "x"})
    stray = pipe("t", source={"type": "dataset", "dataset": "nowhere"})
    assert found([writer, reader, stray]) == [("E305", '"nowhere"')]
    assert found([writer, reader], known(where="a")) == []
    assert found([writer, reader], known(where="b")) == [("E305", '"x"')]


def test_what_an_alternative_reads_is_read() -> None:
    """A dataset that only production reads is not reported as unread in a test."""
    lookup = known(where="test")
    writer = pipe("w")
    reader = pipe("r", source=depends({"test": {"type": "empty"}, "prod": {"type": "dataset", "dataset": "w"}}))
    end = pipe("e", source={"type": "dataset", "dataset": "r"}, sink={"type": "null"})
    assert [problem.code for problem in compiled([writer, reader, end], lookup).problems] == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"condition": "a", "alternatives": {"a": {}}, "comment": "x", "$schema": "y"}, []),
        ({"condition": "a", "alternatives": {"a": {}, "comment": ["why", "so"]}}, []),
        ({"condition": "a", "alternatives": {"a": {}, "comment": {}}}, []),
        ({"condition": "a", "alternatives": {"a": {}}, "default": {}}, [("E201", '"default"')]),
        ({"condtion": "a", "alternatives": {"a": {}}}, [("E201", '"condtion"')]),
        ({"condition": "a", "alternative": {"a": {}}}, [("E201", '"alternative"')]),
        ({"alternatives": {"a": {}}}, [("E204", '"$conditional_properties"')]),
        ({}, [("E204", '"$conditional_properties"')]),
        (5, [("E204", '"$conditional_properties"')]),
        ({"condition": "a", "alternatives": []}, [("E202", "[]")]),
        ({"condition": "a", "alternatives": {"a": {}, "b": 5}}, [("E202", "5")]),
        ({"condition": "b", "alternatives": {"a": {}, "b": 5}}, [("E202", "5")]),
        ({"condition": "c", "alternatives": {"a": {}}}, [("E313", '"c"')]),
        ({"condition": "$SECRET(pw)", "alternatives": {"a": {}}}, [("E310", "$SECRET(pw)")]),
    ],
)
@pytest.mark.parametrize("lookup", [WITHOUT, known()])
def test_how_it_is_written_is_checked(lookup: Lookup, spec: object, expected: list[tuple[str, str]]) -> None:
    """A condition and alternatives that are objects, and nothing else but comments."""
    written = {"_id": "s", "type": "system:smtp", "$conditional_properties": spec}
    assert found(written, lookup) == expected


@pytest.mark.parametrize(
    ("name", "fix"),
    [("condtion", ["condition"]), ("Alternatives", ["alternatives"]), ("alternative", []), ("alternate", [])],
)
def test_a_misspelt_part_is_guessed(name: str, fix: list[str]) -> None:
    """There are two names it can be; a slip of the hand is repaired."""
    meant = fix[0] if fix else "alternatives"
    parts = {"condition": "a", "alternatives": {"a": {}}}
    del parts[meant]
    written = {"_id": "s", "type": "system:smtp", "$conditional_properties": {**parts, name: "a"}}
    (problem,) = compiled(written).problems
    assert [edit.text for edit in problem.fix] == [f'"{name}"' for name in fix]
    assert problem.notes[0].text == f"did you mean `{meant}`?"


@pytest.mark.parametrize(
    "components",
    [
        {"_id": "s", "type": "system:smtp", "$conditional_property": {}},
        {"_id": "n", "type": "metadata", "$conditional_property": {}},
        {"_id": "p", "type": "pipe", "$conditional_property": {}},
        {"_id": "p", "type": "pipe", "source": {"$conditional_property": {}}},
    ],
)
def test_a_misspelt_name_of_the_property_is_guessed(components: dict[str, Any]) -> None:
    """In objects of every type; what may stand under it is not reported as missing."""
    project = compiled(components)
    (problem,) = [problem for problem in project.problems if problem.code != "W604"]
    assert (problem.code, at(project, problem)) == ("E201", '"$conditional_property"')
    assert problem.notes[0].text == "did you mean `$conditional_properties`?"
    assert problem.fix == ()


def test_a_slip_in_the_name_of_the_property_is_repaired() -> None:
    """When it can mean nothing else."""
    (problem,) = compiled({"_id": "s", "type": "system:smtp", "$conditional_propertis": {}}).problems
    assert [edit.text for edit in problem.fix] == ['"$conditional_properties"']


def test_names_that_merely_begin_alike_are_their_own() -> None:
    """Only what is near to the name is taken for it."""
    assert misspelt(["condition", "connections", "connection_max_age", "comment", "$comment", "count_by"]) == []
    assert misspelt(["$conditional_properties"]) == []
    near = ["$conditional_property", "conditional_properties", "$Conditional-Properties", "$contitional_properties"]
    assert misspelt(near) == near


@pytest.mark.parametrize(
    ("value", "shown"),
    [({"a": 1}, '`{"a": 1}`'), ([None], "`[null]`"), (1.5, "`1.5`"), (None, "`null`"), ("é", "`é`")],
)
def test_a_condition_without_alternative_is_shown_as_json(value: object, shown: str) -> None:
    """Whatever the condition turns out to be."""
    (problem,) = compiled(system({"test": {}}), known(where=value)).problems
    assert problem.message == f"`$conditional_properties` has no alternative for {shown}"
    assert problem.notes[1].text == "alternatives: `test`"


def test_a_long_condition_is_cut() -> None:
    """A message stays one line."""
    (problem,) = compiled(system({"test": {}}), known(where="x" * 1000)).problems
    assert len(problem.message) < 200


def test_a_file_of_alternatives_ends() -> None:
    """However many there are, checking ends: the last of tens of thousands are checked only when they are chosen."""
    many = {f"a{number}": {"verbose": True} for number in range(30_000)}
    assert found(system(many)) == []
    large = {f"a{number}": {"helo": 5} for number in range(3000)}
    assert 1000 <= len(found(system(large))) <= 3000


def test_what_is_large_beside_an_alternative_is_not_looked_at_again() -> None:
    """A thousand alternatives beside many entities cost what they have themselves."""
    entities = [{"_id": str(number), "text": "x" * 50} for number in range(5000)]
    alternatives = {f"a{number}": {"batch_size": 0} for number in range(200)}
    written = pipe(source={"type": "embedded", "entities": entities}, **depends(alternatives))
    assert found(written) == [("E203", "0")] * 200
