"""How much of the pipes tests reach: counted, and told. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pipeline.config.glyphs import columns

if TYPE_CHECKING:
    from mailweir.testing.aims import Aim

KINDS: Final = ("rules", "templates", "outcomes")
# More is read by nobody at once.
MOST_TOLD: Final = 20


class Share(NamedTuple):
    """So many of so many."""

    reached: int
    of: int

    @property
    def percent(self) -> float:
        """Of nothing, all is reached."""
        return 100 * self.reached / self.of if self.of else 100.0

    def __str__(self) -> str:
        """`3/4   75%`; rounded down, so that 100% is all."""
        return f"{self.reached}/{self.of} {int(self.percent):4}%" if self.of else "-"


@dataclass(slots=True)
class PipeCoverage:
    """What the tests reach of a pipe. `root` is the folder of its project, from where the command runs."""

    root: str
    pipe: str
    tested: bool
    shares: dict[str, Share] = field(default_factory=dict)
    never: list[Aim] = field(default_factory=list)


@dataclass(slots=True)
class Coverage:
    """Of all pipes."""

    pipes: list[PipeCoverage] = field(default_factory=list)

    @property
    def share(self) -> Share:
        """What is reached of all that there is; of a pipe without a test, nothing."""
        shares = [share for one in self.pipes for share in one.shares.values()]
        return Share(sum(one.reached for one in shares), sum(one.of for one in shares))

    def add(self, root: str, pipe: str, aims: Mapping[str, Aim], keys: Iterable[str], *, tested: bool) -> None:
        """A pipe: what there is to reach, and what was reached."""
        reached = aims.keys() & set(keys)
        found = PipeCoverage(root, pipe, tested)
        for kind in KINDS:
            of = [key for key, aim in aims.items() if aim.kind == kind]
            found.shares[kind] = Share(sum(key in reached for key in of), len(of))
        found.never = [aim for key, aim in aims.items() if key not in reached]
        self.pipes.append(found)


def lines(coverage: Coverage, *, full: bool = False) -> Iterator[str]:
    """A table: a line for each pipe, and under it what no test reaches."""
    pipes = coverage.pipes
    names = {id(one): one.pipe if one.root == "." else f"{one.root}: {one.pipe}" for one in pipes}
    width = max([len("coverage"), *map(columns, names.values())])
    yield f"{'coverage':{width}}  {''.join(f'{kind:14}' for kind in KINDS)}".rstrip()
    for one in pipes:
        name = names[id(one)] + " " * (width - columns(names[id(one)]))
        if not one.tested:
            where = "" if one.root == "." else f" -C {quote(one.root)}"
            yield f"{name}  no test    mailweir test{where} --new {one.pipe}"
            continue
        yield f"{name}  {''.join(f'{one.shares[kind]!s:14}' for kind in KINDS)}".rstrip()
        told: Sequence[Aim] = one.never if full else one.never[:MOST_TOLD]
        yield from (f"  {aim.where}: {aim.never}" if aim.where else f"  {aim.never}" for aim in told)
        if len(told) < len(one.never):
            yield f"  … {len(one.never) - len(told)} more, `--full`"
    share = coverage.share
    yield f"{'all':{width}}  {share.reached} of {share.of}, {int(share.percent)}%"


def too_little(coverage: Coverage, least: float | None) -> str:
    """What to say where less is reached than has to be; empty where it is enough."""
    percent = coverage.share.percent
    return (
        "" if least is None or percent >= least else f"coverage is {int(percent)}%, under the {least:g}% it has to be"
    )


def document(coverage: Coverage) -> dict[str, Any]:
    """The same for machines."""
    return {
        "percent": round(coverage.share.percent, 2),
        "reached": coverage.share.reached,
        "of": coverage.share.of,
        "pipes": [
            {
                "project": one.root,
                "pipe": one.pipe,
                "tested": one.tested,
                **{kind: {"reached": share.reached, "of": share.of} for kind, share in one.shares.items()},
                "never": [{"kind": aim.kind, "where": aim.where, "message": aim.never} for aim in one.never],
            }
            for one in coverage.pipes
        ],
    }
