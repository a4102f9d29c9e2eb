"""The talk with a server in lines for people, without what belongs to the login. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from systems.smtp.replies import visible

MASK: Final = "********"
LONGEST_LINE: Final = 4096  # of what a server says, while its line is not whole
_auth = re.compile(rb"(?i)(AUTH +[!-~]+)( .*)?")
_bdat = re.compile(rb"(?i)BDAT ([0-9]{1,19})")


class Transcript:
    """What each portion of bytes is in lines: `>` from here, `<` from the server. Content is counted, not shown."""

    def __init__(self) -> None:
        """Nothing was said."""
        self._login = False  # between AUTH and the end of the login, whatever goes out is a credential
        self._content: int | None = None  # bytes of content so far, once the server said 354
        self._chunk = 0  # bytes of a BDAT still to go
        self._line_start = True
        self._rest = b""

    def sent(self, data: bytes | memoryview) -> Iterator[str]:
        """Lines for what goes out."""
        for line in bytes(data).splitlines(keepends=True):
            if self._chunk:
                self._chunk = max(0, self._chunk - len(line))
            elif self._content is None:
                yield f"> {self._command(line)}"
            elif line == b".\r\n" and self._line_start:
                yield f"> [{self._content} bytes]"
                yield "> ."
                self._content = None
            else:
                self._content += len(line)
            self._line_start = line.endswith(b"\n")

    def _command(self, line: bytes) -> str:
        if self._login:
            return MASK
        if login := _auth.match(line):
            self._login = True
            return f"{visible(login[1])}{f' {MASK}' if login[2] else ''}"
        if chunk := _bdat.match(line):
            self._chunk = int(chunk[1])
        return visible(line.rstrip())

    def received(self, data: bytes) -> Iterator[str]:
        """Lines for what came in, as soon as they are whole."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LONGEST_LINE:]
        for line in lines:
            if self._login:
                if line.startswith(b"334"):
                    yield f"< 334 {MASK}"  # a challenge can name the user
                    continue
                self._login = False
            elif line.startswith(b"354"):
                self._content = 0
            yield f"< {visible(line.rstrip())}"
