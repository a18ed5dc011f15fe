"""Helpers of the tests of persons: a home whose records of deaths the test draws, as if lists had come in."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tkyt_analysis.warehouse.lake import Warehouse, create_home

COMMUNE, NEIGHBOUR, HOSPITAL = "VN2025:21115", "VN2025:21154", "VN2025:51"


def record(name, source="a6", day="2025-08-10", *, who="Nguyễn Văn An", sex="male", born=1950, home=COMMUNE, id_number=None,
           address="Thôn Phú Long", file="f1"):  # fmt: skip
    """One line of a list; ids are made eight characters long so that they can be named by their beginning."""
    return {"id": f"{name:_<8}", "source": source, "day": day, "who": who, "sex": sex, "born": born, "home": home, "id_number": id_number,
            "address": address, "file": file}  # fmt: skip


def put(home: Path, *records: dict) -> Path:
    """A home with these records (added to those that it has); the day of a patient taken home dying is that of discharge."""
    create_home(home)
    rows = pd.DataFrame(list(records))
    day = pd.to_datetime(rows["day"])
    sent = rows["source"].eq("sent_home_dying")
    plain = pd.DataFrame({"source": rows["source"], "unit_id": rows["home"], "sex": rows["sex"], "birth_year": rows["born"].astype("Int64"),
                          "file_sha256": rows["file"], "sheet": "Tử vong", "row_number": range(1, len(rows) + 1)})  # fmt: skip
    person = pd.DataFrame({"full_name": rows["who"], "birth_as_written": rows["born"].astype("str"), "address": rows["address"],
                           "id_number": rows["id_number"].astype("object"), "file_sha256": rows["file"], "sheet": "Tử vong",
                           "row_number": plain["row_number"]})  # fmt: skip
    deaths = plain.assign(death_id=rows["id"], death_date=day, cause_text="Suy tim")[~sent]
    events = plain.drop(columns="source").assign(event_id=rows["id"], discharge_date=day)[sent]
    with Warehouse(home, write=True) as warehouse:
        with warehouse.transaction():
            for table, frame in (("death", deaths), ("sent_home_dying", events)):
                _insert(warehouse, f"lake.{table}", frame)
        with warehouse.restricted(), warehouse.transaction():
            _insert(warehouse, "restricted.death_identity", person.assign(death_id=rows["id"])[~sent])
            _insert(warehouse, "restricted.sent_home_identity", person.assign(event_id=rows["id"])[sent])
    return home


def _insert(warehouse, table, frame):
    if len(frame):
        warehouse.con.register("incoming", frame)
        warehouse.con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
        warehouse.con.unregister("incoming")


def query(home: Path, sql: str) -> pd.DataFrame:
    with Warehouse(home) as warehouse:
        return warehouse.query(sql)


def persons(home: Path) -> list[list[str]]:
    """The records of each person with two or more, by the beginnings of their ids."""
    rows = query(home, "SELECT record_id, person_id FROM lake.death_match")
    groups = rows.groupby("person_id")["record_id"].agg(lambda ids: sorted(one.rstrip("_") for one in ids))
    return sorted(groups.tolist())
