"""Does the conclusion change? What a reader takes from a figure, and whether an adjustment would alter it.

Three conclusions: did the figure rise or fall against the year before (beyond counting noise), is the province among the
three highest or lowest, was the target of the catalog reached. Each is a word, "" where it cannot be drawn.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tkyt_analysis.labels import label
from tkyt_analysis.quality.consequence import NATION

FIGURE = ["figure_kind", "dataset_id", "figure"]
CONCLUSIONS = ("direction", "rank_group", "target_reached")
CLEAR = 1.96  # standard deviations of counting noise
EDGE = 3  # provinces at either end
LEAST_PROVINCES = 7


def direction(table: pd.DataFrame) -> pd.Series:
    """up | down | same against the year before, "" where that year has other periods or no value.

    table : FIGURE, place, scenario, year (text), periods (how many periods the year has), value, noise (SD by counting)
    """
    keys = [*FIGURE, "place", "scenario"]
    before = table[[*keys, "year", "periods", "value", "noise"]].copy()
    before["year"] = (before["year"].astype(int) + 1).astype("str")
    both = table[[*keys, "year"]].merge(before, on=[*keys, "year"], how="left", validate="one_to_one")
    both.index = table.index
    change = table["value"] - both["value"]
    reach = CLEAR * np.sqrt(table["noise"] ** 2 + both["noise"] ** 2)
    known = change.notna() & reach.notna() & (table["periods"] == both["periods"])
    words = np.select([~known, change.abs() <= reach, change > 0], ["", "same", "up"], "down")
    return pd.Series(words, index=table.index, dtype="str")


def rank_group(table: pd.DataFrame) -> pd.Series:
    """highest | lowest | middle among the provinces, "" for the nation and where fewer than seven provinces have a value."""
    provinces = table[(table["place"] != NATION) & table["value"].notna()]
    groups = provinces.groupby([*FIGURE, "year", "scenario"], sort=False)["value"]
    from_top, from_below = groups.rank(ascending=False, method="min"), groups.rank(method="min")
    many = groups.transform("size") >= LEAST_PROVINCES
    words = np.select([~many, from_top <= EDGE, from_below <= EDGE], ["", "highest", "lowest"], "middle")
    return pd.Series(words, index=provinces.index, dtype="str").reindex(table.index, fill_value="")


def target_reached(table: pd.DataFrame, targets: pd.DataFrame) -> pd.Series:
    """yes | no against the target in force at the end of the year, "" where there is none.

    targets : figure, day (date by which it is to be reached), target, higher_is (better | worse)
    """
    words = pd.Series("", index=table.index, dtype="str")
    for one in targets.sort_values(["figure", "day"]).itertuples(index=False):
        here = (table["figure"] == one.figure) & (table["year"] >= str(one.day)[:4]) & table["value"].notna()
        good = table["value"] >= one.target if one.higher_is == "better" else table["value"] <= one.target
        words[here] = good[here].map({True: "yes", False: "no"})
    return words


def conclusions(table: pd.DataFrame, targets: pd.DataFrame | None = None) -> pd.DataFrame:
    """The table with direction, rank_group, target_reached; conclusion_changes (yes | no | not_assessable: against the
    scenario "none") and `changed`, the names of the conclusions that differ."""
    targets = targets if targets is not None else pd.DataFrame(columns=["figure", "day", "target", "higher_is"])
    result = table.assign(
        direction=direction(table), rank_group=rank_group(table), target_reached=target_reached(table, targets)
    )
    keys = [*FIGURE, "place", "year"]
    reported = result.loc[result["scenario"] == "none", [*keys, *CONCLUSIONS]]
    beside = result[keys].merge(reported, on=keys, how="left", validate="many_to_one")
    beside.index = result.index
    drawn = {name: (result[name] != "") & (beside[name].fillna("") != "") for name in CONCLUSIONS}
    differs = {name: drawn[name] & (result[name] != beside[name]) for name in CONCLUSIONS}
    changed = pd.DataFrame(differs)
    result["changed"] = _listed(changed)
    any_drawn = pd.DataFrame(drawn).any(axis=1)
    result["conclusion_changes"] = np.select([~any_drawn, changed.any(axis=1)], ["not_assessable", "yes"], "no")
    return result


def _listed(changed: pd.DataFrame) -> pd.Series:
    """The names of the columns that hold, comma between them."""
    words = pd.Series("", index=changed.index, dtype="str")
    for name in changed:
        mark = words.where(words == "", words + ", ") + str(name)
        words = words.where(~changed[name], mark)
    return words


def conclusion_sentence(row: Mapping[str, object], reported: Mapping[str, object], language: str | None = None) -> str:
    """In words: does this scenario's row alter what the row of scenario "none" says?"""
    if row["conclusion_changes"] != "yes":
        return label(f"conclusion.{row['conclusion_changes']}", language)
    parts = [
        label(
            f"conclusion.changed.{name}",
            language,
            before=label(f"conclusion.word.{name}.{reported[name]}", language),
            after=label(f"conclusion.word.{name}.{row[name]}", language),
        )
        for name in str(row["changed"]).split(", ")
    ]
    return label("conclusion.yes", language, changes="; ".join(parts))
