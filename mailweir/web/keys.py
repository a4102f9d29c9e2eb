"""The token of a project, and the file of tokens that others have."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from mailweir.web.access import ROLES, Caller, Keys, callers_of, digest_of
from mailweir.web.faults import CannotListenError
from mailweir.web.sessions import CODE_SECONDS, Seal
from pipeline.config.files import read_document
from pipeline.config.show import render
from pipeline.state import place

FILE: Final = "token"
# 32 characters of hex are 128 bits: nobody guesses them, and a digest without salt keeps them.
SHORTEST: Final = 32


def keys_of(state: Path, file: Path | None) -> Keys:
    """The token of the project, which may do everything, and those of a file. It is made if there is none yet."""
    callers = {digest_of(own(state)): Caller("the token of the project", ROLES)}
    if file is not None:
        callers |= _others(file)
    return Keys(callers)


def own(state: Path) -> str:
    """The token in the folder of a state, for its owner alone."""
    place.prepare(state)
    path = state / FILE
    if place.make_file(path) or not path.stat().st_size:
        temporary = path.with_suffix(".part")
        temporary.unlink(missing_ok=True)
        place.make_file(temporary)
        temporary.write_text(f"{secrets.token_urlsafe(32)}\n", "ascii")
        temporary.replace(path)
    token = path.read_text("utf-8", "replace").strip()
    if len(token) < SHORTEST or not token.isascii():
        raise CannotListenError(
            f"{path}: a token has {SHORTEST} ASCII characters or more\n  help: remove it; a new one is made"
        )
    return token


def address(url: str, token: str, wall: float) -> str:
    """Where a browser is let in as who has this token: once, and soon."""
    code = Seal(token).seal("code", digest_of(token), secrets.token_hex(16), wall + CODE_SECONDS)
    return f"{url}open?code={code}"


def found(state: Path) -> str | None:
    """The token in the folder of a state, if it is there and may be read."""
    try:
        return (state / FILE).read_text("utf-8", "replace").strip() or None
    except OSError:
        return None


def _others(file: Path) -> dict[str, Caller]:
    document = read_document(file, os.fspath(file))
    callers, problems = callers_of(document)
    if problems:
        raise CannotListenError(render(problems, {document.name: document.text}).rstrip().removeprefix("error: "))
    return callers
