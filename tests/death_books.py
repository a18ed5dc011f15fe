"""Small death registers for tests: headings of the paper book, lines as dictionaries, one home."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import openpyxl

from tkyt_analysis.ingest.receive import ingest
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.warehouse.lake import Warehouse

TITLE = ("Trạm Y tế xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi", "SỔ THEO DÕI NGUYÊN NHÂN TỬ VONG", "Năm 2024")
BOOK_UNIT, NEXT_COMMUNE = "VN2024:21112", "VN2024:21067"  # Bình Châu, Bình Hải
ALIAS = {
    "name": "Họ và tên người chết", "sex": "Giới tính", "birth": "Ngày tháng năm sinh", "age": "Tuổi", "id": "Số định danh/CCCD",
    "insurance": "Số thẻ BHYT", "ethnic": "Dân tộc", "job": "Nghề nghiệp", "address": "Địa chỉ",
    "death": "Ngày tháng năm tử vong", "time": "Giờ tử vong", "place": "Nơi tử vong", "death_place": "Xã nơi tử vong",
    "cause": "Nguyên nhân tử vong", "icd": "Mã ICD-10", "a": "Nguyên nhân dòng a", "a_for": "Khoảng thời gian a",
    "a_icd": "Mã ICD-10 dòng a", "b": "Nguyên nhân dòng b", "b_for": "Khoảng thời gian b", "b_icd": "Mã ICD-10 dòng b",
    "part2": "Phần II: bệnh kèm theo góp phần", "mother": "Tử vong mẹ", "timing": "Thời điểm thai nghén khi tử vong",
    "manner": "Hình thức tử vong", "where": "Nơi xảy ra tai nạn", "doing": "Hoạt động khi xảy ra tai nạn",
    "told": "Nguồn tin", "informant": "Họ tên người khai", "relation": "Quan hệ với người chết", "by": "Người ghi sổ",
    "note": "Ghi chú", "corrects": "Mã hồ sơ được sửa", "reason": "Lý do sửa", "extra": "Cột riêng của xã",
}  # fmt: skip
LINE = {"name": "Nguyễn Văn A", "death": "05/03/2024", "cause": "Già yếu"}


def book(path: Path, lines: list[dict], *, title=TITLE) -> Path:
    """A workbook with the columns that any of the lines uses; a line is {alias: value}."""
    used = [name for name in ALIAS if name in {"name", "death", "cause"}.union(*lines)]
    workbook = openpyxl.Workbook()
    page = workbook.active
    page.title = "A6"
    for text in title:
        page.append([text])
    page.append([])
    page.append(["TT", *(ALIAS[name] for name in used)])
    for number, line in enumerate(lines, 1):
        page.append([number, *(line.get(name) for name in used)])
    workbook.save(path)
    return path


@cache
def _empty_home() -> Path:
    """A home with its unit lists, made once per test process: copies of it share its key."""
    made = Path(tempfile.mkdtemp(prefix="tkyt-empty-")) / "home"
    atexit.register(shutil.rmtree, made.parent, ignore_errors=True)
    prepare_home(made)
    return made


class Home:
    """A home under a test's folder; `receive` ingests books of lines, `rows` asks the open lake."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "home"
        shutil.copytree(_empty_home(), self.path)

    def receive(self, lines: list[dict], name: str = "so_a6.xlsx", **options) -> dict:
        return ingest(self.path, [book(self.folder / name, lines, **options)]).files[0]

    def rows(self, sql: str):
        with Warehouse(self.path) as warehouse:
            return warehouse.query(sql)

    def deaths(self):
        return self.rows("SELECT * FROM lake.death ORDER BY file_sha256, row_number")

    def id_of(self, cause: str) -> str:
        """The record with these words of a cause: the test's own handle."""
        return str(self.rows(f"SELECT death_id FROM lake.death WHERE cause_text = '{cause}'")["death_id"].item())

    def as_written(self):
        with Warehouse(self.path) as warehouse:
            warehouse.attach_restricted()
            return warehouse.query(
                "SELECT * FROM restricted.death_as_written ORDER BY file_sha256, row_number, position"
            )
