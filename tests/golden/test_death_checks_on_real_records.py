"""Our checks on 100 real, edited death records (Brazil's SIM): hardly a hard error, so what they flag is false alarm."""

import pandas as pd

from mortality.quality.record_checks import check_record
from tests.support import reference_path
from tkyt_analysis.catalog import load_entries
from tkyt_analysis.quality.context import context_of_tables

UNITS = {"0": "hours", "1": "hours", "2": "days", "3": "months", "4": "years", "5": "years"}


def records():
    """The sample in our columns; ages are coded as unit and number, dates as ddmmyyyy, sex 1 or 2."""
    sim = pd.read_csv(reference_path("quality", "linelist", "brazil_sim_do_sample.csv"), dtype="str").fillna("")
    age, unit = pd.to_numeric(sim["IDADE"].str[1:], errors="coerce"), sim["IDADE"].str[:1]
    age = age.where(unit != "5", age + 100)
    return sim, pd.DataFrame(
        {
            "death_id": "d" + sim["CONTADOR"], "source": "certificate", "unit_id": "BR:" + sim["CODMUNRES"], "sheet": "", "file_sha256": "f",
            "death_date": pd.to_datetime(sim["DTOBITO"], format="%d%m%Y", errors="coerce"), "row_number": range(len(sim)),
            "birth_year": pd.to_datetime(sim["DTNASC"], format="%d%m%Y", errors="coerce").dt.year.astype("Int64"),
            "age_value": age, "age_unit": unit.map(UNITS), "age_years": age.where(unit.isin(["4", "5"]), 0.0),
            "sex": sim["SEXO"].map({"1": "male", "2": "female"}), "icd10_as_written": sim["CAUSABAS"].str.replace(r"^(...)(.)$", r"\1.\2", regex=True),
            "cause_text": sim["LINHAA"],
        }
    )  # fmt: skip


def findings():
    sim, deaths = records()
    known = deaths["icd10_as_written"].fillna("")
    given = context_of_tables(
        {
            "death": deaths,
            "death_code": pd.DataFrame({"death_id": deaths["death_id"], "code": known, "rule": "as_given", "decision": "auto"}),
            "death_document": pd.DataFrame(
                {"death_id": deaths["death_id"], "document_date": pd.to_datetime(sim["DTATESTADO"], format="%d%m%Y", errors="coerce")}
            ),
            "received_file": pd.DataFrame({"file_sha256": ["f"], "received_at": ["2020-01-01 00:00:00"]}),
        }
    )  # fmt: skip
    rules = [rule for rule in load_entries("rules").values() if rule.function == "check_death_record"]
    return {rule.parameters["test"]: check_record(given, rule) for rule in rules}


def test_edited_records_have_no_hard_error():
    found = findings()
    hard = ["death_in_future", "death_before_birth", "age_against_dates", "days_as_years", "age_impossible", "sex_missing",
            "cause_impossible", "code_invalid", "code_missing"]  # fmt: skip
    assert {name: len(found[name].findings) for name in hard} == dict.fromkeys(hard, 0)
    assert found["death_in_future"].judged == 100
    assert found["cause_impossible"].judged == 100


def test_what_the_records_do_not_hold_is_not_assessable():
    found = findings()
    for name in ("sex_against_name", "date_on_another_list", "lunar_date_by_book", "maternal_mark"):
        assert (found[name].judged, found[name].total) == (0, 100)
