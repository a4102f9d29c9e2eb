"""A mail server that writes down what it takes, before it answers: `recording_server.py LOG SEED [TROUBLE]`.

It prints the port it listens on, on loopback, and ends with its standard input. Each line of the log is `WIDTH` bytes:

    saw  SECONDS NAME     the dot of a message came, or the last byte of its BDAT
    took SECONDS NAME     the message is the server's; its 250 goes out next

`NAME` is the left side of its recipient's address, `SECONDS` are those of the machine since it started. TROUBLE is the
share of messages that meet with some: 421, refused for now at the dot, and connections that are cut before the dot is
answered, with the message taken or not.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
import time
from typing import Final

WIDTH: Final = 64
# Seconds until a dot is answered: many a kill falls into them.
SLOWEST: Final = 0.004

_name: Final = re.compile(rb"RCPT TO:<([^@>]*)@", re.IGNORECASE)
_chunk: Final = re.compile(rb"BDAT ([0-9]+)", re.IGNORECASE)
_end: Final = b"\r\n.\r\n"


def line(what: str, at: float, name: str) -> bytes:
    """A line of the log; a name is cut rather than the line made longer."""
    return f"{what:4} {at:18.6f} {name[:39]:39}\n".encode()


class Recorder(asyncio.Protocol):
    """One connection. Commands are answered in their order, and none while a dot waits for its answer."""

    def __init__(self, log: int, chance: random.Random, trouble: float) -> None:
        """Write to the open file `log`."""
        self._log = log
        self._chance = chance
        self._trouble = trouble
        self._buffer = bytearray()
        self._content = False
        self._chunk = -1  # bytes of a BDAT that are still to come
        self._waiting = False
        self._name = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 recorder\r\n")

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._buffer += data
        self._go_on()

    def _go_on(self) -> None:
        said: list[bytes] = []
        buffer = self._buffer
        while not self._waiting and not self._transport.is_closing():
            if self._chunk >= 0:
                if len(buffer) < self._chunk:
                    break
                del buffer[: self._chunk]
                self._chunk = -1
                self._dot()
                continue
            stop = buffer.find(_end if self._content else b"\r\n")
            if stop < 0:
                break
            if self._content:
                self._content = False
                self._dot()
                del buffer[: stop + len(_end)]
            else:
                answer = self._command(bytes(buffer[:stop]))
                del buffer[: stop + 2]
                if answer:
                    said.append(answer)
        if said:
            self._transport.write(b"".join(said))
            if said[-1].startswith((b"421", b"221")):
                self._transport.close()

    def _command(self, text: bytes) -> bytes:
        verb = text[:4].upper()
        if verb == b"EHLO":
            return b"250-recorder\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 8BITMIME\r\n"
        if verb == b"DATA":
            self._content = True
            return b"354 go on\r\n"
        if verb == b"BDAT" and (chunk := _chunk.match(text)):
            self._chunk = int(chunk[1])
            return b""
        if verb == b"QUIT":
            return b"221 bye\r\n"
        if verb == b"RCPT" and (found := _name.match(text)):
            self._name = found[1].decode()
        elif verb == b"MAIL" and self._strikes(0.1):
            return b"421 4.3.2 closing\r\n"
        return b"250 fine\r\n"

    def _strikes(self, share: float) -> bool:
        return self._chance.random() < self._trouble * share

    def _dot(self) -> None:
        """The whole message is here."""
        self._write("saw", self._name)
        self._waiting = True
        asyncio.get_running_loop().call_later(self._chance.random() * SLOWEST, self._answer, self._name)

    def _answer(self, name: str) -> None:
        """Take it, or not; a client that is gone by now does not change that: it cannot know."""
        self._waiting = False
        if self._strikes(0.2):
            self._transport.abort()
        elif self._strikes(0.5):
            self._transport.write(b"451 4.7.1 later\r\n")
            self._go_on()
        else:
            self._write("took", name)
            if self._strikes(0.2):
                # Taken, and the client never hears of it.
                self._transport.abort()
            else:
                self._transport.write(b"250 taken\r\n")
                self._go_on()

    def _write(self, what: str, name: str) -> None:
        os.write(self._log, line(what, time.clock_gettime(time.CLOCK_BOOTTIME), name))


async def serve(path: str, seed: int, trouble: float) -> None:
    """Serve until standard input ends."""
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    chance = random.Random(seed)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Recorder(log, chance, trouble), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 0.0))
