"""Practice deaths: books (A6) and forms (Biểu 16/BCH) with their truth, province by province.

Memory stays flat: one province and at most one year is in hand at a time, whatever the scale.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mortality.practice import dates, export
from mortality.practice.a6_workbook import cell_of, write_book
from mortality.practice.book_layout import BookLayout, draw_layout
from mortality.practice.deaths import Batch, draw_deaths
from mortality.practice.defects import plant_defects
from mortality.practice.form16 import (
    COUNT_COLUMNS,
    book_codes,
    count_cells,
    cumulative,
    monthly_counts,
    plan_form_defects,
    plant_form_defects,
    plant_list_differences,
)
from mortality.practice.form16_workbook import SHEET, FormHead, form_cell, write_form
from mortality.practice.register import Planted, register_lines, vintage_of
from mortality.practice.vocabulary import cause_codes
from tkyt_analysis.labels import label
from tkyt_analysis.practice.rates import PROFILES
from tkyt_analysis.practice.world import MERGER_MONTH, SEXES, Progress, World
from tkyt_analysis.practice.writing import write_parquet

WORKBOOK_COMMUNES = 500  # up to this many communes every book is a workbook; above, Parquet and some samples
SAMPLE_BOOKS = (
    5  # books written again as workbooks in a fifth of the batches: received/a6_samples, not to be ingested twice
)
TRUTH_COLUMNS = ["kind", "unit_id", "period_id", "element", "true_value", "shown_value", "file", "place_in_file"]


class DeathsSource:
    """Maker of death registers and death forms."""

    id = "deaths"

    def make(self, world: World, progress: Progress) -> None:
        """Write received/a6, received/bieu16 (or their exports) and the truth about every death."""
        batches = list(plan_batches(world))
        population, year = pd.DataFrame(), 0
        for number, batch in enumerate(batches):
            if batch.year != year:
                population, year = world.population(batch.year), batch.year
            place = batch.communes["province_name"].iloc[0]
            progress(label("practice.deaths.progress", place=place, period=batch.first_month), number / len(batches))
            make_batch(world, batch, population)


SOURCE = DeathsSource()


def plan_batches(world: World) -> Iterator[Batch]:
    """Province by province within a year; 2025 falls into old communes to June and new ones from July.

    A new commune whose old ones lie in two provinces is kept with the one that most people come from.
    """
    communes = world.communes
    home = _home_province(communes)
    for year in world.scale.years:
        months = [month for month in world.scale.months if month.startswith(str(year))]
        old = [month for month in months if month < MERGER_MONTH]
        new = [month for month in months if month >= MERGER_MONTH]
        for part, province in ((old, communes["province_id"]), (new, home)):
            if not part:
                continue
            for name, rows in communes.groupby(province.to_numpy(), sort=True):
                yield Batch(name.partition(":")[2], part[0], part[-1], rows, part is new)


def _home_province(communes: pd.DataFrame) -> pd.Series:
    people = communes.groupby(["successor_id", "province_id"], as_index=False)["persons"].sum()
    people = people.sort_values(["successor_id", "persons", "province_id"]).drop_duplicates("successor_id", keep="last")
    return communes["successor_id"].map(people.set_index("successor_id")["province_id"])


def make_batch(world: World, batch: Batch, population: pd.DataFrame) -> None:
    """Deaths, book lines, defects, files and truth of one batch."""
    planted = Planted()
    deaths = draw_deaths(world, batch, population)
    lines = register_lines(world, batch, deaths, planted)
    lines = plant_defects(world, batch.name, lines, deaths, planted)
    whole_scale = len(world.communes) <= WORKBOOK_COMMUNES
    write = _write_books if whole_scale else _write_export
    places, notes = write(world, batch, lines, planted.rows())
    _write_truth(world, batch, deaths, lines, places, notes)
    if not batch.new_units and batch.first_month.endswith("01"):
        _make_forms(world, batch, deaths, lines, as_workbooks=whole_scale)


# --- books ---------------------------------------------------------------------------------------


def _names(batch: Batch) -> tuple[pd.Series, pd.Series]:
    """unit_id -> commune name, and -> district and province names."""
    communes = batch.communes
    if batch.new_units:
        rows = communes.drop_duplicates("successor_id").set_index("successor_id")
        return rows["successor_name"], pd.Series([[f"Sở Y tế {_inside(p)}"] for p in rows["province_name"]], rows.index)
    rows = communes.set_index("unit_id")
    parents = zip(rows["province_name"], rows["district_name"])
    return rows["full_name"], pd.Series(
        [[f"Sở Y tế {_inside(p)}", f"Trung tâm Y tế {_inside(d)}"] for p, d in parents], rows.index
    )


def _inside(name: str) -> str:
    """A unit's name inside a line: "Huyện Trà Bồng" -> "huyện Trà Bồng"."""
    return name[:1].lower() + name[1:]


def _write_books(
    world: World,
    batch: Batch,
    lines: pd.DataFrame,
    planted: pd.DataFrame,
    only: list[str] | None = None,
    folder: str = "a6",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One workbook per commune; returns line places and the planted rows with their places."""
    names, parents = _names(batch)
    places, notes = [], []
    groups = dict(list(lines.groupby("unit_id", sort=True)))
    planted_of = dict(list(planted.assign(unit_id=_unit_of(lines, planted)).groupby("unit_id")))
    for unit in sorted(groups) if only is None else only:
        layout = draw_layout(
            world.rng("book", unit, batch.first_month),
            vintage_of(batch.first_month),
            names[unit],
            parents[unit],
            batch.year,
        )
        part = (
            ""
            if batch.first_month.endswith("01") and batch.last_month.endswith("12")
            else f"_{batch.first_month[4:]}-{batch.last_month[4:]}"
        )
        parts = (folder, str(batch.year), f"A6_{unit.partition(':')[2]}_{batch.year}{part}.xlsx")
        own = write_book(world.received_path(*parts), layout, groups[unit]).assign(file="/".join(parts))
        places.append(own)
        notes.append(_book_notes(layout, groups[unit], planted_of.get(unit), own))
        notes.append(_layout_notes(layout, unit, batch, own["file"].iloc[0]))
    return pd.concat(places, ignore_index=True), pd.concat(notes, ignore_index=True)


def _unit_of(lines: pd.DataFrame, planted: pd.DataFrame) -> pd.Series:
    return planted["line_id"].map(lines.set_index("line_id")["unit_id"])


def _book_notes(
    layout: BookLayout, lines: pd.DataFrame, planted: pd.DataFrame | None, places: pd.DataFrame
) -> pd.DataFrame:
    """Planted rows of a book with file and cell. A birth that the book has no column for is left out."""
    if planted is None:
        return pd.DataFrame(columns=TRUTH_COLUMNS)
    rows = planted.merge(places, on="line_id").merge(lines[["line_id", "sex"]], on="line_id")
    by_sex = "birth_male" in layout.columns
    rows = rows[~((rows["element"] == "birth") & (rows["sex"] == "") & by_sex)]
    letters = [cell_of(layout, element, sex) for element, sex in zip(rows["element"], rows["sex"])]
    cells = [f"{sheet}!{a}{n}" for sheet, a, n in zip(rows["sheet"], letters, rows["row_number"])]
    return rows.assign(place_in_file=cells)


def _layout_notes(layout: BookLayout, unit: str, batch: Batch, file: str) -> pd.DataFrame:
    """E3: a misspelt commune name, or a whole book in an old font or in decomposed letters."""
    cell = f"{layout.sheet}!A{layout.place_line + 1}"
    rows = []
    if layout.shown_place != layout.true_place:
        rows.append(("E3", "place_name", layout.true_place, layout.shown_place, cell))
    if layout.encoding:
        rows.append(("E3", "encoding", "NFC", layout.encoding, layout.sheet))
    frame = pd.DataFrame(rows, columns=["kind", "element", "true_value", "shown_value", "place_in_file"])
    return frame.assign(unit_id=unit, period_id=str(batch.year), file=file)


def _write_export(
    world: World, batch: Batch, lines: pd.DataFrame, planted: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All lines of the province in one Parquet file, and a few of its books as workbooks besides."""
    names, _ = _names(batch)
    vintage = vintage_of(batch.first_month)
    parts = ("a6_lines", f"province={batch.province}", f"year={batch.year}", f"{batch.first_month}.parquet")
    file = export.write_a6_lines(world, parts, vintage, batch.year, lines, names)
    row = np.arange(1, len(lines) + 1)
    places = pd.DataFrame({"line_id": lines["line_id"].to_numpy(), "sheet": "", "row_number": row, "file": file})
    layout = export.export_layout(vintage)
    line = pd.Index(lines["line_id"]).get_indexer(planted["line_id"])
    sex = lines["sex"].to_numpy(object)[line]
    lost = (planted["element"] == "birth").to_numpy() & (sex == "") & ("birth_male" in layout.columns)
    element = planted["element"].to_numpy(object)
    if "birth_male" in layout.columns:
        element = np.where(element == "birth", np.where(sex == "female", "birth_female", "birth_male"), element)
        element = np.where(element == "sex", np.where(sex == "female", "birth_female", "birth_male"), element)
    heads = layout.headers | {"line": layout.headers["full_name"]}
    at = [f"{heads[e]}:{n}" for e, n in zip(element, row[line])]
    notes = planted.assign(file=file, place_in_file=at)[~lost]
    if world.rng("samples", batch.name).random() < 0.2:
        units = sorted(lines["unit_id"].unique())[:SAMPLE_BOOKS]
        _write_books(world, batch, lines, planted, only=units, folder="a6_samples")
    return places, notes


# --- truth ---------------------------------------------------------------------------------------


def _write_truth(
    world: World, batch: Batch, deaths: pd.DataFrame, lines: pd.DataFrame, places: pd.DataFrame, notes: pd.DataFrame
) -> None:
    """truth/deaths: every death; truth/a6_lines: where each line stands; and the planted rows."""
    ids = deaths["death_id"].to_numpy()
    prefix = f"L{batch.name}-"
    line = lines.merge(places, on="line_id", how="left", validate="one_to_one")
    write_parquet(_line_truth(line, ids, prefix), world.truth_path("a6_lines", f"{batch.name}.parquet"))
    write_parquet(_death_truth(deaths, line), world.truth_path("deaths", f"{batch.name}.parquet"))
    missing = deaths[~deaths["registered"]]
    unregistered = pd.DataFrame(
        {
            "kind": "F3",
            "unit_id": missing["unit_id"],
            "period_id": _month(missing["death_day"].to_numpy()),
            "element": "death",
            "true_value": missing["death_id"],
            "shown_value": "",
        }
    )
    rows = pd.concat([_line_notes(notes, lines, ids, prefix), unregistered, _covid_notes(deaths)])
    world.write_truth("deaths", rows, part=batch.name)


def _month(day: np.ndarray) -> np.ndarray:
    return (dates.year_of(day) * 100 + dates.month_of(day)).astype(str)


def _line_truth(line: pd.DataFrame, ids: np.ndarray, prefix: str) -> pd.DataFrame:
    copy = line["duplicate_of"].to_numpy()
    text = prefix + line["line_id"].astype(str).str.zfill(6)
    original = prefix + line["duplicate_of"].astype(str).str.zfill(6)
    return pd.DataFrame(
        {
            "line_id": text,
            "death_id": ids[line["death_row"].to_numpy()],
            "duplicate_of": np.where(copy >= 0, original, ""),
            "unit_id": line["unit_id"],
            "code_in_book": cause_codes().code[line["code"].to_numpy()],
            "cause_text": line["cause_text"],
            "file": line["file"],
            "sheet": line["sheet"],
            "row_number": line["row_number"],
        }
    )


def _death_truth(deaths: pd.DataFrame, line: pd.DataFrame) -> pd.DataFrame:
    own = line[line["duplicate_of"] < 0].set_index("death_row")
    return pd.DataFrame(
        {
            "death_id": deaths["death_id"],
            "unit_id": deaths["unit_id"],
            "origin_unit_id": deaths["origin_unit_id"],
            "district_id": deaths["district_id"],
            "death_date": dates.as_text(deaths["death_day"].to_numpy(), "iso"),
            "birth_date": dates.as_text(deaths["birth_day"].to_numpy(), "iso"),
            "age_days": deaths["age_days"],
            "age_years": deaths["age_years"],
            "sex": np.array(SEXES, object)[deaths["sex"].to_numpy()],
            "cause": deaths["cause"],
            "underlying_cause": cause_codes().code[deaths["code"].to_numpy()],
            "work_accident": deaths["work_accident"],
            "registered": deaths["registered"],
            "registered_date": np.where(
                deaths["registered"], dates.as_text(deaths["registered_day"].to_numpy(), "iso"), ""
            ),
            "file": own["file"].reindex(deaths.index).fillna("").to_numpy(),
            "row_number": own["row_number"].reindex(deaths.index).astype("Int64"),
        }
    )


def _line_notes(notes: pd.DataFrame, lines: pd.DataFrame, ids: np.ndarray, prefix: str) -> pd.DataFrame:
    """Planted rows with unit and month; F1 and F2 name the death and both lines."""
    of_line = notes["line_id"].notna() if "line_id" in notes else pd.Series(False, index=notes.index)
    own, rest = notes[of_line].copy(), notes[~of_line]
    place = pd.Index(lines["line_id"]).get_indexer(own["line_id"])
    own["unit_id"] = lines["unit_id"].to_numpy(object)[place]
    own["period_id"] = _month(lines["death_day"].to_numpy()[place])
    double = own["kind"].isin(["F1", "F2"]) & (own["element"] == "line")
    for column in ("true_value", "shown_value"):
        text = prefix + own.loc[double, column].astype(int).astype(str).str.zfill(6)
        own.loc[double, column] = text
    return pd.concat([own, rest])[TRUTH_COLUMNS]


def _covid_notes(deaths: pd.DataFrame) -> pd.DataFrame:
    """D2: the epidemic months, deaths without and with it, per district."""
    month = _month(deaths["death_day"].to_numpy())
    count = (
        deaths.assign(month=month, covid=deaths["cause"] == "covid")
        .groupby(["district_id", "month"])["covid"]
        .agg(["size", "sum"])
    )
    count = count[count["sum"] > 0].reset_index()
    return pd.DataFrame(
        {
            "kind": "D2",
            "unit_id": count["district_id"],
            "period_id": count["month"],
            "element": "deaths",
            "true_value": (count["size"] - count["sum"]).astype(str),
            "shown_value": count["size"].astype(str),
        }
    )


# --- forms ---------------------------------------------------------------------------------------


def _make_forms(world: World, batch: Batch, deaths: pd.DataFrame, lines: pd.DataFrame, *, as_workbooks: bool) -> None:
    """Biểu 16/BCH of every district for each cumulative period that the batch covers."""
    rng = world.rng("form16", batch.name)
    registered = deaths[deaths["registered"]]
    cells = count_cells(registered, book_codes(deaths, lines))
    districts = sorted(batch.communes["district_id"].unique())
    counts = monthly_counts(cells, districts)
    shown, differences = plant_list_differences(rng, cells, counts, districts, factor=PROFILES[world.profile])
    covered = int(batch.last_month[4:])
    periods = [months for months in (3, 6, 9, 12) if months <= covered]
    factor = PROFILES[world.profile]
    plan = plan_form_defects(
        rng, len(districts), len(periods), factor=factor, at_least_one=as_workbooks and covered == 12
    )
    tables, notes = [], []
    for number, months in enumerate(periods):
        period = f"{batch.year}C{months}"
        total, quarter = cumulative(shown, months), shown[:, months - 3 : months].sum(axis=1)
        planned = {kind: forms[:, number] for kind, forms in plan.items()}
        texts, kinds = plant_form_defects(rng, total, quarter, planned, factor=factor)
        where = _write_forms(world, batch, districts, months, texts, as_workbooks)
        notes.append(_form_notes(districts, period, total, texts, kinds, where))
        tables.append(_form_truth(districts, period, cumulative(counts, months), texts, where))
    notes.append(_difference_notes(batch, districts, differences, covered, as_workbooks))
    write_parquet(pd.concat(tables, ignore_index=True), world.truth_path("form16", f"{batch.name}.parquet"))
    world.write_truth("form16", pd.concat(notes, ignore_index=True), part=batch.name)


def _form_file(batch: Batch, district: str, months: int, as_workbooks: bool) -> str:
    period = f"{batch.year}C{months}"
    if as_workbooks:
        return f"bieu16/{batch.year}/Bieu16_{district.partition(':')[2]}_{period}.xlsx"
    return f"bieu16_cells/province={batch.province}/year={batch.year}/{period}.parquet"


def _write_forms(
    world: World, batch: Batch, districts: list[str], months: int, texts: np.ndarray, as_workbooks: bool
) -> list[str]:
    """Write the forms of one period; returns the file of each district."""
    files = [_form_file(batch, district, months, as_workbooks) for district in districts]
    if not as_workbooks:
        export.write_form_cells(
            world, tuple(files[0].split("/")), export.form_table(districts, f"{batch.year}C{months}", texts)
        )
        return files
    names = batch.communes.drop_duplicates("district_id").set_index("district_id")
    for district, file, shown in zip(districts, files, texts):
        head = FormHead(
            _inside(names.loc[district, "district_name"]),
            _inside(names.loc[district, "province_name"]),
            months,
            batch.year,
        )
        write_form(world.received_path(*file.split("/")), head, shown)
    return files


def _at(file: str, place: int, row: int, column: int) -> str:
    """Cell in the workbook, or column and row of the export."""
    if file.endswith(".xlsx"):
        return f"{SHEET}!{form_cell(row, column)}"
    return f"{COUNT_COLUMNS[column]}:{place * 26 + row + 1}"


def _form_notes(
    districts: list[str], period: str, true: np.ndarray, texts: np.ndarray, kinds: dict, files: list[str]
) -> pd.DataFrame:
    rows = [
        (
            kind,
            districts[place],
            period,
            f"16bch.{row}.{COUNT_COLUMNS[column]}",
            str(true[place, row, column]),
            texts[place, row, column],
            files[place],
            _at(files[place], place, row, column),
        )
        for (place, row, column), kind in kinds.items()
    ]
    return pd.DataFrame(rows, columns=TRUTH_COLUMNS)


def _form_truth(
    districts: list[str], period: str, registered: np.ndarray, texts: np.ndarray, files: list[str]
) -> pd.DataFrame:
    """Every cell: registered deaths counted right, and what the form shows."""
    place, row, column = (index.ravel() for index in np.indices(registered.shape))
    return pd.DataFrame(
        {
            "district_id": np.array(districts, object)[place],
            "period_id": period,
            "row": row,
            "column": np.array(COUNT_COLUMNS, object)[column],
            "registered": registered.ravel(),
            "shown": texts.ravel(),
            "file": np.array(files, object)[place],
        }
    )


def _difference_notes(
    batch: Batch, districts: list[str], differences: pd.DataFrame, covered: int, as_workbooks: bool
) -> pd.DataFrame:
    """F12: deaths of the commune-month in the book and in the first form that covers it."""
    rows = []
    for d in differences.itertuples():
        months = next((m for m in (3, 6, 9, 12) if d.month <= m <= covered), None)
        if months:
            place = districts.index(d.district_id)
            file = _form_file(batch, d.district_id, months, as_workbooks)
            at = _at(file, place, d.row, 0)
            period = f"{batch.year}{d.month:02d}"
            rows.append(
                ("F12", d.unit_id, period, f"16bch.{d.row}.total", str(d.true_value), str(d.shown_value), file, at)
            )
    return pd.DataFrame(rows, columns=TRUTH_COLUMNS)
