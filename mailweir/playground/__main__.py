"""The process in which things are tried: a line of JSON in, a line out, until nobody asks any more."""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
from pathlib import Path
from typing import Final

# Bytes, for what an entity and a template can grow to; a project of any size needs a tenth of it.
MEMORY: Final = 2 * 2**30
# Who asks has given up by then: a loop without an end ends here, also when nobody is there any more.
SECONDS: Final = 15
# Without a question for so long nobody looks at the page.
IDLE: Final = 300.0


def main() -> None:
    """Answer, as long as anybody asks."""
    root, profile = Path(sys.argv[1]), sys.argv[2]
    # Functions of the project may print: that is none of the answers.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from mailweir.playground.trying import answer

    asked = os.fdopen(0, "rb", buffering=0)
    waiting = b""
    while True:
        if b"\n" not in waiting:
            if not select.select([asked], [], [], IDLE)[0]:
                return
            part = asked.read(2**20)
            if not part:
                return
            waiting += part
            continue
        line, _, waiting = waiting.partition(b"\n")
        signal.alarm(SECONDS)
        text = answer(root, profile, line.decode())
        signal.alarm(0)
        out.write(text + "\n")
        out.flush()


if __name__ == "__main__":
    main()
