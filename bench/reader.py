"""How fast configuration text is read, with the standard library's reader (which keeps no places) beside it."""

from __future__ import annotations

import json

from bench.rounds import measure
from pipeline.config.text import read


def configuration(size: int) -> str:
    """Pipes as people write them, until the text has about `size` characters."""
    one = {
        "_id": "welcome-mail",
        "type": "pipe",
        "source": {"type": "dataset", "dataset": "customers", "include_replaced": False},
        "transform": {
            "type": "dtl",
            "rules": {
                "default": [
                    ["copy", "*"],
                    ["add", "name", ["concat", "_S.first", " ", "_S.last"]],
                    ["filter", ["and", ["is-not-null", "_S.email"], ["gt", "_S.orders", 3]]],
                ]
            },
        },
        "sink": {"type": "mail", "system": "our-smtp-server", "body_template": "<p>Hello {{ name }}</p>\n" * 5},
        "pump": {"schedule_interval": 900, "mode": "scheduled", "run_at_startup": True, "rescan_run_count": 10},
    }
    length = len(json.dumps(one, indent=2))
    pipes = [one | {"_id": f"welcome-mail-{number}"} for number in range(max(1, size // length))]
    return json.dumps(pipes, indent=2)


def run() -> None:
    """One text of 1 MB, and faulty ones of the same size."""
    text = configuration(1_000_000)
    data = text.encode()
    measure(
        "Reading 1 MB of configuration",
        {
            "json.loads (no places)": lambda: json.loads(text),
            "read, with a place for every key and value": lambda: read(data, "a.conf.json"),
            "read, cut off in the middle": lambda: read(data[: len(data) // 2], "a.conf.json"),
            "read, 1 MB of quotes": lambda: read(b'"' * 1_000_000, "a.conf.json"),
            "read, 1 MB of brackets": lambda: read(b"[" * 1_000_000, "a.conf.json"),
        },
    )
