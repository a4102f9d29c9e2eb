"""The outcome of a check, in every format."""

from __future__ import annotations

from mailweir import __version__
from mailweir.cli import repairing
from mailweir.cli.checking import Checked
from mailweir.cli.out import Out
from pipeline.config.formats import as_json, github, junit, sarif
from pipeline.config.show import concise, render, summary

# More than this on a terminal scrolls the first fault away.
MOST_ON_TERMINAL = 20
# A log of more is read by nobody; the concise format has them all.
MOST_IN_FULL = 500


def write(
    checked: Checked,
    style: str,
    out: Out,
    *,
    strict: bool = False,
    made: repairing.Plan | None = None,
    many: bool = False,
) -> None:
    """Print the outcome. Text for people goes to standard error, formats for programs to standard output.

    `made` are the repairs that were asked for, written or not; of the formats JSON tells them. `many` says that more
    outcomes follow: a JSON document is then one line.
    """
    problems, texts, masks, files = checked.problems, checked.texts, checked.masks, checked.files
    scrubber = checked.scrubber
    match style:
        case "json":
            code = checked.exit_code(strict=strict)
            report = as_json(problems, texts, masks=masks, scrubber=scrubber, files=files)
            head = {"schema_version": 1, "command": "check", "ok": code == 0, "exit_code": code}
            repairs = {"repairs": repairing.as_json(made), "diff": repairing.diff(made)} if made else {}
            (out.record if many else out.document)(head | repairs | _rest(report))
        case "github":
            if problems:
                out.line(github(problems, texts, masks=masks, scrubber=scrubber, files=files))
        case "junit":
            out.line(junit(problems, texts, masks=masks, scrubber=scrubber, files=files))
        case "sarif":
            out.document(sarif(problems, texts, masks=masks, scrubber=scrubber, files=files, version=__version__))
        case "concise":
            if problems:
                out.line(concise(problems, texts, masks=masks, scrubber=scrubber))
        case _:
            _full(checked, out)


def _rest(report: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in report.items() if key not in {"schema_version", "ok"}}


def _full(checked: Checked, out: Out) -> None:
    if not checked.problems:
        out.say(passed(checked))
        return
    stream = out.stderr
    text = render(
        checked.problems,
        checked.texts,
        width=out.width(stream),
        color=out.colors(stream),
        masks=checked.masks,
        scrubber=checked.scrubber,
        limit=MOST_ON_TERMINAL if stream.isatty() else MOST_IN_FULL,
    )
    out.fault(text.rstrip("\n"))
    out.fault("")
    files = {*checked.files, *(problem.span.file for problem in checked.problems)}
    out.fault(summary(checked.problems, len(files)))


def passed(checked: Checked) -> str:
    """What was checked, when nothing is wrong."""
    counts = [
        f"{count} {kind if count == 1 else kind + 's'}"
        for kind in ("system", "pipe")
        if (count := checked.counts[kind])
    ]
    files = f"{len(checked.files)} file{'' if len(checked.files) == 1 else 's'}"
    return f"All checks passed: {', '.join(counts) or 'no components'} in {files}."
