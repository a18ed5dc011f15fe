"""Steps 6 to 10: broad groups and their ages, leading causes, codes of little use, ill-defined causes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.ten_steps.codes import (
    COMMUNICABLE,
    EXTERNAL,
    GRAVE,
    GROUPS,
    NONCOMMUNICABLE,
    broad_groups,
    garbage_types,
    ill_defined,
    symptoms,
)
from mortality.ten_steps.figures import Z, difference_of_shares, figure, share_figure
from mortality.ten_steps.panel import Numbers, Panel

CHILD, YOUNG, ELDERLY = (0, 5), (15, 35), (60, np.inf)
LIST, LEADING = "who_mortality_list_1", 10
NOT_RANKED = ("gap", "unknown")


def cause_cells(panel: Panel) -> pd.DataFrame:
    """The cells of the panel with group, garbage, category, severity, no_code, ill_defined, symptoms, item, first year of age."""
    from mortality.tabulation.cause_lists import load_cause_list

    cells = panel.cells
    first = pd.to_numeric(cells["age_group"].str.extract(r"^(\d+)", expand=False)).astype(float)
    return pd.concat([cells, garbage_types(cells["code"])], axis=1).assign(
        group=broad_groups(cells["code"]),
        ill_defined=ill_defined(cells["code"]),
        symptoms=symptoms(cells["code"]),
        item=load_cause_list(LIST).item_of(cells["code"].replace("", pd.NA)),
        age=first,
    )


def step_6_groups(panel: Panel, cells: pd.DataFrame) -> list[pd.DataFrame]:
    """Shares of the three broad groups among the deaths with a defined cause."""
    number = {group: panel.summed(cells["group"].eq(group)) for group in GROUPS}
    total = np.sum(list(number.values()), axis=0)
    return [share_figure(panel, 6, f"{group}_share", number[group], total) for group in GROUPS]


def step_7_ages_of_groups(panel: Panel, cells: pd.DataFrame) -> list[pd.DataFrame]:
    """Whether each group has the ages that it has everywhere: infections and births early, injuries young, the rest late."""

    def share(group: str, ages: tuple[float, float]) -> tuple[Numbers, Numbers]:
        inside = cells["age"].between(ages[0], ages[1], inclusive="left")
        return panel.summed(inside & cells["group"].eq(group)), panel.summed(inside & cells["group"].isin(GROUPS))

    return [
        difference_of_shares(panel, 7, "communicable_early", share(COMMUNICABLE, CHILD), share(COMMUNICABLE, ELDERLY)),
        difference_of_shares(panel, 7, "external_young", share(EXTERNAL, YOUNG), share(EXTERNAL, ELDERLY)),
        share_figure(panel, 7, "noncommunicable_late", *share(NONCOMMUNICABLE, ELDERLY)),
    ]


def leading_causes(panel: Panel, cells: pd.DataFrame) -> pd.DataFrame:
    """series, rank, item, deaths, total, garbage: the ten items of WHO list 1 with most deaths, and those of them of little use.

    Equal numbers are ranked in the order of the list; codes outside the list and deaths without a code have no rank.
    """
    ranked = cells[~cells["item"].isin(NOT_RANKED)]
    ranked = ranked.assign(garbage=ranked["deaths"].where(ranked["garbage"], 0.0))
    sums = ranked.groupby(["series", "item"], as_index=False, observed=True)[["deaths", "garbage"]].sum()
    sums = sums.sort_values(["series", "deaths", "item"], ascending=[True, False, True], ignore_index=True)
    sums["rank"] = sums.groupby("series").cumcount() + 1
    total = pd.Series(panel.summed(~cells["no_code"]))
    return sums[sums["rank"] <= LEADING].assign(total=lambda rows: rows["series"].map(total)).reset_index(drop=True)


def step_8_leading(panel: Panel, leading: pd.DataFrame) -> list[pd.DataFrame]:
    """Share of the ten leading causes' deaths whose code says little, and the ten's share of all coded deaths."""
    size = len(panel.frame)
    deaths, garbage = (
        np.bincount(leading["series"], leading[name], size).astype(float) for name in ("deaths", "garbage")
    )
    total = np.zeros(size)
    total[leading["series"]] = leading["total"]
    return [
        share_figure(panel, 8, "garbage_among_leading", garbage, deaths),
        share_figure(panel, 8, "leading_share", deaths, total),
    ]


def step_9_use(panel: Panel, cells: pd.DataFrame) -> list[pd.DataFrame]:
    """Deaths of noncommunicable over those of communicable causes; codes of little use, and the graver ones among them."""
    chronic, infectious = (panel.summed(cells["group"].eq(group)) for group in (NONCOMMUNICABLE, COMMUNICABLE))
    coded = panel.summed(~cells["no_code"])
    return [
        share_figure(panel, 9, "garbage_share", panel.summed(cells["garbage"]), coded),
        share_figure(panel, 9, "grave_share", panel.summed(cells["severity"].isin(GRAVE)), coded),
        _ratio(panel, chronic, infectious),
    ]


def _ratio(panel: Panel, chronic: Numbers, infectious: Numbers) -> pd.DataFrame:
    """The ratio of two counts; limits on the logarithm, variance 1/a + 1/b."""
    usable = (chronic > 0) & (infectious > 0)
    one, other = np.where(usable, chronic, 1.0), np.where(usable, infectious, 1.0)
    spread = np.exp(Z * np.sqrt(1 / one + 1 / other))
    return figure(
        panel,
        9,
        "ncd_cd_ratio",
        value=one / other,
        lower=one / other / spread,
        upper=one / other * spread,
        events=chronic,
        base=chronic + infectious,
        method="ratio_of_counts;lognormal",
        reason=np.where(usable, "", np.where(chronic + infectious > 0, "too_few", "no_deaths")),
    )


def step_10_ill_defined(panel: Panel, cells: pd.DataFrame) -> list[pd.DataFrame]:
    """Ill-defined causes of all deaths with a code, and symptoms (chapter XVIII) below and from 65."""
    coded = ~cells["no_code"]
    young, old = cells["age"] < 65, cells["age"] >= 65
    return [
        share_figure(panel, 10, "ill_defined_share", panel.summed(cells["ill_defined"]), panel.summed(coded)),
        share_figure(
            panel, 10, "symptoms_below_65", panel.summed(cells["symptoms"] & young), panel.summed(coded & young)
        ),
        share_figure(panel, 10, "symptoms_from_65", panel.summed(cells["symptoms"] & old), panel.summed(coded & old)),
    ]


def garbage_table(cells: pd.DataFrame) -> pd.DataFrame:
    """series, category, severity, deaths: the codes of little use by type and gravity."""
    rows = cells[cells["garbage"]]
    return rows.groupby(["series", "category", "severity"], as_index=False, observed=True)["deaths"].sum()


def group_table(cells: pd.DataFrame, bands: tuple[tuple[str, float, float], ...]) -> pd.DataFrame:
    """series, band, group, deaths: the broad groups by wide ages."""
    names = np.array([name for name, *_ in bands], dtype=object)
    starts = np.array([low for _, low, _ in bands])
    known = cells[cells["age"].notna() & cells["group"].isin(GROUPS)]
    band = names[np.searchsorted(starts, known["age"].to_numpy(float), side="right") - 1]
    return known.assign(band=band).groupby(["series", "band", "group"], as_index=False, observed=True)["deaths"].sum()
