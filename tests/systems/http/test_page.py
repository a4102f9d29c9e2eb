"""The page on services, as it is written: its examples do what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.web import answer, serving

TOP = Path(__file__).parents[3]


def example(heading: str) -> list[dict[str, Any]]:
    """The first configuration below a heading."""
    page = (TOP / "docs" / "rest.md").read_text(encoding="utf-8")
    block = page.partition(f"## {heading}\n")[2].partition("```json\n")[2].partition("```")[0]
    found: list[dict[str, Any]] = json.loads(block)
    return found


def test_the_example_of_a_source_reads_its_pages(tmp_path: Path) -> None:
    """At a service that is as it describes, with its token, and later only what has changed."""
    asked: list[dict[str, list[str]]] = []

    def serve(handler: BaseHTTPRequestHandler) -> None:
        assert handler.headers["Authorization"] == "Bearer s3cr3t-t0ken"
        query = parse_qs(urlsplit(handler.path).query)
        asked.append(query)
        first = "page" not in query
        orders = (
            [{"number": "1", "changed_at": "2026-01-01"}] if first else [{"number": "2", "changed_at": "2026-01-02"}]
        )
        body = {"data": {"orders": orders}, **({"next": "?page=2"} if first else {})}
        answer(handler, json.dumps(body).encode(), Content_Type="application/json")

    (tmp_path / ".secrets.env").write_text("shop-token=s3cr3t-t0ken")
    (tmp_path / ".secrets.env").chmod(0o600)
    with serving(serve) as url:
        system, pipe = example("Operations")
        system |= {"url_pattern": f"{url}/api/%s", "allow_private": True}
        (tmp_path / "p.conf.json").write_text(json.dumps([system, pipe]))
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-m", "mailweir", "run"],
                capture_output=True,
                text=True,
                cwd=tmp_path,
                env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
                check=False,
                timeout=300,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert "2 read" in done.stdout
    assert [query.get("since") for query in asked] == [None, None, ["2026-01-02"], ["2026-01-02"]]
    assert all(query["state"] == ["paid"] and query["limit"] == ["100"] for query in asked)
    assert "s3cr3t" not in done.stdout + done.stderr
