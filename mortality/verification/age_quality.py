"""Quality of ages beside published results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from mortality.measures import age_quality as quality
from mortality.verification.cases import compare, reference_case

TOLERANCE = 1e-6
Index = Callable[[pd.Series], quality.QualityIndex]
# Their Whipple is 1 without preference, the classical one 100.
PER_CENT: dict[str, Index] = {
    "whipple_25_60_0and5": quality.whipple,
    "whipple_25_65_0": lambda p: quality.whipple(p, last_age=65, digits=(0,)),
    "whipple_25_65_5": lambda p: quality.whipple(p, last_age=65, digits=(5,)),
    "whipple_23_62_digit0": lambda p: quality.whipple(p, first_age=23, last_age=62, digits=(0,)),
}
INDICES: dict[str, Index] = {
    "myers_20_89": lambda p: quality.myers(p, first_age=20, last_age=89),
    "myers_23_82": lambda p: quality.myers(p, first_age=23, last_age=82),
    "bachi_23_77": quality.bachi,
    "coale_li_60_99_0": quality.coale_li,
    "noumbissi_20_65_0": lambda p: quality.noumbissi(p, digit=0),
    "noumbissi_20_65_5": lambda p: quality.noumbissi(p, digit=5),
    "spoorenberg_20_64": quality.spoorenberg,
    "kannisto_90": quality.kannisto,
    "jdanov_95_105": quality.jdanov,
}


@reference_case("age_heaping_pop1m_pasex", topic="age_quality")
def heaping_of_the_census_bureau(folder: Path) -> Iterator[pd.DataFrame]:
    """Sample of the US Census Bureau's PAS, computed by DemoTools."""
    yield from _heaping(folder)


@reference_case("age_heaping_pop1m_rus2002", topic="age_quality")
def heaping_of_russia(folder: Path) -> Iterator[pd.DataFrame]:
    """Census of Russia 2002, computed by DemoTools."""
    yield from _heaping(folder)


def _heaping(folder: Path) -> Iterator[pd.DataFrame]:
    counts = pd.read_csv(folder / "input.csv")["pop"]
    for measure, theirs in pd.read_csv(folder / "expected.csv").set_index("measure")["value"].items():
        index = PER_CENT.get(str(measure)) or INDICES[str(measure)]
        scale = 100 if measure in PER_CENT else 1
        yield compare(measure, index(counts).value / scale, theirs, tolerance=TOLERANCE)


@reference_case("myers_philippines_1990", topic="age_quality")
def myers_of_the_philippines(folder: Path) -> Iterator[pd.DataFrame]:
    """Siegel & Swanson 2004, table 7.7: they name the range 10-99 by its first half."""
    counts = pd.read_csv(folder / "input.csv")["pop"]
    expected = pd.read_csv(folder / "expected.csv").set_index("measure")["value"]
    sums = quality.myers_sums(counts, first_age=0, last_age=99)
    digits = [f"blended_digit_{digit}" for digit in range(10)]
    yield compare(digits, sums, expected[digits], tolerance=0)
    index = quality.myers(counts, first_age=0, last_age=99)
    yield compare("myers_0_89", index.value, expected["myers_0_89"], tolerance=TOLERANCE)


@reference_case("un_age_sex_accuracy_pas_agesex", topic="age_quality")
def accuracy_of_ages_and_sexes(folder: Path) -> Iterator[pd.DataFrame]:
    """US Census Bureau, PAS, sheet AGESEX; the last age group is open."""
    groups = pd.read_csv(folder / "input.csv")
    expected = pd.read_csv(folder / "expected.csv").set_index("measure")
    males, females = groups["males"], groups["females"]
    found = {
        "age_ratio_score_males": quality.age_ratio_score(males, open_group=True),
        "age_ratio_score_females": quality.age_ratio_score(females, open_group=True),
        "sex_ratio_score": quality.sex_ratio_score(males, females, open_group=True),
        "age_sex_accuracy_index": quality.age_sex_accuracy_index(
            males, females, open_group=True, small_population=True
        ),
    }
    for measure, index in found.items():
        yield compare(measure, index.value, expected["published"][measure], tolerance=1e-3)
        yield compare(f"{measure} (DemoTools)", index.value, expected["demotools"][measure], tolerance=1e-6)
