"""Rates, standardised rates and life tables of a CSV of deaths and population by age; no warehouse needed.

In: unit, year, sex, age_group, events, population. Out: one row per unit, year, sex and measure, each with limits, method, status and
reason. Men and women that stand without a total get one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mortality.measures.indicator_frame import TOTAL
from mortality.measures.indicator_order import SEX_ORDER
from mortality.measures.indicators_life import (
    DYING,
    LIFE_EXPECTANCY,
    YEARS_LOST,
    life_figures,
)
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, crude_rate
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label
from tkyt_analysis.reference.ages import band_label, parse_bands
from tkyt_analysis.reference.vietnamese_text import fold

KEYS = ["unit", "year", "sex"]
COLUMNS = [*KEYS, "measure", "age_group", "events", "population", "value", "lower", "upper", "per", "method", "status", "reason"]  # fmt: skip
NAMES = {
    "unit": ("unit", "unit_id", "place", "area", "don_vi", "dia_ban"),
    "year": ("year", "period", "nam"),
    "sex": ("sex", "gioi", "gioi_tinh"),
    "age_group": ("age_group", "age", "ages", "nhom_tuoi", "tuoi"),
    "events": ("events", "deaths", "so_tu_vong", "tu_vong"),
    "population": ("population", "persons", "person_years", "dan_so"),
}
SEXES = {
    **dict.fromkeys(("male", "m", "men", "nam", "1"), "male"),
    **dict.fromkeys(("female", "f", "women", "nữ", "nu", "2"), "female"),
    **dict.fromkeys(("total", "both", "t", "all", "chung", "cả hai", ""), TOTAL),
}
PER, PER_RATE, STANDARD = 1_000, 100_000, "who_2000_2025"
LIFE: dict[str, tuple[str, dict[str, float], float]] = {
    "life_expectancy_at_birth": (LIFE_EXPECTANCY, {"at_age": 0}, 1),
    "life_expectancy_at_65": (LIFE_EXPECTANCY, {"at_age": 65}, 1),
    "under_five_probability_of_dying": (DYING, {"from_age": 0, "to_age": 5}, PER),
    "adult_mortality_45q15": (DYING, {"from_age": 15, "to_age": 60}, PER),
    "years_of_life_lost_rate": (YEARS_LOST, {}, PER_RATE),
}


def measures_of_file(path: Path, *, standard: str = STANDARD) -> pd.DataFrame:
    """COLUMNS of a CSV (see `measures_of_counts`). Raises InputError that names the first line that cannot be read."""
    return measures_of_counts(read_counts(path), standard=standard)


def read_counts(path: Path) -> pd.DataFrame:
    """unit, year, sex, age_group, events, population of a CSV (comma, semicolon or tab; headers in English or Vietnamese)."""
    from mortality.tabulation.death_counts import separator_of

    try:
        text = pd.read_csv(path, sep=separator_of(path), dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(
            "error.measures_file", file=path, reason=label(f"measures.unreadable.{_kind(error)}")
        ) from error
    given = {fold(str(name)).strip().replace(" ", "_"): name for name in text.columns}
    found = {name: next((given[one] for one in words if one in given), None) for name, words in NAMES.items()}
    missing = [name for name in ("age_group", "events", "population") if found[name] is None]
    if missing:
        raise InputError("error.measures_columns", file=path, missing=", ".join(missing), found=", ".join(text.columns))
    if text.empty:
        raise InputError("error.measures_empty", file=path)
    table = pd.DataFrame({name: text[column].str.strip() if column else "" for name, column in found.items()})
    return _checked(table.assign(line=text.index + 2), path)


def _kind(error: Exception) -> str:
    """What is wrong with a file that cannot be read, as the last part of a label key."""
    kinds: list[tuple[type[Exception], str]] = [
        (FileNotFoundError, "absent"), (IsADirectoryError, "folder"), (UnicodeDecodeError, "encoding"),
        (pd.errors.EmptyDataError, "empty"), (OSError, "denied"),
    ]  # fmt: skip
    return next((name for kind, name in kinds if isinstance(error, kind)), "table")


def _checked(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The rows with sexes, ages and numbers read; the first that cannot be is an error with its line."""
    sexes = table["sex"].str.casefold().map(SEXES)
    _require(sexes.notna(), table, path, "sex", expected="male, female, total (nam, nữ, chung)")
    ages = table["age_group"].map({one: _label(one) for one in table["age_group"].unique()})
    _require(ages != "", table, path, "age_group", expected="0, 1-4, 5-9, …, 85+")
    read = table.assign(sex=sexes, age_group=ages)
    for name in ("events", "population"):
        _require(~_grouped(table[name]), table, path, name, key="error.measures_thousands")
        number = pd.to_numeric(table[name], errors="coerce").astype(float)
        good = (number >= 0) & np.isfinite(number)
        _require(good, table, path, name, expected=label("measures.expected_number"))
        read[name] = number
    again = read.duplicated([*KEYS, "age_group"])
    _require(~again, table, path, "age_group", key="error.measures_repeated")
    return read


def _grouped(column: pd.Series) -> pd.Series:
    """Where a number may be written with points between thousands (4.700): every point of the column has three digits behind it."""
    pointed = column.str.contains(".", regex=False)
    thousands = column.str.fullmatch(r"[1-9]\d{0,2}(\.\d{3})+")
    return thousands & bool(thousands[pointed].all())


def _label(text: str) -> str:
    try:
        return band_label(text)
    except InputError:
        return ""


def _require(
    good: pd.Series,
    table: pd.DataFrame,
    path: Path,
    column: str,
    *,
    expected: str = "",
    key: str = "error.measures_value",
) -> None:
    if not good.all():
        row = table[~good].iloc[0]
        number = int((~good).sum())
        raise InputError(
            key, file=path, line=int(row["line"]), column=column, found=row[column], expected=expected, count=number
        )


def measures_of_counts(table: pd.DataFrame, *, standard: str = STANDARD) -> pd.DataFrame:
    """COLUMNS from rows of unit, year, sex, age_group, events, population (many units and years at once).

    measure : crude_death_rate (per 1,000), age_specific_death_rate (per 1,000, a row per age group), age_standardised_death_rate
    (per 100,000), life expectancies [years], 5q0 and 45q15 (per 1,000), years_of_life_lost_rate (per 100,000). What the age groups
    do not allow is not_assessable, with the reason.
    """
    if table.empty:
        return pd.DataFrame(columns=COLUMNS)
    rows = with_totals(table).rename(columns={"population": "person_years"})
    bands = rows.groupby(KEYS)["age_group"].agg(_joined_bands)
    which = rows.merge(bands.rename("bands").reset_index(), on=KEYS)["bands"]  # few: files name one set of ages, or two
    parts = [_of_like_ages(part, standard) for _, part in rows.groupby(which.to_numpy(), sort=True)]
    order = {name: place for place, name in enumerate(["crude_death_rate", "age_standardised_death_rate", *LIFE])}
    result = pd.concat(parts, ignore_index=True)
    place = result["measure"].map(order).fillna(len(order))
    sexes = result["sex"].map(SEX_ORDER.index)
    by = ["unit", "year", "_sex", "_place"]
    return result.assign(_place=place, _sex=sexes).sort_values(by, kind="stable", ignore_index=True)[COLUMNS]


def _joined_bands(ages: pd.Series) -> str:
    """The age groups of a series in one text, youngest first; InputError where ages between two of them are missing."""
    bands = parse_bands(ages)
    for after, end, start in zip(bands["age_group"], bands["high"], bands["low"].iloc[1:], strict=False):
        if end + 1 != start:
            raise InputError("error.measures_gap", after=after, next=f"{start:g}")
    return "|".join(bands["age_group"])


def _of_like_ages(rows: pd.DataFrame, standard: str) -> pd.DataFrame:
    whole = rows.groupby(KEYS, as_index=False, sort=True)[["events", "person_years"]].sum()
    parts = [
        _rates(whole, "crude_death_rate", age="all"),
        _rates(rows.sort_values(KEYS, kind="stable"), "age_specific_death_rate"),
        _standardised(rows, whole, standard),
        *(_life(rows, whole, name, *recipe) for name, recipe in LIFE.items()),
    ]
    return pd.concat([part[COLUMNS] for part in parts], ignore_index=True)


def with_totals(table: pd.DataFrame) -> pd.DataFrame:
    """The rows, with men and women added up where a unit and year has both, of the same age groups, and no total."""
    place = ["unit", "year"]
    ages = table.groupby([*place, "sex"])["age_group"].agg(frozenset).unstack("sex").reindex(columns=SEX_ORDER)
    alike = ages["male"].notna() & ages["total"].isna() & (ages["male"] == ages["female"])
    lacking = ages[alike].index.to_frame(index=False)
    both = table[table["sex"].isin(["male", "female"])].merge(lacking, on=place)
    total = both.groupby([*place, "age_group"], as_index=False, sort=False)[["events", "population"]].sum()
    return pd.concat([table, total.assign(sex=TOTAL)], ignore_index=True)[[*KEYS, "age_group", "events", "population"]]


def _rates(rows: pd.DataFrame, measure: str, *, age: str = "") -> pd.DataFrame:
    rates = crude_rate(rows["events"], rows["person_years"], per=PER)
    ages = age or rows["age_group"]
    named = rows[KEYS].assign(measure=measure, age_group=ages, per=float(PER), population=rows["person_years"])
    return named.assign(events=rows["events"], value=rates["rate"], **{name: rates[name] for name in _LIMITS})


_LIMITS = ("lower", "upper", "method", "status", "reason")


def _standardised(rows: pd.DataFrame, whole: pd.DataFrame, standard: str) -> pd.DataFrame:
    from tkyt_analysis.analysis.standardise import directly_standardised_rate
    from tkyt_analysis.reference.standard_populations import on_standard_ages

    name = "age_standardised_death_rate"
    try:
        weighted = on_standard_ages(rows, KEYS, standard)
    except InputError as error:
        if error.key == "error.standard_unknown":
            raise
        return _impossible(whole, name, "reason.measures_ages", PER_RATE)
    found = directly_standardised_rate(weighted, KEYS, per=PER_RATE)
    method = "direct_" + found["method"] + f";standard={standard}"
    return found.rename(columns={"person_years": "population", "rate": "value"}).assign(
        measure=name, age_group="all", per=float(PER_RATE), method=method
    )


def _life(
    rows: pd.DataFrame, whole: pd.DataFrame, name: str, kind: str, options: dict[str, float], per: float
) -> pd.DataFrame:
    try:
        found = life_figures(rows, KEYS, kind=kind, options=options, per=per)
    except InputError:  # an age that no group begins with, no open group
        return _impossible(whole, name, "reason.measures_ages", per)
    first, last = options.get("from_age", options.get("at_age", 0)), options.get("to_age")
    ages = f"{first:g}-{last - 1:g}" if last else "all" if not first else f"{first:g}+"
    named = found.rename(columns={"denominator": "population", "numerator": "events"})
    if kind == YEARS_LOST:  # the numerator are years; the file tells of deaths
        named = named.drop(columns="events").merge(whole[[*KEYS, "events"]], on=KEYS, validate="one_to_one")
    return named.assign(measure=name, age_group=ages, per=float(per))


def _impossible(whole: pd.DataFrame, measure: str, reason: str, per: float) -> pd.DataFrame:
    empty: dict[str, Any] = dict.fromkeys(("value", "lower", "upper"), np.nan)
    return whole.rename(columns={"person_years": "population"}).assign(
        measure=measure, age_group="all", per=float(per), method="", status=NOT_ASSESSABLE, reason=reason, **empty
    )
