"""An A6 book out and back: ingest, error workbook, mended book; beside pandas.read_excel, which only reads the cells.

Books are invented, 14 columns as in the practice data; every hundredth line has a date that cannot be read. Each repeat has a home
of its own, whose making is outside the clock.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pandas as pd
from measuring import compare, options, present

HEADINGS = ["TT", "Họ và tên", "Nam", "Nữ", "Dân tộc", "Nghề nghiệp", "Địa chỉ", "Ngày tử vong", "Nơi tử vong",
            "Nguyên nhân chính gây tử vong", "Mã ICD-10", "Tử vong mẹ", "Được CBYT chăm sóc", "Ghi chú"]  # fmt: skip
CAUSES = ("Đột quỵ", "Tuổi già", "Ung thư phổi", "Tai nạn giao thông", "Viêm phổi")
RUNS = 4  # three repeats, and one to warm up
GIVEN = ("An", "Bình", "Chi", "Dung", "Giang", "Hà", "Khánh", "Lan", "Minh", "Nga")


def write_book(path: Path, rows: int, *, spoilt: bool) -> Path:
    """A book of invented deaths of 2024 in xã Bình Châu."""
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("A6")
        sheet.write(0, 0, "Xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi – Năm 2024 (số liệu mô phỏng)")
        sheet.write_row(2, 0, HEADINGS)
        for number in range(rows):
            day = "hôm qua" if spoilt and number % 100 == 0 else f"{number % 28 + 1:02}/{number % 12 + 1:02}/2024"
            name = f"Lê {GIVEN[number % 10]} {GIVEN[number // 10 % 10]} {GIVEN[number // 100 % 10]} {number}"
            born = 1930 + number % 80
            line = [number + 1, name, born if number % 2 else "", "" if number % 2 else born, "Kinh", "Làm nông",
                    f"Thôn {number % 9 + 1}", day, "Tại nhà", CAUSES[number % 5], "", "", "Có", ""]  # fmt: skip
            sheet.write_row(number + 3, 0, line)
    return path


def ways(folder: Path, numbers: count[int], size: int) -> dict[str, Callable[[], object]]:
    """The steps of one round trip, each on a home in which the earlier ones are done."""
    from tkyt_analysis.correction.error_workbook import write_error_workbook
    from tkyt_analysis.ingest.receive import ingest
    from tkyt_analysis.pipeline import prepare_home

    spoilt = write_book(folder / f"a6_{size}.xlsx", size, spoilt=True)
    mended = write_book(folder / f"a6_{size}_sua.xlsx", size, spoilt=False)
    done = folder / f"done{size}"
    prepare_home(done)
    (first,) = ingest(done, [spoilt]).files
    assert first["received"] == first["landed"] + first["quarantined"] == size
    homes = [folder / f"home{size}_{next(numbers)}" for _ in range(2 * RUNS)]
    for home in homes:
        prepare_home(home)
    for home in homes[RUNS:]:
        ingest(home, [spoilt])
    waiting, replaced = iter(homes[:RUNS]), iter(homes[RUNS:])
    return {
        "receive the book": lambda: ingest(next(waiting), [spoilt]),
        "write its error workbook": lambda: write_error_workbook(done, first["sha256"], folder / f"loi_{size}.xlsx"),
        "receive the mended book": lambda: ingest(next(replaced), [mended]),
        "pandas.read_excel (cells only)": lambda: pd.read_excel(spoilt, header=2, engine="openpyxl"),
    }


def main() -> None:
    chosen = options(__doc__)
    numbers = count()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CONFIG_HOME"] = folder
        sizes = [1_000, 3_000, 10_000]
        found = compare(sizes, lambda size: ways(Path(folder), numbers, size), repeats=RUNS - 1)
    notes = ["All steps check received = landed + quarantined; the mended book replaces the first one, row by row."]
    question = "An A6 book out and back"
    present("bench_round_trip", question, found, notes, repeats=RUNS - 1, markdown=chosen.markdown)


if __name__ == "__main__":
    main()
