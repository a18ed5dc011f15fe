"""InterVA-5 and the measures of agreement against the published programs' answers.

Reference: RandomVA5, 200 synthetic interviews of the R package InterVA5 1.1.3 (HIV high, malaria low), and openVA 1.2.0
for the measures. The probability base that can be had at run time is v18 (2020); the reference ran on v19 (2021).
"""

import numpy as np
import pandas as pd
import pytest
from support import probability_base_path, reference_path

from mortality.verbal_autopsy.agreement import (
    agreement,
    chance_corrected_concordance,
    chance_corrected_csmf_accuracy,
    csmf_accuracy,
)
from mortality.verbal_autopsy.causes import cause_titles
from mortality.verbal_autopsy.consistency import answers_array, consistent_answers
from mortality.verbal_autopsy.csmf import fractions_with_limits
from mortality.verbal_autopsy.exchange import read_results
from mortality.verbal_autopsy.files import read_interviews
from mortality.verbal_autopsy.interva import UNDETERMINED, cause_fractions, interva
from mortality.verbal_autopsy.probability_base import MISSING, read_probability_base
from tkyt_analysis.errors import InputError

CASE = "methods/va/interva5_randomva5_hiv_h_malaria_l"
BETWEEN_VERSIONS = 5e-5  # of a cause fraction; measured 2.6e-5


@pytest.fixture(scope="module")
def base():
    return read_probability_base(probability_base_path())


@pytest.fixture(scope="module")
def run(base):
    interviews = pd.read_csv(reference_path(CASE) / "input.csv", dtype=str, keep_default_na=False)
    expected = pd.read_csv(reference_path(CASE) / "expected.csv", dtype=str, keep_default_na=False)
    return interva(interviews, base, hiv="h", malaria="l"), expected.apply(lambda column: column.str.strip())


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_each_interview_gets_the_causes_of_the_published_program_with_their_likelihoods(run, rank):
    result, expected = run
    assert len(expected) == 200
    assert result.summary[f"cause_{rank}"].tolist() == expected[f"CAUSE{rank}"].tolist()
    percent = pd.to_numeric(expected[f"LIK{rank}"])
    np.testing.assert_allclose((100 * result.summary[f"likelihood_{rank}"]).round(), percent)


def test_pregnancy_is_told_of_women_only_and_as_published(run):
    result, expected = run
    assert result.summary["pregnancy"].tolist() == expected["PREGSTAT"].tolist()


def test_cause_fractions_are_the_published_ones(run):
    result, _ = run
    published = pd.read_csv(reference_path(CASE) / "expected_csmf.csv").set_index("cause")["csmf"]
    ours = cause_fractions(result.summary, list(result.causes.columns))
    assert set(published.index) == set(ours.index)
    assert (ours - published.reindex(ours.index)).abs().max() < BETWEEN_VERSIONS
    assert ours.sum() == pytest.approx(1)


def test_likelihoods_of_an_interview_sum_to_one_and_nobody_is_lost(run):
    result, _ = run
    told = result.summary[["likelihood_1", "likelihood_2", "likelihood_3"]].fillna(0).sum(axis=1)
    np.testing.assert_allclose(told + result.summary["undetermined"], 1)


def test_an_interview_without_answers_stays_undetermined(base):
    silent = pd.DataFrame({"ID": ["x"], **dict.fromkeys(base.indicators, ".")})
    summary = interva(silent, base, hiv="l", malaria="l").summary
    assert summary.loc[0, "cause_1"] == ""
    assert cause_fractions(summary)[UNDETERMINED] == 1


def test_a_newborn_is_not_asked_for_the_troubles_of_a_grown_woman(base):
    answers = np.full((1, len(base.indicators)), MISSING, dtype=np.int8)
    answers[0, base.position("i022g")] = answers[0, base.position("i305o")] = 1  # a newborn who was pregnant
    consistent, changes = consistent_answers(answers, base)
    assert consistent[0, base.position("i305o")] == MISSING
    assert ("i305o", "removed", "i022g") in set(
        changes[["indicator", "change", "because"]].itertuples(index=False, name=None)
    )


def test_a_dont_know_code_is_refused_as_an_answer(base):
    with pytest.raises(InputError, match="88"):
        answers_array(pd.DataFrame({"i147o": ["y", "88"]}), base)


def test_measures_of_agreement_are_the_published_ones():
    folder = reference_path("methods/cod/csmf_accuracy_ccc")
    both = pd.read_csv(folder / "csmf.csv").set_index("cause")
    published = pd.read_csv(folder / "expected.csv").set_index("measure")["value"]
    assert csmf_accuracy(both["true"], both["predicted"]) == pytest.approx(published["csmf_accuracy"], abs=1e-12)
    chance = chance_corrected_csmf_accuracy(both["true"], both["predicted"])
    assert chance == pytest.approx(published["cccsmf_accuracy"], abs=1e-12)
    pairs = pd.read_csv(folder / "pairs.csv")
    overall = pd.read_csv(folder / "expected_ccc.csv", dtype={"C": str}).set_index("C")["overall_ccc"]
    assert chance_corrected_concordance(pairs).mean() == pytest.approx(overall["auto"], abs=1e-12)
    assert chance_corrected_concordance(pairs, causes=60).mean() == pytest.approx(overall["60"], abs=1e-12)


def test_three_causes_by_hand():
    # true .2 .3 .5, found .3 .3 .4: errors sum to .2; 1 - .2 / (2 x .8) = .875
    true, found = pd.Series({"a": 0.2, "b": 0.3, "c": 0.5}), pd.Series({"a": 0.3, "b": 0.3, "c": 0.4})
    assert csmf_accuracy(true, found) == pytest.approx(0.875)


def test_limits_hold_the_value_and_narrow_with_more_deaths():
    few = pd.DataFrame({"true": list("aaabbbcc") * 5, "predicted": list("aabbbbca") * 5})
    many = pd.concat([few] * 9)
    small, large = agreement(few, replicates=200), agreement(many, replicates=200)
    assert ((small["lower"] <= small["value"]) & (small["value"] <= small["upper"])).all()
    assert ((large["upper"] - large["lower"]) < (small["upper"] - small["lower"])).all()


def test_the_file_of_interviews_is_read_as_the_published_program_reads_it(base):
    path = reference_path(CASE) / "input.csv"
    interviews = pd.read_csv(path, dtype=str, keep_default_na=False)
    found, _ = read_interviews(path)
    np.testing.assert_array_equal(found.answers, answers_array(interviews, base))
    assert found.ids.tolist() == interviews["ID"].tolist()


def test_results_of_the_r_program_give_its_fractions_but_for_the_rounding_of_percentages(run):
    summary = read_results(reference_path(CASE) / "expected.csv")
    ours = fractions_with_limits(summary, cause_titles(), replicates=2).set_index("cause")["fraction"]
    published = pd.read_csv(reference_path(CASE) / "expected_csmf.csv").set_index("cause")["csmf"]
    assert (ours - published.reindex(ours.index)).abs().max() < 0.005  # percentages are written without decimals
    result, _ = run
    exact = fractions_with_limits(result.summary, cause_titles(), replicates=2).set_index("cause")["fraction"]
    assert (exact - published.reindex(exact.index)).abs().max() < BETWEEN_VERSIONS
