"""Properties that their object does not have: what is said of them, what is repaired, and what follows from them."""

import json
from typing import Any

import pytest

from pipeline.config.edits import apply
from pipeline.config.installed import installed
from pipeline.config.lookup import Place
from pipeline.config.project import Project, compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.settings import settings_of
from pipeline.config.text import read
from pipeline.errors import Problem

registry = installed()
MAIL = {"type": "mail", "system": "mail", "mail_from": "a@example.com", "recipients": "b@example.com"}


def project(*texts: str, **variables: object) -> Project:
    """The project of these files; without variables every reference counts as set."""
    documents = [read(text, f"{number}.conf.json") for number, text in enumerate(texts)]
    lookup = Lookup((Place("v", "v", variables),), take_env=bool(variables), take_secrets=False)
    return compile_project(documents, registry, lookup)


def system(**properties: Any) -> str:
    """A mail system."""
    return json.dumps({"_id": "mail", "type": "system:smtp", **properties})


def pipe(**properties: Any) -> str:
    """A pipe that nothing is wrong with but these properties."""
    return json.dumps({"_id": "a", "type": "pipe", "source": {"type": "empty"}, "sink": {"type": "null"}} | properties)


def found(*texts: str, **variables: object) -> list[tuple[str, str]]:
    """The code and the name of the property of each problem."""
    return [(p.code, p.path[-1] if p.path else "") for p in project(*texts, **variables).problems]


def only(*texts: str) -> Problem:
    """The one problem."""
    (problem,) = project(*texts).problems
    return problem


def mended(text: str) -> str:
    """The text with every repair that is offered."""
    checked = project(text)
    return apply(text, [edit for problem in checked.problems for edit in problem.fix])


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        (pipe(schedule_interval=5), "`schedule_interval` belongs in `pump`"),
        (pipe(batch_retries=5), "`batch_retries` belongs in `pump`"),
        (pipe(pump={"batch_size": 5}), "`batch_size` belongs in the object around this one"),
        (pipe(sink={**MAIL, "system": "$ENV(x)", "cron_expression": "x"}), "`cron_expression` belongs in `pump`"),
        (pipe(sink={"type": "null", "comments": ""}), "did you mean `comment`?"),
        (pipe(deletion_tracking={}), "did you mean `dependency_tracking`?"),
        (pipe(schedule_intervall=5), "did you mean `schedule_interval`? it belongs in `pump`"),
        (system(user="x"), "properties: `mailweir explain system:smtp`"),
        (system(smtp_port=25, smtp_prt=5), "did you mean `smtp_port`? it is set already"),
        (system(client_id="x"), "`client_id` belongs in `oauth`"),
        (system(timeouts={"smtp_port": 5}), "`smtp_port` belongs in the object around this one"),
        (system(timeouts={"nonsense": 5}), ""),
    ],
)
def test_a_name_that_is_no_clear_slip_is_explained_and_left_alone(text: str, help_: str) -> None:
    """An exact name of another level comes first, then what may be meant; nothing is rewritten."""
    problem = only(text)
    assert (problem.code, "; ".join(note.text for note in problem.notes)) == ("E201", help_)
    assert problem.fix == ()


def test_a_property_that_is_set_already_is_shown() -> None:
    """The place of the right one stands beside the wrong one."""
    text = system(smtp_port=25, smtp_prt=5)
    (label,) = only(text).related
    assert text[label.span.start : label.span.end] == '"smtp_port"'


def test_a_clear_slip_is_repaired_and_its_value_is_checked_in_the_same_run() -> None:
    """Also in objects within, and whatever lies below the misspelt name."""
    text = system(maxPerHour=2.5, timeouts={"dto": -1}, servers=[{"smtp_servr": 5}])
    assert found(text) == [
        ("E201", "maxPerHour"),
        ("E202", "max_per_hour"),
        ("E201", "dto"),
        ("E203", "dot"),
        ("E201", "smtp_servr"),
        ("E202", "smtp_server"),
    ]
    assert mended(text) == text.replace("maxPerHour", "max_per_hour").replace("dto", "dot").replace(
        '"smtp_servr": 5', '"smtp_server": "5"'
    )
    text = pipe(sorce={"type": "embeded", "entites": []})
    assert found(text.replace('"source": {"type": "empty"}, ', "")) == [
        ("E201", "sorce"),
        ("E205", "type"),
        ("E201", "entites"),
    ]


def test_two_slips_of_one_name_are_both_left_alone() -> None:
    """One of them may be the right one, or neither; and the name that both may mean is not missing."""
    text = system(smtp_servr="a", smtp_sever="b")
    assert found(text) == [("E201", "smtp_servr"), ("E201", "smtp_sever")]
    assert mended(text) == text
    assert found(pipe(sourc={}, sorce={}).replace('"source"', '"comment"', 1).replace('{"type": "empty"}', '""')) == [
        ("E201", "sourc"),
        ("E201", "sorce"),
    ]


def test_a_name_that_an_alternative_sets_is_not_written_twice() -> None:
    """What a condition brings counts as set, and nothing false follows from the misspelt name."""
    text = system(
        smtp_servr="a",
        **{"$conditional_properties": {"condition": "$ENV(x)", "alternatives": {"p": {"smtp_server": "b"}}}},
    )
    (problem,) = project(text, x="p").problems
    assert (problem.code, problem.fix) == ("E201", ())
    assert problem.notes[0].text == "did you mean `smtp_server`? it is set already"


def test_what_may_be_meant_is_neither_missing_nor_set() -> None:
    """Rules over several properties are silent where one of them may stand under another name."""
    assert found(system(smtp_password="$SECRET(a)", smtp_usr_nam="a")) == [("E201", "smtp_usr_nam")]
    assert found(system(smtp_usr_nam="a", smtp_server="mx.example.com")) == [("E201", "smtp_usr_nam")]


def test_a_property_on_the_wrong_level_is_not_missing_on_the_right_one() -> None:
    """One cause, one fault, upwards and downwards."""
    sink = {key: value for key, value in MAIL.items() if key != "mail_from"}
    assert found(pipe(sink=sink, mail_from="a@example.com"), system()) == [("E201", "mail_from")]
    text = json.dumps({"_id": "a", "type": "pipe", "sink": {"type": "null", "source": {"type": "empty"}}})
    assert found(text) == [("E201", "source")]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ('{"_id": "mail", "typ": "system:smtp"}', '{"_id": "mail", "type": "system:smtp"}'),
        ('{"id": "mail", "type": "system:smtp"}', '{"_id": "mail", "type": "system:smtp"}'),
        ('{"_id": "mail", "ype": "system:smtp"}', '{"_id": "mail", "type": "system:smtp"}'),
        ('{"ID": "mail", "Type": "system:smtp"}', '{"_id": "mail", "type": "system:smtp"}'),
        ('{"_id": "mail", "type": "smtp"}', '{"_id": "mail", "type": "system:smtp"}'),
        ('{"_id": "mail", "type": "system:smpt"}', '{"_id": "mail", "type": "system:smtp"}'),
    ],
)
def test_a_component_whose_first_names_are_misspelt_is_still_known(text: str, right: str) -> None:
    """What refers to it is not wrong, its other faults are told, and the repair makes it right."""
    referring = pipe(sink=MAIL)
    assert len(project(text, referring).problems) == text.count("ID") + 1
    assert mended(text) == right
    assert found(text[:-1] + ', "smtp_port": true}', referring)[-1] == ("E202", "smtp_port")
    assert project(text).components[0].config is None


def test_a_misspelt_type_of_a_part_does_not_hide_what_is_in_it() -> None:
    """Without it a sink would be read as a dataset."""
    sink = {"typ" if key == "type" else key: value for key, value in MAIL.items()}
    assert found(pipe(sink=sink), system()) == [("E201", "typ")]
    assert found(pipe(sink={"typ": "nothing"})) == [("E201", "typ"), ("E205", "type")]


def test_a_sink_without_a_type_is_not_told_property_by_property() -> None:
    """It would be a dataset; that it is something else shows where two properties do not fit."""
    untyped = {key: value for key, value in MAIL.items() if key != "type"}
    (problem,) = project(pipe(sink=untyped), system()).problems
    assert (problem.code, problem.message) == ("E204", "a sink needs a `type`")
    assert problem.notes[0].text == "without one it is `dataset`, which has no `system`"
    assert found(pipe(sink={"ype": "mail", **untyped}), system()) == [("E201", "ype")]
    assert found(pipe(sink={"dataset": "b", "system": "mail"})) == [("E201", "system")]


def test_a_component_of_an_unknown_type_is_one_fault() -> None:
    """Neither what refers to it nor what it may write or read is reported."""
    for text in ('{"_id": "mail", "type": "post"}', '{"_id": "mail"}', '{"_id": "mail", "type": 5}'):
        assert len(project(text, pipe(sink=MAIL)).problems) == 1
    reader = json.dumps({"_id": "b", "type": "pipe", "source": {"type": "dataset", "dataset": "a"}})
    assert found('{"_id": "a", "type": "tube"}', reader) == [("E205", "type")]


def test_a_type_of_another_kind_is_sent_home() -> None:
    """A sink at the top of a file, a system in the place of a sink."""
    assert only('{"_id": "a", "type": "mail"}').notes[0].text == (
        '"mail" is the type of a sink: it stands in the `sink` of a pipe'
    )
    assert only(pipe(sink={"type": "system:smtp"})).notes[0].text == (
        '"system:smtp" is the type of a system: it stands at the top of a file, and its `_id` in `system` of the sink'
    )


def test_a_list_of_all_the_wrong_names_is_cut() -> None:
    """After a hundred comes their count."""
    problems = project(system(**{f"nonsense{number}": 1 for number in range(103)})).problems
    assert len(problems) == 100
    assert problems[-1].notes[-1].text == "3 more properties of this component are unknown"


def test_the_settings_of_a_project_are_treated_alike() -> None:
    """A slip is read as what it means; two of one name are not."""
    settings, problems = settings_of(read('{"exclud": "x", "Follow-Links": true, "secrets": {"directry": "d"}}', "m"))
    assert [problem.code for problem in problems] == ["E201", "E201", "E201", "E202"]
    assert (settings.follow_links, settings.secrets.directory) == (True, "d")
    settings, problems = settings_of(read('{"exclud": ["x"], "exclde": ["y"]}', "m"))
    assert [(problem.code, problem.fix) for problem in problems] == [("E201", ()), ("E201", ())]
    assert settings.exclude == ()
