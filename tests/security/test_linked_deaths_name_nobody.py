"""Linking records of deaths reads names and numbers; none of them is found outside the restricted store afterwards.

Searched are every table of the lake, every byte of the home, and what the commands print; what a person writes as a reason
is masked. Only the review workbook holds names, at the path that was named.
"""

import io
import unicodedata
from contextlib import redirect_stderr, redirect_stdout

import pytest
from persons_support import put, record

from tkyt_analysis.cli.main import run
from tkyt_analysis.labels import set_language
from tkyt_analysis.reference.vietnamese_text import fold
from tkyt_analysis.warehouse.lake import Warehouse

NAME, OTHER_NAME, TOLD = "Zếp Tường Vỹ Ghi", "Zếp Tường Vĩ Ghi", "Phạm Zung Ẩn Danh"
NUMBER, OTHER_NUMBER, PHONE = "051951000017", "051951440044", "0905123457"
ADDRESS = "Số 17 ngõ Zơ Rết tổ 9"
PLANTED = [NAME, OTHER_NAME, TOLD, NUMBER, OTHER_NUMBER, PHONE, ADDRESS]


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    """A home whose planted persons were linked, reviewed, decided and split, and all that the commands said."""
    folder = tmp_path_factory.mktemp("linked")
    same = {"born": 1951, "address": ADDRESS}
    home = put(
        folder / "home",
        record("a1", who=NAME, id_number=NUMBER, **same),
        record("a2", "civil_registration", who=OTHER_NAME.upper(), id_number=NUMBER, **same),
        record("b1", who=NAME, id_number=OTHER_NUMBER, day="2025-08-12", **same),
        record("c1", "sent_home_dying", who=NAME, day="2025-08-07", **same),
        *(record(f"x{n}", who=f"Người Mô Phỏng {n}", born=1930 + n, day=f"2025-03-{n + 1:02}") for n in range(12)),
    )
    said = io.StringIO()
    reason = f"con là {TOLD}, gọi {PHONE}, thẻ {NUMBER}"
    with redirect_stdout(said), redirect_stderr(said):
        for arguments in (
            ["link"],
            ["link", "--json"],
            ["review", "list"],
            ["review", "list", "--json"],
            ["review", "same", "a1____", "c1____", "--reason", reason],
            ["review", "different", "a1____", "b1____", "--reason", reason],
            ["review", "split", "a2____", "--reason", reason],
            ["review", "open", "a1____", "b1____", "--reason", reason],
            ["review", "workbook", "-o", str(folder / "ra_soat.xlsx")],
        ):
            run(["deaths", *arguments, "--home", str(home), "--language", "vi"])
    set_language("vi")
    return home, said.getvalue(), folder


def found_in(text):
    folded = fold(text)
    return [planted for planted in PLANTED if fold(planted) in folded]


def test_the_work_was_done(worked):
    with Warehouse(worked[0]) as warehouse:
        assert warehouse.one("SELECT count(*) FROM lake.death_link_decision")[0] >= 4, worked[1]
        assert warehouse.one("SELECT count(*) FROM lake.death_link_pair")[0] >= 2
        assert warehouse.one("SELECT count(*) FROM lake.death_link_run")[0] == 2


def test_what_the_commands_print_names_nobody(worked):
    assert found_in(worked[1]) == []


def test_no_table_of_the_lake_names_anybody(worked):
    with Warehouse(worked[0]) as warehouse:
        for name in warehouse.tables():
            assert found_in(warehouse.query(f'SELECT * FROM lake."{name}"').to_csv()) == [], name


def test_no_file_of_the_home_holds_one_in_its_bytes(worked):
    wanted = [unicodedata.normalize(form, planted).encode(code) for planted in PLANTED for form in ("NFC", "NFD")
              for code in ("utf-8", "utf-16-le")]  # fmt: skip
    paths = [path for path in worked[0].rglob("*") if path.is_file()]
    assert any("restricted" in path.parts for path in paths)
    assert [path.name for path in paths if any(planted in path.read_bytes() for planted in wanted)] == []


def test_only_the_workbook_that_was_asked_for_holds_names(worked):
    import openpyxl

    assert sorted(path.name for path in worked[2].iterdir()) == ["home", "ra_soat.xlsx"]
    page = openpyxl.load_workbook(worked[2] / "ra_soat.xlsx").worksheets[0]
    assert NAME in {cell for row in page.iter_rows(values_only=True) for cell in row}


def test_every_opening_of_the_restricted_store_is_on_record(worked):
    from tkyt_analysis.access.audit import check_chain, read_log

    events = [entry["event"] for entry in read_log(worked[0])]
    assert events.count("death_link_decided") >= 4
    assert "restricted_store_opened" in events
    assert "identifiers_read" in events
    assert check_chain(worked[0]) == []
