"""Backup and restore: the restored home is the source, nothing readable leaves it, a bad backup never counts as good."""

import errno
import json
import os
import random
import shutil
import threading
import time
from datetime import date
from pathlib import Path

import pytest
from custody_support import NAME, count_rows, fake_ssh, receive_people, small_home, small_home_digest
from kill_support import TIMES, in_a_process

from tkyt_analysis.access.audit import check_chain
from tkyt_analysis.cli.main import run
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.ingest import receive
from tkyt_analysis.verify import verify
from tkyt_analysis.warehouse import backup_target, custody
from tkyt_analysis.warehouse.backup import backup, list_backups
from tkyt_analysis.warehouse.backup_prune import backups_to_keep, made_on
from tkyt_analysis.warehouse.backup_target import FolderTarget
from tkyt_analysis.warehouse.digest import warehouse_digest
from tkyt_analysis.warehouse.home_locks import files_may_go
from tkyt_analysis.warehouse.lake import create_home
from tkyt_analysis.warehouse.release import Release
from tkyt_analysis.warehouse.restore import restore


@pytest.fixture
def home(tmp_path, monkeypatch):
    return small_home(tmp_path, monkeypatch)


@pytest.fixture(params=["folder", "ssh"])
def target(request, tmp_path, monkeypatch):
    """A folder, or the same folder through ssh."""
    if request.param == "folder":
        return str(tmp_path / "backups")
    fake_ssh(tmp_path / "bin", monkeypatch)
    return f"user@elsewhere:{tmp_path / 'backups'}"


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_restored_home_equals_the_source_table_by_table(home, target, tmp_path):
    done = backup(home, target)
    new = tmp_path / "elsewhere" / "home"
    restored = restore(target, new)
    assert restored.files == done.files
    if target.startswith("/"):
        assert warehouse_digest(new) == small_home_digest()
    assert count_rows(new) == (2, 30 + 20, 30 + 20)
    assert Release(new).verify() == []
    assert Release(new).release_id == Release(home).release_id
    assert custody.kept_hashes(new) == custody.kept_hashes(home)
    assert check_chain(new) == []
    assert [check.problems for check in verify(new) if not check.good] == []


def test_the_next_file_is_received_by_the_restored_home_as_by_the_source(home, tmp_path):
    backup(home, tmp_path / "backups")
    restore(tmp_path / "backups", tmp_path / "new")
    receive_people(tmp_path / "new", tmp_path / "in", "c", 7)
    assert count_rows(tmp_path / "new") == (3, 57, 57)
    again = receive.ingest(tmp_path / "new", [tmp_path / "in" / "a.people"])
    assert [row["status"] for row in again.files] == ["known"]


def test_another_machine_needs_the_key_file_and_nothing_else(home, tmp_path, monkeypatch):
    backup(home, tmp_path / "backups")
    shutil.copy(tmp_path / "key", tmp_path / "from the safe")
    monkeypatch.delenv("TKYT_KEY_FILE")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another user"))
    with pytest.raises(InputError) as caught:
        restore(tmp_path / "backups", tmp_path / "new")
    assert caught.value.key == "error.restore_needs_key"
    assert not (tmp_path / "new").exists()
    restore(tmp_path / "backups", tmp_path / "new", key=tmp_path / "from the safe")
    assert count_rows(tmp_path / "new") == (2, 50, 50)


def test_a_wrong_key_file_is_said_to_be_wrong(home, tmp_path, monkeypatch):
    backup(home, tmp_path / "backups")
    (tmp_path / "other").write_text("ab" * 32 + "\n", "ascii")
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "other"))
    with pytest.raises(InputError) as caught:
        restore(tmp_path / "backups", tmp_path / "new")
    assert caught.value.key == "error.restore_needs_key"


def test_neither_content_nor_names_nor_the_master_key_can_be_read_in_the_target(home, tmp_path):
    backup(home, tmp_path / "backups")
    everything = b"".join(name.encode() + data for name, data in files_of(tmp_path / "backups").items())
    sha256 = custody.kept_hashes(home)[0]
    secrets = [NAME, "a.people", "aggregate_value", "catalog.sqlite", "VN2025:51", sha256]
    secrets.append((tmp_path / "key").read_text("ascii").strip())
    assert [secret for secret in secrets if secret.encode() in everything] == []
    assert bytes.fromhex(secrets[-1]) not in everything


def test_unchanged_files_are_not_sent_again(home, target, tmp_path):
    first = backup(home, target)
    again = backup(home, target)
    receive_people(home, tmp_path / "in", "c", 40)
    third = backup(home, target)
    assert first.sent_bytes > 10 * again.sent_bytes
    assert again.files - first.files == 0 or again.sent_pieces <= 5  # the audit log has grown, nothing else
    assert again.read_back >= first.read_back
    assert again.sent_bytes < third.sent_bytes < first.sent_bytes


def test_the_same_bytes_under_two_names_are_sent_once(home, tmp_path):
    (home / "reports" / "a.html").write_bytes(b"report" * 1000)
    before = backup(home, tmp_path / "backups")
    shutil.copy(home / "reports" / "a.html", home / "reports" / "b.html")
    after = backup(home, tmp_path / "backups")
    assert after.files == before.files + 1
    assert after.sent_bytes < 6000
    restore(tmp_path / "backups", tmp_path / "new")
    assert (tmp_path / "new" / "reports" / "b.html").read_bytes() == b"report" * 1000


def pieces(folder):
    return sorted(path for path in (folder / "chunks").rglob("*") if path.is_file())


def test_a_piece_that_rotted_in_the_target_is_found_and_sent_again(home, tmp_path):
    backup(home, tmp_path / "backups")
    bad, gone = sorted(pieces(tmp_path / "backups"), key=lambda path: -path.stat().st_size)[:2]  # catalogs: not changed
    bad.write_bytes(bad.read_bytes()[:-1] + b"?")
    gone.unlink()
    again = backup(home, tmp_path / "backups")
    assert again.sent_again == 1  # the one that was gone is simply new again
    restore(tmp_path / "backups", tmp_path / "new")
    assert count_rows(tmp_path / "new") == (2, 50, 50)


class RottenTarget(FolderTarget):
    """A disk that stores the last byte of every piece wrongly."""

    def put(self, objects):
        super().put((name, data[:-1] + b"?" if name.startswith("chunks/") else data) for name, data in objects)


def test_a_backup_that_cannot_be_read_back_has_failed_and_is_not_listed(home, tmp_path):
    good = backup(home, tmp_path / "backups")
    (home / "reports" / "new.txt").write_text("something to send", "ascii")
    with pytest.raises(ProcessingError) as caught:
        backup(home, RottenTarget(tmp_path / "backups"))
    assert caught.value.key == "error.backup_not_verified"
    assert [one["backup_id"] for one in list_backups(home, tmp_path / "backups")] == [good.backup_id]
    bad = next(check for check in verify(home) if check.name == "backup")
    assert not bad.good
    assert restore(tmp_path / "backups", tmp_path / "new").backup_id == good.backup_id
    assert backup(home, tmp_path / "backups").backup_id > good.backup_id
    assert next(check for check in verify(home) if check.name == "backup").good


def test_the_command_leaves_with_3_where_the_backup_failed(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(backup_target, "FolderTarget", RottenTarget)
    assert run(["backup", "--home", str(home), "--to", str(tmp_path / "backups")]) == 3
    assert "THẤT BẠI" in capsys.readouterr().err


def test_a_restore_from_a_damaged_backup_writes_nothing_and_says_what_is_damaged(home, tmp_path):
    backup(home, tmp_path / "backups")
    for path in pieces(tmp_path / "backups"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ProcessingError) as caught:
        restore(tmp_path / "backups", tmp_path / "new")
    assert caught.value.key == "error.restore_damaged"
    assert not (tmp_path / "new").exists()
    assert [path.name for path in tmp_path.iterdir() if "restor" in path.name] == []


def test_a_restore_never_overwrites_anything(home, tmp_path):
    backup(home, tmp_path / "backups")
    before = files_of(home)
    with pytest.raises(InputError) as caught:
        restore(tmp_path / "backups", home)
    assert caught.value.key == "error.restore_not_empty"
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "backups", tmp_path / "empty")
    assert set(files_of(home)) == set(before)


def test_an_earlier_backup_can_be_asked_for_by_its_id(home, tmp_path):
    first = backup(home, tmp_path / "backups", keep_all=True)
    receive_people(home, tmp_path / "in", "c", 7)
    backup(home, tmp_path / "backups", keep_all=True)
    restore(tmp_path / "backups", tmp_path / "new", backup_id=first.backup_id)
    assert count_rows(tmp_path / "new")[0] == 2
    with pytest.raises(InputError) as caught:
        restore(tmp_path / "backups", tmp_path / "newer", backup_id="20200101T000000.000000Z")
    assert caught.value.key == "error.no_such_backup"


def test_a_folder_with_other_files_or_of_another_home_is_refused(home, tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    with pytest.raises(InputError) as caught:
        backup(home, tmp_path / "photos")
    assert caught.value.key == "error.backup_foreign_files"
    with monkeypatch.context() as patch:
        patch.setenv("TKYT_KEY_FILE", str(tmp_path / "second key"))
        create_home(tmp_path / "second")
        backup(tmp_path / "second", tmp_path / "backups")
    with pytest.raises(InputError) as caught:
        backup(home, tmp_path / "backups")
    assert caught.value.key == "error.backup_other_home"


@pytest.mark.parametrize(
    ("number", "key"),
    [(errno.ENOSPC, "error.backup_full"), (errno.EROFS, "error.backup_read_only"), (errno.EIO, "error.backup_target")],
)
def test_a_full_or_read_only_or_broken_disk_is_said_and_costs_no_earlier_backup(
    home, tmp_path, monkeypatch, number, key
):
    good = backup(home, tmp_path / "backups")
    receive_people(home, tmp_path / "in", "c", 40)
    write = Path.write_bytes
    written = []

    def failing(path, data):
        if "backups" in path.parts and len(written) >= 3:
            write(path, data[: len(data) // 2])
            raise OSError(number, os.strerror(number))
        written.append(path)
        return write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", failing)
        with pytest.raises(ProcessingError) as caught:
            backup(home, tmp_path / "backups")
    assert caught.value.key == key
    assert [one["backup_id"] for one in list_backups(home, tmp_path / "backups")] == [good.backup_id]
    assert [name for name in files_of(tmp_path / "backups") if name.endswith(".part")] == []
    backup(home, tmp_path / "backups")
    restore(tmp_path / "backups", tmp_path / "new")
    assert count_rows(tmp_path / "new") == (3, 90, 90)


def test_a_machine_that_does_not_answer_is_said(home, tmp_path, monkeypatch):
    fake_ssh(tmp_path / "bin", monkeypatch)
    with pytest.raises(ProcessingError, match="No route to host"):
        backup(home, "nobody@down:/srv/backup")


def test_a_connection_that_breaks_while_a_backup_is_read_back_or_restored_is_said(home, tmp_path, monkeypatch):
    fake_ssh(tmp_path / "bin", monkeypatch)
    monkeypatch.setenv("TKYT_TEST_CUT", str(tmp_path / "cut"))
    place = f"user@elsewhere:{tmp_path / 'backups'}"
    backup(home, place)
    (tmp_path / "cut").touch()
    with pytest.raises(ProcessingError, match="Broken pipe"):
        restore(place, tmp_path / "new")
    with pytest.raises(ProcessingError, match="Broken pipe"):
        backup(home, place)
    (tmp_path / "cut").unlink()
    assert backup(home, place).sent_again == 0
    restore(place, tmp_path / "new")
    assert count_rows(tmp_path / "new") == (2, 50, 50)


def test_a_target_that_is_not_there_is_said_before_anything_is_restored(tmp_path, monkeypatch):
    fake_ssh(tmp_path / "bin", monkeypatch)
    for place in (tmp_path / "absent", f"user@elsewhere:{tmp_path}/absent"):
        with pytest.raises(InputError) as caught:
            restore(place, tmp_path / "new")
        assert caught.value.key == "error.backup_no_target"


def test_backup_and_compaction_exclude_each_other(home, tmp_path):
    with files_may_go(home), pytest.raises(ProcessingError) as caught:
        backup(home, tmp_path / "backups")
    assert caught.value.key == "error.compact_running"


def test_a_data_file_that_the_catalog_names_but_is_gone_fails_the_backup(home, tmp_path):
    next((home / "warehouse" / "data").rglob("*.parquet")).unlink()
    with pytest.raises(ProcessingError) as caught:
        backup(home, tmp_path / "backups")
    assert caught.value.key == "error.backup_data_missing"


def test_a_backup_made_while_files_come_in_holds_whole_files_only(home, tmp_path):
    """A writer receives file after file; every backup made meanwhile restores to a home of whole files."""
    stop = threading.Event()
    failures = []

    def write():
        number = 0
        while not stop.is_set():
            try:
                receive_people(home, tmp_path / "in", f"w{number}", 10)
                number += 1
            except ProcessingError as error:
                failures.append(error.key)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            backup(home, tmp_path / "backups", keep_all=True)
            time.sleep(0.2)
    finally:
        stop.set()
        writer.join()
    assert failures == []
    made = list_backups(home, tmp_path / "backups")
    for number, one in enumerate(made):
        new = tmp_path / f"new{number}"
        restore(tmp_path / "backups", new, backup_id=one["backup_id"])
        files, values, identities = count_rows(new)
        assert values == 50 + 10 * (files - 2)
        assert identities >= values  # identifiers are written first
        assert [check.problems for check in verify(new) if not check.good] == []
    assert count_rows(tmp_path / f"new{len(made) - 1}")[0] > 2


def test_backups_are_kept_by_day_week_and_month():
    days = [date(2026, 11, day) for day in range(1, 31)]
    ids = [f"{day:%Y%m%d}T{hour}0000.000000Z" for day in days for hour in ("01", "20")]  # 08:00, and 03:00 next day
    kept = backups_to_keep(ids, {"daily": 3, "weekly": 2, "monthly": 2})
    assert sorted(made_on(one) for one in kept) == [
        date(2026, 11, 29),  # the last of its week, and one of the last three days
        date(2026, 11, 30),  # last of November: 30 November 01:00 UTC
        date(2026, 12, 1),  # 30 November 20:00 UTC is 1 December in Viet Nam
    ]
    assert backups_to_keep(ids, {"daily": 0, "weekly": 0, "monthly": 0}) == {ids[-1]}
    assert backups_to_keep([], {"daily": 7, "weekly": 5, "monthly": 12}) == set()


def test_removing_old_backups_removes_only_what_no_kept_one_needs(home, tmp_path, monkeypatch):
    place = tmp_path / "backups"
    first = backup(home, place, keep_all=True)
    (home / "reports" / "big.bin").write_bytes(random.Random(1).randbytes(300_000))
    second = backup(home, place, keep_all=True)
    (home / "reports" / "big.bin").unlink()
    with_big = sum(path.stat().st_size for path in pieces(place))
    third = backup(home, place)  # the rule keeps the last of the day
    assert third.removed_backups == 2
    assert [one["backup_id"] for one in list_backups(home, place)] == [third.backup_id]
    assert with_big - sum(path.stat().st_size for path in pieces(place)) >= 300_000
    assert {first.backup_id, second.backup_id, third.backup_id} & {
        path.stem for path in (place / "rings").iterdir()
    } == {third.backup_id}
    restore(place, tmp_path / "new")
    assert count_rows(tmp_path / "new") == (2, 50, 50)


def test_the_daily_schedule_is_written_for_systemd_and_cron(home, tmp_path, capsys):
    assert run(["backup", "--home", str(home), "--to", str(tmp_path / "backups"), "--schedule", "daily", "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    timer = Path(written["tkyt-backup.timer"]).read_text("utf-8")
    assert "Persistent=true" in timer
    service = Path(written["tkyt-backup.service"]).read_text("utf-8")
    assert f'"--home" "{home}"' in service
    assert f"TKYT_KEY_FILE={tmp_path / 'key'}" in service
    line = Path(written["crontab.txt"]).read_text("utf-8")
    assert line.startswith("30 2 * * * TKYT_KEY_FILE=")
    assert not (tmp_path / "backups").exists()


def test_restore_says_what_it_checked(home, tmp_path, capsys):
    assert run(["backup", "--home", str(home), "--to", str(tmp_path / "backups")]) == 0
    assert "Khoá chính KHÔNG nằm trong bản sao lưu" in capsys.readouterr().out
    assert run(["restore", "--from", str(tmp_path / "backups"), "--to", str(tmp_path / "new")]) == 0
    assert capsys.readouterr().out.count("✓") == 8


# ---------------------------------------------------------------------------------------------------------------- kills


@pytest.mark.slow
def test_a_backup_killed_at_any_moment_leaves_the_target_readable_and_the_next_one_completes(home, tmp_path):
    place = tmp_path / "backups"
    started = time.monotonic()
    in_a_process(backup, home, place)
    seconds = time.monotonic() - started
    moments = random.Random(20261122)
    killed = 0
    for number in range(8 * TIMES):
        receive_people(home, tmp_path / "in", f"k{number}", 5)
        (home / "reports" / "new.bin").write_bytes(moments.randbytes(2_000_000))
        if in_a_process(backup, home, place, kill_after=moments.uniform(0, seconds)):
            killed += 1
        else:
            seconds /= 2  # it was quicker than the first: aim earlier
        made = list_backups(home, place)
        assert made  # the last good one is always there
        restore(place, tmp_path / f"then{number}")
        assert count_rows(tmp_path / f"then{number}")[0] >= 2  # and can be read
    assert killed >= 2 * TIMES
    backup(home, place)
    assert [path.name for path in (home / "work" / "private").iterdir()] == ["lock"]
    restore(place, tmp_path / "new")
    assert warehouse_digest(tmp_path / "new") == warehouse_digest(home)


@pytest.mark.slow
def test_a_restore_killed_at_any_moment_leaves_no_half_home_and_can_be_run_again(home, tmp_path):
    (home / "reports" / "big.bin").write_bytes(random.Random(3).randbytes(20_000_000))
    backup(home, tmp_path / "backups")
    started = time.monotonic()
    in_a_process(restore, tmp_path / "backups", tmp_path / "first")
    seconds = time.monotonic() - started
    moments = random.Random(20261122)
    killed = number = 0
    while killed < TIMES:
        number += 1
        assert number < 20 * TIMES, "the restore is over before it can be killed"
        new = tmp_path / "again" / f"home{number}"
        if in_a_process(restore, tmp_path / "backups", new, kill_after=moments.uniform(0, seconds)):
            killed += 1
        else:
            seconds /= 2  # it was quicker than the first: aim earlier
        if not new.exists():
            restore(tmp_path / "backups", new)
        assert count_rows(new) == (2, 50, 50)
