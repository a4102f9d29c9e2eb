"""`.secrets.env` is changed whole or not at all, keeps what it is not asked to change, and stays out of git."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.places import gather
from pipeline.config.secrets_file import remove_secret, secret_names, store_secret
from pipeline.errors import ConfigError
from pipeline.secret import Secret


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the secrets of a project are; the file is not there yet."""
    return tmp_path / ".secrets.env"


def store(path: Path, name: str, value: str) -> None:
    """Set a name to a text."""
    store_secret(path, name, Secret(value))


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """A file as it was before."""
    path.write_bytes(text.encode())
    path.chmod(mode)


def names_in(folder: Path) -> list[str]:
    """The names of what is in a folder."""
    return sorted(entry.name for entry in folder.iterdir())


def read(path: Path) -> str:
    """The bytes of a file as text, line ends as they are."""
    return path.read_bytes().decode()


def test_a_new_file(path: Path) -> None:
    """It has one line, for its owner alone, and nothing else is left in the folder but a line for git."""
    store(path, "smtp-password", "hunter2")
    assert read(path) == "smtp-password='hunter2'\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names_in(path.parent) == [".gitignore", ".secrets.env"]
    assert read(path.parent / ".gitignore") == ".secrets.env\n"
    assert secret_names(path) == ("smtp-password",)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_the_mode_does_not_depend_on_the_umask(path: Path, umask: int) -> None:
    """The owner can read and write, and nobody else, whatever new files get otherwise."""
    (path.parent / ".gitignore").write_text("*\n")
    before = os.umask(umask)
    try:
        store(path, "a", "1")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_others_could_read_is_closed(path: Path) -> None:
    """Writing it again takes the right to read from others."""
    write(path, "a=1\n", 0o644)
    store(path, "b", "2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret_names(path) == ("a", "b")


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
awkward = st.text("'\"\\ \n\r\t#=$ae\x85\u2028\ufeff{}", max_size=20)


@given(value=texts | awkward, others=st.lists(awkward, max_size=3))
def test_any_value_is_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, value: str, others: list[str]
) -> None:
    """By python-dotenv from the file, and by the places of the project; also beside other values."""
    path = tmp_path_factory.mktemp("secrets") / ".secrets.env"
    for number, other in enumerate(others):
        store(path, f"other-{number}", other)
    store(path, "it", "before")
    store(path, "last", "x")
    store(path, "it", value)
    wanted = {**{f"other-{number}": other for number, other in enumerate(others)}, "it": value, "last": "x"}
    assert dict(dotenv_values(path, interpolate=False)) == wanted
    places = gather(path.parent, profile="test", environ={}, run_secrets=path.parent / "none")
    assert places.secrets[-1].values == {name: Secret(text) for name, text in wanted.items()}
    assert not places.problems


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell")
@pytest.mark.parametrize("value", ["hunter2", "a b", "$HOME `id` #", 'say "x"', "tab\there", "æ"])
def test_a_shell_reads_plain_values_too(path: Path, value: str) -> None:
    """Without a quote, a backslash and a line end the line means the same to a shell."""
    store(path, "password", value)
    shown = subprocess.run(
        ["sh", "-c", '. "$1"; printf %s "$password"', "sh", str(path)], capture_output=True, check=True
    )
    assert shown.stdout.decode() == value


before = """\
# first\r
a=1   # one\r

 export  b = "x
y"
c='3'
# last
\td=4"""


@pytest.mark.parametrize(
    ("name", "line", "after"),
    [
        ("a", "a=1   # one", "a='new'"),
        ("b", 'export  b = "x\ny"', "b='new'"),
        ("c", "c='3'", "c='new'"),
        ("d", "d=4", "d='new'"),
    ],
)
def test_a_value_is_replaced_where_it_stands(path: Path, name: str, line: str, after: str) -> None:
    """Every other byte of the file stays, line ends and blank lines too."""
    write(path, before)
    store(path, name, "new")
    assert read(path) == before.replace(line, after)


def test_a_new_name_is_added_at_the_end(path: Path) -> None:
    """Behind a last line that has no end, an end is put."""
    write(path, before)
    store(path, "e", "5")
    assert read(path) == before + "\ne='5'\n"
    store(path, "f", "6")
    assert read(path) == before + "\ne='5'\nf='6'\n"


def test_a_byte_order_mark_stays(path: Path) -> None:
    """Editors that write one find it again."""
    write(path, "\ufeffa=1\n")
    store(path, "a", "2")
    assert read(path) == "\ufeffa='2'\n"
    assert remove_secret(path, "a")
    assert read(path) == "\ufeff"


def test_a_name_that_stands_twice_stands_once_afterwards(path: Path) -> None:
    """No old value is left behind."""
    write(path, "a=old\nb=1\na=older\nc=2\n")
    store(path, "a", "new")
    assert read(path) == "b=1\na='new'\nc=2\n"


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("a", before.replace("a=1   # one\r\n", "")),
        ("b", before.replace(' export  b = "x\ny"\n', "")),
        ("c", before.replace("c='3'\n", "")),
        ("d", before.replace("\td=4", "")),
    ],
)
def test_a_name_is_removed(path: Path, name: str, after: str) -> None:
    """Its line goes, every other byte stays."""
    write(path, before)
    assert remove_secret(path, name) is True
    assert read(path) == after
    assert name not in secret_names(path)


def test_every_line_of_a_name_is_removed(path: Path) -> None:
    """A value that stood behind another does not come to light."""
    write(path, "a=1\nb=2\na=3")
    assert remove_secret(path, "a")
    assert read(path) == "b=2\n"


def test_removing_what_is_not_there(path: Path) -> None:
    """It is said, and nothing is written; neither is a folder made."""
    assert remove_secret(path, "a") is False
    assert not path.exists()
    write(path, "b=2\n", 0o640)
    assert remove_secret(path, "a") is False
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert remove_secret(path.parent / "gone" / ".secrets.env", "a") is False
    assert names_in(path.parent) == [".secrets.env"]


def test_names(path: Path) -> None:
    """In the order of the file, each once; none without a file."""
    assert secret_names(path) == ()
    write(path, "# x\nb=1\na=\nb=2\n")
    assert secret_names(path) == ("b", "a")


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a#", "a\nb", "$SECRET(x)", "a)", "é", "x" * 201, "'a'"])
def test_names_that_no_reference_can_have(path: Path, name: str) -> None:
    """A secret that nothing could use is not stored."""
    with pytest.raises(ValueError, match="so nothing could use this secret"):
        store(path, name, "c4nary")
    assert names_in(path.parent) == []


@pytest.mark.parametrize("value", ["c4nary\0", "c4nary\udcff"])
def test_values_that_cannot_be_kept(path: Path, value: str) -> None:
    """The reason is told without the value, and nothing is written."""
    with pytest.raises(ValueError, match="secret") as caught:
        store(path, "a", value)
    assert "c4nary" not in str(caught.value)
    assert names_in(path.parent) == []


@pytest.mark.parametrize("text", ["a='1\n", "a b\n", "alone\n", "=1\n"])
def test_a_file_with_a_line_that_cannot_be_read_is_left_alone(path: Path, text: str) -> None:
    """It is not known what a change would do to it: the fault is told and no byte is written."""
    write(path, text)
    for change in (lambda: store(path, "b", "2"), lambda: remove_secret(path, "b"), lambda: secret_names(path)):
        with pytest.raises(ConfigError) as caught:
            change()
        assert [problem.code for problem in caught.value.problems] == ["E314"]
    assert read(path) == text
    assert names_in(path.parent) == [".secrets.env"]


def test_files_that_are_refused(path: Path) -> None:
    """A pipe, a link out of the folder, a file that everyone can change, and one that is no UTF-8."""

    def refused() -> str:
        with pytest.raises(ConfigError) as caught:
            store(path, "a", "1")
        [problem] = caught.value.problems
        assert problem.code == "E312"
        return problem.message

    os.mkfifo(path)
    assert refused() == "`.secrets.env` is a pipe, not a file"
    path.unlink()
    path.symlink_to("/dev/null")
    assert refused() == "`.secrets.env` is a link that leads out of the project"
    path.unlink()
    write(path, "a=1\n", 0o666)
    assert refused() == "everyone on this machine can change `.secrets.env`"
    path.write_bytes(b"a=\xff\n")
    path.chmod(0o600)
    assert refused() == "`.secrets.env` is not UTF-8"


def test_a_link_inside_the_folder_stays_a_link(path: Path) -> None:
    """The file that it leads to is changed."""
    (path.parent / "private").mkdir()
    write(path.parent / "private" / "secrets", "a=1\n")
    path.symlink_to("private/secrets")
    store(path, "a", "2")
    assert path.is_symlink()
    assert read(path.parent / "private" / "secrets") == "a='2'\n"


def test_what_a_killed_writer_left_is_taken_away(path: Path) -> None:
    """Its part of a file is neither used nor in the way."""
    write(path.with_name(".secrets.env.new"), "a='half", 0o644)
    store(path, "b", "2")
    assert read(path) == "b='2'\n"
    assert not path.with_name(".secrets.env.new").exists()


def test_a_write_that_fails_leaves_the_old_file(path: Path) -> None:
    """No part of a new file stays: neither its text nor its name."""
    write(path, "a=1\n")
    (path.parent / ".gitignore").write_text("*\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            store(path, "b", "x" * 200)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read(path) == "a=1\n"
    assert names_in(path.parent) == [".gitignore", ".secrets.env"]


WRITER = (
    "import sys; from pathlib import Path; from pipeline.config.secrets_file import store_secret;"
    "from pipeline.secret import Secret\n"
    "for number in range(int(sys.argv[3])):"
    " store_secret(Path(sys.argv[1]), sys.argv[2] + str(number), Secret('x' * 99))"
)


def writer(path: Path, name: str, count: int) -> subprocess.Popen[bytes]:
    """A process that stores so many secrets."""
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), name, str(count)])


def test_writers_at_the_same_time_lose_nothing(path: Path) -> None:
    """Of several processes that write at once each finds all its names in the file."""
    writers = [writer(path, name, 15) for name in "abcd"]
    assert [process.wait() for process in writers] == [0] * 4
    assert set(secret_names(path)) == {f"{name}{number}" for name in "abcd" for number in range(15)}
    assert read(path.parent / ".gitignore") == ".secrets.env\n"


def test_a_writer_that_is_killed_leaves_a_whole_file(path: Path) -> None:
    """Whenever it is killed the file has the lines of a number of whole writes, and the next writer goes on."""
    stored = 0
    for _ in range(5):
        process = writer(path, "a", 100_000)
        while not path.exists() or len(secret_names(path)) <= stored:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        names = secret_names(path)
        assert names == tuple(f"a{number}" for number in range(len(names)))
        assert set(dotenv_values(path, interpolate=False).values()) == {"x" * 99}
        stored = len(names)
    store(path, "b", "1")
    assert secret_names(path)[-1] == "b"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize(
    ("ignore", "added"),
    [
        (None, ".secrets.env\n"),
        ("", ".secrets.env\n"),
        ("*.pyc", "\n.secrets.env\n"),
        ("*.pyc\n", ".secrets.env\n"),
        (".secrets.env\n", ""),
        ("/.secrets.env\r\n", ""),
        ("*.env\n", ""),
        (".*\n*.pyc", ""),
        (".secrets.en[a-z]  \n", ""),
        ("# .secrets.env\n", ".secrets.env\n"),
        (".secrets.env/\n", ".secrets.env\n"),
        ("other/.secrets.env\n", ".secrets.env\n"),
        (".env\n", ".secrets.env\n"),
        (".secrets.env\n!.secrets.env\n", ".secrets.env\n"),
        ("!.secrets.env\n*.env\n", ""),
    ],
)
def test_the_file_is_kept_out_of_git(path: Path, ignore: str | None, added: str) -> None:
    """A line is added to `.gitignore` when none there covers the file, and git agrees."""
    subprocess.run(["git", "init", "-q", str(path.parent)], check=True, env={"PATH": os.environ["PATH"], "HOME": "/"})
    file = path.parent / ".gitignore"
    if ignore is not None:
        file.write_bytes(ignore.encode())
    for _ in range(2):
        store(path, "a", "1")
        assert (read(file) if file.exists() else "") == (ignore or "") + added
    checked = subprocess.run(["git", "-C", str(path.parent), "check-ignore", "-q", ".secrets.env"], check=False)
    assert checked.returncode == 0


def test_a_gitignore_that_cannot_be_trusted(path: Path) -> None:
    """A pipe or a link out of the folder is not written to, and then no secret is stored."""
    os.mkfifo(path.parent / ".gitignore")
    with pytest.raises(ConfigError) as caught:
        store(path, "a", "1")
    assert caught.value.problems[0].message == "`.gitignore` is a pipe, not a file"
    assert not path.exists()


@given(
    st.lists(st.sampled_from(["a=1\n", "# x\n", "\n", "b='x\ny'\n", " c=\r\n", "a=2 # y\n", "d=\\n\n"]), max_size=8),
    st.sampled_from("abcd"),
    st.booleans(),
)
def test_other_names_keep_their_values(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], name: str, remove: bool
) -> None:
    """Whatever stands in the file, a change of one name changes only that one."""
    path = tmp_path_factory.mktemp("secrets") / ".secrets.env"
    write(path, "".join(lines))
    old = dotenv_values(path, interpolate=False)
    if remove:
        assert remove_secret(path, name) == (name in old)
        assert dotenv_values(path, interpolate=False) == {key: old[key] for key in old if key != name}
    else:
        store(path, name, "new")
        assert dict(dotenv_values(path, interpolate=False)) == {**old, name: "new"}
