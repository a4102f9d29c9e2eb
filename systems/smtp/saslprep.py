"""User names and passwords in the one form that both sides compute with: SASLprep (RFC 4013). No I/O.

The tables are those of Unicode 3.2, as RFC 3454 has them; a character that came later stays as it is, which is what
RFC 4013 says for text that is compared with stored text.
"""

from __future__ import annotations

import stringprep
from collections.abc import Callable
from typing import Final
from unicodedata import ucd_3_2_0

Table = Callable[[str], bool]

# RFC 4013 section 2.3, with words for people
_prohibited: Final[tuple[tuple[Table, str], ...]] = (
    (stringprep.in_table_c21_c22, "a control character"),
    (stringprep.in_table_c3, "a private character"),
    (stringprep.in_table_c4, "a code that is no character"),
    (stringprep.in_table_c5, "half of a surrogate pair"),
    (stringprep.in_table_c6, "a character that stands for one that is lost"),
    (stringprep.in_table_c7, "a character that describes others"),
    (stringprep.in_table_c8, "a character that changes how text is shown"),
    (stringprep.in_table_c9, "a tag character"),
)


class UnpreparedError(ValueError):
    """Text that has no such form; its words say why and repeat nothing of the text."""


def saslprep(text: str) -> str:
    """The form of a text that is compared with a stored one."""
    mapped = "".join(" " if stringprep.in_table_c12(one) else one for one in text if not stringprep.in_table_b1(one))
    prepared = ucd_3_2_0.normalize("NFKC", mapped)
    for one in prepared:
        for holds, words in _prohibited:
            if holds(one):
                raise UnpreparedError(words)
    _refuse_mixed_directions(prepared)
    return prepared


def _refuse_mixed_directions(text: str) -> None:
    """RFC 3454 section 6: text from right to left stands alone, and from its first character to its last."""
    from_right = stringprep.in_table_d1
    if not any(map(from_right, text)):
        return
    if any(map(stringprep.in_table_d2, text)) or not (from_right(text[0]) and from_right(text[-1])):
        raise UnpreparedError("writing from right to left that is mixed with other writing")
