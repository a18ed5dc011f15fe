"""Age quality indices against values that others computed and published (reference data beside the project)."""

import pandas as pd
import pytest

from mortality.measures import age_quality as quality
from tests.support import reference_path

CASES = {
    "whipple_25_60_0and5": lambda p: quality.whipple(p).value / 100,
    "whipple_25_65_0": lambda p: quality.whipple(p, last_age=65, digits=(0,)).value / 100,
    "whipple_25_65_5": lambda p: quality.whipple(p, last_age=65, digits=(5,)).value / 100,
    "whipple_23_62_digit0": lambda p: quality.whipple(p, first_age=23, last_age=62, digits=(0,)).value / 100,
    "myers_20_89": lambda p: quality.myers(p, first_age=20, last_age=89).value,
    "myers_23_82": lambda p: quality.myers(p, first_age=23, last_age=82).value,
    "bachi_23_77": lambda p: quality.bachi(p).value,
    "coale_li_60_99_0": lambda p: quality.coale_li(p).value,
    "noumbissi_20_65_0": lambda p: quality.noumbissi(p, digit=0).value,
    "noumbissi_20_65_5": lambda p: quality.noumbissi(p, digit=5).value,
    "spoorenberg_20_64": lambda p: quality.spoorenberg(p).value,
    "kannisto_90": lambda p: quality.kannisto(p).value,
    "jdanov_95_105": lambda p: quality.jdanov(p).value,
}


@pytest.mark.parametrize("population", ["pop1m_pasex", "pop1m_rus2002"])
@pytest.mark.parametrize("measure", CASES)
def test_heaping_index_equals_the_published_value(population, measure):
    folder = reference_path("methods", "quality", f"age_heaping_{population}")
    counts = pd.read_csv(folder / "input.csv")["pop"]
    expected = pd.read_csv(folder / "expected.csv").set_index("measure")["value"]
    assert set(expected.index) == set(CASES)
    assert float(CASES[measure](counts)) == pytest.approx(expected[measure], abs=1e-6)


def test_myers_of_the_philippines_1990_equals_siegel_and_swanson():
    folder = reference_path("methods", "quality", "myers_philippines_1990")
    counts = pd.read_csv(folder / "input.csv")["pop"]
    expected = pd.read_csv(folder / "expected.csv").set_index("measure")["value"]
    sums = quality.myers_sums(counts, first_age=0, last_age=99)
    assert sums.tolist() == [expected[f"blended_digit_{digit}"] for digit in range(10)]
    index = quality.myers(counts, first_age=0, last_age=99)  # they name the range 0-89 by its first half
    assert float(index.value) == pytest.approx(expected["myers_0_89"], abs=1e-6)


def test_age_sex_accuracy_equals_the_us_census_bureaus_sheet():
    folder = reference_path("methods", "quality", "un_age_sex_accuracy_pas_agesex")
    groups = pd.read_csv(folder / "input.csv")
    expected = pd.read_csv(folder / "expected.csv").set_index("measure")["published"]
    closed = groups.iloc[:-1]  # the last group is open
    males, females = closed["males"], closed["females"]
    found = {
        "age_ratio_score_males": quality.age_ratio_score(males),
        "age_ratio_score_females": quality.age_ratio_score(females),
        "sex_ratio_score": quality.sex_ratio_score(males, females),
        "age_sex_accuracy_index": quality.age_sex_accuracy_index(males, females),
    }
    assert {name: float(one.value) for name, one in found.items()} == pytest.approx(expected.to_dict(), abs=1e-3)
