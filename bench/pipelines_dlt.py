"""What dlt makes of a file of JSON Lines: a table of DuckDB, written anew, without comparing anything to before.

`python pipelines_dlt.py people.jsonl folder`, with an interpreter that has `dlt[duckdb]`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt  # type: ignore[import-not-found]  # it is in a folder of its own
from dlt.common import json  # type: ignore[import-not-found]  # as above


@dlt.resource(name="people", write_disposition="replace", max_table_nesting=0)  # type: ignore[untyped-decorator]  # as above
def people(path: str) -> Iterator[list[Any]]:
    """The entities, some thousand at a time, as the manual of dlt advises."""
    batch: list[Any] = []
    with Path(path).open("rb") as lines:
        for line in lines:
            batch.append(json.loadb(line))
            if len(batch) == 5000:
                yield batch
                batch = []
    yield batch


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    pipeline = dlt.pipeline(
        pipeline_name="people",
        pipelines_dir=str(folder / "state"),
        destination=dlt.destinations.duckdb(str(folder / "people.duckdb")),
        dataset_name="shop",
    )
    pipeline.run(people(sys.argv[1])).raise_on_failed_jobs()
