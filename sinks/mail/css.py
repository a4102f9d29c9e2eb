"""Rules of style sheets written into the elements that they are for, since some mail programs drop the sheets. No I/O.

What is linked is neither opened nor fetched.
"""

from __future__ import annotations

from typing import Final

from css_inline import CSSInliner

from sinks.mail.html_tokens import depth
from sinks.mail.letter import RefusedError

# The library recurses: a thread of 8 MB ends the process at 10,000 elements within each other, one of 512 kB at 1,000.
# `depth` may be a few times too low.
DEEPEST: Final = 200

# `@media` has no place in an attribute: such rules stay in a sheet.
_inliner = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


def inlined(html: str) -> str:
    """The HTML with its styles in its elements, or `RefusedError`."""
    if depth(html) > DEEPEST:
        raise RefusedError("html", f"elements are nested more than {DEEPEST} deep, so styles cannot be inlined")
    return _inliner.inline(html.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
