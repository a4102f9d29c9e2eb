"""XML as a source: elements of a file of the project or of standard input become entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Context, Many, SourceConfig
from pipeline.config.given import advice
from pipeline.entity import Entity
from sources.input_file import InputFile, without_faults
from sources.parts import OnError
from sources.xml_text import Shape, batches
from systems.forms import file_faults

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem


class XmlConfig(SourceConfig):
    """Entities from the elements of an XML file of the project. Values are strings, as they stand in the file.

    Attributes and elements within are properties of their names. One that has only text is that text; one that has
    more is an object; several of one name are a list.
    """

    type: Literal["xml"]
    """`xml`."""
    path: str
    """The file: a path from the project's folder, below it. `.gz` is read as gzip. `-` is standard input."""
    primary_key: str | Annotated[Many[str], Field(min_length=1)]
    """The attribute or element that becomes the `_id`, or a list of them: their values are joined with `:`, and in each
    of them a `:` is written `%3A` and a `%` is written `%25`."""
    element: str | None = None
    """The elements that are entities, by their name (`order`) or by the way from the root (`/shop/orders/order`).
    Default: those directly below the root."""
    text_property: Annotated[str, Field(min_length=1)] = "text"
    """The property with the text of an element that has attributes or elements too."""
    attribute_prefix: str = ""
    """What stands before the names of attributes: `@` keeps them apart from elements of the same name."""
    keep_prefixes: bool = False
    """Whether names keep the prefix of their namespace: `a:name` instead of `name`."""
    preserve_empty_strings: bool = False
    """Whether an empty element or attribute is a property with an empty string. Otherwise it is none."""
    on_error: OnError = "stop"
    """What is done with an element that has no `_id`. `stop`: the run ends there with the place of the fault, and what
    stands before it is delivered. `skip`: it is logged, counted and left out. XML that is not well-formed stops it."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The path stays in the project; the element can be one."""
        yield from file_faults(given, "path")
        element = given.text("element")
        if element is not None and (not element.strip("/") or element.endswith("/") or "//" in element):
            help_ = advice('a name, `"order"`, or the way from the root, `"/shop/orders/order"`')
            yield given.problem("E203", "`element` names no element", "element", notes=(help_,))
        elif element is not None and "/" in element and not element.startswith("/"):
            help_ = advice(f'begin with the root: `"/…/{element}"`')
            yield given.problem("E203", "`element` is a way that does not begin at the root", "element", notes=(help_,))

    def build(self, context: Context) -> Xml:
        """The source itself."""
        keys = (self.primary_key,) if isinstance(self.primary_key, str) else self.primary_key
        shape = Shape(
            keys,
            self.element or "",
            self.text_property,
            self.attribute_prefix,
            self.keep_prefixes,
            self.preserve_empty_strings,
        )
        return Xml(InputFile(Path(context.root), self.path), shape, self.on_error)


class Xml:
    """Reads one file from its start in each run. It has no position."""

    def __init__(self, file: InputFile, shape: Shape, on_error: OnError = "stop") -> None:
        """`shape` says what the elements become."""
        self._file = file
        self._shape = shape
        self._on_error: OnError = on_error
        self.once = file.once
        self.skipped = 0

    def knows(self, since: str) -> bool:
        """Whether this is a position in what is read."""
        return False

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """Batches of entities; `SourceError` where it cannot go on."""
        found = batches(self._file.portions(), self._file.name, self._shape)
        for batch in without_faults(found, self._on_error):
            self.skipped += batch.fault is not None
            if batch.entities:
                yield batch.entities, None
