"""What one connection is told before it begins. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Settings:
    """How to talk to one server; `server` is its name in answers.

    `encrypted` says that TLS stands before the greeting, `login` that credentials wait, `clear_login` that they may
    cross this connection unprotected (it ends on this machine, or somebody said so by name). `largest` is the largest
    message to try, whatever the server takes. `window` is how many messages BDAT has on the way at once.
    """

    server: str
    helo: str = ""
    pipelining: Literal["TRY", "DEPEND", "NO"] = "TRY"
    starttls: Literal["never", "if_offered", "required"] = "never"
    encrypted: bool = False
    login: bool = False
    clear_login: bool = False
    smtputf8: bool = True
    chunking: bool = False
    window: int = 8
    xverp: bool | Literal["if_offered"] = False
    largest: int | None = None
