"""A unit × period panel in a CSV file → rows with clean units, periods and numbers; what could not be read is said.

Nothing is dropped: a number that cannot be read stays in its row with the reason. What cannot be placed (a period that is
none, a column that is not there) is an error with the row numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.reference.periods import Period, make_period, period

_YEAR_MONTH = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.]\d{1,2})?(?:[ T].*)?")
_MONTH_YEAR = re.compile(r"(\d{1,2})[-/.](\d{4})")
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009]+")
_GROUPED = {",": re.compile(r"-?\d{1,3}(,\d{3})+"), ".": re.compile(r"-?\d{1,3}(\.\d{3}){2,}")}
_EMPTY = {"", "na", "n/a", "nan", "null", "none", "-", "–"}
_MOST_PERIODS = 2_000
_SHOWN = 5
_REPEATED_SHARE = 0.1


@dataclass(frozen=True)
class PanelRows:
    """One row per row of the file, in its order.

    rows : unit, period, indicator (as written), unit_key, period_id, kind, indicator_key, value (NaN where none), written
    (the text of the value), row (number in the file, 2 = first after the heading), problem ("" | unreadable | negative |
    duplicate_identical | duplicate_differing | later)
    """

    rows: pd.DataFrame
    separator: str
    decimal_comma: bool


def read_panel(path: str | Path, *, unit: str, period: str, value: str, indicator: str | None = None) -> PanelRows:
    """Read the columns of a panel from a CSV file (comma, semicolon or tab; UTF-8).

    Raises InputError: no such file, no row, not UTF-8, no such column (with the nearest names), periods that are none (with
    row numbers), a file in which many rows share unit, period and indicator.
    """
    path = Path(path)
    table, separator = _table(path)
    chosen = {"unit": unit, "period": period, "value": value} | ({"indicator": indicator} if indicator else {})
    for role, name in chosen.items():
        _require_column(path, table, role, name)
    rows = pd.DataFrame({role: table[name].to_numpy() for role, name in chosen.items()})
    rows = rows.rename(columns={"value": "written"})
    if not indicator:
        rows["indicator"] = ""
    rows["row"] = table.index.to_numpy() + 2
    rows["unit_key"] = rows["unit"].map(clean_name(rows["unit"]))
    rows["indicator_key"] = rows["indicator"].map(clean_name(rows["indicator"]))
    _require_units(path, rows)
    _add_periods(path, rows)
    decimal_comma = _add_values(rows)
    _add_repeats(path, rows)
    return PanelRows(rows, separator, decimal_comma)


def clean_name(names: pd.Series) -> Callable[[str], str]:
    """Spelling without blanks at the ends, double blanks and decomposed letters: 'Baringo ' and 'Baringo' are one unit."""
    import unicodedata

    cleaned = {one: _SPACES.sub(" ", unicodedata.normalize("NFC", one)).strip() for one in names.unique()}
    return cleaned.__getitem__


def _table(path: Path) -> tuple[pd.DataFrame, str]:
    if not path.is_file():
        raise InputError("error.panel_no_file", file=path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("error.panel_encoding", file=path.name, position=error.start) from None
    first = text.split("\n", 1)[0]
    if not first.strip():
        raise InputError("error.panel_empty", file=path.name)
    separator = max((",", ";", "\t"), key=first.count)
    table = _parsed(path, text, separator)
    table.columns = [str(name).strip() for name in table.columns]
    if table.empty:
        raise InputError("error.panel_empty", file=path.name)
    return table, separator


def _parsed(path: Path, text: str, separator: str) -> pd.DataFrame:
    from io import StringIO

    try:
        table = pd.read_csv(StringIO(text), sep=separator, dtype="str", keep_default_na=False, skip_blank_lines=False)
    except pd.errors.ParserError as error:
        raise InputError("error.panel_rows", file=path.name, what=str(error).strip()) from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes what is too much in row 2 for an index
        raise InputError("error.panel_rows", file=path.name, what="2")
    table = table.fillna("")
    return table[(table != "").any(axis=1)]


def _require_column(path: Path, table: pd.DataFrame, role: str, name: str) -> None:
    if name in table.columns:
        return
    from difflib import get_close_matches

    near = get_close_matches(name, list(table.columns), n=3, cutoff=0.4)
    raise InputError(
        "error.panel_column",
        file=path.name,
        column=name,
        role=label(f"panel.role.{role}"),
        nearest=", ".join(near) or "–",
        columns=", ".join(table.columns),
    )


def _require_units(path: Path, rows: pd.DataFrame) -> None:
    without = rows.loc[rows["unit_key"] == "", "row"]
    if len(without):
        raise InputError("error.panel_no_unit", file=path.name, count=format_number(len(without)), rows=_some(without))


def _add_periods(path: Path, rows: pd.DataFrame) -> None:
    found = {text: read_period(text) for text in rows["period"].unique()}
    unread = rows[rows["period"].map(lambda text: found[text] is None)]
    if len(unread):
        raise InputError(
            "error.panel_period",
            file=path.name,
            count=format_number(len(unread)),
            rows=_some(unread["row"]),
            found=", ".join(f"“{text}”" for text in unread["period"].unique()[:_SHOWN]),
        )
    rows["period_id"] = rows["period"].map({text: one.period_id for text, one in found.items() if one})
    rows["kind"] = rows["period"].map({text: one.kind for text, one in found.items() if one})
    for kind, group in rows.groupby("kind"):
        years = group["period_id"].str[:4].astype(int)
        if (years.max() - years.min()) * (53 if kind == "week" else 12) > _MOST_PERIODS:
            odd = group.loc[(years - years.median()).abs().idxmax()]
            raise InputError("error.panel_far_period", file=path.name, row=int(odd["row"]), found=odd["period"])


def read_period(text: str) -> Period | None:
    """202506, 2025-06, 2025/6, 2025-06-01, 06/2025, 2025Q2, 2025W7 and our own ids; None for anything else."""
    text = text.strip()
    try:
        if found := _YEAR_MONTH.fullmatch(text):
            return make_period("month", int(found[1]), int(found[2]))
        if found := _MONTH_YEAR.fullmatch(text):
            return make_period("month", int(found[2]), int(found[1]))
        if re.fullmatch(r"\d{6}\.0", text):
            return period(text[:6])
        from tkyt_analysis.reference.period_words import from_dhis2

        return period(text) if re.fullmatch(r"\d{4}(\d{2}A?|[SC]\d+)", text) else from_dhis2(text)
    except InputError:
        return None


def _add_values(rows: pd.DataFrame) -> bool:
    """Add `value` and `problem`; whether the file writes decimals with a comma."""
    texts = pd.Series(rows["written"].unique(), dtype="str")
    bare = texts.str.replace(_SPACES, "", regex=True)
    comma = bare[bare.str.contains(",", regex=False)]
    decimal_comma = bool(len(comma) and not comma.str.fullmatch(_GROUPED[","]).all())
    plain = _without_groups(bare, decimal_comma)
    number = pd.to_numeric(plain, errors="coerce").where(lambda x: np.isfinite(x))
    empty = bare.str.lower().isin(_EMPTY)
    rows["value"] = rows["written"].map(dict(zip(texts, number))).astype(float)
    bad = dict(zip(texts, number.isna() & ~empty))
    rows["problem"] = np.where(rows["written"].map(bad), "unreadable", np.where(rows["value"] < 0, "negative", ""))
    return decimal_comma


def _without_groups(bare: pd.Series, decimal_comma: bool) -> pd.Series:
    """Numbers with a decimal point and no thousands separators."""
    if decimal_comma:
        return bare.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    dotted = bare.str.fullmatch(_GROUPED["."])
    bare = bare.str.replace(",", "", regex=False)
    return bare.mask(dotted, bare.str.replace(".", "", regex=False))


def _add_repeats(path: Path, rows: pd.DataFrame) -> None:
    """Rows with the same unit, period and indicator: of equal ones the first counts, differing ones are not judged."""
    key = ["unit_key", "indicator_key", "period_id"]
    again = rows.duplicated(key, keep=False)
    if not again.any():
        return
    if again.mean() > _REPEATED_SHARE:
        one = rows[again].iloc[0]
        same = rows[(rows[key] == one[key]).all(axis=1)]
        raise InputError(
            "error.panel_repeated",
            file=path.name,
            count=format_number(int(again.sum())),
            unit=one["unit"],
            period=one["period"],
            rows=_some(same["row"]),
        )
    differing = rows[again].groupby(key)["value"].transform("nunique", dropna=False) > 1
    rows.loc[again, "problem"] = np.where(differing, "duplicate_differing", "duplicate_identical")
    first = again & ~rows.duplicated(key, keep="first") & (rows["problem"] == "duplicate_identical")
    rows.loc[first, "problem"] = ""


def _some(numbers: pd.Series) -> str:
    more = " …" if len(numbers) > _SHOWN else ""
    return ", ".join(map(str, numbers.head(_SHOWN))) + more
