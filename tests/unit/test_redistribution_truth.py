"""On practice deaths with a known true cause, redistribution brings the fractions of causes nearer and its limits hold them."""

import sys

import pytest
from support import REPOSITORY


@pytest.fixture(scope="module")
def figures():
    sys.path.insert(0, str(REPOSITORY / "benchmarks"))
    try:
        from bench_redistribution import deaths_with_truth, measure
    finally:
        sys.path.pop(0)
    return measure(deaths_with_truth(2023, 5, ["04", "06", "11", "12"]), draws=60)


def test_fractions_after_are_nearer_to_the_truth(figures):
    assert figures["accuracy_after"] > figures["accuracy_before"] + 0.1


def test_the_limits_hold_nine_true_counts_in_ten(figures):
    assert figures["coverage"] > 0.9
