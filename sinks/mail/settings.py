"""From the checked configuration of a mail sink to what its maker needs; files of the project are read here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config.templates import read_templates
from sinks.mail.letter import Heading, Mailbox
from sinks.mail.maker import Settings
from sinks.mail.people import Fields, Guards, People
from sinks.mail.recipients import recipients
from sinks.mail.template import Options, Templates
from sinks.mail.template_faults import Where, plain_lines, where_in, where_in_file
from sinks.mail.texts import Way

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.config.given import Given
    from pipeline.config.tree import Document
    from sinks.mail.config import MailConfig

NO_GUARDS = Guards()


def settings(config: MailConfig, root: str, guards: Guards = NO_GUARDS, given: Given | None = None) -> Settings:
    """The settings of a sink of the project in the folder `root`.

    `guards` are those of the run. `given` is what was written: with it faults of fixed templates show file and line.
    """
    documents = read_templates(Path(root), Path(root)) if given is None else given.templates
    options = Options(
        unhandled=config.unhandled_template_variable_replacement,
        files={name: document.text for name, document in documents.items() if not document.problems},
        refused={name: document.problems[0].message for name, document in documents.items() if document.problems},
    )
    (sender,) = recipients(config.mail_from).boxes
    return Settings(
        system=config.system,
        heading=Heading(sender=sender),
        people=Fields(
            People(_boxes(config.recipients), "" if config.recipients else config.recipients_property or "recipients")
        ),
        templates=Templates(options),
        subject=_way(config, "subject_template", documents, given),
        body=_way(config, "body_template", documents, given),
        text=_way(config, "text_body_template", documents, given),
        guards=guards,
        skip_deleted=config.skip_deleted,
    )


def _boxes(text: str | None) -> tuple[Mailbox, ...]:
    return recipients(text).boxes


def _way(config: MailConfig, name: str, documents: Mapping[str, Document], given: Given | None) -> Way:
    fixed, file = getattr(config, name), getattr(config, f"{name}_file")
    if fixed is not None:
        where = where_in(given, name, fixed) if given else Where(plain_lines(fixed), (name,))
        return Way(fixed, where)
    if file is not None:
        document = documents[file]
        return Way(document.text, where_in_file(documents, file, (f"{name}_file",)))
    held = getattr(config, f"{name}_file_property")
    if held is not None:
        return Way(property=held, names_file=True)
    return Way(property=getattr(config, f"{name}_property") or name)
