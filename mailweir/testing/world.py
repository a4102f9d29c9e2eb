"""The world of a test: systems that answer as the test says, a clock that it turns, and identifiers that count."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import UUID

from mailweir.flows import PipeContext
from mailweir.systems_of import NoSystemError, Systems
from mailweir.testing.services import MockedLine
from pipeline.clock import VirtualClock
from pipeline.entity import SECOND
from pipeline.pipe import namespaces_of
from systems.http.client import Http
from systems.http.config import HttpSystemConfig
from systems.mail import Answer, Answered, CarrierConfig, Message, Phase, Status, Trouble

if TYPE_CHECKING:
    from mailweir.testing.plan import Test
    from pipeline.component import Running, System
    from pipeline.config.load import Loaded
    from pipeline.entity import Entity
    from pipeline.pipe import PipeConfig

# A UUID of version 4 has these bits, whatever it counts.
_UUID: Final = 0x4000_8000_0000_0000_0000
_GROUP: Final = 100


@dataclass(slots=True)
class Time:
    """The time of a test, which moves when it is told."""

    now: int
    clock: VirtualClock = field(init=False)
    passed: float = 0.0

    def __post_init__(self) -> None:
        """Let the clock show it."""
        self.clock = VirtualClock(wall_time=self.now / SECOND)

    def at(self, seconds: float) -> None:
        """So many seconds after the beginning."""
        self.clock.advance(seconds - self.passed)
        self.passed = seconds

    def ns(self) -> int:
        """Nanoseconds since 1970."""
        return self.now + round(self.passed * SECOND)


class OfflineSystems(Systems):
    """The systems of a project, none of which reaches anything: those for mail answer as the test says."""

    def __init__(
        self,
        loaded: Loaded,
        state: Path,
        time: Time,
        test: Test,
        system: str | None,
        pipes: Mapping[str, PipeConfig],
    ) -> None:
        """`state` is the folder of this test, `system` the one that its pipe mails through.

        `pipes` are those of the project as a test runs them.
        """
        super().__init__(loaded, state=state)
        self._pipes = pipes
        self._time = time
        self._answers = {name: answers for name, answers in test.mocks.items() if name.startswith("system:")}
        self._http = {name: answers for name, answers in test.mocks.items() if name.startswith("http:")}
        declared = self._configs.get(system or "")
        wish = {} if test.system is None else test.system.model_dump(exclude_none=True, exclude_unset=True)
        if isinstance(declared, CarrierConfig) and system is not None and wish:
            alone = {"rate_group": None} if "max_per_hour" in wish else {}
            self._configs[system] = declared.model_copy(update={**wish, **alone})

    def _build(self, config: Any) -> System:
        if isinstance(config, CarrierConfig):
            return Answering(config.id, self._answers.get(f"system:{config.id}", ()))
        if config is None:
            raise NoSystemError("a system that the pipe uses has errors: see `mailweir check`")
        if isinstance(config, HttpSystemConfig):
            name = f"http:{config.id}"
            if name not in self._http:
                raise NoSystemError(
                    f"tests are offline, and the system `{config.id}` is not: give its entities with `given`, or its"
                    f" answers with a mock `{name}`"
                )
            # Tokens that a provider gives out are none of the answers.
            settings = replace(config.settings(), oauth2=None)
            return Http(config.id, settings, sleep=lambda _: None, line=MockedLine(name, self._http[name]))
        raise NoSystemError(f"tests are offline, and the system `{config.id}` is not: give its entities with `given`")

    def namespaces(self, pipe: str) -> tuple[str, str] | None:
        """Those of a pipe, also of one with ends that are not known."""
        return namespaces_of(self._pipes[pipe], self.metadata) if pipe in self._pipes else None

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return self._time.ns()


class CountingContext(PipeContext):
    """That of a pipe, with identifiers that count."""

    # Nothing is elsewhere: what it would reach is offline, or answers as the test says.
    acts = True

    def __init__(self, systems: Systems, pipe: str, running: Running | None) -> None:
        """The first is 1."""
        super().__init__(systems, pipe, running)
        self._count = 0

    def uuid(self) -> UUID:
        """The next one."""
        self._count += 1
        return UUID(int=_UUID + self._count)


class Answering:
    """A mail system that takes every mail, but for the answers that it is given."""

    trouble: Trouble | None = None

    def __init__(self, name: str, answers: Sequence[Any]) -> None:
        """The answers are for the first mails, in turn."""
        self._name = name
        self._answers = iter(answers)

    async def __aenter__(self) -> Self:
        """Nothing is to be opened."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nor closed."""

    async def send(
        self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
    ) -> AsyncIterator[Sequence[Answered]]:
        """Answer them."""
        waiting = iter(messages)
        while group := list(islice(waiting, _GROUP)):
            handing_over(group)
            yield [self._answered(message) for message in group]

    def _answered(self, message: Message) -> Answered:
        given = next(self._answers, {"code": 250, "text": "taken"})
        answer = given if isinstance(given, Mapping) else {}
        code, to = answer.get("code"), answer.get("to")
        text = str(answer.get("text", ""))
        return Answered(
            message,
            tuple(
                self._answer(one, code, text) if to in {None, one} else self._answer(one, 250, "taken")
                for one in message.envelope.recipients
            ),
        )

    def _answer(self, recipient: str, code: object, text: str) -> Answer:
        if not isinstance(code, int):
            return Answer(recipient, Status.IN_DOUBT, Phase.DOT, self._name, text=text or "no answer came")
        status = Status.ACCEPTED if code < 400 else Status.TEMPORARY if code < 500 else Status.PERMANENT
        return Answer(recipient, status, Phase.DOT, self._name, code, text=text)


class Mocked:
    """A transform that gives, for each entity in turn, what it was given."""

    def __init__(self, name: str, answers: Sequence[Any]) -> None:
        """The name is for those who have given too little."""
        self._name = name
        self._answers = iter(answers)

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """The next."""
        try:
            answer = next(self._answers)
        except StopIteration:
            raise ValueError(f"the mock `{self._name}` has no answer to the entity `{entity.get('_id')}`") from None
        return [] if answer is None else answer if isinstance(answer, list) else [answer]
