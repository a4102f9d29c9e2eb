"""`mailweir send-test`: one mail through a system, with the talk on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mailweir.cli.group import meant
from mailweir.cli.loading import errors, load_here
from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailweir.systems_of import Systems
    from pipeline.config.typed import Component
    from systems.mail import Answer, MailSystem, Message, Trouble


@click.command(
    "send-test",
    epilog="""\b
Examples:
  mailweir send-test our-smtp-server --to me@example.com
  mailweir send-test our-smtp-server --to me@example.com --from shop@example.com --json
  mailweir send-test our-twilio --to +4799887766""",
)
@click.argument("system")
@click.option(
    "--to",
    "recipient",
    required=True,
    metavar="ADDR",
    help="Who gets the mail; through a system for text messages, a number.",
)
@click.option("--from", "sender", metavar="ADDR", help="Who sends. Default: that of a sink for this system.")
@common
def send_test_command(values: Common, system: str, *, recipient: str, sender: str | None) -> int:
    """Send one mail, or one text message, through SYSTEM and show the talk with the server; the login is masked.

    Exits with 0 when the server took it, 1 when it did not. What runs learnt of a login that was refused is forgotten
    when it works.
    """
    import asyncio
    import time
    import uuid

    from mailweir.cli.logged import logged
    from mailweir.ledger.opened import forget_trouble
    from mailweir.mail_of_parts import composed
    from mailweir.sent import Sent
    from mailweir.systems_of import NoSystemError, Systems, of_its_folder
    from systems.disk import FolderError
    from systems.mail import CarrierConfig, MailSystem
    from systems.sms import SmsSystemConfig

    loaded = load_here(values, take_secrets=True)
    known = {one.id: one.model for one in loaded.project.components if issubclass(one.model, CarrierConfig)}
    if system not in known:
        raise click.UsageError(f"no mail system '{system}'.{meant(system, list(known))}")
    sms = issubclass(known[system], SmsSystemConfig)
    to = _number("--to", recipient) if sms else _one_address(recipient)
    if errors(loaded):
        values.out.fault("error: the configuration has errors. See: mailweir check")
        return 3
    name = "from_number" if sms else "mail_from"
    sender = sender or _sender(system, name, loaded.project.components)
    if sender is None:
        raise click.UsageError(f"no sink names a fixed `{name}` for '{system}': give --from")
    body = f"This mail was sent by `mailweir send-test {system}`.\nIf you can read it, the way to you works.\n"
    try:
        key = uuid.uuid4().hex
        if sms:
            mail = _text_message(key, sender, to, f"Sent by `mailweir send-test {system}`.")
        else:
            title = f"Test mail through {system}"
            mail = composed(key, int(time.time()), sender=sender, recipients=to, subject=title, body=body)
        systems = Systems(loaded, talk=None if values.json else values.out.line)
        opened = systems.system(system, MailSystem)
    except (ValueError, NoSystemError) as error:
        raise click.UsageError(str(error)) from None
    try:
        with logged(values):
            answers, trouble = asyncio.run(_send(systems, opened, mail))
    except FolderError as error:
        raise click.UsageError(str(of_its_folder(system, error))) from None
    sent = Sent.of(answers)
    if sent.ok:
        forget_trouble(systems, system)
    if values.json:
        values.out.document({"schema_version": 1, "command": "send-test", **sent.document()})
    else:
        _tell(values, answers, trouble)
    return 0 if sent.ok else 1


async def _send(systems: Systems, system: MailSystem, mail: Message) -> tuple[tuple[Answer, ...], Trouble | None]:
    async with systems:
        async for group in system.send([mail], lambda _: None):
            return group[0].answers, system.trouble
    raise RuntimeError("the system gave no answer")


def _one_address(text: str) -> str:
    from mailweir.mail_of_parts import boxes

    try:
        (box,) = boxes("--to", text)
    except ValueError as error:
        raise click.UsageError(str(error) if "not an address" in str(error) else "--to: one address") from None
    return box.address


def _number(option: str, text: str) -> str:
    from systems.sms import number_fault, number_of

    found = number_of(text)
    if found is None:
        raise click.UsageError(f"{option}: '{text}' is no telephone number: {number_fault(text)}")
    return found


def _text_message(key: str, sender: str, to: str, text: str) -> Message:
    from systems.mail import Envelope, Message
    from systems.sms import frozen, sender_of

    found = sender_of(sender)
    if found is None:
        raise click.UsageError(f"--from: '{sender}' is no sender of text messages")
    return Message(key, Envelope(found, (to,)), frozen(found, to, text))


def _sender(system: str, name: str, components: Sequence[Component]) -> str | None:
    """What a sink for this system has as its sender."""
    for pipe in components:
        for sink in pipe.walk():
            if sink.kind == "sink" and sink.given.get("system") == system and sink.given.text(name):
                return sink.given.text(name)
    return None


def _tell(values: Common, answers: Sequence[Answer], trouble: Trouble | None) -> None:
    from mailweir.doctor.servers import advice
    from mailweir.sent import response
    from systems.mail import Status

    values.out.line()
    for answer in answers:
        if answer.status is Status.ACCEPTED:
            word = "sent" if answer.code else "kept"
            values.out.line(f"{word}   {answer.recipient}: {response(answer)}")
            continue
        values.out.line(f"FAIL   {answer.recipient}: {response(answer)}")
        for line in advice(trouble.fault.reason) if trouble else ():
            values.out.line(f"       {line}")
