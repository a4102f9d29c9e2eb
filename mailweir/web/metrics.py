"""Figures as Prometheus reads them (text format 0.0.4). No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from mailweir.serving.overview import Overview
    from mailweir.serving.totals import Totals

MEDIA: Final = "text/plain; version=0.0.4; charset=utf-8"


class Sample(NamedTuple):
    """A value with its labels."""

    labels: Mapping[str, str]
    value: float


class Metric(NamedTuple):
    """A name, what it counts, and its values."""

    name: str
    kind: Literal["counter", "gauge"]
    about: str
    samples: Iterable[Sample]


def text_of(metrics: Iterable[Metric]) -> str:
    """All of them as one text."""
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.about}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for labels, value in metric.samples:
        told = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        yield f"{metric.name}{{{told}}} {value:.15g}" if told else f"{metric.name} {value:.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def metrics_of(
    overview: Overview, totals: Totals, answered: Mapping[tuple[str, int], int], version: str, hash_: str
) -> Iterator[Metric]:
    """The figures of a service. No address and no `_id` of an entity is in any."""
    yield Metric("mailweir_build_info", "gauge", "The version that runs.", [Sample({"version": version}, 1)])
    yield Metric("mailweir_config_info", "gauge", "The configuration that is served.", [Sample({"hash": hash_}, 1)])
    yield Metric(
        "mailweir_mail_total",
        "counter",
        "Entities and mails by outcome, since this service began.",
        [
            Sample({"pipe": pipe, "system": system, "outcome": word}, many)
            for (pipe, system, word), many in sorted(totals.outcomes.items())
        ],
    )
    yield Metric(
        "mailweir_pipe_entities_total",
        "counter",
        "Entities by stage, since this service began.",
        [Sample({"pipe": pipe, "stage": stage}, many) for (pipe, stage), many in sorted(totals.entities.items())],
    )
    yield Metric(
        "mailweir_pipe_last_success_timestamp_seconds",
        "gauge",
        "When a run of a pipe last came to its end, since this service began.",
        [Sample({"pipe": pipe}, at) for pipe, at in sorted(totals.succeeded.items())],
    )
    yield Metric(
        "mailweir_pipe_failed_entities",
        "gauge",
        "Entities that wait for another try, and dead letters.",
        [
            Sample({"pipe": pipe, "state": state}, many)
            for pipe, counts in sorted(overview.failures.items())
            for state, many in zip(("waiting", "dead"), counts, strict=True)
        ],
    )
    yield Metric(
        "mailweir_outbox_messages",
        "gauge",
        "Messages that are not settled well, by state.",
        [Sample({"state": state.value}, many) for state, many in sorted(overview.outbox.items())],
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
            for (route, status), many in sorted(answered.items())
        ],
    )
