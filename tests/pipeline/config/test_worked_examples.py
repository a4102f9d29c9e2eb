"""The worked examples of the manual of errors: the whole way from files on disk to the text on the screen."""

import shutil
from pathlib import Path

import pytest

from pipeline.config.load import Options, load
from pipeline.config.show import render, summary

examples = sorted(path for path in (Path(__file__).parent / "worked").iterdir())
# As long as the real folder, so that lines break at the same words; that one may exist where the tests run.
NOWHERE = Path("/nonexistent")
env = {
    "03-missing-variable": "smtp-username=post@example.com\nnode-env=test\nbase-url=https://example.com\n",
    "A-manual-example": "smtp-user=post@example.com\nnode-env=test\nbase-url=https://example.com\n",
}
secrets = {"04-missing-secret": "old-token=x\n", "A-manual-example": "old-token=x\n"}


@pytest.mark.parametrize("example", examples, ids=lambda path: path.name)
def test_a_worked_example_reads_as_printed(example: Path, tmp_path: Path) -> None:
    """Code, line, column, carets, notes, repairs and the count are those of the manual, to the letter."""
    shutil.copytree(example, tmp_path, dirs_exist_ok=True)
    expected = (tmp_path / "expected.txt").read_text()
    text = "".join(path.read_text() for path in tmp_path.rglob("*.conf.json"))
    uses_login = "$ENV(smtp-username)" in text
    (tmp_path / ".env").write_text(env.get(example.name, "smtp-username=post@example.com\n" if uses_login else ""))
    store = tmp_path / ".secrets.env"
    uses_secret = "$SECRET(smtp-password)" in text
    store.write_text(secrets.get(example.name, "smtp-password=canary-7d1f\n" if uses_secret else ""))
    store.chmod(0o600)
    loaded = load(tmp_path, Options(environ={}, here=tmp_path, run_secrets=NOWHERE))
    project = loaded.project
    shown = render(loaded.problems, project.texts, masks=project.masks, scrubber=project.scrubber).rstrip("\n")
    shown += f"\n\n{summary(loaded.problems, len(loaded.files))}\n"
    shown = shown.replace(str(NOWHERE), "/run/secrets")
    assert shown == expected
    assert "canary" not in shown
