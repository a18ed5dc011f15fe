"""The facility list as received: one commune health station per old commune, merged on 2025-07-01.

Codes look like KCB codes but carry a "Z" in third place, so that none can be taken for a real facility.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tkyt_analysis.labels import label
from tkyt_analysis.practice.world import NOTE, Progress, World

DIGITS = np.array(list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
LAST_OLD_DAY, FIRST_NEW_DAY = "30/06/2025", "01/07/2025"
HEADER_ROW = 3  # rows above the header: the title, the note, an empty one
COLUMNS = ("number", "code", "name", "facility_type", "unit", "valid_from", "valid_to", "merged_into")


class FacilitySource:
    """received/facilities/facilities.xlsx, one row per life of a station."""

    id = "30_facilities"

    def make(self, world: World, progress: Progress) -> None:
        """Write the workbook."""
        write_workbook(world, facility_lives(world))
        progress(self.id, 1.0)


SOURCE = FacilitySource()


def facility_codes(communes: pd.DataFrame) -> pd.Series:
    """ "51Z01": old province, Z for practice, two letters or digits in the order of the commune codes."""
    number = communes.groupby("province_id").cumcount() + 1
    province = communes["province_id"].str.removeprefix("VN2024:")
    return province + "Z" + DIGITS[number // 36] + DIGITS[number % 36]


def facility_lives(world: World) -> pd.DataFrame:
    """code, name, unit, valid_from, valid_to, merged_into: a station's life before and after 2025-07-01.

    In every new commune the station of the commune that gave its code (else the first) lives on; the
    others end on 2025-06-30, merged into it.
    """
    communes = world.communes.sort_values("unit_id").reset_index(drop=True)
    rng = world.rng("facilities")
    code = facility_codes(communes)
    seat = communes["successor_id"].str[7:] == communes["unit_id"].str[7:]
    order = communes.assign(row=np.arange(len(communes)), seat=~seat).sort_values(["seat", "row"])
    heads = order.drop_duplicates("successor_id").set_index("successor_id")["row"]
    head = heads.loc[communes["successor_id"]].to_numpy()
    survives = head == np.arange(len(communes))
    opened = pd.Series([f"{day:02d}/{month:02d}/{year}" for day, month, year in _days(rng, len(communes))])
    station = label("practice.facility.station", "vi")
    old = pd.DataFrame(
        {
            "code": code,
            "name": station + " " + communes["full_name"],
            "unit": communes["unit_id"],
            "valid_from": opened,
            "valid_to": LAST_OLD_DAY,
            "merged_into": np.where(survives, "", code.to_numpy()[head]),
        }
    )
    new = old[survives].assign(
        name=station + " " + communes.loc[survives, "successor_name"],
        unit=communes.loc[survives, "successor_id"],
        valid_from=FIRST_NEW_DAY,
        valid_to="",
        merged_into="",
    )
    lives = pd.concat([old, new]).sort_values(["code", "valid_to"], ascending=[True, False], ignore_index=True)
    return lives.assign(number=np.arange(1, len(lives) + 1), facility_type=label("practice.facility.type", "vi"))


def _days(rng: np.random.Generator, count: int) -> list[tuple[int, int, int]]:
    day, month, year = rng.integers(1, 29, count), rng.integers(1, 13, count), rng.integers(1976, 2010, count)
    return list(zip(day.tolist(), month.tolist(), year.tolist()))


def write_workbook(world: World, lives: pd.DataFrame) -> None:
    """One sheet; the note stands above the header. The creation date is fixed, so that bytes repeat."""
    import datetime

    import xlsxwriter

    path = world.received_path("facilities", "facilities.xlsx")
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        book.set_properties({"created": datetime.datetime(2026, 1, 1), "comments": NOTE})
        sheet = book.add_worksheet(label("practice.facility.sheet", "vi"))
        bold = book.add_format({"bold": True})
        sheet.write(0, 0, label("practice.facility.title", "vi"), bold)
        sheet.write(1, 0, NOTE)
        for column, name in enumerate(COLUMNS):
            sheet.write(HEADER_ROW, column, label(f"practice.facility.column.{name}", "vi"), bold)
        for number, row in enumerate(lives[list(COLUMNS)].itertuples(index=False), start=HEADER_ROW + 1):
            sheet.write_row(number, 0, row)
