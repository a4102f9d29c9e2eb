"""Figures as Prometheus reads them (text format 0.0.4). No I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from pipeline.durations import BOUNDS
from pipeline.receipt import Outcome
from pipeline.state.facts import MessageState

if TYPE_CHECKING:
    from mailweir.serving.overview import Overview
    from mailweir.serving.totals import Totals
    from pipeline.durations import Durations

MEDIA: Final = "text/plain; version=0.0.4; charset=utf-8"
# What is sent leaves the outbox, and there are too many of them to count.
_waits_or_failed: Final = tuple(one for one in MessageState if one is not MessageState.SENT)


class Figures(NamedTuple):
    """What there is to tell. `pipes` are those that are served, each with the system that it mails through, or ""."""

    overview: Overview
    totals: Totals
    answered: Mapping[tuple[str, int], int]
    version: str
    hash: str
    pipes: Mapping[str, str]
    stale: bool = False
    """Whether the files have errors, so that what was served last goes on."""
    insecure: Collection[str] = ()
    """The systems whose servers are believed without a certificate that says who they are."""
    log_bytes: int = 0
    """How long the log of the state is."""


class Sample(NamedTuple):
    """A value with its labels. `end` is that of its name."""

    labels: Mapping[str, str]
    value: float
    end: str = ""


class Metric(NamedTuple):
    """A name, what it counts, and its values."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    samples: Iterable[Sample]


def text_of(metrics: Iterable[Metric]) -> str:
    """All of them as one text."""
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.about}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for labels, value, end in metric.samples:
        told = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        yield f"{metric.name}{end}{{{told}}} {value:.15g}" if told else f"{metric.name}{end} {value:.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def metrics_of(figures: Figures) -> Iterator[Metric]:
    """The figures of a service. No address and no `_id` of an entity is in any.

    What can be told of a pipe or a state that has nothing yet is 0: a counter that begins with its first case has not
    grown for who watches it grow.
    """
    overview, totals, pipes = figures.overview, figures.totals, figures.pipes
    yield Metric("mailweir_build_info", "gauge", "The version that runs.", [Sample({"version": figures.version}, 1)])
    yield Metric(
        "mailweir_config_info", "gauge", "The configuration that is served.", [Sample({"hash": figures.hash}, 1)]
    )
    yield Metric(
        "mailweir_config_stale",
        "gauge",
        "1 while the files have errors, so that what was served last goes on.",
        [Sample({}, figures.stale)],
    )
    yield Metric(
        "mailweir_system_insecure",
        "gauge",
        "1 for a system whose servers are believed without a certificate.",
        [Sample({"system": name}, 1) for name in sorted(figures.insecure)],
    )
    outcomes = {(pipe, system, word.value): 0 for pipe, system in pipes.items() if system for word in Outcome}
    yield Metric(
        "mailweir_mail_total",
        "counter",
        "Entities and mails by outcome, since this service began.",
        [
            Sample({"pipe": pipe, "system": system, "outcome": word}, many)
            for (pipe, system, word), many in sorted((outcomes | totals.outcomes).items())
        ],
    )
    yield Metric(
        "mailweir_send_duration_seconds",
        "histogram",
        "From when a mail system takes a message until it is answered for, since this service began.",
        [one for system, took in sorted(totals.durations.items()) for one in _buckets(system, took)],
    )
    stages = {(pipe, stage): 0 for pipe in pipes for stage in ("read", "filtered")}
    yield Metric(
        "mailweir_pipe_entities_total",
        "counter",
        "Entities by stage, since this service began.",
        [
            Sample({"pipe": pipe, "stage": stage}, many)
            for (pipe, stage), many in sorted((stages | totals.entities).items())
        ],
    )
    yield Metric(
        "mailweir_pipe_last_success_timestamp_seconds",
        "gauge",
        "When a run of a pipe last came to its end, since this service began.",
        [Sample({"pipe": pipe}, at) for pipe, at in sorted(totals.succeeded.items())],
    )
    yield Metric(
        "mailweir_pipe_late_seconds",
        "gauge",
        "For how long a pipe should have begun to run; 0 if it is in time, runs, or is paused.",
        [Sample({"pipe": pipe}, overview.late(pipe)) for pipe in sorted(overview.pipes)],
    )
    failures = dict.fromkeys(pipes, (0, 0)) | dict(overview.failures)
    yield Metric(
        "mailweir_pipe_failed_entities",
        "gauge",
        "Entities that wait for another try, and dead letters.",
        [
            Sample({"pipe": pipe, "state": state}, many)
            for pipe, counts in sorted(failures.items())
            for state, many in zip(("waiting", "dead"), counts, strict=True)
        ],
    )
    yield Metric(
        "mailweir_outbox_messages",
        "gauge",
        "Messages that are not settled well, by state.",
        [Sample({"state": state.value}, overview.outbox.get(state, 0)) for state in _waits_or_failed],
    )
    yield Metric(
        "mailweir_outbox_oldest_seconds",
        "gauge",
        "For how long the message has waited that has waited longest; 0 if none waits.",
        [Sample({}, overview.waited or 0)],
    )
    yield Metric(
        "mailweir_state_log_bytes", "gauge", "The length of the log of the state.", [Sample({}, figures.log_bytes)]
    )
    windows = [({"system": one.gate}, one) for one in overview.usage]
    yield Metric(
        "mailweir_window_used", "gauge", "Places taken in the last hour.", [Sample(at, one.used) for at, one in windows]
    )
    yield Metric(
        "mailweir_window_limit", "gauge", "Places that an hour has.", [Sample(at, one.limit) for at, one in windows]
    )
    yield Metric(
        "mailweir_window_next_free_timestamp_seconds",
        "gauge",
        "When the next place frees, where none is free.",
        [Sample(at, one.free_at) for at, one in windows if one.free_at is not None],
    )
    yield Metric(
        "mailweir_http_requests_total",
        "counter",
        "Requests by route and status, since this service began.",
        [
            Sample({"route": route or "none", "status": str(status)}, many)
            for (route, status), many in sorted(figures.answered.items())
        ],
    )


def _buckets(system: str, took: Durations) -> Iterator[Sample]:
    sums = list(accumulate(took.counts))
    for bound, many in zip((*(f"{bound:g}" for bound in BOUNDS), "+Inf"), sums, strict=True):
        yield Sample({"system": system, "le": bound}, many, "_bucket")
    yield Sample({"system": system}, took.seconds, "_sum")
    yield Sample({"system": system}, sums[-1], "_count")
