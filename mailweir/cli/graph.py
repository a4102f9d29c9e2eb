"""`mailweir graph`: a picture of what flows from where to where. Never connects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mailweir.cli.group import meant
from mailweir.cli.lines import can_show
from mailweir.cli.loading import counted, errors, load_here
from mailweir.cli.options import Common, common
from mailweir.cli.out import Out

if TYPE_CHECKING:
    from mailweir.flow_graph.model import Graph
    from pipeline.config.load import Loaded
    from pipeline.errors import Problem

formats = ("text", "mermaid", "dot", "json", "svg")


@click.command(
    "graph",
    epilog="""\b
Examples:
  mailweir graph                          the whole project, as text
  mailweir graph welcome-mail             only what flows into this pipe and out of it
  mailweir graph --format mermaid         for a Markdown page on GitHub
  mailweir graph --format svg > flow.svg  a drawing that stands alone
  mailweir graph --format dot | dot -Tpdf > flow.pdf""",
)
@click.argument("pipe", required=False)
@click.option("--format", "style", type=click.Choice(formats), help="Default: text.")
@click.option("--partial", is_flag=True, help="Draw what loads, although the configuration has errors.")
@common
def graph_command(values: Common, pipe: str | None, *, style: str | None, partial: bool) -> int:
    """Draw what flows: sources, pipes, datasets, joins, and the systems that mail goes to with their limits.

    Needs no secrets. A variable that is not set is shown as its `$ENV()`.
    """
    from mailweir.flow_graph.build import build, pipe_key
    from mailweir.flow_graph.model import around

    if values.json and style not in {None, "json"}:
        raise click.UsageError(f"`--json` and `--format {style}` are two formats: ask for one")
    loaded = load_here(values)
    out, style = values.out, "json" if values.json else style or "text"
    faults = [problem for problem in errors(loaded) if not _only_unset(problem)]
    if faults and not partial:
        count = counted(len(faults), "error")
        out.fault(f"error: the config has {count}, so the picture would be wrong. See: mailweir check")
        out.fault("  help: `--partial` draws what loads")
        if style == "json":
            out.document(_refusal(loaded, faults))
        return 3
    if faults:
        out.say(f"the config has {counted(len(faults), 'error')}; this is what loads. See: mailweir check")
    graph = build(loaded.project.components)
    if pipe is not None:
        _known(loaded, pipe)
        graph = around(graph, pipe_key(pipe))
    _write(graph, style, out)
    return 0


def _refusal(loaded: Loaded, faults: Sequence[Problem]) -> dict[str, object]:
    """The faults as `mailweir check` tells them to programs."""
    from pipeline.config.formats import as_json

    project = loaded.project
    told = as_json(faults, project.texts, masks=project.masks, scrubber=project.scrubber)
    head = {"schema_version": 1, "command": "graph", "ok": False, "exit_code": 3, "errors": len(faults)}
    return head | {"diagnostics": told["diagnostics"]}


def _only_unset(problem: Problem) -> bool:
    """Whether the fault is a value that is not set, where the picture can show the reference instead of it."""
    return problem.code == "E301" and not {"type", "_id", "$conditional_properties"} & {*problem.path}


def _known(loaded: Loaded, pipe: str) -> None:
    pipes = [component.id for component in loaded.project.components if component.kind == "pipe" and component.id]
    if pipe not in pipes:
        raise click.UsageError(f"no pipe '{pipe}'.{meant(pipe, pipes)}")


def _write(graph: Graph, style: str, out: Out) -> None:
    from mailweir.flow_graph import document, dot, mermaid, svg, text

    match style:
        case "json":
            head = {"schema_version": 1, "command": "graph", "ok": True, "exit_code": 0}
            out.document(head | document.document(graph))
        case "mermaid":
            out.line(mermaid.draw(graph))
        case "dot":
            out.line(dot.draw(graph))
        case "svg":
            out.line(svg.draw(graph))
        case _ if graph.vertices:
            out.line(text.draw(graph, lambda signs: can_show(out.stdout, signs)))
        case _:
            out.say("nothing flows here: no pipes and no systems")
