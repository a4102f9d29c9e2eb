"""Values that nothing names. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.config.given import advice, note
from pipeline.config.lookup import Place, spellings
from pipeline.config.references import Ref, RefKind, scan
from pipeline.config.tree import Document, Scalar, walk
from pipeline.errors import Problem, Span


def unused(configs: Iterable[Document], kind: RefKind, places: Iterable[Place]) -> Iterator[Problem]:
    """W309: values in the project's own files that no configuration names, in whatever profile."""
    taken = {spelling for config in configs for ref in references_in(config) for spelling in _named(ref, kind)}
    what = "variable" if kind == "ENV" else "secret"
    for place in places:
        if place.file is None:
            continue
        for name in place.names:
            if name not in taken:
                fact = note(f"no configuration in this project has `${kind}({name})`")
                message = f"{what} `{name}` is set but never used"
                span = place.at.get(name, Span(place.file, 0, 0))
                yield Problem("W309", message, span, notes=(fact, advice("remove it, or use it")))


def references_in(document: Document) -> Iterator[Ref]:
    """Every reference in a document, also where a condition does not choose it."""
    for node in walk(document.root) if document.root else ():
        if isinstance(node, Scalar) and isinstance(node.value, str) and "$" in node.value:
            yield from (piece for piece in scan(node.value)[0] if isinstance(piece, Ref))


def _named(ref: Ref, kind: RefKind) -> Iterable[str]:
    return spellings(ref.name) if ref.kind == kind else ()
