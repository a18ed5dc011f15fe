"""Tables of deaths → arrays (places, sexes, ages, causes) and back to rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.redistribution_core import Numbers, Redistributed
from mortality.measures.redistribution_limits import ALL_AGES, BOTH, UNKNOWN, age_span
from mortality.measures.redistribution_rules import RedistributionRules, redistribution_rules
from mortality.tabulation.deaths_given import number_of_deaths, require_columns
from tkyt_analysis.analysis.groups import names_of
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.catalog.redistribution import Redistribution
from tkyt_analysis.errors import InputError

MODELLED = "modelled"
NO_TARGET, NO_PACKAGE = "reason.redistribution_no_target", "reason.redistribution_no_package"
SUMS = ("before", "after", "moved_in", "moved_out", "left")
MOST_CELLS = 15_000_000  # places × sexes × ages × causes in one call: about 2.5 GB of memory
_DUST = 1e-9


@dataclass(frozen=True)
class DeathArray:
    """counts (P, S, A, C), one row of `places` per place; axes of sexes, ages and causes as in `rules`."""

    places: pd.DataFrame
    counts: Numbers
    rules: RedistributionRules


def death_array(
    deaths: pd.DataFrame,
    packages: str | Redistribution,
    *,
    by: str | Sequence[str],
    code: str = "underlying_cause",
    sex: str = "sex",
    age: str = "age_group",
    deaths_column: str | None = None,
    cause_list: str | None = None,
    method: str | None = None,
    garbage: str | None = None,
) -> DeathArray:
    """The table as an array, with rules that fit its axes. by : the columns that name a place (a place-year, …)."""
    by = names_of(by)
    require_columns(deaths.columns, [*by, code])
    number = number_of_deaths(deaths, deaths_column).to_numpy(dtype=float, na_value=np.nan)
    if not (np.isfinite(number) & (number >= 0)).all():
        raise InputError("error.redistribution_counts")
    place, places = _places(deaths, list(by))
    sexes, of_sex = _axis(deaths, sex, BOTH)
    ages, of_age = _axis(deaths, age, ALL_AGES)
    written = deaths[code].astype("object").fillna("").astype("str")
    rules = redistribution_rules(
        written.unique(), packages, sexes=sexes, ages=ages, cause_list=cause_list, garbage=garbage, method=method
    )
    shape = (len(places), len(sexes), len(ages), len(rules.causes))
    if np.prod(shape, dtype=float) > MOST_CELLS:
        raise InputError(
            "error.redistribution_size", cells=int(np.prod(shape, dtype=float)), most=MOST_CELLS, places=shape[0]
        )
    cell = ((place * shape[1] + of_sex) * shape[2] + of_age) * shape[3] + rules.class_of(written)
    counts = np.bincount(cell, weights=number, minlength=int(np.prod(shape))).astype(float)
    return DeathArray(places, counts.reshape(shape), rules)


def _places(deaths: pd.DataFrame, by: list[str]) -> tuple[npt.NDArray[np.int64], pd.DataFrame]:
    if not by:
        return np.zeros(len(deaths), np.int64), pd.DataFrame(index=range(1))
    groups = deaths.groupby(by, dropna=False, sort=True, observed=True)
    return groups.ngroup().to_numpy(), deaths[by].loc[~groups.ngroup().duplicated()].sort_values(by, ignore_index=True)


def _axis(deaths: pd.DataFrame, column: str, absent: str) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The values of a column, ages by their first year, and the place of each row; one value where the column is absent."""
    if column not in deaths:
        return [absent], np.zeros(len(deaths), np.int64)
    values = deaths[column].astype("object").fillna(UNKNOWN).astype("str").replace("", UNKNOWN)
    known = values.unique()
    first = {one: _first(one) if absent == ALL_AGES else one for one in known}
    order = sorted(known, key=lambda one: (first[one], one))
    return (order or [absent]), pd.Index(order).get_indexer(values)


def _first(age: str) -> float:
    low = age_span(age)[0]
    return 999.0 if np.isnan(low) else low


# ---- back to rows


@dataclass(frozen=True)
class Rows:
    """Rows of a result: their names, and to which row each used cell of the array belongs."""

    names: pd.DataFrame
    cells: npt.NDArray[np.int64]
    row_of: npt.NDArray[np.int64]

    def sums(self, values: npt.NDArray) -> Numbers:
        """(rows,) sums of an array (P, S, A, C) over the cells of each row."""
        weights = values.reshape(-1)[self.cells].astype(float)
        return np.bincount(self.row_of, weights=weights, minlength=len(self.names)).astype(float)

    def draws(self, values: Numbers) -> Numbers:
        """(n, rows) sums of each draw."""
        return np.stack([self.sums(one) for one in values])


def result_rows(found: Redistributed, array: DeathArray, *, by: str | Sequence[str], sex: str, age: str) -> Rows:
    """One row per `by` and item with deaths before or after."""
    by = names_of(by)
    rules, shape = array.rules, found.before.shape
    cells = np.flatnonzero((found.before > 0) | (found.after > 0))
    place, of_sex, of_age, cause = np.unravel_index(cells, shape)
    item_number, items = pd.factorize(pd.Series(rules.items, dtype="str"), sort=True)
    columns = {sex: (of_sex, list(rules.sexes)), age: (of_age, list(rules.ages))}
    numbers = pd.DataFrame(
        {name: columns[name][0] if name in columns else _number(array.places[name])[0][place] for name in by}
    )
    numbers["cause"] = item_number[cause]
    groups = numbers.groupby(list(numbers.columns), sort=True).ngroup()
    first = ~groups.duplicated()
    names = numbers[first].assign(_row=groups[first]).sort_values("_row", ignore_index=True).drop(columns="_row")
    for name in by:
        values = columns[name][1] if name in columns else _number(array.places[name])[1]
        names[name] = pd.Series(values, dtype=object if not len(values) else None).take(names[name]).to_numpy()
    names["cause"] = pd.Series(items, dtype="str").take(names["cause"]).to_numpy()
    return Rows(names.sort_index(), cells, groups.to_numpy())


def _number(values: pd.Series) -> tuple[npt.NDArray[np.int64], pd.Index]:
    number, names = pd.factorize(values, sort=True, use_na_sentinel=False)
    return number, pd.Index(names)


def result_table(found: Redistributed, array: DeathArray, rows: Rows) -> pd.DataFrame:
    """The rows with before, after, moved_in, moved_out, left, and why garbage is left."""
    rules = array.rules
    lost = (rules.source >= 0) | (rules.garbage & ~rules.pools.any(axis=(0, 1, 3)))
    stays = found.after * lost
    no_target = rows.sums(stays * (rules.source >= 0)) > _DUST
    parts = (found.before, found.after, found.moved_in, found.moved_out, stays)
    table = rows.names.assign(**{name: rows.sums(part) for name, part in zip(SUMS, parts, strict=True)})
    moved = (table["moved_in"] > _DUST) | (table["moved_out"] > _DUST)
    left = table["left"] > _DUST
    return table.assign(
        method=_methods(found, rules, rows),
        status=np.select([moved, left], [MODELLED, NOT_ASSESSABLE], OK),
        reason=np.select([no_target, left], [NO_TARGET, NO_PACKAGE], ""),
    )


def _methods(found: Redistributed, rules: RedistributionRules, rows: Rows) -> npt.NDArray[np.object_]:
    """ "vn_2026: proportional; own+broad_age": the set, its weights, and the groups that gave the shares of what moved in."""
    bits = np.zeros(len(rows.names), np.int64)
    np.bitwise_or.at(bits, rows.row_of, found.borrowed.reshape(-1)[rows.cells])
    words = {int(one): "+".join(name for n, name in enumerate(found.levels) if one >> n & 1) for one in np.unique(bits)}
    kind = "+".join(sorted(set(rules.weights)))
    return np.array([f"{rules.id}: {kind}" + (f"; {words[one]}" if one else "") for one in bits.tolist()], dtype=object)


def limits(pieces: Iterable[Numbers], rows: Rows, confidence: float) -> dict[str, Numbers]:
    """lower and upper: percentiles over the draws."""
    drawn = np.concatenate([rows.draws(piece) for piece in pieces])
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return {"lower": lower, "upper": upper}
