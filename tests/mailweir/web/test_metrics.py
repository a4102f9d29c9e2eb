"""Figures as Prometheus reads them."""

from __future__ import annotations

from collections import Counter

from mailweir.serving.overview import Overview
from mailweir.serving.totals import Totals
from mailweir.web.metrics import metrics_of, text_of
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
    overview = Overview(1.0, [], {}, outbox={MessageState.DEAD: 4}, failures={"p": (1, 2)}, usage=usage)
    told = text_of(metrics_of(overview, totals, {("livez", 200): 5}, "1.2", "abc")).splitlines()
    for line in (
        "# TYPE mailweir_mail_total counter",
        'mailweir_mail_total{pipe="p\\"1\\n",system="office",outcome="sent"} 2',
        'mailweir_pipe_last_success_timestamp_seconds{pipe="p\\"1\\n"} 1800000123.5',
        'mailweir_pipe_failed_entities{pipe="p",state="dead"} 2',
        'mailweir_outbox_messages{state="dead"} 4',
        'mailweir_window_next_free_timestamp_seconds{system="office"} 7.5',
        'mailweir_http_requests_total{route="livez",status="200"} 5',
        'mailweir_build_info{version="1.2"} 1',
    ):
        assert line in told


def test_a_run_that_stopped_is_no_success() -> None:
    """Only a run that came to its end moves the time of the last success."""
    totals = Totals()
    report = Report("p")
    report.stopped = "the disk is full"
    totals.ended(report, None, 5.0)
    assert totals.succeeded == {}
