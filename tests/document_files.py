"""Drawn documents on a death: lists, printed forms and exports with a few rows, as an office would send them."""

from __future__ import annotations

from pathlib import Path

import openpyxl
from ingest_support import received

HOME = "Thôn 3, xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi"
HOSPITAL = ["BỆNH VIỆN ĐA KHOA TỈNH QUẢNG NGÃI", "Mã CSKCB: 51Z01"]
PERSON = {"Họ và tên": "Nguyễn Văn A", "Ngày sinh": "01/02/1950", "Giới tính": "Nam", "Nơi thường trú": HOME}

CIVIL = {
    "STT": 1, "Số đăng ký": "12/2024", "Ngày đăng ký": "10/03/2024", "Họ, chữ đệm, tên người chết": "NGUYỄN VĂN A",
    "Ngày sinh": "1950", "Giới tính": "Nam", "Nơi cư trú cuối cùng": HOME, "Ngày chết": "05/03/2024", "Nơi chết": "Tại nhà",
    "Nguyên nhân chết": "Già yếu", "Người đi khai": "Lê Thị Khai", "Quan hệ với người chết": "Con", "Loại đăng ký": "Đúng hạn",
}  # fmt: skip
NOTICE = {
    "TT": 1, "Số giấy báo tử": "77", "Ngày cấp": "06/03/2024", **PERSON, "Số CCCD": "000150000111",
    "Thời gian tử vong": "10 giờ 30 phút, ngày 05/03/2024", "Nguyên nhân tử vong": "Nhồi máu não", "Mã ICD-10": "I63.9",
    "Người thân thích": "Lê Thị Khai",
}  # fmt: skip
SENT_HOME = {
    "STT": 1, "Mã bệnh nhân": "BN000123", **PERSON, "Khoa": "Hồi sức", "Ngày vào viện": "01/03/2024", "Ngày ra viện": "04/03/2024",
    "Chẩn đoán": "Nhồi máu não", "Mã ICD-10": "I63.9", "Tình trạng ra viện": "Nặng xin về", "Tiên lượng": "Tử vong",
}  # fmt: skip
CERTIFICATE = {
    "TT": 1, "Số bệnh án": "BA55", **PERSON, "Ngày tử vong": "05/03/2024",
    "Nguyên nhân dòng a": "Suy hô hấp", "Khoảng thời gian a": "2 giờ", "Mã ICD-10 dòng a": "J96.0",
    "Nguyên nhân dòng b": "Viêm phổi", "Khoảng thời gian b": "3 ngày", "Mã ICD-10 dòng b": "J18.9",
    "Nguyên nhân dòng c": "Nhồi máu não", "Khoảng thời gian c": "vài tuần", "Mã ICD-10 dòng c": "I63.9",
    "Nguyên nhân dòng d": None, "Mục 2. Bệnh lý góp phần": "Tăng huyết áp", "Mã ICD-10 mục 2": "I10 E119",
    "Hình thức tử vong": "Bệnh", "Phẫu thuật trong 4 tuần": "Không", "Khám nghiệm tử thi": "Không",
}  # fmt: skip
TITLES = {
    "civil_registration": [
        "UBND xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi",
        "DANH SÁCH ĐĂNG KÝ KHAI TỬ",
        "Năm 2024",
    ],
    "death_notice": [*HOSPITAL, "DANH SÁCH GIẤY BÁO TỬ ĐÃ CẤP", "Năm 2024"],
    "sent_home": [*HOSPITAL, "DANH SÁCH BỆNH NHÂN NẶNG XIN VỀ", "Năm 2024"],
    "certificate": [*HOSPITAL, "DANH SÁCH PHIẾU CHẨN ĐOÁN NGUYÊN NHÂN TỬ VONG", "Năm 2024"],
}
ROWS = {"civil_registration": CIVIL, "death_notice": NOTICE, "sent_home": SENT_HOME, "certificate": CERTIFICATE}

CERTIFICATE_FORM = [
    *HOSPITAL, None, "PHIẾU CHẨN ĐOÁN NGUYÊN NHÂN TỬ VONG", "Số bệnh án: BA55",
    ["1. Họ và tên: NGUYỄN VĂN A", None, None, "Giới tính: ☒ Nam ☐ Nữ"], ["2. Ngày sinh: 1/2/1950", None, None, "Tuổi: 74"],
    ["3. Dân tộc:", "Kinh", None, "Nghề nghiệp:", "Nông dân"], f"4. Nơi thường trú: {HOME}",
    "5. Số định danh cá nhân/CCCD: 000150000111", "6. Tử vong lúc: 10 giờ 30 ngày 05 tháng 3 năm 2024",
    "PHẦN A. THÔNG TIN Y TẾ",
    ["Mục 1. Bệnh, tình trạng dẫn đến tử vong", None, "Khoảng thời gian từ khi khởi phát đến khi tử vong", "Mã ICD-10"],
    ["a) Nguyên nhân trực tiếp", "Suy hô hấp", "2 giờ", "J96.0"], ["b) Do", "Viêm phổi", "3 ngày", "J18.9"],
    ["c) Do", "Nhồi máu não", "vài tuần", "I63.9"], ["d) Do", "………", "……", "……"],
    ["Mục 2. Các bệnh, tình trạng khác góp phần", "Tăng huyết áp", None, "I10 E119"], "PHẦN B. THÔNG TIN Y TẾ KHÁC",
    ["1. Có phẫu thuật trong 4 tuần trước khi chết không?", "☐ Có ☒ Không ☐ Không rõ"],
    ["2. Có khám nghiệm tử thi không?", "[ ] Có [x] Không"], "3. Hình thức tử vong: ☒ Bệnh ☐ Tai nạn ☐ Cố ý tự hại",
    "4. Ngày bị chấn thương: …/…/……", "Bác sĩ lập phiếu: Trần Lập Phiếu",
]  # fmt: skip
NOTICE_FORM = [
    *HOSPITAL, "Số: 77/GBT", "GIẤY BÁO TỬ", "Họ và tên: NGUYỄN VĂN A", ["Giới tính: Nam", None, "Dân tộc: Kinh"],
    "Ngày, tháng, năm sinh: 01/02/1950", f"Nơi thường trú/tạm trú: {HOME}", "Số định danh cá nhân/CCCD: 000150000111",
    "Đã tử vong vào lúc 10 giờ 30 phút, ngày 5 tháng 3 năm 2024", "Nguyên nhân tử vong: Nhồi máu não", "Ngày cấp: 06/03/2024",
]  # fmt: skip


def workbook(path: Path, sheets: dict[str, list], *, store=None) -> Path:
    """A workbook of sheets; each row a text or a list of cells; `store` encodes every text."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row if isinstance(row, list) else [row], start=1):
                if value is not None:
                    page.cell(number, column, store(value) if store and isinstance(value, str) else value)
    book.save(path)
    return path


def list_rows(kind: str, *changes: dict, titles=None, drop=()) -> list:
    """Title lines, a blank row, the heading and one row per change of the usual row of this kind."""
    row = {name: value for name, value in ROWS[kind].items() if name not in drop}
    lines = [list((row | change).values()) for change in (changes or ({},))]
    names = list(row | (changes[0] if changes else {}))
    return [*(TITLES[kind] if titles is None else titles), None, names, *lines]


def list_file(tmp_path: Path, kind: str, *changes: dict, name="list.xlsx", store=None, **more):
    """A received workbook with one list."""
    return received(workbook(tmp_path / name, {"DS": list_rows(kind, *changes, **more)}, store=store))


def csv_file(tmp_path: Path, kind: str, *changes: dict, encoding="utf-8", name="list.csv"):
    """The same list as CSV, without titles."""
    import csv
    import io

    rows = [row for row in list_rows(kind, *changes) if isinstance(row, list)]
    text = io.StringIO()
    csv.writer(text).writerows([["" if cell is None else cell for cell in row] for row in rows])
    path = tmp_path / name
    path.write_bytes(text.getvalue().encode(encoding))
    return received(path)


def form_file(tmp_path: Path, *forms: list, name="form.xlsx", store=None):
    """A received workbook with one form per sheet."""
    return received(workbook(tmp_path / name, {f"P{n}": form for n, form in enumerate(forms, start=1)}, store=store))
