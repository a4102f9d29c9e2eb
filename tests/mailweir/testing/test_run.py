from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mailweir.testing.suite import written

if TYPE_CHECKING:
    from tests.mailweir.testing.conftest import Project

TOP = Path(__file__).parents[3]
ANN = {"_id": "a", "email": "ann@example.com", "name": "Ann", "kind": "k1"}
MANY = {"repeat": 3, "step": "10s", "entity": {"_id": "c{n}", "email": "ann@example.com", "name": "Ann"}}


def passed(verdict: Any) -> bool:
    """Whether it is right; what is wrong is shown."""
    shown = "" if verdict.state == "passed" else "\n".join(verdict.lines)
    assert shown == ""
    return bool(verdict.state == "passed")


def test_entities_at_every_stage(project: Project) -> None:
    """The source gives them whole, rules shape them, and the sink gets what they are then."""
    whole, shaped = {**ANN}, {"_id": "a", "email": "ann@example.com", "name": "Ann", "kind": "new"}
    for stage, expected in (
        ("source", whole),
        ("before-transform", whole),
        ("after-transform", shaped),
        ("sink", shaped),
    ):
        verdict = project.case([expected], given=[ANN], stage=stage)
        assert passed(verdict), verdict.lines
    assert project.case([], given=[{**ANN, "left": True}]).state == "passed"
    assert project.case([shaped], given=[{**ANN, "left": True}]).state == "failed"


def test_what_stands_upstream_is_run(project: Project) -> None:
    """Without entities of its own a test gets what the pipes upstream make of theirs."""
    assert passed(project.case([{"_id": "p1", "name": "Ann"}]))
    project.write("testdata/people.json", [{"_id": "p2", "email": "bo@example.com", "name": "Bo"}])
    assert passed(project.case([{"_id": "p2", "name": "Bo"}]))
    project.write("testdata/welcome.json", [{"_id": "p3", "email": "cy@example.com", "name": "Cy"}])
    assert passed(project.case([{"_id": "p3", "name": "Cy"}]))


def test_datasets_that_are_given_are_joined(project: Project) -> None:
    """By name, beside the entities of the pipe itself, from the test or from a file beside it."""
    kinds = [{"_id": "k1", "name": "a friend"}]
    expect = [{"_id": "a", "kind": "a friend"}]
    assert passed(project.case(expect, given={"welcome": [ANN], "kinds": kinds}))
    project.write("expected/kinds.json", kinds)
    assert passed(project.case(expect, given={"welcome": [ANN], "kinds": "kinds.json"}))
    project.write("testdata/kinds.json", kinds)
    assert passed(project.case([{"_id": "p1", "kind": "a friend"}]))
    assert passed(project.case([{"_id": "q", "kind": "a friend"}], given={"people": [{**ANN, "_id": "q"}]}))


def test_time_stands_still_and_moves_when_it_is_told(project: Project) -> None:
    """`now` in rules is the time of the test."""
    assert passed(project.case([{"_id": "a", "at": "2026-01-01T12:00:00Z"}], given=[ANN]))
    assert passed(project.case([{"_id": "a", "at": "2030-02-03T04:05:06Z"}], given=[ANN], now="2030-02-03T04:05:06Z"))
    times = [{"_id": "a", "at": "2026-01-01T12:00:00Z"}, {"_id": "b", "at": "2026-01-01T12:00:30Z"}]
    assert passed(project.case(times, given=[ANN, {**ANN, "_id": "b"}], step="30s"))
    later = [ANN, {"at": "+61m", "entity": {**ANN, "_id": "b"}}]
    assert passed(project.case([times[0], {"_id": "b", "at": "2026-01-01T13:01:00Z"}], given=later))


def test_a_mail_as_it_would_go_out(project: Project) -> None:
    """Every part of it can be compared; a body may be one string, or its lines."""
    mail = {
        "_id": "a",
        "from": "Shop <shop@example.com>",
        "to": ["ann@example.com"],
        "subject": "Welcome, Ann",
        "system": "office",
        "outcome": "sent",
    }
    for text in ("Hello Ann,\n\nyou are new.\n", ["Hello Ann,", "", "you are new."], {"$contains": "are new"}):
        assert passed(project.case([{**mail, "text": text}], given=[ANN], stage="mail"))
    verdict = project.case([{**mail, "subject": "Welcome, Anne"}], given=[ANN], stage="mail")
    assert [line.strip() for line in verdict.lines][2:] == [
        "a.subject",
        '- "Welcome, Anne"',
        '+ "Welcome, Ann"',
    ]


def test_the_limit_is_the_real_one(project: Project) -> None:
    """Two leave, the third is discarded and told of; 61 minutes after it goes, without any waiting."""
    limit = {"max_per_hour": 2}
    expect: dict[str, Any] = {
        "outcomes": ["sent", "sent", "discarded"],
        "discarded": [{"_id": "c3"}],
        "logs": [{"$contains": "entity c3 is discarded"}],
        "count": 2,
    }
    assert passed(project.case(expect, given=MANY, stage="mail", system=limit))
    again = {"at": "+61m", "entity": {**MANY["entity"], "_id": "c3"}}  # type: ignore[dict-item]
    expect = {"outcomes": ["sent", "sent", "discarded", "sent"]}
    assert passed(project.case(expect, given=[MANY, again], stage="mail", system=limit))
    early = {**again, "at": "3599s"}
    expect = {"outcomes": ["sent", "sent", "discarded", "discarded"]}
    assert passed(project.case(expect, given=[MANY, early], stage="mail", system=limit))


def test_an_entity_that_comes_twice(project: Project) -> None:
    """Its second mail is skipped, at once and an hour later."""
    # The rules would put the time into it: without them its version is the same.
    project.write("pipes/a.conf.json", {**project.pipe, "transform": [], "source": {"type": "empty"}})
    one = {**ANN, "kind": "new"}
    expect: dict[str, Any] = {"outcomes": ["sent", "skipped", "skipped"], "count": 1}
    assert passed(project.case(expect, given=[one, one, {"at": "+1h", "entity": one}], stage="mail"))


def test_a_queue_goes_when_there_is_room(project: Project) -> None:
    """A mail that waits has the last word that was said of it."""
    limit = {"max_per_hour": 2, "on_limit": "queue"}
    expect = {"outcomes": ["sent", "sent", "queued"]}
    assert passed(project.case(expect, given=MANY, stage="mail", system=limit))
    expect = {"outcomes": ["sent", "sent", "sent"]}
    assert passed(project.case(expect, given=[MANY, {"at": "+61m"}], stage="mail", system=limit))


def test_answers_of_a_server(project: Project) -> None:
    """What a server says is given in turn; mail that may go later does."""
    answers = [{"code": 451, "text": "later"}, {"code": 550}, {}]
    case: dict[str, Any] = {"stage": "mail", "mocks": {"system:office": answers}}
    assert passed(project.case({"outcomes": ["retrying", "dead", "in_doubt"]}, given=MANY, **case))
    expect = {"outcomes": ["sent", "dead", "sent"]}
    assert passed(project.case(expect, given=[MANY, {"at": "+1d"}], **case))
    assert project.case([], given=MANY, mocks={"system:offce": []}).state == "error"


def test_what_becomes_no_mail(project: Project) -> None:
    """A bad address is rejected with its code; it is among no mails, and a list of mails says nothing of it."""
    nobody = {**ANN, "email": "nobody"}
    rejected = [{"_id": "a", "code": "E502", "message": {"$any": True}}]
    assert passed(project.case({"mails": [], "rejected": rejected}, given=[nobody], stage="mail"))
    assert passed(project.case([], given=[nobody], stage="mail"))
    assert passed(project.case({"outcomes": ["skipped"]}, given=[{**ANN, "_deleted": True}], stage="mail"))


def test_a_file_of_what_is_expected(project: Project) -> None:
    """It is compared whole: what is written once passes, and every change is told."""
    project.write("expected/welcome.test.json", {"stage": "mail", "given": [ANN, {**ANN, "_id": "b", "email": ""}]})
    path = project.write("expected/welcome.json", "[]")
    verdict = project.verdicts()["welcome.json"]
    assert verdict.state == "failed"
    path.write_text(written(verdict.written))
    assert path.read_text().count("\n") > 10
    assert project.verdicts()["welcome.json"].state == "passed"
    mails = json.loads(path.read_text())
    assert [one["outcome"] for one in mails] == ["sent", "rejected"]
    mails[0]["subject"] += "!"
    path.write_text(json.dumps(mails))
    verdict = project.verdicts()["welcome.json"]
    assert [(one.id, one.path) for one in verdict.found] == [("a", ("subject",))]
    project.write("expected/welcome.test.json", {"stage": "mail", "given": [ANN], "mode": "contains"})
    path.write_text('[{"_id": "a", "to": ["ann@example.com"]}]')
    assert project.verdicts()["welcome.json"].state == "passed"
    path.write_text('[{"_id": "a", "to": ["ann@example.com"]')
    assert project.verdicts()["welcome.json"].state == "error"


def test_whole_messages(project: Project) -> None:
    """Message-ID, Date and boundaries are the same in every run."""
    project.write("expected/welcome.test.json", {"endpoint": "eml", "file": "welcome.eml", "given": [ANN]})
    path = project.write("expected/welcome.eml", "x")
    verdict = project.verdicts()["welcome.eml"]
    assert "Date: Thu, 1 Jan 2026 12:00:00 +0000" in verdict.written
    path.write_text(written(verdict.written))
    assert project.verdicts()["welcome.eml"].state == "passed"


def test_values_and_secrets_of_a_test(project: Project) -> None:
    """They stand for those of the project; secrets are made up, and nothing of this machine is read."""
    project.write("test-env.json", {"host": "mail.example.com", "word": "profile"})
    project.write(".secrets.env", "smtp-password=canary-real\n")
    (project.root / ".secrets.env").chmod(0o600)
    project.write(".env", "word=mine\n")
    system = {"smtp_server": "$ENV(host)", "smtp_username": "u", "smtp_password": "$SECRET(smtp-password)"}
    project.write("systems/a.conf.json", {"_id": "office", "type": "system:smtp", "use_tls": True, **system})
    add = {"type": "dtl", "rules": {"default": [["copy", "*"], ["add", "word", "$ENV(word)"]]}}
    pipe = {"_id": "word", "type": "pipe", "source": {"type": "empty"}, "transform": add, "sink": {"type": "null"}}
    project.write("pipes/word.conf.json", pipe)
    os.environ["WORD"] = "process"
    try:
        assert passed(project.case([{"_id": "a", "word": "profile"}], pipe="word", given=[ANN]))
        assert passed(project.case([{"_id": "a", "word": "own"}], pipe="word", given=[ANN], env={"word": "own"}))
        assert passed(project.case({"outcomes": ["sent"]}, given=[ANN], stage="mail"))
    finally:
        del os.environ["WORD"]


@pytest.mark.parametrize(
    "body",
    [
        "import socket\n    socket.create_connection(('192.0.2.1', 25), 1)",
        "import urllib.request\n    urllib.request.urlopen('http://example.com')",
        "import subprocess\n    subprocess.run(['true'])",
    ],
)
def test_nothing_reaches_a_network(project: Project, body: str) -> None:
    """A function that tries fails its test, which names the mock to write; with the mock it is not called."""
    project.write("shapes.py", f"def look(entity):\n    {body}\n    return entity\n")
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "empty"}, "sink": {"type": "null"}}
    project.write("pipes/p.conf.json", {**pipe, "transform": {"type": "python", "function": "shapes:look"}})
    verdict = project.case([{"_id": "a"}], pipe="p", given=[ANN])
    assert verdict.state == "failed"
    assert "add a mock for `transform:shapes:look`" in verdict.lines[0]
    mocks = {"transform:shapes:look": [{"_id": "a", "country": "NO"}]}
    assert passed(project.case([{"_id": "a", "country": "NO"}], pipe="p", given=[ANN], mocks=mocks))
    expect = {"error": {"$contains": "has no answer to the entity `b`"}}
    assert passed(project.case(expect, pipe="p", given=[ANN, {**ANN, "_id": "b"}], mocks=mocks))


def test_a_source_that_needs_a_server(project: Project) -> None:
    """It is not asked: the test says what to give instead."""
    system = {"_id": "db", "type": "system:sqlite", "path": "a.db"}
    source = {"type": "sql", "system": "db", "table": "t"}
    pipe = {"_id": "p", "type": "pipe", "source": source, "sink": {"type": "null"}}
    project.write("pipes/p.conf.json", [pipe, system])
    verdict = project.case([], pipe="p")
    assert verdict.state == "error"
    assert "give its entities with `given`" in verdict.lines[0]
    assert passed(project.case([{"_id": "a"}], pipe="p", given=[ANN]))


def test_the_alternative_for_tests(project: Project) -> None:
    """A source that is chosen by a value is the one named `test`."""
    alternatives = {"prod": {"type": "empty"}, "test": {"type": "embedded", "entities": [ANN]}}
    source = {"type": "conditional", "condition": "prod", "alternatives": alternatives}
    project.write("pipes/p.conf.json", {"_id": "p", "type": "pipe", "source": source, "sink": {"type": "null"}})
    assert passed(project.case([{"_id": "a"}], pipe="p"))


def test_a_circle_that_never_rests(project: Project) -> None:
    """It is stopped, and told."""
    rules = {
        "type": "dtl",
        "rules": {"default": [["copy", "_id"], ["add", "n", ["plus", 1, ["coalesce", ["list", "_S.n", 0]]]]]},
    }
    project.write("testdata/seed.json", [ANN])
    ring = {"type": "union_datasets", "datasets": ["seed", "b"], "include_previous_versions": False}
    pipes = [
        {"_id": "a", "type": "pipe", "source": ring, "transform": rules, "metadata": {"global": False}},
        {"_id": "b", "type": "pipe", "source": {"type": "dataset", "dataset": "a"}, "allow_cycle": True},
    ]
    project.write("pipes/p.conf.json", pipes)
    verdict = project.case([], pipe="b")
    assert verdict.state == "error"
    assert "E601" in verdict.lines[0]


def test_identifiers_count(project: Project) -> None:
    """In every test from the first."""
    rules = {"type": "dtl", "rules": {"default": [["copy", "_id"], ["add", "u", ["uuid"]]]}}
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "empty"}, "transform": rules, "sink": {"type": "null"}}
    project.write("pipes/p.conf.json", pipe)
    first, second = (f"~u00000000-0000-4000-8000-00000000000{number}" for number in (1, 2))
    expect = [{"_id": "a", "u": first}, {"_id": "b", "u": second}]
    assert passed(project.case(expect, pipe="p", given=[ANN, {**ANN, "_id": "b"}]))


def test_skipped_tests_say_why(project: Project) -> None:
    """They are not run."""
    verdict = project.case([{"_id": "nobody"}], skip="later")
    assert (verdict.state, verdict.lines) == ("skipped", ["later"])


def test_every_machine_has_the_same_results(project: Project) -> None:
    """Whatever the time zone, the locale and the order of hashes are."""
    project.write("expected/welcome.test.json", {"stage": "mail", "given": [ANN]})
    project.write("expected/welcome.json", "[]")
    found = set()
    for number, zone, language in ((0, "UTC", "C"), (7, "Pacific/Auckland", "C.UTF-8")):
        environ = {"PYTHONHASHSEED": str(number), "TZ": zone, "LC_ALL": language, "PYTHONPATH": str(TOP)}
        done = subprocess.run(
            [sys.executable, "-m", "mailweir", "test", "--full"],
            cwd=project.root,
            env={"PATH": "/usr/bin:/bin", **environ},
            capture_output=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 1
        found.add(done.stdout.rpartition(b" in ")[0])
    assert len(found) == 1


def test_ends_that_this_version_does_not_know(project: Project) -> None:
    """A project from elsewhere is tested all the same: what is not known there is neither read nor written."""
    rules = {"type": "dtl", "rules": {"default": [["copy", "*"], ["add", "n", 1]]}}
    receiver = {"_id": "in", "type": "pipe", "source": {"type": "http_endpoint"}}
    source, sink = {"type": "dataset", "dataset": "in"}, {"type": "http_endpoint"}
    sender = {"_id": "out", "type": "pipe", "source": source, "transform": rules, "sink": sink}
    project.write("pipes/p.conf.json", [receiver, sender])
    assert passed(project.case([], pipe="out"))
    project.write("testdata/in.json", [{"_id": "a"}])
    assert passed(project.case([{"_id": "a", "n": 1}], pipe="out"))
    project.write("pipes/p.conf.json", [receiver, {**sender, "transform": [rules, {"type": "geo"}]}])
    assert project.case([], pipe="out").state == "error"


def test_of_a_conditional_end_only_what_a_test_uses_has_to_be_known(project: Project) -> None:
    """Alternatives of other types are no matter, upstream neither; one that is used and has a fault is one."""
    test = {"type": "embedded", "entities": [{"_id": "a"}]}
    source = {"type": "conditional", "condition": "prod", "alternatives": {"prod": {"type": "geo"}, "test": test}}
    sinks = {"prod": {"type": "geo"}, "test": {"type": "null"}}
    sink = {"type": "conditional", "condition": "prod", "alternatives": sinks}
    upstream = {"_id": "in", "type": "pipe", "source": source}
    pipe = {"_id": "out", "type": "pipe", "source": {"type": "dataset", "dataset": "in"}, "sink": sink}
    project.write("pipes/p.conf.json", [upstream, pipe])
    assert passed(project.case([{"_id": "a"}], pipe="out"))
    assert passed(project.case([{"_id": "a"}], pipe="in"))
    faulty = {**source, "alternatives": {"prod": {"type": "geo"}, "test": {**test, "entitis": []}}}
    project.write("pipes/p.conf.json", [{**upstream, "source": faulty}, pipe])
    assert project.case([{"_id": "a"}], pipe="in").state == "error"


def test_names_have_namespaces_as_in_a_run(project: Project) -> None:
    """They are added behind a source from outside and taken away before a sink to outside, known or not."""
    project.write("node-metadata.conf.json", {"_id": "node", "type": "metadata", "namespaced_identifiers": True})
    rules = {"type": "dtl", "rules": {"default": [["copy", "*"], ["add", "n", "_S.name"]]}}
    upstream = {"_id": "in", "type": "pipe", "source": {"type": "embedded", "entities": [{"_id": "a", "name": "Ann"}]}}
    source = {"type": "dataset", "dataset": "in"}
    for sink in ({"type": "http_endpoint"}, {"type": "json", "path": "out.json"}, {"type": "null"}):
        pipe = {"_id": "out", "type": "pipe", "source": source, "transform": rules, "sink": sink}
        project.write("pipes/p.conf.json", [upstream, pipe])
        whole = {"_id": "in:a", "in:name": "Ann", "out:n": "Ann"}
        bare = {"_id": "a", "name": "Ann", "n": "Ann"}
        assert passed(project.case([whole], pipe="out", stage="after-transform"))
        assert passed(project.case([whole if sink["type"] == "null" else bare], pipe="out"))
    project.write("testdata/in.json", [{"_id": "b", "name": "Bo"}])
    assert passed(project.case([{"_id": "in:b", "in:name": "Bo", "out:n": "Bo"}], pipe="out"))


def test_the_text_that_a_sink_of_csv_writes(project: Project) -> None:
    """It is compared line by line, whatever ends the lines; a sink that writes none cannot be asked for it."""
    entities = [{"_id": "a", "name": "Ann, Lee"}, {"_id": "b", "_deleted": True}]
    source, sink = (
        {"type": "embedded", "entities": entities},
        {"type": "csv", "path": "o.csv", "columns": ["_id", "name"]},
    )
    project.write("pipes/p.conf.json", {"_id": "out", "type": "pipe", "source": source, "sink": sink})
    project.write("expected/out.test.json", {"endpoint": "csv", "file": "out.csv"})
    project.write("expected/out.csv", '_id,name\na,"Ann, Lee"\n')
    assert passed(project.verdicts()["out.csv"])
    project.write("expected/out.csv", '_id,name\r\na,"Ann"\r\n')
    found = project.verdicts()["out.csv"]
    assert (found.state, found.lines[0]) == ("failed", "expected/out.csv: the text differs    - expected  + actual")
    assert [line.strip() for line in found.lines[-2:]] == ['- a,"Ann"', '+ a,"Ann, Lee"']
    assert found.written == '_id,name\na,"Ann, Lee"\n'
    project.write("expected/out.test.json", {"endpoint": "xml", "file": "out.csv"})
    found = project.verdicts()["out.csv"]
    assert (found.state, list(found.lines)) == ("error", ['the sink of `out` writes no xml: leave out `"endpoint"`'])


def test_parameters_of_an_endpoint_are_seen_by_rules(project: Project) -> None:
    """As `_B`, in the pipe under test."""
    rules = {"type": "dtl", "rules": {"default": [["copy", "*"], ["filter", ["eq", "_S.kind", "_B.kind"]]]}}
    source = {"type": "embedded", "entities": [{"_id": "a", "kind": "x"}, {"_id": "b", "kind": "y"}]}
    pipe = {"_id": "out", "type": "pipe", "source": source, "transform": rules, "sink": {"type": "http_endpoint"}}
    project.write("pipes/p.conf.json", pipe)
    project.write("expected/out.test.json", {"parameters": {"kind": "y"}})
    project.write("expected/out.json", [{"_id": "b", "kind": "y"}])
    assert passed(project.verdicts()["out.json"])


def test_a_mock_of_nothing_is_an_error(project: Project) -> None:
    """It names what was meant, rather than to do nothing."""
    found = project.case([], given=[], mocks={"system:offce": []})
    assert list(found.lines) == [
        "the mock `system:offce` is for no system of this project: did you mean `system:office`?"
    ]
    found = project.case([], given=[], mocks={"transform:shapes:look": []})
    assert list(found.lines) == ["the mock `transform:shapes:look` is for no transform of this project"]


def test_entities_for_the_source_of_a_pipe_upstream(project: Project) -> None:
    """Under `pipe:<id>` they are shaped by its rules; under the name alone the dataset is as it is given."""
    rules = {"type": "dtl", "rules": {"default": [["copy", "*"], ["add", "shaped", True]]}}
    upstream = {"_id": "in", "type": "pipe", "source": {"type": "empty"}, "transform": rules}
    pipe = {"_id": "out", "type": "pipe", "source": {"type": "dataset", "dataset": "in"}, "sink": {"type": "null"}}
    project.write("pipes/p.conf.json", [upstream, pipe])
    assert passed(project.case([{"_id": "a"}], pipe="out", mode="equals", given={"in": [{"_id": "a"}]}))
    assert passed(project.case([{"_id": "a", "shaped": True}], pipe="out", given={"pipe:in": [{"_id": "a"}]}))
    found = project.case([], pipe="out", given={"inn": []})
    assert list(found.lines) == ["`given` has `inn`, which is no dataset or pipe here: did you mean `in`?"]


def test_a_pipe_upstream_that_cannot_be_used_is_no_empty_dataset(project: Project) -> None:
    """It is an error that says what to give, and with the dataset given none."""
    upstream = {"_id": "in", "type": "pipe", "source": {"type": "empty"}, "transform": {"type": "geo"}}
    pipe = {"_id": "out", "type": "pipe", "source": {"type": "dataset", "dataset": "in"}, "sink": {"type": "null"}}
    project.write("pipes/p.conf.json", [upstream, pipe])
    found = project.case([], pipe="out")
    assert (found.state, found.lines[0].startswith("the pipe `in`, which is upstream, cannot be used")) == (
        "error",
        True,
    )
    assert passed(project.case([{"_id": "a"}], pipe="out", given={"in": [{"_id": "a"}]}))


def test_a_mail_that_is_missing_says_why(project: Project) -> None:
    """What became of its entity stands under the difference."""
    found = project.case([{"_id": "a", "subject": "Welcome, Ann"}], stage="mail", given=[{**ANN, "email": ""}])
    assert found.state == "failed"
    assert found.lines[-1].startswith("  a is rejected: E502 ")


@pytest.mark.parametrize(
    ("sink", "right", "wrong"),
    [
        ({"type": "csv_endpoint", "columns": ["_id", "n"]}, "_id,n\na,1\n", "_id,n\na,2\n"),
        (
            {"type": "csv_endpoint", "columns": ["_id", "n"], "skip-deleted-entities": False},
            "_id,n\na,1\nb,\n",
            "_id,n\na,1\n",
        ),
        (
            {"type": "xml_endpoint"},
            "<entities>\n  <entity id='a'><n>1</n>\n</entity></entities>",
            "<entities><entity id='b'><n>1</n></entity></entities>",
        ),
    ],
)
def test_the_text_that_is_published(project: Project, sink: dict[str, Any], right: str, wrong: str) -> None:
    """As those get it who ask for it; of XML the elements count, and no line."""
    entities = [{"_id": "a", "n": 1}, {"_id": "b", "_deleted": True}]
    pipe = {"_id": "out", "type": "pipe", "source": {"type": "embedded", "entities": entities}, "sink": sink}
    project.write("pipes/p.conf.json", pipe)
    project.write("expected/out.test.json", {"endpoint": sink["type"].partition("_")[0], "file": "out.txt"})
    project.write("expected/out.txt", right)
    assert passed(project.verdicts()["out.txt"])
    project.write("expected/out.txt", wrong)
    assert project.verdicts()["out.txt"].state == "failed"
