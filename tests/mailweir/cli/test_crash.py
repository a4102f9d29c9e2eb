"""A fault in the program itself."""

import io
from pathlib import Path

import pytest

from mailweir.cli.crash import report
from mailweir.cli.out import Out


def fail(value: str) -> None:
    """Fail in a function with a name."""
    raise KeyError(value)


@pytest.mark.parametrize("verbose", [False, True])
def test_the_report_names_the_place_and_hides_secrets(tmp_path: Path, verbose: bool) -> None:
    """One line says what failed and where the report is; the report has the traceback, scrubbed and private."""
    errors = io.StringIO()
    out = Out(stdout=io.StringIO(), stderr=errors, environ={})
    out.scrubber.add("canary-5d21")
    with pytest.raises(KeyError) as caught:
        fail("canary-5d21")
    code, said = report(caught.value, out, folder=tmp_path, verbose=verbose)
    assert (code, said) == (70, "mailweir itself failed (KeyError in test_crash.fail)")
    first = errors.getvalue().splitlines()[0]
    assert first == "error: mailweir itself failed (KeyError in test_crash.fail)"
    assert ("Traceback" in errors.getvalue()) is verbose
    (saved,) = (tmp_path / ".mailweir" / "crash").iterdir()
    assert saved.stat().st_mode & 0o777 == 0o600
    assert "KeyError" in saved.read_text()
    assert "canary" not in saved.read_text() + errors.getvalue()


def test_a_report_that_cannot_be_saved_is_offered(tmp_path: Path) -> None:
    """Where nothing can be written the person is told how to see it."""
    errors = io.StringIO()
    (tmp_path / ".mailweir").write_text("in the way")
    with pytest.raises(KeyError) as caught:
        fail("x")
    report(caught.value, Out(stdout=io.StringIO(), stderr=errors, environ={}), folder=tmp_path)
    assert "-vv prints it" in errors.getvalue()
