"""The templates of a sink that sends, as they are declared; files of the project are read here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config.templates import read_templates
from pipeline.errors import UnusableError
from pipeline.template.faults import Where, plain_lines, where_in, where_in_file
from pipeline.template.templates import Options, Templates
from sinks.mail.texts import Way

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.config.tree import Document
    from pipeline.template.watched import Saw
    from sinks.outgoing import OutgoingConfig


def compiled_for(
    config: OutgoingConfig, root: str, given: Given | None, saw: Saw | None
) -> tuple[Mapping[str, Document], Templates]:
    """The files in the project's folder `templates`, and what compiles them as the sink wishes."""
    documents = read_templates(Path(root), Path(root)) if given is None else given.templates
    options = Options(
        unhandled=config.unhandled_template_variable_replacement,
        files={name: document.text for name, document in documents.items() if not document.problems},
        refused={name: document.problems[0].message for name, document in documents.items() if document.problems},
        saw=saw,
    )
    return documents, Templates(options)


def way_of(config: OutgoingConfig, name: str, documents: Mapping[str, Document], given: Given | None) -> Way:
    """How a message comes by a template, as it is declared under this name; `UnusableError` for a missing file."""
    fixed, file = getattr(config, name), getattr(config, f"{name}_file")
    if fixed is not None:
        where = where_in(given, name, fixed) if given else Where(plain_lines(fixed), (name,))
        return Way(fixed, where)
    if file is not None:
        if file not in documents:
            raise UnusableError(f"there is no file `{file}` in the folder `templates`")
        return Way(documents[file].text, where_in_file(documents, file, path_to(given, f"{name}_file")))
    held = getattr(config, f"{name}_file_property")
    if held is not None:
        return Way(property=held, names_file=True)
    return Way(property=getattr(config, f"{name}_property") or name)


def path_to(given: Given | None, name: str) -> tuple[str, ...]:
    """The way to a property."""
    return (name,) if given is None else (*given.path, name)
