"""The draft of the capture app: sealed, whole, one per window, there after a kill."""

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest
from support import REPOSITORY

from mortality.capture.journal import Journal, Kept
from mortality.capture.records import new_draft
from mortality.capture.session import open_session
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.warehouse.lake import create_home

UNIT, OTHER_UNIT = "VN2025:21115", "VN2025:21040"
NAME, CAUSE = "Nguyễn Thị Hoa Kỳ Lạ", "chết vì rắn hổ mang cắn"


@pytest.fixture
def home(tmp_path):
    create_home(tmp_path / "home")
    return tmp_path / "home"


def kept(*names):
    drafts = tuple(new_draft({"full_name": name, "cause_text": CAUSE}) for name in names)
    return Kept(drafts, drafts[0].key if drafts else "", changed_at="2026-01-10 08:00:00")


def sealed_files(home):
    return list((home / "restricted" / "capture").rglob("*.sealed"))


def test_what_was_kept_is_read_back(home):
    journal = Journal(home, "tram", UNIT)
    written = kept(NAME, "Đinh Văn Bảy")
    journal.write(written)
    assert journal.read(journal.window) == written


def test_no_file_of_the_home_names_the_person_or_the_cause_and_only_the_owner_reads_the_draft(home):
    journal = Journal(home, "tram", UNIT)
    journal.write(kept(NAME))
    for path in home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [text for text in (NAME, CAUSE, "full_name") if text.encode() in content], path
    (file,) = sealed_files(home)
    assert file.stat().st_mode & 0o077 == 0
    assert "tram" not in str(file)
    assert "21115" not in str(file)  # the folder's name says neither account nor place


@pytest.mark.parametrize("place", [0, 30, -1])
def test_an_altered_draft_is_refused_with_a_sentence(home, place):
    journal = Journal(home, "tram", UNIT)
    journal.write(kept(NAME))
    content = bytearray(journal.file.read_bytes())
    content[place] ^= 1
    journal.file.write_bytes(bytes(content))
    with pytest.raises(ProcessingError, match=str(journal.file.name)):
        journal.read(journal.window)


def test_a_draft_cannot_be_moved_to_another_account_place_or_window(home):
    mine, other = Journal(home, "tram", UNIT), Journal(home, "tram_khac", UNIT)
    mine.write(kept(NAME))
    (other.folder / mine.file.name).write_bytes(mine.file.read_bytes())
    with pytest.raises(ProcessingError):
        other.read(mine.window)
    os.rename(mine.file, mine.folder / "0000.sealed")
    with pytest.raises(ProcessingError):
        mine.read("0000")


def test_a_write_that_fails_leaves_the_draft_before_it(home, monkeypatch):
    journal = Journal(home, "tram", UNIT)
    before = kept(NAME)
    journal.write(before)
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ProcessingError):
        journal.write(kept("Đinh Văn Bảy"))
    assert journal.read(journal.window) == before


def test_two_windows_of_one_account_do_not_overwrite_each_other(home):
    first, second = Journal(home, "tram", UNIT), Journal(home, "tram", UNIT)
    first.write(kept(NAME))
    own = kept("Đinh Văn Bảy")
    second.write(own)
    assert [(one.open, one.count) for one in second.others()] == [(True, 1)]
    assert second.take_over([first.window], own).drafts == own.drafts  # an open window is left alone
    first.close()
    assert [one.open for one in second.others()] == [False]
    joined = second.take_over([first.window], second.read(second.window))
    assert {one.values["full_name"] for one in joined.drafts} == {NAME, "Đinh Văn Bảy"}
    assert second.others() == []
    assert second.read(second.window) == joined


def test_of_a_record_in_two_drafts_the_one_that_changed_last_counts(home):
    first, second = Journal(home, "tram", UNIT), Journal(home, "tram", UNIT)
    old = replace(new_draft({"full_name": "Cũ"}), changed_at="2026-01-10 08:00:00")
    new = replace(old, values={"full_name": "Mới"}, changed_at="2026-01-10 09:00:00")
    first.write(Kept((new,)))
    first.close()
    joined = second.take_over([first.window], Kept((old,)))
    assert [one.values["full_name"] for one in joined.drafts] == ["Mới"]


def test_drafts_are_apart_by_place_and_account(home):
    Journal(home, "tram", UNIT).write(kept(NAME))
    assert Journal(home, "tram", OTHER_UNIT).others() == []
    assert Journal(home, "huyen", UNIT).others() == []


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from mortality.capture.session import open_session
    session = open_session(Path(sys.argv[1]), sys.argv[2], 2025)
    session.set("full_name", sys.argv[3])
    session.keep()
    session.set("cause_text", "x" * 200)
    os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # dies in the middle of the next write
    session.keep()
"""


def test_after_a_kill_in_the_middle_of_a_write_the_next_window_goes_on_with_the_last_whole_draft(home):
    code = textwrap.dedent(KILLED)
    done = subprocess.run([sys.executable, "-c", code, str(home), UNIT, NAME], cwd=REPOSITORY, check=False)
    assert done.returncode == -signal.SIGKILL
    session = open_session(home, UNIT, 2025)
    assert [(one.open, one.count) for one in session.others()] == [(False, 1)]
    session.resume()
    assert session.draft.values == {"full_name": NAME}
    assert session.others() == []
    assert [path.suffix for path in session.journal.folder.iterdir() if path.suffix == ".part"] == []


def test_a_book_belongs_to_a_commune_and_a_year_that_has_begun(home):
    with pytest.raises(InputError, match="VN2025:51"):
        open_session(home, "VN2025:51", 2025)
    with pytest.raises(InputError, match="2999"):
        open_session(home, UNIT, 2999)


def test_the_draft_s_key_is_no_other_key_of_the_home(home):
    from tkyt_analysis.app_shell.windows import window_key
    from tkyt_analysis.warehouse.keyring import PURPOSES
    from tkyt_analysis.warehouse.keys import read_key

    assert window_key(home, "capture") not in [read_key(home, purpose) for purpose in PURPOSES]
