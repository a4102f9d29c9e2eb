"""Entities for those who ask for CSV over HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from pipeline.component import Many
from sinks.csv import Rows, delimiter_fault
from sinks.published import PublishedConfig

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem


class CsvEndpointConfig(PublishedConfig):
    """Entities as rows for those who ask `mailweir serve`: `GET /api/publishers/<pipe>/csv`."""

    format_: ClassVar = "csv"
    media: ClassVar = "text/csv; charset=utf-8"

    type: Literal["csv_endpoint"]
    """`csv_endpoint`."""
    columns: Annotated[Many[str], Field(min_length=1)]
    """The properties that become columns, in order."""
    delimiter: str = ","
    """The character between two fields."""
    quoting: Literal["minimal", "all"] = "minimal"
    """Whether only fields that need it are in quotes, or all."""
    lineterminator: Literal["\r\n", "\n"] = "\r\n"
    """What ends a row: CR and LF, as RFC 4180 and spreadsheets have it, or LF alone."""
    include_header: bool = True
    """Whether the first row has the names of the columns."""
    skip_deleted_entities: bool = Field(default=True, alias="skip-deleted-entities")
    """Whether deleted entities are left out."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The delimiter is one character."""
        return delimiter_fault(given)

    def form(self) -> Rows:
        """Rows."""
        return Rows(
            self.columns,
            self.delimiter,
            self.lineterminator,
            quoted=self.quoting == "all",
            header=self.include_header,
            marked=False,
        )

    @property
    def leaves_out_deleted(self) -> bool:
        """As it says."""
        return self.skip_deleted_entities
