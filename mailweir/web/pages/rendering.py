"""Templates and assets of pages, read from the package once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from hashlib import blake2b
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mailweir.shown import ago, moment, time_of
from pipeline.config.glyphs import visible

TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class Renderer:
    """Makes pages. Whatever a template writes passes the scrubber, is escaped, and has no characters that mislead."""

    def __init__(self, scrub: Callable[[str], str]) -> None:
        """`scrub` takes secrets out of a text as the configuration is then."""
        self.assets = {
            one.name: one.read_bytes()
            for one in files(__package__).joinpath("assets").iterdir()
            if one.name[one.name.rfind(".") :] in TYPES
        }
        self._versions = {name: blake2b(data, digest_size=8).hexdigest() for name, data in self.assets.items()}

        def cleaned(value: object) -> object:
            # What is markup was made by another template or drawing of ours, which has cleaned its texts.
            return visible(scrub(value)) if isinstance(value, str) and not isinstance(value, Markup) else value

        self._environment = Environment(
            loader=PackageLoader(__package__, "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            finalize=cleaned,
        )
        self._environment.globals["asset"] = self.address
        self._environment.filters |= {
            "ago": ago,
            "moment": moment,
            "clock": lambda seconds, now: time_of(seconds, now, UTC),
            "number": lambda many: f"{many:,}",
            "words": lambda word: word.replace("_", " "),
        }

    def address(self, name: str) -> str:
        """Where an asset is, for as long as it has these bytes."""
        return f"/static/{name}?v={self._versions[name]}"

    def is_current(self, name: str, version: str | None) -> bool:
        """Whether these are the bytes that an address means."""
        return self._versions.get(name) == version

    def text(self, template: str, **model: Any) -> str:  # noqa: ANN401 - what the template shows
        """A page, or a part of one."""
        return self._environment.get_template(template).render(**model)
