"""Which pipe writes which dataset and who reads it: datasets nobody writes, two writers, circles. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipeline.config.alternatives import Alternative
from pipeline.config.given import advice, note
from pipeline.config.named import OTHER_IS_MISSPELT, Named, is_faulty, is_file_name, is_literal, unread
from pipeline.config.near import near
from pipeline.config.shape import shapes
from pipeline.config.slip import slip
from pipeline.config.tree import Document, Scalar
from pipeline.config.typed import Component
from pipeline.errors import Edit, Label, Problem, Span

# Names times names; beyond this no near names are looked for.
MOST_PAIRS = 50_000
MOST_TOLD = 1000
# More places that explain one fault are not read.
MOST_LABELS = 20


class Flow:
    """Which pipe writes which dataset, and who reads it."""

    def __init__(
        self, components: Sequence[Component], named: Iterable[Named], others: Sequence[Alternative] = ()
    ) -> None:
        """Take the pipes among the components, what they read, and the alternatives that are not chosen."""
        self.pipes = {c.id: c for c in components if c.kind == "pipe" and c.id}
        self.reads: dict[str, list[Named]] = {}
        for use in named:
            if use.reference.refers.kind == "dataset":
                self.reads.setdefault(use.top.id, []).append(use)
        self.elsewhere = [use for other in others for use in other.named if use.reference.refers.kind == "dataset"]
        # What pipes may write: by conditions that are not decided here, and by any.
        self.undecided: dict[str, list[str]] = {}
        self.possible: set[str] = set()
        for other in others:
            if other.component and other.component.kind == "pipe":
                written, _ = datasets(other.component)
                self.possible.update(written)
                if not other.decided:
                    self.undecided.setdefault(other.component.id, []).extend(written)
        self.writers: dict[str, list[Component]] = {}
        self.unsure = False
        for pipe in self.pipes.values():
            written, sure = datasets(pipe)
            if not sure and pipe.id in self.undecided:
                continue
            self.unsure |= not sure
            for dataset in (*written, *dead_letters(pipe)):
                self.writers.setdefault(dataset, []).append(pipe)
        unsettled = (name for written in self.undecided.values() for name in written)
        self.known = dict.fromkeys([*self.writers, *unsettled])

    def problems(self, broken: Sequence[Document], lost: Sequence[str], *, all_read: bool = True) -> Iterator[Problem]:
        """Datasets nobody writes or two write, circles, and pipes nobody reads.

        `broken` are documents of which parts could not be read, `lost` components of which nothing is known. Without
        `all_read` a pipe may read more than is known.
        """
        unsure = self.unsure or bool(lost) or any(not getattr(document.root, "whole", False) for document in broken)
        torn = unread(broken, lost)
        missing = [] if unsure else [use for use in self._missing() if use.reference.name not in torn]
        # Looking for near names takes a while for each pair.
        known = self.known if len(missing) * len(self.known) <= MOST_PAIRS else {}
        often = Counter(use.reference.name for use in missing)
        told = [use for use in missing if not is_faulty(use)]
        for use in told[:MOST_TOLD]:
            yield self._unwritten(use, known, often)
        for dataset, pipes in self.writers.items():
            if len(pipes) > 1 and len({pipe.id for pipe in pipes}) > 1:
                yield _two_writers(dataset, pipes)
        yield from self._circles()
        if all_read and not unsure:
            # What a wrong name meant is read, only not under its name; it may be any when it is like none.
            meant = [near(use.reference.name, known) for use in missing]
            if all(meant):
                yield from self._unread({name for names in meant for name in names})

    def _missing(self) -> Iterator[Named]:
        """Reads of datasets that nobody writes. The engine itself writes those whose names begin with `system:`."""
        for use in (use for uses in self.reads.values() for use in uses):
            if use.reference.name not in self.known and not use.reference.name.startswith("system:"):
                yield use
        for use in self.elsewhere:
            name = use.reference.name
            if name not in self.known and name not in self.possible and not name.startswith("system:"):
                yield use

    def _unwritten(self, use: Named, known: Iterable[str], often: Counter[str]) -> Problem:
        name = use.reference.name
        pipe = self.pipes.get(name)
        if pipe is not None:
            return Problem(
                "E602",
                f"nobody writes the dataset `{name}`",
                use.span,
                "read here",
                use.path,
                related=(Label(pipe.given.value("_id"), "this pipe writes elsewhere"),),
                notes=(advice(f"read what `{name}` reads, or let a pipe of its own write the dataset"),),
            )
        meant = slip(name, known)
        close = [meant] if meant else near(name, known)
        notes = []
        fix: tuple[Edit, ...] = ()
        if close:
            notes.append(advice(f'did you mean "{close[0]}"?'))
            writers = self.writers.get(close[0], ())
            agrees = any(is_file_name(name, pipe.given.document.name) for pipe in writers)
            if agrees:
                notes.append(OTHER_IS_MISSPELT)
            # Where several names agree, the name of the pipe may as well be the one that is misspelt.
            certain = meant and often[name] == 1 and not agrees and is_literal(use, name)
            fix = (Edit(use.span, f'"{close[0]}"'),) if certain else ()
        notes.append(note(f"datasets in this project: {_some(list(self.writers))}"))
        if (count := often.total()) > MOST_TOLD:
            notes.append(note(f"{count} datasets that are read are not written; the first {MOST_TOLD} are told"))
        message = f"no pipe or dataset has the name `{name}`"
        return Problem("E305", message, use.span, "not found", use.path, notes=tuple(notes), fix=fix)

    def edges(self) -> dict[str, list[tuple[str, Named]]]:
        """Reader → (writer, where it is read), in the order of the files."""
        return {
            reader: [(writer.id, use) for use in uses for writer in self.writers.get(use.reference.name, ())]
            for reader, uses in self.reads.items()
        }

    def _circles(self) -> Iterator[Problem]:
        edges = self.edges()
        for circle in circles({reader: [w for w, _ in found] for reader, found in edges.items()}):
            pipes = [self.pipes[name] for name in circle]
            if any(pipe.given.get("allow_cycle") is True for pipe in pipes):
                continue
            uses = []
            for reader, writer in zip(circle, [*circle[1:], circle[0]], strict=True):
                uses.append(next(use for name, use in edges[reader] if name == writer))
            labels = [
                Label(use.span, f"{reader} reads `{use.reference.name}`")
                for reader, use in zip(circle, uses, strict=True)
            ]
            flow = _way([*reversed(circle), circle[-1]])
            count = f"{len(circle)} pipes feed each other in a circle" if len(circle) > 1 else "a pipe feeds itself"
            yield Problem(
                "E601",
                count,
                labels[0].span,
                labels[0].text,
                uses[0].path,
                related=tuple(labels[1:MOST_LABELS]),
                notes=(
                    note(f"data flows {flow} …"),
                    advice("read one of them from another source, or write the result to a dataset of its own"),
                    advice(
                        "if the loop is meant (it ends because nothing changes any more), set"
                        ' `"allow_cycle": true` on one of the pipes'
                    ),
                ),
            )

    def _unread(self, meant: set[str]) -> Iterator[Problem]:
        uses = (use for uses in (*self.reads.values(), self.elsewhere) for use in uses)
        read = {use.reference.name for use in uses} | meant
        if not read:
            return
        for dataset, pipes in self.writers.items():
            for pipe in pipes:
                # Dead letters are for people.
                if dataset not in read and pipe.given.node.whole and dataset not in dead_letters(pipe):
                    yield Problem(
                        "W604",
                        f"nobody reads the dataset `{dataset}`",
                        pipe.given.value("_id"),
                        "written by this pipe",
                        (pipe.id,),
                        notes=(advice("give the pipe a sink, or let another pipe read it"),),
                    )


def datasets(pipe: Component) -> tuple[list[str], bool]:
    """The datasets that a pipe writes, and whether that is certain."""
    sinks = [child for name, child in pipe.children if name == "sink"]
    if not sinks:
        declared = pipe.given.written("sink") and pipe.given.node.members["sink"].value
        return [pipe.id], not declared or (isinstance(declared, Scalar) and declared.value is None)
    found = []
    sure = True
    for sink in (part for child in sinks for part in child.walk()):
        for shape in shapes(sink.model).values():
            if shape.writes:
                value = sink.given.get(shape.written, pipe.id)
                if isinstance(value, str):
                    found.append(str(value))
                else:
                    sure = False
    return found, sure


def dead_letters(pipe: Component) -> list[str]:
    """The datasets that take what fails in a pipe, where they are named."""
    return [name for pump in pipe.given.parts("pump") if (name := pump.text("dead_letter_dataset"))]


def _two_writers(dataset: str, pipes: Sequence[Component]) -> Problem:
    def place(pipe: Component) -> Span:
        for name, child in pipe.children:
            if name == "sink" and child.given.written("dataset"):
                return child.given.value("dataset")
        return pipe.given.value("_id")

    return Problem(
        "E603",
        f"{len(pipes)} pipes write the dataset `{dataset}`",
        place(pipes[1]),
        f"{pipes[1].id} writes it",
        (pipes[1].id,),
        related=tuple(Label(place(p), f"{p.id} writes it") for p in (pipes[0], *pipes[2:MOST_LABELS])),
        notes=(
            note("each run of one pipe would delete what the other wrote"),
            advice("write two datasets, and read both with `union_datasets`"),
        ),
    )


def circles(edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """One shortest circle through the first node of every strongly connected part. Iterative (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on: set[str] = set()
    parts: list[set[str]] = []
    for root in edges:
        if root in index:
            continue
        work: list[tuple[str, Iterator[str]]] = [(root, iter(edges.get(root, ())))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on.add(root)
        while work:
            node, successors = work[-1]
            for successor in successors:
                if successor not in index:
                    index[successor] = low[successor] = len(index)
                    stack.append(successor)
                    on.add(successor)
                    work.append((successor, iter(edges.get(successor, ()))))
                    break
                if successor in on:
                    low[node] = min(low[node], index[successor])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part = set()
                    while True:
                        member = stack.pop()
                        on.discard(member)
                        part.add(member)
                        if member == node:
                            break
                    if len(part) > 1 or node in edges.get(node, ()):
                        parts.append(part)
    order = {node: index for index, node in enumerate(edges)}
    return [_shortest(min(part, key=order.__getitem__), part, edges) for part in parts]


def _shortest(start: str, part: set[str], edges: Mapping[str, Sequence[str]]) -> list[str]:
    """The shortest way from a node back to itself."""
    before: dict[str, str] = {}
    level = [start]
    while level:
        following = []
        for node in level:
            for successor in edges.get(node, ()):
                if successor == start:
                    way = [node]
                    while way[-1] != start:
                        way.append(before[way[-1]])
                    return way[::-1]
                if successor in part and successor not in before:
                    before[successor] = node
                    following.append(successor)
        level = following
    return [start]


def _some(names: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(names[:most]) or "none"
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _way(names: Sequence[str]) -> str:
    """The names with arrows between them, without the middle of a long way."""
    half = MOST_LABELS // 2
    shown = names if len(names) <= MOST_LABELS else [*names[:half], f"… {len(names) - 2 * half} more …", *names[-half:]]
    return " → ".join(shown)
