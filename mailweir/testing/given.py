"""The entities that a test has: those that it gives itself, then those of the project's folder of test data."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mailweir.testing.moments import GivenError, Moment, is_script, moments
from pipeline.config.near import near
from pipeline.entity import typed
from sources.json_file import JsonStream

if TYPE_CHECKING:
    from mailweir.testing.plan import Test

TESTDATA: Final = "testdata"
"""The folder of a project with entities for its pipes and datasets, `<name>.json`."""
PIPE: Final = "pipe:"
"""Before the name of a pipe whose source is given entities; without it a dataset of that name is given."""


class Given:
    """What there is in one test, by the name of a dataset or pipe. `GivenError` for what cannot be read."""

    def __init__(self, test: Test, folder: Path, root: Path) -> None:
        """The test lies in `folder`, in the project `root`."""
        self._test = test
        self._folder = folder
        self._root = root
        self._given = _by_name(test)

    def check(self, pipes: Collection[str], datasets: Collection[str]) -> None:
        """What is given is for something that there is."""
        known = {*pipes, *(PIPE + pipe for pipe in pipes), *datasets}
        for name in self._given:
            if name not in known:
                close = [f": did you mean `{one}`?" for one in near(name, sorted(known))[:1]]
                raise GivenError(f"`given` has `{name}`, which is no dataset or pipe here{''.join(close)}")

    def itself(self, dataset: str) -> bool:
        """Whether the test gives a dataset as it is."""
        return dataset in self._given and dataset != self._test.pipe

    def has(self, pipe: str) -> bool:
        """Whether the source of a pipe is not read, as there are entities for it."""
        return pipe in self._given or PIPE + pipe in self._given or self._data(pipe).is_file()

    def of_pipe(self, pipe: str) -> Sequence[Moment] | None:
        """The entities for the source of a pipe."""
        return self.named(PIPE + pipe if PIPE + pipe in self._given else pipe)

    def named(self, name: str) -> Sequence[Moment] | None:
        """The entities under a name."""
        if name in self._given:
            found = self._given[name]
            items = _read(self._folder / found, found) if isinstance(found, str) else found
            items = [items] if is_script(items) else items
        else:
            path = self._data(name)
            if not path.is_file():
                return None
            items = _read(path, f"{TESTDATA}/{name}.json")
        step = self._test.step if name.removeprefix(PIPE) == self._test.pipe else 0.0
        return [Moment(at, [typed(one) for one in some]) for at, some in moments(items, self._test.now, step)]

    def _data(self, name: str) -> Path:
        return self._root / TESTDATA / f"{name}.json"


def _by_name(test: Test) -> dict[str, Any]:
    given = test.given
    if given is None:
        return {}
    if isinstance(given, dict) and not is_script(given):
        return dict(given)
    return {test.pipe: [given] if is_script(given) else given}


def _read(path: Path, name: str) -> list[Any]:
    try:
        stream = JsonStream(BytesIO(path.read_bytes()), name)
    except OSError as error:
        raise GivenError(f"{name}: {(error.strerror or str(error)).lower()}") from None
    return [one for batch, _ in stream.read(None) for one in batch]
