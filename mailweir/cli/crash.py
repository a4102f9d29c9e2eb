"""A fault in the program itself: a report without secrets, and one line that says where it is."""

from __future__ import annotations

import os
import traceback
from datetime import UTC, datetime
from pathlib import Path

from mailweir.cli.out import Out

OWN_FAULT = 70


def report(error: Exception, out: Out, *, folder: Path, verbose: bool = False) -> tuple[int, str]:
    """Save the traceback below `folder`, scrubbed and without values, and say so: the exit code, and what was said."""
    text = out.scrubber.scrub("".join(traceback.format_exception(error)))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    said = f"mailweir itself failed ({type(error).__name__} in {Path(frame.filename).stem}.{frame.name})"
    out.fault(f"error: {said}")
    if verbose:
        out.fault(text)
    reports = folder / ".mailweir" / "crash"
    path = reports / f"{datetime.now(UTC):%m%d-%H%M%S}-{os.getpid()}.txt"
    try:
        reports.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError:
        out.fault("  The report could not be saved here; -vv prints it")
    else:
        out.fault(f"  Report: {path}   secrets are removed; read it before you share it")
    return OWN_FAULT, said
