"""What each stage of a mail costs by itself, beside what it may cost."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Final

from pipeline.clock import MachineClock
from pipeline.component import Transform
from pipeline.entity import Entity
from pipeline.run import portions
from pipeline.state.facts import Ask, Batch, Offset
from pipeline.state.keys import entity_text, entity_version, message_key
from pipeline.state.sqlite.store import SqliteState
from pipeline.template.templates import variables
from pipeline.transforms.python_function import function_of
from sinks.mail import outbound
from sinks.mail.compose import Composer
from sinks.mail.config import MailConfig
from sinks.mail.delivery import Policy
from sinks.mail.letter import Letter
from sinks.mail.maker import Made, Maker
from sinks.mail.recipients import distinct
from sinks.mail.settings import settings
from sinks.mail.texts import Texts, Writing
from sources.json_file import Json
from systems.mail import Answer, Message, Phase, Status
from systems.smtp.build import build
from systems.smtp.config import SmtpConfig

MESSAGES: Final = 5_120
BATCH: Final = 256
ROUNDS: Final = 5
# Microseconds: what the design grants each.
BUDGET: Final = {"read and transform": 10, "render": 17, "compose": 11, "state": 8, "SMTP": 18, "all around them": 35}


def stages(data: Path, project: Path, whole: float) -> None:
    """Print what each takes; `whole` is what a message takes in a run."""
    sink, system = (json.loads((project / path).read_text("utf-8")) for path in _PARTS)
    found = {name: _microseconds(work) for name, work in _works(data, project, sink, system).items()}
    found["all around them"] = whole - sum(found.values())
    sys.stdout.write(f"\nWhat a message costs, µs (each stage by itself, median of {ROUNDS} rounds)\n")
    for name, cost in found.items():
        sys.stdout.write(f"  {name:26}{cost:8.1f}{f'of {BUDGET[name]}':>9}\n")
    sys.stdout.write(f"  {'a run':26}{whole:8.1f}{f'of {sum(BUDGET.values())}':>9}\n")


_PARTS: Final = ("pipes/orders.conf.json", "systems/office.conf.json")


def _microseconds(work: Callable[[], float]) -> float:
    return median(work() for _ in range(ROUNDS)) / MESSAGES * 1e6


def _works(data: Path, project: Path, pipe: dict[str, Any], system: dict[str, Any]) -> dict[str, Callable[[], float]]:
    """Each gives the seconds that it took for all messages."""
    whole = settings(MailConfig.model_validate(pipe["sink"]), ".")
    writing = Writing(whole.templates, whole.subject, whole.body, whole.text)
    composer = Composer(whole.heading)
    maker = Maker(whole, "orders", "bench")
    transforms = [function_of(str(project), pipe["_id"], each["function"]) for each in pipe["transform"]]
    entities = list(_entities(data, transforms))
    written = [texts for texts in map(writing.write, map(variables, entities)) if isinstance(texts, Texts)]
    letters = [
        _letter(whole.people.named(variables(entity)), entity, texts)
        for entity, texts in zip(entities, written, strict=True)
    ]
    made = [one for entity in entities for one in maker.make(entity, 1_800_000_000.0)]

    return {
        "read and transform": lambda: _timed(lambda: list(_entities(data, transforms))),
        "render": lambda: _timed(lambda: [writing.write(variables(entity)) for entity in entities]),
        "compose": lambda: _timed(lambda: [composer.compose(letter) for letter in letters]),
        "state": lambda: asyncio.run(_state(made)),
        "SMTP": lambda: asyncio.run(_smtp(made, system)),
    }


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _entities(data: Path, transforms: Sequence[Transform]) -> Iterable[Entity]:
    flow = portions(Json(data.parent, data.name), transforms, None)
    return islice((entity for portion in flow for entity in portion.entities), MESSAGES)


def _letter(named: Any, entity: Entity, texts: Texts) -> Letter:  # noqa: ANN401 - `Named`, or a fault
    version = entity_version(entity, entity_text(entity))
    key = message_key("orders", str(entity["_id"]), version, distinct(named.to))
    return Letter(key, 1_800_000_000, named.to, texts.subject, texts.text, texts.html)


async def _state(made: Sequence[Made]) -> float:
    """Admit, claim, hand over, settle: on the disk after every batch."""
    answer = [Answer("", Status.ACCEPTED, Phase.DOT, "office", 250, "", "taken")]
    policy, ask = Policy(), Ask("office", "office", 10_000_000)
    with tempfile.TemporaryDirectory() as folder:
        async with SqliteState.open(Path(folder, "state"), MachineClock(), outbound.stranded) as state:
            start = time.process_time()
            for at in range(0, MESSAGES, BATCH):
                new = tuple(one.new for one in made[at : at + BATCH])
                claims = (await state.admit(Batch(new, Offset("orders", str(at))), ask)).claims
                messages = [one.message for one in made[at : at + BATCH]]
                outs = [
                    outbound.outbound(claim, message) for claim, message in zip(claims.messages, messages, strict=True)
                ]
                state.handing_over(claims.messages)
                now = state.now()
                state.settle([outbound.settlement(out, answer, policy, now, 0.5) for out in outs])
            await state.flush()
            return time.process_time() - start


async def _smtp(made: Sequence[Made], given: dict[str, Any]) -> float:
    messages: list[Message] = [one.message for one in made if one.message is not None]
    async with build(SmtpConfig.model_validate(given), ".") as system:
        start = time.process_time()
        async for _ in system.send(messages, lambda _: None):
            pass
        return time.process_time() - start
