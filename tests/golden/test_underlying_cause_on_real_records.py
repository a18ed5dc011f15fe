"""The underlying cause of 5,050 real certificates (SIM, Rio Grande do Sul 2019) against the one that the country recorded."""

from __future__ import annotations

import hashlib
from functools import cache

import pandas as pd
import pytest

from mortality.icd import normalise_code
from mortality.underlying_cause import PROFILES, select_underlying_causes
from tests.support import reference_path

LINES = ["line_a", "line_b", "line_c", "line_d"]


@cache
def certificates() -> pd.DataFrame:
    records = pd.read_csv(reference_path("icd", "ucod_open.csv"), dtype=str, keep_default_na=False)
    return records.assign(truth=records["ucod"].map(normalise_code))


@cache
def found(profile: str, *, table: bool) -> pd.Series:
    file = reference_path("icd", "lists", "acme_table_d_2015.csv") if table else None
    result = select_underlying_causes(certificates(), profile=PROFILES[profile], decision_table=file, workers=1)
    return result["underlying_cause"]


def agreement(codes: pd.Series, rows: pd.Series | None = None) -> tuple[float, float]:
    """Percent that agree at four and at three characters."""
    truth = certificates()["truth"]
    rows = truth.notna() if rows is None else rows
    same, close = codes == truth, codes.str[:3] == truth.str[:3]
    return 100 * same[rows].mean(), 100 * close[rows].mean()


def half() -> pd.Series:
    return certificates()["id"].map(lambda name: hashlib.sha256(name.encode()).digest()[0] % 2 == 0)


def test_the_naive_rule_agrees_in_three_of_four():
    """Lowest used line, first code; nothing in Part 1: first code of Part 2. Published for these records: 74.9 and 76.7."""
    used = certificates()[["part2", *LINES]].replace("", None).ffill(axis=1)["line_d"]
    four, three = agreement(used.str.split().str[0].map(normalise_code))
    assert four == pytest.approx(74.9, abs=0.1)
    assert three == pytest.approx(76.7, abs=0.1)


@pytest.mark.parametrize(
    ("profile", "table", "four", "three"),
    [
        ("WHO-2016-series", True, 94.5, 95.8),
        ("WHO-2016-series", False, 92.5, 93.5),
        ("NCHS-2010", True, 94.5, 95.8),
        ("NCHS-2010", False, 92.5, 93.5),
        ("WHO-2010", True, 94.5, 95.8),
        ("WHO-2010", False, 92.5, 93.5),
    ],
)
def test_profiles_of_the_time_agree_with_the_country_in_both_halves(profile, table, four, three):
    for rows in (half(), ~half()):
        at_four, at_three = agreement(found(profile, table=table), rows)
        assert at_four >= four
        assert at_three >= three


def test_the_rules_of_2016_differ_from_the_country_at_the_fourth_character_of_diabetes():
    """The country coded by earlier rules: E14.9 where WHO has E14.6 since 2016."""
    codes, truth = found("WHO-2016", table=True), certificates()["truth"]
    four, three = agreement(codes)
    assert three >= 95.8
    differ = (codes != truth) & (codes.str[:3] == truth.str[:3])
    diabetes = codes[differ].str.match("E1[0-4]").sum()
    assert diabetes > 100
    assert four + 100 * diabetes / len(codes) >= 94.5


def test_no_certificate_with_a_code_is_left_without_a_cause():
    assert (found("NCHS-2010", table=False) != "").all()


@pytest.mark.parametrize("switch", ["linkage", "obvious_cause", "ill_defined", "if_known"])
def test_each_of_the_great_rules_is_worth_something_on_real_records(switch):
    full, _ = agreement(found("NCHS-2010", table=False))
    result = select_underlying_causes(certificates(), profile=PROFILES["NCHS-2010"].without(switch), workers=1)
    assert agreement(result["underlying_cause"])[0] < full - 0.3
