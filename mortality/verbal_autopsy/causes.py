"""The causes of InterVA-5 in the words of WHO's verbal-autopsy list and of ICD-10 (code list `verbal_autopsy_causes`)."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from mortality.verbal_autopsy.interva import MOST_CAUSES, UNDETERMINED
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.labels import current_language, label

WHO_LIST = "who_va_2016"
HIV_ITEM = "VAs-01.03"
# One row of WHO_LIST, as their ICD-10 code is one.
STILLBIRTHS = {"VAs-11.01": "verbal_autopsy.fresh_stillbirth", "VAs-11.02": "verbal_autopsy.macerated_stillbirth"}


@cache
def _rows() -> pd.DataFrame:
    return read_codelist("verbal_autopsy_causes")


def cause_titles() -> list[str]:
    """The causes as the programs write them, in their order, without Undetermined."""
    names = dict.fromkeys(_rows()["cause"])
    return [name for name in names if name != UNDETERMINED]


def item_titles(items: pd.Series) -> pd.Series:
    """The name of each item of WHO's list in the reader's language; "" where there is none."""
    rows = read_codelist(WHO_LIST).set_index("item")[f"label_{current_language()}"]
    names = rows.to_dict() | {item: label(key) for item, key in STILLBIRTHS.items()}
    return items.map(lambda text: " / ".join(names[one] for one in text.split(";") if one in names))


def who_item(causes: pd.Series, *, sex: np.ndarray, newborn: np.ndarray) -> pd.Series:
    """The item of WHO's list; both items with ";" between where sex or age would have to tell and is not known."""
    return _applying(causes, "va_code", sex, newborn, several=";")


def icd10_code(causes: pd.Series, *, sex: np.ndarray, newborn: np.ndarray) -> pd.Series:
    """One ICD-10 code that stands for the cause in tables of causes, "" where there is none."""
    return _applying(causes, "icd10", sex, newborn, several=None)


def _applying(
    causes: pd.Series, column: str, sex: np.ndarray, newborn: np.ndarray, *, several: str | None
) -> pd.Series:
    """sex : "male", "female" or ""; newborn : whether the deceased was below 28 days."""
    rows = _rows()
    by_cause = {
        applies: part.set_index("cause")[column].to_dict()
        for applies, part in rows.groupby("applies", sort=False)
    }  # fmt: skip
    plain = causes.map(by_cause[""])
    unclear = {
        cause: several.join(part[column]) if several and part["applies"].isin(["male", "female"]).any() else np.nan
        for cause, part in rows[rows["applies"].ne("")].groupby("cause")
    }
    result = plain.fillna(causes.map(unclear))
    for applies, rows_here in (("male", sex == "male"), ("female", sex == "female"), ("newborn", newborn)):
        result = result.mask(rows_here & causes.isin(by_cause[applies]), causes.map(by_cause[applies]))
    return result.fillna("").astype("str")


def with_codes(summary: pd.DataFrame, *, sex: np.ndarray, newborn: np.ndarray) -> pd.DataFrame:
    """The summary of `interva` with WHO item, its name and ICD-10 code beside each cause; no cause at all is Undetermined.

    Columns: id, cause_n, va_code_n, title_n, icd10_n, likelihood_n (n = 1, 2, 3), then the others of the summary.
    """
    parts = {"id": summary["id"]}
    for n in range(1, MOST_CAUSES + 1):
        cause = summary[f"cause_{n}"]
        if n == 1:
            cause = cause.mask(cause.eq(""), UNDETERMINED)
        item = who_item(cause, sex=sex, newborn=newborn)
        parts |= {
            f"cause_{n}": cause, f"va_code_{n}": item, f"title_{n}": item_titles(item),
            f"icd10_{n}": icd10_code(cause, sex=sex, newborn=newborn), f"likelihood_{n}": summary[f"likelihood_{n}"],
        }  # fmt: skip
    left = [name for name in summary if name not in parts]
    return pd.DataFrame(parts).join(summary[left])


def concerns_hiv(causes: pd.DataFrame) -> pd.Series:
    """Whether one of the causes of a row is HIV (columns va_code_1 …)."""
    return causes[[f"va_code_{n}" for n in range(1, MOST_CAUSES + 1)]].eq(HIV_ITEM).any(axis=1)
