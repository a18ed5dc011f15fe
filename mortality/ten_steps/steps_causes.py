"""Steps 6 to 10: broad groups and their ages, leading causes, codes of little use, ill-defined causes."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd

from mortality.garbage.codes import (
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
from mortality.ten_steps.figures import difference_of_shares, figure, share_figure
from mortality.ten_steps.panel import Numbers, Panel

CHILD, YOUNG, ELDERLY = (0, 5), (15, 35), (60, np.inf)
LIST, LEADING = "who_mortality_list_1", 10
DRAWS = 400  # for the intervals of the ranks


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
        _pattern(panel, cells),
    ]


def _pattern(panel: Panel, cells: pd.DataFrame) -> pd.DataFrame:
    """Deaths in another broad group than their sex and age let expect, less what chance makes of so few deaths."""
    from mortality.measures.cause_structure import age_pattern, age_pattern_distance

    if cells.empty:
        return figure(panel, 7, "group_ages_distance", value=np.nan, base=0, method="dissimilarity", reason="no_deaths")
    pattern = age_pattern(cells, ["series"], code="code", deaths_column="deaths")
    found = age_pattern_distance(pattern, ["series"], least=1).set_index("series").reindex(range(len(panel.frame)))
    return figure(
        panel,
        7,
        "group_ages_distance",
        value=found["excess"].clip(lower=0),
        events=found["deaths"].fillna(0),
        base=found["deaths"].fillna(0),
        method="dissimilarity to expected_broad_groups, less chance",
        reason=np.where(found["status"].eq("ok"), "", "no_deaths"),
    )


def leading_causes(panel: Panel, cells: pd.DataFrame) -> pd.DataFrame:
    """series, rank, rank_lower, rank_upper, item, deaths, total, garbage: the ten items of WHO list 1 with most deaths.

    rank_lower, rank_upper : where chance alone could have put the item; garbage : deaths of the item whose code is of little
    use; total : all coded deaths. Codes outside the list and deaths without a code have no rank.
    """
    from mortality.measures.cause_structure import leading_causes as ranked_causes

    names = ["series", "rank", "rank_lower", "rank_upper", "item", "deaths", "total", "garbage"]
    if cells.empty:
        return pd.DataFrame({name: pd.Series(dtype="float64") for name in names}).astype({"series": int, "item": "str"})
    each = [  # one by one: draws of its own, whatever else is asked for
        ranked_causes(part, ["series"], code="item", deaths_column="deaths", cause_list=None, top=LEADING, draws=DRAWS)
        for _, part in cells.groupby("series")
    ]
    found = pd.concat(each, ignore_index=True)
    useless = cells[cells["garbage"]].groupby(["series", "item"], observed=True)["deaths"].sum()
    keys = pd.MultiIndex.from_frame(found[["series", "cause"]])
    total = pd.Series(panel.summed(~cells["no_code"]))
    return found.rename(columns={"cause": "item"}).assign(
        garbage=useless.reindex(keys, fill_value=0.0).to_numpy(), total=found["series"].map(total)
    )[names]


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
    coded = panel.summed(~cells["no_code"])
    return [
        share_figure(panel, 9, "garbage_share", panel.summed(cells["garbage"]), coded),
        share_figure(panel, 9, "grave_share", panel.summed(cells["severity"].isin(GRAVE)), coded),
        _ratio(panel, cells),
    ]


def _ratio(panel: Panel, cells: pd.DataFrame) -> pd.DataFrame:
    """Deaths of noncommunicable over those of communicable causes; limits of the share, as odds."""
    from mortality.measures.cause_structure import ncd_cd_ratio

    found = ncd_cd_ratio(cells, ["series"], deaths_column="deaths", code="code").set_index("series")
    found = found.reindex(range(len(panel.frame)))
    both = found[NONCOMMUNICABLE].fillna(0) + found[COMMUNICABLE].fillna(0)
    return figure(
        panel,
        9,
        "ncd_cd_ratio",
        value=found["ratio"],
        lower=found["lower"],
        upper=found["upper"],
        events=found[NONCOMMUNICABLE].fillna(0),
        base=both,
        method="odds of the Wilson limits",
        reason=np.where(found["status"].eq("ok"), "", np.where(both > 0, "too_few", "no_deaths")),
    )


def step_10_ill_defined(
    panel: Panel, cells: pd.DataFrame, completeness: pd.DataFrame, day: datetime.date
) -> list[pd.DataFrame]:
    """Ill-defined causes of all deaths with a code, symptoms (chapter XVIII) below and from 65, and a VSPI-like index.

    completeness : value, lower, upper per series, as the index takes it
    """
    coded = ~cells["no_code"]
    young, old = cells["age"] < 65, cells["age"] >= 65
    return [
        share_figure(panel, 10, "ill_defined_share", panel.summed(cells["ill_defined"]), panel.summed(coded)),
        share_figure(
            panel, 10, "symptoms_below_65", panel.summed(cells["symptoms"] & young), panel.summed(coded & young)
        ),
        share_figure(panel, 10, "symptoms_from_65", panel.summed(cells["symptoms"] & old), panel.summed(coded & old)),
        _index(panel, cells, completeness, day),
    ]


def _index(panel: Panel, cells: pd.DataFrame, completeness: pd.DataFrame, day: datetime.date) -> pd.DataFrame:
    """The VSPI-like index of `mortality.measures.vspi_like`, without timeliness, 0 to 100."""
    from mortality.measures.cause_structure import vspi_inputs, vspi_like

    if cells.empty:
        return figure(panel, 10, "vspi_like", value=np.nan, base=0, method="VSPI-like", reason="no_deaths")
    told = vspi_inputs(cells, ["series"], code="code", deaths_column="deaths", day=day).set_index("series")
    known = completeness.reindex(told.index).clip(upper=1)
    told = told.assign(
        completeness=known["value"], completeness_lower=known["lower"], completeness_upper=known["upper"]
    ).reset_index()
    each = [vspi_like(told.iloc[[row]], ["series"], timeliness=False, day=day) for row in range(len(told))]
    rows = pd.concat(each, ignore_index=True)
    found = rows[rows["dimension"] == "index"].set_index("series").reindex(range(len(panel.frame)))
    return figure(
        panel,
        10,
        "vspi_like",
        value=found["value"],
        lower=found["lower"],
        upper=found["upper"],
        events=panel.all_deaths,
        base=panel.all_deaths,
        method=str(found["method"].dropna().iloc[0]),
        reason=np.where(found["value"].notna(), "", np.where(panel.all_deaths > 0, "no_completeness", "no_deaths")),
    )


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
