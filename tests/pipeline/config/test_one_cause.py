"""One cause is one fault: what follows from a fault of the text is not told beside it."""

import json

import pytest

from pipeline.config.installed import installed
from pipeline.config.lookup import Place
from pipeline.config.project import Project, compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.settings import settings_of
from pipeline.config.text import read

registry = installed()
SINK = {"type": "mail", "system": "mail", "mail_from": "a@example.com", "recipients": "b@example.com"}
PIPE = json.dumps({"_id": "a", "type": "pipe", "source": {"type": "empty"}, "sink": SINK}, indent=2)
SYSTEM = '{\n  "_id": "mail",\n  "type": "system:smtp",\n  "smtp_server": "$ENV(host)",\n  "smtp_port": 25\n}\n'


def project(*files: str | bytes) -> Project:
    """The project of these files, in which one variable is set that only the system uses."""
    documents = [read(file, f"{number}.conf.json") for number, file in enumerate(files)]
    env = read('{"host": "localhost"}', "test-env.json")
    place = Place("test-env.json", "test-env.json", {"host": "localhost"}, ("host",), "test-env.json")
    return compile_project(documents, registry, Lookup((place,)), {"test-env.json": env})


def codes(*files: str | bytes) -> list[str]:
    """The codes of all problems."""
    return [problem.code for problem in project(*files).problems]


def test_the_files_that_are_damaged_are_right() -> None:
    """Together they have no fault; without the system there are two."""
    assert codes(SYSTEM, PIPE) == []
    assert codes("[]", PIPE) == ["E304", "W309"]


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("", "E114"),
        (b"\xef\xbb\xbf", "E114"),
        (SYSTEM.replace('"_id": "mail",', ""), "E204"),
        (SYSTEM.encode("utf-16"), "E112"),
        (SYSTEM.encode("utf-32"), "E112"),
        ("hello", "E108"),
        (SYSTEM.replace("mail", "ma\\u0000il"), "E109"),
        (SYSTEM.replace('"smtp_server"', '"smtp_server'), "E103"),
        (SYSTEM.replace('"smtp_server"', 'smtp_server"'), "E103"),
        (SYSTEM.replace('"_id"', '"_id'), "E103"),
        (SYSTEM.replace('"mail"', '"mail'), "E103"),
        (SYSTEM.replace('"mail"', 'mail"'), "E103"),
        (SYSTEM.replace('"system:smtp"', '"system:smtp'), "E103"),
        (SYSTEM.replace('"type"', '"typ"'), "E201"),
        (SYSTEM.replace('"_id"', '"id"'), "E201"),
        (SYSTEM.replace("system:smtp", "smtp"), "E205"),
        (SYSTEM.replace('"type": "system:smtp",', ""), "E204"),
        (SYSTEM.replace("25", "None"), "E108"),
        (SYSTEM.replace("25", "True"), "E108"),
        (SYSTEM.replace('"system:smtp"', "None"), "E108"),
        (SYSTEM.replace('"system:smtp"', "5"), "E202"),
        (SYSTEM.replace("{", "{{", 1), "E108"),
        (SYSTEM.rstrip().rstrip("}"), "E106"),
        (SYSTEM.replace("25", "25}"), "E107"),
    ],
)
def test_a_damaged_system_is_one_fault(system: str | bytes, code: str) -> None:
    """Neither the pipe that names it is wrong for that, nor the variable unused."""
    assert codes(system, PIPE) == [code]


@pytest.mark.parametrize(
    ("right", "wrong", "code"),
    [
        ('"b@example.com"\n  }', '"b@example.com"\n', "E106"),
        ('"empty"\n  },', '"empty"\n  }},', "E107"),
        ('"empty"\n  },', '"empty"\n  }],', "E106"),
        ('"empty"\n  },', '"empty"\n  ],', "E106"),
        ('"empty"\n  },', '"empty"\n  ,', "E106"),
        ('"source": {', '"source": ', "E108"),
        ('"sink": {', '"sink" {', "E110"),
        ('"sink": {', '"snk": {', "E201"),
        ('"source": {', '"sorce": {', "E201"),
        ('"type": "mail"', '"typ": "mail"', "E201"),
        ('"system": "mail"', '"sytem": "mail"', "E201"),
        ('"system": "mail"', '"systems": "mail"', "E201"),
    ],
)
def test_a_damaged_pipe_is_one_fault(right: str, wrong: str, code: str) -> None:
    """What seems to be missing or to stand in the wrong object is not told beside the bracket or the name."""
    text = PIPE.replace(right, wrong, 1)
    assert text != PIPE
    assert codes(SYSTEM, text) == [code]


def test_an_alternative_that_a_bracket_moved_is_not_missing() -> None:
    """A bracket too many ends the alternatives early; the condition is not wrong for that."""
    text = """{
  "_id": "mail", "type": "system:smtp",
  "$conditional_properties": {
    "condition": "$ENV(host)",
    "alternatives": {
      "test": {}},
      "localhost": {}
    }
  }
}
"""
    assert codes(text) == ["E107"]


def test_a_word_that_is_no_json_is_told_with_what_belongs_there() -> None:
    """The repair would make a right value of the wrong kind, so there is none."""
    (problem,) = project(SYSTEM.replace("25", "None"), PIPE).problems
    assert (problem.message, problem.fix) == ("`None` is not a value", ())
    assert problem.notes[-1].text == "`smtp_port` must be an integer, not null"
    assert problem.path == ("mail", "smtp_port")
    (problem,) = project(SYSTEM.replace("25", '25, "use_tls": True'), PIPE).problems
    assert problem.fix
    (problem,) = settings_of(read('{"plugins": True}', "mailweir.json"))[1]
    assert (problem.code, problem.fix, problem.notes[-1].text) == ("E108", (), "`plugins` must be a list, not true")
    (problem,) = settings_of(read("None", "mailweir.json"))[1]
    assert problem.notes[-1].text == "mailweir.json holds one object, not null"


def test_other_faults_of_a_damaged_file_are_told_with_it() -> None:
    """A bracket does not hide a wrong value, and a misspelt name does not hide what is below it."""
    assert codes(SYSTEM.replace("25", "0]"), PIPE) == ["E203", "E106"]
    assert codes(SYSTEM, PIPE.replace('"source"', '"sorce"').replace('"empty"', '"emty"')) == ["E201", "E205"]
