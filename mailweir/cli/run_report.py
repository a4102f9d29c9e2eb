"""What a run tells: where mail goes before it, and after it what became of everything."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from mailweir.destination import destinations
from mailweir.flows import mail_sink
from mailweir.running import gates
from pipeline.config.glyphs import visible
from pipeline.config.show import render
from pipeline.receipt import Outcome, Receipt, Report
from systems.mail import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailweir.cli.out import Out
    from mailweir.running import Asked, Done, Run
    from pipeline.config.load import Loaded

# In the order in which people want to know.
_order: Final = (
    Outcome.WRITTEN,
    Outcome.SENT,
    Outcome.QUEUED,
    Outcome.RETRYING,
    Outcome.IN_DOUBT,
    Outcome.DEAD,
    Outcome.REJECTED,
    Outcome.HELD,
    Outcome.SKIPPED,
    Outcome.DISCARDED,
)
_unfinished: Final = (Outcome.RETRYING, Outcome.IN_DOUBT, Outcome.DEAD, Outcome.REJECTED)
told_one_by_one: Final = (Outcome.REJECTED, Outcome.DEAD, Outcome.RETRYING, Outcome.IN_DOUBT, Outcome.HELD)
# As many of each outcome as a terminal shows without scrolling; the outbox has them all.
MOST_LINES: Final = 10


def word(outcome: Outcome) -> str:
    """An outcome for people: `in doubt`."""
    return outcome.value.replace("_", " ")


def tell(out: Out, run: Run) -> None:
    """The summary, in words that add up to what was read."""
    done = run.done
    _tell_recovered(out, done)
    if done.reports:
        out.say("")
    width = max((len(report.pipe) for report in done.reports), default=0)
    for report in done.reports:
        cut = done.stopped and report is done.reports[-1]
        out.line(f"  {report.pipe:{width}}  {_counts(report, run.asked, cut=cut)}  {report.seconds:6.1f} s")
    for outcome in told_one_by_one:
        _tell_some(out, outcome, run)
    _tell_missed(out, done)
    for name, trouble in done.troubles.items():
        out.fault(visible(f"error: {name}: {trouble.told_of(name)}"))
        if trouble.fault.reason is Reason.LOGIN_REFUSED:
            wait = f"not before {trouble.seconds / 60:.0f} min are over, so that no account is locked"
            out.fault(f"  help: mend the login and run it again; the same login is tried again {wait}")
            out.fault(f"  help: if it was mended at the server, `mailweir send-test {name} --to ADDR` tries it now")
        else:
            out.fault("  help: what is queued goes with the next `mailweir run`; see `mailweir doctor --connect`")
    for report in done.reports:
        if report.pipe in done.unread:
            problem, texts = done.unread[report.pipe].shown(report.pipe)
            out.fault(render([problem], texts, width=out.width(out.stderr), color=out.colors(out.stderr)).rstrip())
        elif report.stopped:
            out.fault(visible(f"error: {report.pipe} stopped: {report.stopped}"))
    _tell_discards(out, run)
    if done.declined or (done.stopped and not done.reports):
        out.line("Nothing was sent.")
        return
    if done.stopped and any(report.outcomes[Outcome.QUEUED] for report in done.reports):
        out.say("What is queued goes with the next `mailweir run`.")
    out.line("")
    out.line(_last(run))


def _tell_recovered(out: Out, done: Done) -> None:
    """What was left by a run that was killed."""
    answered, returned, in_doubt = done.recovered
    if any(done.recovered):
        out.say(
            f"note: a run before this one did not end: {answered} answers were on record, {returned} mails go on,"
            f" {in_doubt} in doubt"
        )


def _counts(report: Report, asked: Asked, *, cut: bool) -> str:
    if not (report.read or report.left_out or report.earlier or report.stopped or report.deleted):
        return "ended before anything was read" if cut else nothing_read(asked)
    return "   ".join([*counts(report), *(["stopped"] if report.stopped else [])])


def nothing_read(asked: Asked) -> str:
    """Why a pipe has read nothing."""
    if asked.wanted.id is not None:
        return visible(f"no entity has the `_id` {asked.wanted.id}")
    if asked.source is not None or asked.since is not None:
        return "there is no entity"
    return "nothing new since the last run; `--since 0` reads everything again"


def counts(report: Report) -> list[str]:
    """What was read, and what became of it: `3 read`, `2 sent`, `1 rejected`."""
    parts = [f"{report.read:,} read"]
    if report.left_out:
        parts.append(f"{report.left_out:,} left out")
    if report.filtered:
        parts.append(f"{report.filtered:,} filtered")
    parts += [f"{report.outcomes[each]:,} {word(each)}" for each in _order if report.outcomes[each]]
    if report.deleted:
        parts.append(f"{report.deleted:,} deleted")
    if report.left:
        parts.append(f"{report.left:,} left to the next run")
    left = ", ".join(f"{report.earlier[each]:,} {word(each)}" for each in _order if report.earlier[each])
    return [*parts, f"(from before: {left})"] if left else parts


def _tell_some(out: Out, outcome: Outcome, run: Run) -> None:
    """The first entities with this outcome and why; of several pipes each line names its own."""
    reports = run.done.reports
    found = [(report.pipe, one) for report in reports for one in report.shown.get(outcome, ())]
    if not found:
        return
    many = sum(report.outcomes[outcome] + report.earlier[outcome] for report in reports)
    out.line("")
    out.line(word(outcome).capitalize())
    shown = found[:MOST_LINES]
    width = max(len(one.entity_id) for _, one in shown)
    widest = max(len(pipe) for pipe, _ in shown)
    for pipe, one in shown:
        due = f"   next try {_clock(one.due)}" if one.due is not None else ""
        of = f"{pipe:{widest}}  " if len(reports) > 1 else ""
        out.line(visible(f"  {of}{one.entity_id:{width}}  {one.detail}{due}"))
    if many > len(shown):
        where = " and ".join(_where(outcome, [one for _, one in found], run.asked))
        out.line(f"  … and {many - len(shown):,} more{where and ': '}{where}")


def _where(outcome: Outcome, receipts: Iterable[Receipt], asked: Asked) -> list[str]:
    """Which commands show them all. What became no mail is not in the outbox, and not every run keeps it."""
    kinds = {bool(one.target) for one in receipts}
    mails = [f"mailweir outbox list --state {outcome.value}"] if True in kinds else []
    return [*mails, "mailweir failed"] if False in kinds and asked.uses_up else mails


def _tell_missed(out: Out, done: Done) -> None:
    """What a server took for some of its recipients only."""
    many = sum(report.partly for report in done.reports)
    if not many:
        return
    out.line("")
    out.line("Sent, but not to everybody")
    shown = [one for report in done.reports for one in report.shown.get(Outcome.SENT, ())][:MOST_LINES]
    for one in shown:
        out.line(visible(f"  {one.entity_id}  {one.detail}"))
    more = f"… and {many - len(shown):,} more: " if many > len(shown) else ""
    out.line(f"  {more}mailweir outbox list --state sent --run {done.name}")


def _tell_discards(out: Out, run: Run) -> None:
    done = run.done
    usages = {usage.gate: usage for usage in done.usage}
    many = _discards(run)
    for gate, count in many.items():
        out.fault("")
        mails = "1 mail was" if count == 1 else f"{count:,} mails were"
        usage = usages.get(gate)
        if usage is None or usage.free:
            out.fault(f"warning: {mails} DISCARDED. {gate} had no place for that many in its hour.")
            continue
        out.fault(f"warning: {mails} DISCARDED. {gate} reached max_per_hour {usage.limit:,}.")
        if usage.free_at is not None and usage.all_free_at is not None:
            out.fault(
                f"  A place is free at {_clock(usage.free_at)}; all {usage.limit:,} are free at"
                f" {_clock(usage.all_free_at)}."
            )
    if many:
        out.fault(f"  Which ones    mailweir discarded --run {done.name}")
        out.fault(f"  Send them     mailweir discarded send --run {done.name}")


def _discards(run: Run) -> Counter[str]:
    """How many mails the limit of each gate threw away."""
    systems = {pipe.id: sink.system for pipe in run.pipes if (sink := mail_sink(pipe)) is not None}
    many: Counter[str] = Counter()
    for report in run.done.reports:
        count = report.outcomes[Outcome.DISCARDED] + report.earlier[Outcome.DISCARDED]
        if count:
            (gate,) = gates(run.systems, [systems[report.pipe]])
            many[gate] += count
    return many


def _last(run: Run) -> str:
    """All together: of mail if there is any, else of entities."""
    done = run.done
    mailing = {pipe.id for pipe in run.pipes if mail_sink(pipe) is not None}
    total: Counter[Outcome] = Counter()
    for report in done.reports:
        if report.pipe in mailing or not mailing:
            total += report.outcomes
            total += report.earlier
    always = {Outcome.SENT, Outcome.DISCARDED} if mailing else {Outcome.WRITTEN}
    said = ", ".join(f"{total[each]:,} {word(each)}" for each in _order if total[each] or each in always)
    several = len(done.usage) > 1
    windows = "".join(
        f" Window{f' of {usage.gate}' if several else ''} {usage.used:,} of {usage.limit:,}." for usage in done.usage
    )
    return f"{said}.{windows}"


def _clock(wall: float) -> str:
    return f"{datetime.fromtimestamp(wall).astimezone():%H:%M:%S}"


def exit_code(done: Done, *, fail_on_discard: bool) -> int:
    """What a run comes to, as a number."""
    if done.stopped or done.declined:
        return 130 if done.stopped else 0
    counts = [report.outcomes + report.earlier for report in done.reports]
    if done.fault or done.troubles or done.recovered.in_doubt or any(report.stopped for report in done.reports):
        return 4
    if any(each[outcome] for each in counts for outcome in _unfinished) or any(one.partly for one in done.reports):
        return 4
    discarded = any(each[Outcome.DISCARDED] for each in counts)
    return 6 if discarded and fail_on_discard else 0


def document(loaded: Loaded, run: Run, code: int) -> dict[str, Any]:
    """The run for programs."""
    done = run.done
    goes = destinations(loaded, run)
    modes = {one.mode for one in goes.values()}
    return {
        "schema_version": 1,
        "command": "run",
        "ok": code == 0,
        "exit_code": code,
        "run": done.name,
        "profile": loaded.profile,
        "delivery": {
            "mode": "real" if "real" in modes else "local" if "local" in modes else "folder",
            "systems": [*goes],
        },
        "pipes": [_pipe(report) for report in done.reports],
        "window": [
            {
                "system": usage.gate,
                "used": usage.used,
                "limit": usage.limit,
                "next_free_at": _moment(usage.free_at),
            }
            for usage in done.usage
        ],
        "problems": [
            {
                "pipe": report.pipe,
                "entity": one.entity_id,
                "outcome": outcome.value,
                "message": one.detail,
                "next_try_at": _moment(one.due),
            }
            for report in done.reports
            for outcome in (*told_one_by_one, Outcome.SENT)
            for one in report.shown.get(outcome, ())
        ],
        "troubles": [{"system": name, "message": trouble.fault.text} for name, trouble in done.troubles.items()],
        "stopped": done.fault or None,
    }


def _pipe(report: Report) -> dict[str, Any]:
    return {
        "id": report.pipe,
        "read": report.read,
        "left_out": report.left_out,
        "filtered": report.filtered,
        "seconds": round(report.seconds, 3),
        "mail": {each.value: report.outcomes[each] for each in _order},
        "deleted": report.deleted,
        "left": report.left,
        "partly_sent": report.partly,
        "earlier": {each.value: count for each, count in report.earlier.items() if count},
        "stopped": report.stopped or None,
    }


def _moment(wall: float | None) -> str | None:
    return None if wall is None else f"{datetime.fromtimestamp(wall, UTC):%Y-%m-%dT%H:%M:%SZ}"
