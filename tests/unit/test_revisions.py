"""Vintages: what was known on a date, which snapshots stay, and the revision triangle."""

import datetime
import json

import pytest
from custody_support import receive_people, small_home
from support import table

from tkyt_analysis.cli.main import run
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.verify import verify
from tkyt_analysis.warehouse import retention
from tkyt_analysis.warehouse.backup import backup
from tkyt_analysis.warehouse.home_locks import files_stay
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.moments import as_of_text, moment
from tkyt_analysis.warehouse.release import publish
from tkyt_analysis.warehouse.retention import compact, snapshots_to_keep
from tkyt_analysis.warehouse.revisions import revision_triangle, revisions
from tkyt_analysis.warehouse.vintages import known_at, released_vintages, snapshots, vintage_values, vintages_of

UTC = datetime.UTC

VALUES = table("""
    vintage | dataset_id | province  | period_id | value
    T3      | births     | VN2025-51 | p202501   |   100
    T3      | births     | VN2025-01 | p202501   |   200
    T3      | births     | VN2025-51 | p202502   |    90
    T4      | births     | VN2025-51 | p202501   |   100
    T4      | births     | VN2025-01 | p202501   |   230
    T4      | births     | VN2025-51 | p202502   |    90
    T4      | births     | VN2025-51 | p202503   |    50
    T5      | births     | VN2025-51 | p202501   |   104
    T5      | births     | VN2025-01 | p202501   |   225
    T5      | births     | VN2025-51 | p202503   |    50
""")


def test_the_triangle_has_periods_in_rows_and_vintages_in_columns():
    found = revision_triangle(VALUES)
    assert list(found.columns) == ["period_id", "T3", "T4", "T5"]
    by_period = found.set_index("period_id")
    assert by_period.loc["p202501"].tolist() == [100 + 200, 100 + 230, 104 + 225]
    assert by_period.loc["p202502"].tolist()[:2] == [90, 90]
    assert by_period["T3"].isna().to_dict() == {"p202501": False, "p202502": False, "p202503": True}
    assert by_period["T5"].isna()["p202502"]  # no longer reported: missing, not 0


def test_the_triangle_can_be_split_by_province():
    found = revision_triangle(VALUES, by=["province"]).set_index(["province", "period_id"])
    assert found.loc[("VN2025-01", "p202501")].tolist() == [200, 230, 225]


def test_what_changed_after_publication_is_listed_with_the_largest_change_first():
    found = revisions(VALUES, by=["dataset_id", "province", "period_id"])
    rows = found[["province", "period_id", "first_vintage", "first_value", "difference", "times_changed"]]
    assert [tuple(row) for row in rows.itertuples(index=False)] == [
        ("VN2025-51", "p202502", "T3", 90, 0 - 90, 1),
        ("VN2025-01", "p202501", "T3", 200, 225 - 200, 2),
        ("VN2025-51", "p202501", "T3", 100, 104 - 100, 1),
    ]
    assert found["percent"].tolist() == pytest.approx([-100, 100 * 25 / 200, 100 * 4 / 100])
    assert found["last_value"].isna().tolist() == [True, False, False]


def test_figures_that_never_changed_are_not_listed():
    same = VALUES[VALUES["vintage"] == "T3"]
    assert revisions(same, by=["dataset_id", "province", "period_id"]).empty


# -------------------------------------------------------------------------------------------------------------- moments


def test_a_date_is_the_end_of_that_day_in_viet_nam():
    assert moment("2026-10-01").astimezone(UTC) == datetime.datetime(2026, 10, 1, 16, 59, 59, 999999, tzinfo=UTC)
    assert moment("01/10/2026") == moment("2026-10-01")
    assert moment("2026-10-01 08:30").astimezone(UTC) == datetime.datetime(2026, 10, 1, 1, 30, tzinfo=UTC)
    assert moment("2026-10-01T08:30:00Z").astimezone(UTC).hour == 8
    assert as_of_text("12") == 12
    assert as_of_text(None) is None


@pytest.mark.parametrize("text", ["hôm qua", "2026-13-01", "31/02/2026", "", "2026"])
def test_a_moment_that_is_none_is_refused(text):
    with pytest.raises(InputError) as caught:
        moment(text)
    assert caught.value.key == "error.as_of_format"


def day(month, date, hour=12):
    return datetime.datetime(2026, month, date, hour, tzinfo=UTC)


def test_what_was_known_on_a_date_is_the_last_snapshot_of_that_day():
    known = [(1, day(9, 30)), (2, day(10, 1, 8)), (3, day(10, 1, 16)), (4, day(10, 1, 18)), (7, day(10, 5))]
    assert known_at(known, "2026-10-01").snapshot == 3  # 18:00 UTC is 2 October in Viet Nam
    assert known_at(known, "2026-10-01").exact
    assert known_at(known, "2026-10-02").snapshot == 4
    assert not known_at(known, "2026-10-04").exact  # 5 and 6 were removed: one of them may have been of that day
    assert known_at(known, "2026-12-31").exact
    with pytest.raises(InputError, match="2026-09-30 19:00:00"):
        known_at(known, "2026-09-30 18:59")


RULE = {"every_snapshot_days": 10, "one_a_day_days": 60, "delete_after_hours": 24}


def test_old_snapshots_are_kept_one_a_day_then_one_a_month_and_those_of_releases_for_ever():
    known = [
        (1, day(1, 5)), (2, day(1, 20)),  # a month long ago: the last one
        (3, day(2, 3)),
        (10, day(10, 20, 3)), (11, day(10, 20, 9)), (12, day(10, 20, 18)),  # 18:00 UTC is 21 October
        (20, day(11, 20, 1)), (21, day(11, 20, 2)),  # the last days: all
    ]  # fmt: skip
    assert snapshots_to_keep(known, day(11, 22), RULE) == {2, 3, 11, 12, 20, 21}
    assert snapshots_to_keep(known, day(11, 22), RULE, named=[1, 10, 999]) == {1, 2, 3, 10, 11, 12, 20, 21}
    assert snapshots_to_keep(known, day(12, 31), {**RULE, "every_snapshot_days": 0, "one_a_day_days": 0}) == {
        2, 3, 12, 21,
    }  # fmt: skip
    assert snapshots_to_keep([(1, day(1, 1))], day(12, 31), RULE) == {1}
    assert snapshots_to_keep([], day(12, 31), RULE) == set()


# ----------------------------------------------------------------------------------------------------------- in a home


@pytest.fixture
def home(tmp_path, monkeypatch):
    return small_home(tmp_path, monkeypatch, ("c", "d", "e"))


def count_at(home, snapshot):
    with Warehouse(home, as_of=snapshot) as warehouse:
        return warehouse.one("SELECT count(*), coalesce(sum(value), 0) FROM lake.aggregate_value")


def files_of(home):
    return sorted((home / "warehouse" / "data").rglob("*.parquet"))


def test_compaction_keeps_what_releases_and_the_rule_name_and_every_kept_snapshot_tells_what_it_told(home, monkeypatch):
    named = released_vintages(home)[0].snapshot
    with Warehouse(home) as warehouse:
        known = snapshots(warehouse)
    last = known[-1][0]
    before = {number: count_at(home, number) for number in (named, last)}
    assert before[named] != before[last]
    monkeypatch.setattr(
        retention, "retention_rule", lambda: {"every_snapshot_days": 0, "one_a_day_days": 0, "delete_after_hours": 24}
    )
    files = files_of(home)
    done = compact(home, at_once=True)[0]
    assert done.before.snapshots == len(known)
    assert done.expired_snapshots == len(known) - 2
    assert {number: count_at(home, number) for number in (named, last)} == before
    assert len(files_of(home)) < len(files)
    assert done.after.files == len(files_of(home))
    with pytest.raises(InputError):
        count_at(home, known[2][0] if known[2][0] != named else known[3][0])
    assert [check.problems for check in verify(home) if not check.good] == []


def test_files_that_a_reader_may_have_open_are_deleted_a_day_later(home):
    files = files_of(home)
    done = compact(home)[0]
    assert set(files) <= set(files_of(home))
    assert done.waiting_files > 0


def test_a_compacted_home_goes_on_and_can_be_backed_up_with_files_that_wait_to_be_deleted(home, tmp_path):
    from tkyt_analysis.warehouse.restore import restore

    compact(home)
    backup(home, tmp_path / "backups")
    restore(tmp_path / "backups", tmp_path / "new")
    assert count_at(tmp_path / "new", None) == count_at(home, None)
    compact(tmp_path / "new", at_once=True)
    receive_people(tmp_path / "new", tmp_path / "in", "f", 5)
    assert count_at(tmp_path / "new", None)[0] == 50 + 30 + 5
    assert [check.problems for check in verify(tmp_path / "new") if not check.good] == []


def test_nothing_is_deleted_while_a_backup_copies(home):
    with files_stay(home), pytest.raises(ProcessingError) as caught:
        compact(home, at_once=True)
    assert caught.value.key == "error.backup_running"


def test_a_date_before_the_first_snapshot_says_when_that_was(home, capsys):
    with pytest.raises(InputError) as caught, Warehouse(home, as_of="2020-01-01"):
        pass
    assert caught.value.key == "error.before_first_snapshot"
    assert run(["status", "--home", str(home), "--as-of", "2020-01-01"]) == 2
    assert "ảnh chụp đầu tiên" in capsys.readouterr().err


def test_two_releases_make_two_columns_and_show_what_a_new_file_changed(home, capsys):
    publish(home)
    assert run(["revisions", "--home", str(home), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    first, second = [vintage.name for vintage in released_vintages(home)]
    # every file reports the same cell: of b the last line (19) counts, then of e the last one (9)
    assert found["triangle"] == [{"period_id": "202501", first: 19, second: 9}]
    assert [(row["first_value"], row["last_value"], row["difference"]) for row in found["changes"]] == [(19, 9, 9 - 19)]
    assert run(["revisions", "--home", str(home)]) == 0
    assert first in capsys.readouterr().out


def test_a_moment_and_a_release_of_the_same_snapshot_have_the_same_figures(home):
    release = publish(home)
    values = vintage_values(home, vintages_of(home)[-1:])
    with Warehouse(home) as warehouse:
        when = dict(snapshots(warehouse))[release.manifest["snapshot"]]
    moment_values = vintage_values(home, vintages_of(home, [when.isoformat()]))
    columns = ["dataset_id", "province", "period_id", "value"]
    assert values[columns].astype(str).values.tolist() == moment_values[columns].astype(str).values.tolist()


def test_a_home_without_a_release_has_no_vintages_to_compare(tmp_path, monkeypatch):
    home = small_home(tmp_path, monkeypatch)
    for path in (home / "releases").glob("R*/manifest.json"):
        path.unlink()
    with pytest.raises(InputError) as caught:
        vintages_of(home)
    assert caught.value.key == "error.no_release"
