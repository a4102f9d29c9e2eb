"""The systems of a project, built and opened."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pipeline.state.sqlite.dataset_look import SqliteReads

if TYPE_CHECKING:
    from pipeline.component import System
    from pipeline.config.load import Loaded
    from pipeline.pipe import MetadataConfig, PipeConfig
    from systems.disk import FolderError

S = TypeVar("S")
C = TypeVar("C")


def health_of(system: str) -> str:
    """What the notes of the state begin with that tell what was learnt of a system's servers."""
    return f"health/{system}/"


class NoSystemError(ValueError):
    """There is no such system, or it cannot be used as it is declared."""


class Systems:
    """Builds what is asked for and what that names; entered, all of it is open. It is the `Context` of systems."""

    pipe = ""

    def __init__(self, loaded: Loaded, talk: Callable[[str], None] | None = None, *, state: Path | None = None) -> None:
        """Nothing is built yet. `talk` gets the lines of what is said to mail servers; `state` is another folder."""
        self._talk = talk
        self.root = str(loaded.root)
        self.state = str(state or loaded.root / ".mailweir")
        self.datasets = SqliteReads(Path(self.state))
        self.scrubbed = loaded.project.scrubber.scrub
        self._components = loaded.project.components
        self._configs = {one.id: one.config for one in loaded.project.components if one.kind == "system"}
        self._built: dict[str, System] = {}
        self._building: list[str] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open what was built, what is named by others first."""
        async with AsyncExitStack() as stack:
            for system in self._built.values():
                await stack.enter_async_context(system)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close it in the other order."""
        await self._stack.aclose()

    def system(self, id: str, port: type[S]) -> S:
        """The built system with this `_id`. That it is one of this port was checked with the configuration."""
        if id not in self._built:
            if id in self._building:
                raise NoSystemError(f"the system `{id}` stands in front of itself")
            config: Any = self.config(id, object)
            self._building.append(id)
            try:
                self._built[id] = self._build(config)
            except OSError as error:
                named = f"{error.filename}: " if error.filename else ""
                raise NoSystemError(f"the system `{id}` cannot be used: {named}{error.strerror or error}") from None
            finally:
                self._building.pop()
        return self._built[id]  # type: ignore[return-value]

    def _build(self, config: Any) -> System:  # noqa: ANN401 - each config has a `build`
        from systems.smtp.build import build
        from systems.smtp.config import SmtpConfig

        if self._talk is not None and isinstance(config, SmtpConfig):
            return build(config, self.root, self._talk)
        built: System = config.build(self)
        return built

    def config(self, id: str, base: type[C]) -> C:
        """What is declared of it."""
        from pipeline.config.near import near

        config = self._configs.get(id)
        if id not in self._configs:
            close = near(id, list(self._configs), most=3)
            meant = f". Did you mean {' or '.join(repr(one) for one in close)}?" if close else ""
            raise NoSystemError(f"no system '{id}' in {self.root}{meant}")
        if not isinstance(config, base):
            raise NoSystemError(f"the system `{id}` has errors: see `mailweir check`")
        return config

    def configs(self, base: type[C]) -> Sequence[C]:
        """What is declared of all systems of a kind."""
        return [config for config in self._configs.values() if isinstance(config, base)]

    def namespaces(self, pipe: str) -> tuple[str, str] | None:
        """The namespaces of identities and of properties in a pipe; None if its names have none."""
        from pipeline.pipe import namespaces_of

        config = self.pipe_of(pipe)
        return None if config is None else namespaces_of(config, self.metadata)

    def source(self, pipe: str) -> str | None:
        """The dataset that a pipe reads; None if its source is another one."""
        from pipeline.pipe import dataset_of

        config = self.pipe_of(pipe)
        return None if config is None else dataset_of(config)

    def pipe_of(self, id: str) -> PipeConfig | None:
        """The pipe with this `_id`."""
        from pipeline.pipe import PipeConfig

        configs = [one.config for one in self._components]
        return next((one for one in configs if isinstance(one, PipeConfig) and one.id == id), None)

    @property
    def metadata(self) -> MetadataConfig | None:
        """What is declared for the whole project."""
        from pipeline.pipe import MetadataConfig

        return next((one.config for one in self._components if isinstance(one.config, MetadataConfig)), None)

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return time.time_ns()


def of_its_folder(id: str, error: FolderError) -> NoSystemError:
    """What opening a system says of a folder that it does not trust or cannot use."""
    advice = f" ({error.advice})" if error.advice else ""
    return NoSystemError(f"the system `{id}` cannot be used: {error.path}: {error.why}{advice}")


def of_folder(folder: Path, talk: Callable[[str], None] | None = None) -> Systems:
    """Those of the project around a folder."""
    from pipeline.config.load import Options, load, project_root

    return Systems(load(project_root(folder), Options(here=folder)), talk)
