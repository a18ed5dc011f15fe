"""Verbal autopsies from ODK: questions by the id in the column's name, a record from the general items, names apart."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_support import read_all, received

from mortality.documents.verbal_autopsy import DOOR, is_restricted, question_of
from tkyt_analysis.catalog import read_codelist

ABOUT, SIGNS = "consented-deceased_CRVS-info_on_deceased-", "consented-illhistory-signs_symptoms_final_illness-"
INTERVIEW = {
    "SubmissionDate": "2024-05-01T08:00:00.000Z", "respondent_backgr-Id10007": "Lê Thị Khai", "respondent_backgr-Id10008": "child",
    "respondent_backgr-Id10012": "2024-05-01", "respondent_backgr-Id10013": "yes", f"{ABOUT}Id10017": "Văn A", f"{ABOUT}Id10018": "Nguyễn",
    f"{ABOUT}Id10019": "male", f"{ABOUT}Id10021": "1950-02-01", f"{ABOUT}Id10023_a": "2024-03-05", f"{ABOUT}Id10023": "",
    f"{ABOUT}ageInDays": "27061", f"{ABOUT}ageInYears": "74", f"{ABOUT}Id10058": "on_route_to_hospital_or_facility",
    f"{ABOUT}Id10055": "Xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi", "consented-illhistory-illdur-Id10120_0": "12",
    "consented-illhistory-med_hist_final_illness-Id10127": "yes", f"{SIGNS}Id10147": "yes", f"{SIGNS}Id10153": "dk",
    "consented-narrat-Id10476": "Ông Nguyễn Văn A sốt ba ngày", "SubmitterName": "Trần Thu Thập", "KEY": "uuid:1",
}  # fmt: skip


def export(tmp_path, *changes, header=None, name="va.csv"):
    rows = [INTERVIEW | change for change in (changes or ({},))]
    for number, row in enumerate(rows, start=1):
        row["KEY"] = changes[number - 1].get("KEY", f"uuid:{number}") if changes else "uuid:1"
    text = io.StringIO()
    names = list(rows[0])
    csv.writer(text).writerows([header(names) if header else names, *([row[one] for one in names] for row in rows)])
    return received(tmp_path / name, text.getvalue())


def answers(answer, table="verbal_autopsy_answer"):
    return dict(answer.tables[table][["question_id", "value"]].values)


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("consented-illhistory-illdur-Id10120_0", "Id10120_0"), ("Id10019", "Id10019"), ("group/Id10476", "Id10476"), ("a.b.id10077", "Id10077"),
        ("respondent_backgr-Id10010b", "Id10010b"), ("x:Id10023_a", "Id10023_a"), ("Id1234", ""), ("SubmitterID", ""), ("myId10019x9y-", ""),
    ],
)  # fmt: skip
def test_a_question_is_the_id_at_the_end_of_the_name_of_the_column(name, question):
    assert question_of(name) == question


def test_an_interview_becomes_a_death_from_its_general_items(tmp_path):
    file = export(tmp_path)
    assert DOOR.recognise(file) == 0.97
    answer = read_all(DOOR, file)
    death = answer.tables["death"].iloc[0]
    assert death[["source", "sex", "birth_year", "age_years", "place_of_death"]].tolist() == [
        "verbal_autopsy", "male", 1950, 74, "on_the_way",
    ]  # fmt: skip
    assert death["death_date"] == pd.Timestamp("2024-03-05")  # of Id10023_a, as Id10023 is empty
    assert death["residence_unit_id"] == "VN2024:21112"
    assert answer.tables["death_document"].iloc[0]["informant_relation"] == "child"
    assert answer.tables["death_identity"].iloc[0][["full_name", "informant"]].tolist() == [
        "Nguyễn Văn A",
        "Lê Thị Khai",
    ]


def test_groups_before_the_id_make_no_difference(tmp_path):
    plain_names = export(tmp_path, header=lambda names: [name.rpartition("-")[2] for name in names], name="plain.csv")
    grouped, plain = read_all(DOOR, export(tmp_path)), read_all(DOOR, plain_names)
    assert answers(grouped) == answers(plain)
    pd.testing.assert_frame_equal(grouped.tables["death"], plain.tables["death"])


def test_every_answer_is_kept_as_written_and_what_can_name_a_person_or_tell_hiv_is_restricted(tmp_path):
    answer = read_all(DOOR, export(tmp_path))
    assert answers(answer).items() >= {"Id10147": "yes", "Id10153": "dk", "Id10120_0": "12", "ageInYears": "74"}.items()
    assert set(answers(answer, "verbal_autopsy_identity")) == {
        "Id10007", "Id10017", "Id10018", "Id10021", "Id10055", "Id10127", "Id10476",
    }  # fmt: skip
    kept = len(answers(answer)) + len(answers(answer, "verbal_autopsy_identity"))
    assert kept == sum(bool(value) for name, value in INTERVIEW.items() if question_of(name) or "ageIn" in name)
    open_text = answer.tables["verbal_autopsy_answer"].to_csv() + answer.notes.to_csv()
    assert not any(secret in open_text for secret in ("Nguyễn", "Khai", "Bình Châu", "Trần Thu Thập"))


def test_a_question_that_the_catalog_does_not_know_is_kept_closed_answers_open_words_restricted(tmp_path):
    answer = read_all(DOOR, export(tmp_path, {"x-Id10998": "yes"}, {"x-Id10998": "Ông Tèo"}))
    opened, closed = answer.tables["verbal_autopsy_answer"], answer.tables["verbal_autopsy_identity"]
    assert opened.loc[opened["question_id"] == "Id10998", "value"].tolist() == ["yes"]
    assert closed.loc[closed["question_id"] == "Id10998", "value"].tolist() == ["Ông Tèo"]
    assert "note.verbal_autopsy_questions" in set(answer.notes["note"])


def test_the_narrative_and_the_names_are_restricted_in_the_catalog():
    for question in ("Id10007", "Id10010", "Id10017", "Id10018", "Id10061", "Id10062", "Id10073", "Id10476", "comment"):
        assert is_restricted(question) is True, question
    assert is_restricted("Id10147") is False
    assert is_restricted("Id10999") is None
    assert read_codelist("verbal_autopsy_questions")["question_id"].is_unique


def test_no_consent_and_an_interview_sent_twice_are_quarantined_with_their_lines(tmp_path):
    answer = read_all(DOOR, export(tmp_path, {}, {"respondent_backgr-Id10013": "no"}, {"KEY": "uuid:1"}))
    assert (answer.received, answer.landed) == (3, 1)
    assert answer.quarantined[["row_number", "reason"]].values.tolist() == [
        [4, "quarantine.verbal_autopsy_twice"], [3, "quarantine.verbal_autopsy_no_consent"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ages", "value", "unit", "years"),
    [
        ({"ageInYears": "74"}, 74, "years", 74), ({"ageInYears": "0", "ageInDays": "13"}, 13, "days", 0),
        ({"ageInYears": "", "ageInDays": "13.0"}, 13, "days", 0), ({"ageInYears": "", "ageInDays": ""}, None, None, 74),
    ],
)  # fmt: skip
def test_the_age_is_in_years_from_one_year_on_and_in_days_below(tmp_path, ages, value, unit, years):
    change = {f"{ABOUT}{name}": text for name, text in ages.items()}
    if unit == "days":
        change[f"{ABOUT}Id10021"] = ""
    death = read_all(DOOR, export(tmp_path, change)).tables["death"].iloc[0]
    assert (None if pd.isna(death["age_value"]) else death["age_value"]) == value
    assert (None if pd.isna(death["age_unit"]) else death["age_unit"]) == unit
    assert death["age_years"] == years or value is None


def test_a_csv_with_few_questions_is_no_interview(tmp_path):
    assert DOOR.recognise(received(tmp_path / "x.csv", "Id10017,Id10018,Id10019\na,b,male\n")) == 0


@given(st.lists(st.sampled_from(["good", "no", "twice", "empty"]), min_size=1, max_size=10))
def test_received_is_landed_plus_quarantined_whatever_the_interviews(tmp_path_factory, kinds):
    blank = dict.fromkeys(INTERVIEW, "") | {"respondent_backgr-Id10013": "yes"}
    change = {"good": {}, "no": {"respondent_backgr-Id10013": "no"}, "twice": {"KEY": "uuid:0"}, "empty": blank}
    file = export(
        tmp_path_factory.mktemp("va"),
        *({k: v for k, v in change[kind].items() if k != "KEY" or kind == "twice"} for kind in kinds),
    )
    answer = read_all(DOOR, file)
    assert answer.received == answer.landed + len(answer.quarantined) == len(kinds)
    assert answer.landed == kinds.count("good") + min(kinds.count("twice"), 1)
