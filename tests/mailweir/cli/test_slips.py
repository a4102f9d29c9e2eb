"""The slips that people make in the configurations that come along: one finding each, at its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from mailweir.cli.checking import Checked, check_paths
from mailweir.cli.repairing import plan
from pipeline.config.load import Options
from pipeline.config.tree import Lines

CONFIGS = Path(__file__).parents[3] / "configs"
ALERT = "alerts/pipes/alert-mail.conf.json"
ALERTS = "alerts/pipes/alerts.conf.json"
NEW = "welcome/pipes/new-customers.conf.json"
DIGEST = "digest/pipes/weekly-digest.conf.json"
ORDERS = "digest/pipes/orders.conf.json"
CUSTOMERS = "digest/pipes/customers.conf.json"
SERVER = "digest/systems/our-smtp-server.conf.json"
PUMP = '    "schedule_interval": 30\n  }\n'
SOURCE = '  "source": {\n    "type": "dataset",\n    "dataset": "customers"\n  },'

# File, what stands there, what a slip makes of it, then line, column and code of the one finding.
Slip = tuple[str, str, str, int, int, str]

REPAIRED: list[Slip] = [
    (ALERT, '"type": "pipe",', '"type": "pipe"', 3, 17, "E102"),
    (ALERT, '  },\n  "sink"', '  }\n  "sink"', 19, 4, "E102"),
    (ALERT, '["copy", "*"]', '["copy" "*"]', 15, 16, "E102"),
    (ALERT, '"our-smtp-server"', '"our-smtp-server', 22, 30, "E103"),
    (ALERT, '"our-smtp-server"', 'our-smtp-server"', 22, 15, "E103"),
    (ALERT, '"our-smtp-server"', "\u201cour-smtp-server\u201d", 22, 15, "E103"),
    (ALERT, '"system": ', '"system":\u00a0', 22, 14, "E108"),
    (ALERT, '"info"]],', '"info"}],', 14, 49, "E106"),
    (ALERT, '"alerts"\n  },', '"alerts"\n  ],', 8, 3, "E106"),
    (ALERT, '"our-smtp-server"', '"our-smpt-server"', 22, 15, "E304"),
    (ALERT, '"our-smtp-server"', '"our-smtp\tserver"', 22, 24, "E109"),
    (ALERT, '"schedule_interval"', '"scheduled_interval"', 29, 5, "E201"),
    (ALERT, "30", '"30"', 29, 26, "E202"),
    (DIGEST, '"sink": {', '"sink": [', 26, 11, "E106"),
    (DIGEST, '"default": [', '"default": {', 12, 18, "E106"),
    (DIGEST, '["comment", "No', '{"comment", "No', 20, 9, "E106"),
    (DIGEST, '"type": "dtl"', '"type": "dlt"', 10, 13, "E205"),
    (ORDERS, '"entities": [', '"entities": {', 7, 17, "E106"),
    (ORDERS, '"Teapot"', '"Teapot', 9, 53, "E103"),
    (ORDERS, '"Teapot"', ',Teapot"', 9, 47, "E103"),
    (SERVER, '"$conditional_properties"', '"$conditional_propertys"', 7, 3, "E201"),
    (SERVER, '"$SECRET(smtp-password)"', "$SECRET(smtp-password)", 18, 26, "E104"),
    (SERVER, '"system:smtp"', '"smtp"', 3, 11, "E205"),
    (SERVER, "true", "True", 19, 20, "E108"),
]

TOLD: list[Slip] = [
    (ALERT, PUMP, '    "schedule_interval": 30\n', 28, 11, "E106"),
    (ALERT, '"alerts"\n  },', '"alerts",', 5, 13, "E106"),
    (ALERT, '"source": {', '"source": ', 6, 5, "E108"),
    (ALERT, '    "type": "mail",\n', "", 20, 11, "E204"),
    (ALERT, '    "system": "our-smtp-server",\n', "", 20, 11, "E204"),
    (ALERT, '"dataset": "alerts"', '"dataset": "incidents"', 7, 16, "E305"),
    (ALERT, '"type": "mail"', '"type": "system:smtp"', 21, 13, "E205"),
    (ALERT, '"mail",', '"mail", // the mail', 21, 21, "E105"),
    (ALERT, '"type": "mail",', '"type": "mail",\n    "system": "other",', 23, 5, "E111"),
    (DIGEST, '"sink": {', '"sink": [{', 26, 11, "E106"),
    (DIGEST, '"sink": {', '"sinc": {', 26, 3, "E201"),
    (DIGEST, '"rules"', '"rule"', 11, 5, "E201"),
    (DIGEST, SOURCE, '  "dataset": "customers",', 5, 3, "E201"),
    (DIGEST, SOURCE, '  "source": "customers",', 5, 13, "E202"),
    (DIGEST, "          }]\n", "          }\n", 15, 11, "E106"),
    (DIGEST, '"customers"', '"\tcustomers"', 7, 17, "E109"),
    (ORDERS, '"sent"},', '"sent",', 8, 7, "E106"),
    (ORDERS, '"_id": "orders"', '"_id": "orders\t"', 2, 17, "E109"),
    (SERVER, "1025\n      },\n", "1025\n", 10, 15, "E106"),
    (SERVER, '"prod": {', '"prod": ', 15, 9, "E108"),
    (ALERT, '"our-smtp-server",', '"our-smtp-server},', 22, 31, "E103"),
    (ALERT, '"our-smtp-server"', '[our-smtp-server"', 22, 15, "E103"),
    (ALERT, '"system": "', '"system}: "', 22, 12, "E103"),
    # A line that is gone.
    (ALERT, '  "source": {\n', "", 7, 3, "E107"),
    (ORDERS, '  "source": {\n', "", 11, 1, "E107"),
    (ALERTS, "      },\n", "", 8, 7, "E106"),
    (NEW, "  },\n", "", 5, 13, "E106"),
    (SERVER, '  "$conditional_properties": {\n', "", 22, 1, "E107"),
    (SERVER, '      "test": {\n', "", 22, 1, "E107"),
    (SERVER, '    "condition": "$ENV(node-env)",\n', "", 7, 3, "E204"),
]


def title(slip: Slip) -> str:
    """The file, and where something is wrong."""
    return f"{Path(slip[0]).name}:{slip[3]}:{slip[4]} {slip[1].strip()[:20]} -> {slip[2].strip()[:20]}"


def checked(root: Path, replaced: Mapping[Path, bytes]) -> Checked:
    """A check of a project in which some files say something else than on disk."""
    environ = {"ON_CALL": "a@example.com"}
    return check_paths([root], Options(environ=environ, here=root, run_secrets=root / "none", replaced=replaced))


def found(*slips: Slip) -> tuple[list[tuple[int, int, str]], dict[str, str], dict[str, str]]:
    """Each finding of one project with these slips; what the files then say, and what the repairs make of them."""
    root = CONFIGS / slips[0][0].partition("/")[0]
    files: dict[Path, str] = {}
    for name, right, wrong, *_ in slips:
        file = CONFIGS / name
        text = files.get(file, file.read_text())
        assert right in text
        files[file] = text.replace(right, wrong, 1)
    replaced = {file: text.encode() for file, text in files.items()}
    before = checked(root, replaced)
    texts = {file.relative_to(root).as_posix(): text for file, text in files.items()}
    places = [(*Lines(texts[p.span.file]).place(p.span.start), p.code) for p in before.problems]
    made = plan(before, lambda again: checked(root, {**replaced, **again}))
    return places, texts, {name: data.decode() for name, data in made.after.items()}


@pytest.mark.parametrize("slip", REPAIRED, ids=title)
def test_what_is_surely_meant_is_one_finding_and_repaired(slip: Slip) -> None:
    """No warning beside it, and afterwards the file has each byte that it had before the slip."""
    places, _, after = found(slip)
    assert places == [slip[3:]]
    assert list(after.values()) == [(CONFIGS / slip[0]).read_text()]


@pytest.mark.parametrize("slip", TOLD, ids=title)
def test_what_may_be_meant_otherwise_is_one_finding_and_left(slip: Slip) -> None:
    """What follows from it is no finding, and no byte is changed."""
    places, _, after = found(slip)
    assert places == [slip[3:]]
    assert after == {}


def test_two_slips_are_two_findings() -> None:
    """In one file, and in two of a project; what is sure is repaired beside what is not."""
    comma, brace, quote, rule = REPAIRED[0], TOLD[0], REPAIRED[18], TOLD[11]
    places, texts, after = found(comma, brace)
    assert places == [comma[3:], brace[3:]]
    (name,) = after
    assert after[name] == texts[name].replace('"pipe"\n', '"pipe",\n')
    places, _, after = found(quote, rule)
    assert places == [quote[3:], rule[3:]]
    assert after == {"pipes/orders.conf.json": (CONFIGS / ORDERS).read_text()}


@pytest.mark.parametrize(
    ("file", "wrong", "home"),
    [(CUSTOMERS, '"custmers"', DIGEST), (SERVER, '"our-smtp-servr"', DIGEST)],
)
def test_a_name_that_a_file_has_is_not_the_misspelt_one(file: str, wrong: str, home: str) -> None:
    """The reference stays as it is, and the finding says that the other name may be wrong."""
    right = f'"_id": "{Path(file).name.partition(".")[0]}"'
    root = CONFIGS / "digest"
    text = (CONFIGS / file).read_text().replace(right, f'"_id": {wrong}')
    replaced = {CONFIGS / file: text.encode()}
    before = checked(root, replaced)
    (problem,) = before.problems
    assert problem.span.file == home.partition("/")[2]
    assert (problem.notes[0].text.partition("?")[0], problem.fix) == (f"did you mean {wrong}", ())
    assert problem.notes[1].text == "or is that `_id` misspelt? its file has the name that is looked for"


def test_what_nobody_reads_is_told_beside_other_faults() -> None:
    """As long as none of them can hide who reads it."""
    root = CONFIGS / "digest"
    source = {"type": "dataset", "dataset": "orders"}
    other = {"_id": "other", "type": "pipe", "source": source, "pump": {"cron_expression": "x"}}
    text = f"[{(CONFIGS / ORDERS).read_text()}, {json.dumps(other)}]"
    before = checked(root, {CONFIGS / ORDERS: text.encode()})
    assert sorted(problem.code for problem in before.problems) == ["E203", "W604"]
