"""Files with values are read when they are regular, small enough, inside, and nobody else's to change."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pipeline.config.trusted import RefusedError, Rules, read_trusted, text_of

RULES = Rules(100)


def refused(path: Path, rules: Rules = RULES) -> tuple[str, list[str]]:
    """Why a file is refused: the message and the notes."""
    with pytest.raises(RefusedError) as caught:
        read_trusted(path, "values", rules)
    problem = caught.value.problem
    assert problem.code == "E312"
    assert problem.span.file == "values"
    assert str(caught.value) == problem.message
    return problem.message, [note.text for note in problem.notes]


def test_a_regular_file_is_read(tmp_path: Path) -> None:
    """Its bytes come back as they are, up to the limit."""
    path = tmp_path / "values"
    path.write_bytes(b"\xff" * 100)
    assert read_trusted(path, "values", RULES) == b"\xff" * 100
    path.write_bytes(b"x" * 3001)
    assert refused(path, Rules(3000)) == ("`values` is larger than 3 kB", [])


def test_no_file(tmp_path: Path) -> None:
    """None, or refused when one was asked for by name; a file in the place of the folder is no file either."""
    assert read_trusted(tmp_path / "values", "values", RULES) is None
    assert refused(tmp_path / "values", Rules(100, required=True)) == ("there is no file `values`", [])
    (tmp_path / "folder").write_bytes(b"")
    assert read_trusted(tmp_path / "folder" / "values", "values", RULES) is None


def test_only_regular_files(tmp_path: Path) -> None:
    """A folder, a pipe, a device and a socket are refused, without waiting for a writer."""
    assert refused(tmp_path) == ("`values` is a folder, not a file", [])
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe") == ("`values` is a pipe, not a file", [])
    assert refused(Path("/dev/null")) == ("`values` is a device, not a file", [])
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        assert refused(tmp_path / "s")[0].startswith("cannot read `values`: ")


def test_links(tmp_path: Path) -> None:
    """A link is followed; not in a circle, not to nowhere, and not out of the folder that is given."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "real").write_bytes(b"in")
    (tmp_path / "real").write_bytes(b"out")
    (inside / "good").symlink_to("real")
    (inside / "bad").symlink_to("../real")
    (inside / "circle").symlink_to("circle")
    (inside / "nowhere").symlink_to("gone")
    within = Rules(100, within=inside)
    assert read_trusted(inside / "good", "values", within) == b"in"
    assert read_trusted(inside / "bad", "values", RULES) == b"out"
    assert refused(inside / "bad", within)[0] == "`values` is a link that leads out of its folder"
    project = Rules(100, "unchanged", inside)
    assert refused(inside / "bad", project)[0] == "`values` is a link that leads out of the project"
    assert refused(inside / "circle")[0] == "cannot read `values`: too many levels of symbolic links"
    assert refused(inside / "nowhere")[0] == "`values` is a link that leads nowhere"


def test_a_linked_folder_is_still_the_folder(tmp_path: Path) -> None:
    """A project that is reached over a link has its files inside."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "values").write_bytes(b"in")
    (tmp_path / "link").symlink_to("real")
    assert read_trusted(tmp_path / "link" / "values", "values", Rules(100, within=tmp_path / "link")) == b"in"


@pytest.mark.parametrize(
    ("mode", "any_care", "unchanged", "private"),
    [
        (0o600, True, True, True),
        (0o400, True, True, True),
        (0o640, True, True, False),
        (0o604, True, True, False),
        (0o620, True, True, False),
        (0o644, True, True, False),
        (0o664, True, True, False),
        (0o666, True, False, False),
        (0o602, True, False, False),
    ],
)
def test_modes(tmp_path: Path, mode: int, any_care: bool, unchanged: bool, private: bool) -> None:
    """What others may do with a file decides, as far as its reader cares."""
    path = tmp_path / "values"
    path.write_bytes(b"x")
    path.chmod(mode)
    for care, accepted in (("any", any_care), ("unchanged", unchanged), ("private", private)):
        rules = Rules(100, "any" if care == "any" else "unchanged" if care == "unchanged" else "private")
        if accepted:
            assert read_trusted(path, "values", rules) == b"x"
        else:
            _, notes = refused(path, rules)
            assert notes[0] == f"its mode is {mode:04o}"


def test_what_is_said_of_modes(tmp_path: Path) -> None:
    """The message says what others can do, and the help can be pasted."""
    path = tmp_path / "values"
    path.write_bytes(b"x")
    path.chmod(0o644)
    said = ("others on this machine can read `values`", ["its mode is 0644", "`chmod 600 values`"])
    assert refused(path, Rules(100, "private")) == said
    path.chmod(0o660)
    assert refused(path, Rules(100, "private"))[0] == "others on this machine can change `values`"
    path.chmod(0o666)
    said = ("everyone on this machine can change `values`", ["its mode is 0666", "`chmod o-w values`"])
    assert refused(path, Rules(100, "unchanged")) == said
    with pytest.raises(RefusedError) as caught:
        read_trusted(path, "my values", Rules(100, "unchanged"))
    assert caught.value.problem.notes[1].text == "`chmod o-w 'my values'`"


def test_a_read_that_fails(tmp_path: Path) -> None:
    """What the system says is repeated in small letters."""
    path = tmp_path / ("x" * 300)
    assert refused(path) == ("cannot read `values`: file name too long", [])
    if Path("/proc/self/mem").exists():
        assert refused(Path("/proc/self/mem")) == ("cannot read `values`: input/output error", [])


def test_no_handle_is_left_open(tmp_path: Path) -> None:
    """Refused or read, a file is closed again."""
    path = tmp_path / "values"
    path.write_bytes(b"x" * 200)
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(20):
        refused(path)
        refused(tmp_path)
        read_trusted(path, "values", Rules(1000))
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_text() -> None:
    """UTF-8 with or without a mark is text; anything else is refused without being repeated."""
    assert text_of("\ufeffæ".encode(), "values") == "\ufeffæ"
    with pytest.raises(RefusedError, match="`values` is not UTF-8"):
        text_of(b"c4nary\xff", "values")
