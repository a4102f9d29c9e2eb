"""Messages of the outbox as files."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailweir.cli.loading import counted
from mailweir.ledger.exports import mbox
from mailweir.ledger.rows import short, unreadable
from sinks.mail.outbound import restored

if TYPE_CHECKING:
    from mailweir.cli.ledgers import Ledger
    from pipeline.state.port import Look
    from pipeline.state.views import Detail, Row


def export(ledger: Ledger, found: Sequence[Row], form: str, out: str | None) -> int:
    """Write them, one after the other: a large outbox need not fit into the memory."""
    values = ledger.values
    if values.json and out is None:
        raise click.UsageError("mail is no JSON: with --json, write it to a folder with --out DIR")
    if form == "eml" and out is None and len(found) != 1:
        raise click.UsageError(
            f"{counted(len(found), 'message')} in one eml file\n  help: --out DIR writes one for each"
        )
    folder = None if out is None else _folder(values.here / out)
    written: list[str] = []

    async def looking(state: Look) -> None:
        for row in found:
            detail = await state.message(row.id)
            why = "it has just been removed" if detail is None else unreadable(detail)
            if detail is None or why:
                values.out.fault(f"error: {short(row.name)}: {why}")
                continue
            if folder is None:
                values.out.data(_data(detail, form))
            else:
                _write(folder, detail)
            written.append(row.name)
            if values.out.gone:
                return

    ledger.look(looking)
    code = 0 if len(written) == len(found) or values.out.gone else 2
    ledger.document(code, folder=None if folder is None else str(folder), messages=written)
    if not values.json:
        values.out.say(f"{counted(len(written), 'message')} written")
    return code


def _data(one: Detail, form: str) -> bytes:
    content = one.content or b""
    if form == "eml":
        return content
    return mbox(restored(one.envelope or "").sender, one.row.admitted, content)


def _folder(path: Path) -> Path:
    """Made for its owner alone: it gets other people's mail."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"cannot make {path}: {(error.strerror or str(error)).lower()}") from None
    return path


def _write(folder: Path, one: Detail) -> None:
    """Content and envelope; nothing is written over."""
    envelope = restored(one.envelope or "")
    reports = envelope.reports and envelope.reports._asdict()
    beside = json.dumps(envelope._asdict() | {"reports": reports}, ensure_ascii=False, indent=2)
    for ending, data in ((".eml", one.content or b""), (".json", beside.encode())):
        path = folder / f"{one.row.name}{ending}"
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(data)
        except OSError as error:
            raise click.UsageError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from None
