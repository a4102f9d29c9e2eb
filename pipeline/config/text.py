"""Reading JSON that people write: bytes to a tree with a place for every key and value, and all its faults. No I/O.

What the standard library accepts is read to the same values. Refused beyond that are keys given twice, numbers that no
computer keeps, half characters, NUL, and texts past `Limits`. What it refuses is read as it was meant, if that can
be guessed, and every fault is reported with its place. Time and memory are linear in the size of the text.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from pipeline.config.brackets import Brackets, containers, doubtful, is_last
from pipeline.config.conflicts import without_conflicts
from pipeline.config.edits import apply, encode
from pipeline.config.faults import Faults, count
from pipeline.config.reader import Reader
from pipeline.config.scalars import SURROGATE
from pipeline.config.signs import untangled
from pipeline.config.strings import Offsets, raw_offset
from pipeline.config.tree import Broken, Document, Member, Node, Object, Scalar, walk
from pipeline.errors import Problem

__all__ = ["Limits", "Offsets", "apply", "encode", "raw_offset", "read"]

_BOMS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
# A JSON text begins with an ASCII character; wider encodings put zero bytes beside it.
_WIDE = (
    (re.compile(rb"\0\0\0[^\0]|[^\0]\0\0\0", re.DOTALL), "UTF-32"),
    (re.compile(rb"\0[^\0]|[^\0]\0", re.DOTALL), "UTF-16"),
)
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a text is read: bytes of the file, levels of lists and objects, values, faults."""

    bytes: int = 10_000_000
    depth: int = 64
    values: int = 100_000
    faults: int = 100


def read(data: bytes | str, name: str, *, limits: Limits = Limits()) -> Document:
    """The document that `data` holds, with its faults in the order of the text; never raises.

    A text over the limit of bytes is not decoded: its document has an empty text.
    """
    faults = Faults(name, limits.faults)
    if _size(data) > limits.bytes:
        faults.stop("the file is too large", 0, f"the limit is {count(limits.bytes)} bytes")
        return Document(name, "", None, faults.problems)
    text, bom = _decoded(data)
    wide = _wide_encoding(data) if isinstance(data, bytes) else None
    if wide is not None:
        message = f"the file is {wide}, not UTF-8"
        faults.add("E112", message, (0, 1), "the first byte", help="save the file as UTF-8")
        return Document(name, text, None, faults.problems, bom)

    def once(text: str) -> tuple[Node | None, list[Problem]]:
        return _read(text, Faults(name, limits.faults), limits)

    root, problems = untangled(text, name, once)
    torn = any(problem.code in {"E106", "E107", "E116"} for problem in problems)
    cut = any(problem.code == "E113" for problem in problems) and _is_full(root, limits.values)
    return Document(name, text, root, problems, bom, torn, cut)


def _is_full(root: Node | None, values: int) -> bool:
    return root is not None and sum(1 for _ in walk(root)) >= values


def _read(text: str, faults: Faults, limits: Limits) -> tuple[Node | None, list[Problem]]:
    bad = None if text.isascii() else SURROGATE.search(text)
    if bad is not None:
        _report_bytes(bad, faults)
    one_side = without_conflicts(text, faults)
    root = Reader(one_side, faults, depth=limits.depth, values=limits.values).document()
    if root is not None and faults.problems:
        _make_usable(root)
        _doubt(one_side, root, faults)
    return root, faults.in_order()


def _size(data: bytes | str) -> int:
    if isinstance(data, bytes) or data.isascii():
        return len(data)
    return len(data.encode("utf-8", "surrogatepass"))


def _decoded(data: bytes | str) -> tuple[str, bool]:
    """The text, and whether a byte order mark stood before it. Bytes that are no UTF-8 become surrogates."""
    text = data if isinstance(data, str) else data.decode("utf-8", "surrogateescape")
    bom = text.startswith("\ufeff")
    return (text[1:] if bom else text), bom


def _wide_encoding(data: bytes) -> str | None:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding
    return next((encoding for pattern, encoding in _WIDE if pattern.match(data)), None)


def _report_bytes(bad: re.Match[str], faults: Faults) -> None:
    code = ord(bad[0])
    # Outside this range it is no byte, but half a character in a text that was given as such.
    label = f"the byte 0x{code - 0xDC00:02X} is not UTF-8 here" if 0xDC80 <= code <= 0xDCFF else "half a character"
    faults.add("E112", "the file is not UTF-8", bad.span(), label, help="save the file as UTF-8")


def _doubt(text: str, root: Node, faults: Faults) -> None:
    """Where the brackets do not come out even: point to the likely place, and do not trust what may end elsewhere."""
    if not faults.uneven:
        return
    suspects = list(doubtful(text, root))
    if suspects:
        faults.suspect(suspects, Brackets(text).is_step_out)
    if faults.uneven == "early" or (faults.uneven == "surplus" and not is_last(text, root, suspects)):
        faults.leave()
        suspects = list(containers(root))
        doubles = faults.forget_doubles()
        for member in (member for node in suspects if isinstance(node, Object) for member in node.members.values()):
            if member.key.start in doubles:
                member.value = Broken(member.value.start, member.value.end)
    for node in suspects:
        node.whole = False


def _make_usable(root: Node) -> None:
    """Put U+FFFD for what no other system takes, NUL and half characters; their faults have been reported."""
    for node in walk(root):
        if isinstance(node, Scalar):
            _replace_unusable(node)
        elif isinstance(node, Object):
            members: dict[str, Member] = {}
            for name, member in node.members.items():
                _replace_unusable(member.key)
                members[_UNUSABLE.sub("\ufffd", name)] = member
            node.members = members


def _replace_unusable(node: Scalar) -> None:
    if isinstance(node.value, str) and _UNUSABLE.search(node.value):
        node.value = _UNUSABLE.sub("\ufffd", node.value)
