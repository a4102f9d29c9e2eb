"""A project as a value: documents become components and every fault of all of them at once. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.config.alternatives import Alternative, alternatives
from pipeline.config.check import check, has_fault
from pipeline.config.clear import in_the_clear
from pipeline.config.entities import entity_ids
from pipeline.config.mask import secret_spans, secrets_in_clear
from pipeline.config.origin import with_origins
from pipeline.config.registry import Registry
from pipeline.config.resolve import Lookup, Resolver, Use
from pipeline.config.settings import NO_SECRETS, NOUN
from pipeline.config.tree import Broken, Document, walk
from pipeline.config.trials import tried
from pipeline.config.typed import Component, Typer
from pipeline.config.unused import unused
from pipeline.config.validate import not_taken_up
from pipeline.errors import Problem
from pipeline.scrub import Scrubber
from pipeline.secret import Secret

# Families whose faults make it likely that a value set elsewhere only seems unused.
_unset = {"E301", "E303"}
# Faults of shape that hide what a part of a pipe reads or writes.
_hiding = {"E201", "E202", "E204", "E205", "E605"}


@dataclass(slots=True)
class Project:
    """What was read: the documents by name, the components in them, and all problems, in the order of the files."""

    documents: Mapping[str, Document]
    components: Sequence[Component]
    problems: Sequence[Problem]
    uses: Sequence[Use]
    masks: Mapping[str, Sequence[tuple[int, int]]]
    scrubber: Scrubber = field(default_factory=Scrubber)
    aside: frozenset[Problem] = frozenset()
    """Those of the problems that only alternatives have which are not chosen."""

    @property
    def texts(self) -> dict[str, str]:
        """The text of every document, by name."""
        return {name: document.text for name, document in self.documents.items()}

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep the configuration from being used."""
        return [problem for problem in self.problems if problem.level == "error" and problem not in self.aside]


def compile_project(
    documents: Sequence[Document],
    registry: Registry,
    lookup: Lookup,
    more: Mapping[str, Document] | None = None,
    problems: Iterable[Problem] = (),
    scrubber: Scrubber | None = None,
    templates: Mapping[str, Document] | None = None,
    modules: Mapping[str, Document] | None = None,
) -> Project:
    """Everything that the documents say, and everything that is wrong with them.

    `more` are documents that hold no components and that problems may point into (`.env`, settings); places that
    read when they are asked add to it. `scrubber` learns every secret. `templates` are the files of that
    folder, by the names that templates use; they are among `more` too. `modules` are Python files of the project,
    read when they are asked for.
    """
    found = list(problems)
    templates = templates or {}
    components: list[Component] = []
    others: list[Alternative] = []
    broken: list[Document] = []
    stopped = False  # there is a file that was not looked at to its end
    lost: list[str] = []
    uses: list[Use] = []
    for document in documents:
        resolver = Resolver(document, lookup)
        typer = Typer(document, registry, resolver, templates, modules)
        here = typer.document_components()
        components += here
        lost += [*typer.lost, *("" for component in here if not component.id or has_fault(component))]
        stopped = stopped or typer.stopped
        if document.problems or typer.stopped:
            broken.append(document)
        beside = [] if typer.stopped else list(alternatives(document, registry, resolver.chosen, templates, modules))
        others += beside
        shape = [*typer.problems, *(problem for other in beside for problem in other.problems)]
        found += [*not_taken_up(document.problems, shape), *resolver.problems, *typer.problems]
        uses += resolver.uses
    found += [problem for place in (*lookup.env, *lookup.secrets) for problem in place.problems]
    code = (modules or {}).values()
    by_name = {document.name: document for document in (*documents, *(more or {}).values(), *code)}
    scrubber = scrubber or Scrubber()
    # A template is no list of names and values; what looks like one in it is text for people.
    texts = {document.name for document in (*templates.values(), *code)}
    masks = _masks((document for document in by_name.values() if document.name not in texts), uses, scrubber)
    whole = not stopped and all(map(_read_whole, broken))
    found += check(components, broken, lost, others, all_read=whole and not _hide(found, components))
    every = [*components, *(other.component for other in others if other.component)]
    found += [*in_the_clear(every), *entity_ids(every)]
    # What is not read whole may bring the properties that a template misses.
    found += [problem for problem in tried(components) if whole or problem.code != "W403"]
    # Last, so that of a fault that a chosen alternative has too only the other one is left.
    found += [problem for other in others for problem in other.problems]
    known = (
        lookup.take_env
        and lookup.take_secrets
        and not any(problem.code in _unset or problem.code == "E204" for problem in found)
    )
    if known and whole:
        found += [*unused(documents, "ENV", lookup.env), *unused(documents, "SECRET", lookup.secrets)]
    aside = _aside(others, found)
    told = list(with_origins(ordered(found), uses, by_name))
    return Project(by_name, components, told, uses, masks, scrubber, aside)


def _masks(
    documents: Iterable[Document], uses: Iterable[Use], scrubber: Scrubber
) -> dict[str, Sequence[tuple[int, int]]]:
    """The places of secrets in the texts; the scrubber learns all that are known."""
    masks: dict[str, Sequence[tuple[int, int]]] = {}
    for document in documents:
        spans = secret_spans(document, NO_SECRETS if document.name.endswith(NOUN) else ())
        if spans:
            masks[document.name] = spans
            for secret in secrets_in_clear(document, spans):
                scrubber.add(secret)
    for use in uses:
        value = use.found.value if use.found else None
        if isinstance(value, Secret):
            scrubber.add(value)
        elif isinstance(value, str | int | float) and not isinstance(value, bool) and use.secret:
            scrubber.add(str(value))
    return masks


def _aside(others: Iterable[Alternative], problems: Iterable[Problem]) -> frozenset[Problem]:
    """The problems of alternatives that are not chosen here: nobody uses what is wrong there."""
    decided = [other for other in others if other.decided]
    named = {use.span for other in decided for use in other.named}
    own = [problem for other in decided for problem in other.problems]
    return frozenset([*own, *(problem for problem in problems if problem.span in named)])


def _hide(problems: Iterable[Problem], components: Iterable[Component]) -> bool:
    """Whether something is wrong with a pipe for which it may read or write other datasets than it seems to."""
    files = {component.given.document.name for component in components if component.kind == "pipe"}
    # What has a repair is read as it is meant.
    return any(not p.fix and p.code in _hiding and p.span.file in files for p in problems)


def _read_whole(document: Document) -> bool:
    """Whether no part of the text was passed over, in which a reference may stand."""
    if document.root is None:
        return False
    return not any(isinstance(node, Broken) or not getattr(node, "whole", True) for node in walk(document.root))


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """By file, then place; the same fault at the same place only once."""
    seen = set()
    unique = []
    for problem in problems:
        key = (problem.code, problem.span, problem.message)
        if key not in seen:
            seen.add(key)
            unique.append(problem)
    return sorted(unique, key=lambda problem: (problem.span.file, problem.span.start))
