"""`mailweir explain`, asked in every way that people ask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.explained import lines, prose
from mailweir.cli.main import main
from mailweir.codes import CodePage, codes
from mailweir.manual import TypeManual, manuals
from mailweir.topics import KindTopic, Overview, PropertyTopic, Topic, UnknownTopicError, topics
from mailweir.words import Word, outcomes, words
from pipeline.config.installed import installed
from pipeline.receipt import Outcome

registry = installed()


def explain(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The exit code, standard output and standard error of the command."""
    code = main(["explain", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def text_of(*asked: str, width: int = 88) -> str:
    """The answer as text without colours."""
    return "\n".join(lines(topics(" ".join(asked), registry), width, str))


def named(topic: Topic) -> str:
    """What an answer is about, in a word."""
    match topic:
        case CodePage():
            return topic.code
        case TypeManual():
            return topic.title
        case KindTopic():
            return f"all {topic.kind}"
        case PropertyTopic():
            return f"{topic.owner.title}.{topic.path}"
        case Overview():
            return "overview"
    return topic.name


@pytest.mark.parametrize(
    ("asked", "answers"),
    [
        ("", ["overview"]),
        ("  ", ["overview"]),
        ("E201", ["E201"]),
        ("e201", ["E201"]),
        ("201", ["E201"]),
        ("302", ["W302"]),
        ("system:smtp", ["system:smtp"]),
        ("smtp", ["system:smtp"]),
        ("System SMTP", ["system:smtp"]),
        ("mail", ["sink mail"]),
        ("sink mail", ["sink mail"]),
        ("sink:mail", ["sink mail"]),
        ("dataset", ["source dataset", "sink dataset"]),
        ("source   dataset", ["source dataset"]),
        ("conditional", ["source conditional", "transform conditional", "sink conditional"]),
        ("pipe", ["pipe"]),
        ("metadata", ["metadata"]),
        ("mailweir.json", ["mailweir.json"]),
        ("pump", ["pipe.pump"]),
        ("pump.mode", ["pipe.pump.mode"]),
        ("pipe.pump.mode", ["pipe.pump.mode"]),
        ("Pipe.Pump.Mode", ["pipe.pump.mode"]),
        ("system:smtp.max_per_hour", ["system:smtp.max_per_hour"]),
        ("smtp.MAX_PER_HOUR", ["system:smtp.max_per_hour"]),
        ("smtp.servers.smtp_port", ["system:smtp.servers.smtp_port"]),
        ("mail.recipients", ["sink mail.recipients"]),
        ("dtl.concat", ["concat"]),
        ("DTL.If", ["if", "if"]),
        ("dtl.comment", ["comment", "transform dtl.comment"]),
        ("dtl.rules", ["transform dtl.rules"]),
        ("sink mail.recipients", ["sink mail.recipients"]),
        ("dataset.dataset", ["source dataset.dataset", "sink dataset.dataset"]),
        ("dataset.subset", ["source dataset.subset"]),
        ("pipe.$schema", ["pipe.$schema"]),
        ("pipe._id", ["pipe._id"]),
        ("mailweir.json.profile", ["mailweir.json.profile"]),
        ("mailweir.json.secrets.directory", ["mailweir.json.secrets.directory"]),
        ("sink", ["all sink"]),
        ("Systems", ["all system"]),
        ("sent", ["sent"]),
        ("IN_DOUBT", ["in_doubt"]),
        ("in doubt", ["in_doubt"]),
        ("$ENV", ["$ENV"]),
        ("$secret", ["$SECRET"]),
        ("secret", ["$SECRET"]),
        ("profile", ["profile"]),
        ("exit codes", ["exit codes"]),
        ("exit-codes", ["exit codes"]),
        ("outcomes", ["outcomes"]),
    ],
)
def test_what_a_name_leads_to(asked: str, answers: list[str]) -> None:
    """Every way to name a thing leads to it; a name of several things leads to all of them."""
    assert [named(topic) for topic in topics(asked, registry)] == answers


@pytest.mark.parametrize(
    ("asked", "message", "meant"),
    [
        ("E999", "no code E999. Codes go E101 to W808: mailweir list codes", ""),
        ("w998", "no code W998. Codes go E101 to W808: mailweir list codes", ""),
        ("system:smtp.max_per_hours", "system:smtp has no property 'max_per_hours'", "max_per_hour"),
        ("dataset.datset", "source dataset and sink dataset have no property 'datset'", "dataset"),
        ("pipe.pump.mod", "pipe has no property 'pump.mod'", "pump.mode"),
        ("concat", "nothing is known about 'concat'. A function of this name: mailweir explain dtl.concat", ""),
        ("discarted", "nothing is known about 'discarted'", "discarded"),
        ("sytem:smtp", "nothing is known about 'sytem:smtp'", "system:smtp"),
        (
            "max_per_hour",
            "nothing is known about 'max_per_hour'. A property of this name: mailweir explain system:eml.max_per_hour",
            "",
        ),
    ],
)
def test_a_name_that_leads_nowhere(asked: str, message: str, meant: str) -> None:
    """The message says what was looked for, and the names that may have been meant have the right one."""
    with pytest.raises(UnknownTopicError) as raised:
        topics(asked, registry)
    assert str(raised.value).startswith(message)
    assert not meant or meant in raised.value.known


def test_every_type_and_property_can_be_asked_for_by_the_name_that_is_shown() -> None:
    """What the pages print as `mailweir explain …` has an answer."""
    for one in manuals(registry):
        asked = one.title.replace(" ", ":")
        assert one in topics(asked, registry)
        for item in one.properties:
            assert [named(found) for found in topics(f"{asked}.{item.name}", registry)] == [f"{one.title}.{item.name}"]


def test_a_property_as_text() -> None:
    """One line of facts, then what it is for."""
    first, blank, *rest = text_of("system:smtp.max_per_hour").splitlines()
    assert first == "max_per_hour   integer, 0 to 10000000, default 1000"
    assert blank == ""
    assert rest[0].startswith("The most messages that leave through this system")


def test_a_property_with_choices_and_one_with_an_object() -> None:
    """Choices stand in the line of facts; the properties of an object follow."""
    assert text_of("pipe.pump.mode").startswith('pump.mode   "scheduled", "manual" or "off", default "scheduled"\n')
    assert "\n  dot   number, more than 0 and at most 86400, default 600\n" in text_of("smtp.timeouts")


def test_a_secret_and_a_component_say_where_to_go_on() -> None:
    """A property that takes a secret names `$SECRET`; one that holds components, their types."""
    assert text_of("smtp.smtp_password").endswith("Write \"$SECRET(name)\": mailweir explain '$SECRET'")
    assert text_of("pipe.source").endswith("Types of sources: mailweir explain source")


def test_a_type_as_text() -> None:
    """Title, summary, then each property with its facts and its words."""
    text = text_of("sink:mail")
    assert text.startswith('sink mail\n\nEach entity becomes a mail.\n\nProperties\n\n  type   "mail", required\n\n')
    assert "\n  mail_from   string, required\n      Who the mails are from: " in text
    assert "`mail`." not in text


def test_an_object_in_a_type_says_how_to_see_its_properties() -> None:
    """Large objects are not unrolled in the page of a type."""
    text = text_of("pipe")
    assert "\n      Its properties: mailweir explain pipe.pump\n" in text
    assert "\n      Types: mailweir explain sink\n" in text
    assert "schedule_interval" not in text


def test_a_code_as_text() -> None:
    """The page, its examples indented under the names of their files."""
    text = text_of("E208")
    assert text.startswith("E208 an `_id` is used twice (error)\n\n")
    assert '\n\nWrong\n\n  systems/office.conf.json\n      {"_id": "office", "type": "system:smtp"}\n' in text
    assert "\n\nRight\n\n" in text


def test_a_reserved_code_as_text() -> None:
    """It says first that nothing reports it, and shows no example."""
    text = text_of("W504")
    assert text.splitlines()[2] == "Reserved: nothing reports this code yet."
    assert "Wrong" not in text


def test_a_kind_as_text() -> None:
    """Each type with its summary."""
    text = text_of("sinks")
    assert text.startswith("Types of sinks\n\n  amqp\n      ")
    assert "\n  mail\n      Each entity becomes a mail.\n" in text


def test_answers_to_one_question_stand_apart() -> None:
    """Two types of one name follow each other, each property under the name of its type."""
    text = text_of("dataset.dataset")
    assert text.startswith("source dataset\ndataset   name of a dataset, required\n\n")
    assert "\n\nsink dataset\ndataset   name of a dataset\n\n" in text


def test_the_overview_names_everything() -> None:
    """Codes, every type and every word are in it."""
    text = text_of("")
    assert "E101 to W808" in text
    for name in (
        "system:smtp",
        "union_datasets",
        "lower_keys",
        "mail",
        "mailweir.json",
        "discarded",
        "'$ENV'",
        "'exit codes'",
    ):
        assert name in text


@pytest.mark.parametrize("width", [40, 60, 88, 200])
def test_text_fits_the_width(width: int) -> None:
    """Nothing but examples and names without a blank is wider than the terminal, and nothing wider than 100."""
    for asked in ("pipe", "sink:mail", "$SECRET", "exit codes", "outcomes", "", "sinks"):
        for line in text_of(asked, width=width).splitlines():
            assert len(line) <= min(width, 100) or " " not in line.strip() or "mailweir explain" in line


def test_every_outcome_has_its_words() -> None:
    """No outcome without a meaning, and each is in the list of all."""
    assert set(outcomes) == set(Outcome)
    listed = next(word for word in words() if word.name == "outcomes")
    for outcome, text in outcomes.items():
        assert topics(outcome.value, registry) == (Word(outcome.value, text, (outcome.value.replace("_", " "),)),)
        assert f"- {outcome}: {text}" in listed.text


def test_lists_hang_under_their_first_word() -> None:
    """The second line of an item begins where its text does."""
    assert list(prose("1. one two\n2. three", 9)) == ["  1. one", "     two", "  2.", "     three"]
    assert list(prose("a\nb\n\n- c d", 7)) == ["a b", "", "  - c d"]


def test_headings_are_painted_and_words_carry_the_meaning() -> None:
    """Colour is added and never needed."""
    painted = list(lines(topics("E201", registry), 88, lambda text: f"<{text}>"))
    assert painted[0] == "<E201 unknown property> (error)"
    assert "<Wrong>" in painted


def test_the_command_prints_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """An answer is a result: standard output, exit 0, no colour in a pipe."""
    code, out, err = explain(capsys, "system:smtp.max_per_hour")
    assert (code, err) == (0, "")
    assert out == text_of("system:smtp.max_per_hour") + "\n"


def test_words_of_a_question_need_no_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    """`explain sink mail` is one question."""
    assert explain(capsys, "sink", "mail") == (0, text_of("sink mail") + "\n", "")


def test_colour_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """`--color always` makes headings bold."""
    _, out, _ = explain(capsys, "E201", "--color", "always")
    assert out.startswith("\x1b[1mE201 unknown property\x1b[0m (error)\n")


def test_an_unknown_code_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, and the message says which codes there are."""
    code, out, err = explain(capsys, "E999")
    assert (code, out) == (2, "")
    assert err.startswith("error: no code E999. Codes go E101 to W808: mailweir list codes\n")


def test_an_unknown_name_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, with the name that was meant."""
    code, _, err = explain(capsys, "system:smtp.max_per_hours")
    assert code == 2
    assert err.startswith("error: system:smtp has no property 'max_per_hours'. Did you mean 'max_per_hour'?\n")


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The one topic in the answer to `--json`."""
    code, out, err = explain(capsys, *arguments, "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert {key: answer[key] for key in answer if key != "topics"} == {
        "schema_version": 1,
        "command": "explain",
        "ok": True,
        "exit_code": 0,
    }
    (topic,) = answer["topics"]
    assert isinstance(topic, dict)
    return topic


def test_a_code_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The page as facts."""
    page = document(capsys, "302")
    assert {key: page[key] for key in ("topic", "code", "title", "level", "reserved")} == {
        "topic": "code",
        "code": "W302",
        "title": "a secret in the configuration",
        "level": "warning",
        "reserved": False,
    }
    assert page["right"][-1] == {
        "language": "dotenv",
        "file": ".secrets.env",
        "text": "provider-password=only-an-example\n",
    }


def test_a_type_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Kind, name and every property."""
    one = document(capsys, "system:smtp")
    assert (one["topic"], one["kind"], one["type"]) == ("type", "system", "system:smtp")
    assert {"type", "_id", "smtp_server", "max_per_hour"} <= {item["name"] for item in one["properties"]}


def test_a_property_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The type that has it, the path to it, and its facts."""
    assert document(capsys, "pump.mode") == {
        "topic": "property",
        "kind": "pipe",
        "type": "pipe",
        "path": "pump.mode",
        "name": "mode",
        "type_words": '"scheduled", "manual" or "off"',
        "default": '"scheduled"',
        "required": False,
        "description": "`scheduled` runs by the clock, `manual` when told to, `off` never.",
        "secret": False,
        "choices": ["scheduled", "manual", "off"],
        "nested": [],
        "component": None,
    }


def test_words_kinds_and_the_overview_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Each has its own shape, told by `topic`."""
    word = document(capsys, "held")
    assert word == {"topic": "word", "word": "held", "text": outcomes[Outcome.HELD]}
    kind = document(capsys, "transforms")
    assert kind["topic"] == "kind"
    assert "lower_keys" in [one["type"] for one in kind["types"] if one["summary"]]
    function = document(capsys, "dtl.upper")
    assert (function["topic"], function["name"], function["calls"]) == ("function", "upper", ['["upper", VALUES]'])
    everything = document(capsys)
    assert everything["codes"] == [page.code for page in codes()]
    assert everything["types"]["sink"] == registry.names("sink")


def test_a_faulty_settings_file_does_not_stop_the_manual(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong with a project is for `check` to tell."""
    (tmp_path / "mailweir.json").write_text('{"plugins": [', encoding="utf-8")
    assert explain(capsys, "-C", str(tmp_path), "E201")[0] == 0
