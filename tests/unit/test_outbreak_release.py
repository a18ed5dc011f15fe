"""Release table outbreak_signal and the list of watched events: every notifiable series is watched, zeros are zeros, short pasts say so."""

import datetime
import itertools
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from deaths_support import PROVINCE, drawn_home, record, release_context

from mortality.outbreak_release import SIGNAL_COLUMNS, outbreak_signal, signals_of, watched_deaths, watched_elements
from tkyt_analysis.analysis.trend.watched import months_of_season, watched_events
from tkyt_analysis.catalog import load_entry, read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.practice.country_series import events_by_month

RULES = {"study_months": 12, "years": 5, "least_years": 3, "alpha": 0.01, "fdr": 0.1, "budget": 1}
NAMES = {"drowning": "drowning_deaths", "food_poisoning": "foodborne_deaths", "drug_poisoning": "drug_poisoning_deaths"}


@cache
def signals():
    table = events_by_month().table
    counts = table.assign(watch_id=table["element_id"].map(NAMES), reports=1.0)
    return signals_of(counts, watched_events(), rules=RULES, open_from=datetime.date(2025, 12, 1))


def test_every_province_event_and_month_is_listed_and_a_month_that_is_not_over_is_not():
    found = signals()
    assert list(found.columns) == SIGNAL_COLUMNS
    assert len(found) == 34 * 3 * 12
    assert (found["period_id"].min(), found["period_id"].max()) == ("202412", "202511")
    assert set(found["kind"]) == {"death_cause"}


def test_planted_outbreaks_of_the_last_year_are_within_the_budget_of_their_province():
    truth = events_by_month().truth.query("'202412' <= period_id <= '202511' and expected > 5")
    both = truth.assign(watch_id=truth["element_id"].map(NAMES)).merge(
        signals(), on=["unit_id", "watch_id", "period_id"], suffixes=("_true", "")
    )
    assert len(both) >= 2
    assert both["alarm"].all()
    assert both["within_budget"].all()
    assert both["expected"].to_numpy() == pytest.approx(both["expected_true"].to_numpy(), rel=0.35)
    assert signals().query("within_budget").groupby(["unit_id", "period_id"]).size().max() == 1


def drownings():
    """A drowning in most months of 2019 to 2025, nine in July 2025; other deaths every month."""
    days = [
        (year, month, 10 + n) for year, month in itertools.product(range(2019, 2026), range(1, 13)) for n in range(2)
    ]
    others = [record(f"o{n}", day=f"{y}-{m:02d}-{d}", code="I64") for n, (y, m, d) in enumerate(days)]
    drowned = [
        record(f"d{n}", day=f"{y}-{m:02d}-{d}", code="W69") for n, (y, m, d) in enumerate(days) if d == 10 and m % 4
    ]
    july = [record(f"j{n}", day=f"2025-07-{n + 11}", code="W74") for n in range(8)]
    return others + drowned + july


def forms_of(context):
    """Counts of watched elements where `province_value` holds these rows."""
    rows = [
        ("food_safety", "food_safety/poisoning_cases", "", level, period, PROVINCE, value, units)
        for level, period, value, units in [("commune", "202501", 7.0, 90), ("commune", "202502", 4.0, 60), ("province", "202501", 7.0, 1)]
    ]  # fmt: skip
    rows.append(("other", "food_safety/poisoning_cases", "", "commune", "202501", PROVINCE, 99.0, 90))
    names = ["dataset_id", "element_id", "category_id", "level", "period_id", "province", "value", "units"]
    context.keep("province_value", pd.DataFrame(rows, columns=names))
    return watched_elements(context, watched_events())


def test_a_home_counts_watched_deaths_with_their_zeros_and_forms_by_who_reported(tmp_path):
    with release_context(drawn_home(tmp_path / "home", drownings())) as context:
        found = outbreak_signal(context)
        counts = watched_deaths(context, watched_events())
        forms = forms_of(context)
        late = signals_of(
            counts[counts["period_id"] >= "202501"], watched_events(), rules=RULES, open_from=datetime.date(2026, 1, 1)
        )
    assert found.columns.tolist() == [*SIGNAL_COLUMNS, "scope"]
    assert forms[["watch_id", "period_id", "events", "reports"]].to_numpy().tolist() == [
        ["food_poisoning_reported", "202501", 7.0, 90],
        ["food_poisoning_reported", "202502", 4.0, 60],
    ]
    drowning = found[found["watch_id"] == "drowning_deaths"].set_index("period_id")
    assert drowning.loc["202507", "observed"] == 9
    assert drowning.loc["202508", "observed"] == 0  # a month without a drowning is a zero, not a gap
    assert drowning.index[drowning["alarm"]].tolist() == ["202507"]
    assert set(found["scope"]) == {PROVINCE.replace(":", "-")}
    months = counts[counts["watch_id"] == "drowning_deaths"]
    assert len(months) == 84
    assert months["events"].sum() == 7 * 9 + 8
    assert found.loc[found["watch_id"] == "transport_deaths", "observed"].eq(0).all()
    assert set(late["status"]) == {"not_assessable"}  # a year of deaths is too short
    assert (late["reason"] != "").all()


def test_every_notifiable_disease_is_watched_and_hiv_is_not():
    watch = read_codelist("watched_events")
    cases = set(";".join(watch.loc[watch["kind"] == "case", "codes"]).split(";"))
    assert cases == set(read_codelist("notifiable_diseases")["code"])
    assert watch["watch_id"].is_unique
    assert not watch["codes"].str.contains(r"B2[0-4]|HIV", flags=re.IGNORECASE).any()


def test_every_watched_event_has_names_a_season_and_says_where_it_comes_from():
    watch = watched_events(at="2026-06-01")
    assert (watch[["title_vi", "title_en"]] != "").all(axis=None)
    assert watch["season"].map(lambda season: bool(months_of_season(season))).all()
    assert set(watch["status"]) <= {"own", "unverified", "verified"}
    assert (watch.loc[watch["legal_source"] != "", "status"] != "own").all()
    assert watch["least"].ge(2).all()
    covid = watched_events(at="2019-01-01")["watch_id"]
    assert "covid_deaths" not in set(covid)
    assert set(load_entry("thresholds", "outbreak_signal").at(datetime.date(2026, 1, 1))) == set(RULES)


def test_codes_of_watched_causes_are_ranges_of_the_classification():
    from mortality.tabulation.ranges import codes_in_ranges

    codes = sorted(["W65", "W69.0", "W74", "W75", "X40", "X44", "X45", "X49", "A97.1", "U07.1"])
    causes = watched_events(kind="death_cause").set_index("watch_id")["codes"]
    assert codes_in_ranges(causes["drowning_deaths"], codes) == ["W65", "W69.0", "W74"]
    assert codes_in_ranges(causes["poisoning_deaths"], codes) == ["X40", "X44", "X45", "X49"]
    assert all(codes_in_ranges(text, codes) is not None for text in causes)  # each can be read


@pytest.mark.parametrize(
    ("season", "months"), [("4-9", {4, 5, 6, 7, 8, 9}), ("11-2", {11, 12, 1, 2}), ("", set(range(1, 13)))]
)
def test_a_season_may_run_over_the_end_of_the_year(season, months):
    assert months_of_season(season) == months


def test_a_season_that_is_none_is_told():
    with pytest.raises(InputError) as problem:
        months_of_season("13-2")
    assert problem.value.key == "error.outbreak_season"


def test_nothing_received_is_an_empty_table():
    empty = pd.DataFrame(columns=["unit_id", "watch_id", "period_id", "events", "reports"]).astype({"events": float})
    found = signals_of(empty, watched_events(), rules=RULES, open_from=datetime.date(2026, 1, 1))
    assert found.empty
    assert np.array_equal(found.columns, SIGNAL_COLUMNS)
