"""Days as text, solar and lunar, by look-up tables. A day is a whole number: days since 1970-01-01."""

from __future__ import annotations

from functools import cache

import numpy as np

FIRST_DAY = int(np.datetime64("1895-01-01").astype("datetime64[D]").astype(int))
LAST_DAY = int(np.datetime64("2040-12-31").astype("datetime64[D]").astype(int))


def day_number(date: str) -> int:
    """ "2024-02-10" -> days since 1970-01-01."""
    return int(np.datetime64(date, "D").astype(int))


def year_of(day: np.ndarray) -> np.ndarray:
    """Calendar year of each day."""
    return np.asarray(day).astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970


def month_of(day: np.ndarray) -> np.ndarray:
    """Calendar month 1-12 of each day."""
    return np.asarray(day).astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12 + 1


def day_of_month(day: np.ndarray) -> np.ndarray:
    """Day of the month 1-31."""
    days = np.asarray(day).astype("datetime64[D]")
    return (days - days.astype("datetime64[M]")).astype(int) + 1


def completed_years(birth_day: np.ndarray, death_day: np.ndarray) -> np.ndarray:
    """Age in completed years at the day of death."""
    before_birthday = month_of(death_day) * 100 + day_of_month(death_day) < (
        month_of(birth_day) * 100 + day_of_month(birth_day)
    )
    return year_of(death_day) - year_of(birth_day) - before_birthday


@cache
def _texts(style: str) -> np.ndarray:
    days = np.arange(FIRST_DAY, LAST_DAY + 1)
    year, month, day = year_of(days), month_of(days), day_of_month(days)
    form = {
        "padded": "{2:02d}/{1:02d}/{0}",
        "short": "{2}/{1}/{0}",
        "dots": "{2:02d}.{1:02d}.{0}",
        "iso": "{0}-{1:02d}-{2:02d}",
        "swapped": "{1:02d}/{2:02d}/{0}",
        "year": "{0}",
    }[style]
    return np.array([form.format(*parts) for parts in zip(year, month, day)], object)


def as_text(day: np.ndarray, style: str = "padded") -> np.ndarray:
    """dd/mm/yyyy and other looks of each day."""
    return _texts(style)[np.asarray(day) - FIRST_DAY]


@cache
def lunar_table() -> tuple[int, np.ndarray]:
    """First day, and (day, month, leap) of the Vietnamese lunar calendar for 2014 to 2027."""
    from vnlunar import get_lunar_date

    first, last = day_number("2014-01-01"), day_number("2027-12-31")
    rows = []
    for year, month, day in (str(np.datetime64(d, "D")).split("-") for d in range(first, last + 1)):
        lunar = get_lunar_date(int(day), int(month), int(year))
        rows.append((lunar["day"], lunar["month"], lunar["leap"]))
    return first, np.array(rows)


@cache
def tet_days() -> np.ndarray:
    """The first day of each lunar year, 2014 to 2027, and a day far behind them."""
    first, table = lunar_table()
    return np.append(first + np.flatnonzero((table == [1, 1, 0]).all(axis=1)), LAST_DAY)


@cache
def _lunar_texts() -> np.ndarray:
    _, table = lunar_table()
    return np.array(
        [[_lunar_text(day, month, leap, look) for look in range(3)] for day, month, leap in table.tolist()], object
    )


def _lunar_text(day: int, month: int, leap: int, look: int) -> str:
    extra = " nhuận" if leap else ""
    if look == 2:
        name = {1: "giêng", 12: "chạp"}.get(month, str(month))
        when = "rằm" if day == 15 else f"mồng {day}" if day <= 10 else f"ngày {day}"
        return f"{when} tháng {name}{extra} âm lịch"
    return f"{day}/{month}{extra} {'âl' if look == 0 else 'ÂL'}"


def lunar_text(day: np.ndarray, look: np.ndarray) -> np.ndarray:
    """The lunar day as a family says it: "15/8 âl", "15/8 ÂL", "rằm tháng 8 âm lịch" (look 0, 1, 2)."""
    first, _ = lunar_table()
    return _lunar_texts()[np.asarray(day) - first, look]


def first_of_year(day: np.ndarray) -> np.ndarray:
    """The 1 January of the year of each day."""
    return np.asarray(day).astype("datetime64[D]").astype("datetime64[Y]").astype("datetime64[D]").astype(int)
