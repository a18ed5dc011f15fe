"""Monthly activity as DHIS2 gives it: the truth table says exactly what was made wrong, and nothing else is."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.practice import NOTE, Scale, create_world
from tkyt_analysis.practice.activity import province_basis, year_blocks
from tkyt_analysis.practice.dhis2 import SOURCE
from tkyt_analysis.practice.elements import practice_form
from tkyt_analysis.practice.planting import RELATIONS, relation_pairs, spoil

PROVINCE = Scale("province", "202401", "202512", provinces=("51",))
NATIONAL = Scale("national", "202501", "202512", provinces=("51", "62"))
KEY = ["unit_id", "period_id", "element"]
CELL_KINDS = ["A6", "B1", "B2", "B3", "B5", "B6", "B7", "B9", "B10", "B11", "C1", "C2", "C3", "C4", "C5", "E6"]


def make(scale: Scale, directory):
    world = create_world(scale, directory)
    SOURCE.make(world, lambda step, share: None)
    return world


@pytest.fixture(scope="module")
def province(tmp_path_factory):
    return make(PROVINCE, tmp_path_factory.mktemp("province"))


@pytest.fixture(scope="module")
def national(tmp_path_factory):
    return make(NATIONAL, tmp_path_factory.mktemp("national"))


def truth_of(world) -> pd.DataFrame:
    return pd.read_parquet(world.directory / "truth" / "truth")


def true_values(world) -> pd.DataFrame:
    return pd.read_parquet(world.directory / "truth" / "values")


def names(world) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """(org unit uid → unit_id, (element uid, option uid) → code of the cell), from the metadata and the form."""
    metadata = json.loads((world.directory / "received/dhis2/metadata.json").read_text("utf-8"))
    units = {}
    for unit in metadata["organisationUnits"]:
        if "code" in unit:  # the double-listed ones have none
            system = "VN2024" if unit.get("closedDate") else "VN2025"
            units[unit["id"]] = f"{system}:{unit['code']}"
    cells = practice_form(world.scale.id).cells
    return units, {(e, o): code for e, o, code in zip(cells["element_uid"], cells["option_uid"], cells["code"])}


def shown_values(world) -> pd.DataFrame:
    """Every value in the JSON files: KEY, value, file, place_in_file."""
    units, cells = names(world)
    parts = []
    for path in sorted((world.directory / "received/dhis2").glob("dataValueSets_2*.json")):
        values = pd.DataFrame(json.loads(path.read_text("utf-8"))["dataValues"])
        parts.append(
            pd.DataFrame(
                {
                    "unit_id": values["orgUnit"].map(units),
                    "period_id": values["period"],
                    "element": [cells[pair] for pair in zip(values["dataElement"], values["categoryOptionCombo"])],
                    "value": values["value"],
                    "file": f"dhis2/{path.name}",
                    "place_in_file": "dataValues[" + values.index.astype(str) + "]",
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def test_every_truth_row_with_a_place_quotes_what_stands_there(province):
    truth = truth_of(province)
    placed = truth[truth["place_in_file"].str.startswith("dataValues")]
    assert set(CELL_KINDS) <= set(placed["kind"]) | {"A6"}
    found = placed.merge(shown_values(province), on=["file", "place_in_file"], suffixes=("", "_there"))
    assert len(found) == len(placed) > 1000
    assert (found["value"] == found["shown_value"]).all()
    for column in KEY:
        assert (found[column] == found[f"{column}_there"]).all()


def test_every_truth_row_quotes_the_undamaged_value(province):
    truth = truth_of(province)
    cells = truth[truth["kind"].isin(CELL_KINDS) & truth["element"].isin(practice_form("province").cells["code"])]
    both = cells.merge(true_values(province), on=KEY, suffixes=("", "_undamaged"), validate="many_to_one")
    assert len(both) == len(cells)
    assert (both["true_value"] == both["true_value_undamaged"].astype(str)).all()
    assert (both["true_value"] != both["shown_value"]).all()


def test_nothing_is_spoilt_without_a_truth_row(province):
    truth, shown = truth_of(province), shown_values(province)
    habits = truth[truth["kind"].isin(["B8", "B12"])]
    zeros = truth[(truth["kind"] == "A6") & truth["element"].isin(practice_form("province").data_sets)]
    cells = practice_form("province").cells.set_index("code")["data_set"]
    both = shown.merge(true_values(province), on=KEY, validate="many_to_one")
    assert len(both) == len(shown)
    wrong = both[both["value"] != both["true_value"].astype(str)]
    explained = wrong.merge(
        truth[[*KEY, "shown_value"]], left_on=[*KEY, "value"], right_on=[*KEY, "shown_value"], how="left"
    )
    left = explained[explained["shown_value"].isna()]
    left = left[~left["unit_id"].isin(habits["unit_id"])]
    form = left["unit_id"] + left["period_id"] + left["element"].map(cells)
    left = left[~form.isin(zeros["unit_id"] + zeros["period_id"] + zeros["element"])]
    assert left.empty


def test_missing_values_are_missing_reports_or_blank_zeros(province):
    truth, cells = truth_of(province), practice_form("province").cells.set_index("code")["data_set"]
    both = true_values(province).merge(shown_values(province), on=KEY, how="left")
    missing = both[both["value"].isna()]
    blank = truth[(truth["kind"] == "A6") & (truth["shown_value"] == "")]
    forms = truth[truth["kind"].isin(["A1", "A2", "A3", "A5", "B6"]) & (truth["shown_value"] == "")]
    known = set(blank["unit_id"] + blank["period_id"] + blank["element"])
    known_forms = set(forms["unit_id"] + forms["period_id"] + forms["element"])
    cell = missing["unit_id"] + missing["period_id"] + missing["element"]
    form = missing["unit_id"] + missing["period_id"] + missing["element"].map(cells)
    assert (cell.isin(known) | form.isin(known_forms)).all()
    assert set(form[~cell.isin(known)]) == known_forms
    assert (missing.loc[cell.isin(known), "true_value"] == 0).all()


def test_no_old_unit_reports_after_june_2025_and_no_new_one_before_july(province):
    shown = shown_values(province)
    old = shown["unit_id"].str.startswith("VN2024:")
    assert shown.loc[old, "period_id"].max() == "202506"
    assert shown.loc[~old, "period_id"].min() == "202507"


def test_undamaged_values_obey_the_arithmetic_of_the_form(province):
    form = practice_form("province")
    wide = true_values(province).pivot_table(index=["unit_id", "period_id"], columns="element", values="true_value")
    for pairs in relation_pairs(form).values():
        for part, total in pairs:
            if part == "TC_PENTA_3":  # other children than those of dose 1: above it in a small commune is chance
                continue
            columns = list(form.cells.loc[form.cells["element_id"] == part, "code"])
            totals = list(form.cells.loc[form.cells["element_id"] == total, "code"])
            assert (wide[columns].to_numpy() <= wide[totals].to_numpy()).all(), (part, total)
    assert (wide["KCB_KHAM_BHYT"] + wide["KCB_KHAM_VP"] == wide["KCB_LUOT_KHAM"]).all()


def test_dose_3_above_dose_1_is_mostly_chance_in_small_communes(province):
    wide = true_values(province).pivot_table(index=["unit_id", "period_id"], columns="element", values="true_value")
    above = (wide["TC_PENTA_3"] > wide["TC_PENTA_1"]).mean()
    assert 0.2 < above < 0.5  # Kenya's county-months: 0.305 (domain page on data quality, §7)
    assert abs(wide["TC_PENTA_3"].sum() / wide["TC_PENTA_1"].sum() - 0.965) < 0.01


@pytest.mark.parametrize("kind", sorted(RELATIONS))
def test_broken_relations_are_really_broken(province, kind):
    truth = truth_of(province)
    shown = shown_values(province).drop_duplicates(KEY).set_index(KEY)["value"]
    rows = truth[truth["kind"] == kind]
    assert len(rows)
    for row in rows.itertuples():
        part, total = next(pair for pair in RELATIONS[kind] if row.element in pair)
        values = [float(shown[row.unit_id, row.period_id, element]) for element in (part, total)]
        assert values[0] > values[1]


def test_cumulative_forms_hold_the_sum_since_january(province):
    true = true_values(province)
    year = true["period_id"].str[:4]
    true["cumulative"] = true.groupby([true["unit_id"], true["element"], year])["true_value"].cumsum()
    rows = truth_of(province).query("kind == 'B5'").merge(true, on=KEY, suffixes=("", "_u"))
    assert len(rows) > 100
    assert (rows["shown_value"] == rows["cumulative"].astype(str)).all()


# Planned rates as the domain page on data quality prints them (§7), light profile.
PLAN = {
    "A1": 0.04,
    "A4": 0.15,
    "A5_empty": 0.01,
    "A5_unmarked": 0.02,
    "A6_blank": 0.08,
    "B1": 0.0015,
    "B2": 0.0010,
    "B9": 0.002,
}


def test_rates_are_near_the_plan():
    """One year of all 170 communes: planted share of eligible items within five standard errors of the plan."""
    world = create_world(Scale("province", "202201", "202212", provinces=("51",)), "unused")
    form = practice_form("national")
    block = year_blocks(world, province_basis(world, "VN2024:51", form), form, 2022)[0]
    work = spoil(block, np.random.default_rng(5), profile="light", minimum=0)
    forms = work.taken.size
    planted = {kind: len(flat) for kind, flat in work.forms.items()}
    eligible = {"A1": forms, "A5_empty": forms, "A5_unmarked": forms, "A4": int(work.marked.sum())}
    for kind, count in eligible.items():
        expected = PLAN[kind] * count
        # forms taken by rarer defects before are not eligible: allow a tenth
        assert planted[kind] == pytest.approx(expected, rel=0.1, abs=5 * expected**0.5)
    large = int((block.true >= 10).sum())
    for kind in ("B1", "B2", "B9"):
        expected = PLAN[kind] * large
        assert 0.6 * expected < len(work.cells[kind]) < 1.2 * expected
    zeros = int((block.true == 0).sum())
    assert len(work.cells["A6_blank"]) == pytest.approx(PLAN["A6_blank"] * zeros, rel=0.2)
    heavy = spoil(block, np.random.default_rng(5), profile="heavy", minimum=0)
    assert len(heavy.forms["A1"]) > 2 * planted["A1"]


def test_late_reports_are_completed_after_the_due_date(province):
    late = truth_of(province).query("kind == 'A4'")
    delay = pd.to_datetime(late["shown_value"]) - pd.to_datetime(late["true_value"])
    assert delay.dt.days.between(1, 65).all()
    row = late.iloc[0]
    marks = json.loads((province.directory / "received" / row["file"]).read_text("utf-8"))[
        "completeDataSetRegistrations"
    ]
    mark = marks[int(row["place_in_file"].partition("[")[2][:-1])]
    units, _ = names(province)
    assert (units[mark["organisationUnit"]], mark["period"]) == (row["unit_id"], row["period_id"])
    assert mark["date"].startswith(row["shown_value"])


def test_the_national_files_hold_the_same_as_the_truth_table_says(national):
    units, cells = names(national)
    truth = truth_of(national)
    placed = truth[truth["place_in_file"].str.startswith("row[")]
    assert len(placed) > 1000
    for file, rows in placed.groupby("file"):
        values = pd.read_parquet(national.directory / "received" / file).iloc[
            [int(p[4:-1]) for p in rows["place_in_file"]]
        ]
        assert list(values["value"]) == list(rows["shown_value"])
        assert [units[u] for u in values["orgUnit"]] == list(rows["unit_id"])
        pairs = zip(values["dataElement"], values["categoryOptionCombo"])
        assert [cells[pair] for pair in pairs] == list(rows["element"])


def test_two_old_provinces_lie_in_one_new_one_after_the_merger(national):
    root = national.directory / "received/dhis2/dataValueSets/year=2025"
    assert sorted(path.name for path in root.iterdir()) == [
        "province=VN2024-51",
        "province=VN2024-62",
        "province=VN2025-51",
    ]
    months = duckdb.sql(f"select min(period), max(period) from '{root}/province=VN2025-51/*.parquet'").fetchone()
    assert months == ("202507", "202512")


def test_the_csv_of_the_last_month_equals_the_parquet(national):
    root = national.directory / "received"
    csv = pd.read_csv(root / "dhis2_csv" / "dataValueSets_202512.csv", dtype=str, keep_default_na=False)
    query = f"select count(*) from '{root}/dhis2/dataValueSets/**/*.parquet' where period = '202512'"
    assert len(csv) == duckdb.sql(query).fetchone()[0]
    assert set(csv["comment"]) == {NOTE}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(national, tmp_path):
    again = make(NATIONAL, tmp_path / "again")
    files = sorted(p.relative_to(national.directory) for p in national.directory.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(again.directory) for p in again.directory.rglob("*") if p.is_file())
    assert all((national.directory / f).read_bytes() == (again.directory / f).read_bytes() for f in files)
    other = create_world(NATIONAL, tmp_path / "other", seed=1)
    SOURCE.make(other, lambda step, share: None)
    values = "received/dhis2/dataValueSets/year=2025/province=VN2024-62/from-62.parquet"
    assert (other.directory / values).read_bytes() != (national.directory / values).read_bytes()


def test_a_province_is_the_same_alone_as_among_others(national, tmp_path):
    alone = make(Scale("national", "202501", "202512", provinces=("62",)), tmp_path)
    values = "received/dhis2/dataValueSets/year=2025/province=VN2024-62/from-62.parquet"
    assert (alone.directory / values).read_bytes() == (national.directory / values).read_bytes()


def test_the_metadata_has_districts_before_the_merger_only(province):
    metadata = json.loads((province.directory / "received/dhis2/metadata.json").read_text("utf-8"))
    units = {unit["id"]: unit for unit in metadata["organisationUnits"]}
    old = [u for u in units.values() if u.get("closedDate", "").startswith("2025-06-30")]
    new = [u for u in units.values() if u["openingDate"].startswith("2025-07-01")]
    assert {u["level"] for u in old} == {2, 3, 4}
    assert {u["level"] for u in new} == {2, 3}
    for unit in units.values():
        assert unit["path"].count("/") == unit["level"]
        assert "parent" not in unit or unit["parent"]["id"] in units
    assert len([u for u in old if u["level"] == 4 and "code" in u]) == 170
    assigned = {u["id"] for s in metadata["dataSets"] for u in s["organisationUnits"]}
    assert assigned <= set(units)


def test_every_file_says_that_it_is_synthetic(province, national):
    for path in sorted((province.directory / "received/dhis2").rglob("*.json")):
        assert NOTE in path.read_text("utf-8")[:200]
    import pyarrow.parquet as pq

    for world in (province, national):
        for path in world.directory.rglob("*.parquet"):
            assert pq.read_metadata(path).metadata[b"note"].decode() == NOTE
