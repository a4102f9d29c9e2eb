"""Measuring things in turn: A B C, A B C, … so that a machine whose speed drifts drifts for all of them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median


def process(command: Sequence[str], folder: Path, expect: int = 0) -> Callable[[], None]:
    """A whole process as something to measure; another exit code than expected is an error."""

    def once() -> None:
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        if done.returncode != expect:
            raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr.decode()[:500]}")

    return once


def measure(
    title: str, rivals: Mapping[str, Callable[[], object]], rounds: int = 9, unit: str = "ms", count: int = 1
) -> None:
    """Print the median, the spread and the ratio to the first of the rivals. A round does the work `count` times."""
    times: dict[str, list[float]] = {name: [] for name in rivals}
    for name, once in rivals.items():
        once()
        times[name].clear()
    for _ in range(rounds):
        for name, once in rivals.items():
            start = time.perf_counter()
            once()
            times[name].append(time.perf_counter() - start)
    scale = {"µs": 1e6, "ms": 1e3, "s": 1}[unit] / count
    first = median(next(iter(times.values())))
    sys.stdout.write(f"{title} (median of {rounds} rounds in turn)\n")
    for name, taken in times.items():
        middle = median(taken)
        spread = f"{min(taken) * scale:8.1f} to {max(taken) * scale:.1f}"
        sys.stdout.write(f"  {name:44} {middle * scale:8.1f} {unit}  {spread:>20}  {middle / first:6.2f} x\n")
