"""A filled template, damaged as people damage them, read back: every cell lands with its value, or is reported at its
address; none is lost, and none lands with another value without a note."""

import json
import os
import random

import openpyxl
import pandas as pd
import pytest
from damage import DAMAGES, Filled
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tkyt_analysis.catalog import load_entry
from tkyt_analysis.forms.lines import form_cells
from tkyt_analysis.forms.template import write_filled
from tkyt_analysis.ingest.door import ReceivedFile
from tkyt_analysis.ingest.form_workbook import DOOR
from tkyt_analysis.ingest.summary import sentence

UNITS = {"form16bch": ("VN2024:524", "2024C6"), "thanhhoa_annex2": ("KCB:38001", "2023S1")}
PREFIX = {"form16bch": "16BCH", "thanhhoa_annex2": "thanhhoa_annex2"}
EXAMPLES = int(os.environ.get("TKYT_EXAMPLES", "0"))  # more of them at night


def planted_values(form_id):
    """Different values in all cells that are typed in; some are over 1000."""
    version = next(reversed(load_entry("forms", form_id).versions.values()))
    totals = {rule.target for rule in version.rules if rule.kind == "total"}
    values = {}
    for number, cell in enumerate(form_cells(version).to_dict("records"), 11):
        if cell["row"] in totals | {"total"} or cell["column"] in totals:
            continue
        text = {"text": f"Trả lời số {number}", "choice": "Mức 3"}.get(cell["kind"])
        values[cell["row"], cell["column"]] = text or (number if number % 3 else 1000 + 7 * number)
    return values


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    """{form id: (file, truth)}: the filled template as it was sent out, and every cell that a reader must find."""
    made = {}
    for form_id, (unit, period) in UNITS.items():
        path = tmp_path_factory.mktemp("templates") / f"{form_id}.xlsx"
        name = "Bệnh viện đa khoa mô phỏng" if unit.startswith("KCB:") else ""
        write_filled(form_id, unit, period, path, planted_values(form_id), name=name)
        made[form_id] = (path, read(path)[0])
    return made


def read(path):
    """(landed, quarantined, notes) of a file; every batch balances and every reason has its sentence."""
    file = ReceivedFile(path, path.name, "0" * 64, path.stat().st_size)
    landed, quarantined, notes = [], [], []
    for batch in DOOR.read(file, None):
        assert batch.received == len(batch.rows) + len(batch.quarantined)
        landed.append(batch.rows.assign(written=batch.rows.get("value", batch.rows.get("answer"))))
        quarantined.append(pd.DataFrame(batch.quarantined))
        notes.append(pd.DataFrame(batch.notes))
    every = [pd.concat(parts, ignore_index=True) for parts in (landed, quarantined, notes)]
    for reason, part in every[1].groupby("reason") if len(every[1]) else ():
        row = part.iloc[0]
        place = {
            "file": path.name,
            "column_name": row["column_name"],
            "value": row["value"],
            "row_number": row["row_number"],
        }
        assert reason not in sentence(reason, place | {"fields": json.dumps(row["fields"], default=str)})
    return every


def values_of(landed):
    return {
        (row["element_id"].split("/", 1)[1], row["category_id"]): row["written"] for row in landed.to_dict("records")
    }


def filled(templates, form_id):
    """The template opened again, with every planted cell as an object that damage can move about."""
    path, landed = templates[form_id]
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    ids = [column.id for column in next(reversed(load_entry("forms", form_id).versions.values())).columns]
    first_column = sheet.max_column - len(ids) + 1
    at = {name: first_column + place for place, name in enumerate(ids)}
    cells = {
        (row["element_id"].split("/", 1)[1], row["category_id"]): sheet.cell(row["row_number"], at[row["category_id"]])
        for row in landed.to_dict("records")
    }
    rows = [cell.row for cell in cells.values()]
    numbering = next(row for row in range(10, 20) if sheet.cell(row, 2).value == 2)
    return Filled(book, sheet, cells, values_of(landed), 10, numbering - 1, min(rows), max(rows), 2)


def account(form, path, form_id):
    """Read a damaged form and account for every planted cell; returns {outcome: cells}."""
    form.book.save(path)
    landed, quarantined, notes = read(path)
    reported = {(row["sheet"], row["fields"]["cell"]) for row in quarantined.to_dict("records")}
    noted_cells = {(row["sheet"], (row["fields"] or {}).get("cell", "")) for row in notes.to_dict("records")}
    noted_rows = {(row["sheet"], row["row_number"]) for row in notes.to_dict("records")}
    at_row = {}
    for row in landed.to_dict("records"):
        at_row[row["sheet"], row["row_number"], row["element_id"].split("/", 1)[1], row["category_id"]] = row["written"]
    counts = {"recovered": 0, "reported": 0, "noted": 0}
    for key, cell in form.cells.items():
        if cell.value is None:
            continue
        address = f"{cell.column_letter}{cell.row}"
        place = (form.sheet.title, cell.row, *key)
        if (form.sheet.title, address) in reported:
            counts["reported"] += 1
            assert place not in at_row
            continue
        assert place in at_row, f"{address} {key} {cell.value!r} is lost"
        found, true = at_row[place], form.truth[key]
        assert key not in form.spoilt, f"{address} {cell.value!r} landed as {found!r}"
        same = found == true if not pd.isna(found) else key in form.emptied
        noted = (form.sheet.title, address) in noted_cells or (form.sheet.title, cell.row) in noted_rows
        assert same, f"{address}: {found!r} in place of {true!r}"
        assert key not in form.emptied or noted
        counts["noted" if noted else "recovered"] += 1
    for cell in form.own_cells:  # what the unit added under no row or column of the form is reported, never dropped
        assert (cell.parent.title, f"{cell.column_letter}{cell.row}") in reported
    for copy in form.copies:
        copied = [row for row in quarantined.to_dict("records") if row["sheet"] == copy.title]
        assert len(copied) == len(form.cells)
        assert {row["reason"] for row in copied} == {"quarantine.form_cell_twice"}
    elements = {row["element_id"].split("/", 1)[1] for row in landed.to_dict("records")}
    assert {key for key in values_of(landed) if key not in form.truth} == set(), elements
    return counts


OUTCOMES: dict[tuple[str, str], dict[str, int]] = {}


@pytest.mark.parametrize("form_id", sorted(UNITS))
@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_every_cell_of_a_damaged_form_is_recovered_or_reported(name, form_id, templates, tmp_path):
    examples = EXAMPLES or (2 if form_id == "form16bch" else 1)

    @settings(max_examples=examples, deadline=None, derandomize=True, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(seed=st.integers(0, 10_000))
    def holds(seed):
        form = filled(templates, form_id)
        DAMAGES[name](form, random.Random(seed))
        counts = account(form, tmp_path / f"{name}.xlsx", form_id)
        known = OUTCOMES.setdefault((name, form_id), dict.fromkeys(counts, 0))
        OUTCOMES[name, form_id] = {kind: known[kind] + counts[kind] for kind in counts}

    holds()


def test_there_are_more_than_twenty_kinds_of_damage():
    assert len(DAMAGES) >= 20
