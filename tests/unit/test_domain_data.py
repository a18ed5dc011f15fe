"""Domain data sets: one entry is all that a new one needs; its checks ask, its indicators divide, its people stay apart."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import table

from tkyt_analysis.catalog import load_entries, read_codelist
from tkyt_analysis.catalog.dataset_rules import dataset_rules
from tkyt_analysis.catalog.expressions import names_in, unknown_words
from tkyt_analysis.ingest.receive import ingest
from tkyt_analysis.pipeline import check_warehouse, prepare_home
from tkyt_analysis.practice.generate import make_practice_data
from tkyt_analysis.quality.run import run_checks
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.release import Release, publish

DOMAIN = {name: entry for name, entry in load_entries("datasets").items() if entry.domain}
# The systems that the province plan names (seeds/002, II.1 and II.4), and what answers to each.
SYSTEMS = {
    "cán bộ, công chức, viên chức": "health_workforce", "tài sản, tài chính - kế toán": "assets_finance",
    "Thanh tra Y tế": "health_inspection", "hành nghề y tế": "practice_licences", "An toàn thực phẩm": "food_safety",
    "tiêm chủng": "vaccination_record", "bệnh truyền nhiễm": "notifiable_case", "bệnh không lây nhiễm": "noncommunicable_disease",
    "môi trường y tế": "environmental_health", "dược, mỹ phẩm": "medicines_cosmetics",
    "sức khỏe sinh sản, bà mẹ và trẻ em": "maternal_child_health", "Y, dược cổ truyền": "traditional_medicine",
    "giám định y khoa, phục hồi chức năng": "assessment_rehabilitation", "Dân số - KHHGĐ": "population_family_planning",
    "HIV/AIDS": "hiv_programme", "trang thiết bị y tế": "medical_equipment", "giám định BHYT": "insurance_claims",
    "khám chữa bệnh từ xa": "telehealth", "văn bản và điều hành": "document_flow", "đấu thầu điện tử": "electronic_bidding",
    "an toàn, an ninh thông tin": "information_security",
}  # fmt: skip


def test_every_system_of_the_province_plan_has_a_data_set_in_one_of_the_three_databases():
    assert set(SYSTEMS.values()) == set(DOMAIN)
    assert {entry.domain for entry in DOMAIN.values()} == {"preventive", "curative", "management"}


@pytest.mark.parametrize("name", sorted(DOMAIN))
def test_a_domain_data_set_says_source_owner_grain_units_and_checks(name):
    entry = DOMAIN[name]
    said = (entry.owner, entry.origin.document, entry.grain, entry.reported_by, entry.period_kind, entry.checks)
    assert all(said)
    assert all(column.unit for column in entry.columns.values() if column.type in ("number", "integer"))
    assert entry.origin.unverified  # our own columns: no real system's layout was seen
    if entry.panel:
        assert entry.indicators


def test_at_least_eight_domain_data_sets_have_practice_files_two_of_them_line_lists():
    filled = set(read_codelist("practice_programme")["dataset_id"]) | {"vaccination_record", "notifiable_case"}
    assert filled == set(DOMAIN)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("domain")
    make_practice_data("commune", folder / "practice")
    home = folder / "home"
    prepare_home(home, practice=True)
    received = folder / "practice" / "received"
    result = ingest(home, [received / "domain", received / "line_lists"])
    assert result.total("received") == result.total("landed") > 8000
    assert {row["door"] for row in result.files} == {"tabular"}
    check_warehouse(home, rules=tuple(dataset_rules(DOMAIN.values())))
    publish(home)
    truth = pd.concat(pd.read_parquet(path) for path in (folder / "practice" / "truth" / "truth").glob("dataset_part*"))
    return home, truth


def test_every_planted_part_above_its_total_is_asked_about(home):
    path, truth = home
    with Warehouse(path) as warehouse:
        found = warehouse.query("SELECT unit_id, period_id, element_id AS element FROM lake.finding")
    keys = ["unit_id", "period_id", "element"]
    missed = (
        truth[keys].merge(found.drop_duplicates(), on=keys, how="left", indicator=True).query("_merge == 'left_only'")
    )
    assert len(truth) > 10
    assert missed.empty


def test_people_of_a_line_list_are_in_the_restricted_store_only(home):
    path, _ = home
    with Warehouse(path) as warehouse:
        columns = set(warehouse.query("SELECT * FROM lake.vaccination_record LIMIT 1").columns)
        assert not columns & {"full_name", "birth_date", "guardian_name", "address", "phone"}
        doses, keyed = warehouse.one("SELECT count(*), count(DISTINCT person_key) FROM lake.vaccination_record")
        warehouse.attach_restricted()
        named = warehouse.one(
            "SELECT count(full_name) FROM restricted.record_identity WHERE dataset_id = 'vaccination_record'"
        )[0]
        matched = warehouse.one(
            "SELECT count(*) FROM lake.vaccination_record JOIN restricted.record_identity USING (record_id)"
        )[0]
    assert doses == named == matched
    assert 1 < keyed < doses  # one child has several doses


def test_a_release_counts_events_and_divides_indicators(home):
    path, _ = home
    release = Release(path)
    total = release.query("SELECT sum(events) AS n FROM event_count WHERE counted_by = 'vaccine'")["n"].iloc[0]
    with Warehouse(path) as warehouse:
        assert total == warehouse.one("SELECT count(*) FROM lake.vaccination_record")[0]
        row = warehouse.query(
            "SELECT unit_id, period_id, max(value) FILTER (element_id = 'maternal_child_health/facility_deliveries') AS part, "
            "max(value) FILTER (element_id = 'maternal_child_health/deliveries') AS whole "
            "FROM lake.aggregate_value GROUP BY ALL HAVING whole > 0 LIMIT 1"
        ).iloc[0]
    found = release.query(
        "SELECT value, status FROM programme_indicator WHERE indicator_id = 'facility_delivery_share' AND unit_id = ? AND period_id = ?",
        [row["unit_id"], row["period_id"]],
    ).iloc[0]
    assert (found["value"], found["status"]) == (pytest.approx(100 * row["part"] / row["whole"]), "ok")
    nothing = release.query(
        "SELECT count(*) AS n FROM programme_indicator WHERE denominator = 0 AND status <> 'not_assessable'"
    )
    assert nothing["n"].iloc[0] == 0


VALUES = table("""
    dataset_id  | element_id             | unit_id      | period_id | value
    food_safety | food_safety/inspected  | VN2025:21040 | 202508    | 10
    food_safety | food_safety/violations | VN2025:21040 | 202508    | 12
    food_safety | food_safety/inspected  | VN2025:21040 | 202509    | 10
    food_safety | food_safety/violations | VN2025:21040 | 202509    | 10
    food_safety | food_safety/inspected  | VN2025:21040 | 202510    | 10
""").assign(category_id="")


def test_a_check_judges_only_what_can_be_told_and_names_place_and_period():
    rule = load_entries("rules")["food_safety.violations_within_inspected"]
    result = run_checks({"aggregate_value": VALUES}, [rule])
    findings, (judged, total) = result.findings, result.coverage.loc[0, ["judged", "total"]]
    assert findings[["unit_id", "period_id", "element_id"]].values.tolist() == [
        ["VN2025:21040", "202508", "food_safety/violations"]  # 12 > 10
    ]
    assert (judged, total) == (2, 3)  # October has no violations written: not assessable, not passed


def test_of_a_value_sent_twice_the_last_counts_in_a_check():
    mended = pd.concat([VALUES, VALUES.iloc[[1]].assign(value=8)])
    rule = load_entries("rules")["food_safety.violations_within_inspected"]
    assert run_checks({"aggregate_value": mended}, [rule]).findings.empty


NEW_ENTRY = """
id: dental_care
title:
  vi: "Chăm sóc răng miệng"
  en: "Dental care"
origin:
  producer: "Sở Y tế"
  document: "thử nghiệm"
access: internal
domain: curative
owner:
  vi: "Phòng Nghiệp vụ Y"
  en: "Medical affairs office"
reported_by: province
period_kind: month
grain: [unit, period]
store: false
constants:
  unit_level: "1"
panel:
  unit: ["Đơn vị"]
  unit_system: ""
  period: "Kỳ"
columns:
  dental_visits:
    type: integer
    from: ["Lượt khám răng"]
    unit: "visits"
  extractions:
    type: integer
    from: ["Số răng đã nhổ"]
    unit: "teeth"
checks:
  - id: extractions_need_visits
    rule: "extractions = 0 OR dental_visits > 0"
    severity: error
    message:
      vi: "Có nhổ răng nhưng không có lượt khám."
      en: "Extractions without a visit."
"""


def test_the_next_data_set_needs_a_catalog_entry_only(tmp_path, monkeypatch):
    (tmp_path / "own" / "datasets").mkdir(parents=True)
    (tmp_path / "own" / "datasets" / "dental_care.yaml").write_text(NEW_ENTRY, "utf-8")
    monkeypatch.setenv("TKYT_CATALOG_PATH", str(tmp_path / "own"))
    file = tmp_path / "rang.csv"
    file.write_text(
        "Đơn vị,Kỳ,Lượt khám răng,Số răng đã nhổ\nTỉnh Quảng Ngãi,08/2025,120,15\n51,09/2025,0,4\n", "utf-8"
    )
    prepare_home(tmp_path / "home")
    assert ingest(tmp_path / "home", [file]).total("landed") == 4
    check_warehouse(tmp_path / "home", rules=("dental_care.extractions_need_visits",))
    with Warehouse(tmp_path / "home") as warehouse:
        found = warehouse.query("SELECT unit_id, period_id FROM lake.finding WHERE rule_id LIKE 'dental_care.%'")
    assert found.values.tolist() == [["VN2025:51", "202509"]]


def test_expressions_take_columns_and_plain_operators_and_nothing_else():
    columns = {"part", "whole"}
    assert unknown_words("part <= whole OR (whole IS NULL AND part - 1 > 0.5)", columns) == []
    assert unknown_words("vaccine_x IN ('it''s', 'b')", {"vaccine_x"}) == []
    for hostile in (
        "read_csv('/etc/passwd')",
        "part; DROP TABLE x",
        "part -- comment",
        "(SELECT 1)",
        'part = "whole"',
        "part || whole",
    ):
        assert unknown_words(hostile, columns), hostile
    assert names_in("part <= whole AND part > 0 OR 'whole thing' = 'x'") == ["part", "whole"]


@given(st.text(max_size=40))
def test_no_text_that_passes_holds_more_than_the_language_allows(text):
    if not unknown_words(text, {"part"}):
        assert not set(text) & set(';"`\\{}[]$@#&|')
        assert "--" not in text


def test_identifiers_in_quarantine_of_a_line_list_are_not_repeated(tmp_path):
    prepare_home(tmp_path / "home")
    head = "Họ và tên,Ngày sinh,Giới tính,Xã tiêm,Ngày tiêm,Vắc xin,Mũi thứ\n"
    good, bad = (
        "Lê Thị Mẫu,01/02/2025,Nữ,21040,03/08/2025,BCG,1\n",
        "Trần Văn Thử,32/13/2025,Nam,21040,03/08/2025,BCG,1\n",
    )
    (tmp_path / "t.csv").write_text(head + good + bad, "utf-8")
    result = ingest(tmp_path / "home", [tmp_path / "t.csv"])
    assert (result.total("landed"), result.total("quarantined")) == (1, 1)
    with Warehouse(tmp_path / "home") as warehouse:
        row = warehouse.query("SELECT column_name, value, fields FROM lake.quarantine").iloc[0]
        kept = warehouse.query("SELECT birth_year, age_months FROM lake.vaccination_record").iloc[0]
    assert row["column_name"] == "birth_date"
    assert "32/13/2025" not in row["value"] + row["fields"]
    assert tuple(kept) == (2025, 6)  # 2025-02-01 to 2025-08-03
    assert np.isfinite(kept).all()
