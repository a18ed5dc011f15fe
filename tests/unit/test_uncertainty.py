"""One interval for a corrected figure: each source against its analytic law, their composition, and what cannot be assessed."""

from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from mortality.measures.redistribution import redistribute_counts, redistribution_rules
from mortality.measures.uncertainty import COLUMNS, SharePackage, draws, simulate_rates
from tkyt_analysis.analysis.rates import exact_poisson_limits
from tkyt_analysis.analysis.standardise import directly_standardised_rate
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.reference.ages import ABRIDGED_85
from tkyt_analysis.reference.standard_populations import standard_population

Z = NormalDist().inv_cdf(0.975)
MANY = 4_000

# Two provinces; the stroke deaths of 51 are 40 + 60, of all its deaths 40 + 60 + 10 + 30 + 20 = 160.
DEATHS = table("""
    unit_id   | sex    | age_group | cause   | deaths
    VN2024:51 | male   | 0-69      | stroke  |     40
    VN2024:51 | female | 70+       | stroke  |     60
    VN2024:51 | male   | 70+       | injury  |     10
    VN2024:51 | female | 0-69      | senile  |     30
    VN2024:51 | male   | 70+       | senile  |     20
    VN2024:48 | male   | 70+       | stroke  |    100
    VN2024:48 | female | 0-69      | injury  |      5
""")
PERSONS = table("""
    unit_id   | sex    | age_group | persons
    VN2024:51 | male   | 0-69      |   40000
    VN2024:51 | male   | 70+       |    2000
    VN2024:51 | female | 0-69      |   41000
    VN2024:51 | female | 70+       |    3000
    VN2024:48 | male   | 0-69      |   50000
    VN2024:48 | male   | 70+       |    2500
    VN2024:48 | female | 0-69      |   52000
    VN2024:48 | female | 70+       |    4000
""")
INJURY, SENILE, STROKE = 0, 1, 2  # causes are sorted
HALF_AND_HALF = SharePackage(
    np.array([SENILE]), np.array([INJURY, STROKE]), np.full((1, 1, 1, 2), 0.5), np.full((1, 1, 1), 20.0)
)


def figures(**options):
    defaults = {"functionals": ("crude_rate",), "draws": 300}
    return simulate_rates(DEATHS, PERSONS, **{**defaults, **options})


def one(rows, quantity="crude_rate", cause="all", sex="total", unit_id="VN2024:51"):
    wanted = {"quantity": quantity, "cause": cause, "sex": sex, "unit_id": unit_id}
    found = rows[np.logical_and.reduce([rows[name] == value for name, value in wanted.items()])]
    assert len(found) == 1
    return found.iloc[0]


# ------------------------------------------------------------------------------------------ counts alone


@pytest.mark.parametrize("deaths", [0, 1, 7, 250])
def test_chance_in_the_counts_alone_gives_the_exact_poisson_limits_of_a_crude_rate(deaths):
    counts = pd.DataFrame({"unit_id": ["VN"], "sex": ["male"], "age_group": ["0+"], "cause": ["x"], "deaths": [deaths]})
    persons = pd.DataFrame({"unit_id": ["VN"], "sex": ["male"], "age_group": ["0+"], "persons": [1000]})
    row = one(simulate_rates(counts, persons, functionals=("crude_rate",), draws=MANY), sex="male", unit_id="VN")
    lower, upper = exact_poisson_limits([deaths])
    assert row["value"] == 100 * deaths
    assert row["lower"] == pytest.approx(100 * lower[0], rel=0.03 if deaths > 1 else 0.25)
    assert row["upper"] == pytest.approx(100 * upper[0], rel=0.03)


def test_chance_in_the_counts_alone_is_as_wide_as_fay_and_feuer_for_a_standardised_rate():
    ages, events, persons = ["0-69", "70+"], [12, 9], [40_000.0, 900.0]
    frame = pd.DataFrame({"unit_id": "VN", "sex": "male", "age_group": ages, "cause": "x", "deaths": events})
    rows = simulate_rates(frame, frame.assign(persons=persons), functionals=("asdr",), draws=MANY)
    weights = standard_population("who_2000_2025", ages)["standard_population"].to_numpy()
    by_age = pd.DataFrame(
        {"age_group": ages, "events": events, "person_years": persons, "standard_population": weights}
    )
    theirs = directly_standardised_rate(by_age, [], method="fay_feuer").iloc[0]
    ours = one(rows, "asdr", sex="male", unit_id="VN")
    assert ours["value"] == pytest.approx(theirs["rate"])
    assert (ours["lower"], ours["upper"]) == pytest.approx((theirs["lower"], theirs["upper"]), rel=0.04)


def test_a_cause_without_deaths_keeps_an_upper_limit_and_all_its_doubt_is_of_the_counts():
    row = one(figures(), cause="senile", unit_id="VN2024:48")
    assert (row["value"], row["lower"], row["share_counts"]) == (0, 0, 1)
    assert row["upper"] == pytest.approx(1e5 * -np.log(0.025) / (50_000 + 2_500 + 52_000 + 4_000), rel=0.2)


# --------------------------------------------------------------------------------------- completeness alone


def test_doubt_of_completeness_alone_gives_the_rates_at_its_limits():
    row = one(figures(completeness=(0.8, 0.7, 0.9), count_error=False, draws=MANY))
    registered = 1e5 * 160 / 86_000
    assert row["observed"] == pytest.approx(registered)
    assert row["value"] == pytest.approx(registered / 0.8)
    assert (row["lower"], row["upper"]) == pytest.approx((registered / 0.9, registered / 0.7), rel=0.01)
    assert row["share_completeness"] == 1


def test_the_logit_normal_meets_value_and_limits_and_the_beta_mean_and_deviation():
    value, lower, upper = (np.array([[x]]) for x in (0.8, 0.7, 0.85))
    at = draws.completeness_at(np.array([0, -Z, Z]).reshape(3, 1, 1), value, lower, upper, distribution="logit_normal")
    assert at.ravel() == pytest.approx([0.8, 0.7, 0.85])
    scores = np.random.default_rng(1).standard_normal((20_000, 1, 1))
    beta = draws.completeness_at(scores, value, value - 0.098, value + 0.098, distribution="beta")
    assert (beta.mean(), beta.std()) == pytest.approx((0.8, 0.098 / Z), rel=0.02)


def test_an_error_shared_by_the_ages_of_a_place_moves_its_total_more_than_errors_of_their_own():
    width = {}
    for shared in ("place", "cell"):
        row = one(figures(completeness=(0.8, 0.6, 0.9), count_error=False, completeness_shared=shared))
        width[shared] = row["upper"] - row["lower"]
    assert width["place"] > 1.3 * width["cell"]


def test_a_completeness_that_all_share_leaves_the_fractions_of_causes_as_they_are():
    rows = figures(completeness=(0.8, 0.7, 0.9), functionals=("cause_fraction",))
    stroke = one(rows, "cause_fraction", "stroke")
    assert stroke["value"] == stroke["observed"] == pytest.approx(100 / 160)
    assert stroke["share_completeness"] == pytest.approx(0)


def test_completeness_by_age_corrects_each_age_by_its_own():
    by_age = pd.DataFrame({"age_group": ["0-69", "70+"], "value": [0.5, 1.0], "lower": [0.5, 1.0], "upper": [0.5, 1.0]})
    row = one(figures(completeness=by_age, functionals=("deaths",)), "deaths")
    assert row["value"] == pytest.approx((40 + 30) / 0.5 + (60 + 10 + 20) / 1.0)


# ---------------------------------------------------------------------------- redistribution, denominators


def test_redistribution_moves_the_garbage_and_keeps_the_total():
    rows = figures(redistribution=[HALF_AND_HALF], functionals=("deaths", "cause_fraction"))
    value = {cause: one(rows, "deaths", cause)["value"] for cause in ("all", "injury", "senile", "stroke")}
    assert value == pytest.approx({"all": 160, "senile": 0, "injury": 10 + 50 / 2, "stroke": 100 + 50 / 2})
    assert one(rows, "deaths")["share_redistribution"] == 0
    assert one(rows, "deaths", "injury")["share_redistribution"] > 0
    senile = one(rows, "deaths", "senile")
    assert (senile["observed"], senile["upper"]) == (50, 0)


def test_doubt_of_the_shares_alone_has_the_variance_of_dirichlet():
    row = one(
        figures(redistribution=[HALF_AND_HALF], functionals=("deaths",), count_error=False, draws=MANY),
        "deaths",
        "stroke",
    )
    deviation = 50 * np.sqrt(0.5 * 0.5 / (20 + 1))  # one share for all sexes and ages
    assert row["upper"] - row["lower"] == pytest.approx(2 * Z * deviation, rel=0.05)


def test_a_package_without_targets_leaves_its_deaths_where_they_are():
    nowhere = SharePackage(np.array([SENILE]), np.array([STROKE]), np.zeros((1, 1, 1, 1)), np.full((1, 1, 1), 20.0))
    row = one(figures(redistribution=[nowhere], functionals=("deaths",)), "deaths", "senile")
    assert row["value"] == row["observed"] == 50


def test_a_later_stage_divides_what_the_earlier_one_gave():
    whole = np.ones((1, 1, 1, 1))
    certain = np.full((1, 1, 1), np.inf)
    packages = [
        SharePackage(np.array([SENILE]), np.array([INJURY]), whole, certain),
        SharePackage(np.array([INJURY]), np.array([STROKE]), whole, certain, stage=2),
    ]
    rows = figures(redistribution=packages, functionals=("deaths",))
    assert one(rows, "deaths", "stroke")["value"] == pytest.approx(160)


def test_doubt_of_the_population_alone_is_lognormal():
    row = one(figures(denominator_error=0.1, count_error=False, draws=MANY))
    half = Z * np.sqrt(np.log1p(0.1**2))
    assert np.log(row["upper"] / row["lower"]) == pytest.approx(2 * half, rel=0.05)


# --------------------------------------------------------------------------------------------- composition


def test_independent_sources_compose_and_their_shares_sum_to_one():
    options = {"completeness": (0.8, 0.74, 0.85), "denominator_error": 0.05, "draws": MANY, "components": True}
    row = one(figures(**options))
    assert row["share_counts"] + row["share_completeness"] + row["share_denominator"] == pytest.approx(1)
    assert row["share_redistribution"] == 0

    def squared(kind):
        return np.log(row[f"upper_{kind}"] / row[f"lower_{kind}"]) ** 2

    alone = [squared(f"alone_{name}") for name in ("counts", "completeness", "denominator")]
    assert np.log(row["upper"] / row["lower"]) ** 2 == pytest.approx(sum(alone), rel=0.08)
    assert squared("without_counts") == pytest.approx(alone[1] + alone[2], rel=0.08)
    shares = np.array(alone) / sum(alone)
    found = [row["share_counts"], row["share_completeness"], row["share_denominator"]]
    assert found == pytest.approx(shares, abs=0.04)


def test_a_place_alone_has_the_same_figures_as_among_others_and_a_seed_repeats_them():
    options = {"completeness": (0.8, 0.7, 0.9), "redistribution": [HALF_AND_HALF], "denominator_error": 0.05}
    together = figures(**options)
    own = DEATHS[DEATHS["unit_id"] == "VN2024:51"]
    alone = simulate_rates(own, PERSONS, functionals=("crude_rate",), draws=300, **options)
    pd.testing.assert_frame_equal(alone, together[together["unit_id"] == "VN2024:51"].reset_index(drop=True))
    other = figures(**options, seed=1)
    assert (other["value"] == together["value"]).all()
    assert not (other["lower"] == together["lower"]).all()


def test_the_size_of_a_piece_of_work_changes_nothing(monkeypatch):
    from mortality.measures.uncertainty import simulation

    blocks = []
    whole = simulation._Place.block
    monkeypatch.setattr(simulation._Place, "block", lambda *given: blocks.append(given[1:3]) or whole(*given))
    few = figures(draws=100)
    assert {size for _, size in blocks} == {100}
    blocks.clear()
    figures(draws=600)
    assert sorted(set(blocks)) == [(0, 250), (1, 250), (2, 100)]
    assert len(few) == len(figures(draws=600))


@settings(max_examples=15, deadline=None)
@given(
    deaths=st.lists(st.integers(0, 60), min_size=4, max_size=4),
    value=st.floats(0.3, 1.0),
    below=st.floats(0.5, 1.0),
    factor=st.integers(1, 50),
)
def test_the_value_is_the_registered_rate_over_completeness_and_lies_in_its_limits(deaths, value, below, factor):
    cells = pd.MultiIndex.from_product(
        [["VN"], ["male", "female"], ["0-69", "70+"]], names=["unit_id", "sex", "age_group"]
    )
    frame = cells.to_frame(index=False).assign(
        cause="x", deaths=deaths, persons=np.array([900, 100, 800, 150]) * factor
    )
    rows = simulate_rates(
        frame, frame, completeness=(value, value * below, value), functionals=("asdr", "crude_rate"), draws=120
    )
    assert (rows["value"] * value).to_numpy() == pytest.approx(rows["observed"].to_numpy())
    assert (rows["lower"] <= rows["value"] * (1 + 1e-9)).all()
    assert (rows["value"] <= rows["upper"] * (1 + 1e-9)).all()


def test_fractions_of_the_causes_sum_to_one_and_the_parts_of_deaths_to_all():
    rows = figures(redistribution=[HALF_AND_HALF], functionals=("deaths", "cause_fraction"))
    own = rows[(rows["sex"] == "total") & (rows["cause"] != "all")].groupby(["unit_id", "quantity"])["value"].sum()
    assert own["VN2024:51", "cause_fraction"] == pytest.approx(1)
    assert own["VN2024:51", "deaths"] == pytest.approx(160)


# ------------------------------------------------------------------------------- life tables, premature, YLL


def lives():
    """Deaths and persons at abridged ages, both sexes, half of the deaths of an NCD."""
    rates = np.array([0.01, 0.0005, *(0.0003 * np.exp(0.33 * n) for n in range(17))])
    cells = pd.MultiIndex.from_product(
        [["VN2024:01"], ["male", "female"], ABRIDGED_85], names=["unit_id", "sex", "age_group"]
    )
    frame = cells.to_frame(index=False).assign(persons=10_000.0)
    half = (np.tile(rates, 2) * 10_000).round()
    deaths = pd.concat([frame.assign(cause=cause, deaths=half) for cause in ("ncd_cause", "other")])
    return deaths, frame, 2 * half.reshape(2, -1) / 10_000


def test_life_expectancy_is_that_of_the_life_table_and_premature_mortality_that_of_the_sdg():
    from mortality.measures.life_table import life_tables

    deaths, persons, rates = lives()
    options = {"functionals": ("e0", "30q70"), "ncd_causes": ["ncd_cause"], "draws": 300}
    rows = simulate_rates(deaths, persons, **options)
    male = one(rows, "e0", sex="male", unit_id="VN2024:01")
    assert male["value"] == pytest.approx(life_tables(rates[:1], ABRIDGED_85, "male").life_expectancy()[0])
    assert male["lower"] < male["value"] < male["upper"]
    q = 5 * rates[0, 7:15] / 2 / (1 + 2.5 * rates[0, 7:15] / 2)
    ncd = one(rows, "30q70", "ncd", sex="male", unit_id="VN2024:01")
    assert ncd["value"] == pytest.approx(1 - np.prod(1 - q))
    lower = simulate_rates(deaths, persons, completeness=(0.8, 0.7, 0.9), **options)
    assert one(lower, "e0", sex="male", unit_id="VN2024:01")["value"] < male["value"]


def test_years_of_life_lost_are_deaths_times_the_years_of_the_standard():
    rows = figures(
        functionals=("yll", "yll_rate"), years_lost={"0-69": 50.0, "70+": 10.0}, completeness=(0.5, 0.5, 0.5)
    )
    assert one(rows, "yll")["observed"] == pytest.approx(70 * 50 + 90 * 10)
    assert one(rows, "yll")["value"] == pytest.approx(2 * (70 * 50 + 90 * 10))
    assert one(rows, "yll_rate")["observed"] == pytest.approx(1e5 * (70 * 50 + 90 * 10) / 86_000)


# ---------------------------------------------------------------------------------- packages of the catalog


def by_code():
    rng = np.random.default_rng(5)
    codes = ["I21.9", "I64", "C34.9", "J44.9", "I50.9", "R54", "E11.9", "V89.2"]
    names = ["unit_id", "sex", "age_group", "cause"]
    cells = pd.MultiIndex.from_product(
        [["VN2024:01", "VN2024:02"], ["male", "female"], ["30-69", "70+"], codes], names=names
    )
    return cells.to_frame(index=False).assign(deaths=rng.poisson(40, len(cells)), persons=5_000.0)


def test_packages_of_the_catalog_give_the_same_value_as_the_redistribution_itself():
    deaths = by_code()
    rows = simulate_rates(
        deaths,
        deaths.drop_duplicates(["unit_id", "sex", "age_group"]),
        redistribution="vn_2026",
        functionals=("deaths",),
        draws=100,
    )
    codes = sorted(deaths["cause"].unique())
    rules = redistribution_rules(codes, "vn_2026", sexes=("male", "female"), ages=["30-69", "70+"])
    array = deaths.pivot_table(index=["unit_id", "sex", "age_group"], columns="cause", values="deaths")
    order = pd.MultiIndex.from_product([["VN2024:01", "VN2024:02"], ["male", "female"], ["30-69", "70+"]])
    expected = redistribute_counts(array.loc[order, codes].to_numpy().reshape(2, 2, 2, -1), rules).after.sum(
        axis=(1, 2)
    )
    for number, unit in enumerate(["VN2024:01", "VN2024:02"]):
        found = [one(rows, "deaths", code, unit_id=unit)["value"] for code in rules.causes]
        assert found == pytest.approx(expected[number].tolist(), abs=1e-6)
    heart = one(rows, "deaths", "I21.9", unit_id="VN2024:01")
    assert heart["value"] > heart["observed"]
    assert heart["share_redistribution"] > 0
    assert "vn_2026" in heart["method"]


def test_a_wider_spread_of_the_shares_widens_the_interval():
    deaths = by_code()
    width = {}
    for spread in (0.0, 1.0):
        rows = simulate_rates(
            deaths, deaths.drop_duplicates(["unit_id", "sex", "age_group"]), redistribution="vn_2026",
            redistribution_spread=spread, functionals=("deaths",), draws=250, count_error=False,
        )  # fmt: skip
        row = one(rows, "deaths", "I21.9", unit_id="VN2024:01")
        width[spread] = row["upper"] - row["lower"]
    assert width[1.0] > 1.5 * width[0.0] > 0


# ------------------------------------------------------------------------------------------ not assessable


def test_columns_status_and_method_say_what_was_done():
    rows = figures(completeness=(0.8, 0.7, 0.9))
    assert list(rows.columns) == COLUMNS
    assert set(rows["status"]) == {"modelled"}
    assert set(figures()["status"]) == {"ok"}
    for word in (
        "300 draws",
        "seed 0",
        "gamma",
        "logit_normal shared by place",
        "redistribution none",
        "denominator known",
    ):
        assert word in rows["method"].iloc[0]


def test_a_place_without_completeness_has_no_corrected_figure_and_says_why():
    known = pd.DataFrame({"unit_id": ["VN2024:51"], "value": [0.8], "lower": [0.7], "upper": [0.9]})
    rows = figures(completeness=known)
    missing = rows[rows["unit_id"] == "VN2024:48"]
    assert set(missing["status"]) == {"not_assessable"}
    assert set(missing["reason"]) == {"reason.completeness_missing"}
    assert missing[["observed", "value", "lower", "upper", "share_counts"]].isna().all().all()
    assert (rows[rows["unit_id"] == "VN2024:51"]["reason"] == "").all()
    wrong = figures(completeness=known.assign(unit_id="VN2024:48", upper=1.2))
    assert one(wrong, unit_id="VN2024:48")["reason"] == "reason.completeness_outside"


def test_an_age_without_person_years_stops_rates_but_not_fractions():
    persons = PERSONS.assign(
        persons=np.where((PERSONS["unit_id"] == "VN2024:51") & (PERSONS["age_group"] == "70+"), 0, PERSONS["persons"])
    )
    rows = simulate_rates(DEATHS, persons, functionals=("asdr", "cause_fraction"), draws=50)
    assert one(rows, "asdr")["reason"] == "reason.no_person_years_in_age_group"
    assert one(rows, "cause_fraction", "stroke")["value"] == pytest.approx(100 / 160)
    assert rows[["value", "lower", "upper"]].notna().all(axis=1).equals(rows["status"] != "not_assessable")


def test_a_missing_count_or_error_is_said_and_no_other_place_suffers():
    broken = DEATHS.assign(deaths=DEATHS["deaths"].astype(float).where(DEATHS["unit_id"] != "VN2024:48"))
    rows = simulate_rates(broken, PERSONS, functionals=("crude_rate",), draws=50)
    assert one(rows, unit_id="VN2024:48")["reason"] == "reason.events_missing"
    assert one(rows)["value"] == one(figures())["value"]
    errors = pd.DataFrame({"unit_id": ["VN2024:51"], "relative_standard_error": [0.02]})
    assert one(figures(denominator_error=errors), unit_id="VN2024:48")["reason"] == "reason.denominator_error_missing"


def test_a_sex_without_deaths_has_no_fractions_and_a_life_table_needs_deaths_in_its_open_age():
    deaths, persons, _ = lives()
    young = deaths[(deaths["sex"] == "male") & (deaths["age_group"] != "85+")]
    rows = simulate_rates(young, persons, functionals=("cause_fraction", "e0"), draws=50)
    assert one(rows, "cause_fraction", sex="female", unit_id="VN2024:01")["reason"] == "reason.uncertainty_no_deaths"
    assert one(rows, "e0", sex="male", unit_id="VN2024:01")["reason"] == "reason.uncertainty_open_age"


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"functionals": ("median_age",)}, "error.uncertainty_functional"),
        ({"functionals": ("yll",)}, "error.uncertainty_needs"),
        ({"functionals": ("30q70",)}, "error.uncertainty_needs"),
        ({"functionals": ("e0",), "draws": 0}, "error.uncertainty_draws"),
        ({"completeness": (0.8, 0.7, 0.9), "completeness_distribution": "uniform"}, "error.uncertainty_distribution"),
        ({"completeness": (0.8, 0.7, 0.9), "completeness_shared": "ward"}, "error.uncertainty_shared"),
        ({"completeness": pd.DataFrame({"unit_id": ["VN2024:51"], "share": [0.8]})}, "error.uncertainty_columns"),
        ({"confidence": 95}, "error.confidence"),
    ],
)
def test_wrong_options_are_refused_in_words(options, key):
    with pytest.raises(UsageError) as caught:
        figures(**options)
    assert caught.value.key == key
    assert caught.value.sentence("vi") != caught.value.sentence("en")


@pytest.mark.parametrize(
    ("deaths", "key"),
    [
        (DEATHS.drop(columns="cause"), "error.uncertainty_columns"),
        (pd.concat([DEATHS, DEATHS.head(1)]), "error.uncertainty_twice"),
        (DEATHS.assign(age_group="unknown"), "error.uncertainty_axis"),
        (DEATHS.assign(sex="unknown"), "error.uncertainty_axis"),
        (DEATHS.head(0), "error.uncertainty_no_deaths"),
    ],
)  # fmt: skip
def test_tables_that_do_not_fit_are_refused_in_words(deaths, key):
    with pytest.raises(InputError) as caught:
        simulate_rates(deaths, PERSONS, draws=10)
    assert caught.value.key == key
    assert caught.value.sentence("vi")
