"""The journal of one sender."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.state import journal, records
from pipeline.state.facts import MessageState, Settlement
from pipeline.state.journal import Journal


def settlement(message: int, result: str = "") -> Settlement:
    """A message that was sent."""
    return Settlement(message, 1, "gate", 1, 1, 12.5, MessageState.SENT, None, 0, 1, result)


def test_what_was_appended_is_told(tmp_path: Path) -> None:
    """Another process reads what this one wrote, while it still runs."""
    mine = Journal(tmp_path, "me")
    mine.handing_over([(1, 1), (2, 1)])
    mine.settled([settlement(1)])
    told, files = journal.told(tmp_path, "me")
    assert told.handed_over == {1: 1, 2: 1}
    assert list(told.settlements.values()) == [settlement(1)]
    assert [file.name for file in files] == ["me-1.journal"]
    assert mine.is_handed_over(2, 1)
    assert not mine.is_handed_over(2, 2)
    assert not mine.is_handed_over(1, 1)
    mine.close()


def test_what_was_answered_goes_on_record_with_what_goes_next(tmp_path: Path) -> None:
    """One append for both; a message that is answered in it is handed over no more, one that goes again is."""
    mine = Journal(tmp_path, "me")
    mine.handing_over([(1, 1), (2, 1)])
    mine.handing_over([(3, 1), (2, 2)], [settlement(1), settlement(2)])
    told, _ = journal.told(tmp_path, "me")
    assert told.handed_over == {1: 1, 2: 2, 3: 1}
    assert list(told.settlements.values()) == [settlement(1), settlement(2)]
    assert mine.is_handed_over(3, 1)
    assert mine.is_handed_over(2, 2)
    assert not mine.is_handed_over(1, 1)
    mine.close()


def test_the_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Answers of servers hold addresses."""
    Journal(tmp_path, "me").close()
    assert (tmp_path / "me-1.journal").stat().st_mode & 0o777 == 0o600


def test_it_has_its_room_from_the_start(tmp_path: Path) -> None:
    """A disk that becomes full later does not stop an append: the blocks are there."""
    mine = Journal(tmp_path, "me", 2**20)
    found = (tmp_path / "me-1.journal").stat()
    assert found.st_size == 2**20
    assert found.st_blocks * 512 >= 2**20
    mine.close()


def test_a_full_segment_is_followed_by_one_that_repeats_what_matters(tmp_path: Path) -> None:
    """What was handed over and has no answer, and answers that the database has not; nothing else, and one file."""
    mine = Journal(tmp_path, "me", 4096)
    for message in range(500):
        mine.handing_over([(message, 1)])
        if message % 100:
            mine.settled([settlement(message)])
            mine.taken_over(1)
    told, files = journal.told(tmp_path, "me")
    assert len(files) == 1
    assert files[0].name != "me-1.journal"
    open_ones = {message for message in told.handed_over if (message, 1) not in told.settlements}
    assert open_ones == {0, 100, 200, 300, 400}
    mine.close()


def test_answers_that_the_database_has_not_are_kept_over_segments(tmp_path: Path) -> None:
    """However long the database takes."""
    mine = Journal(tmp_path, "me", 4096)
    for message in range(300):
        mine.handing_over([(message, 1)])
        mine.settled([settlement(message)])
    told, files = journal.told(tmp_path, "me")
    assert len(files) == 1
    assert {key[0] for key in told.settlements} == set(range(300))
    mine.taken_over(299)
    for message in range(300, 340):
        mine.handing_over([(message, 1)])
    mine.close()


def test_a_record_larger_than_a_segment_has_its_own(tmp_path: Path) -> None:
    """A message to ten thousand people has a long answer."""
    mine = Journal(tmp_path, "me", 4096)
    mine.handing_over([(1, 1)])
    mine.settled([settlement(1, "x" * 100_000)])
    told, _ = journal.told(tmp_path, "me")
    assert told.settlements[1, 1].result == "x" * 100_000
    mine.close()


def test_segments_of_a_crash_in_between_are_read_in_order(tmp_path: Path) -> None:
    """The next one may be there before the last one is gone."""
    (tmp_path / "me-9.journal").write_bytes(records.begin("me", 9) + records.handing_over([(1, 1)]))
    (tmp_path / "me-10.journal").write_bytes(records.begin("me", 10) + records.handing_over([(1, 2)]))
    (tmp_path / "me-x.journal").write_bytes(b"")
    (tmp_path / "you-1.journal").write_bytes(records.begin("you", 1) + records.handing_over([(7, 7)]))
    told, files = journal.told(tmp_path, "me")
    assert told.handed_over == {1: 2}
    assert [file.name for file in files] == ["me-9.journal", "me-10.journal"]
    journal.remove(files)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["me-x.journal", "you-1.journal"]


def test_removed_it_leaves_nothing(tmp_path: Path) -> None:
    """A sender that settled everything takes its file along."""
    mine = Journal(tmp_path, "me")
    mine.handing_over([(1, 1)])
    mine.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_is_an_error_and_loses_nothing(tmp_path: Path) -> None:
    """A new segment that gets no room is taken away; what matters is still told, and is written when there is room."""
    mine = Journal(tmp_path, "me", 4096)
    mine.handing_over([(1, 1)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A limit on the size of files refuses like a full disk does, at the call that needs room.
    script = f"""
import resource, signal, sys
from pathlib import Path
from pipeline.state.journal import Journal
from pipeline.state import journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
mine = Journal(Path({str(tmp_path)!r}), "child", 4096)
mine.handing_over([(1, 1)])
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, {hard}))
try:
    mine.handing_over([(number, 1) for number in range(2, 400)])
except OSError as error:
    print(error.errno)
told, files = journal.told(Path({str(tmp_path)!r}), "child")
print(told.handed_over, len(files))
resource.setrlimit(resource.RLIMIT_FSIZE, ({soft}, {hard}))
mine.handing_over([(number, 1) for number in range(2, 400)])
told, files = journal.told(Path({str(tmp_path)!r}), "child")
print(len(told.handed_over), len(files))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(errno.EFBIG), "{1: 1} 1", "399 1"]
    mine.close()


def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """Nothing can be on record then."""
    with pytest.raises(FileNotFoundError):
        Journal(tmp_path / "gone", "me")
    assert not os.path.lexists(tmp_path / "gone")
