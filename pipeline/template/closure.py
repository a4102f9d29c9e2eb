"""A template with all that it calls upon: the files that it includes, extends or imports, and what those do. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from pipeline.template.check import (
    Dependency,
    Files,
    bound_names,
    check,
    dependencies,
    exported_names,
    missing_template,
    structure,
)
from pipeline.template.faults import Place, TemplateFault
from pipeline.template.limits import LIMITS
from pipeline.template.syntax import Parsed

Chain = tuple[Place, ...]


class Closure:
    """`files` come before those that call upon them; `chains` lead from each to the template itself."""

    def __init__(self, root: Parsed, parsed: Callable[[str], Parsed | TemplateFault], files: Files) -> None:
        """Follow a template through the files, and find all faults."""
        self.root = root
        self.files: dict[str, Parsed] = {}
        self.chains: dict[str, Chain] = {}
        self.faults: list[TemplateFault] = []
        self._parsed = parsed
        self._files = files
        self._open: list[tuple[str, Place]] = []
        self._follow(root)
        if not self.faults:
            self._check()

    @property
    def every(self) -> Sequence[Parsed]:
        """All of them, the template itself first."""
        return [self.root, *self.files.values()]

    def _check(self) -> None:
        bound = frozenset().union(*(bound_names(each.tree) for each in self.every))
        exports = {name: exported_names(each.tree) for name, each in self.files.items()}
        for each in self.every:
            for fault in (*structure(each), *check(each, bound, exports)):
                self.faults.append(replace(fault, chain=self.chains.get(each.name, ())))

    def _follow(self, parsed: Parsed) -> None:
        chain = tuple(place for _, place in reversed(self._open))
        for needed in dependencies(parsed):
            if isinstance(needed, TemplateFault):
                self.faults.append(replace(needed, chain=chain))
                continue
            name = next((name for name in needed.names if name in self._files.files), None)
            if name is not None:
                self._take(parsed, needed, name, chain)
            elif not needed.optional:
                self.faults.append(replace(missing_template(parsed, needed, self._files), chain=chain))

    def _take(self, parsed: Parsed, needed: Dependency, name: str, chain: Chain) -> None:
        tag = parsed.tag(needed.node.lineno)
        names = [each for each, _ in self._open]
        if name in names:
            self.faults.append(_circle(name, tag, self._open[names.index(name) + 1 :], names))
            return
        if name in self.chains:
            return
        if len(self._open) >= LIMITS.depth:
            message = f"more than {LIMITS.depth} templates call one another in a row"
            self.faults.append(TemplateFault("E410", message, tag, "here it is too much", (), chain))
            return
        self.chains[name] = (tag, *chain)
        found = self._parsed(name)
        if isinstance(found, TemplateFault):
            self.faults.append(replace(found, chain=self.chains[name]))
            return
        self._open.append((name, tag))
        self._follow(found)
        self._open.pop()
        self.files[name] = found


def _circle(name: str, tag: Place, between: Iterable[tuple[str, Place]], names: Sequence[str]) -> TemplateFault:
    chain = tuple(place for _, place in reversed(list(between)))
    way = " → ".join([*names[names.index(name) :], name])
    return TemplateFault("E411", f"templates call each other in a circle: {way}", tag, "and round again", (), chain)
