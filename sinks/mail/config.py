"""The mail sink as declared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Advice, Many, Refers
from pipeline.entity import Entity
from sinks.mail.config_parts import AttachmentConfig, DigestConfig, DkimConfig, ImageConfig
from sinks.mail.digest import Digest, together
from sinks.mail.part_rules import line_templates
from sinks.mail.rules import faults
from sinks.mail.template_rules import unmet_variables
from sinks.outgoing import OutgoingConfig
from systems.mail import MailSystemConfig

if TYPE_CHECKING:
    from pipeline.component import SinkContext, Wishes
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from pipeline.template.faults import Where
    from pipeline.template.templates import Templates
    from pipeline.template.watched import Saw
    from sinks.mail.maker import Makes

Addresses = Annotated[
    str | None,
    Advice(help=('write the addresses in one text with commas: "a@example.com, Ann Lee <ann@example.com>"',)),
]
_of_files = Advice(help=('write a list of objects: [{"file": "terms.pdf"}]',))
_of_pictures = Advice(help=('write a list of objects: [{"file": "logo.png"}]',))
_of_keys = Advice(help=('write a list of keys: [{"domain": "example.com", "selector": "s1", "key": "$SECRET(dkim)"}]',))


class MailConfig(OutgoingConfig):
    """Each entity becomes a mail."""

    type: Literal["mail"]
    """`mail`."""
    system: Annotated[str, Refers("system", MailSystemConfig, "carry mail")]
    """The `_id` of the system that carries the mail."""
    mail_from: str
    """Who the mails are from: `post@example.com` or `Example <post@example.com>`."""
    mail_from_property: str | None = None
    """The property of the entity that holds its sender; an entity without it is from `mail_from`."""
    recipients: Addresses = None
    """Who gets every mail: addresses with commas between them."""
    recipients_property: str | None = None
    """The property of the entity that holds the recipients. Default: `recipients`."""
    recipients_policy: Literal["reject", "skip_invalid"] = "reject"
    """What happens when a recipient is no address: `reject` rejects the mail, `skip_invalid` sends it to the others and
    says who was left out."""
    per_recipient: bool = False
    """Whether each recipient gets a mail of its own, so that none sees the others and each counts for itself."""
    digest: DigestConfig | None = None
    """Gathers entities into one mail. Its templates see `entities`, the list of them in the order in which they came,
    and the properties of the last one by name."""
    cc: Addresses = None
    """Who gets a copy of every mail: addresses with commas between them."""
    cc_property: str | None = None
    """The property of the entity that holds who gets a copy."""
    bcc: Addresses = None
    """Who gets a copy of every mail without standing in it: addresses with commas between them."""
    bcc_property: str | None = None
    """The property of the entity that holds who gets a copy without standing in the mail."""
    reply_to: Addresses = None
    """Where answers of readers go. Default: to the sender."""
    reply_to_property: str | None = None
    """The property of the entity that holds where answers of readers go."""
    return_path: str | None = None
    """The address that gets the reports of servers about mail that did not arrive; `""` asks for none. Default: the
    sender's."""
    redirect_to: str | None = None
    """An address that gets all mail in the place of those it is for; they stand in `X-Original-To` and in the
    subject. For projects that are being tried out."""
    subject_template: str | None = None
    """The subject, as a Jinja2 template."""
    subject_template_property: str | None = None
    """The property of the entity that holds the subject's template. Default: `subject_template`."""
    subject_template_file: str | None = None
    """A file in the project's `templates` folder with the template of the subject."""
    subject_template_file_property: str | None = None
    """The property of the entity that names such a file."""
    body_template: str | None = None
    """The body, HTML or text, as a Jinja2 template; with `text_body_template` it is the HTML part."""
    body_template_property: str | None = None
    """The property of the entity that holds the body's template. Default: `body_template`."""
    body_template_file: str | None = None
    """A file in the project's `templates` folder with the template of the body."""
    body_template_file_property: str | None = None
    """The property of the entity that names such a file."""
    text_body_template: str | None = None
    """The plain text part, as a Jinja2 template."""
    text_body_template_property: str | None = None
    """The property of the entity that holds the template of the plain text part. Default: `text_body_template`."""
    text_body_template_file: str | None = None
    """A file in the project's `templates` folder with the template of the plain text part."""
    text_body_template_file_property: str | None = None
    """The property of the entity that names such a file."""
    attachments: Annotated[Many[AttachmentConfig], _of_files] = ()
    """Files that go with every mail."""
    attachments_property: str | None = None
    """The property of the entity that holds files to go with its mail: one or a list of objects as in `attachments`, of
    names of files in the folder `attachments`, or of bytes (`~b` and base64)."""
    inline_images: Annotated[Many[ImageConfig], _of_pictures] = ()
    """Pictures that the HTML of every mail shows."""
    inline_images_property: str | None = None
    """The property of the entity that holds pictures for the HTML of its mail, as `attachments_property`."""
    css_inline: bool = False
    """Whether the rules of style sheets are written into the elements that they are for: some mail programs drop the
    sheets."""
    headers: dict[str, str] | None = None
    """Further headers by name. Values are Jinja2 templates; one that comes out empty is left out. Headers with a
    property of their own (`From`, `Reply-To`, …) are not set here."""
    list_unsubscribe: str | Many[str] | None = None
    """Where readers unsubscribe: a URL, `https:` or `mailto:`, or a list of them. They are Jinja2 templates:
    `https://example.com/off/{{ _id }}`."""
    one_click_unsubscribe: bool = False
    """Whether a POST to the `https:` URL of `list_unsubscribe` unsubscribes (RFC 8058), as large receivers demand of
    bulk mail. They also demand that DKIM signs both headers: by `dkim`, or by a mail server that does."""
    importance: Literal["high", "normal", "low"] | None = None
    """How important mail programs are to show the mails. Default: nothing is said."""
    message_id_domain: str | None = None
    """The domain in the Message-ID of each mail. Default: that of the sender."""
    dkim: Annotated[Many[DkimConfig], _of_keys] = ()
    """Keys that sign every mail, one after the other: receivers that know no Ed25519 yet take the RSA key beside it."""
    max_message_bytes: int = Field(default=25_000_000, ge=1000)
    """Mail that would be larger is rejected before it is stored."""

    @property
    def sender(self) -> str:
        """Who the mails are from, for people."""
        return self.mail_from

    def maker(
        self, context: SinkContext, run: str, wishes: Wishes, given: Given | None = None, saw: Saw | None = None
    ) -> Makes:
        """What makes the mails."""
        from sinks.mail.build import maker_of  # noqa: PLC0415 # a check needs nothing of what sends

        return maker_of(self, context, run, wishes, given, saw)

    def templates(self, root: str, given: Given | None) -> tuple[Templates, Sequence[tuple[str, Where]]]:
        """The templates of the project, and those of them that are fixed."""
        from sinks.mail.settings import settings  # noqa: PLC0415 # as above

        found = settings(self, root, given=given)
        ways = [(way.fixed, way.where) for way in (found.subject, found.text, found.body) if way.fixed is not None]
        return found.templates, ways + [(line.source, line.where) for line in (*found.headers, *found.unsubscribe)]

    def gathers(self) -> Digest | None:
        """How entities are gathered into one mail, if they are."""
        digest = self.digest
        return None if digest is None else Digest(digest.by, digest.every, digest.most)

    @classmethod
    def tried(cls, given: Given, entities: Sequence[Entity]) -> Iterable[Problem]:
        """Variables of the templates that none of the project's own entities has."""
        for digest in given.parts("digest"):
            entities, _ = together(entities, Digest(digest.text("by") or ""))
        return unmet_variables(given, entities, line_templates(given))

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Addresses, templates, and properties that exclude each other."""
        return faults(given)
