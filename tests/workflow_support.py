"""Helpers of the workflow tests: a home whose door reads drawn reports, and a clock that the test sets."""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path

import pandas as pd

from tkyt_analysis.ingest import receive
from tkyt_analysis.ingest.door import Batch
from tkyt_analysis.warehouse.lake import Warehouse, create_home
from tkyt_analysis.workflow import actions, gate, listing, states, verify

PROVINCE, COMMUNE, OTHER = "VN2025:51", "VN2025:21040", "VN2025:21172"


class ReportDoor:
    """Each line "data set,unit,period,element,value" is a reported value."""

    id = "reports"

    def recognise(self, file):
        return 1.0 if file.name.endswith(".reports") else 0.0

    def read(self, file, context):
        rows = []
        for number, line in enumerate(file.path.read_text("utf-8").splitlines(), start=1):
            dataset, unit, period, element, value = line.split(",")
            rows.append(
                {"dataset_id": dataset, "unit_id": unit, "period_id": period, "element_id": element, "category_id": "total",
                 "value": float(value), "value_as_written": value, "column_name": "c", "sheet": "", "row_number": number}
            )  # fmt: skip
        yield Batch("aggregate_value", pd.DataFrame(rows), received=len(rows))


class Clock:
    """The time that the workflow sees; moves a second with each look, so that events have an order."""

    def __init__(self, now: str) -> None:
        self.now = datetime.datetime.fromisoformat(now)

    def __call__(self) -> datetime.datetime:
        self.now += datetime.timedelta(seconds=1)
        return self.now

    def set(self, now: str) -> None:
        self.now = datetime.datetime.fromisoformat(now)


def set_clock(monkeypatch, now: str) -> Clock:
    """Every module of the workflow looks at this clock."""
    clock = Clock(now)
    for module in (actions, gate, listing, states, verify):
        monkeypatch.setattr(module, "utc_now", clock)
    return clock


def only_our_gate(monkeypatch) -> None:
    """Ingest runs the gate of locked reports and no other: these tests are about it alone."""
    gates = {"locked_reports": "tkyt_analysis.workflow.gate:guard_locked_reports"}
    monkeypatch.setattr(receive, "parts", lambda kind: gates if kind == "gates" else {})


def make_home(home: Path) -> Path:
    """An empty home with one province and two communes."""
    create_home(home)
    units = pd.DataFrame(
        {
            "unit_id": [PROVINCE, COMMUNE, OTHER, "VN2025:01"],
            "code": ["51", "21040", "21172", "01"],
            "name": ["Quảng Ngãi", "Xã Một", "Xã Hai", "Hà Nội"],
            "level": [1, 3, 3, 1],
            "parent_unit_id": ["VN", PROVINCE, PROVINCE, "VN"],
            "province_id": [PROVINCE, PROVINCE, PROVINCE, "VN2025:01"],
        }
    )
    with Warehouse(home, write=True) as warehouse:
        warehouse.con.register("incoming", units)
        warehouse.con.execute("INSERT INTO lake.organisation_unit BY NAME SELECT * FROM incoming")
    return home


_numbers = itertools.count()


def send(home: Path, *lines: str, name: str = ""):
    """Receive a file of reports; what ingest says of it."""
    path = home.parent / f"{name or f'f{next(_numbers)}'}.reports"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return receive.ingest(home, [path]).files[0]


def run_rules(home: Path, *, at: str, errors: tuple[tuple[str, str, str], ...] = ()) -> None:
    """As `tkyt check` leaves the home: every rule ran at a time, and the reports in `errors` have an open error."""
    from tkyt_analysis.catalog import load_entries

    coverage = pd.DataFrame({"rule_id": list(load_entries("rules")), "checked_at": at})
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        warehouse.con.execute("DELETE FROM lake.rule_coverage; DELETE FROM lake.finding")
        warehouse.con.register("coverage", coverage)
        warehouse.con.execute("INSERT INTO lake.rule_coverage BY NAME SELECT * FROM coverage")
        for dataset, unit, period in errors:
            warehouse.con.execute(
                "INSERT INTO lake.finding (finding_id, rule_id, severity, dataset_id, unit_id, period_id) "
                "VALUES ('f', 'r', 'error', ?, ?, ?)",
                [dataset, unit, period],
            )
