"""`mailweir explain`: the manual, from the same facts that the check works with. Loads no project, never connects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from mailweir.cli.group import meant
from mailweir.cli.loading import registry_here
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from mailweir.topics import Topic
    from pipeline.config.registry import Registry


@click.command(
    "explain",
    epilog="""\b
Examples:
  mailweir explain E201                        what a fault means, with a wrong and a right file
  mailweir explain system:smtp                 a type and its properties
  mailweir explain system:smtp.max_per_hour    one property
  mailweir explain dtl.concat                  a function of rules, with examples
  mailweir explain sink                        the types of sinks
  mailweir explain discarded                   a word of the summaries
  mailweir explain '$SECRET'                   where secrets are looked for""",
)
@click.argument("words", nargs=-1, metavar="[CODE | TYPE | TYPE.PROPERTY | dtl.FUNCTION | WORD]")
@common
def explain_command(values: Common, words: Sequence[str]) -> int:
    """Explain a code, a type, a property, a function of rules or a word. Needs no network and no project."""
    found = _found(" ".join(words), registry_here(values.here))
    out = values.out
    if values.json:
        topics = [_facts(topic) for topic in found]
        out.document({"schema_version": 1, "command": "explain", "ok": True, "exit_code": 0, "topics": topics})
        return 0
    from mailweir.cli.explained import lines

    bold = out.colors(out.stdout)
    for line in lines(found, out.width(out.stdout), lambda text: f"\x1b[1m{text}\x1b[0m" if bold else text):
        out.line(line)
    return 0


def _found(asked: str, registry: Registry) -> Sequence[Topic]:
    from mailweir.topics import UnknownTopicError, topics

    try:
        return topics(asked, registry)
    except UnknownTopicError as error:
        close = meant(error.name, error.known)
        raise click.UsageError(f"{error}.{close}" if close else str(error)) from None


def _facts(topic: Topic) -> dict[str, Any]:
    """An answer as JSON; `topic` says of what sort it is."""
    from dataclasses import asdict

    from mailweir.codes import CodePage
    from mailweir.dtl_manual import FunctionManual
    from mailweir.manual import TypeManual
    from mailweir.topics import KindTopic, Overview, PropertyTopic

    match topic:
        case CodePage():
            return {"topic": "code", "level": topic.level, **asdict(topic)}
        case TypeManual():
            return {"topic": "type", **asdict(topic)}
        case KindTopic():
            types = [{"type": one.type, "summary": one.summary} for one in topic.types]
            return {"topic": "kind", "kind": topic.kind, "types": types}
        case FunctionManual():
            return {"topic": "function", **asdict(topic)}
        case PropertyTopic():
            owner = {"kind": topic.owner.kind, "type": topic.owner.type}
            return {"topic": "property", **owner, "path": topic.path, **asdict(topic.property)}
        case Overview():
            return {"topic": "overview", **asdict(topic)}
    return {"topic": "word", "word": topic.name, "text": topic.text}
