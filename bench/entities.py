"""What reading entities costs: the source `json`, with bare decoders beside it that read each line and keep nothing."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from bench.rounds import measure
from sources.json_file import Json

ENTITIES = 20_000


def run() -> None:
    """One file in three forms; each is read from the disk in every round."""
    import msgspec

    entities = [
        {
            "_id": f"A-{number}",
            "name": "Ann Lee",
            "email": f"ann.lee.{number}@example.org",
            "total": 62.5,
            "rows": [{"quantity": row, "title": f"Coffee & cake {row}", "price": "12.50"} for row in range(5)],
            "shop": "Grünerløkka kaffe",
        }
        for number in range(ENTITIES)
    ]
    decode = msgspec.json.Decoder().decode
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = folder / "lines.jsonl"
        lines.write_text("".join(f"{json.dumps(entity)}\n" for entity in entities))
        (folder / "list.json").write_text(json.dumps(entities))
        (folder / "tall.json").write_text(json.dumps(entities, indent=2))

        def source(file: str, *, lasting: bool = True) -> int:
            return sum(len(batch) for batch, _ in Json(folder, file, lasting=lasting).read(None))

        def plain() -> int:
            with lines.open("rb") as file:
                return sum(1 for line in file if json.loads(line))

        def bare() -> int:
            with lines.open("rb") as file:
                return sum(1 for line in file if decode(line))

        size = lines.stat().st_size // ENTITIES
        measure(
            f"Reading {ENTITIES:,} entities of {size} bytes from a file",
            {
                "json.loads, line by line": plain,
                "msgspec, line by line": bare,
                "Mailweir, lines": lambda: source("lines.jsonl"),
                "Mailweir, lines, without a position": lambda: source("lines.jsonl", lasting=False),
                "Mailweir, a list": lambda: source("list.json"),
                "Mailweir, a list over many lines": lambda: source("tall.json"),
            },
        )
