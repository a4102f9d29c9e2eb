"""`$ENV(name)` and `$SECRET(name)` inside a string: where they stand, and what is not one. No I/O.

`$$ENV(` and `$$SECRET(` stand for the text itself. References do not nest. The scan is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from pipeline.config.given import advice, note
from pipeline.errors import Note

RefKind = Literal["ENV", "SECRET"]

# A name longer than this is a closing bracket forgotten; it bounds how far the scan looks for one.
LONGEST_NAME = 200
# As many as a file has values. In a string with more nothing is looked for behind the one that is too many.
MOST_REFERENCES = 100_000
# Faults told for one string; a string with more is not a list of typing errors.
MOST_FAULTS = 20

_start = re.compile(r"(\$?)\$(ENV|SECRET)\(")
_name = re.compile(r"([A-Za-z0-9_.-]+)\)")
_wrong_case = re.compile(r"\$(env|secret)\(([A-Za-z0-9_.-]+)\)\Z", re.IGNORECASE)
_alike = re.compile(
    r"""(?<!\$) \$(env|secret) [ ]{0,3}
    (?: \(([A-Za-z0-9_.-]{1,200}+)\) | \[([A-Za-z0-9_.-]{1,200}+)\] | \{([A-Za-z0-9_.-]{1,200}+)\} )""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference from `start` to `end` of the decoded string."""

    kind: RefKind
    name: str
    start: int
    end: int

    def __str__(self) -> str:
        """As it is written."""
        return f"${self.kind}({self.name})"


@dataclass(frozen=True, slots=True)
class RefFault:
    """A place that looks like a reference and is not one."""

    code: str
    message: str
    start: int
    end: int
    notes: tuple[Note, ...] = ()
    repair: str | None = None


Piece = str | Ref


def scan(text: str) -> tuple[list[Piece], list[RefFault]]:
    """The string as literal pieces and references, and what is written wrong."""
    pieces: list[Piece] = []
    faults: list[RefFault] = []
    done = 0
    position = 0
    count = 0
    while count <= MOST_REFERENCES and (match := _start.search(text, position)):
        if match[1]:
            pieces.append(text[done : match.start()] + match[0][1:])
            done = position = match.end()
            continue
        name = _name.match(text, match.end(), match.end() + LONGEST_NAME + 1)
        if name:
            pieces.append(text[done : match.start()])
            pieces.append(Ref("ENV" if match[2] == "ENV" else "SECRET", name[1], match.start(), name.end()))
            done = position = name.end()
            count += 1
            continue
        fault = _wrong(text, match)
        faults.append(fault)
        position = max(fault.end, match.end())
        if len(faults) >= MOST_FAULTS:
            break
    pieces.append(text[done:])
    if not faults and (lower := _wrong_case.match(text)) and not _start.match(text):
        right = f"${lower[1].upper()}({lower[2]})"
        faults.append(
            RefFault("E311", f"`{text}` is written `{right}`", 0, len(text), (advice(f"write `{right}`"),), right)
        )
    return _joined(pieces), faults


def alike(text: str) -> Iterator[RefFault]:
    """W317 for what is text and looks like a reference: in small letters, in other brackets, with a blank."""
    for match in islice(_alike.finditer(text), MOST_FAULTS):
        kind, name = match[1].upper(), match[2] or match[3] or match[4]
        right = f"${kind}({name})"
        if match[0] != right:
            literal = note(f"as it is written it is text; `$${kind}(` stands for the text `${kind}(`")
            message = f"`{match[0]}` looks like a reference and is none"
            yield RefFault("W317", message, match.start(), match.end(), (advice(f"did you mean `{right}`?"), literal))


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Literal pieces that stand beside each other as one; none that is empty."""
    joined: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece != "":
            joined.append(piece)
    return joined


def _wrong(text: str, match: re.Match[str]) -> RefFault:
    kind, start = match[2], match.start()
    inside = text[match.end() : match.end() + LONGEST_NAME]
    close = inside.find(")")
    literal = advice(f"for the text itself write `$${kind}(`")
    nested = _start.search(inside, 0, close if close >= 0 else len(inside))
    if nested:
        deeper = text.find(")", match.end() + nested.end(), match.end() + nested.end() + LONGEST_NAME)
        end = deeper + 1 if deeper >= 0 else match.end() + nested.end()
        end += deeper >= 0 and text[end : end + 1] == ")"
        return RefFault(
            "E307",
            "a reference stands inside another reference",
            start,
            end,
            (
                note("names are taken as they are written: a name cannot come from another value"),
                advice("use one reference, and choose between values with `$conditional_properties`"),
            ),
        )
    if close < 0:
        message = f"this `${kind}(` is never closed"
        return RefFault("E311", message, start, match.end(), (advice("add the `)` after the name"), literal))
    end = match.end() + close + 1
    if not inside[:close].strip():
        return RefFault("E311", f"`${kind}()` has no name", start, end, (advice("write the name inside the brackets"),))
    message = f"`{inside[:close]}` cannot be the name in `${kind}()`"
    rule = note("a name has letters, digits, `-`, `_` and `.`")
    return RefFault("E311", message, start, end, (rule, literal))
