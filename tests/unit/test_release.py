"""Releases: immutable, hashed, partitioned by scope, read without the warehouse, and never with an identifier."""

import errno

import pandas as pd
import pytest

from tkyt_analysis.access import Scope
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.warehouse import release as releases
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.release import Release, current_release, publish, require_no_identifier, unit_scopes


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    prepare_home(tmp_path / "home")
    return tmp_path / "home"


def add_values(home, *rows):
    frame = pd.DataFrame(rows, columns=["file_sha256", "unit_id", "element_id", "period_id", "value"]).assign(
        dataset_id="d", category_id="", sheet="", row_number=range(1, len(rows) + 1)
    )
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        warehouse.con.register("incoming", frame)
        warehouse.con.execute("INSERT INTO lake.aggregate_value BY NAME SELECT * FROM incoming")
        files = ", ".join(
            f"('{file}', '{file}', '2026-01-0{number}')"
            for number, file in enumerate(sorted({row[0] for row in rows}), 1)
        )
        warehouse.con.execute(f"INSERT INTO lake.received_file (file_sha256, file_name, received_at) VALUES {files}")


def test_the_same_snapshot_is_released_once(home):
    add_values(home, ("a", "VN2025:51", "e", "202501", 1.0))
    first, second = publish(home), publish(home)
    assert first.release_id == second.release_id
    assert len([path for path in (home / "releases").iterdir() if path.is_dir()]) == 1


def test_new_data_make_a_new_release_and_the_old_one_stays_as_it_was(home):
    add_values(home, ("a", "VN2025:51", "e", "202501", 1.0))
    first = publish(home)
    before = {path: path.read_bytes() for path in first.directory.rglob("*") if path.is_file()}
    add_values(home, ("b", "VN2025:51", "e", "202502", 2.0))
    second = publish(home)
    assert current_release(home) == second.release_id != first.release_id
    assert {path: path.read_bytes() for path in first.directory.rglob("*") if path.is_file()} == before
    assert len(Release(home, first.release_id).query("FROM aggregate_value")) == 1
    assert len(second.query("FROM aggregate_value")) == 2


def test_an_older_snapshot_can_be_published_without_moving_the_pointer(home):
    add_values(home, ("a", "VN2025:51", "e", "202501", 1.0))
    first = publish(home)
    add_values(home, ("b", "VN2025:51", "e", "202502", 2.0))
    second = publish(home)
    again = publish(home, as_of=first.manifest["snapshot"])
    assert len(again.query("FROM aggregate_value")) == 1
    assert current_release(home) == second.release_id


def test_two_releases_of_the_same_rows_have_the_same_bytes(home):
    add_values(home, *[("a", "VN2025:51", f"e{number % 7}", "202501", float(number)) for number in range(500)])
    first = publish(home).manifest["files"]
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        warehouse.con.execute("INSERT INTO lake.finding (finding_id, unit_id) VALUES ('f', 'VN2025:51')")
    second = publish(home).manifest["files"]
    name = next(name for name in first if "/aggregate_value/" in name)
    assert first[name] == second[name]


def test_of_several_submissions_the_one_received_last_counts(home):
    add_values(home, ("a", "VN2025:51", "e", "202501", 1.0), ("b", "VN2025:51", "e", "202501", 7.0))
    assert publish(home).query("FROM aggregate_value")["value"].tolist() == [7.0]


def test_a_province_reads_its_own_rows_and_the_public_ones(home):
    add_values(
        home,
        ("a", "VN2025:51", "e", "202501", 1.0),
        ("a", "VN2025:52", "e", "202501", 2.0),
        ("a", "VN2024:21115", "e", "202412", 3.0),
    )
    release = publish(home)
    own = Release(home, release.release_id, scope=Scope(units=frozenset({"VN2025:51"})))
    assert sorted(own.query("FROM aggregate_value")["value"]) == [1.0, 3.0]  # 21115 lay in old Quảng Ngãi
    assert len(own.query("FROM organisation_unit")) == len(release.query("FROM organisation_unit"))


def test_an_altered_file_of_a_release_is_found(home):
    add_values(home, ("a", "VN2025:51", "e", "202501", 1.0))
    release = publish(home)
    assert release.verify() == []
    altered = next(iter(release.manifest["files"]))
    (release.directory / altered).write_bytes(b"altered")
    assert Release(home).verify() == [altered]


def test_an_identifier_column_stops_a_release(home, monkeypatch):
    with pytest.raises(ProcessingError) as caught:
        require_no_identifier("death", ["death_id", "full_name", "address"])
    assert caught.value.fields["columns"] == "address, full_name"


def test_a_release_that_fails_in_the_middle_leaves_the_pointer_and_no_half_directory(home, monkeypatch):
    add_values(home, ("a", "VN2025:51", "e", "202501", 1.0))
    first = publish(home)
    add_values(home, ("b", "VN2025:51", "e", "202502", 2.0))

    def broken(*arguments):
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(releases, "file_sha256", broken)
    with pytest.raises(ProcessingError, match="Hết chỗ"):
        publish(home)
    assert current_release(home) == first.release_id
    assert [path.name for path in (home / "releases").iterdir() if path.is_dir() and not path.name.startswith(".")] == [
        first.release_id
    ]


def test_a_home_without_a_release_says_what_to_do(home):
    with pytest.raises(InputError, match="tkyt publish"):
        Release(home)


def test_old_provinces_belong_to_the_scope_of_the_new_one():
    units = pd.DataFrame({"unit_id": ["VN", "VN2024:62", "VN2025:51"], "province_id": ["", "VN2024:62", "VN2025:51"]})
    assert unit_scopes(units).tolist() == ["VN", "VN2025-51", "VN2025-51"]  # Kon Tum (62) went into Quảng Ngãi (51)


def test_a_long_query_writes_nothing_of_its_own_between_the_answers(practice_home):
    """DuckDB draws a progress bar on the standard output where it takes a session for an interactive one."""
    from tkyt_analysis.warehouse.lake import connect

    asked = "SELECT current_setting('enable_progress_bar')"
    assert connect().execute(asked).fetchone() == (False,)
    assert Release(practice_home).con.execute(asked).fetchone() == (False,)
