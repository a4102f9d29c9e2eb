"""Property names in upper case. No I/O."""

from __future__ import annotations

from typing import Literal

from pipeline.component import Context, TransformConfig
from pipeline.transforms.lower_keys import Renamed, upper


class UpperKeysConfig(TransformConfig):
    """Turns the names of properties into upper case; of two names that meet the last one wins."""

    type: Literal["upper_keys"]
    """`upper_keys`."""
    recurse: bool = False
    """Whether the names within values are turned too, at every depth."""

    def build(self, context: Context) -> Renamed:
        """The transform itself."""
        return Renamed(upper, recurse=self.recurse)
