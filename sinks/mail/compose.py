"""A letter becomes a message: what goes on the wire, frozen, so that every try sends the same bytes. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sinks.mail.letter import Heading, Letter, Refusal, RefusedError
from sinks.mail.mime import Signs, Writer
from sinks.mail.recipients import distinct
from sinks.mail.text_of_html import text_of
from systems.address import fault_of
from systems.mail import Envelope, Message


class Composer:
    """Composes the mails of one sink."""

    def __init__(
        self,
        heading: Heading,
        *,
        return_path: str | None = None,
        signers: Sequence[Signs] = (),
        styles: Callable[[str], str] | None = None,
        largest: int | None = None,
    ) -> None:
        """Refuse, with `RefusedError`, what no mail can have.

        `return_path` gets the reports of servers: by default the sender does, with `""` nobody. `styles` is
        `sinks.mail.css.inlined`, or nothing to leave HTML as it is. `largest` is in bytes.
        """
        if return_path and (fault := fault_of(return_path)):
            raise RefusedError("return_path", fault)
        self._heading = heading
        self._writer = Writer(heading, signers)
        self._return_path = return_path
        self._styles = styles
        self._largest = largest

    def compose(self, letter: Letter) -> Message | Refusal:
        """The message, or why there is none."""
        try:
            return self._compose(letter)
        except RefusedError as refused:
            return refused.refusal

    def _compose(self, letter: Letter) -> Message:
        to = letter.to
        if len(to) == 1 and not letter.cc and not letter.bcc:  # most mail
            recipients: tuple[str, ...] = (to[0].address,)
        else:
            recipients = distinct(to, letter.cc, letter.bcc)
            if not recipients:
                raise RefusedError("to", "no recipient")
            for place, box in enumerate(letter.bcc):  # the others are written, and looked at there
                if fault := fault_of(box.address):
                    raise RefusedError(f"bcc.{place}", fault)
        if letter.html is not None and (letter.text is None or self._styles is not None):
            html = letter.html if self._styles is None else self._styles(letter.html)
            text = (text_of(html) or None) if letter.text is None else letter.text
            letter = letter._replace(html=html, text=text)
        content, utf8, wire = self._writer.write(letter)
        if self._largest is not None and len(content) > self._largest:
            raise RefusedError("message", f"{len(content)} bytes, more than {self._largest}")
        sender = letter.sender or self._heading.sender
        return_path = self._return_path
        if return_path is None:
            return_path = sender.address if sender else ""
        return Message(letter.key, Envelope(return_path, recipients, utf8), content, wire)
