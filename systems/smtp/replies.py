"""The strict parser of replies: bytes in any portions in, replies or the one violation out. No I/O.

A reply that is not exactly one is not believed: a client that guesses takes a refusal for an acceptance.

    reply = *(code "-" [text] CRLF) code [" " [text]] CRLF        the same code on every line
    code  = %x32-35 %x30-35 %x30-39                                RFC 5321 section 4.2
    text  = any byte but NUL, CR and LF

After a violation the parser gives nothing more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

# RFC 5321 section 4.5.3.1.5 has 512 octets; servers are known to write more, and none needs this much.
LONGEST_LINE: Final = 4096
LONGEST_REPLY: Final = 65_536
MOST_LINES: Final = 128

LONGEST_TEXT: Final = 1024  # characters of a reply that are kept for people
LONGEST_EXCERPT: Final = 64  # bytes of what is no reply that are kept for people

# Lines that servers repeat for every message are parsed once; a server that varies them fills this and no more.
MOST_KNOWN: Final = 64
LONGEST_KNOWN: Final = 128

# What nearly every reply is: one line of printable ASCII, with an enhanced code of the same class (RFC 3463 section 2).
_plain = re.compile(
    rb"(([2-5])[0-5][0-9]) (?:((?!3)\2\.[0-9]{1,3}\.[0-9]{1,3})(?: |\Z))?+([!-~](?:[ -~]{0,1020}[!-~])?|)\Z"
).match
_enhanced = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?= |\Z)").match
_control = re.compile(rb"[\0\r\n]").search
_seen = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F)}
_separators = frozenset((b"", b" ", b"-"))


class Kind(IntEnum):
    """What a reply says by its code alone: the class, and three codes that speak of the session instead."""

    YES = 2
    GO_ON = 3
    LATER = 4
    NO = 5
    CLOSING = 6  # 421: the server closes the connection (RFC 5321 section 3.8)
    OUT_OF_STEP = 7  # 503: a command out of its order
    LOGIN_NEEDED = 8  # 530: not without a login or TLS (RFC 4954 section 6, RFC 3207 section 4)


_codes = {b"%d" % code: code for code in range(200, 600) if code // 10 % 10 < 6}
_kinds = {code: Kind(code // 100) for code in _codes.values()}
_kinds |= {421: Kind.CLOSING, 503: Kind.OUT_OF_STEP, 530: Kind.LOGIN_NEEDED}


class Reply(NamedTuple):
    """A whole reply.

    `enhanced` is the enhanced status code, `""` if there is none or its class contradicts the code. `text` is the rest
    in one line, with what cannot be seen made visible. `lines` are the lines as they came, without their codes.
    """

    code: int
    kind: Kind
    enhanced: str
    text: str
    lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """Why what came is no reply, and its first bytes made visible."""

    why: str
    excerpt: str

    def __str__(self) -> str:
        """For people."""
        return f"{self.why}: {self.excerpt}"


class ReplyParser:
    """Makes replies of bytes. How the bytes are cut into portions changes nothing."""

    __slots__ = ("_code", "_known", "_length", "_lines", "_rest", "violation")

    def __init__(self) -> None:
        """Start with nothing."""
        self.violation: Violation | None = None
        self._rest = b""  # the line that has not ended
        self._code = b""  # the code of the reply that has not ended
        self._lines: list[bytes] = []
        self._length = 0
        self._known: dict[bytes, Reply] = {}

    def is_pending(self) -> bool:
        """Whether a reply has begun and not ended."""
        return bool(self._rest or self._code)

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that end within `data`; those before a violation are given too."""
        if self.violation is not None:
            return []
        lines = (self._rest + data if self._rest else data).split(b"\r\n")
        rest = self._rest = lines.pop()
        known = list(map(self._known.get, lines))
        if all(known) and not (rest or self._code):
            return known  # type: ignore[return-value]  # none of them is None
        replies: list[Reply] = []
        for line, before in zip(lines, known, strict=True):
            reply = None if self._code else before
            if reply is None:
                reply = self._take(line)
                if reply is None:
                    if self.violation is not None:
                        return replies
                    continue
            replies.append(reply)
        if rest:
            # A fault is told as soon as it is there: no line end may ever come. The CR may be half of one.
            self._refuse(rest.removesuffix(b"\r"), whole=False)
        return replies

    def _take(self, line: bytes) -> Reply | None:
        """The reply that this line ends, if it does."""
        plain = None if self._code else _plain(line)
        if plain is not None:
            digits, _, enhanced, text = plain.groups(b"")
            code = _codes[digits]
            reply = Reply(code, _kinds[code], enhanced.decode("ascii"), text.decode("ascii"), (line[4:],))
            if len(line) <= LONGEST_KNOWN and len(self._known) < MOST_KNOWN:
                self._known[line] = reply
            return reply
        if self._refuse(line, whole=True):
            return None
        self._lines.append(line[4:])
        self._length += len(line) + 2
        if len(self._lines) > MOST_LINES or self._length > LONGEST_REPLY:
            self._violate("a reply that is too long", line)
            return None
        if line[3:4] == b"-":
            self._code = line[:3]
            return None
        reply = _read(_codes[line[:3]], tuple(self._lines))
        self._code = b""
        self._lines.clear()
        self._length = 0
        return reply

    def _refuse(self, line: bytes, *, whole: bool) -> bool:
        """Whether this line, or what is there of it, cannot be one of a reply; the leftmost fault counts."""
        code = line[:3]
        if not self._code.startswith(code) and self._code:
            self._violate(f"a reply with two codes, {self._code.decode('ascii')} and another", line)
        elif (code if whole else code + b"200"[len(code) :]) not in _codes or line[3:4] not in _separators:
            self._violate("not a reply", line)
        elif _control(line, 0, LONGEST_LINE):
            self._violate("a line end or NUL within a line", line)
        elif len(line) > LONGEST_LINE:
            self._violate("a line that is too long", line)
        return self.violation is not None

    def _violate(self, why: str, line: bytes) -> None:
        self.violation = Violation(why, visible(line[:LONGEST_EXCERPT]))
        self._rest = self._code = b""
        self._lines.clear()


def _read(code: int, lines: tuple[bytes, ...]) -> Reply:
    said = [visible(line) for line in lines]
    found = _enhanced(said[0])
    enhanced = ""
    if found is not None and found[0][0] == str(code)[0]:
        enhanced = found[0]
        said[0] = said[0][len(enhanced) :].lstrip()
        said = [line.removeprefix(f"{enhanced} ") for line in said]
    text = " ".join(said).strip()
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT - 1]}…"
    return Reply(code, _kinds[code], enhanced, text, lines)


def visible(data: bytes) -> str:
    """Bytes as text for people: what is not printable ASCII shows as a backslash, `x` and two digits."""
    text = data.decode("ascii", "backslashreplace")
    return text if text.isprintable() else text.translate(_seen)
