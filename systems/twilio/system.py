"""Twilio at work: each message is one request, and nothing that may have arrived is taken for lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from itertools import islice
from typing import Final, Self
from urllib.parse import urlencode

from tenacity.wait import wait_exponential

from systems.http.client import Http
from systems.http.exchange import HttpError, Request
from systems.mail import Answer, Answered, Message, Phase, Reason, Status, SystemFault, Trouble
from systems.sms import is_service, text_of
from systems.twilio.replies import Verdict, plain, verdict
from systems.waits import Growth

# A fault that waiting may heal: a second at first, five minutes at last. One that somebody has to mend: an hour.
_waits: Final = wait_exponential(multiplier=1, max=300)
_UNTIL_MENDED: Final = 3600.0
_ANY: Final = ((100, 599),)
_MOST_ANSWER: Final = 65_536


class Twilio:
    """Carries text messages, as a mail system carries mail."""

    def __init__(
        self, name: str, http: Http, connections: int, clock: Callable[[], float], chance: Callable[[], float]
    ) -> None:
        """`clock` counts seconds; `chance` gives numbers from 0 up to 1.

        The client is not entered, so that each message has a connection of its own: one that was kept can come to its
        end just when a message goes over it, and nobody would know whether it arrived.
        """
        self.name = name
        self._http = http
        self._connections = connections
        self._clock = clock
        self._chance = chance
        self._fault: SystemFault | None = None
        self._until = 0.0
        self._failures = 0

    async def __aenter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing is open."""

    @property
    def trouble(self) -> Trouble | None:
        """Why nothing is handed over now."""
        left = self._until - self._clock()
        return None if self._fault is None or left <= 0 else Trouble(self.name, self._fault, left)

    async def send(
        self, messages: Iterable[Message], handing_over: Callable[[Sequence[Message]], None]
    ) -> AsyncIterator[Sequence[Answered]]:
        """Hand them over, some at a time."""
        waiting = iter(messages)
        while self.trouble is None and (group := list(islice(waiting, self._connections))):
            handing_over(group)
            verdicts = await asyncio.gather(*(asyncio.to_thread(self._post, message) for message in group))
            self._learn(verdicts)
            yield [self._answered(message, found) for message, found in zip(group, verdicts, strict=True)]

    def _post(self, message: Message) -> Verdict:
        sender, (number, *_) = message.envelope.sender, message.envelope.recipients
        form = {
            "To": number,
            "MessagingServiceSid" if is_service(sender) else "From": sender,
            "Body": text_of(message.content),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        request = Request("", "POST", headers=headers, body=urlencode(form).encode(), good=_ANY, retries=0)
        status, retry_after = 0, None
        try:
            with self._http.ask(request) as answer:
                status, retry_after = answer.status, answer.header("Retry-After")
                return verdict(status, answer.content(_MOST_ANSWER), retry_after)
        except HttpError as error:
            if status:
                # The answer breaks off: its status says what there is to know.
                return verdict(status, b"", retry_after)
            text = plain(error.text)
            if error.sent:
                return Verdict(Status.IN_DOUBT, text, None, SystemFault(Phase.DOT, Reason.DISCONNECTED, text))
            return Verdict(Status.NOT_TRIED, text, None, SystemFault(Phase.BEFORE, Reason.UNREACHABLE, text))

    def _learn(self, verdicts: Sequence[Verdict]) -> None:
        """How long nothing more is handed over. An answer that is none of trouble ends a row of failures."""
        troubled = [found for found in verdicts if found.fault is not None]
        if not troubled:
            self._fault, self._failures = None, 0
            return
        self._failures += 1
        worst = min(troubled, key=lambda found: found.fault is None or found.fault.retryable)
        self._fault = worst.fault
        if self._fault is not None and not self._fault.retryable:
            seconds = _UNTIL_MENDED
        else:
            grown = Growth(_waits, share=0.5).seconds(self._failures, self._chance())
            seconds = max(grown, *(found.seconds or 0.0 for found in troubled))
        self._until = self._clock() + seconds

    def _answered(self, message: Message, found: Verdict) -> Answered:
        phase = Phase.BEFORE if found.status is Status.NOT_TRIED else Phase.DOT
        everyone = message.envelope.recipients
        return Answered(
            message,
            tuple(Answer(one, found.status, phase, self.name, found.code, text=found.text) for one in everyone),
        )
