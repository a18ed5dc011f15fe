"""Two line lists as received: vaccinations (one line per dose) and cases of notifiable disease. All people are invented."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.practice.world import MERGER_MONTH, NOTE, Progress, World

CHILDREN_PER_10000, CASES_PER_10000 = 40, 12  # in the last twelve months
ROWS_AT_MOST = 200_000
NOBODYS_PROVINCE = "099"  # no ID number begins so
EPOCH = datetime.date(1970, 1, 1)


class LineListSource:
    """received/line_lists/tiem_chung.xlsx and benh_truyen_nhiem.csv."""

    id = "45_line_lists"

    def make(self, world: World, progress: Progress) -> None:
        _write_xlsx(world, "tiem_chung.xlsx", "DANH SÁCH TIÊM CHỦNG", vaccinations(world))
        progress(self.id, 0.5)
        rows = cases(world)
        path = world.received_path("line_lists", "benh_truyen_nhiem.csv")
        with path.open("w", encoding="utf-8", newline="") as sink:
            sink.write(f"# {NOTE}\n")
            rows.to_csv(sink, index=False, lineterminator="\n")
        progress(self.id, 1.0)


SOURCE = LineListSource()


def people(rng: np.random.Generator, count: int) -> pd.DataFrame:
    """Names and sex of persons that do not exist."""
    words = read_codelist("practice_person_words")

    def draw(part: str) -> np.ndarray:
        chosen = words[words["part"] == part]
        weight = chosen["weight"].astype("float64").to_numpy()
        return rng.choice(chosen["text"].to_numpy(), count, p=weight / weight.sum())

    female = rng.random(count) < 0.48
    middle = np.where(female, draw("middle_female"), draw("middle_male"))
    given = np.where(female, draw("given_female"), draw("given_male"))
    parts = zip(draw("family"), middle, given, strict=True)
    names = [" ".join(part for part in one if part) for one in parts]
    return pd.DataFrame({"name": names, "sex": np.where(female, "Nữ", "Nam"), "hamlet": draw("hamlet_name")})


def _communes(world: World, rng: np.random.Generator, count: int, days: np.ndarray) -> np.ndarray:
    """The code of the commune at each day: the old one before the merger, the new one from then on."""
    shares = world.communes["persons"].to_numpy(dtype=float)
    at = rng.choice(len(world.communes), count, p=shares / shares.sum())
    merger = (datetime.date(int(MERGER_MONTH[:4]), int(MERGER_MONTH[4:]), 1) - EPOCH).days
    codes = np.where(
        days >= merger, world.communes["successor_id"].to_numpy()[at], world.communes["unit_id"].to_numpy()[at]
    )
    return np.array([code.split(":")[1] for code in codes], dtype=object)


def _count(world: World, per_10000: float) -> int:
    return int(min(ROWS_AT_MOST, max(20, world.communes["persons"].sum() / 10_000 * per_10000)))


def _last_year(world: World) -> tuple[int, int]:
    """First and last day (since 1970) of the last twelve months of the scale."""
    last = world.scale.months[-1]
    end = datetime.date(int(last[:4]), int(last[4:]), 28)
    return (end - EPOCH).days - 364, (end - EPOCH).days


def _written(days: np.ndarray) -> list[str]:
    return [(EPOCH + datetime.timedelta(days=int(day))).strftime("%d/%m/%Y") for day in days]


def vaccinations(world: World) -> pd.DataFrame:
    """One line per dose of invented children, as a commune writes them."""
    rng = world.rng("line_lists", "vaccination")
    count = _count(world, CHILDREN_PER_10000)
    child = people(rng, count)
    first, last = _last_year(world)
    born = rng.integers(first - 300, last - 60, count)
    child = child.assign(born=born, mother=people(rng, count)["name"])
    schedule = read_codelist("vaccines").query("first_age_months != ''")
    lines = child.merge(schedule[["code", "first_age_months"]], how="cross")
    delay = rng.gamma(1.5, 9.0, len(lines)).astype(int)
    lines["day"] = lines["born"] + (lines["first_age_months"].astype(int) * 30.4).astype(int) + delay
    lines = lines[(lines["day"] >= first) & (lines["day"] <= last) & (rng.random(len(lines)) < 0.93)].reset_index(
        drop=True
    )
    lines["commune"] = _communes(world, rng, len(lines), lines["day"].to_numpy())
    return pd.DataFrame(
        {
            "STT": range(1, len(lines) + 1), "Họ và tên": lines["name"], "Ngày sinh": _written(lines["born"].to_numpy()),
            "Giới tính": lines["sex"], "Họ tên mẹ": lines["mother"], "Địa chỉ": "Thôn " + lines["hamlet"],
            "Xã tiêm": lines["commune"], "Ngày tiêm": _written(lines["day"].to_numpy()), "Vắc xin": lines["code"],
            "Mũi thứ": 1, "Số lô": [f"L{n:04d}" for n in rng.integers(0, 500, len(lines))],
            "Phản ứng sau tiêm": np.where(rng.random(len(lines)) < 0.01, "có", "không"),
        }
    )  # fmt: skip


def cases(world: World) -> pd.DataFrame:
    """One line per case of an invented patient; dengue and hand, foot and mouth disease lead."""
    rng = world.rng("line_lists", "cases")
    count = _count(world, CASES_PER_10000)
    person = people(rng, count)
    first, last = _last_year(world)
    onset = rng.integers(first, last, count)
    weight = {"A97": 50, "B08.4": 30, "B01": 8, "B05": 5, "A83": 1, "A37": 2, "U07.1": 3, "A82": 0.2, "A39": 0.2}
    codes = rng.choice(list(weight), count, p=np.array(list(weight.values())) / sum(weight.values()))
    age_days = np.where(
        np.isin(codes, ["B08.4", "A37"]), rng.integers(60, 1800, count), rng.integers(200, 27_000, count)
    )
    outcome = rng.choice(["khoi", "dang_dieu_tri", "tu_vong"], count, p=[0.93, 0.065, 0.005])
    number = rng.integers(0, 10**9, count)
    return pd.DataFrame(
        {
            "STT": range(1, count + 1), "Họ và tên người bệnh": person["name"], "Ngày sinh": _written(onset - age_days),
            "Giới tính": person["sex"], "Địa chỉ": "Thôn " + person["hamlet"],
            "Số CCCD": [f"{NOBODYS_PROVINCE}{n:09d}" for n in number], "Xã nơi ở": _communes(world, rng, count, onset),
            "Mã bệnh": codes, "Ngày khởi phát": _written(onset), "Ngày báo cáo": _written(onset + rng.integers(0, 5, count)),
            "Xét nghiệm khẳng định": np.where(rng.random(count) < 0.4, "có", "không"),
            "Nhập viện": np.where(rng.random(count) < 0.5, "có", "không"), "Tình trạng": outcome,
        }
    )  # fmt: skip


def _write_xlsx(world: World, name: str, title: str, rows: pd.DataFrame) -> None:
    """A sheet with title and note over the header; the creation date is fixed, so that bytes repeat."""
    import xlsxwriter

    path = world.received_path("line_lists", name)
    with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": datetime.datetime(2026, 1, 1), "comments": NOTE})
        sheet = book.add_worksheet("Danh sách")
        bold = book.add_format({"bold": True})
        sheet.write_string(0, 0, title, bold)
        sheet.write_string(1, 0, NOTE)
        sheet.write_row(3, 0, list(rows.columns), bold)
        for number, row in enumerate(rows.itertuples(index=False), start=4):
            sheet.write_row(number, 0, row)
