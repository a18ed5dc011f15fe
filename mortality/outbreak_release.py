"""Release table outbreak_signal: watched events of deaths, case lists and forms by province and month, against what was to be expected."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import ReleaseContext

SIGNAL_COLUMNS = [
    "unit_id", "watch_id", "kind", "period_id", "observed", "expected", "lower", "upper", "ratio", "excess", "score", "pvalue", "qvalue",
    "probability", "alarm", "extent", "shared_ratio", "neighbours", "tet", "in_season", "importance", "rank", "within_budget", "verdict",
    "reference", "method", "status", "reason",
]  # fmt: skip
_ROUNDED = ["expected", "ratio", "excess", "score", "probability", "shared_ratio", "tet", "importance"]
_COUNTS = ["unit_id", "watch_id", "period_id", "events", "reports"]


def outbreak_signal(context: ReleaseContext) -> pd.DataFrame:
    """SIGNAL_COLUMNS and scope: one row per province of 2025, watched event and month (the last twelve that are over).

    Numbers of months, years, alarms and bounds are the catalog's (threshold outbreak_signal), the events those of the code list
    watched_events. Every province and event that has data is listed, also where nothing can be said yet (not_assessable).
    """
    from tkyt_analysis.analysis.trend import watched_events
    from tkyt_analysis.catalog import load_entry
    from tkyt_analysis.cube.release_tables import offer_places
    from tkyt_analysis.quality.ranking import last_received

    day = last_received(context) or datetime.date(2026, 1, 1)
    watch, rules = watched_events(at=day), load_entry("thresholds", "outbreak_signal").at(day)
    offer_places(context)
    parts = [maker(context, watch) for maker in (watched_deaths, watched_cases, watched_elements)]
    counts = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    return context.add_scope(signals_of(counts, watch, rules=dict(rules), open_from=day.replace(day=1)))


def signals_of(
    counts: pd.DataFrame, watch: pd.DataFrame, *, rules: dict[str, Any], open_from: datetime.date
) -> pd.DataFrame:
    """SIGNAL_COLUMNS of monthly counts (unit_id, watch_id, period_id, events, reports: what each count rests on).

    rules : study_months, years, least_years, alpha, fdr, budget (per province and month); open_from : first day whose month is not over
    """
    from tkyt_analysis.analysis.trend import detect_outbreaks

    rows = counts[counts["period_id"] < f"{open_from:%Y%m}"]
    if rows.empty:
        return pd.DataFrame(columns=SIGNAL_COLUMNS).astype("str")
    months = pd.period_range(rows["period_id"].min(), rows["period_id"].max(), freq="M")
    options = {name: rules[name] for name in ("years", "least_years", "alpha", "fdr", "budget")}
    found = detect_outbreaks(
        rows, by=["unit_id", "watch_id"], period="period_id", value="events", population="reports", watch=watch, per="unit_id",
        last=min(int(rules["study_months"]), len(months)), neighbours=_neighbours(rows), frequency=12, **options,
    )  # fmt: skip
    kinds = watch.drop_duplicates("watch_id").set_index("watch_id")["kind"]
    table = found.rename(columns={"period": "period_id"}).assign(kind=found["watch_id"].map(kinds))
    table[_ROUNDED] = table[_ROUNDED].round(4)
    return table[SIGNAL_COLUMNS].sort_values(["unit_id", "watch_id", "period_id"], ignore_index=True)


def _neighbours(rows: pd.DataFrame) -> pd.DataFrame | None:
    """Which provinces of 2025 lie beside each other (catalog); not asked where there is one."""
    if rows["unit_id"].nunique() < 2:
        return None
    from tkyt_analysis.analysis.spatial import place_weights

    return place_weights("VN2025").table()


def watched_deaths(context: ReleaseContext, watch: pd.DataFrame) -> pd.DataFrame:
    """_COUNTS of counted deaths; a month without any death of the event is a zero from the first month with deaths of the province on."""
    from mortality.release_tables import analysed_deaths
    from mortality.tabulation.ranges import codes_in_ranges

    rows = analysed_deaths(context)
    rows = rows[(rows["excluded"] == "") & rows["year"].notna() & rows["month"].notna()]
    month = (rows["year"].astype("Int64") * 100 + rows["month"].astype("Int64")).astype("str")
    rows = pd.DataFrame({"unit_id": rows["unit_2025"], "period_id": month, "code": rows["underlying_cause"].fillna("")})
    known = sorted(set(rows["code"]) - {""})
    causes = watch[watch["kind"] == "death_cause"]
    pairs = [(code, one.watch_id) for one in causes.itertuples() for code in codes_in_ranges(one.codes, known)]
    return _with_zeros(_by_province(context, rows), pd.DataFrame(pairs, columns=["code", "watch_id"]), causes)


def watched_cases(context: ReleaseContext, watch: pd.DataFrame) -> pd.DataFrame:
    """_COUNTS of the case lists, zeros as with deaths."""
    from tkyt_analysis.warehouse.domain_tables import event_count

    rows = event_count(context)
    rows = rows[(rows["dataset_id"] == "notifiable_case") & (rows["counted_by"] == "disease")]
    rows = rows.rename(columns={"counted_value": "code"})[["unit_id", "period_id", "code", "events"]]
    cases = watch[watch["kind"] == "case"]
    pairs = cases.assign(code=cases["codes"].str.split(";")).explode("code")[["code", "watch_id"]]
    return _with_zeros(_by_province(context, rows), pairs, cases)


def _by_province(context: ReleaseContext, rows: pd.DataFrame) -> pd.DataFrame:
    """unit_id (province of 2025), period_id, code, events."""
    province = context.made["place"].drop_duplicates("unit_id").set_index("unit_id")["province"]
    moved = rows.assign(unit_id=rows["unit_id"].map(province), events=rows.get("events", pd.Series(1, rows.index)))
    keys = ["unit_id", "period_id", "code"]
    return moved.dropna(subset=["unit_id"]).groupby(keys, as_index=False)["events"].sum()


def _with_zeros(rows: pd.DataFrame, pairs: pd.DataFrame, watch: pd.DataFrame) -> pd.DataFrame:
    """Counts of watched events on every month from the first record of the province to the last record of all."""
    if rows.empty:
        return pd.DataFrame(columns=_COUNTS)
    months = pd.period_range(rows["period_id"].min(), rows["period_id"].max(), freq="M").strftime("%Y%m")
    first = rows.groupby("unit_id", as_index=False)["period_id"].min().rename(columns={"period_id": "first"})
    every = first.merge(pd.DataFrame({"period_id": months}), how="cross")
    every = every[every["period_id"] >= every["first"]].merge(watch[["watch_id"]], how="cross")
    keys = ["unit_id", "watch_id", "period_id"]
    counts = rows.merge(pairs, on="code").groupby(keys, as_index=False)["events"].sum()
    table = every.merge(counts, on=keys, how="left", validate="one_to_one")
    return table.assign(events=table["events"].fillna(0.0), reports=1.0)[_COUNTS]


def watched_elements(context: ReleaseContext, watch: pd.DataFrame) -> pd.DataFrame:
    """_COUNTS of monthly forms: sums over the units of a province; reports: how many units gave the figure (none: no row).

    Where units of several kinds report an element, the kind with most figures counts: communes and their province are one thing.
    """
    from tkyt_analysis.cube.release_tables import province_value

    if "province_value" not in context.kept:
        province_value(context)
    chosen = _elements_of(context, watch[watch["kind"] == "element"])
    context.warehouse.con.register("watched_element", chosen)
    rows = context.query(
        """
        SELECT v.province AS unit_id, w.watch_id, v.level, v.period_id, sum(v.value) AS events, v.category_id, sum(v.units) AS units
        FROM kept_province_value v JOIN watched_element w USING (dataset_id, element_id)
        WHERE v.province IS NOT NULL AND regexp_full_match(v.period_id, '[0-9]{6}') GROUP BY ALL
        """
    )
    if rows.empty:
        return pd.DataFrame(columns=_COUNTS)
    figures = rows.groupby(["unit_id", "watch_id", "level"], as_index=False)["units"].sum()
    figures = figures.sort_values(["units", "level"], ascending=[False, True]).drop_duplicates(["unit_id", "watch_id"])
    kept = rows.merge(figures[["unit_id", "watch_id", "level"]], on=["unit_id", "watch_id", "level"])
    keys = ["unit_id", "watch_id", "period_id"]
    return kept.groupby(keys, as_index=False).agg(events=("events", "sum"), reports=("units", "max"))[_COUNTS]


def _elements_of(context: ReleaseContext, watch: pd.DataFrame) -> pd.DataFrame:
    """dataset_id, element_id, watch_id: elements by their id or their code."""
    described = context.latest("data_element", "element_id")[["element_id", "code"]]
    used = context.query("SELECT DISTINCT dataset_id, element_id FROM kept_province_value")
    used = used.merge(described, on="element_id", how="left").assign(
        code=lambda one: one["code"].fillna(one["element_id"])
    )
    wanted = watch.assign(name=watch["codes"].str.split(";")).explode("name")[["name", "dataset_id", "watch_id"]]
    both = [used.merge(wanted, left_on=column, right_on="name") for column in ("element_id", "code")]
    found = pd.concat(both, ignore_index=True)
    found = found[(found["dataset_id_y"] == "") | (found["dataset_id_y"] == found["dataset_id_x"])]
    named = found.rename(columns={"dataset_id_x": "dataset_id"})[["dataset_id", "element_id", "watch_id"]]
    return named.drop_duplicates(ignore_index=True)
