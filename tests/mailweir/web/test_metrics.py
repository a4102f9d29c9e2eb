"""Figures as Prometheus reads them."""

from __future__ import annotations

from collections import Counter

from mailweir.serving.overview import Overview
from mailweir.serving.totals import Totals
from mailweir.web.metrics import Figures, metrics_of, text_of
from pipeline.durations import Durations
from pipeline.receipt import Outcome, Report
from pipeline.state.facts import MessageState
from pipeline.state.views import Usage


def test_the_text() -> None:
    """Each figure has its help, its type and its labels, with signs escaped, and times have all their digits."""
    totals = Totals()
    report = Report('p"1\n')
    report.read = 3
    report.outcomes = Counter({Outcome.SENT: 2, Outcome.REJECTED: 1})
    totals.ended(report, "office", 1_800_000_123.5)
    usage = [Usage("office", 100, 100, 0, 0, 0, 7.5, None)]
    overview = Overview(1.0, [], {}, outbox={MessageState.DEAD: 4}, failures={"p": (1, 2)}, usage=usage, waited=90.5)
    figures = Figures(overview, totals, {("livez", 200): 5}, "1.2", "abc", {}, stale=True, insecure=["office"])
    told = text_of(metrics_of(figures)).splitlines()
    for line in (
        "# TYPE mailweir_mail_total counter",
        'mailweir_mail_total{pipe="p\\"1\\n",system="office",outcome="sent"} 2',
        'mailweir_pipe_last_success_timestamp_seconds{pipe="p\\"1\\n"} 1800000123.5',
        'mailweir_pipe_failed_entities{pipe="p",state="dead"} 2',
        'mailweir_outbox_messages{state="dead"} 4',
        'mailweir_window_next_free_timestamp_seconds{system="office"} 7.5',
        'mailweir_http_requests_total{route="livez",status="200"} 5',
        'mailweir_build_info{version="1.2"} 1',
        "mailweir_config_stale 1",
        'mailweir_system_insecure{system="office"} 1',
        "mailweir_outbox_oldest_seconds 90.5",
    ):
        assert line in told


def test_a_run_that_stopped_is_no_success() -> None:
    """Only a run that came to its end moves the time of the last success."""
    totals = Totals()
    report = Report("p")
    report.stopped = "the disk is full"
    totals.ended(report, None, 5.0)
    assert totals.succeeded == {}


def test_what_has_not_happened_yet_is_nought() -> None:
    """A pipe that is served has all its counters from the start, so that the first discarded mail is one more."""
    figures = Figures(Overview(1.0, [], {"p": "scheduled"}), Totals(), {}, "1", "h", {"p": "office", "plain": ""})
    told = text_of(metrics_of(figures)).splitlines()
    assert 'mailweir_mail_total{pipe="p",system="office",outcome="discarded"} 0' in told
    assert 'mailweir_pipe_entities_total{pipe="plain",stage="read"} 0' in told
    assert 'mailweir_outbox_messages{state="dead"} 0' in told
    assert 'mailweir_pipe_late_seconds{pipe="p"} 0' in told
    assert "mailweir_outbox_oldest_seconds 0" in told
    assert not [line for line in told if line.startswith("mailweir_mail_total") and "plain" in line]


def test_durations_are_buckets() -> None:
    """Each bucket counts what took as long or less, and the last one counts all."""
    totals, took = Totals(), Durations()
    for seconds in (0.001, 0.02, 0.02, 1000.0):
        took.add(seconds)
    totals.took(took, "office")
    totals.took(took, "office")
    told = text_of(metrics_of(Figures(Overview(1.0, [], {}), totals, {}, "1", "h", {}))).splitlines()
    for line in (
        "# TYPE mailweir_send_duration_seconds histogram",
        'mailweir_send_duration_seconds_bucket{system="office",le="0.005"} 2',
        'mailweir_send_duration_seconds_bucket{system="office",le="0.025"} 6',
        'mailweir_send_duration_seconds_bucket{system="office",le="600"} 6',
        'mailweir_send_duration_seconds_bucket{system="office",le="+Inf"} 8',
        'mailweir_send_duration_seconds_sum{system="office"} 2000.082',
        'mailweir_send_duration_seconds_count{system="office"} 8',
    ):
        assert line in told
