"""Names, numbers, addresses and birth dates are planted where people write them, right and wrong; none is found outside.

What is searched: every byte of the home (the restricted store and the received bytes are encrypted), every table of the
lake and of the release decoded, the catalog's own file, what commands print in both languages, reports, portal, notebooks.
"""

import io
import json
import unicodedata
from contextlib import redirect_stderr, redirect_stdout

import duckdb
import openpyxl
import pytest

from tkyt_analysis.cli.main import run
from tkyt_analysis.labels import set_language
from tkyt_analysis.reference.vietnamese_text import fold
from tkyt_analysis.warehouse.lake import Warehouse

HEADERS = ["TT", "Họ và tên", "Nam", "Nữ", "Dân tộc", "Nghề nghiệp", "Địa chỉ", "Số CCCD", "Ngày tử vong", "Nơi tử vong",
           "Nguyên nhân tử vong", "Mã ICD-10", "Tử vong mẹ", "Chăm sóc trước khi chết", "Ghi chú"]  # fmt: skip
TITLE = ["Trạm Y tế xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi", "SỔ THEO DÕI NGUYÊN NHÂN TỬ VONG", "Năm 2024"]
NAMES = ["Zếp Tường Vỹ Ghi", "Nguyễn Thị Quế Zương", "Trần Văn Khuất Zẻo", "Phạm Zung Ẩn Danh", "Lê Thị Zu Mỵ",
         "Đặng Quốc Zàng", "Bùi Thị Zởm Tên", "Trịnh Zăn Zẻ"]  # fmt: skip
NUMBERS = ["051951000017", "051951000018", "212345678", "0905123457", "0905 123 458", "051.951.000.019", "051951000020"]
ADDRESS = "Số 17 ngõ Zơ Rết tổ 9"
BIRTH = "07/03/1951"
PLANTED = [*NAMES, *NUMBERS, ADDRESS, BIRTH, "1951-03-07"]


def usual(number, **changed):
    """A line as it should be; `changed` by the position of its column."""
    cells = {"TT": number, "Họ và tên": f"Người Mô Phỏng {number}", "Nam": "1950", "Ngày tử vong": f"{number:02}/03/2024",
             "Nơi tử vong": "Tại nhà", "Nguyên nhân tử vong": "Suy tim"}  # fmt: skip
    return cells | {HEADERS[int(place[1:])]: value for place, value in changed.items()}


LINES = [
    usual(1, c1=NAMES[0], c2=BIRTH, c6=ADDRESS, c7=NUMBERS[0], c14=f"con trai {NAMES[1]}, {NUMBERS[3]}"),
    usual(2, c1=NAMES[0], c10=f"ông {NAMES[0]} bị ngã, số thẻ {NUMBERS[1]}"),  # the own name, of no usual shape
    usual(3, c1=NAMES[1], c2=BIRTH, c6=ADDRESS, c10=f"{NAMES[2]} đưa đến, nhà ở {ADDRESS}, sinh {BIRTH}"),
    usual(4, c1=NAMES[0].upper(), c10=f"người báo: {NAMES[2]}, gọi {NUMBERS[4]}, CMND {NUMBERS[2]}"),
    usual(5, c4=NAMES[3], c5=f"làm với {NAMES[4]}", c11=NUMBERS[5], c13=f"do {NAMES[5]} chăm sóc"),  # wrong columns
    usual(6, c8=f"{NAMES[6]} ghi", c9=NAMES[7], c12=NAMES[1], c3=NAMES[2]),
    {"TT": 7, "Số CCCD": NUMBERS[6], "Địa chỉ": ADDRESS, "Ghi chú": NAMES[1]},  # neither name nor date nor cause
    usual(8),
]


def book(path, lines=LINES):
    page_book = openpyxl.Workbook()
    page = page_book.active
    page.title = "A6"
    for row, text in enumerate(TITLE, start=1):
        page.cell(row, 1, text)
    for row, cells in enumerate([dict(zip(HEADERS, HEADERS)), *lines], start=5):
        for heading, value in cells.items():
            page.cell(row, HEADERS.index(heading) + 1, value)
    page_book.save(path)


def line_list(path):
    """A line list whose unit column holds a name, and a broken line."""
    path.write_text(
        "commune,full_name,sex,birth_date,death_date,address,id_number,cause_text\n"
        f"{NAMES[4]},{NAMES[1]},nữ,{BIRTH},05/03/2024,{ADDRESS},{NUMBERS[0]},Suy tim\n"
        f'Xã Bình Châu,{NAMES[2]},{NAMES[5]},{BIRTH},06/03/2024,{ADDRESS},{NUMBERS[0]},"Lao phổi, {NAMES[0]}\n',
        "utf-8",
    )


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    """A home into which the planted files went through every command, and all that the commands said."""
    folder = tmp_path_factory.mktemp("planted")
    received, home = folder / "received", folder / "home"
    received.mkdir()
    book(received / f"so_a6_{fold(NAMES[1]).title().replace(' ', '_')}_{NUMBERS[1]}.xlsx")
    book(received / "so_a6.xlsx", [*LINES, usual(9)])
    line_list(received / "danh_sach.csv")
    (received / f"giay bao tu {NAMES[2]}.pdf").write_bytes(b"%PDF-1.4 nothing")
    (received / "hong.csv").write_text(f"{NAMES[1]};{NUMBERS[0]}\n\x00\x01", "utf-8")
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        for language in ("vi", "en"):
            for arguments in (
                ["ingest", str(received)],
                ["ingest", str(received), "--json"],
                ["check"],
                ["status"],
                ["status", "--json"],
                ["publish"],
                ["portal", "build"],
                ["explain", f"crude_death_rate|VN2025:51|2024|total|all|{NAMES[1]}", "--json"],
                ["audit", "show", "--json"],
                ["ingest", str(received), "--retry"],
            ):
                run([*arguments, "--home", str(home), "--language", language])
        run(["report", "run", "deaths_annual", "-p", "place=VN2025:51", "-p", "year=2024", "--home", str(home)])
    set_language("vi")
    return home, said.getvalue()


def found_in(text):
    """The planted texts that a text holds, whatever its case, accents or form."""
    folded = fold(text)
    return [planted for planted in PLANTED if fold(planted) in folded]


def test_the_work_was_done(worked):
    home, said = worked
    assert list((home / "reports").glob("deaths_annual*.html")), said
    with Warehouse(home) as warehouse:
        assert warehouse.one("SELECT count(*) FROM lake.death")[0] >= 7
        assert warehouse.one("SELECT count(*) FROM lake.quarantine")[0] >= 3


def test_what_commands_print_names_nobody(worked):
    assert found_in(worked[1]) == []


def test_no_table_of_the_lake_names_anybody(worked):
    with Warehouse(worked[0]) as warehouse:
        for table in warehouse.tables():
            rows = warehouse.query(f'SELECT * FROM lake."{table}"')
            assert found_in(rows.to_csv()) == [], table


def test_no_file_of_a_release_names_anybody(worked):
    paths = list((worked[0] / "releases").rglob("*.parquet"))
    assert len(paths) > 5
    for path in paths:
        assert found_in(duckdb.sql(f"SELECT * FROM read_parquet('{path}')").df().to_csv()) == [], path.name


def test_no_file_of_the_home_holds_one_in_its_bytes(worked):
    wanted = [
        unicodedata.normalize(form, planted).encode(code)
        for planted in PLANTED
        for form in ("NFC", "NFD")
        for code in ("utf-8", "utf-16-le")
    ]
    paths = [path for path in worked[0].rglob("*") if path.is_file()]
    assert any("restricted" in path.parts for path in paths)
    assert any(path.suffix == ".sqlite" for path in paths)
    found = [path.name for path in paths if any(planted in (data := path.read_bytes()) for planted in wanted) and data]
    assert found == []
    assert [path for path in paths if found_in(path.name)] == []


def test_pages_and_notebooks_of_reports_name_nobody(worked):
    for path in [*(worked[0] / "reports").rglob("*"), *(worked[0] / "portal").rglob("*")]:
        if path.suffix in (".html", ".ipynb", ".json"):
            assert found_in(path.read_text("utf-8")) == [], path.name


def test_the_identifiers_themselves_are_kept_where_they_belong(worked):
    from tkyt_analysis.access.identifiers import read_identities

    kept = read_identities(worked[0], why="kiểm thử")
    assert NAMES[0] in set(kept["full_name"])
    assert NUMBERS[0] in set(kept["id_number"])


def test_what_was_masked_is_said_cell_by_cell(worked):
    with Warehouse(worked[0]) as warehouse:
        notes = warehouse.query(
            "SELECT column_name, count(*) AS cells FROM lake.ingest_note WHERE note = 'note.identifier_withheld' GROUP BY 1"
        )
        causes = warehouse.query("SELECT cause_text FROM lake.death WHERE cause_text LIKE '%…%'")
    assert {"cause_text", "occupation", "ethnic_group"} <= set(notes["column_name"])
    assert any("bị ngã" in text for text in causes["cause_text"])  # the cause itself stays


def test_reading_was_recorded_before_the_rows_came(worked):
    from tkyt_analysis.access.audit import check_chain, read_log

    events = [json.loads(json.dumps(entry)) for entry in read_log(worked[0]) if entry["event"] == "identifiers_read"]
    assert events
    assert events[-1]["rows"] > 0
    assert events[-1]["why"]
    assert check_chain(worked[0]) == []
