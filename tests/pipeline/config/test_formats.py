"""Problems for programs: the shape of each format, and what must be escaped in it."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.formats import as_json, github, junit, sarif
from pipeline.config.show import render
from pipeline.errors import Edit, Label, Note, Problem, Span

FILE = "systems/our-smtp-server.conf.json"
TEXT = '{\n  "_id": "our-smtp-server",\n  "type": "system:smtp",\n  "smtp_sever": "mail.example.com"\n}\n'
KEY = Span(FILE, TEXT.index('"smtp_sever"'), TEXT.index('"smtp_sever"') + 12)
PROBLEM = Problem(
    "E201",
    "unknown property `smtp_sever` in system:smtp",
    KEY,
    "not a property of system:smtp",
    path=("our-smtp-server", "smtp_sever"),
    notes=(Note("help", "did you mean `smtp_server`?"),),
    fix=(Edit(KEY, '"smtp_server"'),),
)
WARNING = Problem("W302", "a < b & c", Span(FILE, 0, 1))


def run_of(problems: list[Problem], texts: dict[str, str], files: list[str] | None = None) -> dict[str, Any]:
    """The run of a SARIF log, after a way through JSON."""
    log = json.loads(json.dumps(sarif(problems, texts, files=files or [], version="1.2.3")))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def test_the_example_of_the_manual_as_json() -> None:
    """The document has the names, the order and the places that the manual prints."""
    assert (
        json.dumps(as_json([PROBLEM], {FILE: TEXT}), indent=2, ensure_ascii=False)
        == """\
{
  "schema_version": 1,
  "ok": false,
  "diagnostics": [
    {
      "code": "E201",
      "level": "error",
      "message": "unknown property `smtp_sever` in system:smtp",
      "file": "systems/our-smtp-server.conf.json",
      "line": 4,
      "column": 3,
      "end_line": 4,
      "end_column": 15,
      "path": "our-smtp-server → smtp_sever",
      "notes": [
        {
          "kind": "help",
          "text": "did you mean `smtp_server`?"
        }
      ],
      "fix": [
        {
          "start": {
            "line": 4,
            "column": 3
          },
          "end": {
            "line": 4,
            "column": 15
          },
          "text": "\\"smtp_server\\""
        }
      ]
    }
  ]
}"""
    )


def test_a_problem_with_places_elsewhere_lists_them_as_json() -> None:
    """Further places come with file and region, those that are wrong too first; an edit in another file names it."""
    problem = Problem(
        "E208",
        "m",
        Span(FILE, 0, 1),
        also=(Label(Span(FILE, 4, 7), "also"),),
        related=(Label(Span("b.json", 0, 4), "first"),),
        fix=(Edit(Span("b.json", 2, 3), "x"),),
    )
    (found,) = json.loads(json.dumps(as_json([problem], {FILE: TEXT, "b.json": "a\nb\n"})))["diagnostics"]
    assert found["related"] == [
        {"file": FILE, "line": 2, "column": 3, "end_line": 2, "end_column": 6, "text": "also"},
        {"file": "b.json", "line": 1, "column": 1, "end_line": 3, "end_column": 1, "text": "first"},
    ]
    assert found["fix"] == [
        {"file": "b.json", "start": {"line": 2, "column": 1}, "end": {"line": 2, "column": 2}, "text": "x"}
    ]
    assert (found["path"], found["notes"]) == ("", [])


@pytest.mark.parametrize(
    ("problems", "ok", "expected"),
    [
        ([], None, True),
        ([WARNING], None, True),
        ([PROBLEM], None, False),
        ([WARNING], False, False),
        ([PROBLEM], True, True),
    ],
)
def test_ok_means_no_errors_unless_told(problems: list[Problem], ok: bool | None, expected: bool) -> None:
    """Warnings alone are right, and a caller for whom they count says so."""
    assert as_json(problems, {FILE: TEXT}, ok=ok)["ok"] is expected


def test_the_example_of_the_manual_as_annotation() -> None:
    """An annotation is one line, its notes being further lines of the message."""
    assert github([PROBLEM], {FILE: TEXT}) == (
        "::error file=systems/our-smtp-server.conf.json,line=4,col=3,endLine=4,endColumn=15,title=E201"
        "::unknown property `smtp_sever` in system:smtp%0Ahelp: did you mean `smtp_server`?"
    )


def test_an_annotation_is_escaped() -> None:
    """A message keeps its colons and commas; in a property they would end it."""
    problem = Problem("W302", "50%\r\na: b, c", Span("a:b,c%\n.json", 0, 0), notes=(Note("note", "x\ny"),))
    assert github([problem], {}) == (
        "::warning file=a%3Ab%2Cc%25%0A.json,line=1,col=1,endLine=1,endColumn=1,title=W302"
        "::50%25%0D%0Aa: b, c%0Anote: x%0Ay"
    )


def test_an_annotation_over_several_lines_has_no_columns() -> None:
    """The receiver drops columns when the lines differ, so they are not sent."""
    assert "line=1,endLine=3,title=" in github([Problem("E106", "m", Span(FILE, 0, 32))], {FILE: TEXT})


def test_junit_has_a_case_for_every_file() -> None:
    """Files without faults pass; each error is a failure with the full text, warnings are printed output."""
    other = Problem("E301", "x", Span(FILE, 4, 9))
    suites = ET.fromstring(junit([WARNING, other, PROBLEM], {FILE: TEXT}, files=["z.json", FILE, "a.json"]))
    (suite,) = suites
    for element in (suites, suite):
        counts = {name: element.get(name) for name in ("tests", "failures", "errors", "skipped")}
        assert counts == {"tests": "3", "failures": "1", "errors": "0", "skipped": "0"}
    assert [case.get("name") for case in suite] == ["a.json", FILE, "z.json"]
    assert [len(case) for case in suite] == [0, 3, 0]
    first, second, printed = suite[1]
    assert (first.tag, first.get("type"), first.get("message")) == ("failure", "E301", "E301 x")
    assert first.text == render([other], {FILE: TEXT})
    assert second.text == render([PROBLEM], {FILE: TEXT})
    assert (printed.tag, printed.text) == ("system-out", render([WARNING], {FILE: TEXT}))


def test_junit_has_a_case_for_a_file_that_was_not_asked_for() -> None:
    """A problem is never lost because its file is not in the list."""
    (suite,) = ET.fromstring(junit([PROBLEM], {FILE: TEXT}))
    assert [case.get("name") for case in suite] == [FILE]


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_junit_is_xml_whatever_it_tells(message: str, file: str, text: str) -> None:
    """Characters that XML does not allow are replaced, and the others come back as they were."""
    problem = Problem("E201", message, Span(file, 0, 3), message, notes=(Note("note", message),))
    (suite,) = ET.fromstring(junit([problem], {file: text}, files=[file]).encode())
    name = suite[0].get("name") or ""
    assert len(name) == len(file)
    assert all(found in (given_, "\ufffd") for found, given_ in zip(name, file, strict=True))


def test_sarif_lists_rules_files_and_results() -> None:
    """Each code is a rule that its results point to by number; every file that was checked is an artifact."""
    run = run_of([PROBLEM, WARNING, PROBLEM], {FILE: TEXT}, ["z.json"])
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("mailweir", "1.2.3")
    assert [(rule["id"], rule["defaultConfiguration"]["level"]) for rule in driver["rules"]] == [
        ("E201", "error"),
        ("W302", "warning"),
    ]
    assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in driver["rules"])
    assert [artifact["location"]["uri"] for artifact in run["artifacts"]] == [FILE, "z.json"]
    assert run["columnKind"] == "unicodeCodePoints"
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning"}


def test_a_result_of_sarif_has_region_message_and_repair() -> None:
    """Places are those of the other formats, and a repair is a list of replacements."""
    (result,) = run_of([PROBLEM], {FILE: TEXT})["results"]
    region = {"startLine": 4, "startColumn": 3, "endLine": 4, "endColumn": 15}
    assert result["message"]["text"] == f"{PROBLEM.message}\nhelp: did you mean `smtp_server`?"
    assert result["locations"] == [
        {
            "physicalLocation": {"artifactLocation": {"uri": FILE}, "region": region},
            "logicalLocations": [{"fullyQualifiedName": "our-smtp-server → smtp_sever"}],
        }
    ]
    (fix,) = result["fixes"]
    assert fix["description"]["text"]
    assert fix["artifactChanges"] == [
        {
            "artifactLocation": {"uri": FILE},
            "replacements": [{"deletedRegion": region, "insertedContent": {"text": '"smtp_server"'}}],
        }
    ]
    assert "relatedLocations" not in result


def test_sarif_has_related_locations() -> None:
    """Further places are numbered, and have a message when they have a label."""
    problem = Problem("E208", "m", KEY, also=(Label(KEY),), related=(Label(Span("b.json", 0, 1), "first"),))
    (result,) = run_of([problem], {FILE: TEXT})["results"]
    assert [(place["id"], place.get("message")) for place in result["relatedLocations"]] == [
        (1, None),
        (2, {"text": "first"}),
    ]
    assert result["relatedLocations"][1]["physicalLocation"]["artifactLocation"]["uri"] == "b.json"
    assert "fixes" not in result


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("a b.json", "a%20b.json"),
        ("c:\\x\\ü.json", "c%3A/x/%C3%BC.json"),
        ("<stdin>", "%3Cstdin%3E"),
        ("\udcff", "%3F"),
    ],
)
def test_the_name_of_a_file_is_a_uri(file: str, uri: str) -> None:
    """What a URI cannot hold is escaped; no name is taken for a scheme."""
    (artifact,) = run_of([], {}, [file])["artifacts"]
    assert artifact["location"]["uri"] == uri


def test_halves_of_characters_do_not_come_out() -> None:
    """What cannot be encoded is replaced in every format."""
    half = "\ud800"
    problem = Problem(
        "E201",
        half,
        Span(half, 0, 1),
        half,
        (half,),
        related=(Label(Span(half, 0, 1), half),),
        notes=(Note("note", half),),
    )
    fixed = Problem("E201", half, Span(half, 0, 1), fix=(Edit(Span(half, 0, 1), half),))
    for said in (
        json.dumps(as_json([problem, fixed], {half: half}), ensure_ascii=False),
        json.dumps(sarif([problem, fixed], {half: half}, version="1"), ensure_ascii=False),
        github([problem], {half: half}),
        junit([problem], {half: half}),
    ):
        assert "\ufffd" in said
        assert said.encode()


def test_every_format_has_the_order_of_the_text() -> None:
    """By file, faults of the JSON first, then by place: as people see them."""
    syntax = Problem("E102", "syntax", Span(FILE, 40, 41))
    early = Problem("E301", "early", Span(FILE, 0, 1))
    problems = [PROBLEM, early, syntax]
    found: Any = as_json(problems, {FILE: TEXT})["diagnostics"]
    assert [each["code"] for each in found] == ["E102", "E301", "E201"]
    assert [each["ruleId"] for each in run_of(problems, {FILE: TEXT})["results"]] == ["E102", "E301", "E201"]
    assert [line[-30:].rpartition("::")[2] for line in github([early, syntax], {FILE: TEXT}).split("\n")] == [
        "syntax",
        "early",
    ]


def test_nothing_in_an_annotation_or_a_report_is_acted_on_by_a_terminal() -> None:
    """Names of files and properties come from strangers: control characters in them are shown, not sent."""
    name = "a\x1b[31m\x9bb.conf.json"
    problem = Problem("E201", "unknown `\x1b]0;x\x07`", Span(name, 0, 1), notes=(Note("help", "did you mean `\x9b`?"),))
    for text in (github([problem], {name: "x"}), junit([problem], {name: "x"})):
        assert all(character == "\n" or character.isprintable() for character in text)
    assert github([problem], {name: "x"}).startswith("::error file=a\u241b[31m\ufffdb.conf.json,line=1,")
