"""One mail is handed in: `POST /api/send`. It is in the outbox before the answer, and goes as those of a pipe do."""

from __future__ import annotations

import asyncio
import json
import uuid
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from mailweir.flows import mail_sink
from mailweir.web.letters import SCHEMA, Handed, handed
from mailweir.web.route import Body, Query, RefusedError, Reply, Route
from pipeline.config.near import near
from pipeline.errors import UnusableError
from pipeline.state.datasets import ONCE
from pipeline.state.facts import Batch, Known, MessageState, outcome_of
from pipeline.state.keys import name_of
from pipeline.state.views import Filter
from sinks.mail.config import MailConfig
from sinks.mail.entities import Known as Version
from sinks.mail.maker import Maker
from sinks.mail.settings import settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from mailweir.web.route import Call
    from mailweir.web.site import Site
    from sinks.mail.maker import Made

# With its files in base64; most servers take less.
MOST_BYTES: Final = 32 * 2**20
# A body of more is read in a thread, so that others are answered meanwhile.
_LARGE: Final = 256 * 2**10
_LONGEST_KEY: Final = 255


class Submission:
    """The answers."""

    def __init__(self, site: Site) -> None:
        """For the pipes of this service that mail."""
        self._site = site
        self._makers: dict[tuple[str, str], tuple[Maker, MailConfig]] = {}
        # A lock is there as long as somebody holds it or waits for it.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def routes(self) -> list[Route]:
        """For those who may hand in mails."""
        told = {
            "type": "object",
            "properties": {"id": {"type": "string"}, "pipe": {"type": "string"}, "state": {"type": "string"}},
            "required": ["id", "pipe", "state"],
        }
        return [
            Route(
                "POST",
                "/api/send",
                "sendMail",
                "send",
                "Send one mail as a pipe sends its own: through its system and its window, with its sender, its further"
                " headers, its signatures and its patience. It is kept before the answer.",
                self.send,
                query={"pipe": Query("text", "the pipe that mails; not needed if there is one only")},
                headers={"Idempotency-Key": "names this mail: when it comes again within a day, nothing happens"},
                body=Body(SCHEMA, MOST_BYTES),
                replies={202: Reply("It is in the outbox.", told)},
                refuses={
                    400: "the mail is not right; `detail` names the property",
                    404: "no such pipe, or none that mails",
                    409: "the key was used for another mail",
                },
                pipe_asked=True,
            )
        ]

    async def send(self, call: Call) -> Response:
        """Keep it, then answer."""
        if len(call.body) > _LARGE:
            mail = await asyncio.to_thread(handed, call.body)
        else:
            mail = handed(call.body)
        pipe = self._pipe(call.query.get("pipe"))
        key = call.headers.get("idempotency-key")
        if key is not None and not 0 < len(key) <= _LONGEST_KEY:
            raise RefusedError(400, f"an `Idempotency-Key` has 1 to {_LONGEST_KEY} characters")
        if key is None:
            return await self._keep(pipe, mail, call.body, uuid.uuid4().hex, {})
        note, digest = f"{ONCE}send:{pipe}/{key}", sha256(call.body).hexdigest()
        async with self._turns.setdefault(note, asyncio.Lock()):
            before = (await self._site.state.notes(note)).get(note)
            if before is None:
                return await self._keep(pipe, mail, call.body, f"key:{key}", {note: digest})
        known, _, name = before.partition(" ")
        if known != digest:
            raise RefusedError(409, "this `Idempotency-Key` was used for another mail")
        rows = (await self._site.state.messages(Filter(name=name), most=1)).rows
        # One that was sent long ago has left the record.
        return self._answer(name, pipe, rows[0].state if rows else MessageState.SENT)

    async def _keep(self, pipe: str, mail: Handed, body: bytes, id: str, notes: Mapping[str, str]) -> Response:
        site = self._site
        now, steady = site.clock.wall(), site.state.now()
        maker, config = await self._maker(pipe)
        expires = None if config.expires_after is None else steady + config.expires_after
        # What is kept with a mail for people: the request without its files, which the mail has.
        request = {name: value for name, value in json.loads(body).items() if name != "attachments"}
        version = Version(id, "", json.dumps({"_id": id, **request}, ensure_ascii=False))

        def make() -> Made:
            return maker.letter(version, mail.named, mail.said, now, expires)

        made = await asyncio.to_thread(make) if len(body) > _LARGE else make()
        if made.problem is not None:
            raise RefusedError(400, f"{made.problem.code} {made.problem.told}")
        name = name_of(made.new.key, 0)
        kept = {note: f"{digest} {name}" for note, digest in notes.items()}
        (fate,) = (await site.state.admit(Batch((made.new,), notes=kept))).fates
        site.service.mailed()
        state = fate.state or MessageState.SENT if isinstance(fate, Known) else made.new.state
        return self._answer(name, pipe, state)

    def _answer(self, name: str, pipe: str, state: MessageState) -> Response:
        return self._site.document({"id": name, "pipe": pipe, "state": outcome_of[state].value}, 202)

    def _pipe(self, asked: str | None) -> str:
        mailing = [name for name, pipe in self._site.config.pipes.items() if isinstance(mail_sink(pipe), MailConfig)]
        if asked is None:
            if len(mailing) == 1:
                return mailing[0]
            raise RefusedError(400, f"which pipe is to mail it? Add `?pipe=…`: {', '.join(mailing) or 'none mails'}")
        if asked not in mailing:
            close = near(asked, mailing, most=1)
            why = "does not mail" if asked in self._site.config.pipes else "is none that is served"
            raise RefusedError(404, f"the pipe `{asked}` {why}" + (f". Did you mean `{close[0]}`?" if close else ""))
        return asked

    async def _maker(self, pipe: str) -> tuple[Maker, MailConfig]:
        """What makes mails as those of this pipe, as long as the configuration is the same."""
        served = self._site.config
        found = self._makers.get((served.hash, pipe))
        if found is None:
            config = mail_sink(served.pipes[pipe])
            assert isinstance(config, MailConfig)  # noqa: S101 - only such pipes are asked for
            try:
                made = await asyncio.to_thread(settings, config, str(served.loaded.root))
            except UnusableError as error:
                raise RefusedError(503, f"the pipe `{pipe}` cannot mail: {error}") from None
            self._makers = {at: one for at, one in self._makers.items() if at[0] == served.hash}
            found = self._makers[served.hash, pipe] = Maker(made, pipe, "api"), config
        return found
