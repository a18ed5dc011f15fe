"""Where every field of a death record comes from, and who may see it."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner
from death_books import LINE, NEXT_COMMUNE, Home

from mortality.cli.show import show
from mortality.records.provenance import COLUMNS, IDENTIFIERS, provenance
from tkyt_analysis.access import acting_as, changes
from tkyt_analysis.access.masking import MASK
from tkyt_analysis.errors import InputError

LUNAR = {
    "name": "Trần Thị Bưởi", "sex": "Nữ", "birth": "15/8/1950 âm lịch", "death": "14h30 ngày 5/6/2024", "cause": "Tai biến",
    "manner": "lạ lắm", "address": "Thôn 3, xã Bình Hải", "relation": "Con gái", "ethnic": "Hrê",
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    made = Home(tmp_path_factory.mktemp("home"))
    made.receive([LUNAR, LINE | {"name": "Lê Thị Kín", "cause": "HIV giai đoạn cuối"}])
    made.receive(
        [LINE | {"cause": "Suy tim", "corrects": made.id_of("Tai biến"), "reason": "sai nguyên nhân"}], "sua.xlsx"
    )
    changes.add_account(made.path, "tram", role="facility", unit_id=NEXT_COMMUNE, why="kiểm thử")
    return made


def by_field(home, cause="Tai biến", **options) -> pd.DataFrame:
    return provenance(home.path, home.id_of(cause), **options).set_index("field")


@pytest.mark.parametrize(
    ("field", "value", "written", "how"),
    [
        ("full_name", "Trần Thị Bưởi", "Trần Thị Bưởi", "as_written"),
        ("birth_date", "1950-09-26", "15/8/1950 âm lịch", "converted_from_lunar"),  # 15/8 of the lunar year 1950
        ("birth_calendar", "lunar", "15/8/1950 âm lịch", "read"),
        ("death_date", "2024-06-05", "14h30 ngày 5/6/2024", "read"),
        ("death_time", "14:30", "14h30 ngày 5/6/2024", "read"),
        ("age_years", "73", "", "calculated"),  # born in September 1950, died in June 2024
        ("sex", "female", "Nữ", "read"),
        ("ethnic_group", "Hrê", "Hrê", "as_written"),
        ("unit_id", "VN2024:21112", "", "matched_place"),
        ("residence_unit_id", NEXT_COMMUNE, "Thôn 3, xã Bình Hải", "matched_place"),
        ("informant_relation", "child", "Con gái", "read"),
        ("manner", "", "lạ lắm", "not_read"),
        ("occupation", "", "", "not_given"),
    ],
)
def test_a_field_says_what_it_was_read_from_and_how(home, field, value, written, how):
    row = by_field(home, why="kiểm thử").loc[field]
    assert (row["value"], row["as_written"], row["how"]) == (value, written, how)
    assert row["method"]


def test_a_corrected_record_and_its_correction_name_each_other(home):
    old, new = home.id_of("Tai biến"), home.id_of("Suy tim")
    assert by_field(home).loc["replaced_by", ["value", "as_written", "how"]].tolist() == [
        new,
        "sai nguyên nhân",
        "corrected",
    ]
    assert by_field(home, "Suy tim").loc["corrects", "value"] == old


def test_without_a_reason_identifiers_are_masked_and_nothing_says_whether_they_were_given(home):
    rows = by_field(home)
    assert (rows.loc[list(IDENTIFIERS), ["value", "as_written"]] == MASK).all(axis=None)
    text = rows.to_csv()
    assert not any(secret in text for secret in ("Trần", "Bưởi", "Thôn 3", "1950-09-26", "15/8/1950"))


def test_reading_identifiers_leaves_a_line_in_the_audit_log(home):
    log = home.path / "audit" / "log.jsonl"
    before = log.read_text("utf-8").count("identifiers_read")
    by_field(home)
    assert log.read_text("utf-8").count("identifiers_read") == before
    by_field(home, why="đối chiếu với xã")
    assert log.read_text("utf-8").count("identifiers_read") == before + 2  # the person, and the line as written


def test_an_account_without_the_right_may_not_give_a_reason_instead(home):
    changes.add_account(home.path, "bo_khac", role="ministry", unit_id="VN", why="kiểm thử")
    with acting_as(home.path, "bo_khac"):
        assert by_field(home).loc["full_name", "value"] == MASK
        with pytest.raises(InputError):
            by_field(home, why="tò mò")


def test_a_record_of_another_commune_is_not_there_for_a_station(home):
    record = home.id_of("Tai biến")
    with acting_as(home.path, "tram"), pytest.raises(InputError) as error:
        provenance(home.path, record)
    assert error.value.key == "error.record_unknown"


def test_what_concerns_hiv_is_masked_for_those_who_may_not_know(home, monkeypatch):
    from tkyt_analysis.access import decision

    def without_hiv(account, action, **where):
        return decision.Decision(False) if action == "read_hiv" else allowed(account, action, **where)

    allowed = decision.decide
    monkeypatch.setattr(decision, "decide", without_hiv)
    monkeypatch.setattr("tkyt_analysis.access.identifiers._may_know_hiv", lambda account: False)
    rows = provenance(home.path, home.id_of("HIV giai đoạn cuối"), why="kiểm thử").set_index("field")
    assert rows.loc["cause_text", "value"] == rows.loc["full_name", "value"] == MASK
    assert "HIV giai" not in rows.drop(columns="method").to_csv()


def test_the_command_gives_the_same_to_machines(home):
    result = CliRunner().invoke(show, [home.id_of("Tai biến"), "--home", str(home.path), "--json"])
    fields = json.loads(result.output)["fields"]
    assert {row["field"]: row["value"] for row in fields}["death_time"] == "14:30"
    assert set(fields[0]) == set(COLUMNS)
    shown = CliRunner().invoke(show, [home.id_of("Tai biến"), "--home", str(home.path)]).output
    assert "Giờ chết" in shown
    assert "Trần Thị Bưởi" not in shown
