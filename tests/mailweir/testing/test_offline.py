from __future__ import annotations

import os
import socket
import subprocess

import pytest

from mailweir.testing.offline import OfflineError, offline


def test_nothing_connects_while_a_test_runs() -> None:
    """Whoever tries is told what to write instead; afterwards everything is as it was."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        with offline("transform:a:b"), pytest.raises(OfflineError, match="add a mock for `transform:a:b`"):
            socket.create_connection(server.getsockname(), 5)
        socket.create_connection(server.getsockname(), 5).close()


def test_no_program_is_started() -> None:
    """A program could do what a test may not."""
    with offline(), pytest.raises(OfflineError, match="starts no program"):
        subprocess.run(["true"], check=True)
    with offline(), offline("x"), pytest.raises(OfflineError):
        os.system("true")
    subprocess.run(["true"], check=True)
