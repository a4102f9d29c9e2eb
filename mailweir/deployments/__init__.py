"""Files for those who run a service: written into a project by `mailweir init --deploy`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

KINDS: Final[Mapping[str, str]] = {
    "systemd": "a unit that watches over it",
    "docker": "an image with the project in it",
    "compose": "the image with its state and secrets, and a catcher to try it",
    "k8s": "a StatefulSet with probes",
    "monitoring": "alerts for Prometheus, and a dashboard for Grafana",
}
# What builds on another one.
_needs: Final[Mapping[str, tuple[str, ...]]] = {"compose": ("docker",), "k8s": ("docker",)}
FOLDER: Final = "deploy"


def files_for(kind: str, version: str) -> dict[str, bytes]:
    """The files of one kind, and of those that it builds on: path in the project → content."""
    found: dict[str, bytes] = {}
    for name in (kind, *_needs.get(kind, ())):
        folder = Path(__file__).with_name(name)
        for path in sorted(folder.iterdir()):
            text = path.read_text("utf-8").replace("@VERSION@", version)
            found[f"{FOLDER}/{name}/{path.name}"] = text.encode()
    return found
