"""Deaths at facilities against the notices received: the indicator of Thanh Hóa, and the rule that asks which lack one."""

import pytest
from deaths_support import COMMUNE, PROVINCE, drawn_home, record, release_context

from mortality.persons_release.notices import facility_notice
from tkyt_analysis.analysis.rates import wilson_limits
from tkyt_analysis.catalog import load_entry

H1, H2 = "KCB:51Z98", "KCB:51Z99"
RECORDS = [
    # August: five people died at facilities, of three a notice came, of two of these as electronic data
    record("k1", "certificate", facility=H1), record("n1", "death_notice", facility=H1, file="death_notice_xml"),
    record("n2", "death_notice", facility=H1, file="death_notice_xml"),
    record("k3", "certificate", facility=H2), record("n3", "death_notice", facility=H2),
    record("k4", "certificate", facility=H2),
    record("a5", place_of_death="health_facility"),
    record("a6", place_of_death="home"),  # no death at a facility
    # July: before any electronic notice; June: before any notice at all
    record("k7", "certificate", day="2025-07-02", facility=H1), record("n8", "death_notice", day="2025-07-03", facility=H1),
    record("k9", "certificate", day="2025-06-02", facility=H1),
    record("k0", "certificate", day="2027-01-01", facility=H1),  # no death that could be counted
]  # fmt: skip
PERSONS = ["k1 n1", "k3 n3"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return drawn_home(tmp_path_factory.mktemp("notices") / "home", RECORDS, persons=PERSONS)


@pytest.fixture(scope="module")
def table(home):
    with release_context(home) as context:
        return facility_notice(context).set_index(["facility_id", "period_id"])


def test_deaths_at_facilities_are_persons_and_so_are_those_notified(table):
    counted = table.loc[("", "202508"), ["facility_deaths", "notified", "synchronised"]]
    assert counted.tolist() == [1 + 1 + 1 + 1 + 1, 3, 2]
    assert table.loc[("", "202508"), "unit_id"] == PROVINCE


def test_each_facility_has_its_own_row_and_who_died_in_no_named_one_too(table):
    found = table.loc[table["kind"] == "facility"].xs("202508", level="period_id")["facility_deaths"]
    assert found.to_dict() == {H1: 2, H2: 2, "unknown": 1}
    assert found.sum() == table.loc[("", "202508"), "facility_deaths"]


def test_the_share_has_limits_where_notices_were_received_and_is_not_assessable_before(table):
    row = table.loc[("", "202508")]
    lower = wilson_limits(
        row[["synchronised"]].astype(float).reset_index(drop=True),
        row[["facility_deaths"]].astype(float).reset_index(drop=True),
    )["lower"][0]
    assert (row["synchronised_share"], row["synchronised_status"]) == (2 / 5, "ok")
    assert row["synchronised_lower"] == pytest.approx(lower, abs=5e-5)
    status = ["notified_status", "synchronised_status"]
    assert table.loc[("", "202507"), status].tolist() == ["ok", "not_assessable"]
    assert table.loc[("", "202506"), status].tolist() == ["not_assessable", "not_assessable"]
    assert table.loc[("", "202506"), ["notified_share", "synchronised_share"]].isna().all()
    assert table.loc[("", "2025"), "facility_deaths"] == 5 + 2 + 1
    assert table.loc[("", "2025"), "notified_status"] == "not_assessable"  # June of it cannot be judged


def test_the_rule_asks_about_each_death_without_a_notice_from_the_first_notice_on(home):
    from mortality.persons_release.notices import check_without_notice
    from tkyt_analysis.quality.lake_context import warehouse_context
    from tkyt_analysis.warehouse.lake import Warehouse

    with Warehouse(home) as warehouse, warehouse_context(warehouse) as context:
        result = check_without_notice(context, load_entry("rules", "facility_death_without_notice"))
    asked = dict(
        zip(
            result.findings["fields"].str.extract(r'"death_id": "(\w+)"')[0],
            result.findings["probability"],
            strict=True,
        )
    )
    assert asked == {"k4": 0.9, "a5": 0.5, "k7": 0.9, "k0": 0.9}
    assert (result.judged, result.total) == (5 + 2 + 1, 5 + 2 + 1 + 1)


def test_a_home_without_deaths_has_no_rows(tmp_path):
    with release_context(drawn_home(tmp_path / "home", [], units=False)) as context:
        assert len(facility_notice(context)) == 0


def test_the_indicators_name_the_letter_that_they_come_from():
    for name in ("notified", "synchronised"):
        entry = load_entry("indicators", f"facility_deaths_{name}")
        assert "Thanh Hóa" in entry.sources[max(entry.sources)].reference
        assert entry.numerator == f"facility_notice/{name}"


def test_only_units_of_administration_carry_the_province_row(table):
    assert set(table["unit_id"]) == {PROVINCE}
    assert COMMUNE not in set(table["unit_id"])
