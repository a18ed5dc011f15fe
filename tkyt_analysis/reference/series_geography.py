"""Any series on one geography through time, across the merger of 1 July 2025.

`series_on("VN2025:province", table, ["events"])` back-casts old provinces to the 34; "VN2024:province" makes the 63 of new
communes; "VN2025:commune" and "VN2025:area" make commune series. Old units before and new units after the merger may stand
in one table; the year 2025 is put together from its parts; nothing is counted twice and nothing is left out unsaid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.reference.geography_checks import require_movable, require_weights
from tkyt_analysis.reference.periods import period, period_of, period_windows
from tkyt_analysis.reference.series_cover import covered, refuse_gaps, require_once
from tkyt_analysis.reference.series_links import known_geography, series_links

Split = Literal["exclude", "default", "weights"]
Gaps = Literal["refuse", "mark", "zero"]
EVERY = ("year", "half", "quarter", "month", "week")
RESERVED = ("target_id", "key", "method", "status", "reason")  # names of the result
CELL = ["target_id", "key", "period_id"]
REASONS = ("series.reason.gap", "series.reason.divided", "series.reason.missing", "series.reason.by_share")


@dataclass(frozen=True)
class SeriesOnGeography:
    """What `series_on` gives.

    table : unit_id, the other columns of the input, period_id, period_start, period_end, one column per measure and
        stock, `<measure>_split_share` for each (share of the cell, 0-1, that came through communes divided in 2025),
        method, status (ok | modelled | not_assessable), reason (label key)
    split_share : measure, total (of the input), through_split, share, published (sum of the table's cells)
    """

    table: pd.DataFrame
    split_share: pd.DataFrame
    geography: str
    split: str

    def sentence(self, language: str | None = None) -> str:
        """The geography and, per measure, the share that came through divided communes: the foot of a table."""
        lines = [label(f"series.geography.{self.geography.replace(':', '_')}", language)]
        for row in self.split_share.query("through_split != 0").itertuples(index=False):
            share = None if pd.isna(row.share) else 100 * row.share
            numbers = {name: format_number(getattr(row, name), 0, language) for name in ("total", "through_split")}
            how = label(f"series.split.{self.split}", language)
            percent = format_number(share, 1, language)
            lines.append(label("series.split_share", language, measure=row.measure, share=percent, how=how, **numbers))
        return "\n".join(lines)


def series_on(
    geography: str,
    table: pd.DataFrame,
    measures: str | Sequence[str],
    *,
    stocks: str | Sequence[str] = (),
    unit: str = "unit_id",
    period: str = "period_id",
    every: str = "year",
    split: Split = "exclude",
    weights: pd.DataFrame | None = None,
    gaps: Gaps = "refuse",
) -> SeriesOnGeography:
    """A series of counts (and of people) on one geography.

    Parameters
    ----------
    geography : "VN2025:province" (34), "VN2024:province" (63), "VN2025:commune" (3 321), "VN2025:area" (stable areas: new
        communes joined where an old one was divided among them; exact), "VN" (nation); also "34", "63", "commune",
        "area", "nation"
    table : one row per unit, period and whatever other columns (sex, cause …), which are kept; units of several
        systems and levels may stand together as long as no place is told twice at one time
    measures : columns that add up over units and over time: events, person_years; never rates
    stocks : columns that add up over units, but are averaged over time by days: average population
    period : column with period ids; without it the column "year" is read
    every : "year", "half", "quarter", "month", "week": the periods of the result; received ones must lie inside them
    split : communes divided in 2025, for "VN2025:commune" only: "exclude" (cells of the new communes concerned are
        not assessable), "default" (all to the default target, modelled), "weights" (by `weights`: old_unit_id,
        new_unit_id, weight; modelled)
    gaps : a part of a unit or of a period without a row: "refuse", "mark" (cell not assessable), or "zero" (the table
        lists only what is not 0, as counts by cause do)

    Returns
    -------
    SeriesOnGeography. Sums are kept: over all cells they equal the input but for cells not assessable. A missing value
    makes its cell not assessable. Counts of provinces, areas and the nation stay integers.

    Raises
    ------
    InputError where a unit is unknown or cannot be divided (a new province among old ones), where a unit and period
    stands twice, where units stand beside their own parts or their successors at one time, where a period does not
    fit, or where parts are missing (`gaps="refuse"`). UsageError for an unknown option.
    """
    measures, stocks = ([names] if isinstance(names, str) else list(names) for names in (measures, stocks))
    amounts = [*measures, *stocks]
    _require_arguments(table, amounts, unit, every, split, gaps)
    rows, keys = _rows(table, amounts, unit, period, every)
    geography = known_geography(geography)
    links = series_links(geography)
    require_movable(rows["unit_id"], geography, pd.Index(links["unit_id"].unique()))
    used = rows[["unit_id"]].assign(row=np.arange(len(rows)))
    located = used.merge(links, on="unit_id", validate="many_to_many").drop(columns="unit_id")
    require_once(rows, located)
    located = located.join(rows[["key", "target_period", "days"]], on="row").rename(
        columns={"target_period": "period_id"}
    )
    cells = _cells(located, gaps)
    values = _values(rows, located, measures, stocks, split, weights)
    cells = cells.merge(values, on=CELL, how="left", validate="one_to_one")
    result = _told(cells, amounts, split, gaps)
    shares = _split_shares(rows, links, result, amounts, measures)
    method = f"series_on;{geography};every={every};split={split};gaps={gaps}"
    return SeriesOnGeography(_laid_out(result, keys, amounts, method), shares, geography, split)


def _require_arguments(table: pd.DataFrame, amounts: list[str], unit: str, every: str, split: str, gaps: str) -> None:
    choices = (("every", every, EVERY), ("split", split, ("exclude", "default", "weights")),
               ("gaps", gaps, ("refuse", "mark", "zero")))  # fmt: skip
    for argument, value, allowed in choices:
        if value not in allowed:
            raise UsageError("error.series.argument", argument=argument, value=value, choices=", ".join(allowed))
    missing = [name for name in (unit, *amounts) if name not in table.columns]
    if missing or not amounts:
        raise InputError("error.series.columns", columns=", ".join(missing), found=", ".join(map(str, table.columns)))
    if table.empty:
        raise InputError("error.series.no_rows")
    for name in amounts:
        if not pd.api.types.is_numeric_dtype(table[name]) or pd.api.types.is_bool_dtype(table[name]):
            raise InputError("error.geography.not_a_number", column=name, dtype=table[name].dtype)
        if np.isinf(table[name].astype(float)).any():
            raise InputError("error.series.infinite", column=name)


def _rows(
    table: pd.DataFrame, amounts: list[str], unit: str, period_column: str, every: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table with unit_id, key (number of its other columns' combination), windows and the period it counts in; and
    the combinations."""
    column = period_column if period_column in table.columns else "year"
    if column not in table.columns:
        raise InputError("error.series.columns", columns=period_column, found=", ".join(map(str, table.columns)))
    ids = _period_ids(table[column]).reset_index(drop=True)
    windows = period_windows(ids)
    target = ids.map({one: _period_of(one, every) for one in ids.unique()})
    dropped = {unit, column, *amounts, "period_start", "period_end", "period_id", "year"}
    names = [name for name in table.columns if name not in dropped]
    decimals = [name for name in names if pd.api.types.is_float_dtype(table[name])]
    if decimals:
        raise InputError("error.series.number_as_key", columns=", ".join(decimals))
    if taken := [name for name in names if name in RESERVED]:
        raise InputError("error.series.reserved", columns=", ".join(taken))
    others = table[names].reset_index(drop=True)
    key = others.groupby(names, sort=False, dropna=False, observed=True).ngroup() if names else pd.Series(0, ids.index)
    days = (windows["period_end"] - windows["period_start"]).dt.days + 1
    rows = windows.drop(columns="kind").assign(
        unit_id=table[unit].reset_index(drop=True), key=key, days=days, target_period=target
    )
    keys = others.assign(key=key).drop_duplicates("key").set_index("key")
    return rows.join(table[amounts].reset_index(drop=True)), keys


def _period_ids(column: pd.Series) -> pd.Series:
    """Period ids as text; a year that became a number with decimals (2024.0) is a year."""
    if pd.api.types.is_float_dtype(column) and column.notna().all() and (column == column.round()).all():
        column = column.astype("int64")
    return column.astype("str")


def _period_of(period_id: str, every: str) -> str:
    one = period(period_id)
    whole = period_of(one.start, every)
    if one.end > whole.end:
        raise InputError("error.series.period", period=period_id, every=label(f"period.kind.{every}"))
    return whole.period_id


def _cells(located: pd.DataFrame, gaps: str) -> pd.DataFrame:
    """Every cell of the result (CELL) with gap and split; refuses or adds the cells that are not there."""
    found = located.groupby(CELL, as_index=False).agg(split=("split", "any"))
    found["covered"] = found.set_index(CELL).index.map(covered(located, CELL))
    if gaps != "zero":
        every = found[["target_id", "key"]].drop_duplicates().merge(_periods_between(found["period_id"]), how="cross")
        found = every.merge(found, on=CELL, how="left", validate="one_to_one")
    due = {one: period(one).days for one in found["period_id"].unique()}
    found = found.assign(due=found["period_id"].map(due), split=found["split"].eq(True))
    found["gap"] = ~np.isclose(found["covered"].fillna(0), found["due"], rtol=0, atol=1e-6) & (gaps != "zero")
    if gaps == "refuse" and found["gap"].any():
        refuse_gaps(found[found["gap"]].fillna({"covered": 0}))
    return found[[*CELL, "split", "gap"]]


def _periods_between(ids: pd.Series) -> pd.DataFrame:
    from tkyt_analysis.reference.periods import period_range

    ordered = sorted(map(period, ids.unique()), key=lambda one: one.start)
    return pd.DataFrame({"period_id": [one.period_id for one in period_range(ordered[0], ordered[-1])]})


def _values(
    rows: pd.DataFrame,
    located: pd.DataFrame,
    measures: Sequence[str],
    stocks: list[str],
    split: str,
    weights: pd.DataFrame | None,
) -> pd.DataFrame:
    """Sums per cell: each amount, `<amount>:split` (what came through divided units), `<amount>:missing`."""
    parts = _placed(rows, located, split, weights)
    amounts = [*measures, *stocks]
    values = rows[amounts].take(parts["row"]).reset_index(drop=True)
    if split == "weights":
        values = values.mul(parts["weight"].to_numpy(), axis=0).where(parts["split"], values)
    period_days = parts["period_id"].map({one: period(one).days for one in parts["period_id"].unique()})
    share = parts["days"] / period_days
    whole = share.eq(1).all()
    for name in stocks:
        values[name] = values[name] if whole else values[name] * share
    through = values.where(parts["split"], 0).add_suffix(":split")
    missing = values.isna().add_suffix(":missing")
    table = pd.concat([parts[CELL], values, through, missing], axis=1)
    flags = dict.fromkeys(missing.columns, "any")
    sums = dict.fromkeys((*amounts, *through.columns), "sum")
    return table.groupby(CELL, as_index=False).agg({**sums, **flags})


def _placed(rows: pd.DataFrame, located: pd.DataFrame, split: str, weights: pd.DataFrame | None) -> pd.DataFrame:
    """The links over which amounts move: of divided units the default one, or all with their weight."""
    if split != "weights":
        return located[located["is_default"]].reset_index(drop=True)
    divided = located[located["split"]].assign(unit_id=lambda t: rows["unit_id"].to_numpy()[t["row"]])
    needed = divided[["unit_id", "target_id"]].drop_duplicates()
    if needed.empty:
        return located.assign(weight=1.0)
    shares = require_weights(weights, needed).rename(columns={"old_unit_id": "unit_id", "new_unit_id": "target_id"})
    parts = located.assign(unit_id=rows["unit_id"].to_numpy()[located["row"]])
    parts = parts.merge(shares, on=["unit_id", "target_id"], how="left", validate="many_to_one")
    parts["weight"] = parts["weight"].where(parts["split"], 1.0)
    return parts[parts["weight"].notna()].reset_index(drop=True)


def _told(cells: pd.DataFrame, amounts: list[str], split: str, gaps: str) -> pd.DataFrame:
    """The cells with status and reason; what is not assessable has no value."""
    # a cell whose every part was divided away from it has no amount at all: its default lies elsewhere
    empty = cells[f"{amounts[0]}:missing"].isna() & ~cells["gap"]
    missing = pd.concat([cells[f"{name}:missing"].eq(True) for name in amounts], axis=1).any(axis=1)
    divided = cells["split"] & ((split == "exclude") | empty)
    tests = [cells["gap"], divided, missing, cells["split"]]
    reason = np.select([test.to_numpy() for test in tests], list(REASONS), "")
    lost = np.isin(reason, REASONS[:3])
    status = np.select([lost, reason == REASONS[3]], ["not_assessable", "modelled"], "ok")
    told = cells.assign(reason=reason, status=status)
    for name in amounts:
        part = told[f"{name}:split"] / told[name].where(told[name] != 0)
        told[f"{name}_split_share"] = part.where(told["split"], 0.0).where(~lost)
        told[name] = told[name].astype("Float64").mask(lost) if lost.any() else told[name]
    return told


def _split_shares(
    rows: pd.DataFrame, links: pd.DataFrame, result: pd.DataFrame, amounts: list[str], measures: Sequence[str]
) -> pd.DataFrame:
    """Per measure: how much of the input stood in divided units, and how much the result shows."""
    divided = rows["unit_id"].isin(links.loc[links["split"], "unit_id"])
    found = []
    for name in measures:
        total, part = rows[name].sum(), rows.loc[divided, name].sum()
        found.append((name, total, part, part / total if total else np.nan, result[name].sum()))
    return pd.DataFrame(found, columns=["measure", "total", "through_split", "share", "published"])


def _laid_out(result: pd.DataFrame, keys: pd.DataFrame, amounts: list[str], method: str) -> pd.DataFrame:
    windows = period_windows(result["period_id"])
    table = result.assign(
        unit_id=result["target_id"],
        method=method,
        period_start=windows["period_start"],
        period_end=windows["period_end"],
    ).join(keys, on="key")
    for name in amounts:
        if pd.api.types.is_float_dtype(table[name].dtype) and table[name].dtype == "Float64":
            table[name] = _whole_numbers(table[name])
    shares = [f"{name}_split_share" for name in amounts]
    columns = ["unit_id", *keys.columns, "period_id", "period_start", "period_end", *amounts, *shares]
    table = table.sort_values(["target_id", "key", "period_start"], kind="stable", ignore_index=True)
    return table[[*columns, "method", "status", "reason"]]


def _whole_numbers(values: pd.Series) -> pd.Series:
    """Counts as Int64 where every one is whole; else as they are."""
    known = values.dropna()
    return values.astype("Int64") if (known == known.round()).all() else values
