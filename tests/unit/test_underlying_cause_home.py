"""Certificates of a home and the rules: where the underlying cause of the lines stands in the order of causes."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest
from support import table

from mortality.pipeline import DEATHS_TO_CODE, coding_decisions
from mortality.underlying_cause import home
from mortality.underlying_cause.home import (
    certificates_of,
    certificates_of_words,
    underlying_causes,
    underlying_of,
    underlying_of_codes,
    with_codes_replaced,
    with_underlying,
)
from tkyt_analysis.catalog import load_entry
from tkyt_analysis.warehouse.schema import column_types

DEATHS = table("""
    death_id | sex    | age_value | age_unit | age_years | death_date | manner | maternal_timing | cause_text       | icd10_as_written | underlying_cause_as_given
    d1       | male   |        70 | years    |        70 | 2025-03-01 |        |                 |                  | J18              |
    d2       | female |        30 | years    |        30 | 2025-03-01 |        |                 |                  |                  |
    d3       | male   |           |          |        61 | 2025-03-01 |        |                 |                  | K35.8            |
    d4       | male   |        50 | years    |        50 | 2025-03-01 |        |                 |                  |                  | I21.9
""").assign(maternal_death=False)
CAUSES = table("""
    death_id | line  | position | icd10_code | cause_text    | interval_as_written | row_number
    d1       | b     |        1 | I63.9      |               | 3 ngày              |          1
    d1       | a     |        1 | J18.0      |               | 1 ngày              |          1
    d2       | a     |        1 |            | xyzzy qwerty  |                     |          2
    d3       | a     |        1 | J96.0      |               |                     |          3
    d3       | b     |        1 |            | viêm phổi     |                     |          3
    d4       | a     |        1 | J18.9      |               |                     |          4
    dx       | a     |        1 | J18.9      |               |                     |          9
""")
CERTIFICATES = table("""
    death_id | manner    | pregnancy_status          | surgery | surgery_date | row_number
    d2       | self_harm | within_43_days_to_1_year  | yes     | 2025-02-20   |          2
    d3       | disease   |                           | yes     | 2025-01-01   |          3
""")


class DrawnWarehouse:
    """Tables of a home in memory, read with the same SQL."""

    def __init__(self, deaths=DEATHS, causes=CAUSES, certificates=CERTIFICATES):
        self.con = duckdb.connect()
        self.con.execute("ATTACH ':memory:' AS lake")
        for name, rows in (("death", deaths), ("death_cause", causes), ("certificate", certificates)):
            types = column_types(load_entry("datasets", name))
            self.con.register("rows", rows.astype(str))
            cells = ", ".join(f"TRY_CAST(nullif({column}, '') AS {types[column]}) AS {column}" for column in rows)
            self.con.execute(f"CREATE TABLE lake.{name} AS SELECT {cells} FROM rows")
            self.con.unregister("rows")

    def query(self, sql):
        return self.con.execute(sql).df()


@pytest.fixture(scope="module")
def certificates():
    return certificates_of(DrawnWarehouse()).set_index("id")


def test_lines_stand_in_their_order_with_their_intervals(certificates):
    row = certificates.loc["d1"]
    assert (row["line_a"], row["line_b"], row["interval_a"], row["interval_b"]) == (
        "J18.0",
        "I63.9",
        "1 ngày",
        "3 ngày",
    )
    assert list(certificates.index) == ["d1", "d2", "d3", "d4"]


def test_a_line_of_words_is_coded_where_the_words_are_certain_and_marked_where_they_are_not(certificates):
    assert certificates.loc["d3", "line_b"].startswith("J18")
    assert not certificates.loc["d3", "uncoded"]
    assert certificates.loc["d2", "line_a"] == ""
    assert certificates.loc["d2", "uncoded"]


def test_surgery_counts_within_four_weeks_and_the_age_in_years_stands_in_for_a_missing_one(certificates):
    assert certificates["surgery"].to_dict() == {"d1": "", "d2": "yes", "d3": "", "d4": ""}
    assert (certificates.loc["d3", "age_value"], certificates.loc["d3", "age_unit"]) == (61, "years")
    assert certificates.loc["d2", ["manner", "pregnancy"]].tolist() == ["suicide", "43_days_to_1_year"]


def test_the_order_of_causes_given_then_certificate_then_code_in_the_book_then_words():
    warehouse = DrawnWarehouse()
    deaths = warehouse.query(DEATHS_TO_CODE)
    decisions = coding_decisions(deaths)
    underlying = underlying_causes(warehouse, deaths, decisions)
    result = with_underlying(decisions, underlying).set_index("death_id")
    assert result.loc["d1", ["code", "decision", "rule"]].tolist() == ["I63.9", "auto", "certificate:SP3"]
    assert result.loc["d4", ["code", "rule"]].tolist() == ["I21.9", "as_given"]
    assert result.loc["d2", "decision"] == "uncodable"
    assert result.loc["d3", "rule"].startswith("certificate:")
    assert result["code"].notna().all()
    assert pd.isna(result.loc["d1", "score"])


def test_a_certificate_that_a_coder_must_read_does_not_push_a_code_aside():
    decisions = pd.DataFrame(
        [["d1", "J18", "auto", 1.0, "as_written", "v"], ["d2", "R99", "review", 0.2, "dictionary:similar_title", "v"]],
        columns=["death_id", "code", "decision", "score", "rule", "dictionary_version"],
    )
    underlying = pd.DataFrame(
        {
            "death_id": ["d1", "d2"],
            "basis": "certificate",
            "code": "I63.9",
            "steps": "SP3",
            "flags": "check:uncoded_line",
            "decision": "review",
        }
    )
    result = with_underlying(decisions, underlying)
    assert result["code"].tolist() == ["J18", "I63.9"]
    assert result["decision"].tolist() == ["auto", "review"]


def test_a_coders_decision_on_the_record_stays():
    decisions = pd.DataFrame(
        [["d1", "C34.9", "auto", 1.0, "coder_record", "v"]],
        columns=["death_id", "code", "decision", "score", "rule", "dictionary_version"],
    )
    underlying = pd.DataFrame(
        {
            "death_id": ["d1"],
            "basis": ["certificate"],
            "code": ["I63.9"],
            "steps": ["SP3"],
            "flags": [""],
            "decision": ["auto"],
        }
    )
    assert with_underlying(decisions, underlying)["code"].tolist() == ["C34.9"]


def test_what_something_is_due_to_stands_on_the_line_below(monkeypatch):
    codes = {"viêm phổi": "J18.9", "đột quỵ": "I64", "tăng huyết áp": "I10", "???": ""}
    named = {
        "two lines": [["viêm phổi", "???"], ["đột quỵ", "tăng huyết áp"]],
        "one left": [["viêm phổi"], ["???"]],
        "single": [],
    }
    monkeypatch.setattr(home, "_split", named.get)
    monkeypatch.setattr(home, "_best_codes", lambda text, sex, age_years: text.map(codes))
    deaths = pd.DataFrame({"death_id": ["d1", "d2", "d3"], "cause_text": list(named), "sex": "male", "age_years": 70.0})
    lines = certificates_of_words(deaths)
    assert lines[["id", "line_a", "line_b"]].values.tolist() == [["d1", "J18.9", "I64 I10"]]
    assert underlying_of(lines, "words")["code"].tolist() == ["I64"]


def test_a_home_without_deaths_gives_no_rows():
    empty = DrawnWarehouse(DEATHS.iloc[:0], CAUSES.iloc[:0], CERTIFICATES.iloc[:0])
    deaths = empty.query(DEATHS_TO_CODE)
    decisions = coding_decisions(deaths)
    underlying = underlying_causes(empty, deaths, decisions)
    assert len(underlying) == 0
    assert len(with_underlying(decisions, underlying)) == 0
    replaced = underlying_of_codes(deaths, decisions)
    assert len(with_codes_replaced(decisions, replaced)) == len(replaced) == 0
    assert list(underlying)[:3] == ["death_id", "basis", "code"]


def test_an_injury_read_from_the_words_is_tabulated_under_an_external_cause_and_asked_about():
    deaths = table("""
        death_id | manner
        d1       |
        d2       | self_harm
        d3       |
        d4       |
        d5       |
        d6       |
    """)
    decisions = table("""
        death_id | code  | decision | rule
        d1       | S06.9 | auto     | dictionary:dictionary_exact
        d2       | S06.9 | review   | learnt
        d3       | R69   | review   | dictionary:dictionary_exact
        d4       | S06.9 | auto     | as_given
        d5       | I21.9 | auto     | dictionary:dictionary_exact
        d6       |       | uncodable| dictionary:no_match
    """)
    replaced = underlying_of_codes(deaths, decisions)
    assert replaced[["death_id", "code", "steps"]].values.tolist() == [
        ["d1", "X59.9", "SP1>M4"],
        ["d2", "X84.9", "SP1>M4"],
        ["d3", "R99", "SP1>M1"],
    ]
    result = with_codes_replaced(decisions, replaced)
    assert result["code"].tolist() == ["X59.9", "X84.9", "R99", "S06.9", "I21.9", ""]
    assert result["decision"].tolist() == ["review", "review", "review", "auto", "auto", "uncodable"]
