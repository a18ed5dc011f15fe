"""Lists of deaths beside each other: who is missing where, form against book, units in a funnel."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mortality.quality import form_counts, list_checks, missing_deaths, unit_checks
from mortality.quality.age_heaping import heaping_table, whipple_limits
from mortality.quality.funnel import flagged_at, funnel
from mortality.quality.reconcile import reconciled
from tests.support import rule_like
from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.context import context_of_tables

COMMUNE, OTHER, PROVINCE = "VN2025:21115", "VN2025:21154", "VN2025:51"
EMPTY_SENT_HOME = pd.DataFrame(
    {
        "event_id": pd.Series(dtype="str"), "discharge_date": pd.Series(dtype="datetime64[s]"), "residence_unit_id": pd.Series(dtype="str"),
        "unit_id": pd.Series(dtype="str"), "sex": pd.Series(dtype="str"), "birth_year": pd.Series(dtype="int64"),
        "discharge_state": pd.Series(dtype="str"), "file_sha256": pd.Series(dtype="str"),
    }
)  # fmt: skip


def record(name, source, day="2025-08-10", *, who="Nguyễn Văn An", sex="male", born=1950, home=COMMUNE, id_number=None):
    return {
        "death_id": name, "source": source, "death_date": pd.Timestamp(day), "full_name": who, "sex": sex, "birth_year": born,
        "unit_id": home, "residence_unit_id": "", "id_number": id_number or "", "file_sha256": "f", "person_key": name,
    }  # fmt: skip


# ------------------------------------------------------------------------------------------ reconciliation


def lists_of(histories):
    """Deaths with these capture histories (bit 1 the book, 2 civil registration, 4 hospital), and their matches."""
    sources = {1: "a6", 2: "civil_registration", 4: "death_notice"}
    deaths, matches, number = [], [], 0
    for history, count in enumerate(histories):
        for _ in range(count):
            number += 1
            for bit, source in sources.items():
                if history & bit:
                    name = f"{number:05}{source}"
                    deaths.append(record(name, source, home="VN2024:21115"))
                    matches.append({"record_id": name, "person_id": f"p{number:05}", "source": source})
    return pd.DataFrame(deaths), pd.DataFrame(matches)


def reconcile(histories):
    deaths, matches = lists_of(histories)
    con = context_of_tables({}).con
    for name, rows in (("death", deaths), ("match", matches), ("sent", EMPTY_SENT_HOME)):
        con.register("incoming", rows)
        con.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')
    rows = reconciled(con, death="death", sent_home="sent", match='"match"', latest="DATE '2026-01-01'")
    return rows.set_index(["kind", "period_id"])


def test_lists_stand_side_by_side_for_old_and_new_communes_provinces_months_and_years():
    from mortality.measures.completeness import capture_recapture

    histories = [0, 40, 8, 20, 6, 9, 3, 7]
    rows = reconcile(histories)
    assert set(rows.index) == {
        (kind, period) for kind in ("commune", "commune_2024", "province") for period in ("202508", "2025")
    }
    year = rows.loc[("commune", "2025")]
    assert (year["a6"], year["civil_registration"], year["hospital"]) == (
        40 + 20 + 9 + 7,
        8 + 20 + 3 + 7,
        6 + 9 + 3 + 7,
    )
    assert (year["persons"], year["a6_and_civil"], year["all_three"]) == (sum(histories), 20 + 7, 7)
    expected = capture_recapture(histories, choice="average")
    assert year["estimate"] == pytest.approx(float(expected.estimate), abs=0.05)
    assert year["model"] == str(expected.model)
    first, second, both = 76, 38, 27
    assert year["two_list_estimate"] == pytest.approx((first + 1) * (second + 1) / (both + 1) - 1, abs=0.05)
    assert rows.loc[("commune_2024", "2025"), "unit_id"] == "VN2024:21115"
    assert rows.loc[("commune", "2025"), "unit_id"] == COMMUNE


def test_a_month_is_never_estimated_and_small_overlaps_are_not_assessable():
    rows = reconcile([0, 40, 8, 20, 6, 9, 3, 7])
    assert rows.loc[("commune", "202508"), "status"] == "not_assessable"
    few = reconcile([0, 20, 3, 2, 1, 0, 0, 1]).loc[("commune", "2025")]
    assert (few["status"], few["reason"]) == ("not_assessable", "too_few_in_common")
    assert np.isnan(few["estimate"])


def checked(**tables):
    return context_of_tables(tables)


def test_a_death_of_the_civil_register_that_the_book_lacks_is_asked_for_once():
    deaths = pd.DataFrame(
        [record("a", "a6"), record("b", "civil_registration"), record("c", "civil_registration", "2025-03-01"), record("d", "death_notice", "2025-03-01"),
         record("e", "civil_registration", home=OTHER)]
    )  # fmt: skip
    matches = pd.DataFrame({"record_id": ["a", "b", "c", "d"], "person_id": ["a", "a", "c", "c"], "source": ["a6", "civil_registration", "civil_registration", "death_notice"]})  # fmt: skip
    result = list_checks.check_not_in_book(checked(death=deaths, death_match=matches), rule_like(id="r"))
    (finding,) = result.findings.to_dict("records")  # e: the other commune sent no book, so nothing is missing from it
    assert (json.loads(finding["fields"])["death_id"], finding["period_id"]) == ("c", "202503")
    assert json.loads(finding["fields"])["sources"] == "civil_registration death_notice"


def form_value(row, value, period="2025C9"):
    return {"dataset_id": "form16bch", "unit_id": COMMUNE, "period_id": period, "element_id": f"16BCH/{row}", "category_id": "total", "value": value}  # fmt: skip


def form_findings(values, codes):
    deaths = pd.DataFrame([record(f"d{n}", "a6") | {"icd10_as_written": code} for n, code in enumerate(codes)])
    coded = pd.DataFrame({"death_id": deaths["death_id"], "code": codes, "rule": "as_written", "decision": "auto"})
    coded.loc[coded["code"] == "", "rule"] = "dictionary:no_match"
    files = pd.DataFrame({"file_sha256": ["f"], "received_at": ["2026-01-15 08:00:00"]})
    given = checked(death=deaths, death_code=coded, received_file=files, aggregate_value=pd.DataFrame(values))
    result = form_counts.check_form_counts(given, rule_like(id="r"))
    return {row["element_id"]: (row["value"], row["lower"], row["upper"]) for row in result.findings.to_dict("records")}


def test_a_form_that_agrees_with_its_book_is_not_asked_about():
    values = [form_value("total", 3), form_value("5", 2), form_value("1", 1), form_value("4", 0)]
    assert form_findings(values, ["C34", "C22", "A15"]) == {}


def test_a_form_that_differs_from_its_book_is_asked_about_with_both_figures():
    values = [form_value("total", 4), form_value("5", 2), form_value("1", 2)]
    assert form_findings(values, ["C34", "C22", "A15"]) == {"16BCH/total": (4, 3, 3), "16BCH/1": (2, 1, 1)}


def test_a_line_without_a_cause_may_be_in_any_row():
    values = [form_value("total", 3), form_value("5", 3)]
    assert form_findings(values, ["C34", "C22", ""]) == {}


def test_a_period_beside_the_deaths_counts_none_of_them():
    assert form_findings([form_value("total", 3, "2025C6")], ["C34", "C22", "A15"]) == {"16BCH/total": (3, 0, 0)}


# ------------------------------------------------------------------------------------------------- units


def test_a_small_commune_is_not_shamed_by_chance():
    events, records = [2, 30, 30, 60, 30], [4, 300, 300, 300, 300]
    result = funnel(events, records)
    assert result.flagged.tolist() == [False, False, False, True, False]
    assert result.assessable.tolist() == [False, True, True, True, True]
    assert result.expected[3] == pytest.approx((2 + 30 + 30 + 30) / (4 + 3 * 300))


def test_communes_that_all_differ_widen_the_funnel():
    rng = np.random.default_rng(1)
    share = rng.beta(4, 12, 60)  # true differences, far beyond chance
    result = funnel(rng.binomial(200, share), np.full(60, 200))
    assert result.spread > 2
    assert result.flagged.mean() < 0.1


@given(seed=st.integers(0, 10_000))
def test_of_communes_that_differ_by_chance_alone_hardly_any_is_flagged(seed):
    rng = np.random.default_rng(seed)
    result = funnel(rng.binomial(100, 0.2, 50), np.full(50, 100))
    assert result.flagged.sum() <= 3


def test_benjamini_hochberg_takes_the_smallest_p_values_in_step():
    assert flagged_at([0.01, 0.02, 0.9, np.nan, 0.03], 0.05).tolist() == [True, True, False, False, True]
    assert flagged_at([0.2, 0.9], 0.05).tolist() == [False, False]


def test_a_commune_with_many_more_ill_defined_causes_is_found():
    rows = []
    for commune, bad in ((COMMUNE, 30), (OTHER, 4), ("VN2025:21124", 5)):
        rows += [record(f"{commune}{n}", "a6", home=commune) | {"code": "R99" if n < bad else "I64"} for n in range(40)]
    deaths = pd.DataFrame(rows)
    coded = deaths[["death_id", "code"]].assign(rule="as_written", decision="auto")
    rule = rule_like(id="r", parameters={"share": "ill_defined"})
    result = unit_checks.check_share(checked(death=deaths, death_code=coded), rule)
    (finding,) = result.findings.to_dict("records")
    assert (finding["unit_id"], finding["value"], finding["expected"]) == (COMMUNE, 75.0, round(100 * 9 / 80, 1))
    assert (result.judged, result.total) == (3, 3)


def test_an_unknown_share_is_refused_in_words():
    with pytest.raises(InputError, match="of_my_own"):
        unit_checks.check_share(
            checked(death=pd.DataFrame([record("a", "a6")])), rule_like(id="r", parameters={"share": "of_my_own"})
        )


def test_many_records_of_one_day_are_a_batch():
    deaths = pd.DataFrame([record(f"d{n}", "civil_registration") for n in range(40)])
    days = ["2025-12-30"] * 20 + [str(day.date()) for day in pd.bdate_range("2025-01-06", periods=20, freq="12D")]
    documents = pd.DataFrame({"death_id": deaths["death_id"], "document_date": pd.to_datetime(days)})
    result = unit_checks.check_same_day(checked(death=deaths, death_document=documents), rule_like(id="r"))
    (finding,) = result.findings.to_dict("records")
    assert (finding["value"], finding["explanation"]) == (20, "entered_in_batch")


def population(persons):
    rows = [(COMMUNE, 2025, sex, "0", persons) for sex in ("male", "female")]
    return pd.DataFrame(rows, columns=["unit_id", "year", "sex", "age_group", "persons"])


@pytest.mark.parametrize(("infants", "persons", "asked"), [(0, 400, True), (12, 400, False), (0, 20, False)])
def test_infants_that_the_book_lacks_are_asked_for_where_enough_are_expected(infants, persons, asked):
    deaths = [record(f"d{n}", "a6", "2025-05-01") | {"age_years": 0.0 if n < infants else 80.0} for n in range(20)]
    given = checked(death=pd.DataFrame(deaths), population=population(persons))
    rule = rule_like(id="r", parameters={"group": "under_1"})
    result = missing_deaths.check_missing(given, rule)
    assert (len(result.findings) > 0) == asked
    assert (result.judged > 0) == (persons == 400)


def test_a_commune_that_writes_round_ages_is_seen_with_its_interval():
    ages = pd.DataFrame({"unit_id": "a", "age": [30, 35, 40, 45, 50, 41, 43], "deaths": [40, 30, 40, 30, 40, 5, 5]})
    row = heaping_table(ages, minimum=100).iloc[0]
    assert row["whipple"] == pytest.approx(100 * 5 * 180 / 190)
    assert row["lower"] < row["whipple"] < row["upper"] <= 500
    assert heaping_table(ages.assign(deaths=1), minimum=100).iloc[0]["status"] == "not_assessable"


def test_the_interval_of_whipples_index_narrows_with_the_deaths():
    few, many = (np.diff(np.array(whipple_limits(np.full((1, 100), level))), axis=0)[0, 0] for level in (1, 100))
    assert many < few / 5
