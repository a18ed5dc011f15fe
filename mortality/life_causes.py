"""Deaths by age and group of causes: parts of a difference in life expectancy, what each group costs, with the range of chance.

Arrays only. The deaths of each age and group are drawn again (Gamma around what was counted) and the same formula is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mortality.measures.life_table_inputs import Numbers

if TYPE_CHECKING:
    from mortality.measures.life_table import LifeTables

SEXES = ("male", "female", "total")
GROUPS = ("circulatory", "cancer", "other_noncommunicable", "communicable", "external", "unclear")
UNCLEAR = "unclear"
BROAD_AGES = (0, 1, 15, 30, 45, 60, 70, 80)
DRAWS, SEED = 200, 20260101


@dataclass(frozen=True)
class AgeCauses:
    """One unit and year: deaths (sexes, ages, groups) and person-years (sexes, ages)."""

    unit: str
    year: int
    sexes: tuple[str, ...]
    age_groups: tuple[str, ...]
    first: Numbers
    deaths: Numbers
    persons: Numbers


@dataclass(frozen=True)
class Split:
    """Contributions (1 + draws, sexes, ages, groups) [years] to e0 of `second` less e0 of `first`; draw 0 is what was counted."""

    first: AgeCauses
    second: AgeCauses
    expectancy: Numbers  # (2, 1 + draws, sexes)
    parts: Numbers


def group_of_code(codes: pd.Series) -> pd.Series:
    """Which of GROUPS a code belongs to: the broad groups, with circulatory diseases and cancers on their own."""
    from mortality.measures.cause_groups import COMMUNICABLE, EXTERNAL, NONCOMMUNICABLE, group_of
    from mortality.tabulation.cause_lists import load_cause_list

    broad, item = group_of(codes), load_cause_list("sdg_3_4_1").item_of(codes)
    own = np.select([item == "3.4.1-CVD", item == "3.4.1-CAN"], ["circulatory", "cancer"], "other_noncommunicable")
    known = {COMMUNICABLE: "communicable", EXTERNAL: "external"}
    named = np.where(broad == NONCOMMUNICABLE, own, broad.map(known).fillna(UNCLEAR))
    return pd.Series(named, index=codes.index, dtype="str")


def cause_shares(coded: pd.DataFrame, sexes: tuple[str, ...], ages: tuple[str, ...]) -> Numbers:
    """(sexes, ages, groups) share of each group among the deaths of an age; all unclear where no death of that age is coded."""
    from mortality.measures.indicators_life import coarse_ages

    known = coded[~coded["age_group"].isin(["unknown", "outside", ""])]
    known = known.assign(age=coarse_ages(known["age_group"], list(ages)))
    both = pd.concat([known[known["sex"].isin(SEXES)], known.assign(sex="total")], ignore_index=True)
    index = pd.MultiIndex.from_product([sexes, ages, GROUPS])
    sums = both.groupby(["sex", "age", "group"])["deaths"].sum().reindex(index, fill_value=0.0)
    counts = sums.to_numpy(float).reshape(len(sexes), len(ages), len(GROUPS))
    whole = counts.sum(axis=2, keepdims=True)
    none = np.eye(len(GROUPS))[GROUPS.index(UNCLEAR)]
    return np.where(whole > 0, counts / np.where(whole > 0, whole, 1.0), none)


def _drawn(counts: AgeCauses, draws: int, seed: int) -> Numbers:
    """(1 + draws, sexes, ages, groups) deaths: what was counted first, then Gamma draws around it; both sexes are drawn together."""
    random = np.random.default_rng([seed, counts.year])
    drawn = random.standard_gamma(counts.deaths, (draws, *counts.deaths.shape))
    if counts.sexes == SEXES:  # the total follows its two sexes, and keeps those whose sex is not known
        gap = counts.deaths[2] - counts.deaths[0] - counts.deaths[1]
        drawn[:, 2] = np.maximum(drawn[:, 0] + drawn[:, 1] + gap, 0.0)
    return np.concatenate([counts.deaths[np.newaxis], drawn])


def _tables(counts: AgeCauses, deaths: Numbers) -> LifeTables:
    """Life tables of drawn deaths, series = draws × sexes."""
    from mortality.measures.life_table import life_tables_from_counts

    died = deaths.sum(axis=3).reshape(-1, len(counts.age_groups))
    persons = np.tile(counts.persons, (len(deaths), 1))
    return life_tables_from_counts(died, persons, counts.age_groups, list(counts.sexes) * len(deaths))


def _rates(counts: AgeCauses, deaths: Numbers) -> dict[str, Numbers]:
    """group → rates (series, ages)."""
    rates = deaths / counts.persons[np.newaxis, :, :, np.newaxis]
    return {name: rates[..., number].reshape(-1, len(counts.age_groups)) for number, name in enumerate(GROUPS)}


def split(first: AgeCauses, second: AgeCauses, *, draws: int = DRAWS, seed: int = SEED) -> Split:
    """Arriaga's symmetric decomposition of what was counted, and of `draws` sets of deaths that chance could have given."""
    from mortality.measures.decomposition import arriaga_decomposition

    counted = [_drawn(one, draws, seed + number) for number, one in enumerate((first, second))]
    tables = [_tables(one, deaths) for one, deaths in zip((first, second), counted, strict=True)]
    rates = [_rates(one, deaths) for one, deaths in zip((first, second), counted, strict=True)]
    frame = arriaga_decomposition(tables[0], tables[1], causes_1=rates[0], causes_2=rates[1], order="symmetric")
    own = frame[frame["cause"].isin(GROUPS)]
    shape = (1 + draws, len(first.sexes), len(GROUPS), len(first.age_groups))
    parts = np.moveaxis(own["contribution"].to_numpy(float).reshape(shape), 2, 3)
    expectancy = np.stack([table.ex[:, 0].reshape(1 + draws, -1) for table in tables])
    return Split(first, second, expectancy, parts)


def contribution_rows(found: Split) -> pd.DataFrame:
    """sex, group ("all" too), value, lower, upper [years]: parts of the difference; the groups add up to "all"."""
    parts = found.parts.sum(axis=2)
    whole = (found.expectancy[1] - found.expectancy[0])[:, :, np.newaxis]
    values = np.concatenate([parts, whole], axis=2)
    lower, upper = np.quantile(values[1:], [0.025, 0.975], axis=0)
    sexes = found.first.sexes
    return pd.DataFrame(
        {
            "sex": np.repeat(sexes, values.shape[2]),
            "group": np.tile([*GROUPS, "all"], len(sexes)),
            "value": values[0].ravel(),
            "lower": lower.ravel(),
            "upper": upper.ravel(),
        }
    )


def gains(counts: AgeCauses, *, draws: int = DRAWS, seed: int = SEED) -> pd.DataFrame:
    """sex, group (without the unclear one), value, lower, upper [years at birth], reason."""
    from mortality.measures.cause_deleted import gain_by_cause

    drawn = _drawn(counts, draws, seed)
    rates = _rates(counts, drawn)
    found = gain_by_cause(_tables(counts, drawn), {name: rates[name] for name in GROUPS if name != UNCLEAR})
    names = [name for name in GROUPS if name != UNCLEAR]
    gain = found["gain"].to_numpy(float).reshape(1 + draws, len(counts.sexes), len(names))
    missing = np.isnan(gain).any(axis=0)
    lower, upper = np.quantile(np.nan_to_num(gain[1:]), [0.025, 0.975], axis=0)
    reason = found["reason"].to_numpy(object)[: len(counts.sexes) * len(names)]
    return pd.DataFrame(
        {
            "sex": np.repeat(counts.sexes, len(names)),
            "group": np.tile(names, len(counts.sexes)),
            "value": gain[0].ravel(),
            "lower": np.where(missing, np.nan, lower).ravel(),
            "upper": np.where(missing, np.nan, upper).ravel(),
            "reason": reason,
        }
    )


def broad_ages(first: Numbers, values: Numbers) -> tuple[list[str], Numbers]:
    """Sums of (ages, groups) over BROAD_AGES, and the names of those ages."""
    starts = [one for one in BROAD_AGES if one in set(first)]
    place = np.searchsorted(starts, first, side="right") - 1
    sums = np.zeros((len(starts), values.shape[1]))
    np.add.at(sums, place, values)
    ends = [*starts[1:], None]
    names = [
        f"{low}+" if high is None else str(low) if high - low == 1 else f"{low}–{high - 1}"
        for low, high in zip(starts, ends, strict=True)
    ]
    return names, sums
