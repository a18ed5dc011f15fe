"""Whatever is handed to the measures: an answer with status and reason, or one sentence, never a traceback or a silent gap.

And the usual names of methods and options, as other programs write them, are understood.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mortality.measures import age_quality, completeness
from mortality.measures.cause_deleted import cause_deleted_life_table
from mortality.measures.decomposition import arriaga_decomposition, decompose_life_expectancy
from mortality.measures.life_expectancy import life_expectancy
from mortality.measures.life_table import (
    abridged_life_table,
    life_tables_from_survivors,
    premature_mortality,
    probability_of_dying,
)
from mortality.measures.sullivan import sullivan_life_expectancy
from mortality.measures.years_of_life_lost import years_of_life_lost
from mortality.verbal_autopsy.agreement import chance_corrected_concordance, csmf_accuracy
from tkyt_analysis.analysis.funnel import funnel_significance
from tkyt_analysis.analysis.inequality import slope_index_of_inequality
from tkyt_analysis.analysis.proportions import proportion
from tkyt_analysis.analysis.rates import crude_rate
from tkyt_analysis.analysis.standardise import (
    directly_standardised_rate,
    directly_standardised_rates,
    indirectly_standardised_ratio,
)
from tkyt_analysis.errors import TkytError
from tkyt_analysis.option_words import option_word
from tkyt_analysis.reference.standard_populations import standard_population

AGES = [0, 1, 15, 60, 80]
RATES = [0.02, 0.001, 0.003, 0.03, 0.15]
NONSENSE: dict[str, Any] = {
    "zeros": [0] * 5, "nothing": [], "negative": [-1.0] * 5, "missing": [None] * 5, "words": ["a"] * 5, "too few": [0.1] * 3,
    "one number": 0.1, "one word": "abc", "endless": [np.inf] * 5, "yes": [True] * 5, "None": None, "lists": [[1, 2], [3]],
    "dictionary": {"a": 1}, "one person": [1, 0, 0, 0, 0],
}  # fmt: skip
CALLS: dict[str, Callable[[Any], Any]] = {
    "rates": lambda x: abridged_life_table(x, AGES, "m"),
    "rates, extrapolated": lambda x: abridged_life_table(x, AGES, "m", closeout="extrapolated"),
    "ages": lambda x: abridged_life_table(RATES, x, "m"),
    "sex": lambda x: abridged_life_table(RATES, AGES, x),
    "ax": lambda x: abridged_life_table(RATES, AGES, "m", ax=x),
    "a0": lambda x: abridged_life_table(RATES, AGES, "m", a0=x),
    "closeout": lambda x: abridged_life_table(RATES, AGES, "m", closeout=x),
    "age asked for": lambda x: probability_of_dying(abridged_life_table(RATES, AGES, "m"), x, 60),
    "survivors": lambda x: life_tables_from_survivors(x, AGES),
    "counts": life_expectancy,
    "deaths 30-69": lambda x: premature_mortality(x, [100] * 5, AGES),
    "second rates": lambda x: arriaga_decomposition(RATES, x, AGES, "m"),
    "cause": lambda x: cause_deleted_life_table(RATES, x, AGES, "m"),
    "prevalence": lambda x: sullivan_life_expectancy(RATES, x, AGES, "m"),
    "deaths": lambda x: years_of_life_lost(x, AGES),
    "standard of years": lambda x: years_of_life_lost([1] * 5, AGES, standard=x),
    "registered rate": lambda x: completeness.adair_lopez(
        crude_death_rate=x, share_65_over=0.1, under5_mortality=0.02, year=2015
    ),
    "5q0": lambda x: completeness.adair_lopez(crude_death_rate=6, share_65_over=0.1, under5_mortality=x, year=2015),
    "two counts": completeness.generalised_growth_balance,
    "lists": completeness.capture_recapture,
    "ages of people": age_quality.whipple,
    "age groups": age_quality.age_ratio_score,
    "events": lambda x: crude_rate(x, [100] * 5),
    "confidence": lambda x: crude_rate([1], [10], confidence=x),
    "share": lambda x: proportion(x, [100] * 5),
    "units": lambda x: funnel_significance(x, [100] * 5),
    "events by age": lambda x: directly_standardised_rates(x, [100] * 5, [1] * 5),
    "table of events": directly_standardised_rate,
    "observed and expected": indirectly_standardised_ratio,
    "fractions": lambda x: csmf_accuracy(x, [0.2] * 5),
}  # fmt: skip
VALUES = ("value", "rate", "ratio", "share", "completeness", "ex", "yll", "contribution", "healthy_life_expectancy")


def _answer_or_sentence(call: Callable[[Any], Any], given: Any) -> Any:
    try:
        return call(given)
    except TkytError as refused:
        return refused.sentence("vi")


@pytest.mark.parametrize("what", CALLS)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_nonsense_is_answered_or_refused_in_a_sentence(what):
    for given in NONSENSE.values():
        answer = _answer_or_sentence(CALLS[what], given)
        if isinstance(answer, str):
            assert len(answer) > 20
        elif isinstance(answer, pd.DataFrame) and "status" in answer:
            assert (answer.loc[answer["status"] == "not_assessable", "reason"] != "").all()
            shown = [name for name in VALUES if name in answer][:1]
            assert np.isfinite(answer.loc[answer["status"] == "ok", shown].to_numpy(dtype=float)).all()


# --------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("options", "usual"),
    [
        ({"closeout": "extrapolate"}, {"closeout": "extrapolated"}),
        ({"closeout": "inverse"}, {"closeout": "1/m"}),
        ({"closeout": "extrapolate", "law": "gompertz"}, {"closeout": "Gompertz"}),
        ({"ax": "keyfitz_flieger"}, {"ax": "Keyfitz-Flieger"}),
        ({"ax": "un"}, {"ax": "MORTPAK"}),
        ({"a0": "andreev_kingkade"}, {"a0": "AK"}),
        ({"a0": "coale_demeny_north"}, {"a0": "north"}),
    ],
)
def test_options_of_life_tables_under_their_usual_names(options, usual):
    one, other = (abridged_life_table(RATES, AGES, "nữ", **words) for words in (options, usual))
    pd.testing.assert_frame_equal(one, other)  # the column method too: it prints the name that holds


def test_methods_of_rates_under_their_usual_names():
    def named(method):
        return directly_standardised_rates([5, 20], [1000, 500], [8, 2], method=method)["method"].iloc[0]

    words = ["gamma", "Fay-Feuer", "TCZ", "mid-p", "Byar", "asymptotic"]
    assert [named(word) for word in words] == ["fay_feuer", "fay_feuer", "tiwari", "gamma_midp", "dobson", "normal"]


def test_a_name_that_nobody_knows_comes_back_as_it_was_written():
    assert option_word("Guess-Work", ("exact", "byar")) == "Guess-Work"
    assert option_word("Mid P", ("midp",), {"mid_p": "midp"}) == "midp"
    assert option_word(0.1, ("midp",)) == 0.1


def test_standards_under_their_usual_names():
    pd.testing.assert_frame_equal(standard_population("ESP2013"), standard_population("esp_2013"))
    pd.testing.assert_frame_equal(standard_population("WHO"), standard_population("who_2000_2025"))


def test_decompositions_under_their_usual_names():
    less = np.array(RATES) * 0.9
    one, other = (
        decompose_life_expectancy(RATES, less, AGES, "m", method=name) for name in ("arriaga_sym", "Arriaga sym")
    )
    pd.testing.assert_frame_equal(one, other)


def test_kinds_of_indicator_of_the_slope_index_by_number():
    table = pd.DataFrame({"quantile": [1, 2, 3], "population": 100, "value": [3.0, 4, 6], "standard_error": 0.1})
    one, other = (slope_index_of_inequality(table, value_type=kind, repetitions=1000) for kind in ("rate", 1))
    pd.testing.assert_frame_equal(one, other)


def test_deaths_by_cause_are_fractions_of_their_sum():
    assert csmf_accuracy([30, 30, 40], [20, 30, 50]) == pytest.approx(csmf_accuracy([0.3, 0.3, 0.4], [0.2, 0.3, 0.5]))
    assert csmf_accuracy({"a": 0.5, "b": 0.5}, {"b": 0.5, "a": 0.5}) == 1


def test_pairs_of_causes_under_other_column_names():
    pairs = pd.DataFrame({"true_cause": ["a", "a", "b"], "assigned": ["a", "b", "b"]})
    # two causes: 1 of 2 found is (0.5 - 0.5) / 0.5 = 0
    assert chance_corrected_concordance(pairs).to_dict() == {"a": 0, "b": 1}


def test_years_of_a_standard_given_as_a_list_belong_to_the_age_groups():
    # 3 deaths at 15-59 and 2 from 80 on: 3 · 50 + 2 · 5
    found = years_of_life_lost([0, 0, 3, 0, 2], AGES, standard=[90, 85, 50, 20, 5]).iloc[0]
    assert found["yll"] == 160
    assert years_of_life_lost([0, 0, 3, 0, 2], AGES, standard=70)["yll"].iloc[0] == pytest.approx(
        years_of_life_lost([0, 0, 3, 0, 2], AGES, standard="before_70")["yll"].iloc[0]
    )


def test_survivors_and_given_ax_close_the_table_with_the_given_years_of_the_open_group():
    # l = 100, 90, 45 at 0, 60, 80: L = 20 · 45 + 45 a(60-79) + 60 … ; the last 45 live 7 years more each
    table = life_tables_from_survivors([100, 90, 45], [0, 60, 80], ax=[30, 10, 7])
    assert table.ex[0, 2] == pytest.approx(7)
    assert table.ex[0, 1] == pytest.approx((45 * 20 + 45 * 10 + 45 * 7) / 90)


def test_columns_of_counts_in_capitals_and_one_column_in_by():
    rows = pd.DataFrame(
        {"Province": "01", "Age": AGES, "Deaths": [20, 10, 30, 90, 80], "Pop": [1e3, 1e4, 1e4, 3e3, 500]}
    )
    one = life_expectancy(rows, "Province", at=0)
    other = life_expectancy(
        rows.rename(columns={"Age": "age", "Deaths": "deaths", "Pop": "person_years"}), ["Province"], at=0
    )
    pd.testing.assert_frame_equal(one, other)
