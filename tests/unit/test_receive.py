"""Receiving: whole or not at all, once, and received = landed + quarantined."""

import pandas as pd
import pytest

from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.ingest import receive
from tkyt_analysis.ingest.door import Batch, Note, Quarantined
from tkyt_analysis.warehouse.custody import opened
from tkyt_analysis.warehouse.digest import warehouse_digest
from tkyt_analysis.warehouse.lake import Warehouse, create_home


class LineDoor:
    """Each line "unit,value" is a reported value; a line without a number is quarantined."""

    id = "lines"

    def recognise(self, file):
        return 1.0 if file.name.endswith(".lines") else 0.0

    def read(self, file, context):
        rows, refused, notes = [], [], []
        for number, line in enumerate(file.path.read_text("utf-8").splitlines(), start=1):
            unit, _, value = line.partition(",")
            if line == "crash":
                raise RuntimeError("the door broke")
            if not value.strip().isdigit():
                refused.append(
                    Quarantined("error.file_not_recognised", "", number, "value", value, {"file": file.name})
                )
                continue
            if value != value.strip():
                notes.append(Note("note.trimmed", "", number, "value", value, value.strip()))
            rows.append({"sheet": "", "row_number": number, "unit_id": unit, "element_id": "e", "value": float(value)})
        yield Batch("aggregate_value", pd.DataFrame(rows), refused, notes, received=len(rows) + len(refused))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setattr(receive, "doors", lambda: [LineDoor()])
    create_home(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.lines").write_text("VN2025:51,10\nVN2025:51,twelve\nVN2025:52, 7\n", "utf-8")
    (tmp_path / "in" / "b.lines").write_text("VN2025:01,1\n", "utf-8")
    return tmp_path / "in"


def count(home, sql):
    with Warehouse(home) as warehouse:
        return warehouse.con.execute(sql).fetchone()


def test_received_is_landed_plus_quarantined_for_each_file(home, folder):
    result = receive.ingest(home, [folder])
    by_name = {row["name"]: (row["received"], row["landed"], row["quarantined"], row["notes"]) for row in result.files}
    assert by_name == {"a.lines": (3, 2, 1, 1), "b.lines": (1, 1, 0, 0)}
    assert count(home, "SELECT count(*), sum(value) FROM lake.aggregate_value") == (3, 10 + 7 + 1)
    assert count(home, "SELECT row_number, value FROM lake.quarantine") == (2, "twelve")


def test_receiving_the_same_bytes_again_changes_nothing(home, folder):
    receive.ingest(home, [folder])
    before = warehouse_digest(home)
    (folder / "copy of a.lines").write_bytes((folder / "a.lines").read_bytes())
    again = receive.ingest(home, [folder])
    assert {row["status"] for row in again.files} == {"known"}
    assert warehouse_digest(home) == before


def test_the_received_bytes_are_kept_as_they_came(home, folder):
    result = receive.ingest(home, [folder])
    kept = {row["name"]: row["sha256"] for row in result.files}
    with opened(home, kept["a.lines"]) as plain:
        assert plain.read_bytes() == (folder / "a.lines").read_bytes()


def test_a_file_that_no_door_knows_is_one_quarantined_row_and_costs_the_others_nothing(home, folder):
    (folder / "photo.bin").write_bytes(b"\x00\x01\x02 no data")
    result = receive.ingest(home, [folder])
    assert result.total("landed") == 3
    assert next(row for row in result.files if row["name"] == "photo.bin")["quarantined"] == 1


def test_a_door_that_breaks_in_the_middle_lands_nothing_of_that_file_and_says_so(home, folder):
    (folder / "c.lines").write_text("VN2025:01,5\ncrash\n", "utf-8")
    result = receive.ingest(home, [folder])
    assert next(row for row in result.files if row["name"] == "c.lines")["landed"] == 0
    assert count(home, "SELECT count(*) FROM lake.aggregate_value") == (3,)
    assert count(home, "SELECT count(*) FROM lake.quarantine WHERE reason = 'error.door_failed'") == (1,)


def test_a_door_that_loses_a_row_is_caught_and_nothing_is_stored(home, folder, monkeypatch):
    class LosingDoor(LineDoor):
        def read(self, file, context):
            yield Batch("aggregate_value", pd.DataFrame({"value": [1.0]}), received=2)

    monkeypatch.setattr(receive, "doors", lambda: [LosingDoor()])
    with pytest.raises(ProcessingError):
        receive.ingest(home, [folder])
    assert count(home, "SELECT count(*) FROM lake.aggregate_value") == (0,)


def test_a_retry_reads_again_only_the_files_that_left_rows_in_quarantine(home, folder, monkeypatch):
    receive.ingest(home, [folder])

    class LearnedDoor(LineDoor):
        def read(self, file, context):
            text = file.path.read_text("utf-8").replace("twelve", "12")
            rows = [line.split(",") for line in text.splitlines()]
            frame = pd.DataFrame(
                {
                    "row_number": range(1, len(rows) + 1),
                    "unit_id": [row[0] for row in rows],
                    "value": [float(row[1]) for row in rows],
                }
            )
            yield Batch("aggregate_value", frame, received=len(rows))

    monkeypatch.setattr(receive, "doors", lambda: [LearnedDoor()])
    result = receive.ingest(home, [folder], retry=True)
    assert {row["name"]: row["status"] for row in result.files} == {"a.lines": "read", "b.lines": "known"}
    assert count(home, "SELECT count(*), sum(value) FROM lake.aggregate_value") == (4, 10 + 12 + 7 + 1)
    assert count(home, "SELECT count(*) FROM lake.quarantine") == (0,)


def test_a_path_that_is_not_there_is_said_before_anything_is_read(home, folder):
    with pytest.raises(InputError) as caught:
        receive.ingest(home, [folder, folder / "absent"])
    assert caught.value.key == "error.path_missing"


def test_a_second_writer_is_told_to_wait(home, folder, monkeypatch):
    monkeypatch.setenv("TKYT_WAIT_SECONDS", "0.2")
    with Warehouse(home, write=True), pytest.raises(ProcessingError) as caught:
        receive.ingest(home, [folder])
    assert caught.value.key == "error.warehouse_busy"


def test_an_older_snapshot_can_be_asked_for(home, folder):
    with Warehouse(home) as warehouse:
        before = warehouse.snapshot_id()
    receive.ingest(home, [folder])
    with Warehouse(home, as_of=before) as warehouse:
        assert warehouse.con.execute("SELECT count(*) FROM lake.aggregate_value").fetchone() == (0,)
    assert count(home, "SELECT count(*) FROM lake.aggregate_value") == (3,)


def test_an_archive_received_again_or_beside_its_own_files_changes_nothing(home, folder, tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "sent.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    first = receive.ingest(home, [tmp_path / "sent.zip"])
    assert first.total("landed") == 3
    before = warehouse_digest(home)
    again = receive.ingest(home, [tmp_path / "sent.zip", folder])
    assert {row["status"] for row in again.files} == {"known"}
    assert warehouse_digest(home) == before
