"""`tkyt check-panel`: any unit × period panel in a file, judged by the count model, without a warehouse.

Answer: one row per row of the file, and one for each period between the first and the last value of a unit and indicator in
which nothing stands (value empty, verdict not_assessable), so that coverage can be read off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tkyt_analysis.quality.cells import whole_range
from tkyt_analysis.quality.model.indicators import Grid, Indicator, judge_indicators
from tkyt_analysis.quality.model.judge import Judged, expected_false, limit_for
from tkyt_analysis.quality.model.seasons import numbers_and_years, tet_share
from tkyt_analysis.quality.model.settings import ModelSettings
from tkyt_analysis.quality.model.words import reason_for
from tkyt_analysis.quality.panel_reading import PanelRows, read_panel
from tkyt_analysis.reference.periods import Period, period

COLUMNS = [
    "unit", "period", "indicator", "value", "expected", "lower", "upper", "verdict", "probability", "suggested", "reason",
]  # fmt: skip
ERRORS = ("error_high", "error_low", "missing_or_zero", "repeated", "cumulative")
_NUMBERS = ["expected", "lower", "upper", "probability", "suggested"]


@dataclass(frozen=True)
class PanelAnswer:
    """findings : COLUMNS, rows of the file first, then the empty periods; summary : figures and oddities of the file, for
    `panel_summary.sentences`"""

    findings: pd.DataFrame
    summary: dict[str, object]


def check_panel(
    path: str | Path,
    *,
    unit: str,
    period: str,
    value: str,
    indicator: str | None = None,
    max_flags: float | None = None,
    settings: ModelSettings | None = None,
    language: str | None = None,
) -> PanelAnswer:
    """Judge every value of a panel in a CSV file.

    Parameters
    ----------
    path : CSV file; unit, period, value, indicator : names of its columns
    max_flags : at most this share of the sound values (0–1) may be asked about, see `judge.limit_for`
    language : of the reasons

    Raises InputError as `read_panel` does.
    """
    settings = settings or ModelSettings()
    read = read_panel(path, unit=unit, period=period, value=value, indicator=indicator)
    judged = judge_rows(read.rows, settings)
    limit = limit_for(judged.loc[judged["assessable"], "probability"].to_numpy(), settings, max_flags)
    findings = _findings(judged, limit, language)
    return PanelAnswer(findings, _summary(read, judged, findings, limit, settings))


def judge_rows(rows: pd.DataFrame, settings: ModelSettings) -> pd.DataFrame:
    """The rows of `read_panel` with what the model says of each, and rows for the empty periods inside each series.

    Added: value_judged, expected, lower, upper, assessable, probability, explanation, suggested, shared, others.
    """
    parts = [_judge_kind(part, settings) for _, part in rows.groupby("kind", sort=False)]
    return pd.concat(parts, ignore_index=True)


def _judge_kind(rows: pd.DataFrame, settings: ModelSettings) -> pd.DataFrame:
    """Rows whose periods are of one kind: a grid of units × periods per indicator."""
    periods = whole_range(sorted({period(one) for one in rows["period_id"].unique()}, key=lambda one: one.start))
    place = {one.period_id: at for at, one in enumerate(periods)}
    units, names = pd.factorize(rows["unit_key"])
    cells = rows.assign(_unit=units, _column=rows["period_id"].map(place))
    series = [part for _, part in cells.groupby("indicator_key", sort=False)]
    indicators = [_indicator(part, len(periods)) for part in series]
    judged = judge_indicators(indicators, _grid(len(names), periods), settings)
    answers = [
        _answers(part, indicator, one, periods) for part, indicator, one in zip(series, indicators, judged, strict=True)
    ]
    return pd.concat(answers).sort_values("_order", kind="stable").drop(columns=["_unit", "_column", "_order"])


def _grid(units: int, periods: tuple[Period, ...]) -> Grid:
    number, year = numbers_and_years(periods)
    return Grid(units, number=number, year=None if periods[0].kind == "cumulative" else year, tet=tet_share(periods))


def _indicator(part: pd.DataFrame, periods: int) -> Indicator:
    usable = part[part["value"].notna() & (part["problem"] == "")]
    units = np.unique(part["_unit"])
    counts = np.full((len(units), periods), np.nan)
    counts[np.searchsorted(units, usable["_unit"]), usable["_column"]] = usable["value"]
    return Indicator(counts, units)


def _answers(part: pd.DataFrame, indicator: Indicator, judged: Judged, periods: tuple[Period, ...]) -> pd.DataFrame:
    """The rows of one indicator with the answers, and its empty periods."""
    at = np.full(indicator.counts.shape, len(judged.value))
    at[judged.rows, judged.columns] = np.arange(len(judged.value))
    row = np.searchsorted(indicator.units, part["_unit"])
    position = np.where(part["problem"] == "", at[row, part["_column"]], len(judged.value))
    told = {
        "expected": judged.mean, "lower": judged.lower, "upper": judged.upper, "probability": judged.probability,
        "suggested": judged.suggested,
    }  # fmt: skip
    present = np.isfinite(indicator.counts)
    answers = part.assign(
        **{name: np.append(numbers, np.nan)[position] for name, numbers in told.items()},
        assessable=np.append(judged.assessable, False)[position],
        explanation=np.append(judged.explanation, "")[position],
        shared=np.append(judged.shared, False)[position],
        others=(present.sum(axis=1)[row] - present[row, part["_column"]]),
        _order=part["row"],
    )
    return pd.concat([answers, *_empty_periods(part, indicator, periods)])


def _empty_periods(part: pd.DataFrame, indicator: Indicator, periods: tuple[Period, ...]) -> Iterator[pd.DataFrame]:
    """Rows for the periods between a unit's first and last value that the file does not have."""
    listed = np.zeros(indicator.counts.shape, dtype=bool)
    listed[np.searchsorted(indicator.units, part["_unit"]), part["_column"]] = True
    present = np.isfinite(indicator.counts)
    begun = np.cumsum(present, axis=1) > 0
    going_on = np.cumsum(present[:, ::-1], axis=1)[:, ::-1] > 0
    rows, columns = np.nonzero(begun & going_on & ~listed)
    if not len(rows):
        return
    written = part.drop_duplicates("_unit").set_index("_unit")["unit"]
    ids = np.array([one.period_id for one in periods], dtype=object)
    count = len(rows)
    yield pd.DataFrame(
        {
            "unit": written.reindex(indicator.units[rows]).to_numpy(),
            "period": ids[columns],
            "indicator": part["indicator"].iloc[0],
            "value": np.nan,
            "problem": "no_report",
            "assessable": False,
            "explanation": "",
            "shared": False,
            "others": present.sum(axis=1)[rows],
            "_unit": indicator.units[rows],
            "_column": columns,
            "_order": np.full(count, np.inf),
            "row": 0,
            "written": "",
            "period_id": ids[columns],
        }
    )


def _findings(judged: pd.DataFrame, limit: float, language: str | None) -> pd.DataFrame:
    """The columns of the contract."""
    result = judged.assign(verdict=verdicts(judged, limit))
    result["reason"] = reason_for(result, language)
    keep = result["verdict"].isin(ERRORS)
    result["suggested"] = result["suggested"].where(keep)
    result["probability"] = result["probability"].where(result["assessable"]).round(6)
    result[["expected", "lower", "upper"]] = result[["expected", "lower", "upper"]].where(result["assessable"]).round(2)
    return result[COLUMNS].reset_index(drop=True)


def verdicts(judged: pd.DataFrame, limit: float) -> np.ndarray:
    """The verdict of every row, given the probability from which values are asked about."""
    asked = (judged["assessable"] & (judged["probability"] >= limit)).to_numpy()
    value, explanation = judged["value"].to_numpy(), judged["explanation"].to_numpy()
    verdict = np.where(judged["shared"].astype(bool), "shock", "ok").astype("<U15")
    verdict[asked] = np.where(value > judged["expected"].to_numpy(), "error_high", "error_low")[asked]
    verdict[asked & (explanation == "cumulative_as_period")] = "cumulative"
    verdict[asked & (explanation == "copied_form")] = "repeated"
    verdict[asked & (value == 0)] = "missing_or_zero"
    verdict[~judged["assessable"].to_numpy(dtype=bool)] = "not_assessable"
    return verdict


def _summary(
    read: PanelRows, judged: pd.DataFrame, findings: pd.DataFrame, limit: float, settings: ModelSettings
) -> dict[str, object]:
    rows, counted = read.rows, judged["value"].notna()
    verdict = findings["verdict"]
    fractions = rows["value"].notna() & (rows["value"] % 1 != 0)
    asked = verdict.isin(ERRORS).to_numpy()
    padded = rows.loc[(rows["unit"] != rows["unit_key"]), "unit"].unique()
    return {
        "rows": len(rows),
        "units": int(rows["unit_key"].nunique()),
        "periods": int(rows["period_id"].nunique()),
        "indicators": int(rows["indicator_key"].nunique()),
        "values": int(counted.sum()),
        "assessable": int(judged["assessable"].sum()),
        "empty_periods": int((judged["problem"] == "no_report").sum()),
        "verdicts": {name: int(number) for name, number in verdict.value_counts().sort_index().items()},
        "asked": int(asked.sum()),
        "expected_false_alarms": round(
            float(expected_false(judged.loc[asked, "probability"].to_numpy(), settings).sum()), 1
        ),
        "probability_limit": round(float(limit), 4) if np.isfinite(limit) else 1.0,
        "names_with_blanks": [str(name) for name in padded],
        "fractions": int(fractions.sum()),
        "fraction_rows": rows.loc[fractions, "row"].head(5).tolist(),
        **{f"{name}_values": int((rows["problem"] == name).sum()) for name in ("unreadable", "negative")},
        "unreadable_rows": rows.loc[rows["problem"] == "unreadable", "row"].head(5).tolist(),
        "repeated_rows": int(rows["problem"].str.startswith("duplicate").sum()),
        "decimal_comma": read.decimal_comma,
    }
