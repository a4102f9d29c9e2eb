"""Entities that others hand in over HTTP: they are kept before the answer, and the pipe reads what was kept. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from pipeline.alternatives import chosen
from pipeline.component import Many, SourceConfig, SourceContext

if TYPE_CHECKING:
    from sources.dataset_read import DatasetSource

_INBOX: Final = "system:received:"
# A list of some ten thousand entities; who has more sends several.
_MOST_BYTES: Final = 16 * 2**20


class HttpEndpointSourceConfig(SourceConfig):
    """Entities that others post to `/api/receivers/<pipe>/entities` of `mailweir serve`, one or a list of them."""

    type: Literal["http_endpoint"]
    """`http_endpoint`."""
    do_float_as_decimal: bool = True
    """Whether numbers with a fraction are decimal numbers, which keep all their digits; else they are floats."""
    do_float_as_int: bool = True
    """Whether numbers that are written with a fraction or an exponent and have none are whole ones: `1.0` is 1."""
    max_request_bytes: int = Field(default=_MOST_BYTES, ge=1024, le=_MOST_BYTES)
    """How long a request may be."""
    auto_populate_dataset: bool | None = None
    """Read from Sesam configurations and ignored."""
    trace: bool | dict[str, object] | Many[object] | None = None
    """Read from Sesam configurations and ignored."""

    def build(self, context: SourceContext) -> DatasetSource:
        """The source itself."""
        from sources.dataset_read import DatasetSource  # noqa: PLC0415 - entities are for those who run

        # Each version was handed in by somebody who got an answer: none is left out for a newer one.
        return DatasetSource(context.datasets, inbox(context.pipe), history=True)


def inbox(pipe: str) -> str:
    """The dataset that has what was handed in for a pipe."""
    return f"{_INBOX}{pipe}"


def receiver(source: SourceConfig | None) -> HttpEndpointSourceConfig | None:
    """The source, if others hand in its entities; of a conditional one the chosen alternative."""
    found = chosen(source)
    return found if isinstance(found, HttpEndpointSourceConfig) else None
