"""A project as a value: documents become components and every fault of all of them at once. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from pipeline.config.check import check
from pipeline.config.given import advice, note
from pipeline.config.lookup import spellings
from pipeline.config.mask import is_secret_name, secret_spans
from pipeline.config.references import Ref, scan
from pipeline.config.registry import Registry
from pipeline.config.resolve import Lookup, Resolver, Use
from pipeline.config.shape import shapes
from pipeline.config.tree import Array, Document, Node, Object, Scalar, walk
from pipeline.config.typed import Component, Typer
from pipeline.errors import Problem, Span
from pipeline.scrub import Scrubber
from pipeline.secret import Secret

# Families whose faults make it likely that a value set elsewhere only seems unused.
_unset = {"E301", "E303"}
_variable = re.compile(r"""^[ \t]*(?:export[ \t]+)?["']?([^\s=:"'#]+)["']?[ \t]*=""", re.MULTILINE)


@dataclass(slots=True)
class Project:
    """What was read: the documents by name, the components in them, and all problems, in the order of the files."""

    documents: Mapping[str, Document]
    components: Sequence[Component]
    problems: Sequence[Problem]
    uses: Sequence[Use]
    masks: Mapping[str, Sequence[tuple[int, int]]]
    scrubber: Scrubber = field(default_factory=Scrubber)

    @property
    def texts(self) -> dict[str, str]:
        """The text of every document, by name."""
        return {name: document.text for name, document in self.documents.items()}

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep the configuration from being used."""
        return [problem for problem in self.problems if problem.level == "error"]


def compile_project(
    documents: Sequence[Document],
    registry: Registry,
    lookup: Lookup,
    more: Mapping[str, Document] | None = None,
    problems: Iterable[Problem] = (),
    scrubber: Scrubber | None = None,
) -> Project:
    """Everything that the documents say, and everything that is wrong with them.

    `more` are documents that hold no components and that problems may point into (`.env`, settings); places that
    read when they are asked add to it. `scrubber` learns every secret.
    """
    found = list(problems)
    components: list[Component] = []
    broken: list[Document] = []
    lost: list[str] = []
    uses: list[Use] = []
    masks: dict[str, Sequence[tuple[int, int]]] = {}
    scrubber = scrubber or Scrubber()
    for document in documents:
        resolver = Resolver(document, lookup)
        typer = Typer(document, registry, resolver)
        components += typer.document_components()
        found += [*document.problems, *resolver.problems, *typer.problems]
        lost += typer.lost
        if document.problems or typer.stopped:
            broken.append(document)
        uses += resolver.uses
    found += [problem for place in (*lookup.env, *lookup.secrets) for problem in place.problems]
    others = list((more or {}).values())
    for document in (*documents, *others):
        spans = secret_spans(document)
        if spans:
            masks[document.name] = spans
            _register(document, spans, scrubber)
    for use in uses:
        if use.kind == "SECRET" and use.found is not None:
            value = use.found.value
            scrubber.add(value if isinstance(value, Secret) else Secret(str(value)))
    # An excerpt may cut a line within a secret that stands somewhere by accident; what is masked is never cut.
    for document in (*documents, *others):
        if places := scrubber.places(document.text):
            masks[document.name] = [*masks.get(document.name, ()), *places]
    found += check(components, broken, lost)
    found += in_the_clear(components)
    if lookup.take_env and lookup.take_secrets and not any(problem.code in _unset for problem in found):
        found += unused(documents, lookup, more or {})
    return Project(
        {document.name: document for document in (*documents, *others)},
        components,
        ordered(found),
        uses,
        masks,
        scrubber,
    )


def _register(document: Document, spans: Sequence[tuple[int, int]], scrubber: Scrubber) -> None:
    places = set(spans)
    if document.root is None:
        return
    for node in walk(document.root):
        if (node.start, node.end) in places and isinstance(node, Scalar) and isinstance(node.value, str) and node.value:
            scrubber.add(node.value)


def in_the_clear(components: Iterable[Component]) -> Iterator[Problem]:
    """W302: a secret that stands in the file as it is."""
    for component in (part for top in components for part in top.walk()):
        given = component.given
        for name, path, node in _literal_secrets(component.model, given.node, given.path):
            secret = name.replace("_", "-")
            what = "password" if "password" in name else "secret"
            yield Problem(
                "W302",
                f"a {what} is written in the config file",
                given.document.span(node),
                "shown here as ******** only",
                path,
                notes=(
                    advice(
                        f'move it to a secret and write "$SECRET({secret})"; `mailweir secret set {secret}`'
                        " stores it (input is hidden)"
                    ),
                ),
            )


def _literal_secrets(
    model: type[BaseModel], node: Object, path: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...], Node]]:
    for name, member in node.members.items():
        shape = shapes(model).get(name)
        if shape is None or shape.slot:
            continue
        value = member.value
        if isinstance(value, Scalar) and shape.takes_secret and is_secret_name(name):
            if (
                isinstance(value.value, str)
                and value.value
                and not any(isinstance(p, Ref) for p in scan(value.value)[0])
            ):
                yield name, (*path, name), value
        elif shape.model:
            for inner in value.items if isinstance(value, Array) else [value]:
                if isinstance(inner, Object):
                    yield from _literal_secrets(shape.model, inner, (*path, name))


def unused(configs: Sequence[Document], lookup: Lookup, documents: Mapping[str, Document]) -> Iterator[Problem]:
    """W309: values in the project's own files that nothing names, in whatever profile."""
    refs = (ref for config in configs if config.root for ref in _references(config.root))
    taken = {(ref.kind, spelling) for ref in refs for spelling in spellings(ref.name)}
    for kind, what, places in (("ENV", "variable", lookup.env), ("SECRET", "secret", lookup.secrets)):
        for place in places:
            document = documents.get(place.file) if place.file else None
            spare = [name for name in place.names if (kind, name) not in taken]
            if document is None or not spare:
                continue
            starts = _names_in(document)
            for name in spare:
                start = starts.get(name, 0)
                yield Problem(
                    "W309",
                    f"{what} `{name}` is set but never used",
                    Span(document.name, start, min(len(document.text), start + len(name))),
                    notes=(
                        note(f"no configuration in this project has `${kind}({name})`"),
                        advice("remove it, or use it"),
                    ),
                )


def _references(root: Node) -> Iterator[Ref]:
    for node in walk(root):
        if isinstance(node, Scalar) and isinstance(node.value, str) and "$" in node.value:
            yield from (piece for piece in scan(node.value)[0] if isinstance(piece, Ref))


def _names_in(document: Document) -> dict[str, int]:
    """Where each name stands: a property of an object, or the start of a line of `.env`."""
    if isinstance(document.root, Object):
        return {name: member.key.start + 1 for name, member in document.root.members.items()}
    return {match[1]: match.start(1) for match in _variable.finditer(document.text)}


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
