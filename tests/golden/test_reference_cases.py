"""Every open reference case of the methods collection: ours equals theirs within the stated tolerance."""

import csv

import pytest
from support import reference_path

from mortality.verification import reference_cases, run_case

OPEN_TOPICS = {"1 rates", "2 lifetable", "3 completeness", "4 quality", "5 trends", "6 spatial", "7 cod"}


@pytest.mark.parametrize("case", sorted(reference_cases()))
def test_our_figures_equal_the_published_ones(case):
    root = reference_path("methods/INDEX.csv").parents[1]
    table = run_case(case, folder=root)
    assert len(table) > 0
    wrong = table[~table["passes"].astype(bool)]
    assert wrong.empty, wrong.to_string()


def test_no_open_case_of_these_topics_is_left_out():
    with reference_path("methods/INDEX.csv").open(encoding="utf-8", newline="") as file:
        wanted = {row["id"] for row in csv.DictReader(file) if row["topic"] in OPEN_TOPICS}
    assert len(wanted) > 15
    assert wanted - set(reference_cases()) == set()
