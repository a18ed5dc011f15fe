"""The public demo of DHIS2 (Sierra Leone, 188,701 values) pulled through the stub is the file, under every fault."""

import gzip
import json
import shutil

import pytest
from gateway_support import Kept, calm, server_at, sierra_leone
from support import reference_path

from tkyt_analysis.errors import ProcessingError
from tkyt_analysis.gateway.plan import Wish
from tkyt_analysis.gateway.pull import pull
from tkyt_analysis.ingest.receive import ingest
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.practice.stub_dhis2 import Fault, StubServer
from tkyt_analysis.warehouse.lake import Warehouse

pytestmark = pytest.mark.slow
YEAR = Wish(what=("metadata", "organisationUnits", "dataValueSets"), periods=("202501..202512",))
VALUES = Wish(what=("dataValueSets",), periods=("202501..202512",))
# What becomes of a pull that meets the fault three times: it passes (tried again), it stops with a sentence and goes on when it
# is run again, or the refused request is named and asked for by the next pull.
PASSES = ("429_seconds", "429_date", "500", "502", "503", "proxy_page", "drip", "reset", "truncated", "length_too_long",
          "length_too_short", "duplicate_keys", "empty_204", "empty_200", "mixed_booleans", "gzip")  # fmt: skip
STOPS = ("302_login", "login_page", "redirect_elsewhere")
NAMED = ("409",)


@pytest.fixture(scope="module")
def stub():
    with StubServer(sierra_leone()) as server:
        yield server


@pytest.fixture(scope="module")
def as_exported():
    """{(element, period, unit, category, attribute): value} of the export."""
    file = reference_path("quality", "dhis2_sl", "dataValueSets_play42_2025.json.gz")
    names = ("dataElement", "period", "orgUnit", "categoryOptionCombo", "attributeOptionCombo")
    return {
        tuple(one[name] for name in names): one["value"]
        for one in json.loads(gzip.decompress(file.read_bytes()))["dataValues"]
    }


@pytest.fixture
def fetched(monkeypatch):
    kept = Kept()
    monkeypatch.setattr("tkyt_analysis.gateway.pull.receive_answers", kept)
    monkeypatch.setattr("tkyt_analysis.gateway.pull._record", lambda *_: None)  # these homes have no audit log
    return kept


@pytest.mark.parametrize("kind", PASSES + STOPS + NAMED)
def test_every_value_comes_under_every_fault(stub, tmp_path, fetched, as_exported, kind):
    """The fault hits the 3rd, 4th and 5th request for values."""
    stub.misbehave(Fault(kind, times=3, after=2, seconds=1.0))
    server = server_at(stub.url)
    limits = {"total_seconds": 2.0 if kind == "drip" else 300.0}
    for _ in range(3 if kind in STOPS else 0):
        with pytest.raises(ProcessingError) as stopped:
            pull(tmp_path, server, VALUES, retrier=calm(**limits))
        assert stopped.value.key == "error.dhis2_stopped"
        assert "chạy lại" in stopped.value.sentence("vi")
    if kind in NAMED:
        ((what, period, unit, sentence),) = pull(tmp_path, server, VALUES, retrier=calm(**limits)).failed
        assert (what, period, unit) == ("dataValueSets", "202502", "ImspTQPwCqd")
        assert "E2017" in sentence
    result = pull(tmp_path, server, VALUES, retrier=calm(**limits))
    assert result.resumed == (kind in STOPS)
    assert result.failed == []
    assert len(as_exported) == 188_701
    assert fetched.values == as_exported


CONTENT = """
    SELECT dataset_id, element_id, category_id, unit_id, period_id, period_start, period_end, value, value_as_written
    FROM lake.aggregate_value ORDER BY ALL
"""


def content_digest(home):
    """(rows, hash) of the stored values, wherever in a file they stood."""
    with Warehouse(home) as warehouse:
        return warehouse.one(f"SELECT count(*), bit_xor(md5_number(CAST(v AS VARCHAR))) FROM ({CONTENT}) v")


def test_pulled_and_received_as_files_the_same_values_stand_in_the_warehouse(stub, tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    prepare_home(tmp_path / "file")
    shutil.copytree(tmp_path / "file", tmp_path / "pull")
    folder = ("quality", "dhis2_sl")
    names = ("metadata_play42.json", "organisationUnits_play42.json", "dataValueSets_play42_2025.json.gz")
    ingest(tmp_path / "file", [reference_path(*folder, name) for name in names])
    stub.misbehave()
    result = pull(tmp_path / "pull", server_at(stub.url), YEAR, retrier=calm())
    assert result.rows > 188_701  # the values, and the objects of the metadata
    by_file, by_pull = content_digest(tmp_path / "file"), content_digest(tmp_path / "pull")
    assert by_file[0] == 188_701
    assert by_pull == by_file
