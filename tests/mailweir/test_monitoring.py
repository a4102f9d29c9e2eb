"""The alerts and the dashboard that are shipped, against the figures that there are and the tool of Prometheus."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from mailweir.serving.overview import Overview
from mailweir.serving.totals import Totals
from mailweir.web.metrics import Figures, metrics_of, text_of
from pipeline.durations import Durations
from pipeline.receipt import Outcome
from pipeline.state.facts import MessageState
from pipeline.state.views import Usage
from tests.servers import program

FOLDER: Final = Path(__file__).parents[2] / "mailweir" / "deployments" / "monitoring"
# What Prometheus itself says of whom it asks.
OWN: Final = {"up"}
LABEL_OF_OWN: Final = {"job", "instance", "le"}


def figures() -> str:
    """Figures with a value for each name that there is."""
    totals, took = Totals(), Durations()
    took.add(0.3)
    totals.took(took, "office")
    totals.succeeded["p"] = 5.0
    usage = [Usage("office", 100, 100, 0, 0, 0, 7.5, None)]
    overview = Overview(1.0, [], {"p": "scheduled"}, usage=usage)
    told = Figures(overview, totals, {("livez", 200): 5}, "1", "h", {"p": "office"}, insecure=["office"])
    return text_of(metrics_of(told))


def known() -> dict[str, set[str]]:
    """The names of the figures with their labels."""
    found: dict[str, set[str]] = {}
    for line in figures().splitlines():
        if not line.startswith("#"):
            name, _, labels = line.partition(" ")[0].partition("{")
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


def rules() -> str:
    """The alerts."""
    return (FOLDER / "alerts.yml").read_text("utf-8")


def asked() -> Iterator[str]:
    """All that the dashboard and the alerts ask Prometheus."""
    dashboard = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (one["expr"] for one in dashboard["annotations"]["list"])
    yield from re.findall(r"expr: (?:>-\n)?((?:.+\n?)(?: {10}.+\n)*)", rules())


def promtool() -> str:
    """The tool."""
    found = program("promtool")
    if found is None:
        pytest.skip("promtool is not at hand")
    return found


def test_what_is_asked_for_is_there() -> None:
    """Each name and each label in the dashboard and the alerts is one that the service has."""
    names = known()
    queries = list(asked())
    assert len(queries) > 20
    for query in queries:
        found = re.findall(r"\b(mailweir_\w+|up)\b", query)
        assert found, query
        assert set(found) <= names.keys() | OWN, query
        labels = {one for inside in re.findall(r"\{([^}]*)\}", query) for one in re.findall(r"(\w+)\s*[=!]", inside)}
        grouped = {one.strip() for inside in re.findall(r"by \(([^)]*)\)", query) for one in inside.split(",")}
        assert labels | grouped <= {label for name in found for label in names.get(name, ())} | LABEL_OF_OWN, query


def test_words_are_words() -> None:
    """An outcome or a state that an alert or a panel looks for is one that exists."""
    outcomes = {one.value for one in Outcome}
    states = {one.value for one in MessageState}
    for query in asked():
        for label, words in re.findall(r'(outcome|state)=~?"([^"]+)"', query):
            assert set(words.split("|")) <= (outcomes if label == "outcome" else states | {"waiting"}), query


def test_the_dashboard_has_no_two_panels_in_one_place() -> None:
    """Panels have names of their own and do not cover each other."""
    panels = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))["panels"]
    assert len({one["id"] for one in panels}) == len(panels)
    cells = [
        (at["x"] + x, at["y"] + y)
        for at in (one["gridPos"] for one in panels)
        for x in range(at["w"])
        for y in range(at["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_figures_are_as_prometheus_wants_them() -> None:
    """Its own tool finds nothing to say of names, types and help."""
    told = subprocess.run(
        [promtool(), "check", "metrics"], input=figures().encode(), capture_output=True, timeout=120, check=False
    )
    assert (told.returncode, told.stdout + told.stderr) == (0, b"")


def test_queries_are_as_prometheus_wants_them(tmp_path: Path) -> None:
    """The alerts and every query of the dashboard are read by its own tool without a fault."""
    named = [
        {"record": f"q:{at}", "expr": query.replace("$__rate_interval", "5m").replace("$instance", ".+")}
        for at, query in enumerate(asked())
    ]
    queries = tmp_path / "queries.json"
    queries.write_text(json.dumps({"groups": [{"name": "all", "rules": named}]}))
    for file in (queries, FOLDER / "alerts.yml"):
        told = subprocess.run(
            [promtool(), "check", "rules", str(file)], capture_output=True, timeout=120, check=False, text=True
        )
        assert told.returncode == 0, told.stdout + told.stderr


def alert(name: str, *series: tuple[str, str], rings: bool = True) -> dict[str, Any]:
    """A test of one alert: whether it rings after twenty minutes of these figures."""
    return {
        "interval": "1m",
        "input_series": [{"series": one, "values": values} for one, values in series],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0)',
                "eval_time": "20m",
                "exp_samples": [{"labels": "{}", "value": int(rings)}],
            }
        ],
    }


def test_alerts_ring_when_they_should(tmp_path: Path) -> None:
    """Each alert is silent while all is well and rings when it is not, also at the first thing that is counted."""
    mail = 'mailweir_mail_total{pipe="p",system="office",outcome="discarded"}'
    used, limit = 'mailweir_window_used{system="office"}', 'mailweir_window_limit{system="office"}'
    dead = 'mailweir_outbox_messages{state="dead"}'
    cases = [
        alert("MailweirMailDiscarded", (mail, "0x30"), rings=False),
        alert("MailweirMailDiscarded", (mail, "0x15 1x15")),
        alert("MailweirWindowNearlyFull", (used, "80x30"), (limit, "100x30"), rings=False),
        alert("MailweirWindowNearlyFull", (used, "81x30"), (limit, "100x30")),
        alert("MailweirWindowNearlyFull", (used, "0x30"), (limit, "0x30"), rings=False),
        alert("MailweirMailWaits", ("mailweir_outbox_oldest_seconds", "900x30"), rings=False),
        alert("MailweirMailWaits", ("mailweir_outbox_oldest_seconds", "901x30")),
        alert("MailweirDeadLettersGrew", (dead, "7x30"), rings=False),
        alert("MailweirDeadLettersGrew", (dead, "7x12 8x18")),
        alert("MailweirDeadLettersGrew", (dead, "8x12 7x18"), rings=False),
        alert("MailweirMailInDoubt", ('mailweir_outbox_messages{state="in_doubt"}', "0x12 1x18")),
        alert("MailweirPipeLate", ('mailweir_pipe_late_seconds{pipe="p"}', "0x30"), rings=False),
        alert("MailweirPipeLate", ('mailweir_pipe_late_seconds{pipe="p"}', "0x15 301x15")),
        alert("MailweirConfigStale", ("mailweir_config_stale", "0x10 1x10"), rings=False),
        alert("MailweirConfigStale", ("mailweir_config_stale", "1x30")),
        alert("MailweirDown", ('up{job="mailweir"}', "1x18 0x10"), rings=False),
        alert("MailweirDown", ('up{job="mailweir"}', "1x10 0x20")),
    ]
    names = set(re.findall(r"alert: (\w+)", rules()))
    rung = {re.findall(r'alertname="(\w+)"', one["promql_expr_test"][0]["expr"])[0] for one in cases}
    assert rung == names
    file = tmp_path / "tests.json"
    file.write_text(
        json.dumps({"rule_files": [str(FOLDER / "alerts.yml")], "evaluation_interval": "1m", "tests": cases})
    )
    told = subprocess.run(
        [promtool(), "test", "rules", str(file)], capture_output=True, timeout=120, check=False, text=True
    )
    assert told.returncode == 0, told.stdout + told.stderr
