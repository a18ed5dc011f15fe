"""Homes whose lists of deaths the test draws: records, who is one person, codes, files, documents."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from tkyt_analysis.warehouse.lake import Warehouse, create_home
from tkyt_analysis.warehouse.release import ReleaseContext

COMMUNE, NEIGHBOUR, PROVINCE = "VN2025:21115", "VN2025:21154", "VN2025:51"
DOORS = {
    "a6": "death_register", "civil_registration": "civil_registration_list", "death_notice": "death_notice_list",
    "certificate": "certificate_list", "verbal_autopsy": "verbal_autopsy", "sent_home_dying": "sent_home_list",
}  # fmt: skip
FILLED = (
    "death", "sent_home_dying", "death_code", "death_document", "received_file", "quarantine", "death_match", "file_replacement",
    "record_replacement", "finding", "organisation_unit",
)  # fmt: skip


def record(name, source="a6", day="2025-08-10", *, sex="male", age=70, code="I64", home=COMMUNE, unit=None, file=None, place_of_death=None,
           birth_known="year", key=None, registered=None, facility=None, state=None, calendar=None, age_unit=None):  # fmt: skip
    """One line of a list. `unit` is the reporting unit (a hospital's is its province); a file per list unless one is named."""
    return {
        "name": name, "source": source, "day": day, "sex": sex, "age_years": age, "code": code, "residence_unit_id": home,
        "unit_id": unit or (home if source in ("a6", "civil_registration") else PROVINCE), "file": file or source, "place_of_death": place_of_death,
        "birth_known": birth_known, "person_key": key, "registered": registered, "facility": facility, "state": state, "death_calendar": calendar,
        "age_unit": age_unit,
    }  # fmt: skip


def drawn_home(home: Path, records, *, persons=(), probability=0.95, quarantined=None, replaced_files=(), replaced_records=(),
               findings=(), units=True) -> Path:  # fmt: skip
    """A home with these records (one that is there is emptied first).

    persons : names of records of one person, space-separated ("a1 c1"); quarantined : {file: {reason: rows}};
    replaced_records : names; findings : (name, rule)
    """
    again = not create_home(home, practice=True)
    rows = pd.DataFrame(list(records))
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        for table in FILLED if again else ():
            warehouse.con.execute(f"DELETE FROM lake.{table}")
        if len(rows):
            _records(warehouse, rows, quarantined or {})
        for number, group in enumerate(persons):
            names = group.split()
            sources = rows.set_index("name")["source"]
            _insert(warehouse, "death_match", [
                {"record_id": one, "person_id": f"p{number}", "source": sources[one], "matched_by": "name", "probability": probability} for one in names
            ])  # fmt: skip
        _insert(warehouse, "file_replacement", [{"file_sha256": "later", "replaces": one} for one in replaced_files])
        _insert(warehouse, "record_replacement", [{"record_id": one} for one in replaced_records])
        _insert(warehouse, "finding", [
            {"finding_id": f"f{n}", "rule_id": rule, "severity": "warning", "dataset_id": "death", "verdict": "inconsistent", "fields": f'{{"death_id": "{name}"}}'}
            for n, (name, rule) in enumerate(findings)
        ])  # fmt: skip
        if units:
            _insert(warehouse, "organisation_unit", [
                {"unit_id": "VN", "name": "Việt Nam", "level": 0},
                {"unit_id": PROVINCE, "name": "Quảng Ngãi", "level": 1, "parent_unit_id": "VN", "province_id": PROVINCE},
                *[{"unit_id": one, "name": one, "level": 2, "parent_unit_id": PROVINCE, "province_id": PROVINCE} for one in (COMMUNE, NEIGHBOUR)],
            ])  # fmt: skip
    return home


def _records(warehouse, rows, quarantined):
    rows = rows.assign(row_number=range(1, len(rows) + 1))
    sent = rows["source"] == "sent_home_dying"
    day = pd.to_datetime(rows["day"])
    plain = pd.DataFrame({
        **{name: rows[name] for name in ("unit_id", "residence_unit_id", "sex", "age_years", "age_unit", "row_number")},
        "birth_year": 1950, "file_sha256": rows["file"], "sheet": "1",
    })  # fmt: skip
    deaths = plain.assign(
        **{name: rows[name] for name in ("source", "person_key", "place_of_death", "birth_known", "death_calendar")}
    )
    deaths = deaths.assign(death_id=rows["name"], death_date=day)
    _insert(warehouse, "death", deaths[~sent])
    _insert(
        warehouse,
        "sent_home_dying",
        plain.assign(event_id=rows["name"], discharge_date=day, discharge_state=rows["state"])[sent],
    )
    coded = rows[~sent]
    _insert(warehouse, "death_code", pd.DataFrame({
        "death_id": coded["name"], "code": coded["code"].fillna(""), "decision": coded["code"].notna().map({True: "auto", False: "uncodable"}),
    }))  # fmt: skip
    papers = rows[rows["registered"].notna() | rows["facility"].notna()]
    _insert(warehouse, "death_document", pd.DataFrame({
        "death_id": papers["name"], "kind": papers["source"], "document_date": pd.to_datetime(papers["registered"]), "facility_id": papers["facility"],
    }))  # fmt: skip
    files = rows.groupby("file")["source"].agg(["first", "size"])
    for number, (file, one) in enumerate(files.iterrows()):
        refused = quarantined.get(file, {})
        door = file if file in ("death_notice_xml",) else DOORS[one["first"]]
        _insert(warehouse, "received_file", [{
            "file_sha256": file, "file_name": f"{file}.xlsx", "received_at": f"2026-01-0{1 + number % 9} 08:00:00", "door": door,
            "rows_received": int(one["size"]) + sum(refused.values()), "rows_landed": int(one["size"]), "rows_quarantined": sum(refused.values()),
        }])  # fmt: skip
        _insert(warehouse, "quarantine", [{"file_sha256": file, "sheet": "1", "row_number": 900 + n, "reason": reason}
                                          for reason, count in refused.items() for n in range(count)])  # fmt: skip


def _insert(warehouse, table, rows):
    frame = pd.DataFrame(rows)
    if len(frame):
        warehouse.con.register("incoming", frame)
        warehouse.con.execute(f"INSERT INTO lake.{table} BY NAME SELECT * FROM incoming")
        warehouse.con.unregister("incoming")


@contextmanager
def release_context(home: Path):
    """What a maker of a release table gets."""
    with Warehouse(home) as warehouse:
        yield ReleaseContext(warehouse, practice=True)


def deaths_of(home: Path) -> pd.DataFrame:
    """The release table `deaths`."""
    from mortality.persons_release.deaths import deaths

    with release_context(home) as context:
        return context.query(deaths(context))
