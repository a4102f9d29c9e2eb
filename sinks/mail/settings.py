"""From the checked configuration of a mail sink to what its maker needs; files of the project are read here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pipeline.errors import Span, UnusableError
from pipeline.template.faults import Where, plain_lines
from sinks.mail.attachment_files import AttachmentFiles
from sinks.mail.delivery import Policy
from sinks.mail.enclosures import Enclosed, Fault, Reads, enclosed
from sinks.mail.letter import Attachment, Heading, Mailbox
from sinks.mail.lines import Line, is_template
from sinks.mail.maker import Settings
from sinks.mail.people import Fields, Guards, People
from sinks.mail.recipients import recipients
from sinks.mail.ways import compiled_for, path_to, way_of

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.template.watched import Saw
    from sinks.mail.config import MailConfig
    from sinks.mail.config_parts import AttachmentConfig
    from sinks.mail.mime import Signs
    from sinks.outgoing import OutgoingConfig

NO_GUARDS = Guards()


def settings(
    config: MailConfig, root: str, guards: Guards = NO_GUARDS, given: Given | None = None, saw: Saw | None = None
) -> Settings:
    """The settings of a sink of the project in the folder `root`, or `UnusableError`.

    `guards` are those of the run, in the place of the sink's. `given` is what was written: with it faults of fixed
    templates show file and line. `saw` is told what templates reach.
    """
    documents, templates = compiled_for(config, root, given, saw)
    reads = AttachmentFiles(root, config.max_message_bytes).read
    headers = (config.headers or {}).items()
    unsubscribe = config.list_unsubscribe or ()
    return Settings(
        system=config.system,
        heading=_heading(config, [(name, value) for name, value in headers if not is_template(value)]),
        people=_people(config),
        templates=templates,
        subject=way_of(config, "subject_template", documents, given),
        body=way_of(config, "body_template", documents, given),
        text=way_of(config, "text_body_template", documents, given),
        headers=tuple(_line(given, "headers", name, value) for name, value in headers if is_template(value)),
        unsubscribe=tuple(
            _line(given, "list_unsubscribe", "List-Unsubscribe", value)
            for value in ([unsubscribe] if isinstance(unsubscribe, str) else unsubscribe)
        ),
        attachments=Enclosed(_files("attachments", config.attachments, reads), config.attachments_property or ""),
        images=Enclosed(
            _files("inline_images", config.inline_images, reads, shown=True),
            config.inline_images_property or "",
            shown=True,
        ),
        reads=reads,
        styles=_styles() if config.css_inline else None,
        guards=Guards(guards.redirect_to or config.redirect_to, guards.only_to or tuple(config.only_to)),
        signers=_signers(config),
        return_path=config.return_path,
        largest=config.max_message_bytes,
        per_recipient=config.per_recipient,
        skip_deleted=config.skip_deleted,
        at_most_once=config.delivery == "at_most_once",
    )


def policy(config: OutgoingConfig) -> Policy:
    """How patient the sink is with servers."""
    retry = config.retry
    return Policy(config.delivery, retry.first_wait, retry.longest_wait, retry.give_up_after)


def _heading(config: MailConfig, headers: Iterable[tuple[str, str]]) -> Heading:
    (sender,) = recipients(config.mail_from).boxes
    return Heading(
        sender=sender,
        reply_to=_boxes(config.reply_to),
        headers=tuple(headers),
        message_id_domain=config.message_id_domain or "",
        importance=config.importance or "",
        one_click=config.one_click_unsubscribe,
    )


def _people(config: MailConfig) -> Fields:
    fixed = _boxes(config.recipients)
    return Fields(
        to=People(fixed) if fixed else People(property=config.recipients_property or "recipients"),
        cc=People(_boxes(config.cc), config.cc_property or ""),
        bcc=People(_boxes(config.bcc), config.bcc_property or ""),
        reply_to=People(property=config.reply_to_property or ""),
        sender=config.mail_from_property or "",
        skip_invalid=config.recipients_policy == "skip_invalid",
    )


def _boxes(text: str | None) -> tuple[Mailbox, ...]:
    return recipients(text).boxes


def _line(given: Given | None, property: str, name: str, source: str) -> Line:
    path = (*path_to(given, property), name) if property == "headers" else path_to(given, property)
    return Line(name, source, Where(plain_lines(source), path, whole=Span(f"`{property}`", 0, 0)))


def _files(
    property: str, declared: Iterable[AttachmentConfig], reads: Reads, *, shown: bool = False
) -> tuple[Attachment, ...]:
    """Fixed files, read once."""
    found = []
    for place, one in enumerate(declared):
        made = enclosed(one.model_dump(exclude_none=True), reads, shown=shown)
        if isinstance(made, Fault):
            raise UnusableError(f"`{property}[{place}]`: {made.text}")
        found.append(made)
    return tuple(found)


def _styles() -> Callable[[str], str]:
    from sinks.mail.css import inlined  # noqa: PLC0415 - a library that few sinks need

    return inlined


def _signers(config: MailConfig) -> tuple[Signs, ...]:
    if not config.dkim:
        return ()
    try:
        from sinks.mail.dkim import Signer, SignerError  # noqa: PLC0415 - it may not be installed
    except ImportError:
        raise UnusableError("`dkim` needs the package `cryptography`: `pip install mailweir[dkim]`") from None
    try:
        return tuple(Signer(one.domain, one.selector, one.key.reveal()) for one in config.dkim)
    except SignerError as error:
        raise UnusableError(f"`dkim`: {error}") from None
