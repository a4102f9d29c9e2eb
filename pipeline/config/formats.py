"""Problems for programs: JSON, annotations on a pull request, JUnit, SARIF. No I/O.

Every format is a function of the same arguments: problems, texts, masks, the scrubber that all passes on its way out,
and the files that were checked. A place that touches a masked value tells no length of it, and a repair that would
tell the value is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from pipeline.config.excerpt import NO_MASKS, Masks, Sources
from pipeline.config.glyphs import UNKNOWN, visible
from pipeline.config.show import block, ordered
from pipeline.errors import Edit, Label, Problem, Span
from pipeline.scrub import Scrubber

Json = dict[str, object]

SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_FAMILIES: Final = {
    "1": "JSON",
    "2": "Shape of a component",
    "3": "References and secrets",
    "4": "Templates",
    "5": "Mail",
    "6": "Flow between pipes",
    "7": "Tests",
}
_BLANK_LINE: Final = "\n\n"
_breaks = re.compile("([\r\n])")
_surrogates = re.compile("[\ud800-\udfff]")
_not_xml = re.compile("[^\t\n\r -~\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# `xml.sax.saxutils` does the same and loads `socket` and `ssl` for it.
_in_xml = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_in_attribute = _in_xml | {ord('"'): "&quot;", ord("\n"): "&#10;", ord("\t"): "&#9;"}
_in_message = {ord("%"): "%25", ord("\r"): "%0D", ord("\n"): "%0A"}
_in_property = _in_message | {ord(":"): "%3A", ord(","): "%2C"}


def as_json(
    problems: Sequence[Problem],
    texts: Mapping[str, str],
    *,
    masks: Masks = NO_MASKS,
    scrubber: Scrubber | None = None,
    files: Sequence[str] = (),
    ok: bool | None = None,
) -> Json:
    """One document. Without `ok` it is right as long as there are no errors."""
    del files
    sources = Sources(texts, masks, scrubber)
    return {
        "schema_version": 1,
        "ok": all(problem.level == "warning" for problem in problems) if ok is None else ok,
        "diagnostics": [_diagnostic(problem, sources) for problem in ordered(problems)],
    }


def github(
    problems: Sequence[Problem],
    texts: Mapping[str, str],
    *,
    masks: Masks = NO_MASKS,
    scrubber: Scrubber | None = None,
    files: Sequence[str] = (),
) -> str:
    """One workflow command a problem, which becomes an annotation. No line break at the end."""
    del files
    sources = Sources(texts, masks, scrubber)
    return "\n".join(_annotation(problem, sources) for problem in ordered(problems))


def junit(
    problems: Sequence[Problem],
    texts: Mapping[str, str],
    *,
    masks: Masks = NO_MASKS,
    scrubber: Scrubber | None = None,
    files: Sequence[str] = (),
) -> str:
    """An XML report: a test case a file that was checked or has a problem, a failure an error."""
    sources = Sources(texts, masks, scrubber)
    by_file: dict[str, list[Problem]] = {file: [] for file in sorted(files)}
    for problem in ordered(problems):
        by_file.setdefault(problem.span.file, []).append(problem)
    failed = sum(any(p.level == "error" for p in found) for found in by_file.values())
    counts = f'name="mailweir check" tests="{len(by_file)}" failures="{failed}" errors="0" skipped="0"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {counts}>", f"<testsuite {counts}>"]
    for file, found in sorted(by_file.items()):
        lines.append(f'<testcase classname="mailweir.check" name={_attribute(file)} time="0">')
        for problem in found:
            if problem.level == "error":
                head = _attribute(f"{problem.code} {problem.told}")
                body = _xml(block(problem, sources))
                lines.append(f'<failure message={head} type="{problem.code}">{body}</failure>')
        warnings = [block(problem, sources) for problem in found if problem.level == "warning"]
        if warnings:
            lines.append(f"<system-out>{_xml(_BLANK_LINE.join(warnings))}</system-out>")
        lines.append("</testcase>")
    return "\n".join([*lines, "</testsuite>", "</testsuites>"])


def sarif(
    problems: Sequence[Problem],
    texts: Mapping[str, str],
    *,
    masks: Masks = NO_MASKS,
    scrubber: Scrubber | None = None,
    files: Sequence[str] = (),
    version: str,
) -> Json:
    """A SARIF 2.1.0 log with one run; `version` is that of Mailweir."""
    sources = Sources(texts, masks, scrubber)
    wanted = ordered(problems)
    levels = {problem.code: problem.level for problem in sorted(wanted, key=lambda problem: problem.code)}
    index = {code: number for number, code in enumerate(levels)}
    rules = [_rule(code, level) for code, level in levels.items()]
    artifacts = [{"location": _artifact(file)} for file in sorted({*files, *(p.span.file for p in wanted)})]
    run: Json = {
        "tool": {"driver": {"name": "mailweir", "version": version, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "artifacts": artifacts,
        "results": [_result(problem, index[problem.code], sources) for problem in wanted],
    }
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _diagnostic(problem: Problem, sources: Sources) -> Json:
    related = [
        {"file": _sound(label.span.file), **_region(label.span, sources), "text": _sound(label.text)}
        for label in (*problem.also, *problem.related)
    ]
    return {
        "code": problem.code,
        "level": problem.level,
        "message": _sound(problem.told),
        "file": _sound(problem.span.file),
        **_region(problem.span, sources),
        "path": _sound(" → ".join(problem.path)),
        "notes": [{"kind": note.kind, "text": _sound(note.text)} for note in problem.notes],
        **({"related": related} if related else {}),
        "fix": [_edit(edit, problem, sources) for edit in _edits(problem, sources)],
    }


def _edit(edit: Edit, problem: Problem, sources: Sources) -> Json:
    line, column, end_line, end_column = _exactly(edit.span, sources)
    return {
        **({} if edit.span.file == problem.span.file else {"file": _sound(edit.span.file)}),
        "start": {"line": line, "column": column},
        "end": {"line": end_line, "column": end_column},
        "text": _sound(edit.text),
    }


def _annotation(problem: Problem, sources: Sources) -> str:
    line, column, end_line, end_column = sources[problem.span.file].region(problem.span.start, problem.span.end)
    properties: dict[str, object] = {"file": _inert(problem.span.file), "line": line}
    if line == end_line:
        properties |= {"col": column, "endLine": end_line, "endColumn": end_column}
    else:
        # Columns are refused when there is more than one line.
        properties |= {"endLine": end_line}
    properties["title"] = problem.code
    listed = ",".join(f"{name}={str(value).translate(_in_property)}" for name, value in properties.items())
    return f"::{problem.level} {listed}::{_inert(_told(problem)).translate(_in_message)}"


def _inert(text: str) -> str:
    """The text without what a terminal acts on, for a log is read in one; line breaks have rules of their own."""
    return "".join(part if part in "\r\n" else visible(part) for part in _breaks.split(text))


def _rule(code: str, level: str) -> Json:
    return {
        "id": code,
        "shortDescription": {"text": _FAMILIES.get(code[1:2], "Configuration")},
        "help": {"text": f"`mailweir explain {code}` shows a wrong and a right example"},
        "defaultConfiguration": {"level": level},
    }


def _result(problem: Problem, rule: int, sources: Sources) -> Json:
    path = _sound(" → ".join(problem.path))
    location = _location(problem.span, sources)
    if path:
        location["logicalLocations"] = [{"fullyQualifiedName": path}]
    result: Json = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.level,
        "message": {"text": _told(problem)},
        "locations": [location],
    }
    labels: tuple[Label, ...] = (*problem.also, *problem.related)
    if labels:
        result["relatedLocations"] = [
            {
                "id": number,
                **_location(label.span, sources),
                **({"message": {"text": _sound(label.text)}} if label.text else {}),
            }
            for number, label in enumerate(labels, 1)
        ]
    changes: dict[str, list[Json]] = {}
    for edit in _edits(problem, sources):
        region = _sarif_region(_exactly(edit.span, sources))
        replacement: Json = {"deletedRegion": region, "insertedContent": {"text": _sound(edit.text)}}
        changes.setdefault(edit.span.file, []).append(replacement)
    if changes:
        listed = [{"artifactLocation": _artifact(file), "replacements": made} for file, made in changes.items()]
        result["fixes"] = [{"description": {"text": "what `mailweir check --fix` writes"}, "artifactChanges": listed}]
    return result


def _location(span: Span, sources: Sources) -> Json:
    region = _sarif_region(sources[span.file].region(span.start, span.end))
    return {"physicalLocation": {"artifactLocation": _artifact(span.file), "region": region}}


def _artifact(file: str) -> Json:
    return {"uri": quote(file.replace("\\", "/"), safe="/", errors="replace")}


def _sarif_region(place: tuple[int, int, int, int]) -> Json:
    line, column, end_line, end_column = place
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _region(span: Span, sources: Sources) -> Json:
    line, column, end_line, end_column = sources[span.file].region(span.start, span.end)
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}


def _exactly(span: Span, sources: Sources) -> tuple[int, int, int, int]:
    """The place of an edit: a program that makes it needs the true one."""
    source = sources[span.file]
    start, end = source.inside(span.start, span.end)
    return *source.lines.place(start), *source.lines.place(end)


def _edits(problem: Problem, sources: Sources) -> Sequence[Edit]:
    """The repair, or nothing when a part of it cannot be told: half a repair would do harm."""
    return () if any(sources[edit.span.file].hides(edit) for edit in problem.fix) else problem.fix


def _told(problem: Problem) -> str:
    """The message and the notes, each on its line."""
    return _sound("\n".join([problem.told, *(f"{note.kind}: {note.text}" for note in problem.notes)]))


def _sound(text: str) -> str:
    """The text without halves of characters, which no encoding has."""
    return _surrogates.sub(UNKNOWN, text)


def _xml(text: str) -> str:
    return _not_xml.sub(UNKNOWN, text).translate(_in_xml)


def _attribute(text: str) -> str:
    return f'"{_not_xml.sub(UNKNOWN, text).translate(_in_attribute)}"'
