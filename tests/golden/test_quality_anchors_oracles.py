"""Anchors' rules against what the anchors themselves answered: DHIS2's SQL on Sierra Leone, FASTR's R code on Kenya."""

import gzip
import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from support import reference_path

from tkyt_analysis.quality.anchors import dhis2
from tkyt_analysis.quality.anchors.fastr import INACTIVE, assess

SERIES = ["dataElement", "orgUnit", "categoryOptionCombo", "attributeOptionCombo"]


@cache
def sierra_leone():
    path = reference_path("quality", "dhis2_sl", "dataValueSets_play42_2025.json.gz")
    values = pd.DataFrame(json.loads(gzip.decompress(path.read_bytes()))["dataValues"])
    row = values.groupby(SERIES, sort=False).ngroup().to_numpy()
    column, months = pd.factorize(values["period"], sort=True)
    counts = np.full((row.max() + 1, len(months)), np.nan)
    counts[row, column] = pd.to_numeric(values["value"])
    return counts, values.drop_duplicates(SERIES)[SERIES].reset_index(drop=True), np.asarray(months, dtype=str)


def rows_of(flags):
    _, keys, months = sierra_leone()
    row, column = np.nonzero(flags)
    return set(map(tuple, keys.iloc[row].assign(period=months[column]).astype(str).to_numpy()))


@pytest.mark.parametrize(
    ("oracle", "rule", "threshold", "rows"),
    [
        ("z3", dhis2.dhis2_z, 3.0, 85),
        ("z2", dhis2.dhis2_z, 2.0, 4_412),
        ("modz3.5", dhis2.dhis2_modified_z, 3.5, 5_745),
    ],
)
def test_the_values_that_dhis2_flags_in_sierra_leone_are_flagged_and_no_other(oracle, rule, threshold, rows):
    path = reference_path("quality", "oracles", "dhis2_sql_sl", f"oracle_dhis2sql_{oracle}.csv.gz")
    theirs = pd.read_csv(path, dtype=str)
    result = rule(sierra_leone()[0], threshold=threshold)
    ours = rows_of(result.flags)
    assert len(ours) == rows
    assert ours == set(map(tuple, theirs[["de", "ou", "coc", "aoc", "pe"]].to_numpy()))
    assert np.abs(result.score[result.flags]).max() == pytest.approx(theirs.iloc[:, -1].astype(float).max())


def test_nine_series_in_ten_of_sierra_leone_are_too_short_for_three_standard_deviations():
    assert dhis2.too_short(sierra_leone()[0], 3.0).mean() == pytest.approx(0.897, abs=0.0005)


# ---- FASTR, module 1, on the Kenya panel (47 counties, 60 months, 8 indicators)


@cache
def kenya():
    read = {
        name: pd.read_csv(reference_path("quality", "oracles", "fastr_m1_kenya", f"{file}.csv.gz"))
        for name, file in (
            ("input", "hmis_KEN"),
            ("outliers", "M1_output_outliers"),
            ("completeness", "M1_output_completeness"),
            ("pairs", "M1_output_consistency_geo"),
            ("score", "M1_output_dqa"),
        )
    }
    given = read["input"]
    units, months = np.sort(given["facility_id"].unique()), np.sort(given["period_id"].unique())

    def matrix(rows, column, unit="facility_id"):
        wide = rows.pivot(index=unit, columns="period_id", values=column)
        return wide.reindex(index=units, columns=months).to_numpy(float)

    indicators = {name: matrix(rows, "count") for name, rows in given.groupby("indicator_common_id")}
    return read, matrix, months // 100, assess(indicators, years=months // 100, districts=units)


def test_every_outlier_flag_of_fastr_is_reproduced():
    read, matrix, _, ours = kenya()
    for name, rows in read["outliers"].groupby("indicator_common_id"):
        np.testing.assert_array_equal(ours.outliers[name].flags, matrix(rows, "outlier_flag") == 1)
    assert {name: int(one.flags.sum()) for name, one in ours.outliers.items()} == {
        "anc1": 10, "anc4": 19, "bcg": 202, "delivery": 5, "measles1": 53, "opd": 10, "penta1": 5, "penta3": 19,
    }  # fmt: skip


def test_fastr_flags_low_values_too_although_its_method_speaks_of_high_ones_only():
    read, matrix, _, ours = kenya()
    flagged = below = 0
    for name, rows in read["input"].groupby("indicator_common_id"):
        flags = ours.outliers[name].flags
        flagged += flags.sum()
        below += (flags & (matrix(rows, "count") < ours.outliers[name].expected)).sum()
    assert (flagged, below) == (323, 176)


def test_every_completeness_flag_of_fastr_is_reproduced():
    read, matrix, _, ours = kenya()
    for name, rows in read["completeness"].groupby("indicator_common_id"):
        counted = np.where(ours.completeness[name] == INACTIVE, np.nan, ours.completeness[name])
        np.testing.assert_array_equal(counted, matrix(rows, "completeness_flag"))


@pytest.mark.parametrize(("pair", "share"), [("pair_delivery", 0.66), ("pair_penta", 0.69), ("pair_anc", 0.99)])
def test_every_pair_of_fastr_is_reproduced(pair, share):
    read, matrix, _, ours = kenya()
    rows = read["pairs"][read["pairs"]["ratio_type"] == pair]
    np.testing.assert_array_equal(ours.pairs[pair], matrix(rows, "sconsistency", unit="admin_area_3"))
    assert np.nanmean(ours.pairs[pair]) == pytest.approx(share, abs=0.005)


def test_every_data_quality_score_of_fastr_is_reproduced():
    read, matrix, years, ours = kenya()
    np.testing.assert_allclose(ours.mean, matrix(read["score"], "dqa_mean"), atol=1e-12)
    np.testing.assert_array_equal(ours.binary, matrix(read["score"], "dqa_score"))
    mean = [ours.mean[:, years == year].mean() for year in np.unique(years)]
    binary = [ours.binary[:, years == year].mean() for year in np.unique(years)]
    assert (min(mean), max(mean)) == pytest.approx((0.905, 0.932), abs=0.0005)
    assert (min(binary), max(binary)) == pytest.approx((0.62, 0.73), abs=0.005)
