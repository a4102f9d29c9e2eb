"""`python -m bench [NAME…]`: every bench, or the named ones. Figures are medians of rounds that take turns."""

from __future__ import annotations

import sys
from importlib import import_module

names = (
    "start",
    "reader",
    "check",
    "hostile",
    "entities",
    "dtl",
    "template",
    "mime",
    "smtp",
    "state",
    "mail",
    "pipelines",
    "service",
    "testing",
)


def main(arguments: list[str]) -> int:
    """Run the benches one after the other."""
    unknown = [name for name in arguments if name not in names]
    if unknown:
        sys.stderr.write(f"error: no bench {unknown[0]!r} ({' '.join(names)})\n")
        return 2
    for name in arguments or names:
        import_module(f"bench.{name}").run()
        sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
