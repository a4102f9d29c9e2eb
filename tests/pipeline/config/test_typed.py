"""Faults of shape: every wrong property of a component, in one run, at its place."""

import json
from typing import Any

import pytest

from pipeline.config.installed import installed
from pipeline.config.project import Project, compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read
from pipeline.config.tree import Lines

registry = installed()


def project(*texts: str) -> Project:
    """The project of these files, with no values set and none needed."""
    documents = [read(text.encode(), f"{number}.conf.json") for number, text in enumerate(texts)]
    return compile_project(documents, registry, Lookup(take_env=False, take_secrets=False))


def found(*texts: str) -> list[tuple[str, int, int]]:
    """Code, line and column of every problem."""
    checked = project(*texts)
    lines = {name: Lines(document.text) for name, document in checked.documents.items()}
    return [(p.code, *lines[p.span.file].place(p.span.start)) for p in checked.problems]


def system(**properties: Any) -> str:
    """A mail system on one line for each property; `_id` and `type` are lines 2 and 3."""
    return json.dumps({"_id": "mail", "type": "system:smtp", **properties}, indent=2)


def pipe(**properties: Any) -> str:
    """A pipe on one line for each property."""
    lines = {"_id": "a", "type": "pipe", "source": {"type": "embedded", "entities": []}, **properties}
    inner = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in lines.items())
    return "{\n" + inner + "\n}"


def message(*texts: str) -> str:
    """The message of the only problem."""
    (problem,) = project(*texts).problems
    return problem.message


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"smtp_port": "25"}, [("E202", 4, 16)]),
        ({"smtp_port": True}, [("E202", 4, 16)]),
        ({"smtp_port": 25.0}, [("E202", 4, 16)]),
        ({"smtp_port": None}, [("E202", 4, 16)]),
        ({"smtp_port": 0}, [("E203", 4, 16)]),
        ({"smtp_port": -1}, [("E203", 4, 16)]),
        ({"smtp_port": 65536}, [("E203", 4, 16)]),
        ({"max_per_hour": -1}, [("E203", 4, 19)]),
        ({"max_per_hour": 10_000_001}, [("E203", 4, 19)]),
        ({"max_per_hour": 1.5}, [("E202", 4, 19)]),
        ({"max_per_hour": 0}, [("W215", 4, 19)]),
        ({"tls": "startls"}, [("E203", 4, 10)]),
        ({"xverp": "if_offerd"}, [("E203", 4, 12)]),
        ({"xverp": "if_offered"}, []),
        ({"xverp": True}, []),
        ({"pump": {}}, [("E201", 4, 3)]),
        ({"smtp_server": 5, "smtp_prt": 5, "use_tls": "no"}, [("E202", 4, 18), ("E201", 5, 3), ("E202", 6, 14)]),
        ({"timeouts": {"dto": 5}}, [("E201", 5, 5)]),
        ({"timeouts": {"dot": -5}}, [("E203", 5, 12)]),
        ({"timeouts": 5}, [("E202", 4, 15)]),
        ({"servers": [{"smtp_server": "a"}, {"smtp_server": "b", "smtp_port": "b"}]}, [("E202", 10, 20)]),
        ({"auth": ["PLAIN", "NTLM"]}, [("E203", 6, 5)]),
        ({"auth": "PLAIN"}, [("E202", 4, 11)]),
        ({"comment": ["a", "b"], "$schema": "x", "description": "d", "metadata": {"a": [1]}}, []),
        ({"url": "http://a"}, [("E203", 4, 10)]),
        ({"url": "smtp://user:pass@a"}, [("E203", 4, 10), ("W302", 4, 18)]),
        ({"url": "smtp://a", "smtp_port": 25}, [("E209", 4, 3)]),
        ({"use_tls": True, "tls": "implicit", "smtp_port": 465}, [("E209", 4, 3)]),
        ({"verify_peer": False}, [("E214", 4, 18)]),
        ({"verify_peer": False, "insecure": True}, []),
        ({"tls": "implicit"}, [("W211", 4, 10)]),
        ({"use_tls": False, "smtp_port": 465}, [("W211", 4, 14)]),
        ({"smtp_username": "a"}, [("E207", 4, 3)]),
        ({"smtp_password": "$SECRET(a)"}, [("E206", 4, 3)]),
        ({"smtp_username": "a", "smtp_password": "$SECRET(b)"}, []),
        ({"smtp_username": "a", "smtp_password": "$SECRET(b)", "smtp_server": "mx.example.com"}, [("E212", 4, 3)]),
        ({"smtp_username": "a", "smtp_password": "$SECRET(b)", "smtp_server": "127.0.0.1"}, []),
        ({"smtp_server": "$SECRET(b)"}, [("E310", 4, 19)]),
        ({"smtp_server": "$ENV(b)", "smtp_port": "$ENV(c)", "use_tls": "$ENV(d)"}, []),
        ({"smtp_username": "a", "smtp_password": "b"}, [("W302", 5, 20)]),
    ],
)
def test_a_mail_system_is_checked_property_by_property(
    properties: dict[str, Any], expected: list[tuple[str, int, int]]
) -> None:
    """Every fault is told once, at the key or the value that is wrong."""
    assert found(system(**properties)) == expected


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, []),
        ({"source": None}, [("E204", 4, 13)]),
        ({"source": {}}, [("E204", 4, 13)]),
        ({"source": {"type": "embeded", "entities": []}}, [("E205", 4, 22)]),
        ({"source": {"type": 5}}, [("E202", 4, 22)]),
        ({"source": {"type": "x$SECRET(a)"}}, [("E310", 4, 24)]),
        ({"source": "$SECRET(a)"}, [("E310", 4, 14)]),
        ({"source": "customers"}, [("E202", 4, 13)]),
        ({"source": {"type": "embedded"}}, [("E204", 4, 13)]),
        ({"transform": {"type": "dtl"}}, [("E204", 5, 17)]),
        ({"transform": [{"type": "lower_keys"}, {"type": "lower_kes"}]}, [("E205", 5, 50)]),
        ({"transform": {"type": "dtl", "rules": {"other": []}}}, [("E204", 5, 32)]),
        ({"sink": {"dataset": "b"}}, []),
        ({"sink": {"type": "null", "system": "x"}}, [("E201", 5, 28)]),
        ({"pump": {"mode": "of"}}, [("E203", 5, 20)]),
        ({"pump": {"cron_expression": "0 6 * * 1-5", "rescan_cron_expression": "0 0 1 * ?"}}, []),
        ({"pump": {"cron_expression": "0 25 * * *"}}, [("E203", 5, 34)]),
        ({"pump": {"cron_expression": "", "rescan_cron_expression": "@daily"}}, [("E203", 5, 31), ("E203", 5, 62)]),
        ({"pump": {"cron_expression": 5}}, [("E202", 5, 31)]),
        ({"pump": {"cron_expression": "0 6 * * *", "time_zone": "Europe/Oslo"}}, []),
        ({"pump": {"time_zone": "Europe/Olso"}}, [("E203", 5, 25)]),
        ({"pump": {"time_zone": "../../etc/passwd"}}, [("E203", 5, 25)]),
        ({"pump": {"time_zone": ""}}, [("E203", 5, 25)]),
        ({"source": None, "pump": {"cron_expression": "x"}}, [("E204", 4, 13), ("E203", 5, 32)]),
        ({"pump": {"schedule_interval": "$ENV(x)", "mode": "of", "every": 3}}, [("E203", 5, 52), ("E201", 5, 58)]),
        ({"pump": {"mode": "off", "schedule_interval": "often"}}, [("E202", 5, 48)]),
        ({"transform": {"type": "dtl", "rules": {"default": [["add", "a", "$SECRET(b)"]]}}}, [("E310", 5, 68)]),
        ({"transform": {"type": "dtl", "rules": {"default": [["add", "a", ["encrypt", "$SECRET(b)", "x"]]]}}}, []),
    ],
)
def test_a_pipe_is_checked_with_everything_in_it(
    properties: dict[str, Any], expected: list[tuple[str, int, int]]
) -> None:
    """Sources, transforms, sinks and pumps are checked where they stand."""
    assert found(pipe(**properties)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", [("E202", 1, 1)]),
        ('{"_id": "a", "type": "$SECRET(a)"}', [("E310", 1, 23)]),
        ("[]", []),
        ("[[]]", [("E202", 1, 2)]),
        ("{}", [("E204", 1, 1)]),
        ('{"_id": "a"}', [("E204", 1, 1)]),
        ('{"type": "system:smtp"}', [("E204", 1, 1)]),
        ('{"_id": 5, "type": "system:smtp"}', [("E202", 1, 9)]),
        ('{"_id": "a/b", "type": "system:smtp"}', [("E210", 1, 9)]),
        ('{"_id": "a..b", "type": "system:smtp"}', [("E210", 1, 9)]),
        ('{"_id": "a$$ENV(b)", "type": "system:smtp"}', [("E210", 1, 9)]),
        ('{"_id": "$ENV(b)", "type": "system:smtp"}', [("E210", 1, 9)]),
        ('{"_id": "", "type": "system:smtp"}', [("E210", 1, 9)]),
        ('{"_id": "a", "type": "system:foo"}', [("E205", 1, 22)]),
        ('{"_id": "a", "type": "mail"}', [("E205", 1, 22)]),
        ('{"_id": "node", "type": "metadata", "anything": {"goes": 1}}', []),
    ],
)
def test_what_stands_at_the_top_is_a_component_with_a_name(text: str, expected: list[tuple[str, int, int]]) -> None:
    """One object or a list of objects, each with `_id` and a known `type`."""
    assert found(text) == expected


def test_a_property_on_the_wrong_level_is_sent_home() -> None:
    """`mail_from` at the pipe belongs in its sink; `batch_size` in a source belongs to the pipe."""
    sink = {"type": "mail", "system": "mail", "recipients": "a@example.com"}
    problems = project(pipe(sink=sink, mail_from="a@example.com"), system()).problems
    helps = [note.text for problem in problems for note in problem.notes if problem.code == "E201"]
    assert helps == ["`mail_from` belongs in `sink`"]
    problems = project(pipe(source={"type": "embedded", "entities": [], "batch_size": 5})).problems
    assert [note.text for note in problems[0].notes] == ["`batch_size` belongs in the object around this one"]


def test_words_of_a_range_name_both_ends() -> None:
    """The message says what is allowed and what was found."""
    assert message(system(max_per_hour=-5)) == "`max_per_hour` must be between 0 and 10000000, not -5"
    assert message(system(connections=0)) == "`connections` must be between 1 and 1000, not 0"
    assert message(system(messages_per_connection=0)) == "`messages_per_connection` must be 1 or more, not 0"


def test_a_text_value_is_never_echoed_in_a_message() -> None:
    """What stands in a wrong property may be a password."""
    for properties in ({"smtp_passwrod": "canary"}, {"smtp_port": "canary"}, {"tls": "canary"}, {"oauth": "canary"}):
        checked = project(system(**properties))
        assert checked.problems
        assert "canary" not in repr([(p.message, p.label, p.notes) for p in checked.problems])


def test_a_fault_leaves_no_finished_config_and_hides_no_other_fault() -> None:
    """One wrong port does not hide the password without a user name."""
    checked = project(system(smtp_port="x", smtp_password="$SECRET(a)"))
    assert [problem.code for problem in checked.problems] == ["E202", "E206"]
    assert checked.components[0].config is None


def test_a_right_component_becomes_a_frozen_config() -> None:
    """Defaults are filled in, lists are tuples, nothing can be changed."""
    config = project(system(auth=["PLAIN"])).components[0].config
    assert config is not None
    assert getattr(config, "smtp_port") == 25
    assert getattr(config, "auth") == ("PLAIN",)
    with pytest.raises(ValueError, match="frozen"):
        config.comment = "x"


def test_a_file_with_too_many_values_is_told_as_that_alone() -> None:
    """Nothing in it is checked, and what other files name in it may exist."""
    many = "[" + ",".join(f'{{"_id":"s{number}","typ":"system:smtp"}}' for number in range(40_000)) + "]"
    sink = {"type": "mail", "system": "s39999", "mail_from": "a@example.com", "recipients": "b@example.com"}
    reader = pipe(sink=sink | {"body_template": "Hello"})
    assert [(p.code, p.span.file) for p in project(many, reader).errors] == [("E113", "0.conf.json")]


def test_systems_are_not_alike_by_what_all_begin_with() -> None:
    """A type that is near to none is not offered as one."""
    (far,) = project('{"_id": "a", "type": "system:foo"}').problems
    (near,) = project('{"_id": "a", "type": "system:smtps"}').problems
    assert not any("did you mean" in note.text for note in far.notes)
    assert any('did you mean "system:smtp"?' in note.text for note in near.notes)


def test_a_file_with_too_many_components_is_told_as_that_alone() -> None:
    """None of them is looked at: there is one fault, at the first that is too many, and other files go on."""
    many = "[\n" + ",\n".join(f'{{"_id": "p{number}", "type": "nonsense"}}' for number in range(10_001)) + "\n]"
    checked = project(many, pipe(source={"type": "dataset", "dataset": "p7"}))
    (problem,) = checked.problems
    assert (problem.code, Lines(many).place(problem.span.start)) == ("E113", (10_002, 1))
    assert problem.message == "more than 10 000 components in one file, so none of them is looked at"
    assert [component.id for component in checked.components] == ["a"]


def test_line_breaks_alone_are_an_empty_file() -> None:
    """However many there are."""
    assert found("\n" * 1_000_000) == [("E114", 1, 1)]
