"""Standard streams that are closed, full, or that nobody reads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mailweir.cli.streams import StreamError, opened, put

COMMAND = str(Path(sys.executable).with_name("mailweir"))
TO_STANDARD_OUTPUT = [
    ["--help"],
    ["--version"],
    ["check", "--help"],
    ["check", "--json"],
    ["explain", "E101"],
    ["list", "codes"],
    ["completion", "bash"],
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one component."""
    (tmp_path / "a.conf.json").write_text('{"_id": "a", "type": "system:smtp"}')
    return tmp_path


def names(arguments: list[str]) -> str:
    """The words of a command as the name of a test."""
    return " ".join(arguments)


@pytest.mark.parametrize("arguments", TO_STANDARD_OUTPUT, ids=names)
def test_a_pipe_that_nobody_reads_is_no_fault(project: Path, arguments: list[str]) -> None:
    """The verb ends as it would have, without a word on standard error."""
    end, start = os.pipe()
    os.close(end)
    done = subprocess.run([COMMAND, *arguments], cwd=project, stdout=start, stderr=subprocess.PIPE, check=False)
    os.close(start)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_verdict_outlives_the_reader(project: Path) -> None:
    """A check that finds an error says so by its exit code, although nobody reads the rest of what it prints."""
    (project / "a.conf.json").write_text('{"_id": "a"')
    end, start = os.pipe()
    os.close(end)
    for arguments in (["check", "--json"], ["check"]):
        done = subprocess.run([COMMAND, *arguments], cwd=project, stdout=start, stderr=start, check=False)
        assert done.returncode == 1
    os.close(start)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("arguments", TO_STANDARD_OUTPUT, ids=names)
def test_what_cannot_be_written_is_said(project: Path, arguments: list[str]) -> None:
    """A full disk is one line on standard error, and wrong use."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([COMMAND, *arguments], cwd=project, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.stderr == b"error: cannot write to standard output: no space left on device\n"
    assert done.returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_standard_error_changes_no_exit_code(project: Path) -> None:
    """There is nobody to tell, so only the exit code speaks."""
    with Path("/dev/full").open("wb") as full:
        codes = [
            subprocess.run([COMMAND, *arguments], cwd=project, stdout=full, stderr=full, check=False).returncode
            for arguments in (["check"], ["chekc"], ["list", "codes"])
        ]
    assert codes == [0, 2, 2]


@pytest.mark.parametrize("arguments", TO_STANDARD_OUTPUT, ids=names)
def test_streams_may_be_closed_from_the_start(project: Path, arguments: list[str]) -> None:
    """With all three closed a verb runs to its end."""
    closing = 'exec "$0" "$@" <&- >&- 2>&-'
    done = subprocess.run(["/bin/sh", "-c", closing, COMMAND, *arguments], cwd=project, check=False)
    assert done.returncode == 0


def test_a_closed_standard_input_holds_nothing(project: Path) -> None:
    """What reads from there finds no text, and says that."""
    closing = 'exec "$0" "$@" <&-'
    ends = {}
    for arguments in (["check", "-"], ["secret", "set", "x"]):
        shell = ["/bin/sh", "-c", closing, COMMAND, *arguments]
        ends[arguments[0]] = subprocess.run(shell, cwd=project, capture_output=True, check=False)
    assert b"error[E114]: the document is empty" in ends["check"].stderr
    assert ends["secret"].stderr.startswith(b"error: no value came in.")


def test_a_reader_that_goes_is_noticed_once() -> None:
    """The first write tells it; what follows goes nowhere without a fault."""
    end, start = os.pipe()
    os.close(end)
    with os.fdopen(start, "w", encoding="utf-8") as stream:
        assert put(stream, "a\n") is False
        assert put(stream, "b\n") is True
        assert put(stream, b"c\n") is True


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_refusal_names_the_stream() -> None:
    """The words are the system's; a second write does not fail again."""
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        with pytest.raises(StreamError, match="cannot write to /dev/full: no space left on device"):
            put(stream, "a")
        assert put(stream, "b")


def test_a_stream_that_is_there_is_taken_as_it_is() -> None:
    """Only a missing one is replaced, by one that takes everything."""
    with opened(None) as nowhere:
        assert put(nowhere, "x")
        assert opened(nowhere) is nowhere
